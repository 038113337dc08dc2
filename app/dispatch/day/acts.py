"""Acts that couriers' phones tell: recorded once, followed, and kept even where they come too late.

What happened to a parcel is recorded whoever was meant to do it. That a stop did *not* work out counts only
for the courier who has it: the one who took it over is on his way there. Both are kept and told to the
courier.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch.day.models import Act, CourierLive, Outcome, StopEvent, StopPhoto
from app.dispatch.day.told import (
    DONE_CODES,
    FAILED_CODES,
    FUTURE_MAX,
    PAST_MAX,
    REASONS_OF,
    Answer,
    Told,
    Why,
)
from app.dispatch.models import Courier, Plan, PlanRound, PlanStatus, PlanVisit, StopRequest
from app.dispatch.pickups import finish_pickup
from app.dispatch.stops import follow_shipments
from app.dispatch.stored import WAITING
from app.errors import BadRequestError, InvalidInputError, NotFoundError
from app.shipments import service as shipments
from app.shipments.models import Shipment
from app.shipments.pictures import picture_type
from app.shipments.service import ScanInput


@dataclass(frozen=True, slots=True)
class Planned:
    """A stop as the plan in force has it, in seconds of the local day and metres."""

    courier_id: int
    arrival_s: int
    start_s: int
    departure_s: int
    travel_s: int | None
    distance_m: int


@dataclass(frozen=True, slots=True)
class Found:
    """The stop that an act is about, its place in the plan in force, and what was told of the act before."""

    stop: StopRequest
    planned: Planned | None
    earlier: Answer | None


def tell(session: Session, actor: Actor, courier: Courier, told: Told, *, now: datetime) -> Answer:
    """Record what a courier did at a stop; told again it is answered as the first time.

    Args:
        session: of the courier's tenant.
        actor: whose phone tells it.
        courier: who was there.
        told: as it was told.
        now: the server's time.

    Raises:
        NotFoundError: his outlet has no such stop.
        BadRequestError: a parcel is handed over at its own door, by the room above.
        InvalidInputError: the reason is none of the stop's, or the phone's clock cannot be right.
    """
    found = find(session, courier, told, now=now)
    if found.earlier is not None:
        return found.earlier
    if told.act is Act.DONE and found.stop.kind not in DONE_CODES:
        raise BadRequestError("a parcel is handed over at its own door")
    if told.act is Act.FAILED and told.reason not in REASONS_OF[found.stop.kind]:
        raise InvalidInputError(
            "why it failed is not said", [{"detail": "is none of its reasons", "pointer": "/reason"}]
        )
    answer = conflict(courier, found) or Answer(Outcome.RECORDED)
    records = told.act is Act.DONE or (told.act is Act.FAILED and answer.outcome is Outcome.RECORDED)
    if records:
        answer = _record(session, actor, courier, found.stop, told, answer, now)
    return keep(session, courier, found, told, answer, now=now)


def find(session: Session, courier: Courier, told: Told, *, now: datetime) -> Found:
    """What an act is about; acts of one phone are taken one after the other.

    Raises:
        NotFoundError: the courier's outlet has no such stop.
        InvalidInputError: the phone's clock cannot be right.
    """
    if not now - PAST_MAX <= told.occurred_at <= now + FUTURE_MAX:
        raise InvalidInputError(
            "the phone's clock is wrong",
            [{"detail": "more than 30 days ago, or a day ahead", "pointer": "/occurred_at"}],
        )
    stop = session.scalar(
        sa.select(StopRequest)
        .where(StopRequest.id == told.stop_id, StopRequest.facility_id == courier.facility_id)
        .execution_options(populate_existing=True)  # an act before this one may have changed it
    )
    if stop is None:
        raise NotFoundError("no such stop at your outlet")
    key = f"{tenant_of(session)}\n{told.device_id}\n{told.client_id}".encode()
    number = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big", signed=True)
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    event = session.scalar(
        sa.select(StopEvent).where(
            StopEvent.device_id == told.device_id, StopEvent.client_id == told.client_id
        )
    )
    earlier = None
    if event is not None:
        earlier = Answer(event.outcome, duplicate=True, why=None if event.why is None else Why(event.why))
    return Found(stop, _planned(session, stop), earlier)


def conflict(courier: Courier, found: Found) -> Answer | None:
    """Why a stop is not the courier's to make any more; None while it is."""
    if found.planned is None:
        return Answer(Outcome.CONFLICT, why=Why.NOT_IN_ROUND, detail="the stop is in no round any more")
    if found.planned.courier_id != courier.id:
        return Answer(Outcome.CONFLICT, why=Why.OTHER_COURIER, detail="another courier has the stop now")
    if found.stop.status not in WAITING:
        return Answer(Outcome.CONFLICT, why=Why.FINISHED, detail=f"the stop is {found.stop.status} already")
    return None


