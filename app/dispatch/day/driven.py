"""Rounds as they were driven: from what phones told, and from positions where nobody tapped "arrived"."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias

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
_Told: TypeAlias = Any
"""A row of `made`: an act with its stop."""
_Fix: TypeAlias = Any
"""A row of a position."""


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
    # Columns and not entities: a day of an outlet is thousands of acts, and every act asks for a round's.
    statement = (
        sa.select(
            StopEvent.courier_id,
            StopEvent.act,
            StopEvent.occurred_at,
            StopEvent.received_at,
            StopEvent.offset_minutes,
            StopEvent.planned_arrival_s,
            StopEvent.planned_start_s,
            StopEvent.planned_departure_s,
            StopEvent.planned_travel_s,
            StopEvent.planned_distance_m,
            StopRequest.id.label("stop_id"),
            StopRequest.kind,
            StopRequest.latitude,
            StopRequest.longitude,
            StopRequest.service_s,
        )
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
    by_courier: dict[int, list[_Told]] = {}
    for row in session.execute(statement):
        by_courier.setdefault(row.courier_id, []).append(row)
    fixes = _fixes(session, by_courier)
    return [one for courier_id, told in by_courier.items() for one in _round(told, fixes.get(courier_id, []))]


def driven_metres(session: Session, ids: Collection[int], facility: Facility, day: date) -> dict[int, int]:
    """The length of the way between the positions of a day, by courier."""
    begins = datetime.combine(day, time(), UTC) - timedelta(minutes=facility.utc_offset_minutes)
    rows = session.execute(
        sa.select(CourierPosition.courier_id, CourierPosition.latitude, CourierPosition.longitude)
        .where(
            CourierPosition.courier_id.in_(ids),
            CourierPosition.at >= begins,
            CourierPosition.at < begins + timedelta(days=1),
        )
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


def _at(row: _Told) -> datetime:
    """When an act was, as far as the phone's clock can be believed: never after it was heard of."""
    moment: datetime = min(row.occurred_at, row.received_at)
    return moment


def _round(told: Sequence[_Told], fixes: Sequence[_Fix]) -> list[Made]:
    arrivals: dict[int, datetime] = {}
    ends: dict[int, _Told] = {}
    for row in told:
        if row.act is Act.ARRIVED:
            arrivals.setdefault(row.stop_id, _at(row))
        else:
            ends.setdefault(row.stop_id, row)
    found: list[Made] = []
    before: datetime | None = None
    for row in sorted(ends.values(), key=_at):
        ended = _at(row)
        arrived = arrivals.get(row.stop_id)
        if arrived is not None and (arrived > ended or (before is not None and arrived < before)):
            arrived = None  # tapped after the fact, or while he was still elsewhere
        by_position = False
        if arrived is None:
            arrived = _came(fixes, (row.latitude, row.longitude), before, ended)
            by_position = arrived is not None
        found.append(
            Made(
                courier_id=row.courier_id,
                stop_id=row.stop_id,
                kind=row.kind,
                latitude=row.latitude,
                longitude=row.longitude,
                service_s=row.service_s,
                act=row.act,
                arrived_at=arrived,
                by_position=by_position,
                ended_at=ended,
                left_before_at=before,
                planned_arrival_s=row.planned_arrival_s,
                planned_start_s=row.planned_start_s,
                planned_departure_s=row.planned_departure_s,
                planned_travel_s=row.planned_travel_s,
                planned_distance_m=row.planned_distance_m,
                offset_minutes=row.offset_minutes,
            )
        )
        before = ended
    return found


def _fixes(session: Session, by_courier: dict[int, list[_Told]]) -> dict[int, list[_Fix]]:
    """Positions of the time in question, by courier and in the order of time."""
    if not by_courier:
        return {}
    moments = [_at(row) for told in by_courier.values() for row in told]
    rows = session.execute(
        sa.select(
            CourierPosition.courier_id,
            CourierPosition.at,
            CourierPosition.latitude,
            CourierPosition.longitude,
            CourierPosition.accuracy_m,
        )
        .where(
            CourierPosition.courier_id.in_(by_courier),
            CourierPosition.at.between(min(moments) - timedelta(hours=1), max(moments)),
        )
        .order_by(CourierPosition.courier_id, CourierPosition.at)
    )
    found: dict[int, list[_Fix]] = {}
    for row in rows:
        if row.accuracy_m is None or row.accuracy_m <= _ACCURACY_MAX_M:
            found.setdefault(row.courier_id, []).append(row)
    return found


def _came(
    fixes: Sequence[_Fix],
    door: tuple[float, float],
    before: datetime | None,
    ended: datetime,
) -> datetime | None:
    """The first position at the door, after the stop before and before this one was done."""
    first = 0 if before is None else bisect_left(fixes, before, key=lambda fix: fix.at)
    between = fixes[first : bisect_right(fixes, ended, key=lambda fix: fix.at)]
    if not between:
        return None
    _seconds, metres = _METRE.legs([(fix.latitude, fix.longitude) for fix in between], [door] * len(between))
    return next((fix.at for fix, far in zip(between, metres, strict=True) if far <= ARRIVED_WITHIN_M), None)
