"""What every change of a plan by hand has to pass: it is open, the day is not over, no rule is broken."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.actor import Actor
from app.dispatch.journal import record_edit
from app.dispatch.models import Plan, PlanStatus, StopRequest
from app.dispatch.problem import DAY_S, Draft, draft_of, second_of_day
from app.dispatch.snapshot import snapshot
from app.dispatch.stored import WAITING, store
from app.errors import ConflictError
from app.network import queries as network
from routing import pickup

CHANGEABLE = (PlanStatus.DRAFT, PlanStatus.PUBLISHED)


def change(session: Session, actor: Actor, plan: Plan, draft: Draft, value: pickup.Plan, **told: Any) -> None:
    """Store a changed plan after the checker has found nothing wrong with it.

    Args:
        session: of the plan's tenant.
        actor: who changes it.
        plan: locked.
        draft: what was read of it.
        value: what it becomes.
        told: `now`, the `action` and its `details` for the record.

    Raises:
        ConflictError: the plan would break a rule.
    """
    refuse_broken(draft.problem, value)
    before = snapshot(plan)
    store(plan, value)
    record_edit(session, actor, plan, before, action=told["action"], now=told["now"], details=told["details"])


def refuse_broken(problem: pickup.Problem, value: pickup.Plan) -> None:
    """Have the checker look at a plan.

    Raises:
        ConflictError: it breaks a rule; says which, and where.
    """
    violations = pickup.check(problem, value)
    if violations:
        first = violations[0]
        raise ConflictError(
            "the plan would break a rule",
            reason=first.code.value,
            courier_id=first.vehicle_id,
            stop_id=first.stop_id,
            parameters=dict(first.parameters),
        )


def is_over(day: date, offset_minutes: int, now: datetime) -> bool:
    """Whether a local day has ended."""
    return second_of_day(now, day, offset_minutes) >= DAY_S


def refuse_past(session: Session, actor: Actor, plan: Plan, now: datetime) -> None:
    """A day that is over is history.

    Raises:
        ConflictError: the plan's day is over at its outlet.
    """
    facility = network.load_facility(session, actor, plan.facility_id)
    if is_over(plan.day, facility.utc_offset_minutes, now):
        raise ConflictError("the day of this plan is over")


def refuse_unchangeable(session: Session, actor: Actor, plan: Plan, now: datetime) -> None:
    """Only a draft and the plan in force are changed, and only until their day is over.

    Raises:
        ConflictError: the plan is neither, or its day is history.
    """
    if plan.status not in CHANGEABLE:
        raise ConflictError(f"this plan is {plan.status}")
    refuse_past(session, actor, plan, now)


def open_draft(
    session: Session,
    actor: Actor,
    plan: Plan,
    stop: StopRequest,
    now: datetime,
    courier_ids: Collection[int] | None = None,
) -> Draft:
    """A plan ready to be changed, with a stop that may be in none of its rounds yet.

    Args:
        session: of the plan's tenant.
        actor: who changes it.
        plan: a draft, or the plan in force.
        stop: what is to be moved.
        now: the present moment.
        courier_ids: the rounds that are looked at; None: all.

    Raises:
        ConflictError: the plan cannot be changed, or the stop is not to be made on its day.
    """
    refuse_unchangeable(session, actor, plan, now)
    if stop.facility_id != plan.facility_id or stop.day != plan.day or stop.status not in WAITING:
        raise ConflictError("this stop is not to be made on this day")
    return draft_of(session, plan, now=now, also=(stop.id,), courier_ids=courier_ids)
