"""The dispatcher's board: an outlet's stops of a day, who has them, and which nobody has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.actor import Actor
from app.db import arrays
from app.dispatch import journal
from app.dispatch.edit_models import PlanEdit
from app.dispatch.journal import Named
from app.dispatch.models import Courier, Plan, PlanStatus, StopRequest, StopStatus
from app.dispatch.problem import second_of_day
from app.dispatch.queries import number_of_stop
from app.dispatch.roster import Duty, roster
from app.dispatch.stored import Rows, loads_after, rows_of
from app.errors import NotFoundError
from app.network import queries as network
from app.network.models import Facility
from app.shipments.models import Shipment

SHOWN = (PlanStatus.DRAFT, PlanStatus.PUBLISHED)
LISTED_MAX = 400
PENDING = (PlanStatus.REQUESTED, PlanStatus.SOLVING)


@dataclass(frozen=True, slots=True)
class Listed:
    """A stop as the board shows it."""

    stop: Row[Any]
    number: str


@dataclass(frozen=True, slots=True)
class Visited(Listed):
    """A stop in a round, with what is aboard after it."""

    visit: Row[Any]
    load_g: int


@dataclass(frozen=True, slots=True)
class Left(Listed):
    """A stop in no round: with the plan's reason, or none where it came after the plan."""

    reason: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A courier and his round."""

    duty: Duty
    round: Row[Any] | None
    visits: tuple[Visited, ...]
    load_g_max: int

    @property
    def courier(self) -> Courier:
        """Whose round it is."""
        return self.duty.courier

    @property
    def locked(self) -> int:
        """How many of the stops are locked to the courier."""
        return sum(one.visit.locked for one in self.visits)


@dataclass(frozen=True, slots=True)
class Board:
    """An outlet's day.

    Attributes:
        facility: the outlet.
        day: its local day.
        plan: the newest draft or published plan; None where there is none.
        pending: a plan that is being made.
        failed: the newest plan of all, where it failed.
        columns: a courier each, those at work and those with a round.
        left: stops in no round that somebody has to make.
        stopped: stops that failed today.
        counts: stops by status, without the cancelled ones.
        now_s: the present in seconds since the day's midnight.
        undo, redo: what can be taken back from the plan, and made again in it.
    """

    facility: Facility
    day: date
    plan: Plan | None
    pending: Plan | None
    failed: Plan | None
    columns: tuple[Column, ...]
    left: tuple[Left, ...]
    stopped: tuple[Listed, ...]
    counts: Mapping[StopStatus, int]
    now_s: int
    undo: Named | None
    redo: Named | None

    @property
    def stops(self) -> int:
        """How many stops the day has."""
        return sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether the day is history."""
        return self.now_s >= 24 * 3600

    @property
    def is_today(self) -> bool:
        """Whether the day has begun and is not over."""
        return self.now_s >= 0 and not self.is_over

    @property
    def changeable(self) -> bool:
        """Whether stops may be moved."""
        return (
            self.plan is not None and self.plan.status in SHOWN and self.pending is None and not self.is_over
        )

    @property
    def is_large(self) -> bool:
        """Whether there are too many stops in rounds to list them before somebody looks at a round."""
        return sum(len(column.visits) for column in self.columns) > LISTED_MAX


def board(
    session: Session, actor: Actor, facility_id: int, day: date, *, now: datetime, plan_id: int | None = None
) -> Board:
    """Read an outlet's day, in a fixed number of statements.

    Args:
        session: of the asker's tenant.
        actor: who asks.
        facility_id: the outlet.
        day: its local day.
        now: the present moment.
        plan_id: which of the day's plans to show; None: the newest draft or published one.

    Raises:
        NotFoundError: the asker knows no such facility, or its day has no such plan.
    """
    facility = network.load_facility(session, actor, facility_id)
    plan, pending, failed = _plans(session, facility_id, day, plan_id)
    rows = Rows({}, {}, ()) if plan is None else rows_of(session, plan.id)
    visited = {visit.stop_request_id for visits in rows.visits.values() for visit in visits}
    stops = _stops(session, facility_id, day, visited)
    reasons = {row.stop_request_id: row for row in rows.unserved}
    left = tuple(
        Left(
            listed.stop,
            listed.number,
            reasons[stop_id].reason if stop_id in reasons else None,
            reasons[stop_id].details if stop_id in reasons else {},
        )
        for stop_id, listed in stops.items()
        if listed.stop.status is StopStatus.OPEN and stop_id not in visited and listed.stop.day == day
    )
    of_day = [listed for listed in stops.values() if listed.stop.day == day]
    return Board(
        facility=facility,
        day=day,
        plan=plan,
        pending=pending,
        failed=failed,
        columns=_columns(roster(session, facility_id, day), rows, stops),
        left=left,
        stopped=tuple(listed for listed in of_day if listed.stop.status is StopStatus.FAILED),
        counts=Counter(
            listed.stop.status for listed in of_day if listed.stop.status is not StopStatus.CANCELLED
        ),
        now_s=second_of_day(now, day, facility.utc_offset_minutes),
        undo=None if plan is None else _named(session, journal.next_to_undo(session, plan.id)),
        redo=None if plan is None else _named(session, journal.next_to_redo(session, plan.id)),
    )


