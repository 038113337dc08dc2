"""Plans asked for, given up, published; what every change of a plan has to pass."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch.changing import is_over, refuse_past
from app.dispatch.edit_models import EditState
from app.dispatch.journal import close_edits, lock_plan, record
from app.dispatch.leaving import take_out_gone
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.errors import ConflictError, InvalidInputError
from app.network import queries as network
from app.network.models import Facility

SECONDS_MAX = 300


def request_plan(
    session: Session,
    actor: Actor,
    *,
    facility_id: int,
    day: date,
    seconds: int,
    even: bool = False,
    now: datetime,
) -> Plan:
    """Ask for the rounds of an outlet on a day; a worker makes them (`jobs.solve_next`).

    Args:
        session: of the asker's tenant.
        actor: who asks.
        facility_id: the outlet.
        day: its local day, today or later.
        seconds: how long the planner may search.
        even: no courier's day is to be much longer than the others', even if that costs something.
        now: the present moment.

    Raises:
        NotFoundError: there is no such facility.
        InvalidInputError: the day is over, or the seconds are out of range.
        ConflictError: the same rounds are being planned already.
    """
    facility = network.load_facility(session, actor, facility_id)
    if not 1 <= seconds <= SECONDS_MAX:
        raise InvalidInputError(
            "the planner searches for a limited time",
            [{"detail": f"must be between 1 and {SECONDS_MAX}", "pointer": "/seconds"}],
        )
    if is_over(day, facility.utc_offset_minutes, now):
        raise InvalidInputError("the day is over", [{"detail": "is in the past", "pointer": "/day"}])
    asked = {
        "facility_id": facility_id,
        "day": day,
        "seconds": seconds,
        "even": even,
        "requested_by_id": actor.user_id,
    }
    plan = _requested(session, asked, now)
    if plan is None:
        raise ConflictError("these rounds are being planned already")
    return plan


def begin_again(session: Session, plan: Plan, *, now: datetime) -> None:
    """Give up a plan that is being made and ask for it anew: something it knows has changed meanwhile.

    Its worker drops what he has found. Once the day is over there is nothing to ask for.
    """
    facility = session.get_one(Facility, plan.facility_id)
    plan.status = PlanStatus.CANCELLED
    session.flush()  # one is being made at a time
    if is_over(plan.day, facility.utc_offset_minutes, now):
        return
    names = ("facility_id", "day", "seconds", "even", "requested_by_id")
    _requested(session, {name: getattr(plan, name) for name in names}, now)


def _requested(session: Session, asked: dict[str, Any], now: datetime) -> Plan | None:
    """A plan that waits for its worker; None where one is being made already."""
    plan_id = session.scalar(
        insert(Plan)
        .values(
            tenant_id=tenant_of(session),
            status=PlanStatus.REQUESTED,
            seed=0,
            requested_at=now,
            **asked,
            tries=0,
            curve=[],
            enough=False,
            version=1,
        )
        .on_conflict_do_nothing(
            index_elements=[Plan.facility_id, Plan.day],
            index_where=sa.text("status IN ('requested', 'solving')"),
        )
        .returning(Plan.id)
    )
    return None if plan_id is None else session.get_one(Plan, plan_id)


def cancel_plan(session: Session, actor: Actor, plan: Plan, *, now: datetime) -> None:
    """Give up a plan that is not published; a worker that is at it stops.

    Raises:
        ConflictError: it is published, or it has come to its end.
    """
    session.refresh(plan, with_for_update=True)
    if plan.status not in (PlanStatus.REQUESTED, PlanStatus.SOLVING, PlanStatus.DRAFT):
        raise ConflictError(f"this plan is {plan.status}")
    plan.status = PlanStatus.CANCELLED
    audit(session, actor, "plan.cancelled", subject_kind="plan", subject_id=plan.id, now=now)


def keep_best(session: Session, actor: Actor, plan: Plan, *, now: datetime) -> None:
    """End the search for a plan with the best that was found; the worker sees it within about a second.

    Raises:
        ConflictError: it is not being made, or nothing was found yet.
    """
    session.refresh(plan, with_for_update=True)
    if plan.status is not PlanStatus.SOLVING:
        raise ConflictError(f"this plan is {plan.status}")
    if plan.best_cost_minor is None:
        raise ConflictError("no plan has been found yet; wait a moment, or give it up")
    plan.enough = True
    audit(session, actor, "plan.enough", subject_kind="plan", subject_id=plan.id, now=now)


def publish(session: Session, actor: Actor, plan: Plan, *, now: datetime, version: int | None = None) -> int:
    """Put a draft in force: its couriers see their rounds, and the plan before it is history.

    Stops that were cancelled, made or moved to another day since are taken out first.

    Args:
        session: of the plan's tenant.
        actor: who publishes.
        plan: a draft.
        now: the present moment.
        version: what the publisher looked at; None publishes whatever stands there.

    Returns:
        How many stops were taken out.

    Raises:
        StaleVersionError: somebody has changed it since; says what.
        ConflictError: it is no draft, or its day is over.
    """
    # Both in the order of their ids, so that two publishers of one day cannot wait for each other.
    session.scalars(
        sa.select(Plan)
        .where(
            Plan.facility_id == plan.facility_id,
            Plan.day == plan.day,
            Plan.status.in_((PlanStatus.DRAFT, PlanStatus.PUBLISHED)),
        )
        .order_by(Plan.id)
        .with_for_update()
    ).all()
    lock_plan(session, plan, version)
    if plan.status is not PlanStatus.DRAFT:
        raise ConflictError(f"only a draft can be published; this plan is {plan.status}")
    refuse_past(session, actor, plan, now)
    gone = take_out_gone(session, plan, now=now)
    _supersede(session, plan)
    plan.status = PlanStatus.PUBLISHED
    plan.published_at, plan.published_by_id = now, actor.user_id
    close_edits(session, plan, (EditState.APPLIED, EditState.UNDONE))
    session.flush()  # the statement below reads the visits
    session.execute(
        sa.update(StopRequest)
        .where(StopRequest.id.in_(_stops_of(plan.id)), StopRequest.status == StopStatus.OPEN)
        .values(status=StopStatus.PLANNED)
    )
    record(session, actor, plan, "plan.published", now, {"taken_out": gone})
    return len(gone)


def _supersede(session: Session, plan: Plan) -> None:
    """End the plan in force; its stops that the new one does not serve are open again."""
    old_id = session.scalar(
        sa.select(Plan.id).where(
            Plan.facility_id == plan.facility_id, Plan.day == plan.day, Plan.status == PlanStatus.PUBLISHED
        )
    )
    if old_id is None:
        return
    session.get_one(Plan, old_id).status = PlanStatus.SUPERSEDED
    session.flush()  # before the new one takes its place: one plan is in force
    session.execute(
        sa.update(StopRequest)
        .where(
            StopRequest.id.in_(_stops_of(old_id)),
            StopRequest.id.not_in(_stops_of(plan.id)),
            StopRequest.status == StopStatus.PLANNED,
        )
        .values(status=StopStatus.OPEN)
    )


def _stops_of(plan_id: int) -> sa.Select[int]:
    return sa.select(PlanVisit.stop_request_id).where(PlanVisit.plan_id == plan_id)
