"""One file an engine: each takes an `Instance` and rounds, and gives rounds back."""
