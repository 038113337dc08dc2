"""A day as it was planned and as it was driven, courier by courier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.dispatch.day.driven import Made, driven_metres, made
from app.dispatch.day.models import Act, Outcome, StopEvent, StopPhoto
from app.dispatch.day.round_rows import Visited, in_force, stops_by_id
from app.dispatch.models import Courier, StopRequest, StopStatus
from app.dispatch.problem import second_of_day
from app.network.models import Facility

LATE_AFTER_S = 60
"""A stop that was reached so much after the end of its window is late: a clock is off by less."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A stop of a round: planned, made, or both; seconds of the local day.

    `arrived_s`, `ended_s`: as driven; None where nothing was told. `by_position`: a position told of it.
    """

    stop: Row[Any]
    sequence: int | None
    planned_arrival_s: int | None
    planned_start_s: int | None
    planned_departure_s: int | None
    arrived_s: int | None
    ended_s: int | None
    by_position: bool
    act: Act | None

    @property
    def late_s(self) -> int:
        """By how much the end of the window was missed, 0 where it was kept or nothing is known."""
        reached = self.arrived_s if self.arrived_s is not None else self.ended_s
        late = 0 if reached is None else reached - self.stop.window_to_s
        return late if late > LATE_AFTER_S else 0

    @property
    def behind_s(self) -> int | None:
        """How much later than planned he came (earlier: negative); None where one of both is not known."""
        if self.planned_arrival_s is None or self.arrived_s is None:
            return None
        return self.arrived_s - self.planned_arrival_s

    @property
    def served_s(self) -> int | None:
        """How long he was at the door."""
        if self.arrived_s is None or self.ended_s is None:
            return None
        return self.ended_s - self.arrived_s


@dataclass(frozen=True, slots=True)
class ReplayedRound:
    """A courier's day. `stops` are in the order in which they were made, those that were not at the end.

    `planned_m` is the plan's, `driven_m` the length of the way between his positions (None without any).
    """

    courier: Courier
    stops: tuple[Replayed, ...]
    planned_start_s: int | None
    planned_end_s: int | None
    planned_m: int
    driven_m: int | None

    @property
    def made(self) -> int:
        """Stops that were done or failed."""
        return sum(one.ended_s is not None for one in self.stops)

    @property
    def failed(self) -> int:
        """Stops that failed."""
        return sum(one.act is Act.FAILED for one in self.stops)

    @property
    def late(self) -> int:
        """Stops that were reached after their window."""
        return sum(one.late_s > 0 for one in self.stops)

    @property
    def planned_service_s(self) -> int | None:
        """Mean planned time at the door of the stops whose real one is known."""
        return _mean(
            [
                one.planned_departure_s - one.planned_start_s
                for one in self.stops
                if one.served_s is not None
                and one.planned_departure_s is not None
                and one.planned_start_s is not None
            ]
        )

    @property
    def service_s(self) -> int | None:
        """Mean time at the door."""
        return _mean([one.served_s for one in self.stops if one.served_s is not None])

    @property
    def span(self) -> tuple[int, int]:
        """From the first to the last moment that is known of the day; the shift where there is none."""
        moments = [
            moment
            for one in self.stops
            for moment in (one.planned_arrival_s, one.planned_departure_s, one.arrived_s, one.ended_s)
            if moment is not None
        ]
        moments += [one for one in (self.planned_start_s, self.planned_end_s) if one is not None]
        if not moments:
            return self.courier.shift_start_s, self.courier.shift_end_s
        return min(moments), max(moments)


@dataclass(frozen=True, slots=True)
class Strange:
    """An act that did not simply go through."""

    event: StopEvent
    stop: StopRequest
    courier: Courier


@dataclass(frozen=True, slots=True)
class Replay:
    """An outlet's day; rounds by courier code."""

    facility: Facility
    day: date
    rounds: tuple[ReplayedRound, ...]
    strange: tuple[Strange, ...]
    photos: tuple[tuple[StopPhoto, StopEvent], ...]

    @property
    def span(self) -> tuple[int, int]:
        """From the first to the last moment of the day."""
        spans = [one.span for one in self.rounds] or [(8 * 3600, 18 * 3600)]
        return min(start for start, _end in spans), max(end for _start, end in spans)


