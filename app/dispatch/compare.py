"""Two plans of a day side by side: what they cost, what they leave out, which stops they make differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.dispatch.models import Courier, Plan, PlanRound, PlanStatus, PlanUnserved, PlanVisit, StopRequest
from app.errors import ConflictError

COMPARABLE = (PlanStatus.DRAFT, PlanStatus.PUBLISHED, PlanStatus.SUPERSEDED)
SHIFTED_S = 15 * 60
"""A stop counts as made at another time where the two moments lie so far apart."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A plan in its figures: rounds, visits and stops it leaves out, seconds that its couriers are away."""

    plan: Plan
    rounds: int
    visits: int
    unserved: int
    away_s: int


@dataclass(frozen=True, slots=True)
class Shifted:
    """A stop that two plans make differently; no courier and no moment where a plan does not make it."""

    stop: StopRequest
    one_courier: str | None
    one_start_s: int | None
    other_courier: str | None
    other_start_s: int | None

    @property
    def changes_courier(self) -> bool:
        """Whether somebody else makes it, or only one plan makes it at all."""
        return self.one_courier != self.other_courier


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans of a day; `shifted` are the stops that change courier, then those that change their time."""

    one: Summary
    other: Summary
    shifted: tuple[Shifted, ...]

    @property
    def changes_courier(self) -> int:
        """How many stops change their courier."""
        return sum(one.changes_courier for one in self.shifted)

    @property
    def changes_time(self) -> int:
        """How many stops stay with their courier, at another time."""
        return len(self.shifted) - self.changes_courier


def plans_of_day(session: Session, facility_id: int, day: date) -> list[Summary]:
    """An outlet's plans of a day that can be looked at, newest first."""
    rounds = (
        sa.select(
            PlanRound.plan_id,
            sa.func.count().label("rounds"),
            sa.func.sum(PlanRound.end_s - PlanRound.start_s).label("away_s"),
        )
        .group_by(PlanRound.plan_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(
            Plan,
            sa.func.coalesce(rounds.c.rounds, 0),
            _count(PlanVisit),
            _count(PlanUnserved),
            sa.func.coalesce(rounds.c.away_s, 0),
        )
        .outerjoin(rounds, rounds.c.plan_id == Plan.id)
        .where(Plan.facility_id == facility_id, Plan.day == day, Plan.status.in_(COMPARABLE))
        .order_by(Plan.id.desc())
    )
    return [
        Summary(plan, count, visits, unserved, int(away_s)) for plan, count, visits, unserved, away_s in rows
    ]


def newest_beside(session: Session, plan: Plan) -> int | None:
    """The newest plan of the same day that a plan can be compared with; None where there is none."""
    return session.scalar(
        sa.select(Plan.id)
        .where(
            Plan.facility_id == plan.facility_id,
            Plan.day == plan.day,
            Plan.status.in_(COMPARABLE),
            Plan.id != plan.id,
        )
        .order_by(Plan.id.desc())
        .limit(1)
    )


def compare(session: Session, one: Plan, other: Plan) -> Comparison:
    """Two plans beside each other.

    Raises:
        ConflictError: they are not of one outlet and day, or one of them has no rounds to be looked at.
    """
    if (one.facility_id, one.day) != (other.facility_id, other.day):
        raise ConflictError("plans are compared where they are of one outlet and day")
    summaries = {summary.plan.id: summary for summary in plans_of_day(session, one.facility_id, one.day)}
    if one.id not in summaries or other.id not in summaries:
        raise ConflictError("a plan that is not made, or was given up, cannot be compared")
    return Comparison(summaries[one.id], summaries[other.id], tuple(_shifted(session, one.id, other.id)))


def _count(table: type[PlanVisit | PlanUnserved]) -> sa.ScalarSelect[int]:
    return (
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.plan_id == Plan.id)
        .correlate(Plan)
        .scalar_subquery()
    )


def _shifted(session: Session, one_id: int, other_id: int) -> Sequence[Shifted]:
    """Stops whose courier differs or whose time differs by `SHIFTED_S`, by one statement."""
    one, other = (
        sa.select(PlanVisit.stop_request_id, PlanVisit.courier_id, PlanVisit.start_s)
        .where(PlanVisit.plan_id == plan_id)
        .subquery()
        for plan_id in (one_id, other_id)
    )
    pairs = (
        sa.select(
            sa.func.coalesce(one.c.stop_request_id, other.c.stop_request_id).label("stop_id"),
            one.c.courier_id.label("one_courier_id"),
            one.c.start_s.label("one_start_s"),
            other.c.courier_id.label("other_courier_id"),
            other.c.start_s.label("other_start_s"),
        )
        .select_from(one)
        .join(other, other.c.stop_request_id == one.c.stop_request_id, full=True)
        .subquery()
    )
    first, second = aliased(Courier), aliased(Courier)
    starts = sa.func.coalesce(pairs.c.other_start_s, pairs.c.one_start_s)
    differs = pairs.c.one_courier_id.is_distinct_from(pairs.c.other_courier_id)
    rows = session.execute(
        sa.select(StopRequest, first.name, pairs.c.one_start_s, second.name, pairs.c.other_start_s)
        .join(pairs, pairs.c.stop_id == StopRequest.id)
        .outerjoin(first, first.id == pairs.c.one_courier_id)
        .outerjoin(second, second.id == pairs.c.other_courier_id)
        .where(sa.or_(differs, sa.func.abs(pairs.c.one_start_s - pairs.c.other_start_s) >= SHIFTED_S))
        .order_by(differs.desc(), starts, StopRequest.id)
    )
    return [Shifted(*row) for row in rows]
