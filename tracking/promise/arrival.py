"""The promise: when a parcel will be with its consignee, from where it is now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np

from tracking.errors import PromiseError
from tracking.lateness import SCENARIOS, Seconds, at_least, quantile_s, shuffled
from tracking.position import Position
from tracking.promise.history import NO_HISTORY, LegHistory
from tracking.promise.last_mile import LastMile
from tracking.shipment import Leg, require_utc

WINDOW_S: Final = 2 * 3600
_SHARES: Final = (0.5, 0.8, 0.95)
_ON_TIME: Final = np.zeros(SCENARIOS, np.float32)


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


def promise(
    legs: Sequence[Leg],
    *,
    handover_s: int | LastMile,
    history: LegHistory | None,
    now: datetime,
    current: Position,
    awaited: bool = False,
) -> Promise:
    """Return when a parcel will be with its consignee.

    Ask again after each scan, with the new position: only the legs still ahead count.

    Args:
        legs: the planned route in order; may be empty, when origin and destination are one facility.
        handover_s: planned seconds from the arrival at the last facility to the consignee (sorting, waiting
            for the round, the round itself); or the rule of the rounds, by which what arrives late waits for
            a later round.
        history: past observations, or None where there are none.
        now: in UTC.
        current: where the parcel is.
        awaited: it is not there yet: the position says where and when it is to come to its first facility.

    Raises:
        PromiseError: the legs are not a chain, the position is not on them, or `handover_s` is negative.
    """
    require_utc(now, "now")
    require_utc(current.at, "current.at")
    if not isinstance(handover_s, LastMile) and handover_s < 0:
        raise PromiseError(f"handover_s must not be negative, as {handover_s} is")
    _require_chain(legs)
    known = history or NO_HISTORY
    ahead = legs_ahead(legs, current)
    late_s = _ready(known, now, current, awaited=awaited)
    if ahead:
        late_s = _along(ahead, known, now, current, late_s)
        planned_at, last_id = ahead[-1].planned_arrival_at, ahead[-1].to_facility_id
    else:
        planned_at, last_id = current.at, current.facility_id
    if isinstance(handover_s, LastMile):
        planned_s = handover_s.planned_s(planned_at)
        late_s = handover_s.handed_over(planned_at, late_s)
    else:
        planned_s = handover_s
        late_s = late_s + planned_s
    late_s = late_s + shuffled(known.handover_deviation(last_id, planned_at, planned_s), 2 * len(ahead) + 1)
    late_s.sort()
    late_s = at_least(late_s, _seconds(now - planned_at))
    p50, p80, p95 = (planned_at + timedelta(seconds=round(quantile_s(late_s, share))) for share in _SHARES)
    return Promise(p50, p80, p95)


def window(promised: Promise, offset_minutes: int) -> tuple[datetime, datetime]:
    """Return the two hours that a customer is told, as (from, to) in UTC.

    It ends on the first full hour of local time at or after the 80 % quantile: four parcels of five arrive
    before its end.

    Args:
        promised: as `promise` gives it.
        offset_minutes: of the consignee's local time from UTC.
    """
    return window_until(promised.p80_at, offset_minutes)


def window_until(moment: datetime, offset_minutes: int) -> tuple[datetime, datetime]:
    """Return the two hours, as (from, to) in UTC, that end on the first full local hour at or after a moment.

    Args:
        moment: in UTC.
        offset_minutes: of the local time from UTC.
    """
    offset = timedelta(minutes=offset_minutes)
    local = moment.replace(tzinfo=None) + offset
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


def legs_ahead(legs: Sequence[Leg], current: Position) -> Sequence[Leg]:
    """Return the legs from the position on; the first may be under way.

    Raises:
        PromiseError: the position is not on them.
    """
    for index, leg in enumerate(legs):
        if leg.from_facility_id == current.facility_id:
            return legs[index:]
    if not legs or legs[-1].to_facility_id == current.facility_id:
        return ()
    raise PromiseError(f"facility {current.facility_id} is not on the route; plan the parcel anew")


def _ready(history: LegHistory, now: datetime, current: Position, *, awaited: bool) -> Seconds:
    """Return the scenarios, sorted, of how much later than its position says a parcel is there."""
    if not awaited:
        return _ON_TIME
    late_s = history.collection_deviation(current.facility_id, current.at)
    return at_least(late_s, _seconds(now - current.at))


def _along(
    legs: Sequence[Leg], history: LegHistory, now: datetime, current: Position, ready_s: Seconds
) -> Seconds:
    """Return the scenarios of the lateness on arrival at the end of the legs."""
    first = legs[0]
    ahead_s = _seconds(current.at - first.planned_departure_at)
    if current.departed:
        late_s = history.transit_deviation(first) + ahead_s
        late_s = at_least(late_s, _seconds(now - first.planned_arrival_at))
    else:
        dwell_s = history.dwell_deviation(first.from_facility_id, first.planned_departure_at)
        late_s = np.maximum(ready_s + ahead_s, 0.0)
        if ready_s is _ON_TIME:
            late_s = at_least(late_s + dwell_s, _seconds(now - first.planned_departure_at))
        else:
            late_s += shuffled(dwell_s, 1)
            np.maximum(late_s, _seconds(now - first.planned_departure_at), out=late_s)
        late_s = late_s + shuffled(history.transit_deviation(first), 2)
    step = 3
    for leg, following in pairwise(legs):
        # What is late eats the planned waiting time first; what is early does not depart early.
        late_s = late_s - _seconds(following.planned_departure_at - leg.planned_arrival_at)
        np.maximum(late_s, 0.0, out=late_s)
        dwell_s = history.dwell_deviation(following.from_facility_id, following.planned_departure_at)
        late_s += shuffled(dwell_s, step)
        late_s += shuffled(history.transit_deviation(following), step + 1)
        step += 2
    return late_s