def replay(session: Session, facility: Facility, day: date) -> Replay:
    """Read an outlet's day.

    Args:
        session: of the outlet's tenant.
        facility: the outlet.
        day: its local day.
    """
    planned = in_force(session, facility.id, day)
    driven: dict[int, list[Made]] = {}
    for one in made(session, facility.id, day):
        driven.setdefault(one.courier_id, []).append(one)
    ids = planned.visits.keys() | driven.keys()
    stops = {stop.id: stop for visits in planned.visits.values() for _visit, stop in visits}
    others = {one.stop_id for row in driven.values() for one in row} - stops.keys()
    stops |= stops_by_id(session, others)
    couriers = session.scalars(sa.select(Courier).where(Courier.id.in_(ids)).order_by(Courier.code)).all()
    metres = driven_metres(session, ids, facility, day)
    return Replay(
        facility,
        day,
        tuple(
            _round(
                courier,
                planned.visits.get(courier.id, ()),
                driven.get(courier.id, ()),
                planned.rounds.get(courier.id),
                stops,
                metres.get(courier.id),
                lambda moment: second_of_day(moment, day, facility.utc_offset_minutes),
            )
            for courier in couriers
        ),
        _strange(session, facility, day),
        _photos(session, facility, day),
    )


def _round(
    courier: Courier,
    planned: Sequence[Visited],
    driven: Sequence[Made],
    row: Row[Any] | None,
    stops: Mapping[int, Row[Any]],
    metres: int | None,
    seconds: Callable[[datetime], int],
) -> ReplayedRound:
    visits = {stop.id: visit for visit, stop in planned}
    found = [_made_stop(one, stops[one.stop_id], visits.get(one.stop_id), seconds) for one in driven]
    behind = {one.stop_id for one in driven}
    # Made by scans alone, or not at all: nothing tells when.
    found += [_planned_stop(visit, stop) for visit, stop in planned if stop.id not in behind]
    return ReplayedRound(
        courier,
        tuple(found),
        None if row is None else row.start_s,
        None if row is None else row.end_s,
        0 if row is None else row.distance_m,
        metres,
    )


def _made_stop(
    one: Made, stop: Row[Any], visit: Row[Any] | None, seconds: Callable[[datetime], int]
) -> Replayed:
    return Replayed(
        stop=stop,
        sequence=None if visit is None else visit.sequence,
        # As it was planned when he made it; the plan may have been changed since.
        planned_arrival_s=one.planned_arrival_s,
        planned_start_s=one.planned_start_s,
        planned_departure_s=one.planned_departure_s,
        arrived_s=None if one.arrived_at is None else seconds(one.arrived_at),
        ended_s=seconds(one.ended_at),
        by_position=one.by_position,
        act=one.act,
    )


def _planned_stop(visit: Row[Any], stop: Row[Any]) -> Replayed:
    acts = {StopStatus.DONE: Act.DONE, StopStatus.FAILED: Act.FAILED}
    return Replayed(
        stop=stop,
        sequence=visit.sequence,
        planned_arrival_s=visit.arrival_s,
        planned_start_s=visit.start_s,
        planned_departure_s=visit.departure_s,
        arrived_s=None,
        ended_s=None,
        by_position=False,
        act=acts.get(stop.status),
    )


def _strange(session: Session, facility: Facility, day: date) -> tuple[Strange, ...]:
    rows = session.execute(
        sa.select(StopEvent, StopRequest, Courier)
        .join(StopRequest, StopRequest.id == StopEvent.stop_request_id)
        .join(Courier, Courier.id == StopEvent.courier_id)
        .where(
            StopEvent.facility_id == facility.id,
            StopEvent.day == day,
            StopEvent.outcome != Outcome.RECORDED,
        )
        .order_by(StopEvent.occurred_at)
    )
    return tuple(Strange(event, stop, courier) for event, stop, courier in rows)


def _photos(session: Session, facility: Facility, day: date) -> tuple[tuple[StopPhoto, StopEvent], ...]:
    rows = session.execute(
        sa.select(StopPhoto, StopEvent)
        .join(StopEvent, StopEvent.id == StopPhoto.stop_event_id)
        .where(StopEvent.facility_id == facility.id, StopEvent.day == day)
        .options(sa.orm.defer(StopPhoto.content))
        .order_by(StopPhoto.id)
    )
    return tuple((photo, event) for photo, event in rows)


def _mean(values: Sequence[int]) -> int | None:
    return round(sum(values) / len(values)) if values else None
