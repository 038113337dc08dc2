"""Pickup and delivery requests, couriers, plans and the dispatcher's board."""
