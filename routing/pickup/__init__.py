"""Couriers between customers: who serves which stop, in which order, and when.

```python
from routing.pickup import Options, Problem, Stop, Vehicle, solve

plan = solve(Problem(stops=(...), vehicles=(...)), Options(seconds=10))
```

`solve` plans a day, `insertion` mends a running plan, `checker.check` judges any plan.
"""

from routing.pickup.balance import evened, solve_evenly
from routing.pickup.checker import check
from routing.pickup.cluster import Cluster
from routing.pickup.effort import Progress
from routing.pickup.errors import (
    ChangeRefusedError,
    ClusterError,
    PickupError,
    ProblemError,
    UnknownNameError,
)
from routing.pickup.matrix import StraightLine, Table, Travel
from routing.pickup.plan import Plan, ReasonCode, Reload, Rest, Route, Unserved, Visit
from routing.pickup.problem import Break, Pair, Problem, Restriction, Stop, StopKind, Vehicle
from routing.pickup.solve import Options, solve
from routing.pickup.violations import Violation, ViolationCode

__all__ = [
    "Break",
    "ChangeRefusedError",
    "Cluster",
    "ClusterError",
    "Options",
    "Pair",
    "PickupError",
    "Plan",
    "Problem",
    "ProblemError",
    "Progress",
    "ReasonCode",
    "Reload",
    "Rest",
    "Restriction",
    "Route",
    "Stop",
    "StopKind",
    "StraightLine",
    "Table",
    "Travel",
    "UnknownNameError",
    "Unserved",
    "Vehicle",
    "Violation",
    "ViolationCode",
    "Visit",
    "check",
    "evened",
    "solve",
    "solve_evenly",
]
