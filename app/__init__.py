"""The Flask service: it remembers, shows and schedules what the engines decide."""
