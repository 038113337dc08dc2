"""What was learned of a network's legs and facilities, ready to be asked for any leg of a route."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

import numpy as np

from tracking.lateness import Seconds, quantile_s, scenarios
from tracking.promise.learning import Effect, learn
from tracking.promise.levels import Key, LegKey, Level, hour_of_week
from tracking.promise.observed import LegObservation, StayObservation
from tracking.promise.shape import Shape, Values, knots_of, shrunk
from tracking.promise.stays import StayHistory
from tracking.shipment import Leg

# Legs of a day at a large courier; 2 kB each.
CACHE_MAX: Final = 16_384
PRIOR_WEIGHT: Final = 20.0
SHAPE_PSEUDO_WEIGHT: Final = 10.0

# Deviation as a share of the planned time, with weights: what is assumed where nothing was ever observed.
_PRIOR_SHARES: Final = ((-0.05, 15), (0.0, 40), (0.05, 20), (0.1, 13), (0.25, 8), (0.5, 3), (1.0, 1))
# Deviation of a dwell in seconds, with weights.
_PRIOR_DWELL_S: Final = ((0, 70), (900, 15), (3600, 10), (14_400, 5))
# Deviation of a parcel's coming to its first facility in seconds, with weights.
_PRIOR_COLLECTION_S: Final = ((-3600, 20), (0, 45), (1800, 15), (3600, 10), (7200, 7), (86_400, 3))

_SHARE_KNOTS: Final = knots_of(_PRIOR_SHARES)
_LOG_RATIO_KNOTS: Final = np.log1p(_SHARE_KNOTS)
_DWELL_KNOTS: Final = knots_of(_PRIOR_DWELL_S)
_COLLECTION_KNOTS: Final = knots_of(_PRIOR_COLLECTION_S)
# Hand-overs planned to be this much alike share what is kept.
_HANDOVER_STEP_S: Final = 900

_TransitKey = tuple[str, int, int | None, int, int, int]


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of why a leg is expected to take longer, or less, than planned.

    Attributes:
        level: which legs it speaks of.
        key: which of them, as `tracking.promise.levels` has it.
        factor: what it multiplies the time by: 1.18 for 18 % longer.
        weight: how many observations it was learned from.
    """

    level: Level
    key: Key
    factor: float
    weight: float


