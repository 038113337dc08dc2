"""What happened to a parcel: numbers, scans, states, containers, promises and findings.

A pure engine: values in, values out; no database, no clock and no framework. Start reading at
`tracking.shipment` (what a scan is), then `tracking.lifecycle` (what the scans mean together).
"""
