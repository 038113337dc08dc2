"""What happens to shipments: planned, booked, scanned, confirmed, watched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.db import outbox
from app.errors import ConflictError
from app.shipments.booking import BookingRequest, Place, RoutePlan, book, plan
from app.shipments.models import Shipment
from app.shipments.scanning import ProofInput, ScanInput, ScanResult, record_scans
from tracking.shipment import Milestone, ScanCode

__all__ = [
    "BookingRequest",
    "Place",
    "ProofInput",
    "RoutePlan",
    "ScanInput",
    "ScanResult",
    "book",
    "cancel",
    "confirm_receipt",
    "plan",
    "record_scans",
]


def confirm_receipt(session: Session, shipment: Shipment, *, now: datetime, by: str) -> None:
    """The consignee says that it has arrived: the order's money may be released. Twice is once.

    Args:
        session: of the shipment's tenant.
        shipment: a delivered one.
        now: when it was confirmed.
        by: through which door: `tracking_page`, `agent`.

    Raises:
        ConflictError: it has not been delivered.
    """
    if shipment.milestone != Milestone.DELIVERED:
        raise ConflictError("receipt is confirmed after delivery")
    results = _own_scan(session, shipment, ScanCode.RECEIPT_CONFIRMED, device_id=f"receipt-{by}", now=now)
    if results[0].status == "recorded":
        payload = {"shipment_id": shipment.id, "reason": "receipt_confirmed"}
        outbox.append(session, "shipment.receipt_confirmed", payload, now=now)


def cancel(session: Session, shipment: Shipment, *, now: datetime) -> None:
    """Take a booking back before the carrier has the parcel. Twice is once.

    Raises:
        ConflictError: it has been collected.
    """
    if shipment.milestone == Milestone.CANCELLED:
        return
    if shipment.milestone != Milestone.BOOKED:
        raise ConflictError("the carrier has the parcel; it can be intercepted, not cancelled")
    _own_scan(session, shipment, ScanCode.CANCELLED, device_id="cancel", now=now)


def _own_scan(
    session: Session, shipment: Shipment, code: ScanCode, *, device_id: str, now: datetime
) -> list[ScanResult]:
    scan = ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=now,
        offset_minutes=shipment.booked_offset_minutes,
        device_id=device_id,
        client_scan_id=shipment.waybill_number,
    )
    return record_scans(session, None, [scan], now=now)
