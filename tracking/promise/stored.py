"""A history as rows to be stored, and back."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from tracking.errors import PromiseError
from tracking.promise.history import LegHistory
from tracking.promise.learning import Effect
from tracking.promise.levels import Key, Level
from tracking.promise.shape import Shape
from tracking.promise.stays import StayHistory

_BETWEEN = ":"


class SampleKind(StrEnum):
    """What a row tells."""

    LEG_EFFECT = "leg_effect"
    LEG_SHAPE = "leg_shape"
    LANE_SHAPE = "lane_shape"
    DWELL = "dwell"
    HANDOVER = "handover"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class LearnedSample:
    """One row of a history.

    Attributes:
        key: of what it tells, its parts joined by colons; unique among the rows of its kind.
        weight: how many observations it was learned from.
        log_ratio: of a LEG_EFFECT, log(actual / planned); None otherwise.
        knots: evenly spread quantiles; empty for a LEG_EFFECT.
    """

    kind: SampleKind
    key: str
    weight: float
    log_ratio: float | None
    knots: tuple[float, ...]


def samples_of(history: LegHistory) -> Iterator[LearnedSample]:
    """Give the rows of a history; `history_of` makes the same history of them."""
    for (level, key), effect in history.effects.items():
        yield LearnedSample(
            SampleKind.LEG_EFFECT, _written((level.value, *key)), effect.weight, effect.log_ratio, ()
        )
    shapes: tuple[tuple[SampleKind, Mapping[Key, Shape]], ...] = (
        (SampleKind.LEG_SHAPE, history.shapes),
        (SampleKind.LANE_SHAPE, {(lane_id,): shape for lane_id, shape in history.lanes.items()}),
        (SampleKind.DWELL, history.dwells.shapes),
        (SampleKind.HANDOVER, history.handovers.shapes),
        (SampleKind.COLLECTION, history.collections.shapes),
    )
    for kind, by_key in shapes:
        for key, shape in by_key.items():
            yield LearnedSample(kind, _written(key), shape.weight, None, shape.knots)


def history_of(samples: Iterable[LearnedSample], *, offset_minutes: int) -> LegHistory:
    """Make a history of its rows, in any order.

    Raises:
        PromiseError: a row is not one that `samples_of` gives.
    """
    effects: dict[tuple[Level, Key], Effect] = {}
    shapes: dict[SampleKind, dict[Key, Shape]] = {kind: {} for kind in SampleKind}
    for sample in samples:
        key = _read(sample.key)
        if sample.kind is SampleKind.LEG_EFFECT:
            if not key or key[0] not in set(Level) or sample.log_ratio is None:
                raise PromiseError(f"{sample.key!r} is no effect on legs")
            effects[Level(key[0]), key[1:]] = Effect(sample.weight, sample.log_ratio)
        else:
            shapes[sample.kind][key] = Shape(sample.weight, sample.knots)
    lanes = {int(lane_id): shape for (lane_id,), shape in shapes[SampleKind.LANE_SHAPE].items()}
    return LegHistory(
        MappingProxyType(effects),
        MappingProxyType(shapes[SampleKind.LEG_SHAPE]),
        MappingProxyType(lanes),
        StayHistory(MappingProxyType(shapes[SampleKind.DWELL])),
        StayHistory(MappingProxyType(shapes[SampleKind.HANDOVER])),
        StayHistory(MappingProxyType(shapes[SampleKind.COLLECTION])),
        offset_minutes,
    )


def _written(key: Key) -> str:
    return _BETWEEN.join(map(str, key))


def _read(text: str) -> Key:
    parts = text.split(_BETWEEN) if text else ()
    return tuple(int(part) if part.isdecimal() else part for part in parts)
