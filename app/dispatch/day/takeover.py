"""A courier falls out in the middle of his round: what is left of it is offered and given to the others.

What he has aboard for consignees stays his: nobody else can hand it over before it has changed vans, and that
is a thing between people. What nobody can take any more is open again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from app.accounts.service import audit
from app.actor import Actor
from app.db import arrays
from app.db.session import tenant_of
from app.dispatch.changing import change
from app.dispatch.day import following
from app.dispatch.day.models import CourierLive
from app.dispatch.journal import lock_plan
from app.dispatch.models import Courier, Plan, PlanStatus, StopRequest, StopStatus
from app.dispatch.problem import Draft, draft_of
from app.dispatch.queries import local_day
from app.dispatch.stored import FINISHED, MADE
from app.errors import InvalidInputError
from app.network.models import Facility
from routing import pickup
from routing.pickup import ChangeRefusedError, insertion

REASON_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Passed:
    """A stop of the round that is given up, and who takes it.

    `courier` is None where it stays: `aboard` with the courier who falls out, or else in no round.
    """

    stop: Row[Any]
    courier: Courier | None
    start_s: int | None
    extra_cost_minor: int
    aboard: bool


@dataclass(frozen=True, slots=True)
class Takeover:
    """What becomes of a round; `plan` is None where the courier has none in force today."""

    courier: Courier
    plan: Plan | None
    passed: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class _Worked:
    draft: Draft
    value: pickup.Plan
    passed: tuple[Passed, ...]


def preview(session: Session, courier: Courier, *, now: datetime) -> Takeover:
    """Who could take what is left of a courier's round, cheapest first; changes nothing."""
    plan = _plan_in_force(session, courier, now)
    if plan is None:
        return Takeover(courier, None, ())
    return Takeover(courier, plan, _worked_out(session, plan, courier, now).passed)


def take_off(
    session: Session,
    actor: Actor,
    courier: Courier,
    *,
    reason: str,
    until: datetime,
    version: int | None = None,
    now: datetime,
) -> Takeover:
    """Take a courier off until a moment, and give what is left of his round to the others.

    Args:
        session: of the courier's tenant.
        actor: who takes him off.
        courier: who falls out.
        reason: what happened, for the others.
        until: from when on he works again.
        version: of the plan that the asker looked at; None takes whatever stands there.
        now: the present moment.

    Raises:
        InvalidInputError: nothing or too much is said of the reason, or the moment is past.
        StaleVersionError: somebody has changed the plan since.
        ConflictError: the plan would break a rule.
    """
    wrong = []
    if not 0 < len(reason.strip()) <= REASON_LENGTH_MAX or "\0" in reason:
        wrong.append({"detail": f"1 to {REASON_LENGTH_MAX} characters", "pointer": "/reason"})
    if until <= now:
        wrong.append({"detail": "lies in the past", "pointer": "/until"})
    if wrong:
        raise InvalidInputError("why and until when he is off is not said", wrong)
    _mark(session, courier, until, reason.strip())
    plan = _plan_in_force(session, courier, now)
    passed: tuple[Passed, ...] = ()
    if plan is not None:
        lock_plan(session, plan, version)
        worked = _worked_out(session, plan, courier, now)
        passed = worked.passed
        given = [one for one in passed if not one.aboard]
        if given:
            told = {"from_courier_id": courier.id, "stops": len(given), "reason": reason.strip()}
            action = "plan.round_given_up"
            change(session, actor, plan, worked.draft, worked.value, action=action, now=now, details=told)
        session.flush()  # the estimates read the visits
        for status in (StopStatus.OPEN, StopStatus.PLANNED):
            ids = [one.stop.id for one in given if (one.courier is None) is (status is StopStatus.OPEN)]
            session.execute(
                sa.update(StopRequest).where(StopRequest.id == arrays.any_of(ids)).values(status=status)
            )
        following.follow(session, session.get_one(Facility, courier.facility_id), now=now)
    details = {"until": until.isoformat(), "reason": reason.strip(), "stops": len(passed)}
    audit(
        session,
        actor,
        "courier.taken_off",
        subject_kind="courier",
        subject_id=courier.id,
        now=now,
        details=details,
    )
    return Takeover(courier, plan, passed)


