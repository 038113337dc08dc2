"""How long stops and ways really take, learned from what was driven. No database, no clock.

A time is its planned value times a factor for the company, one for the area and building of the stop, one for
the hour and one for the courier. In logarithms this is a linear model with crossed random effects; it is
fitted by backfitting, the variance of each level by expectation maximisation (Dempster, Laird and Rubin
1977). What a level is drawn towards zero by follows from both variances: a building seen once says next to
nothing of itself and has its area's factor, one seen a hundred times has its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
import numpy.typing as npt

from app.dispatch.day.models import Level

Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 30
_FACTOR_MAX: Final = 8.0
# A whole company's factor is believed once about so many times have been measured.
_PRIOR_ALL: Final = 10.0
# Times at doors and in traffic are never surer than by a fifth, however alike a few of them were.
_NOISE_MIN: Final = 0.04
_NESTED: Final = (Level.AREA, Level.BUILDING, Level.HOUR, Level.COURIER)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured time.

    Attributes:
        planned_s: what was taken for granted.
        actual_s: what it took.
        keys: which area, building, hour, courier it belongs to; a level left out says nothing of it.
    """

    planned_s: int
    actual_s: int
    keys: Mapping[Level, str]

    def __post_init__(self) -> None:
        if self.planned_s <= 0 or self.actual_s <= 0:
            raise ValueError("a measured time is positive")


@dataclass(frozen=True, slots=True)
class Factor:
    """A natural logarithm of a factor, and how many samples stand behind it."""

    log_factor: float
    samples: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What was learned.

    Attributes:
        factors: by level and key; `Level.ALL` has the key "".
        spread: standard deviation of the logarithm that stays unexplained.
    """

    factors: Mapping[tuple[Level, str], Factor]
    spread: float

    def factor(self, keys: Mapping[Level, str]) -> float:
        """The factor of a time that belongs to these keys; unknown ones leave it to their parents."""
        known = [self.factors.get((level, key)) for level, key in (*keys.items(), (Level.ALL, ""))]
        return exp(sum(one.log_factor for one in known if one is not None))


def fit(samples: Sequence[Sample]) -> Fit | None:
    """Learn the factors; None without samples."""
    if not samples:
        return None
    planned = np.array([sample.planned_s for sample in samples], dtype=np.float64)
    actual = np.array([sample.actual_s for sample in samples], dtype=np.float64)
    # A courier who forgot to tap for an hour is no reason to believe in eight times the time.
    measured = np.clip(np.log(actual / planned), -log(_FACTOR_MAX), log(_FACTOR_MAX))
    levels = [_Grouped.of(level, samples) for level in _NESTED]
    noise = max(float(measured.var()), _NOISE_MIN)
    middle = 0.0
    for _round in range(_ROUNDS):
        explained = sum((group.told() for group in levels), np.zeros_like(measured))
        middle = float((measured - explained).sum() / (len(measured) + _PRIOR_ALL))
        for group in levels:
            explained = explained - group.told()
            group.learn(measured - middle - explained, noise)
            explained = explained + group.told()
        noise = max(float(((measured - middle - explained) ** 2).mean()), _NOISE_MIN)
    # Means of logarithms are below logarithms of means; plans add times up, so the sums have to be right.
    fitted = planned * np.exp(middle + explained)
    share = len(samples) / (len(samples) + _PRIOR_ALL)
    middle += share * log(float((planned * np.exp(measured)).sum() / fitted.sum()))
    factors = {(Level.ALL, ""): Factor(middle, len(samples))}
    for group in levels:
        factors |= group.factors()
    return Fit(factors, noise**0.5)


def error(samples: Sequence[Sample], fitted: Fit | None) -> float:
    """Mean absolute error of a stop's time as part of the mean time: of the plan, or with the factors."""
    off = sum(
        abs(sample.actual_s - sample.planned_s * (1.0 if fitted is None else fitted.factor(sample.keys)))
        for sample in samples
    )
    return off / sum(sample.actual_s for sample in samples)


@dataclass(slots=True)
class _Grouped:
    """The effects of one level while they are learned."""

    level: Level
    names: list[str]
    place: npt.NDArray[np.int64]  # of each sample its group; -1 where it belongs to none
    count: Floats
    effect: Floats
    variance: float

    @classmethod
    def of(cls, level: Level, samples: Sequence[Sample]) -> _Grouped:
        names = sorted({sample.keys[level] for sample in samples if level in sample.keys})
        number = {name: place for place, name in enumerate(names)}
        place = np.array([number.get(sample.keys.get(level, ""), -1) for sample in samples], dtype=np.int64)
        count = np.bincount(place[place >= 0], minlength=len(names)).astype(np.float64)
        return cls(level, names, place, count, np.zeros(len(names)), 0.05)

    def told(self) -> Floats:
        """What this level says of each sample."""
        if not self.names:
            return np.zeros(len(self.place))
        return np.where(self.place >= 0, self.effect[self.place], 0.0)

    def learn(self, left: Floats, noise: float) -> None:
        """One step: the effects given their variance, then the variance given the effects."""
        if not self.names:
            return
        mine = self.place >= 0
        total = np.bincount(self.place[mine], weights=left[mine], minlength=len(self.names))
        drawn = noise / self.variance
        self.effect = total / (self.count + drawn)
        # What a whole level has in common belongs to the company: one courier alone tells nothing of himself.
        self.effect -= (self.count * self.effect).sum() / self.count.sum()
        self.variance = max(float((self.effect**2 + noise / (self.count + drawn)).mean()), 1e-6)

    def factors(self) -> dict[tuple[Level, str], Factor]:
        return {
            (self.level, name): Factor(float(effect), int(count))
            for name, effect, count in zip(self.names, self.effect, self.count, strict=True)
        }
