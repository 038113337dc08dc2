"""Stops that nobody has to make any more leave the rounds they are planned in, at once.

Whoever takes a stop back locks first the plans that know it, in the order of their ids, and then the stop.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, aliased, selectinload

from app.actor import Actor
from app.db import arrays
from app.dispatch.changing import CHANGEABLE, is_over
from app.dispatch.day import following
from app.dispatch.journal import close_edits_of, record
from app.dispatch.models import Plan, PlanUnserved, PlanVisit, StopRequest
from app.dispatch.problem import Draft, draft_of
from app.dispatch.stored import MADE, WAITING, store
from app.network.models import Facility
from routing import pickup
from routing.pickup import ChangeRefusedError, insertion

log = structlog.get_logger(__name__)


def lock_plans(session: Session, stop_ids: Collection[int]) -> Sequence[Plan]:
    """The drafts and plans in force that know some stops on these stops' own days, locked and as they are."""
    known = aliased(Plan)
    knowing = (
        sa.select(known.id)
        .join(
            StopRequest,
            sa.and_(StopRequest.facility_id == known.facility_id, StopRequest.day == known.day),
        )
        .where(
            StopRequest.id == arrays.any_of(stop_ids),
            known.status.in_(CHANGEABLE),
            sa.or_(
                *(
                    sa.exists().where(row.plan_id == known.id, row.stop_request_id == StopRequest.id)
                    for row in (PlanVisit, PlanUnserved)
                )
            ),
        )
    )
    return session.scalars(
        sa.select(Plan)
        .options(selectinload(Plan.rounds), selectinload(Plan.visits), selectinload(Plan.unserved))
        .where(Plan.id.in_(knowing))
        .order_by(Plan.id)
        .with_for_update(of=Plan)
        .execution_options(populate_existing=True)
    ).all()


def leave(
    session: Session, actor: Actor | None, plans: Sequence[Plan], stop_ids: Collection[int], *, now: datetime
) -> None:
    """Take stops that were cancelled out of their plans; what is behind a courier stays as it was.

    The times after them are worked out anew. A courier who is driving to one goes on from where he was.

    Args:
        session: of the plans' tenant.
        actor: who cancelled them; None for what followed from the state of a parcel.
        plans: as `lock_plans` gives them.
        stop_ids: cancelled already.
        now: the present moment.
    """
    for plan in plans:
        facility = session.get_one(Facility, plan.facility_id)
        if is_over(plan.day, facility.utc_offset_minutes, now):
            continue
        here = session.scalars(
            sa.select(StopRequest.id)
            .where(
                StopRequest.id == arrays.any_of(stop_ids),
                StopRequest.facility_id == plan.facility_id,
                StopRequest.day == plan.day,
            )
            .order_by(StopRequest.id)
        )
        known = {visit.stop_request_id for visit in plan.visits}
        known |= {entry.stop_request_id for entry in plan.unserved}
        _leave(session, actor, plan, [stop_id for stop_id in here if stop_id in known], now)
    following.nobody_comes(session, stop_ids)


def _leave(session: Session, actor: Actor | None, plan: Plan, gone: Sequence[int], now: datetime) -> None:
    draft = draft_of(session, plan, now=now)
    left: dict[int, int | None] = {}
    for stop_id in gone:
        place = draft.plan.place_of(str(stop_id))
        if place is not None and place[1] < _behind(draft, place[0]):
            continue
        try:
            without = taken_out(draft, stop_id)
        except ChangeRefusedError:
            without = None
        if without is not None:
            without = replace(without, problem=without.problem.without_stop(str(stop_id)))
        if without is None or pickup.check(without.problem, without.plan):
            # The stop is gone all the same: it stays in the round as one that was cancelled.
            log.warning("plan.cancelled_stop_stays", plan_id=plan.id, stop_id=stop_id)
            continue
        draft = without
        left[stop_id] = None if place is None else int(place[0])
    if not left:
        return
    store(plan, draft.plan)
    for stop_id, courier_id in left.items():
        told = {"stop_id": stop_id, "from_courier_id": courier_id}
        record(session, actor, plan, "plan.stop_cancelled", now, told)
    close_edits_of(session, plan, left)


def _behind(draft: Draft, vehicle_id: str) -> int:
    """How many visits of a round are behind its courier: up to the last one he made."""
    route = draft.plan.route_of(vehicle_id)
    assert route is not None, "one of its stops is asked about"
    if vehicle_id not in draft.frozen:
        return 0  # of a draft nothing is under way
    made = [
        place for place, visit in enumerate(route.visits) if draft.stops[int(visit.stop_id)].status in MADE
    ]
    return made[-1] + 1 if made else 0


def taken_out(draft: Draft, stop_id: int) -> Draft:
    """A plan without a stop. Also the one that a courier is driving to: he goes on from where he was.

    Args:
        draft: a plan that knows the stop, in a round or in none; its problem keeps the stop.
        stop_id: which.

    Raises:
        ChangeRefusedError: the rest of the round has no way without it.
    """
    name = str(stop_id)
    place = draft.plan.place_of(name)
    if place is None:
        return replace(draft, plan=_without(draft, name, draft.now_s))
    vehicle_id, position = place
    frozen = dict(draft.frozen)
    frozen[vehicle_id] = min(frozen.get(vehicle_id, 0), position)
    draft = replace(draft, frozen=frozen)
    try:
        return replace(draft, plan=_without(draft, name, draft.now_s))
    except ChangeRefusedError:
        # The round is behind its plan: without the stop it is no later than with it.
        route = draft.plan.route_of(vehicle_id)
        assert route is not None, "the stop is in it"
        return replace(draft, plan=_without(draft, name, min(draft.now_s, route.start_s)))


def _without(draft: Draft, name: str, now_s: int) -> pickup.Plan:
    return insertion.remove(
        draft.problem, draft.plan, name, frozen=draft.frozen, now_s=now_s, cancelled=True
    ).plan


def take_out_gone(session: Session, plan: Plan, *, now: datetime) -> list[int]:
    """Take stops out of a draft that nobody has to make any more, or not on its day; gives their ids."""
    gone: Sequence[int] = session.scalars(
        sa.select(StopRequest.id)
        .where(
            StopRequest.id.in_(sa.select(PlanVisit.stop_request_id).where(PlanVisit.plan_id == plan.id)),
            sa.or_(
                StopRequest.status.not_in(WAITING),
                StopRequest.day != plan.day,
                StopRequest.facility_id != plan.facility_id,
            ),
        )
        .order_by(StopRequest.id)
    ).all()
    if not gone:
        return []
    draft = draft_of(session, plan, now=now)
    value, problem = draft.plan, draft.problem
    for stop_id in gone:
        place = value.place_of(str(stop_id))
        assert place is not None, "it has a visit"
        route = value.route_of(place[0])
        assert route is not None, "it is in its round"
        # The round keeps its start: that it was possible is known, and nothing of a draft is under way.
        done = insertion.remove(problem, value, str(stop_id), frozen={}, now_s=route.start_s, cancelled=True)
        value, problem = done.plan, problem.without_stop(str(stop_id))
    violations = pickup.check(problem, value)
    assert not violations, violations
    store(plan, value)
    return list(gone)