@dataclass(frozen=True, slots=True)
class LegHistory:
    """How legs, dwells, hand-overs and collections go; build it with `LegHistory.of`.

    A leg's deviation is learned as a share of its planned time, so that long and short legs can share
    parents.

    Attributes:
        effects: by how much the legs of a key take longer.
        shapes: quantiles of the logarithm of what the effects leave open, by groups of legs.
        lanes: the same of lanes that are known well.
        dwells: seconds beyond the planned departures.
        handovers: seconds beyond the planned hand-overs.
        collections: seconds beyond the planned arrivals at the first facilities.
        offset_minutes: of the local time whose hours and weekdays count, from UTC.
    """

    effects: Mapping[tuple[Level, Key], Effect]
    shapes: Mapping[Key, Shape]
    lanes: Mapping[int, Shape]
    dwells: StayHistory
    handovers: StayHistory
    collections: StayHistory
    offset_minutes: int
    _transits: dict[_TransitKey, Seconds] = field(default_factory=dict, compare=False, repr=False)
    _groups: dict[Key, Values] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        legs: Iterable[LegObservation] = (),
        dwells: Iterable[StayObservation] = (),
        handovers: Iterable[StayObservation] = (),
        collections: Iterable[StayObservation] = (),
        *,
        offset_minutes: int = 0,
    ) -> "LegHistory":
        """Learn from observations; the same ones in the same order give the same history."""
        learned = learn(
            [(_observed(leg, offset_minutes), leg.actual_s / leg.planned_s, leg.count) for leg in legs]
        )
        return cls(
            MappingProxyType(dict(learned.effects)),
            MappingProxyType(dict(learned.shapes)),
            MappingProxyType(dict(learned.lanes)),
            StayHistory.of(dwells, offset_minutes),
            StayHistory.of(handovers, offset_minutes),
            StayHistory.of(collections, offset_minutes),
            offset_minutes,
        )

    def transit_deviation(self, leg: Leg) -> Seconds:
        """Return the sorted scenarios of how many seconds longer than planned a leg takes."""
        hour = self.hour_of_week(leg.planned_departure_at)
        key = leg.mode, leg.planned_s, leg.lane_id, leg.from_facility_id, leg.to_facility_id, hour
        known = self._transits.get(key)
        if known is None:
            known = self._transit(LegKey(*key))
            if len(self._transits) >= CACHE_MAX:
                self._transits.clear()
            self._transits[key] = known
        return known

    def leg_quantiles_s(self, leg: Leg, shares: Iterable[float]) -> tuple[float, ...]:
        """Return how many seconds a leg takes at most, with each of some probabilities."""
        deviation = self.transit_deviation(leg)
        return tuple(leg.planned_s + quantile_s(deviation, share) for share in shares)

    def reasons(self, leg: Leg) -> tuple[Reason, ...]:
        """Return why a leg is expected to take longer or less than planned; the factors multiply."""
        hour = self.hour_of_week(leg.planned_departure_at)
        key = LegKey(leg.mode, leg.planned_s, leg.lane_id, leg.from_facility_id, leg.to_facility_id, hour)
        return tuple(
            Reason(level, part, math.exp(effect.log_ratio), effect.weight)
            for level, part, effect in self._effects_on(key)
        )

    def dwell_deviation(self, facility_id: int, departs_at: datetime) -> Seconds:
        """Return the sorted scenarios of how many seconds after its plan a parcel departs from a facility."""
        return self.dwells.deviation(facility_id, self.hour_of_week(departs_at), 0, _dwell_prior)

    def handover_deviation(self, facility_id: int, arrives_at: datetime, planned_s: int) -> Seconds:
        """Return the sorted scenarios of how many seconds after its plan a parcel is handed over."""
        alike_s = planned_s - planned_s % _HANDOVER_STEP_S
        return self.handovers.deviation(facility_id, self.hour_of_week(arrives_at), alike_s, _handover_prior)

    def collection_deviation(self, facility_id: int, ready_at: datetime) -> Seconds:
        """Return the sorted scenarios of how many seconds after its plan a parcel comes to a facility."""
        hour = self.hour_of_week(ready_at)
        return self.collections.deviation(facility_id, hour, 0, _collection_prior)

    def hour_of_week(self, moment: datetime) -> int:
        """Return the local hour of the week of a moment, from 0 on Monday at midnight."""
        return hour_of_week(moment, self.offset_minutes)

    def _effects_on(self, key: LegKey) -> Iterable[tuple[Level, Key, Effect]]:
        for level, part in key.levels():
            if part is not None and (effect := self.effects.get((level, part))) is not None:
                yield level, part, effect

    def _transit(self, key: LegKey) -> Seconds:
        log_ratio, lane_weight = 0.0, 0.0
        for level, _, effect in self._effects_on(key):
            log_ratio += effect.log_ratio
            if level is Level.LANE:
                lane_weight = effect.weight
        knots = self._group(key.shapes(lane_weight))
        if key.lane_id is not None:
            knots = shrunk(self.lanes.get(key.lane_id), knots, SHAPE_PSEUDO_WEIGHT)
        return scenarios(key.planned_s * np.expm1(log_ratio + knots))

    def _group(self, groups: tuple[Key, ...]) -> Values:
        """Quantiles of what the effects leave open, for the last group, each drawn to the one before."""
        known = self._groups.get(groups[-1])
        if known is None:
            known = shrunk(self.shapes.get(groups[0]), _LOG_RATIO_KNOTS, PRIOR_WEIGHT)
            for group in groups[1:]:
                known = shrunk(self.shapes.get(group), known, SHAPE_PSEUDO_WEIGHT)
            self._groups[groups[-1]] = known
        return known


def _observed(leg: LegObservation, offset_minutes: int) -> LegKey:
    hour = None if leg.departs_at is None else hour_of_week(leg.departs_at, offset_minutes)
    return LegKey(leg.mode, leg.planned_s, leg.lane_id, leg.from_facility_id, leg.to_facility_id, hour)


def _dwell_prior(_planned_s: int) -> Values:
    return _DWELL_KNOTS


def _collection_prior(_planned_s: int) -> Values:
    return _COLLECTION_KNOTS


def _handover_prior(planned_s: int) -> Values:
    knots: Values = planned_s * _SHARE_KNOTS
    return knots


NO_HISTORY: Final = LegHistory.of()
