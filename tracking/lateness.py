"""Distributions as scenarios: what may happen, in equally likely cases, carried along a route.

A distribution is an array of `SCENARIOS` values in seconds, each as likely as any other. Sorted, it is the
quantile function at (i + 1/2) / SCENARIOS. Independent steps of a route are added scenario by scenario, each
step's values in an order of its own: the points of a Korobov lattice, which spread over all combinations more
evenly than chance would (Korobov 1959; Niederreiter, "Random Number Generation and Quasi-Monte Carlo
Methods", 1992, ch. 5). No chance is used at all: the same route gives the same answer.

Measured against 200,000 random draws on routes of 3 to 13 skewed steps, the probability that belongs to a
quantile told is off by about one percentage point (root mean square).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

# To a hundredth of a second over days; many of them are kept, so that half the memory counts.
Seconds = NDArray[np.float32]

SCENARIOS: Final = 509
"""A prime, so that every multiplier gives an order of all scenarios."""

_GENERATOR: Final = 189
_STEPS: Final = 64
_RANKS: Final = np.arange(SCENARIOS)
_SHARES: Final = (_RANKS + 0.5) / SCENARIOS
_ORDERS: Final = tuple(_RANKS * pow(_GENERATOR, step, SCENARIOS) % SCENARIOS for step in range(_STEPS))

# The mean excess beyond the last quantile is that of the cases from so many times its share on.
_TAIL_REACH: Final = 4
# Fewer cases than these tell nothing about what is still to come.
_CASES_MIN: Final = 5
# What is later than ever seen is expected to take this share of its lateness once more, this long at least.
_OVERDUE_SHARE: Final = 0.25
_OVERDUE_S_MIN: Final = 1800.0
_EXPONENTIAL: Final = -np.log1p(-_SHARES).astype(np.float32)


def scenarios(knots: Sequence[float] | NDArray[np.float64]) -> Seconds:
    """Return the sorted scenarios of a distribution given by evenly spread quantiles.

    Args:
        knots: the quantiles at (i + 1/2) / n, rising; outside of them the distribution ends.
    """
    values = np.asarray(knots, float)
    spread: Seconds = np.interp(_SHARES, (np.arange(values.size) + 0.5) / values.size, values).astype(
        np.float32
    )
    return spread


def shuffled(scenarios_s: Seconds, step: int) -> Seconds:
    """Return sorted scenarios in the order that belongs to a step of the route; step 0 keeps them sorted."""
    return scenarios_s.take(_ORDERS[step % _STEPS])


def at_least(sorted_s: Seconds, least_s: float) -> Seconds:
    """Return the same distribution, sorted, knowing that it is not below `least_s`.

    A distribution ends at its last quantile, which stands for all that is later. Nobody sees that until the
    rest is all there is: then it goes on as an exponential, with the mean excess that the quantiles before it
    have (Pickands, "Statistical inference using extreme order statistics", 1975, for a light tail).

    Beyond all cases that were thought of only this is known: it has not happened yet. What takes long takes
    long to end, so the rest is taken as exponential with a mean that grows with the lateness.
    """
    if sorted_s[0] >= least_s:
        return sorted_s
    sorted_s = _with_tail(sorted_s)
    gone = int(sorted_s.searchsorted(least_s))
    left = SCENARIOS - gone
    if left < _CASES_MIN:
        late_s = least_s - float(sorted_s[SCENARIOS // 2])
        rest: Seconds = least_s + max(_OVERDUE_S_MIN, _OVERDUE_SHARE * late_s) * _EXPONENTIAL
        return rest
    return sorted_s.take((_SHARES * left).astype(np.intp) + gone)


def _with_tail(sorted_s: Seconds) -> Seconds:
    """Spread what lies on the last quantile over what may come after it."""
    start = int(sorted_s.searchsorted(sorted_s[-1]))
    count = SCENARIOS - start
    before = SCENARIOS - _TAIL_REACH * count
    if count == 1 or before < 0:
        return sorted_s
    excess_s = float(sorted_s[-1] - sorted_s[before]) / float(np.log(_TAIL_REACH))
    tail = np.log(count / (count - np.arange(count) - 0.5)).clip(min=0.0)
    spread = sorted_s.copy()
    spread[start:] += (excess_s * tail).astype(np.float32)
    return spread


def quantile_s(sorted_s: Seconds, share: float) -> float:
    """Return the value, in seconds, that is not exceeded with probability `share`, between 0 and 1."""
    place = min(max(share * SCENARIOS - 0.5, 0.0), SCENARIOS - 1.0)
    below = int(place)
    low = float(sorted_s[below])
    if below == SCENARIOS - 1:
        return low
    return low + (place - below) * (float(sorted_s[below + 1]) - low)
