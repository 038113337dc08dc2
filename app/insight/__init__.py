"""What needs a person now, across all rooms: home pages and reports."""
