"""GS1 EPCIS 2.0: events from partners' systems taken in and given back, and our own scans as such events."""
