"""Learning how long legs take: effects on log(actual / planned), and the quantiles of what they leave open.

Model. log(actual / planned) = the sum of one effect for each level of `tracking.promise.levels`, plus a
residual. The effects are found by backfitting: level by level, each key's effect is the mean of what the
other levels leave open, drawn to zero by the level's pseudo-count (the posterior mean under a normal prior;
Gelman and Hill, "Data Analysis Using Regression and Multilevel/Hierarchical Models", 2007, ch. 12). A leg
that went wrong altogether moves no effect far: what lies beyond `_WILD` times the usual deviation is cut
(Huber 1964).

The residuals are those of a leg that was not there when the effects were learned (leave one out, in closed
form for each mean), since that is what the next leg will be. Their quantiles are kept by groups of legs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tracking.promise.levels import PSEUDO_COUNTS, Key, LegKey, Level
from tracking.promise.shape import Shape

Values = NDArray[np.float64]

_ROUNDS: Final = 16
_WILD: Final = 4.0
_WILD_MIN: Final = 0.4
_NORMAL_MAD: Final = 1.4826  # standard deviations of a normal distribution in its median absolute deviation
# A summary of many legs is no better known than this many: its median hides when they were.
_COUNT_MAX: Final = 10
# A lane shows a spread of its own with so many observations.
LANE_SHAPE_MIN: Final = 20
# Less than this is not worth being kept; a lane's count is always worth it.
_EFFECT_MIN: Final = 0.002
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Effect:
    """By how much the legs of a key take longer, log(actual / planned), and how many legs say so."""

    weight: float
    log_ratio: float


@dataclass(frozen=True, slots=True)
class Learned:
    """Effects and residual quantiles by key; those of a lane under its own id in `lanes`."""

    effects: Mapping[tuple[Level, Key], Effect]
    shapes: Mapping[Key, Shape]
    lanes: Mapping[int, Shape]


def learn(legs: Sequence[tuple[LegKey, float, int]]) -> Learned:
    """Learn from (key, actual / planned, how many legs it stands for).

    An observation that stands for several legs moves effects, and has no part in the residual quantiles.
    """
    if not legs:
        return Learned({}, {}, {})
    log_ratios = np.log([ratio for _, ratio, _ in legs])
    counts = np.array([count for *_, count in legs])
    weights = np.minimum(counts, _COUNT_MAX).astype(float)
    single = counts == 1
    coded = _coded([key for key, *_ in legs])
    fitted = {level: np.zeros(len(legs)) for level in coded}
    for _ in range(_ROUNDS):
        for level, (keys, codes) in coded.items():
            open_ = log_ratios - sum(fitted.values()) + fitted[level]
            sums, known = _sums(_tamed(open_, fitted[level]), weights, codes, len(keys))
            fitted[level] = _spread(sums / (known + PSEUDO_COUNTS[level]), codes)
    effects: dict[tuple[Level, Key], Effect] = {}
    without_own = np.zeros(len(legs))
    lane_weights = np.zeros(len(legs))
    total = sum(fitted.values())
    for level, (keys, codes) in coded.items():
        tamed = _tamed(log_ratios - total + fitted[level], fitted[level])
        sums, known = _sums(tamed, weights, codes, len(keys))
        pseudo = PSEUDO_COUNTS[level]
        effects |= _kept(level, keys, sums / (known + pseudo), known)
        others = _spread(known, codes) - weights
        has = codes >= 0
        without_own[has] += (_spread(sums, codes) - weights * tamed)[has] / (others[has] + pseudo)
        if level is Level.LANE:
            lane_weights[has] = others[has]
    residuals = log_ratios - without_own
    open_legs = [
        (key, weight, residual)
        for (key, *_), weight, residual, alone in zip(
            legs, lane_weights.tolist(), residuals.tolist(), single.tolist(), strict=True
        )
        if alone
    ]
    shapes, lanes = _shapes(open_legs)
    return Learned(effects, shapes, lanes)


def _coded(keys: Sequence[LegKey]) -> dict[Level, tuple[list[Key], NDArray[np.int64]]]:
    """For each level its keys, and which of them each leg has (-1: none)."""
    codes = {level: np.full(len(keys), -1, dtype=np.int64) for level in Level}
    numbers: dict[Level, dict[Key, int]] = {level: {} for level in Level}
    for place, leg in enumerate(keys):
        for level, key in leg.levels():
            if key is not None:
                known = numbers[level]
                codes[level][place] = known.setdefault(key, len(known))
    return {level: (list(numbers[level]), codes[level]) for level in Level if numbers[level]}


def _tamed(open_: Values, fitted: Values) -> Values:
    """What is left open, with what is wildly off cut to what is just wild."""
    off = open_ - fitted
    wild = max(_WILD_MIN, _WILD * _NORMAL_MAD * float(np.median(np.abs(off))))
    tamed: Values = fitted + off.clip(-wild, wild)
    return tamed


def _sums(values: Values, weights: Values, codes: NDArray[np.int64], size: int) -> tuple[Values, Values]:
    """Weighted sum and weight of each code."""
    has = codes >= 0
    sums = np.bincount(codes[has], weights=(weights * values)[has], minlength=size)
    known = np.bincount(codes[has], weights=weights[has], minlength=size)
    return sums.astype(float), known.astype(float)


def _spread(of_code: Values, codes: NDArray[np.int64]) -> Values:
    """Each leg's value of its code; 0 where it has none."""
    values: Values = np.where(codes < 0, 0.0, of_code[codes])
    return values


def _kept(
    level: Level, keys: Sequence[Key], log_ratios: Values, known: Values
) -> dict[tuple[Level, Key], Effect]:
    return {
        (level, key): Effect(round(weight, _DIGITS), round(log_ratio, _DIGITS))
        for key, log_ratio, weight in zip(keys, log_ratios.tolist(), known.tolist(), strict=True)
        if level is Level.LANE or abs(log_ratio) >= _EFFECT_MIN
    }


def _shapes(legs: Sequence[tuple[LegKey, float, float]]) -> tuple[dict[Key, Shape], dict[int, Shape]]:
    """Residual quantiles of all groups, and of the lanes that are known well."""
    groups: defaultdict[Key, list[float]] = defaultdict(list)
    lanes: defaultdict[int, list[float]] = defaultdict(list)
    for leg, lane_weight, residual in legs:
        for group in leg.shapes(lane_weight):
            groups[group].append(residual)
        if leg.lane_id is not None:
            lanes[leg.lane_id].append(residual)
    return (
        {group: Shape.of(residuals) for group, residuals in groups.items()},
        {
            lane_id: Shape.of(residuals)
            for lane_id, residuals in lanes.items()
            if len(residuals) >= LANE_SHAPE_MIN
        },
    )
