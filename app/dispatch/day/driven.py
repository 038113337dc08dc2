"""Rounds as they were driven: from what phones told, and from positions where nobody tapped "arrived"."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.day.models import Act, CourierPosition, Outcome, StopEvent
from app.dispatch.models import StopKind, StopRequest
from app.network.models import Facility
from routing.pickup import StraightLine

ARRIVED_WITHIN_M = 80
"""So near to a stop a courier is there: a yard wide, and what a phone between houses is off by."""
_ACCURACY_MAX_M = 100
_JUMP_MAX_M = 50_000  # between two positions; further apart one of them is wrong
_METRE = StraightLine(detour_factor=1.0)


@dataclass(frozen=True, slots=True)
class Made:
    """A stop as it was made.

    Attributes:
        courier_id, stop_id, kind: whose, which, of what kind.
        latitude, longitude: where, in degrees (WGS 84).
        service_s: what the stop was taken to last when it was asked for.
        act: done or failed.
        arrived_at: when he came; None where neither he nor a position told.
        by_position: whether a position told it.
        ended_at: when he was done with it.
        left_before_at: when he was done with the stop before; None for the first.
        planned_arrival_s, planned_start_s, planned_departure_s, planned_travel_s, planned_distance_m: the
            plan in force then; None where the stop was in no round of his. offset_minutes: of the place's
            clock.
    """

    courier_id: int
    stop_id: int
    kind: StopKind
    latitude: float
    longitude: float
    service_s: int
    act: Act
    arrived_at: datetime | None
    by_position: bool
    ended_at: datetime
    left_before_at: datetime | None
    planned_arrival_s: int | None
    planned_start_s: int | None
    planned_departure_s: int | None
    planned_travel_s: int | None
    planned_distance_m: int | None
    offset_minutes: int

    @property
    def served_s(self) -> int | None:
        """How long he was at the door."""
        return None if self.arrived_at is None else int((self.ended_at - self.arrived_at).total_seconds())

    @property
    def travelled_s(self) -> int | None:
        """How long he was on the way from the stop before."""
        if self.arrived_at is None or self.left_before_at is None:
            return None
        return int((self.arrived_at - self.left_before_at).total_seconds())


def made(
    session: Session, facility_id: int, day: date, courier_ids: Collection[int] | None = None
) -> list[Made]:
    """The stops that an outlet's couriers made on a day, each courier's in the order of time.

    Args:
        session: of the outlet's tenant.
        facility_id, day: whose day.
        courier_ids: of these only; None: of all.
    """
    statement = (
        sa.select(StopEvent, StopRequest)
        .join(StopRequest, StopRequest.id == StopEvent.stop_request_id)
        .where(
            StopEvent.facility_id == facility_id,
            StopEvent.day == day,
            StopEvent.outcome == Outcome.RECORDED,
        )
        .order_by(StopEvent.courier_id, StopEvent.occurred_at, StopEvent.id)
    )
    if courier_ids is not None:
        statement = statement.where(StopEvent.courier_id.in_(courier_ids))
    rows = session.execute(statement).all()
    by_courier: dict[int, list[tuple[StopEvent, StopRequest]]] = {}
    for event, stop in rows:
        by_courier.setdefault(event.courier_id, []).append((event, stop))
    fixes = _fixes(session, by_courier)
    return [one for courier_id, told in by_courier.items() for one in _round(told, fixes.get(courier_id, []))]


def driven_metres(session: Session, ids: Collection[int], facility: Facility, day: date) -> dict[int, int]:
    """The length of the way between the positions of a day, by courier."""
    local_day = sa.cast(
        sa.func.timezone("UTC", CourierPosition.at)
        + sa.func.make_interval(0, 0, 0, 0, 0, facility.utc_offset_minutes),
        sa.Date,
    )
    rows = session.execute(
        sa.select(CourierPosition.courier_id, CourierPosition.latitude, CourierPosition.longitude)
        .where(CourierPosition.courier_id.in_(ids), local_day == day)
        .order_by(CourierPosition.courier_id, CourierPosition.at)
    )
    ways: dict[int, list[tuple[float, float]]] = {}
    for courier_id, latitude, longitude in rows:
        ways.setdefault(courier_id, []).append((latitude, longitude))
    found = {}
    for courier_id, places in ways.items():
        if len(places) > 1:
            _seconds, metres = _METRE.legs(places[:-1], places[1:])
            found[courier_id] = int(metres[metres < _JUMP_MAX_M].sum())
    return found


def at(event: StopEvent) -> datetime:
    """When an act was, as far as the phone's clock can be believed: never after it was heard of."""
    return min(event.occurred_at, event.received_at)


