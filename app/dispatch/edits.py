"""A plan changed by hand: what moving a stop would cost, moving it, locking it to its courier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.dispatch.changing import change, open_draft, refuse_unchangeable
from app.dispatch.journal import lock_plan, record_edit
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.dispatch.problem import Draft
from app.dispatch.snapshot import snapshot
from app.errors import ConflictError, NotFoundError
from routing.pickup import insertion


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of a plan cost."""

    extra_cost_minor: int
    extra_distance_m: int
    delays: Mapping[int, int]


def move_stop(
    session: Session,
    actor: Actor,
    plan: Plan,
    stop: StopRequest,
    *,
    courier_id: int | None,
    sequence: int | None = None,
    version: int | None = None,
    now: datetime,
) -> Moved:
    """Give a stop to a courier, put it elsewhere in his round, or take it out of all rounds.

    Args:
        session: of the plan's tenant.
        actor: who moves it.
        plan: a draft, or the plan in force.
        stop: in a round, unserved, or asked for since the plan was made.
        courier_id: who is to make it; None for nobody.
        sequence: which visit of his round it becomes (from 0, the stop itself taken out before); None for
            the cheapest place.
        version: what the mover looked at.
        now: the present moment.

    Raises:
        StaleVersionError: somebody has changed the plan since.
        ChangeRefusedError: a rule would be broken; says which.
        ConflictError: the plan or the stop cannot be changed.
        NotFoundError: the outlet has no such courier.
    """
    lock_plan(session, plan, version)
    draft = open_draft(session, actor, plan, stop, now)
    visit = _visit_of(plan, stop)
    if visit is not None and visit.locked and visit.courier_id != courier_id:
        raise ConflictError("this stop is locked to its courier; unlock it first")
    if courier_id is not None and courier_id not in draft.couriers:
        raise NotFoundError("no such courier at this outlet")
    if courier_id in draft.out and (visit is None or visit.courier_id != courier_id):
        raise ConflictError("this courier is not at work on this day")
    details = {
        "stop_id": stop.id,
        "from_courier_id": None if visit is None else visit.courier_id,
        "to_courier_id": courier_id,
    }
    moved = _moved(draft, str(stop.id), courier_id, sequence)
    change(session, actor, plan, draft, moved.plan, action="plan.stop_moved", now=now, details=details)
    if plan.status is PlanStatus.PUBLISHED:
        stop.status = StopStatus.OPEN if courier_id is None else StopStatus.PLANNED
    return Moved(
        moved.extra_cost_minor,
        moved.extra_distance_m,
        {int(delay.stop_id): delay.seconds for delay in moved.delays},
    )


def set_lock(
    session: Session,
    actor: Actor,
    plan: Plan,
    stop: StopRequest,
    *,
    locked: bool,
    version: int | None = None,
    now: datetime,
) -> None:
    """Tie a stop to its courier, here and in plans made after this one is published; or untie it.

    Raises:
        StaleVersionError: somebody has changed the plan since.
        ConflictError: the plan cannot be changed, or the stop is in none of its rounds.
    """
    lock_plan(session, plan, version)
    refuse_unchangeable(session, actor, plan, now)
    visit = _visit_of(plan, stop)
    if visit is None:
        raise ConflictError("only a stop in a round can be locked")
    before = snapshot(plan)
    visit.locked = locked
    details = {"stop_id": stop.id, "to_courier_id": visit.courier_id}
    action = "plan.locked" if locked else "plan.unlocked"
    record_edit(session, actor, plan, before, action=action, now=now, details=details)


def set_round_lock(
    session: Session,
    actor: Actor,
    plan: Plan,
    courier_id: int,
    *,
    locked: bool,
    version: int | None = None,
    now: datetime,
) -> int:
    """Tie every stop of a courier's round to him, or untie them; one edit, taken back at once.

    Returns:
        How many stops it changed.

    Raises:
        StaleVersionError: somebody has changed the plan since.
        ConflictError: the plan cannot be changed, or the courier has no round in it.
    """
    lock_plan(session, plan, version)
    refuse_unchangeable(session, actor, plan, now)
    visits = [visit for visit in plan.visits if visit.courier_id == courier_id]
    if not visits:
        raise ConflictError("this courier has no round in the plan")
    changed = [visit for visit in visits if visit.locked != locked]
    if changed:
        before = snapshot(plan)
        for visit in changed:
            visit.locked = locked
        action = "plan.round_locked" if locked else "plan.round_unlocked"
        details = {"to_courier_id": courier_id}
        record_edit(session, actor, plan, before, action=action, now=now, details=details)
    return len(changed)


def _visit_of(plan: Plan, stop: StopRequest) -> PlanVisit | None:
    return next((visit for visit in plan.visits if visit.stop_request_id == stop.id), None)


def _moved(draft: Draft, name: str, courier_id: int | None, sequence: int | None) -> insertion.Change:
    if courier_id is None:
        return insertion.remove(draft.problem, draft.plan, name, frozen=draft.frozen, now_s=draft.now_s)
    if sequence is None:
        sequence = _cheapest(draft, name, courier_id)
    return insertion.move(
        draft.problem, draft.plan, name, str(courier_id), sequence, frozen=draft.frozen, now_s=draft.now_s
    )


def _cheapest(draft: Draft, name: str, courier_id: int) -> int:
    """The cheapest place in a courier's round.

    Raises:
        ChangeRefusedError: there is none; says why the last place of his round is not one.
    """
    plan = draft.plan
    if plan.place_of(name) is not None:
        plan = insertion.remove(draft.problem, plan, name, frozen=draft.frozen, now_s=draft.now_s).plan
    found: Sequence[insertion.Offer] = insertion.offers(
        draft.problem,
        plan,
        draft.problem.stop(name),
        frozen=draft.frozen,
        now_s=draft.now_s,
        limit=len(draft.couriers),
    )
    for offer in found:
        if offer.vehicle_id == str(courier_id):
            return offer.position
    route = plan.route_of(str(courier_id))
    return 0 if route is None else len(route.visits)