def _named(session: Session, edit: PlanEdit | None) -> Named | None:
    if edit is None:
        return None
    return journal.named(session, [(edit, session.get_one(User, edit.made_by_id).name)])[0]


def round_of(session: Session, plan: Plan, courier: Courier) -> Column:
    """One courier's round with its stops, without the rest of the board."""
    rows = rows_of(session, plan.id, [courier.id])
    visits = rows.visits.get(courier.id, ())
    wanted = arrays.any_of([visit.stop_request_id for visit in visits])
    stops = _listed(session, StopRequest.id == wanted)
    duty = next(one for one in roster(session, plan.facility_id, plan.day) if one.courier.id == courier.id)
    return _column(duty, rows.rounds.get(courier.id), visits, stops)


def _plans(
    session: Session, facility_id: int, day: date, wanted_id: int | None
) -> tuple[Plan | None, Plan | None, Plan | None]:
    """The plan to show, the one being made, and the newest where it failed."""
    newest = session.execute(
        sa.select(
            Plan.id,
            Plan.status,
            sa.func.coalesce(Plan.published_at, Plan.solved_at, Plan.requested_at).label("since"),
        )
        .where(
            Plan.facility_id == facility_id,
            Plan.day == day,
            sa.or_(Plan.status.not_in((PlanStatus.SUPERSEDED, PlanStatus.CANCELLED)), Plan.id == wanted_id),
        )
        .order_by(Plan.id.desc())
    ).all()
    # The draft that was made last, or the plan that was published after it.
    shown = max(
        (row for row in newest if row.status in SHOWN),
        key=lambda row: (row.since, row.status is PlanStatus.PUBLISHED, row.id),
        default=None,
    )
    shown_id = None if shown is None else shown.id
    if wanted_id is not None:
        if all(row.id != wanted_id or row.status in PENDING for row in newest):
            raise NotFoundError("this day has no such plan")
        shown_id = wanted_id
    pending = next((row.id for row in newest if row.status in PENDING), None)
    failed = newest[0].id if newest and newest[0].status is PlanStatus.FAILED else None
    wanted = [plan_id for plan_id in (shown_id, pending, failed) if plan_id is not None]
    if not wanted:
        return None, None, None
    plans = {plan.id: plan for plan in session.scalars(sa.select(Plan).where(Plan.id.in_(wanted)))}
    return tuple(plans.get(plan_id) if plan_id else None for plan_id in (shown_id, pending, failed))  # type: ignore[return-value]


def _stops(session: Session, facility_id: int, day: date, also: set[int]) -> dict[int, Listed]:
    """Stops of the day, and those of the plan that have moved to another day since."""
    of_day = sa.and_(StopRequest.facility_id == facility_id, StopRequest.day == day)
    in_plan = StopRequest.id == arrays.any_of(also)
    return _listed(session, sa.or_(of_day, in_plan))


def _listed(session: Session, which: sa.ColumnElement[bool]) -> dict[int, Listed]:
    found: sa.Result[Any] = session.execute(
        sa.select(*StopRequest.__table__.c, number_of_stop().label("number"))
        .outerjoin(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(which)
        .order_by(StopRequest.priority.desc(), StopRequest.window_to_s, StopRequest.id)
    )
    return {stop.id: Listed(stop, stop.number) for stop in found}


def _columns(duties: Sequence[Duty], rows: Rows, stops: Mapping[int, Listed]) -> tuple[Column, ...]:
    return tuple(
        _column(duty, rows.rounds.get(duty.courier.id), rows.visits.get(duty.courier.id, ()), stops)
        for duty in duties
        if duty.takes_stops or duty.courier.id in rows.rounds
    )


def _column(
    duty: Duty, round_: Row[Any] | None, visits: Sequence[Row[Any]], stops: Mapping[int, Listed]
) -> Column:
    listed = [stops[visit.stop_request_id] for visit in visits]
    loads = [load[0] for load in loads_after([one.stop for one in listed])]
    start_g = sum(one.stop.weight_g for one in listed if one.stop.kind.brings)
    return Column(
        duty,
        round_,
        tuple(
            Visited(one.stop, one.number, visit, load_g)
            for one, visit, load_g in zip(listed, visits, loads, strict=True)
        ),
        max([start_g, *loads], default=0),
    )