def keep(
    session: Session, courier: Courier, found: Found, told: Told, answer: Answer, *, now: datetime
) -> Answer:
    """Write down an act with what became of it, and what it says of where the courier is."""
    planned = found.planned
    event = StopEvent(
        tenant_id=tenant_of(session),
        device_id=told.device_id,
        client_id=told.client_id,
        stop_request_id=found.stop.id,
        courier_id=courier.id,
        facility_id=found.stop.facility_id,
        day=found.stop.day,
        act=told.act,
        outcome=answer.outcome,
        why=answer.why,
        occurred_at=told.occurred_at.astimezone(UTC),
        received_at=now,
        offset_minutes=told.offset_minutes,
        reason=told.reason,
        latitude=told.latitude,
        longitude=told.longitude,
    )
    if planned is not None and planned.courier_id == courier.id:
        event.planned_arrival_s, event.planned_start_s = planned.arrival_s, planned.start_s
        event.planned_departure_s = planned.departure_s
        event.planned_travel_s, event.planned_distance_m = planned.travel_s, planned.distance_m
    session.add(event)
    session.flush()  # the photo needs its id
    if told.photo is not None:
        content_type = picture_type(told.photo)
        assert content_type is not None, "checked when it was told"
        session.add(
            StopPhoto(
                tenant_id=event.tenant_id,
                stop_event_id=event.id,
                content_type=content_type,
                content=told.photo,
            )
        )
    _live(session, courier, told, now)
    return answer


def _record(
    session: Session,
    actor: Actor,
    courier: Courier,
    stop: StopRequest,
    told: Told,
    answer: Answer,
    now: datetime,
) -> Answer:
    if stop.shipment_id is None:  # a pickup of what is booked later
        collected = told.act is Act.DONE
        finish_pickup(session, actor, stop, collected=collected, reason=told.reason, now=now)
        return answer
    code = DONE_CODES[stop.kind] if told.act is Act.DONE else FAILED_CODES[stop.kind]
    number = session.scalar(sa.select(Shipment.waybill_number).where(Shipment.id == stop.shipment_id))
    assert number is not None, "shipments are never removed"
    scan = ScanInput(
        number=number,
        code=code,
        occurred_at=told.occurred_at,
        offset_minutes=told.offset_minutes,
        device_id=told.device_id,
        client_scan_id=f"{told.client_id}:{code}",
        courier_id=courier.id,
        reason=told.reason if told.act is Act.FAILED else None,
    )
    (result,) = shipments.record_scans(session, actor, [scan], now=now)
    if result.status == "rejected":
        return Answer(Outcome.REFUSED, why=Why.NOT_RECORDED, detail=result.detail)
    # Followed now and not only when the event comes round, so that the page shows the next stop.
    follow_shipments(session, [stop.shipment_id], now=now)
    return answer


def _planned(session: Session, stop: StopRequest) -> Planned | None:
    before = aliased(PlanVisit)
    row = session.execute(
        sa.select(PlanVisit, before.departure_s, PlanRound.start_s, PlanRound.rests)
        .join(Plan, Plan.id == PlanVisit.plan_id)
        .join(
            PlanRound,
            sa.and_(PlanRound.plan_id == Plan.id, PlanRound.courier_id == PlanVisit.courier_id),
        )
        .outerjoin(
            before,
            sa.and_(
                before.plan_id == PlanVisit.plan_id,
                before.courier_id == PlanVisit.courier_id,
                before.sequence == PlanVisit.sequence - 1,
            ),
        )
        .where(
            PlanVisit.stop_request_id == stop.id,
            Plan.facility_id == stop.facility_id,
            Plan.day == stop.day,
            Plan.status == PlanStatus.PUBLISHED,
        )
    ).one_or_none()
    if row is None:
        return None
    visit, departed_s, start_s, rests = row
    rested = any(after == visit.sequence for _key, after, _start_s, _end_s in rests)
    return Planned(
        courier_id=visit.courier_id,
        arrival_s=visit.arrival_s,
        start_s=visit.start_s,
        departure_s=visit.departure_s,
        travel_s=None if rested else visit.arrival_s - (start_s if departed_s is None else departed_s),
        distance_m=visit.distance_m,
    )


def _live(session: Session, courier: Courier, told: Told, now: datetime) -> None:
    """The courier's latest act by his own clock, as far as that can be: what is told late changes nothing."""
    at = min(told.occurred_at.astimezone(UTC), now + timedelta(minutes=1))
    values = {"act": told.act, "act_stop_id": told.stop_id, "act_at": at}
    session.execute(
        insert(CourierLive)
        .values(tenant_id=tenant_of(session), courier_id=courier.id, **values)
        .on_conflict_do_update(
            index_elements=[CourierLive.courier_id],
            set_=values,
            where=sa.or_(CourierLive.act_at.is_(None), CourierLive.act_at <= at),
        )
    )
