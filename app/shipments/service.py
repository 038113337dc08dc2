"""What happens to shipments: planned, booked, scanned, confirmed, cancelled."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import outbox
from app.db.session import tenant_of
from app.errors import ConflictError
from app.shipments import unmatched
from app.shipments.booking import RoutePlan, book, plan, reserve_numbers
from app.shipments.booking_request import BookingRequest, Merge, Place
from app.shipments.folding import state_of_scans
from app.shipments.models import Shipment, ShipmentBooking
from app.shipments.scan_store import scans_by_shipment
from app.shipments.scan_values import CANCEL_DEVICE, RECEIPT_DEVICE, ProofInput, ScanInput, ScanResult
from app.shipments.scanning import BATCH_MAX, record_scans
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import PLACELESS

__all__ = [
    "BATCH_MAX",
    "BookingRequest",
    "Merge",
    "Place",
    "ProofInput",
    "RoutePlan",
    "ScanInput",
    "ScanResult",
    "book",
    "cancel",
    "confirm_receipt",
    "follow_merge",
    "plan",
    "record_own",
    "record_scans",
    "reserve_numbers",
    "retry_unmatched",
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
    _lock(session, shipment)
    if shipment.milestone != Milestone.DELIVERED:
        raise ConflictError("receipt is confirmed after delivery")
    results = _own_scan(
        session, shipment, ScanCode.RECEIPT_CONFIRMED, device_id=RECEIPT_DEVICE, reason=by, now=now
    )
    if results[0].status == "recorded":
        payload = {"shipment_id": shipment.id, "reason": "receipt_confirmed"}
        outbox.append(session, "shipment.receipt_confirmed", payload, now=now)


def cancel(session: Session, shipment: Shipment, *, now: datetime) -> None:
    """Take a booking back before the carrier has any piece of it. Twice is once.

    Raises:
        ConflictError: it has been collected.
    """
    _lock(session, shipment)
    if shipment.milestone == Milestone.CANCELLED:
        return
    _state, counting = state_of_scans(scans_by_shipment(session, [shipment])[shipment.id], 1)
    if shipment.milestone != Milestone.BOOKED or any(scan.code not in PLACELESS for scan in counting):
        raise ConflictError("the carrier has the parcel; it can be intercepted, not cancelled")
    _own_scan(session, shipment, ScanCode.CANCELLED, device_id=CANCEL_DEVICE, reason=None, now=now)


def record_own(
    session: Session,
    shipment: Shipment,
    code: ScanCode,
    *,
    device_id: str,
    client_scan_id: str,
    facility_id: int | None,
    reason: str | None = None,
    now: datetime,
) -> str:
    """Record what the service itself does to a parcel, once; gives the key of the scan.

    Args:
        session: of the shipment's tenant.
        shipment: all pieces of it.
        code: what is done.
        device_id: as which of its own devices.
        client_scan_id: the same whenever the same thing is recorded again.
        facility_id: where the parcel lies.
        reason: why, where somebody asks.
        now: when.
    """
    scan = ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=now,
        offset_minutes=shipment.booked_offset_minutes,
        device_id=device_id,
        client_scan_id=client_scan_id,
        facility_id=facility_id,
        reason=reason,
    )
    (result,) = record_scans(session, None, [scan], now=now)
    assert result.scan_key is not None, "the service's own scans are well formed and of known shipments"
    return result.scan_key


def retry_unmatched(session: Session, *, now: datetime, limit: int = 1000) -> int:
    """Record kept scans whose number has been booked since; gives how many are no longer unmatched."""
    rows = unmatched.now_known(session, limit)
    results = record_scans(session, None, [unmatched.as_sent(row) for row in rows], now=now)
    resolved = [row for row, result in zip(rows, results, strict=True) if result.status != "rejected"]
    for row in resolved:
        row.resolved_at = now
    return len(resolved)


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: what was the dropped one's is the kept one's."""
    for column in (ShipmentBooking.customer_id, ShipmentBooking.consignee_customer_id):
        session.execute(
            sa.update(ShipmentBooking)
            .where(column == drop_id, ShipmentBooking.tenant_id == tenant_of(session))
            .values({column: keep_id})
        )


def _lock(session: Session, shipment: Shipment) -> None:
    """Wait for whoever is changing the shipment, and look at it again."""
    session.refresh(shipment, with_for_update={"key_share": True})


def _own_scan(
    session: Session, shipment: Shipment, code: ScanCode, *, device_id: str, reason: str | None, now: datetime
) -> list[ScanResult]:
    """Record what has no place and happens to a shipment at most once."""
    scan = ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=now,
        offset_minutes=shipment.booked_offset_minutes,
        device_id=device_id,
        client_scan_id=shipment.waybill_number,
        reason=reason,
    )
    return record_scans(session, None, [scan], now=now)
