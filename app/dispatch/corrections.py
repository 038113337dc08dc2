"""Stops set right: where the door is, and what is needed there; plans that have them plan them anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts.service import audit
from app.actor import Actor
from app.dispatch.changing import CHANGEABLE, is_over, refuse_broken
from app.dispatch.edit_models import EditState
from app.dispatch.journal import close_edits, record
from app.dispatch.leaving import taken_out
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.dispatch.pickup_models import PickupRequest, RecurringPickup
from app.dispatch.planning import begin_again
from app.dispatch.problem import Draft, draft_of, stop_of
from app.dispatch.skills import clean_skills
from app.dispatch.stored import WAITING, store
from app.errors import ConflictError, InvalidInputError
from app.network.models import Facility
from routing import pickup
from routing.pickup import insertion
from routing.pickup.assemble import plan_of
from routing.pickup.rules import Rules

_PENDING = (PlanStatus.REQUESTED, PlanStatus.SOLVING)
_OPEN_TO_CHANGE = (*WAITING, StopStatus.FAILED)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of a stop that was set right.

    Attributes:
        courier_id: who makes it now by the plan in force, or else by the newest draft; None for nobody.
        plans: how many plans it was planned anew in.
        changed: whether anything was different at all.
    """

    courier_id: int | None
    plans: int
    changed: bool


def correct_place(
    session: Session, actor: Actor, stop: StopRequest, *, latitude: float, longitude: float, now: datetime
) -> Corrected:
    """Put a stop where its door is: in its plans, for its weekly pickup, and for whoever asks again there.

    Args:
        session: of the stop's tenant.
        actor: who knows where it is; kept with the moment.
        stop: not made yet, or failed.
        latitude, longitude: degrees (WGS 84).
        now: the present moment.

    Raises:
        InvalidInputError: that is no place on earth.
        ConflictError: it was made or taken back.
    """
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        detail = {"detail": "is no place on earth", "pointer": "/latitude"}
        raise InvalidInputError("a place has a latitude and a longitude", [detail])
    plans = _locked(session, stop)
    if (stop.latitude, stop.longitude) == (latitude, longitude):
        return Corrected(_courier_of(plans, stop), 0, changed=False)
    was = (stop.latitude, stop.longitude)

    def correct() -> None:
        stop.latitude, stop.longitude = latitude, longitude
        stop.place_corrected_at, stop.place_corrected_by_id = now, actor.user_id
        _correct_request(session, stop)

    details = {"from": list(was), "to": [latitude, longitude]}
    correction = _Correction(correct, "stop.place_corrected", details)
    return _set_right(session, actor, plans, stop, correction, now)


def set_skills(
    session: Session, actor: Actor, stop: StopRequest, skills: Sequence[str], *, now: datetime
) -> Corrected:
    """Say what the courier of a stop must be able to do; whoever has it and cannot gives it to another.

    Raises:
        InvalidInputError: there are too many skills, or one is too long.
        ConflictError: it was made or taken back.
    """
    wanted = clean_skills(skills)
    plans = _locked(session, stop)
    if stop.skills == wanted:
        return Corrected(_courier_of(plans, stop), 0, changed=False)
    details = {"from": stop.skills, "to": wanted}

    def correct() -> None:
        stop.skills = wanted

    return _set_right(session, actor, plans, stop, _Correction(correct, "stop.skills_set", details), now)


def follow_address(
    session: Session, stop: StopRequest, *, address: str, latitude: float, longitude: float, now: datetime
) -> None:
    """Bring a stop to the door that its parcel goes to now; its plans plan it anew. A pin put before is gone.

    Nothing is done about one that was made or taken back meanwhile.
    """
    plans = _lock(session, stop)
    if stop.status not in _OPEN_TO_CHANGE:
        return
    if (stop.address, stop.latitude, stop.longitude) == (address, latitude, longitude):
        return
    details = {"from": [stop.latitude, stop.longitude], "to": [latitude, longitude]}

    def correct() -> None:
        stop.address, stop.latitude, stop.longitude = address, latitude, longitude
        stop.place_corrected_at = stop.place_corrected_by_id = None

    correction = _Correction(correct, "stop.redirected", details, told_as="plan.stop_redirected")
    _set_right(session, None, plans, stop, correction, now)


def _locked(session: Session, stop: StopRequest) -> Sequence[Plan]:
    """See `_lock`.

    Raises:
        ConflictError: the stop was made or taken back.
    """
    plans = _lock(session, stop)
    if stop.status not in _OPEN_TO_CHANGE:
        raise ConflictError(f"this stop is {stop.status}")
    return plans


def _lock(session: Session, stop: StopRequest) -> Sequence[Plan]:
    """The plans that know the stop, those being made too, and then the stop, all locked and as they are."""
    known = sa.exists().where(PlanVisit.plan_id == Plan.id, PlanVisit.stop_request_id == stop.id)
    of_day = sa.and_(Plan.facility_id == stop.facility_id, Plan.day == stop.day)
    plans = session.scalars(
        sa.select(Plan)
        .options(selectinload(Plan.rounds), selectinload(Plan.visits), selectinload(Plan.unserved))
        .where(
            sa.or_(
                sa.and_(Plan.status.in_(CHANGEABLE), sa.or_(known, of_day)),
                sa.and_(Plan.status.in_(_PENDING), of_day),
            )
        )
        .order_by(Plan.id)
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    ).all()
    session.refresh(stop, with_for_update=True)
    return plans


