"""Quantile functions in short: a count and a few evenly spread quantiles, mixed with those of a parent.

Mixing is by quantile (Vincent averaging: Ratcliff, "Group reaction time distributions", 1979): a share
n / (n + k) of the n own observations and the rest of the parent, quantile by quantile. Unlike a mixture of
probabilities it keeps one hump where both have one, and the result rises where both rise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracking.errors import PromiseError

Values = NDArray[np.float64]

KNOTS: Final = 40
_SHARES: Final = (np.arange(KNOTS) + 0.5) / KNOTS
# A weight is kept to so many digits, so that a stored history is the one that was learned.
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Shape:
    """Observations in short: their weight, and the quantiles at (i + 1/2) / `KNOTS`.

    Raises:
        PromiseError: there are not `KNOTS` quantiles, they fall, or the weight is not more than 0.
    """

    weight: float
    knots: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.knots) != KNOTS or not self.weight > 0:
            raise PromiseError(f"a shape has a weight and {KNOTS} quantiles")
        if any(after < before for before, after in zip(self.knots, self.knots[1:], strict=False)):
            raise PromiseError("the quantiles of a shape must rise")

    @classmethod
    def of(cls, values: Sequence[float] | Values, weights: Sequence[float] | Values | None = None) -> "Shape":
        """Sum up observations; there must be one at least.

        Args:
            values: in any order.
            weights: of each value; all 1 where not given.
        """
        observed = np.asarray(values, float)
        order = observed.argsort(kind="stable")
        weight = np.ones(observed.size) if weights is None else np.asarray(weights, float)[order]
        total = float(weight.sum())
        reached = np.cumsum(weight)
        # A value stands for itself over all its weight but half an observation at either end, where it leads
        # over to its neighbours.
        edge = np.minimum(weight, 1.0) / 2
        places = np.stack((reached - weight + edge, reached - edge), axis=1).ravel() / total
        knots = np.interp(_SHARES, places, np.repeat(observed[order], 2))
        return cls(round(total, _DIGITS), tuple(np.round(knots, _DIGITS).tolist()))


def shrunk(own: Shape | None, parent: Values, pseudo_weight: float) -> Values:
    """Return the quantiles of a shape, drawn to its parent's by how little was observed."""
    if own is None:
        return parent
    share = own.weight / (own.weight + pseudo_weight)
    mixed: Values = share * np.asarray(own.knots) + (1 - share) * parent
    return mixed


def knots_of(weighted: Sequence[tuple[float, float]]) -> Values:
    """Return the quantiles of (value, weight) pairs, where each value stands for itself alone."""
    values, weights = np.asarray(sorted(weighted), float).T
    reached = np.cumsum(weights) / weights.sum()
    picked: Values = values[np.minimum(reached.searchsorted(_SHARES - 1e-12), values.size - 1)]
    return picked
