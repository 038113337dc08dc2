"""When a parcel will arrive: quantiles from its planned legs and from how such legs went before.

Method. The unknown is the lateness against the plan, in seconds. It is carried along the route as a discrete
distribution on a grid of five minutes:

* on a leg, the lateness on arrival is the lateness on departure plus the leg's transit deviation;
* at a facility, what is late eats the planned waiting time first; what is left, plus the facility's dwell
  deviation, is the lateness on the next departure;
* after the last leg, the hand-over to the consignee takes its planned time plus its deviation.

The deviations are taken as independent, so each step is a convolution. What is known already is conditioned
on: a parcel that has not departed by now does not depart earlier, one that has not arrived does not arrive
before now. A missed departure is not priced as the wait for the next one: such a route is planned anew.

Each deviation is the empirical distribution of past observations. Where they are few they are mixed with
their parent's: a share n / (n + k) for the n own observations and the rest for the parent, k = `PSEUDO_COUNT`
(linear shrinkage: the posterior mean of a Dirichlet process with the parent as its base, Ferguson 1973). For
a leg the parents are lane -> mode -> a prior; for a dwell and for a hand-over they are facility -> all
facilities -> a prior. The priors stand for a network that has no history yet.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from tracking.errors import PromiseError
from tracking.lateness import Lateness
from tracking.position import Position
from tracking.shipment import Leg, require_utc

Key = TypeVar("Key", bound=Hashable)

PSEUDO_COUNT = 20
SAMPLE_MAX = 200
WINDOW_S = 2 * 3600

# Deviation as a share of the planned time, with weights: what is assumed where nothing was ever observed.
_PRIOR_SHARES = ((-0.05, 15), (0.0, 40), (0.05, 20), (0.1, 13), (0.25, 8), (0.5, 3), (1.0, 1))
# Deviation of a dwell in seconds, with weights.
_PRIOR_DWELL_S = ((0, 70), (900, 15), (3600, 10), (14_400, 5))


@dataclass(frozen=True, slots=True)
class LegObservation:
    """How a leg went once: planned and actual seconds on the way."""

    lane_id: int | None
    mode: str
    planned_s: int
    actual_s: int

    def __post_init__(self) -> None:
        if self.planned_s <= 0 or self.actual_s <= 0:
            raise PromiseError("planned_s and actual_s must be more than 0")


@dataclass(frozen=True, slots=True)
class StayObservation:
    """How a stay at a facility went once: seconds beyond the plan (negative: less than planned).

    For a dwell, beyond the planned departure (or beyond being ready, where that was later); for a hand-over,
    beyond the planned time from the facility to the consignee.
    """

    facility_id: int
    deviation_s: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Observations in short: how many there were, and at most `SAMPLE_MAX` values that spread like them."""

    count: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, observed: Sequence[float]) -> "Sample":
        """Keep few observations as they are, and evenly spaced quantiles of many."""
        if len(observed) > SAMPLE_MAX:
            shares = (np.arange(SAMPLE_MAX) + 0.5) / SAMPLE_MAX
            return cls(len(observed), tuple(np.quantile(observed, shares).tolist()))
        return cls(len(observed), tuple(sorted(observed)))


@dataclass(frozen=True, slots=True)
class StayHistory:
    """Deviations of dwells, or of hand-overs, in seconds: at each facility and everywhere."""

    by_facility: Mapping[int, Sample]
    everywhere: Sample | None

    @classmethod
    def of(cls, stays: Iterable[StayObservation]) -> "StayHistory":
        """Sort observations by facility."""
        listed = list(stays)
        everywhere = Sample.of([stay.deviation_s for stay in listed]) if listed else None
        return cls(_sampled((stay.facility_id, stay.deviation_s) for stay in listed), everywhere)


@dataclass(frozen=True, slots=True)
class LegHistory:
    """What was observed, sorted by what it tells about; build it with `LegHistory.of`.

    A leg's deviation is kept as a share of its planned time, so that long and short legs can share a parent.
    """

    by_lane: Mapping[int, Sample]
    by_mode: Mapping[str, Sample]
    dwells: StayHistory
    handovers: StayHistory

    @classmethod
    def of(
        cls,
        legs: Iterable[LegObservation] = (),
        dwells: Iterable[StayObservation] = (),
        handovers: Iterable[StayObservation] = (),
    ) -> "LegHistory":
        """Sort observations into samples."""
        shares = [(leg.lane_id, leg.mode, leg.actual_s / leg.planned_s - 1) for leg in legs]
        return cls(
            _sampled((lane_id, share) for lane_id, _, share in shares if lane_id is not None),
            _sampled((mode, share) for _, mode, share in shares),
            StayHistory.of(dwells),
            StayHistory.of(handovers),
        )


def _sampled(pairs: Iterable[tuple[Key, float]]) -> Mapping[Key, Sample]:
    grouped: defaultdict[Key, list[float]] = defaultdict(list)
    for key, value in pairs:
        grouped[key].append(value)
    return MappingProxyType({key: Sample.of(values) for key, values in grouped.items()})


@dataclass(frozen=True, slots=True)
class Promise:
    """Times (UTC) by which the parcel has arrived with 50, 80 and 95 % probability."""

    p50_at: datetime
    p80_at: datetime
    p95_at: datetime

    def __post_init__(self) -> None:
        for moment in (self.p50_at, self.p80_at, self.p95_at):
            require_utc(moment, "a promised time")
        if not self.p50_at <= self.p80_at <= self.p95_at:
            raise PromiseError("the promised times must rise")


_NO_HISTORY = LegHistory.of()


