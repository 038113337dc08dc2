"""The day as it is driven: what phones tell, where couriers are, what customers may expect."""
