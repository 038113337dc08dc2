"""Running rounds are followed: when the remaining stops are reached, and what their customers are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.config import Settings
from app.db import arrays
from app.db.jobs import Step
from app.db.session import tenant_of
from app.dispatch.day.driven import Made, made
from app.dispatch.day.forecast import Coming
from app.dispatch.day.learned import load_learned
from app.dispatch.day.models import CourierLive
from app.dispatch.day.round_rows import InForce, in_force
from app.dispatch.day.running_round import Round, coming
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.dispatch.problem import second_of_day
from app.dispatch.queries import local_day
from app.dispatch.stored import WAITING
from app.network.models import Facility
from app.shipments.rounds import CourierComes, clear_rounds, tell_rounds

STOPS_AWAY_TOLD_MAX = 10
"""Further ahead the number of stops says little, and changes with every change of the plan."""
STEP_S = 300
"""Windows are told in whole steps of five minutes, rounded outwards: nobody can be surer than that."""
FOLLOW_AGAIN = timedelta(seconds=30)
"""After a position no sooner; an act is followed at once."""
_ROUNDS_AT_ONCE = 20


def follow(
    session: Session,
    facility: Facility,
    *,
    now: datetime,
    courier_ids: Collection[int] | None = None,
) -> dict[int, list[Coming]]:
    """Work out when the remaining stops of today's rounds are reached, and tell the customers.

    Args:
        session: of the outlet's tenant.
        facility: the outlet.
        now: the present moment.
        courier_ids: of these couriers only; None: of all.

    Returns:
        What lies ahead of each courier, in the order in which he comes there.
    """
    day = local_day(now, facility)
    rounds = _rounds(session, facility, day, in_force(session, facility.id, day, courier_ids))
    midnight = datetime.combine(day, time(), UTC) - timedelta(minutes=facility.utc_offset_minutes)
    ahead = _ahead_of(session, facility, rounds, day, now)
    shipment_of = {stop.id: stop.shipment_id for one in rounds for _visit, stop in one.visits}
    told = [
        (shipment_id, _window(stop, place, midnight, now))
        for stops in ahead.values()
        for place, stop in enumerate(stops)
        if (shipment_id := shipment_of[stop.stop_id]) is not None
    ]
    over = [stop.id for one in rounds for _visit, stop in one.visits if stop.status not in WAITING]
    clear_rounds(session, _not_coming(session, StopRequest.id == arrays.any_of(over)))
    tell_rounds(session, told)
    _mark_followed(session, list(ahead), now)
    return ahead


def ahead_of(
    session: Session, facility: Facility, *, now: datetime, driven: InForce | None = None
) -> dict[int, list[Coming]]:
    """When the remaining stops of today's rounds are reached, by courier; tells nobody.

    Args:
        session: of the outlet's tenant.
        facility: the outlet.
        now: the present moment.
        driven: today's rounds, where the caller has them already.
    """
    day = local_day(now, facility)
    if driven is None:
        driven = in_force(session, facility.id, day)
    return _ahead_of(session, facility, _rounds(session, facility, day, driven), day, now)


def late_of(session: Session, ahead: Mapping[int, Sequence[Coming]]) -> dict[int, int]:
    """How many stops ahead of each courier are expected after the end of their windows."""
    ids = [stop.stop_id for stops in ahead.values() for stop in stops]
    ends = dict(
        session.execute(
            sa.select(StopRequest.id, StopRequest.window_to_s).where(StopRequest.id == arrays.any_of(ids))
        ).all()
    )
    return {
        courier_id: sum(stop.expected_s > ends[stop.stop_id] for stop in stops)
        for courier_id, stops in ahead.items()
    }


def follow_if_due(session: Session, facility: Facility, courier_id: int, *, now: datetime) -> None:
    """Follow a courier's round after a position, unless that was done a moment ago."""
    followed_at = session.scalar(
        sa.select(CourierLive.followed_at).where(CourierLive.courier_id == courier_id)
    )
    if followed_at is None or now - followed_at >= FOLLOW_AGAIN:
        follow(session, facility, now=now, courier_ids=[courier_id])


def nobody_comes(session: Session, stop_ids: Collection[int]) -> None:
    """Tell the customers of cancelled stops of no courier any more, unless he comes for another stop."""
    clear_rounds(session, _not_coming(session, StopRequest.id == arrays.any_of(stop_ids)))


