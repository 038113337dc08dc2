"""Delivery stops that follow a consignee's wish: another day, another door, or none at all."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

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


def follow_redirection(session: Session, shipment: Shipment) -> None:
    """Bring a waiting delivery stop in step with where the shipment goes now.

    One of another outlet, or to no door, is cancelled; the new outlet asks for its own when it has it.
    """
    stop = _delivery_stop(session, shipment.id)
    if stop is None or stop.status in (StopStatus.DONE, StopStatus.CANCELLED):
        return
    to_door = shipment.delivery_handover is Handover.DOOR
    if not to_door or stop.facility_id != shipment.destination_facility_id:
        stop.status = StopStatus.CANCELLED
        return
    if stop.address == shipment.consignee_address and stop.place_corrected_at is not None:
        return  # the same door, and somebody has put the pin there
    stop.address = shipment.consignee_address
    stop.latitude, stop.longitude = shipment.consignee_latitude, shipment.consignee_longitude
    stop.place_corrected_at = stop.place_corrected_by_id = None


def _delivery_stop(session: Session, shipment_id: int) -> StopRequest | None:
    return session.scalar(
        sa.select(StopRequest)
        .where(StopRequest.shipment_id == shipment_id, StopRequest.kind == StopKind.DELIVERY)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
