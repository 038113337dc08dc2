"""A plan changed by hand: what moving a stop would cost, moving it, locking it to its courier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.dispatch.models import Courier, Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.dispatch.planning import change, lock_plan, record, refuse_past
from app.dispatch.problem import Draft, draft_of
from app.dispatch.stops import WAITING
from app.errors import ConflictError, NotFoundError
from routing.pickup import ChangeRefusedError, insertion

CHANGEABLE = (PlanStatus.DRAFT, PlanStatus.PUBLISHED)


@dataclass(frozen=True, slots=True)
class Place:
    """A courier's best place for a stop, and what the whole plan would cost more with it there.

    `delays` are visits whose start moves, in seconds; `sequence` counts from 0.
    """

    courier: Courier
    sequence: int
    start_s: int
    extra_cost_minor: int
    extra_distance_m: int
    delays: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Offers:
    """Where a stop could go, cheapest first.

    `present` is the courier who has it now, None for nobody. `taking_out_minor` is what the plan costs more
    (a negative number: less) without it; None where it is in no round or cannot leave it.
    """

    stop: StopRequest
    present: Courier | None
    places: tuple[Place, ...]
    taking_out_minor: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change of a plan cost."""

    extra_cost_minor: int
    extra_distance_m: int
    delays: Mapping[int, int]


def offers(session: Session, actor: Actor, plan: Plan, stop: StopRequest, *, now: datetime) -> Offers:
    """What it would cost to give a stop to each of the couriers; changes nothing.

    Raises:
        ConflictError: the plan cannot be changed, or the stop is not to be made on its day.
    """
    draft = _open(session, actor, plan, stop, now)
    name = str(stop.id)
    present = draft.plan.place_of(name)
    without, taken_cost, taken_m, taken_delays = draft.plan, 0, 0, {}
    if present is not None:
        try:
            taken = insertion.remove(draft.problem, draft.plan, name, frozen=draft.frozen, now_s=draft.now_s)
        except ChangeRefusedError:
            return Offers(stop, draft.couriers[int(present[0])], (), None)
        without, taken_cost, taken_m = taken.plan, taken.extra_cost_minor, taken.extra_distance_m
        taken_delays = {int(delay.stop_id): delay.seconds for delay in taken.delays}
    found = insertion.offers(
        draft.problem,
        without,
        draft.problem.stop(name),
        frozen=draft.frozen,
        now_s=draft.now_s,
        limit=len(draft.couriers),
    )
    places = tuple(
        Place(
            courier=draft.couriers[int(offer.vehicle_id)],
            sequence=offer.position,
            start_s=offer.start_s,
            extra_cost_minor=taken_cost + offer.extra_cost_minor,
            extra_distance_m=taken_m + offer.extra_distance_m,
            delays=taken_delays | {int(delay.stop_id): delay.seconds for delay in offer.delays},
        )
        for offer in found
        if present is None or offer.vehicle_id != present[0]
    )
    courier = None if present is None else draft.couriers[int(present[0])]
    locked = any(visit.locked for visit in plan.visits if visit.stop_request_id == stop.id)
    return Offers(stop, courier, places, None if present is None or locked else taken_cost)


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
    draft = _open(session, actor, plan, stop, now)
    visit = _visit_of(plan, stop)
    if visit is not None and visit.locked and visit.courier_id != courier_id:
        raise ConflictError("this stop is locked to its courier; unlock it first")
    if courier_id is not None and courier_id not in draft.couriers:
        raise NotFoundError("no such courier at this outlet")
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
    _refuse_unchangeable(session, actor, plan, now)
    visit = _visit_of(plan, stop)
    if visit is None:
        raise ConflictError("only a stop in a round can be locked")
    visit.locked = locked
    record(session, actor, plan, "plan.locked" if locked else "plan.unlocked", now, {"stop_id": stop.id})


def _open(session: Session, actor: Actor, plan: Plan, stop: StopRequest, now: datetime) -> Draft:
    _refuse_unchangeable(session, actor, plan, now)
    if stop.facility_id != plan.facility_id or stop.day != plan.day or stop.status not in WAITING:
        raise ConflictError("this stop is not to be made on this day")
    return draft_of(session, plan, now=now, also=(stop.id,))


def _refuse_unchangeable(session: Session, actor: Actor, plan: Plan, now: datetime) -> None:
    if plan.status not in CHANGEABLE:
        raise ConflictError(f"this plan is {plan.status}")
    refuse_past(session, actor, plan, now)


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
