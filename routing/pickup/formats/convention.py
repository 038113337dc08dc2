"""How benchmark sets count distances.

Places lie on a plane and distance is Euclidean; each set has its own way to make it whole. A metre and a
second of a problem read from a file are one unit of the set's convention, a metre costs one minor unit and
nothing else does, so a plan's cost and distance are the set's objective, times the convention's factor.
"""

from enum import Enum, StrEnum

import numpy as np
import numpy.typing as npt

_EPSILON = 1e-9  # 12.3 is a little less than 123 tenths in binary


class Convention(Enum):
    """How distances are made whole.

    - `ROUNDED`: to the nearest whole number (CVRPLIB).
    - `TENTHS`: truncated to one decimal (12th DIMACS challenge; sets with time windows).
    - `THOUSANDTHS`: to the nearest third decimal (pairs, several depots, limits of a round's length).
    """

    ROUNDED = 1
    TENTHS = 10
    THOUSANDTHS = 1000

    def whole(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Distances or times in units of the convention."""
        scaled = values * float(self.value)
        if self is Convention.TENTHS:
            return np.floor(scaled + _EPSILON).astype(np.int64)
        return np.rint(scaled).astype(np.int64)

    def one(self, value: float) -> int:
        """One distance or time in units of the convention."""
        return int(self.whole(np.array([value]))[0])

    def written(self, units: int) -> str:
        """A sum of distances as the set's own tables write it."""
        return f"{units / self.value:.{len(str(self.value)) - 1}f}"


class Objective(StrEnum):
    """What a benchmark file is planned for."""

    DISTANCE = "distance"
    """The sum of distances (and of prizes that are left), in the set's own convention."""
    VROOM = "vroom"
    """The same as VROOM's benchmark scripts count it: seconds on the road, which equal the distances, to the
    nearest thousandth where the file has time windows and to the nearest whole number otherwise."""
