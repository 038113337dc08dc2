"""Learning how long legs take: effects on log(actual / planned), and the quantiles of what they leave open.

Model. log(actual / planned) = the sum of one effect for each level of `tracking.promise.levels`, plus a
residual. The effects are found by backfitting: level by level, each key's effect is the mean of what the
other levels leave open, drawn to zero by the level's pseudo-count (the posterior mean under a normal prior;
Gelman and Hill, "Data Analysis Using Regression and Multilevel/Hierarchical Models", 2007, ch. 12). A leg
that went wrong altogether moves no effect far: what lies beyond `_WILD` times the usual deviation is cut
(Huber 1964).

The residuals are those of legs that were left out when the effects were learned (cross-validation in
`_FOLDS` parts, the legs of each lane dealt out in turn; Stone 1974), since that is what the next leg will be.
Their quantiles are kept by groups of legs.
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
_Coded = Mapping[Level, tuple[list[Key], NDArray[np.int64]]]

_ROUNDS: Final = 16
# They end when no leg is expected to take another thousandth more or less.
_SETTLED: Final = 0.001
_FOLDS: Final = 10
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
    coded = _coded([key for key, *_ in legs])
    effects: dict[tuple[Level, Key], Effect] = {}
    for level, (found, known) in _backfit(log_ratios, weights, coded).items():
        effects |= _kept(level, coded[level][0], found, known)
    folds = np.where(counts == 1, _folds(legs), -1)
    open_legs: list[tuple[LegKey, float, float]] = []
    for fold in range(_FOLDS):
        left_out = folds == fold
        residuals, lane_weights = _left_open(log_ratios, np.where(left_out, 0.0, weights), coded)
        open_legs += [
            (legs[place][0], float(lane_weights[place]), float(residuals[place]))
            for place in np.flatnonzero(left_out).tolist()
        ]
    shapes, lanes = _shapes(open_legs)
    return Learned(effects, shapes, lanes)


def _backfit(log_ratios: Values, weights: Values, coded: _Coded) -> dict[Level, tuple[Values, Values]]:
    """The effect of each key of each level, and the weight that it was learned from."""
    counted = weights > 0
    known = {level: _sums(weights, codes, len(keys)) for level, (keys, codes) in coded.items()}
    effects = {level: np.zeros(len(keys)) for level, (keys, _) in coded.items()}
    fitted = {level: np.zeros(log_ratios.size) for level in coded}
    total = np.zeros(log_ratios.size)
    for _ in range(_ROUNDS):
        before = total.copy()
        off = np.abs(log_ratios - total)[counted]
        wild = max(_WILD_MIN, _WILD * _NORMAL_MAD * float(np.median(off))) if off.size else _WILD_MIN
        for level, (keys, codes) in coded.items():
            tamed = (log_ratios - total).clip(-wild, wild) + fitted[level]
            sums = _sums(weights * tamed, codes, len(keys))
            effects[level] = sums / (known[level] + PSEUDO_COUNTS[level])
            again = _spread(effects[level], codes)
            total += again - fitted[level]
            fitted[level] = again
        if np.abs(total - before).max() < _SETTLED:
            break
    return {level: (effects[level], known[level]) for level in coded}


def _folds(legs: Sequence[tuple[LegKey, float, int]]) -> NDArray[np.int64]:
    """Deal the legs out, those of each lane in turn, each lane beginning elsewhere."""
    dealt: dict[int | None, int] = {}
    folds = np.empty(len(legs), dtype=np.int64)
    for place, (key, *_) in enumerate(legs):
        fold = dealt.setdefault(key.lane_id, len(dealt) % _FOLDS)
        folds[place] = fold
        dealt[key.lane_id] = (fold + 1) % _FOLDS
    return folds


def _left_open(log_ratios: Values, weights: Values, coded: _Coded) -> tuple[Values, Values]:
    """What effects learned with some weights leave open of each leg, and how much they know of its lane."""
    residuals, lane_weights = log_ratios.copy(), np.zeros(log_ratios.size)
    for level, (effects, known) in _backfit(log_ratios, weights, coded).items():
        codes = coded[level][1]
        residuals -= _spread(effects, codes)
        if level is Level.LANE:
            lane_weights = _spread(known, codes)
    return residuals, lane_weights


def _coded(keys: Sequence[LegKey]) -> _Coded:
    """For each level its keys, and which of them each leg has (one more than the last: none)."""
    codes = {level: np.full(len(keys), -1, dtype=np.int64) for level in Level}
    numbers: dict[Level, dict[Key, int]] = {level: {} for level in Level}
    for place, leg in enumerate(keys):
        for level, key in leg.levels():
            if key is not None:
                known = numbers[level]
                codes[level][place] = known.setdefault(key, len(known))
    for level, own in codes.items():
        own[own < 0] = len(numbers[level])
    return {level: (list(numbers[level]), codes[level]) for level in Level if numbers[level]}


def _sums(values: Values, codes: NDArray[np.int64], size: int) -> Values:
    """The sum of the values of each code; the place after the last is for legs that have none."""
    return np.bincount(codes, weights=values, minlength=size + 1)[:size].astype(float)


def _spread(of_code: Values, codes: NDArray[np.int64]) -> Values:
    """Each leg's value of its code; 0 where it has none."""
    return np.append(of_code, 0.0)[codes]


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