@dataclass(frozen=True, slots=True)
class _Correction:
    """What is set right: doing it, and how the audit trail and the journals of plans call it."""

    make: Callable[[], None]
    action: str
    details: dict[str, Any]
    told_as: str = "plan.stop_corrected"


def _set_right(
    session: Session,
    actor: Actor | None,
    plans: Sequence[Plan],
    stop: StopRequest,
    correction: _Correction,
    now: datetime,
) -> Corrected:
    """Take the stop out of its plans as it was, set it right, and plan it anew."""
    facility = session.get_one(Facility, stop.facility_id)
    opened = []
    for plan in plans:
        visit = next((one for one in plan.visits if one.stop_request_id == stop.id), None)
        if visit is None or plan.status not in CHANGEABLE:
            continue
        over = is_over(plan.day, facility.utc_offset_minutes, now)
        if over or stop.day != plan.day or stop.status not in WAITING:
            if visit.latitude is None:  # for this plan it stays where it was planned
                visit.latitude, visit.longitude = stop.latitude, stop.longitude
            continue
        opened.append((plan, visit.courier_id, taken_out(draft_of(session, plan, now=now), stop.id)))
    correction.make()
    session.flush()  # the drafts below read it as it is now
    for plan, courier_id, draft in opened:
        _plan_anew(session, plan, stop, draft)
        # What was changed before was changed for the stop as it was: there is no way back to it.
        close_edits(session, plan, (EditState.APPLIED, EditState.UNDONE))
        to = next((one.courier_id for one in plan.visits if one.stop_request_id == stop.id), None)
        told = {"stop_id": stop.id, "from_courier_id": courier_id, "to_courier_id": to}
        record(session, actor, plan, correction.told_as, now, told)
    for plan in plans:
        if plan.status in _PENDING:
            begin_again(session, plan, now=now)
    audit(
        session,
        actor,
        correction.action,
        subject_kind="stop",
        subject_id=stop.id,
        now=now,
        details=correction.details,
    )
    return Corrected(_courier_of(plans, stop), len(opened), changed=True)


def _plan_anew(session: Session, plan: Plan, stop: StopRequest, draft: Draft) -> None:
    """Give the stop its cheapest place: with a lock at its courier, otherwise with anybody."""
    fresh = stop_of(session, plan, stop, locked_to=draft.problem.stop(str(stop.id)).locked_to)
    problem, value = draft.problem.with_stop(fresh), draft.plan
    places = insertion.offers(
        problem, value, fresh, frozen=draft.frozen, now_s=draft.now_s, limit=len(draft.couriers)
    )
    best = next((one for one in places if int(one.vehicle_id) not in draft.out), None)
    if best is not None:
        value = insertion.apply(problem, value, best, frozen=draft.frozen, now_s=draft.now_s)
    else:
        value = plan_of(value.routes, (*value.unserved, _unserved(problem, fresh)), value.solver, 0.0)
    refuse_broken(problem, value)
    locked = next(one.locked for one in plan.visits if one.stop_request_id == stop.id)
    store(plan, value)
    for visit in plan.visits:
        if visit.stop_request_id == stop.id:
            visit.locked = locked
    if plan.status is PlanStatus.PUBLISHED:
        stop.status = StopStatus.OPEN if best is None else StopStatus.PLANNED


def _unserved(problem: pickup.Problem, stop: pickup.Stop) -> pickup.Unserved:
    if not any(stop.skills <= vehicle.skills for vehicle in problem.vehicles):
        return pickup.Unserved(
            stop.stop_id, pickup.ReasonCode.NO_VEHICLE_WITH_SKILLS, {"skills": tuple(sorted(stop.skills))}
        )
    rules = Rules.of(problem)
    able = [vehicle for vehicle in problem.vehicles if vehicle.may_serve(stop)]
    if stop.area is not None and able and not any(rules.windows(vehicle, stop) for vehicle in able):
        return pickup.Unserved(stop.stop_id, pickup.ReasonCode.AREA_CLOSED, {"area": stop.area})
    return pickup.Unserved(stop.stop_id, pickup.ReasonCode.NO_PLACE_BESIDE_OTHERS)


def _correct_request(session: Session, stop: StopRequest) -> None:
    """What the stop was asked for with: its pickup, and the weekly one it is of."""
    if stop.pickup_request_id is None:
        return
    request = session.get_one(PickupRequest, stop.pickup_request_id)
    request.latitude, request.longitude = stop.latitude, stop.longitude
    if request.recurring_id is not None:
        weekly = session.get_one(RecurringPickup, request.recurring_id)
        weekly.latitude, weekly.longitude = stop.latitude, stop.longitude


def _courier_of(plans: Sequence[Plan], stop: StopRequest) -> int | None:
    """Who makes it: by the plan in force, or else by the newest draft."""
    order = sorted(
        (plan for plan in plans if plan.status in CHANGEABLE and plan.day == stop.day),
        key=lambda plan: (plan.status is PlanStatus.PUBLISHED, plan.id),
    )
    if not order:
        return None
    return next((one.courier_id for one in order[-1].visits if one.stop_request_id == stop.id), None)
