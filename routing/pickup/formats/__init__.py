"""Files of the academic benchmark sets, read as problems, and their solutions.

```python
from routing.pickup.formats import read, solution_text

found = read(text, "vrplib")
print(solution_text(found.problem, solve(found.problem), found.convention))
```
"""

from routing.pickup.formats.convention import Convention, Objective
from routing.pickup.formats.doors import FORMATS, Benchmark, read
from routing.pickup.formats.solutions import (
    best_known_units,
    objective_units,
    read_cost,
    read_rounds,
    solution_text,
)
from routing.pickup.formats.text import read_li_lim, read_solomon
from routing.pickup.formats.vrplib import convention_of, read_vrplib

__all__ = [
    "FORMATS",
    "Benchmark",
    "Convention",
    "Objective",
    "best_known_units",
    "convention_of",
    "objective_units",
    "read",
    "read_cost",
    "read_li_lim",
    "read_rounds",
    "read_solomon",
    "read_vrplib",
    "solution_text",
]
