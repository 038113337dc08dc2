"""Delivery stops that follow a consignee's wish: another day, another door, or none at all."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch import leaving
from app.dispatch.corrections import follow_address
from app.dispatch.models import StopKind, StopRequest, StopStatus
from app.shipments.models import Shipment
from routing.network import Handover


def appoint(session: Session, shipment_id: int, *, day: date, from_s: int, to_s: int) -> bool:
    """Move the delivery stop of a shipment to a day and a part of it.

    Args:
        session: of the shipment's tenant.
        shipment_id: whose stop.
        day: local to the delivering outlet.
        from_s, to_s: seconds since its midnight.

    Returns:
        False where the stop is in a round already; True where it was moved, or there is none yet.
    """
    stop = _delivery_stop(session, shipment_id)
    if stop is None or stop.status in (StopStatus.DONE, StopStatus.CANCELLED):
        return True
    if stop.status is StopStatus.PLANNED:
        return stop.day == day and (stop.window_from_s, stop.window_to_s) == (from_s, to_s)
    stop.day, stop.window_from_s, stop.window_to_s = day, from_s, to_s
    stop.status = StopStatus.OPEN
    return True


def follow_redirection(session: Session, shipment: Shipment, *, now: datetime) -> None:
    """Bring a waiting delivery stop, and the plans that have it, in step with where the shipment goes now.

    One of another outlet, or to no door, is cancelled and leaves its round; the new outlet asks for its own
    when it has the parcel. One at another door of the same outlet is planned anew.

    Args:
        session: of the shipment's tenant.
        shipment: locked, and written as it is now.
        now: the present moment.
    """
    stop = session.scalar(_delivery_of(shipment.id))
    if stop is None or stop.status in (StopStatus.DONE, StopStatus.CANCELLED):
        return
    to_door = shipment.delivery_handover is Handover.DOOR
    if not to_door or stop.facility_id != shipment.destination_facility_id:
        _cancel(session, stop, now)
        return
    if stop.address == shipment.consignee_address and stop.place_corrected_at is not None:
        return  # the same door, and somebody has put the pin there
    follow_address(
        session,
        stop,
        address=shipment.consignee_address,
        latitude=shipment.consignee_latitude,
        longitude=shipment.consignee_longitude,
        now=now,
    )


def _cancel(session: Session, stop: StopRequest, now: datetime) -> None:
    plans = leaving.lock_plans(session, [stop.id])
    session.refresh(stop, with_for_update=True)
    if stop.status not in (StopStatus.DONE, StopStatus.CANCELLED):
        stop.status = StopStatus.CANCELLED
        leaving.leave(session, None, plans, [stop.id], now=now)


def _delivery_stop(session: Session, shipment_id: int) -> StopRequest | None:
    return session.scalar(_delivery_of(shipment_id).with_for_update())


def _delivery_of(shipment_id: int) -> sa.Select[StopRequest]:
    return (
        sa.select(StopRequest)
        .where(StopRequest.shipment_id == shipment_id, StopRequest.kind == StopKind.DELIVERY)
        .execution_options(populate_existing=True)
    )
