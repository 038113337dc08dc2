"""Questions of the dispatch room. `load_plan`, `load_stop` and `load_courier` are the guarded loaders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.dispatch.models import Courier, Plan, PlanVisit, StopRequest, StopStatus
from app.errors import NotFoundError
from app.network.models import Facility
from app.pagination import Page, decode_cursor, page_of
from app.shipments.models import Shipment

DEFAULT_OFFSET_MINUTES = 480


def load_plan(session: Session, actor: Actor, plan_id: int) -> Plan:
    """A plan with its rounds, for those who plan.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    plan = session.scalar(
        sa.select(Plan)
        .options(selectinload(Plan.rounds), selectinload(Plan.visits), selectinload(Plan.unserved))
        .where(Plan.id == plan_id)
    )
    if plan is None or not actor.may(Scope.DISPATCH_READ):
        raise NotFoundError("no such plan")
    return plan


def load_plan_head(session: Session, actor: Actor, plan_id: int) -> Plan:
    """A plan without its rounds, which are read when they are asked for; for those who plan.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    plan = session.scalar(sa.select(Plan).where(Plan.id == plan_id))
    if plan is None or not actor.may(Scope.DISPATCH_READ):
        raise NotFoundError("no such plan")
    return plan


def load_stop(session: Session, actor: Actor, stop_id: int) -> StopRequest:
    """A stop, for those who plan.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    stop = session.scalar(sa.select(StopRequest).where(StopRequest.id == stop_id))
    if stop is None or not actor.may(Scope.DISPATCH_READ):
        raise NotFoundError("no such stop")
    return stop


def courier_of_stop(session: Session, plan: Plan, stop: StopRequest) -> int | None:
    """Who makes a stop by a plan; None for nobody."""
    return session.scalar(
        sa.select(PlanVisit.courier_id).where(
            PlanVisit.plan_id == plan.id, PlanVisit.stop_request_id == stop.id
        )
    )


def load_courier(session: Session, actor: Actor, courier_id: int) -> Courier:
    """A courier: those who plan know all of them, a courier himself.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    courier = session.scalar(sa.select(Courier).where(Courier.id == courier_id))
    himself = actor.role == Role.COURIER and actor.subject_id == courier_id
    if courier is None or not (himself or actor.may(Scope.DISPATCH_READ)):
        raise NotFoundError("no such courier")
    return courier


def busiest_outlets(session: Session, *, day: date, limit: int) -> list[int]:
    """Outlets with the most stops that no round of the day has yet, busiest first."""
    return list(
        session.scalars(
            sa.select(StopRequest.facility_id)
            .where(StopRequest.day == day, StopRequest.status == StopStatus.OPEN)
            .group_by(StopRequest.facility_id)
            .order_by(sa.func.count().desc(), StopRequest.facility_id)
            .limit(limit)
        )
    )


@dataclass(frozen=True, slots=True)
class OutletDay:
    """An outlet with something to do on a day."""

    facility: Facility
    stops: int
    open_stops: int


def outlets_of_day(session: Session, day: date) -> list[OutletDay]:
    """Outlets with stops on a day, those with the most open ones first."""
    open_stops = sa.func.count().filter(StopRequest.status == StopStatus.OPEN)
    rows = session.execute(
        sa.select(Facility, sa.func.count(), open_stops)
        .join(StopRequest, StopRequest.facility_id == Facility.id)
        .where(StopRequest.day == day, StopRequest.status != StopStatus.CANCELLED)
        .group_by(Facility.id)
        .order_by(open_stops.desc(), Facility.code)
    )
    return [OutletDay(facility, stops, waiting) for facility, stops, waiting in rows]


def first_outlet(session: Session) -> Facility | None:
    """An outlet that has couriers, where no day says which."""
    return session.scalar(
        sa.select(Facility)
        .where(Facility.id.in_(sa.select(Courier.facility_id).where(Courier.active)))
        .order_by(Facility.code)
        .limit(1)
    )


def outlets_with_couriers(session: Session) -> Sequence[Facility]:
    """Outlets that have couriers, by code."""
    return session.scalars(
        sa.select(Facility).where(Facility.id.in_(sa.select(Courier.facility_id))).order_by(Facility.code)
    ).all()


def list_stops(
    session: Session,
    actor: Actor,
    *,
    facility_id: int | None,
    day: date | None,
    statuses: Sequence[StopStatus],
    cursor: str | None,
    limit: int,
) -> Page[tuple[StopRequest, str]]:
    """Stops with their waybill numbers, in the order they were asked for.

    Args:
        session: of the asker's tenant.
        actor: who asks; those who plan see all.
        facility_id, day: narrow it down; None does not.
        statuses: any of these; empty: all.
        cursor: of the page before.
        limit: stops a page.
    """
    if not actor.may(Scope.DISPATCH_READ):
        raise NotFoundError("no stops")
    statement = sa.select(StopRequest, number_of_stop()).outerjoin(
        Shipment, Shipment.id == StopRequest.shipment_id
    )
    if facility_id is not None:
        statement = statement.where(StopRequest.facility_id == facility_id)
    if day is not None:
        statement = statement.where(StopRequest.day == day)
    if statuses:
        statement = statement.where(StopRequest.status.in_(statuses))
    if cursor is not None:
        (after,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(StopRequest.id > after)
    rows = [
        (stop, number)
        for stop, number in session.execute(statement.order_by(StopRequest.id).limit(limit + 1))
    ]
    return page_of(rows, limit, lambda row: (row[0].id,))


def number_of_stop() -> sa.ColumnElement[str]:
    """By what people call a stop: its parcel's waybill number, or the pickup's; the shipment is joined."""
    return sa.func.coalesce(
        Shipment.waybill_number, sa.func.concat("P", sa.cast(StopRequest.pickup_request_id, sa.Text))
    )


def number_of(session: Session, stop: StopRequest) -> str:
    """By what people call a stop; see `number_of_stop`."""
    found = session.scalar(
        sa.select(number_of_stop())
        .select_from(StopRequest)
        .outerjoin(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(StopRequest.id == stop.id)
    )
    assert found is not None, "it is stored"
    return found


def list_couriers(session: Session, facility_id: int) -> Sequence[Courier]:
    """Couriers of an outlet, those at work first."""
    return session.scalars(
        sa.select(Courier)
        .where(Courier.facility_id == facility_id)
        .order_by(Courier.active.desc(), Courier.code)
    ).all()


def collector_party(session: Session, *, courier_id: int | None, facility_id: int | None) -> int:
    """The party that owes what was collected at a door: the courier's own, or that of the counter."""
    if courier_id is not None:
        return session.get_one(Courier, courier_id).party_id
    assert facility_id is not None, "somebody collected it"
    return session.get_one(Facility, facility_id).party_id


def local_day(now: datetime, facility: Facility | None) -> date:
    """The day it is at an outlet."""
    offset = DEFAULT_OFFSET_MINUTES if facility is None else facility.utc_offset_minutes
    return now.astimezone(timezone(timedelta(minutes=offset))).date()
