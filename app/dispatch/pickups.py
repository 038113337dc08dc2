"""Pickups asked for before anything is booked: by portal, phone or API, once or every week.

A request is a stop of its outlet's day like that of a booked parcel. Who asks twice for one place and day, or
has a parcel booked there that is called for anyway, asks once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch import leaving
from app.dispatch.models import StopKind, StopRequest, StopStatus
from app.dispatch.pickup_models import PickupChannel, PickupRequest
from app.dispatch.stop_rows import service_s
from app.dispatch.stored import WAITING
from app.dispatch.wanted import Wanted, columns, place_key, placed, refuse_impossible
from app.errors import ConflictError
from app.shipments.models import Shipment


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking; `is_new` is False where the place is called on that day anyway."""

    stop: StopRequest
    request: PickupRequest | None
    is_new: bool


def ask_pickup(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    *,
    customer_id: int,
    channel: PickupChannel,
    now: datetime,
    recurring_id: int | None = None,
) -> Asked:
    """Ask for a courier to somebody who has something to send; twice for one place and day is once.

    Args:
        session: of the asker's tenant.
        actor: who asks.
        wanted: who, where, when, how much.
        customer_id: whose goods.
        channel: how it was asked for.
        now: the present moment.
        recurring_id: of the weekly pickup that it is one of.

    Raises:
        InvalidInputError: the day or window cannot be, or no outlet serves the place; says which.
        NotFoundError: there is no such district.
    """
    place = placed(session, wanted)
    refuse_impossible(wanted, place, now)
    known = _called_on_anyway(session, wanted, customer_id)
    if known is not None:
        return Asked(known, None, is_new=False)
    request_id = session.scalar(
        insert(PickupRequest)
        .values(
            tenant_id=tenant_of(session),
            customer_id=customer_id,
            channel=channel,
            day=wanted.day,
            place_key=place_key(wanted.address),
            recurring_id=recurring_id,
            requested_by_id=actor.user_id,
            requested_at=now,
            **columns(wanted, place),
        )
        .on_conflict_do_nothing()
        .returning(PickupRequest.id)
    )
    if request_id is None:
        request, stop = _asked_before(session, wanted, customer_id)
        return Asked(stop, request, is_new=False)
    request = session.get_one(PickupRequest, request_id)
    stop = _stop_of(request)
    session.add(stop)
    session.flush()  # callers need the id
    details = {"day": wanted.day.isoformat(), "channel": channel.value}
    audit(
        session,
        actor,
        "pickup.asked",
        subject_kind="pickup",
        subject_id=request.id,
        now=now,
        details=details,
    )
    return Asked(stop, request, is_new=True)


def cancel_pickup(session: Session, actor: Actor, request: PickupRequest, *, now: datetime) -> StopRequest:
    """Take a pickup back that nobody has made yet; it leaves the round that it is planned in.

    Returns:
        Its stop.

    Raises:
        ConflictError: it was made, failed, or was taken back before.
    """
    stop = session.scalars(sa.select(StopRequest).where(StopRequest.pickup_request_id == request.id)).one()
    plans = leaving.lock_plans(session, [stop.id])
    session.refresh(stop, with_for_update=True)
    if stop.status not in WAITING:
        raise ConflictError(f"this pickup is {stop.status}")
    stop.status = StopStatus.CANCELLED
    request.cancelled_at = now
    audit(session, actor, "pickup.cancelled", subject_kind="pickup", subject_id=request.id, now=now)
    leaving.leave(session, actor, plans, [stop.id], now=now)
    return stop


def finish_pickup(
    session: Session, actor: Actor, stop: StopRequest, *, collected: bool, reason: str | None, now: datetime
) -> None:
    """Say of a pickup without a booked parcel whether it was made; saying it again changes nothing.

    Raises:
        ConflictError: it was taken back.
    """
    session.refresh(stop, with_for_update=True)
    if stop.status is StopStatus.CANCELLED:
        raise ConflictError("this pickup was taken back")
    if stop.status not in WAITING:
        return
    stop.status = StopStatus.DONE if collected else StopStatus.FAILED
    audit(
        session,
        actor,
        "pickup.collected" if collected else "pickup.failed",
        subject_kind="pickup",
        subject_id=stop.pickup_request_id,
        now=now,
        reason=reason,
    )


def _called_on_anyway(session: Session, wanted: Wanted, customer_id: int) -> StopRequest | None:
    """The stop of a parcel that is booked at the same place for the same day."""
    found: Sequence[StopRequest] = session.scalars(
        sa.select(StopRequest)
        .join(Shipment, Shipment.id == StopRequest.shipment_id)
        .where(
            Shipment.customer_id == customer_id,
            StopRequest.kind == StopKind.PICKUP,
            StopRequest.day == wanted.day,
            StopRequest.status.in_(WAITING),
        )
        .order_by(StopRequest.id)
    ).all()
    key = place_key(wanted.address)
    return next((stop for stop in found if place_key(stop.address) == key), None)


def _asked_before(session: Session, wanted: Wanted, customer_id: int) -> tuple[PickupRequest, StopRequest]:
    request, stop = session.execute(
        sa.select(PickupRequest, StopRequest)
        .join(StopRequest, StopRequest.pickup_request_id == PickupRequest.id)
        .where(
            PickupRequest.customer_id == customer_id,
            PickupRequest.day == wanted.day,
            PickupRequest.place_key == place_key(wanted.address),
        )
        .order_by(PickupRequest.cancelled_at.is_not(None), PickupRequest.id.desc())
        .limit(1)
    ).one()
    return request, stop


def _stop_of(request: PickupRequest) -> StopRequest:
    return StopRequest(
        tenant_id=request.tenant_id,
        pickup_request_id=request.id,
        facility_id=request.facility_id,
        kind=StopKind.PICKUP,
        status=StopStatus.OPEN,
        day=request.day,
        window_from_s=request.window_from_s,
        window_to_s=request.window_to_s,
        service_s=service_s(StopKind.PICKUP, request.pieces),
        latitude=request.latitude,
        longitude=request.longitude,
        contact_name=request.contact_name,
        contact_phone=request.contact_phone,
        address=request.address,
        weight_g=request.weight_g,
        volume_cm3=request.volume_cm3,
        pieces=request.pieces,
        priority=0,
        skills=request.skills,
        created_at=request.requested_at,
    )
