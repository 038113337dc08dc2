"""Where things should go: parcels through the hub network, couriers through their pickups.

Pure: values in, values out. Nothing here knows of Flask, a database, a scheduler or HTTP.
"""
