"""Facilities, lanes, timetables and the parties that run them, as rows."""
