"""Bags, manifests and trips: packed, sealed, sent, and compared with what comes out at the dock."""