def put_back(session: Session, actor: Actor, courier: Courier, *, now: datetime) -> None:
    """He works again; what others took over stays theirs."""
    session.execute(
        sa.update(CourierLive)
        .where(CourierLive.courier_id == courier.id)
        .values(off_until=None, off_reason=None)
    )
    audit(session, actor, "courier.put_back", subject_kind="courier", subject_id=courier.id, now=now)


def _worked_out(session: Session, plan: Plan, courier: Courier, now: datetime) -> _Worked:
    draft = draft_of(session, plan, now=now)
    frozen = dict(draft.frozen)
    route = draft.plan.route_of(str(courier.id))
    if route is None:
        return _Worked(draft, draft.plan, ())
    in_order = [draft.stops[int(visit.stop_id)] for visit in route.visits]
    # The one that he was driving to is not fixed any more: he does not come there.
    done = [place for place, stop in enumerate(in_order) if stop.status in MADE]
    frozen[str(courier.id)] = done[-1] + 1 if done else 0
    away = {str(courier.id), *_off(session, draft.couriers, now)}
    value, passed = draft.plan, []
    for stop in in_order[frozen[str(courier.id)] :]:
        if stop.status in FINISHED:
            continue  # taken back since: nobody has to go there
        if stop.kind.brings:
            passed.append(Passed(stop, None, None, 0, aboard=True))
            continue
        value, one = _pass_on(draft, value, stop, frozen, away)
        passed.append(one)
    return _Worked(draft, value, tuple(passed))


def _pass_on(
    draft: Draft, value: pickup.Plan, stop: Row[Any], frozen: Mapping[str, int], away: set[str]
) -> tuple[pickup.Plan, Passed]:
    name = str(stop.id)
    problem, now_s = draft.problem, draft.now_s
    taken = insertion.remove(problem, value, name, frozen=frozen, now_s=now_s)
    places: Sequence[insertion.Offer] = ()
    if problem.stop(name).locked_to is None:
        places = insertion.offers(
            problem,
            taken.plan,
            problem.stop(name),
            frozen=frozen,
            now_s=now_s,
            limit=len(draft.couriers),
        )
    for offer in places:
        if offer.vehicle_id in away:
            continue
        try:
            changed = insertion.apply(problem, taken.plan, offer, frozen=frozen, now_s=now_s)
        except ChangeRefusedError:
            continue
        courier = draft.couriers[int(offer.vehicle_id)]
        cost = taken.extra_cost_minor + offer.extra_cost_minor
        return changed, Passed(stop, courier, offer.start_s, cost, aboard=False)
    return taken.plan, Passed(stop, None, None, taken.extra_cost_minor, aboard=False)


def _off(session: Session, couriers: Mapping[int, Courier], now: datetime) -> set[str]:
    rows = session.scalars(
        sa.select(CourierLive.courier_id).where(
            CourierLive.courier_id.in_(couriers), CourierLive.off_until > now
        )
    )
    return {str(one) for one in rows}


def _plan_in_force(session: Session, courier: Courier, now: datetime) -> Plan | None:
    facility = session.get_one(Facility, courier.facility_id)
    return session.scalar(
        sa.select(Plan)
        .options(selectinload(Plan.rounds), selectinload(Plan.visits), selectinload(Plan.unserved))
        .where(
            Plan.facility_id == courier.facility_id,
            Plan.day == local_day(now, facility),
            Plan.status == PlanStatus.PUBLISHED,
        )
    )


def _mark(session: Session, courier: Courier, until: datetime, reason: str) -> None:
    values = {"off_until": until, "off_reason": reason}
    session.execute(
        insert(CourierLive)
        .values(tenant_id=tenant_of(session), courier_id=courier.id, **values)
        .on_conflict_do_update(index_elements=[CourierLive.courier_id], set_=values)
    )
