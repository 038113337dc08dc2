"""Changes by hand taken back and made again, in the order they were made, whoever made them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.dispatch.changing import refuse_broken, refuse_unchangeable
from app.dispatch.edit_models import EditState, PlanEdit
from app.dispatch.journal import lock_plan, next_to_redo, next_to_undo, record
from app.dispatch.models import Plan, PlanStatus, StopRequest, StopStatus
from app.dispatch.problem import Draft, draft_of
from app.dispatch.snapshot import Part, put_back, stops_in
from app.dispatch.stored import WAITING
from app.errors import ConflictError


def undo(
    session: Session, actor: Actor, plan: Plan, *, version: int | None = None, now: datetime
) -> PlanEdit:
    """Take back the last change by hand that stands in a plan.

    Args:
        session: of the plan's tenant.
        actor: who takes it back; it may be another's.
        plan: a draft, or the plan in force, changed since it was published.
        version: what he looked at.
        now: the present moment.

    Returns:
        What was taken back.

    Raises:
        StaleVersionError: somebody has changed the plan since.
        ConflictError: there is nothing to take back, or the plan as it was cannot be driven any more.
    """
    lock_plan(session, plan, version)
    edit = next_to_undo(session, plan.id)
    if edit is None:
        raise ConflictError("there is nothing to take back", reason="nothing")
    _replace(session, actor, plan, edit.before, now)
    edit.state = EditState.UNDONE
    record(session, actor, plan, "plan.undone", now, dict(edit.details))
    return edit


def redo(
    session: Session, actor: Actor, plan: Plan, *, version: int | None = None, now: datetime
) -> PlanEdit:
    """Make the change again that was taken back last; see `undo`.

    Raises:
        StaleVersionError: somebody has changed the plan since.
        ConflictError: nothing was taken back, or the plan as it was cannot be driven any more.
    """
    lock_plan(session, plan, version)
    edit = next_to_redo(session, plan.id)
    if edit is None:
        raise ConflictError("there is nothing to make again", reason="nothing")
    _replace(session, actor, plan, edit.after, now)
    edit.state = EditState.APPLIED
    record(session, actor, plan, "plan.redone", now, dict(edit.details))
    return edit


def _replace(session: Session, actor: Actor, plan: Plan, part: Part, now: datetime) -> None:
    refuse_unchangeable(session, actor, plan, now)
    touched = {int(key) for key in part["rounds"]}
    served = {visit.stop_request_id for visit in plan.visits if visit.courier_id in touched}
    joining, leaving = stops_in(part) - served, served - stops_in(part)
    _refuse_gone(session, plan, joining)
    before = draft_of(session, plan, now=now, also=joining)
    put_back(plan, part)
    session.flush()  # the plan is read again below
    after = draft_of(session, plan, now=now)
    if _fixed(before) != _fixed(after):
        raise ConflictError("a courier has gone on since; his round cannot be put back", reason="gone_on")
    refuse_broken(after.problem, after.plan)
    if plan.status is PlanStatus.PUBLISHED:
        for stop_ids, status in ((joining, StopStatus.PLANNED), (leaving, StopStatus.OPEN)):
            session.execute(sa.update(StopRequest).where(StopRequest.id.in_(stop_ids)).values(status=status))


def _refuse_gone(session: Session, plan: Plan, stop_ids: frozenset[int]) -> None:
    still = sa.select(sa.func.count()).where(
        StopRequest.id.in_(stop_ids),
        StopRequest.status.in_(WAITING),
        StopRequest.day == plan.day,
        StopRequest.facility_id == plan.facility_id,
    )
    if session.scalar(still) != len(stop_ids):
        raise ConflictError("a stop of it is not to be made on this day any more", reason="not_wanted")


def _fixed(draft: Draft) -> dict[str, tuple[tuple[str, int], ...]]:
    """What of each round has happened or is under way: stops and moments."""
    return {
        route.vehicle_id: tuple(
            (visit.stop_id, visit.start_s) for visit in route.visits[: draft.frozen[route.vehicle_id]]
        )
        for route in draft.plan.routes
        if draft.frozen.get(route.vehicle_id)
    }
