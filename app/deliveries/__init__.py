"""The last door: instructions on the way, hand-over and its proof, cash, pickup points, consent."""
