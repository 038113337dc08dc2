"""The demo world: deterministic, on real geography, made through the same services and API as real work."""
