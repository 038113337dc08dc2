"""A distribution of seconds against the plan, on a grid of five minutes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP_S = 300
# Ten days. Beyond that a parcel is not late but lost, and arrays stay small.
_STEPS_MAX = 10 * 86_400 // STEP_S


@dataclass(frozen=True, slots=True, eq=False)
class Lateness:
    """Probability of each step: `mass[i]` is that of `(first + i) * STEP_S` seconds. Sums to 1."""

    first: int
    mass: NDArray[np.float64]

    @classmethod
    def certain(cls, seconds: float) -> "Lateness":
        """All the mass on one value."""
        return cls(_step(seconds), np.ones(1))

    @classmethod
    def weighted(cls, values: Iterable[tuple[float, float]]) -> "Lateness":
        """Mass in proportion to the weights of (seconds, weight) pairs; there must be one at least."""
        seconds, weights = np.asarray(list(values), float).T
        return cls._binned(seconds, weights)

    @classmethod
    def empirical(cls, seconds: NDArray[np.float64]) -> "Lateness":
        """The same mass on each observation; there must be one at least."""
        return cls._binned(seconds, np.ones(seconds.size))

    @classmethod
    def _binned(cls, seconds: NDArray[np.float64], weights: NDArray[np.float64]) -> "Lateness":
        steps = np.clip(np.rint(seconds / STEP_S).astype(np.int64), -_STEPS_MAX, _STEPS_MAX)
        first = int(steps.min())
        return cls(first, np.bincount(steps - first, weights=weights) / weights.sum())

    def plus(self, other: "Lateness") -> "Lateness":
        """The sum of two independent latenesses."""
        return Lateness(self.first + other.first, np.convolve(self.mass, other.mass))._bounded()

    def mixed(self, other: "Lateness", share: float) -> "Lateness":
        """This one with probability `share`, otherwise the other."""
        first = min(self.first, other.first)
        last = max(self.first + self.mass.size, other.first + other.mass.size)
        mass = np.zeros(last - first)
        mass[self.first - first :][: self.mass.size] += share * self.mass
        mass[other.first - first :][: other.mass.size] += (1 - share) * other.mass
        return Lateness(first, mass)

    def absorbed(self, slack_s: float) -> "Lateness":
        """What is left of it after a pause of `slack_s`: never below zero, for nothing departs early."""
        first = self.first - _step(slack_s)
        if first >= 0:
            return Lateness(first, self.mass)
        gone = min(-first, self.mass.size - 1)
        mass = self.mass[gone:].copy()
        mass[0] += self.mass[:gone].sum()
        return Lateness(max(0, first + gone), mass)

    def at_least(self, seconds: float) -> "Lateness":
        """The same, knowing that it is not below `seconds`."""
        gone = int(np.ceil(seconds / STEP_S)) - self.first
        if gone <= 0:
            return self
        mass = self.mass[gone:]
        total = float(mass.sum())
        if total <= 0:
            # Later than was ever seen: all that is known is that it has not happened yet.
            return Lateness(self.first + gone, np.ones(1))
        return Lateness(self.first + gone, mass / total)

    def quantile_s(self, share: float) -> int:
        """The least value, in seconds, that is not exceeded with probability `share`."""
        # The sum of many small masses may miss the share by a rounding error.
        index = int(np.searchsorted(np.cumsum(self.mass), share - 1e-9))
        return (self.first + min(index, self.mass.size - 1)) * STEP_S

    def _bounded(self) -> "Lateness":
        over = self.first + self.mass.size - 1 - _STEPS_MAX
        if over <= 0 or over >= self.mass.size:
            return self
        mass = self.mass[:-over].copy()
        mass[-1] += self.mass[-over:].sum()
        return Lateness(self.first, mass)


def _step(seconds: float) -> int:
    return round(seconds / STEP_S)