def follow_rounds(session: Session, _settings: Settings, now: datetime, progress: Mapping[str, Any]) -> Step:
    """Follow the running rounds of the next outlets: time passes too where nothing is heard.

    Args:
        session: sees every tenant.
        now: the present moment (UTC).
        progress: what the step before said; empty for the first one.
    """
    rows = session.execute(
        sa.select(Plan.id, Facility)
        .join(Facility, Facility.id == Plan.facility_id)
        .where(
            Plan.status == PlanStatus.PUBLISHED,
            Plan.day.between((now - timedelta(days=1)).date(), (now + timedelta(days=1)).date()),
            Plan.id > progress.get("plan", 0),
            sa.exists().where(
                PlanVisit.plan_id == Plan.id,
                PlanVisit.stop_request_id == StopRequest.id,
                StopRequest.status.in_(WAITING),
            ),
        )
        .order_by(Plan.id)
        .limit(_ROUNDS_AT_ONCE)
    ).all()
    changed = 0
    for _plan_id, facility in rows:
        session.info["tenant_id"] = facility.tenant_id  # as if the session had been opened for it
        _clear_left_out(session, facility, local_day(now, facility))
        changed += len(follow(session, facility, now=now))
        session.info["tenant_id"] = None
    return Step(changed, None if len(rows) < _ROUNDS_AT_ONCE else {"plan": rows[-1][0]})


def _ahead_of(
    session: Session, facility: Facility, rounds: Sequence[Round], day: date, now: datetime
) -> dict[int, list[Coming]]:
    learned = load_learned(session)
    now_s = second_of_day(now, day, facility.utc_offset_minutes)
    return {one.courier_id: coming(one, learned, now=now, now_s=now_s) for one in rounds}


def _window(stop: Coming, place: int, midnight: datetime, now: datetime) -> CourierComes:
    start_s = stop.from_s // STEP_S * STEP_S
    end_s = -(-stop.to_s // STEP_S) * STEP_S
    to_at = midnight + timedelta(seconds=max(end_s, start_s + STEP_S))
    # One who is there, or whose window is over, comes at any moment.
    to_at = max(to_at, now + timedelta(seconds=STEP_S))
    return CourierComes(
        midnight + timedelta(seconds=start_s), to_at, place if place <= STOPS_AWAY_TOLD_MAX else None
    )


def _rounds(session: Session, facility: Facility, day: date, driven: InForce) -> list[Round]:
    visits = driven.visits
    lives = {
        live.courier_id: live
        for live in session.scalars(
            sa.select(CourierLive)
            .where(CourierLive.courier_id.in_(visits))
            .execution_options(populate_existing=True)
        )
    }
    acts: dict[int, list[Made]] = {}
    for one in made(session, facility.id, day, visits):
        acts.setdefault(one.courier_id, []).append(one)
    return [
        Round(
            courier_id,
            driven.rounds[courier_id].start_s,
            row,
            lives.get(courier_id),
            acts.get(courier_id, []),
        )
        for courier_id, row in visits.items()
    ]


def _mark_followed(session: Session, courier_ids: Sequence[int], now: datetime) -> None:
    if not courier_ids:
        return
    tenant_id = tenant_of(session)
    session.execute(
        insert(CourierLive)
        .values([{"tenant_id": tenant_id, "courier_id": one, "followed_at": now} for one in courier_ids])
        .on_conflict_do_update(index_elements=[CourierLive.courier_id], set_={"followed_at": now})
    )


def _clear_left_out(session: Session, facility: Facility, day: date) -> None:
    """Whoever has been taken out of all rounds is told nothing of a courier any more."""
    clear_rounds(
        session,
        _not_coming(
            session,
            sa.and_(
                StopRequest.facility_id == facility.id,
                StopRequest.day == day,
                StopRequest.status != StopStatus.PLANNED,
            ),
        ),
    )


def _not_coming(session: Session, which: sa.ColumnElement[bool]) -> list[int]:
    """Shipments of some stops that no courier is on his way to with another stop of theirs."""
    other = aliased(StopRequest)
    return list(
        session.scalars(
            sa.select(StopRequest.shipment_id).where(
                which,
                StopRequest.shipment_id.is_not(None),
                ~sa.exists().where(
                    other.shipment_id == StopRequest.shipment_id, other.status == StopStatus.PLANNED
                ),
            )
        )
    )