def _round(told: Sequence[tuple[StopEvent, StopRequest]], fixes: Sequence[CourierPosition]) -> list[Made]:
    arrivals: dict[int, datetime] = {}
    ends: dict[int, tuple[StopEvent, StopRequest]] = {}
    for event, stop in told:
        if event.act is Act.ARRIVED:
            arrivals.setdefault(stop.id, at(event))
        else:
            ends.setdefault(stop.id, (event, stop))
    found: list[Made] = []
    before: datetime | None = None
    for event, stop in sorted(ends.values(), key=lambda end: at(end[0])):
        ended = at(event)
        arrived = arrivals.get(stop.id)
        if arrived is not None and (arrived > ended or (before is not None and arrived < before)):
            arrived = None  # tapped after the fact, or while he was still elsewhere
        by_position = arrived is None
        if arrived is None:
            arrived = _came(fixes, stop, before, ended)
        found.append(
            _made(event, stop, arrived, before, ended, by_position=by_position and arrived is not None)
        )
        before = ended
    return found


def _made(
    event: StopEvent,
    stop: StopRequest,
    arrived: datetime | None,
    before: datetime | None,
    ended: datetime,
    *,
    by_position: bool,
) -> Made:
    return Made(
        courier_id=event.courier_id,
        stop_id=stop.id,
        kind=stop.kind,
        latitude=stop.latitude,
        longitude=stop.longitude,
        service_s=stop.service_s,
        act=event.act,
        arrived_at=arrived,
        by_position=by_position,
        ended_at=ended,
        left_before_at=before,
        planned_arrival_s=event.planned_arrival_s,
        planned_start_s=event.planned_start_s,
        planned_departure_s=event.planned_departure_s,
        planned_travel_s=event.planned_travel_s,
        planned_distance_m=event.planned_distance_m,
        offset_minutes=event.offset_minutes,
    )


def _fixes(
    session: Session, by_courier: dict[int, list[tuple[StopEvent, StopRequest]]]
) -> dict[int, list[CourierPosition]]:
    """Positions of the time in question, by courier and in the order of time."""
    if not by_courier:
        return {}
    moments = [at(event) for told in by_courier.values() for event, _stop in told]
    rows = session.scalars(
        sa.select(CourierPosition)
        .where(
            CourierPosition.courier_id.in_(by_courier),
            CourierPosition.at.between(min(moments) - timedelta(hours=1), max(moments)),
        )
        .order_by(CourierPosition.courier_id, CourierPosition.at)
    )
    found: dict[int, list[CourierPosition]] = {}
    for row in rows:
        if row.accuracy_m is None or row.accuracy_m <= _ACCURACY_MAX_M:
            found.setdefault(row.courier_id, []).append(row)
    return found


def _came(
    fixes: Sequence[CourierPosition], stop: StopRequest, before: datetime | None, ended: datetime
) -> datetime | None:
    """The first position at the door, after the stop before and before this one was done."""
    first = 0 if before is None else bisect_left(fixes, before, key=lambda fix: fix.at)
    between = [fix for fix in fixes[first:] if fix.at <= ended]
    if not between:
        return None
    _seconds, metres = _METRE.legs(
        [(fix.latitude, fix.longitude) for fix in between], [(stop.latitude, stop.longitude)] * len(between)
    )
    return next((fix.at for fix, far in zip(between, metres, strict=True) if far <= ARRIVED_WITHIN_M), None)