def promise(
    legs: Sequence[Leg],
    *,
    handover_s: int,
    history: LegHistory | None,
    now: datetime,
    current: Position,
) -> Promise:
    """Return when a parcel will be with its consignee.

    Ask again after each scan, with the new position: only the legs still ahead count.

    Args:
        legs: the planned route in order; may be empty, when origin and destination are one facility.
        handover_s: planned seconds from the arrival at the last facility to the consignee (sorting, waiting
            for the round, the round itself).
        history: past observations, or None where there are none.
        now: in UTC.
        current: where the parcel is.

    Raises:
        PromiseError: the legs are not a chain, the position is not on them, or `handover_s` is negative.
    """
    require_utc(now, "now")
    require_utc(current.at, "current.at")
    if handover_s < 0:
        raise PromiseError(f"handover_s must not be negative, as {handover_s} is")
    _require_chain(legs)
    known = history or _NO_HISTORY
    ahead = _legs_ahead(legs, current)
    if ahead:
        lateness = _along(ahead, known, now, current)
        planned_at, last_id = ahead[-1].planned_arrival_at, ahead[-1].to_facility_id
    else:
        lateness = Lateness.certain(0)
        planned_at, last_id = current.at, current.facility_id
    lateness = lateness.plus(_handover(known, last_id, handover_s))
    planned_at += timedelta(seconds=handover_s)
    lateness = lateness.at_least(_seconds(now - planned_at))
    p50, p80, p95 = (planned_at + timedelta(seconds=lateness.quantile_s(q)) for q in (0.5, 0.8, 0.95))
    return Promise(p50, p80, p95)


def window(promised: Promise, offset_minutes: int) -> tuple[datetime, datetime]:
    """Return the two hours that a customer is told, as (from, to) in UTC.

    It ends on the first full hour of local time at or after the 80 % quantile: four parcels of five arrive
    before its end.

    Args:
        promised: as `promise` gives it.
        offset_minutes: of the consignee's local time from UTC.
    """
    offset = timedelta(minutes=offset_minutes)
    local = promised.p80_at.replace(tzinfo=None) + offset
    to_local = local.replace(minute=0, second=0, microsecond=0)
    if to_local < local:
        to_local += timedelta(hours=1)
    to_at = (to_local - offset).replace(tzinfo=UTC)
    return to_at - timedelta(seconds=WINDOW_S), to_at


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()


def _require_chain(legs: Sequence[Leg]) -> None:
    for leg, following in pairwise(legs):
        if leg.to_facility_id != following.from_facility_id:
            raise PromiseError(f"leg {following.sequence} does not start where leg {leg.sequence} ends")
        if leg.planned_arrival_at > following.planned_departure_at:
            raise PromiseError(f"leg {following.sequence} departs before leg {leg.sequence} arrives")


def _legs_ahead(legs: Sequence[Leg], current: Position) -> Sequence[Leg]:
    """Return the legs from the position on; the first may be under way."""
    for index, leg in enumerate(legs):
        if leg.from_facility_id == current.facility_id:
            return legs[index:]
    if not legs or legs[-1].to_facility_id == current.facility_id:
        return ()
    raise PromiseError(f"facility {current.facility_id} is not on the route; plan the parcel anew")


def _along(legs: Sequence[Leg], history: LegHistory, now: datetime, current: Position) -> Lateness:
    """Return the lateness on arrival at the end of the legs."""
    first = legs[0]
    if current.departed:
        lateness = Lateness.certain(_seconds(current.at - first.planned_departure_at))
        lateness = lateness.plus(_transit(history, first))
        lateness = lateness.at_least(_seconds(now - first.planned_arrival_at))
    else:
        ready_late_s = max(0.0, _seconds(current.at - first.planned_departure_at))
        lateness = Lateness.certain(ready_late_s).plus(_dwell(history, first.from_facility_id))
        lateness = lateness.at_least(_seconds(now - first.planned_departure_at))
        lateness = lateness.plus(_transit(history, first))
    for leg, following in pairwise(legs):
        slack_s = _seconds(following.planned_departure_at - leg.planned_arrival_at)
        lateness = lateness.absorbed(slack_s).plus(_dwell(history, following.from_facility_id))
        lateness = lateness.plus(_transit(history, following))
    return lateness


def _transit(history: LegHistory, leg: Leg) -> Lateness:
    planned_s = leg.planned_s
    of_mode = _shrunk(history.by_mode.get(leg.mode), planned_s, _prior(planned_s))
    own = None if leg.lane_id is None else history.by_lane.get(leg.lane_id)
    return _shrunk(own, planned_s, of_mode)


def _dwell(history: LegHistory, facility_id: int) -> Lateness:
    return _stay(history.dwells, facility_id, Lateness.weighted(_PRIOR_DWELL_S))


def _handover(history: LegHistory, facility_id: int, planned_s: int) -> Lateness:
    return _stay(history.handovers, facility_id, _prior(planned_s))


def _prior(planned_s: int) -> Lateness:
    return Lateness.weighted([(share * planned_s, weight) for share, weight in _PRIOR_SHARES])


def _stay(history: StayHistory, facility_id: int, prior: Lateness) -> Lateness:
    return _shrunk(history.by_facility.get(facility_id), 1, _shrunk(history.everywhere, 1, prior))


def _shrunk(own: Sample | None, unit_s: int, parent: Lateness) -> Lateness:
    """Mix a sample, counted in units of `unit_s` seconds, with its parent by how much was observed."""
    if own is None:
        return parent
    observed = Lateness.empirical(np.asarray(own.values, float) * unit_s)
    return observed.mixed(parent, own.count / (own.count + PSEUDO_COUNT))
