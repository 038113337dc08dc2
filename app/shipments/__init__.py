"""Shipments, their scans and planned legs, and what the public may see of them."""
