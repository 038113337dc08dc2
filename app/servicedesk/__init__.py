"""Cases, complaints and claims, tied to the customer, the shipment, its scans and its money."""
