"""Cash at the door: what is due, what was paid, and what a voided delivery takes back.

The fact is told by the events `cod.collected` and `cod.reversed`; its accounts are the orders room's matter.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.db import arrays, outbox
from app.db.session import tenant_of
from app.deliveries.door_models import CashCollection
from app.deliveries.door_values import HandOver, Paid
from app.errors import InvalidInputError
from app.shipments.models import ScanRecord, Shipment

_AT_ONCE = 500


def due_minor(session: Session, shipment: Shipment) -> int:
    """What is still to be collected for a shipment, in minor units of its currency."""
    if not shipment.due_at_door_minor or collection_of(session, shipment) is not None:
        return 0
    return shipment.due_at_door_minor


def collection_of(session: Session, shipment: Shipment) -> CashCollection | None:
    """What was collected for a shipment and stands."""
    return session.scalar(
        sa.select(CashCollection).where(
            CashCollection.shipment_id == shipment.id, CashCollection.reversed_at.is_(None)
        )
    )


def check(shipment: Shipment, due: int, paid: Paid | None) -> bool:
    """Whether what was paid is what is due; less is not enough.

    Raises:
        InvalidInputError: it is not said what was paid, or more than what is due.
    """
    if not due:
        if paid is not None and paid.amount_minor:
            raise _wrong("nothing is due")
        return True
    if paid is None:
        raise _wrong(f"{due} minor units of {shipment.currency} are due; say what was paid, 0 for nothing")
    if paid.amount_minor > due:
        raise _wrong(f"only {due} minor units of {shipment.currency} are due")
    return paid.amount_minor == due


def collect(session: Session, shipment: Shipment, given: HandOver, scan_key: str, *, now: datetime) -> None:
    """Write down what was paid with the scan that delivered, and tell of it."""
    assert given.paid is not None, "checked before the parcel was handed over"
    row = CashCollection(
        tenant_id=tenant_of(session),
        shipment_id=shipment.id,
        scan_key=scan_key,
        courier_id=given.courier_id,
        facility_id=given.facility_id,
        amount_minor=given.paid.amount_minor,
        # What is due is paid in full or not at all.
        charge_minor=shipment.door_charge_minor,
        currency=shipment.currency,
        means=given.paid.means,
        collected_at=given.occurred_at,
    )
    session.add(row)
    outbox.append(session, "cod.collected", _told(row), now=now)


def reverse_voided(session: Session, *, now: datetime, shipment_ids: Collection[int] | None = None) -> int:
    """Take back what was collected by scans that were declared errors since; gives how many.

    Args:
        session: of a tenant.
        now: when.
        shipment_ids: of these shipments only; None looks at all of them.
    """
    corrected = sa.select(ScanRecord.scan_key).where(ScanRecord.corrects == CashCollection.scan_key)
    query = sa.select(CashCollection).where(CashCollection.reversed_at.is_(None), corrected.exists())
    if shipment_ids is not None:
        given = arrays.any_of(shipment_ids)
        query = query.where(CashCollection.shipment_id == given)
    rows = session.scalars(
        query.order_by(CashCollection.id).limit(_AT_ONCE).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.reversed_at = now
        outbox.append(session, "cod.reversed", _told(row), now=now)
    return len(rows)


def reverse_voided_everywhere(session: Session, now: datetime) -> int:
    """The same for every tenant; the session sees all of them."""
    found = 0
    for tenant_id in session.scalars(sa.select(Tenant.id).order_by(Tenant.id)).all():
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        found += reverse_voided(session, now=now)
        session.flush()  # within the tenant whose rows they are
    session.info["tenant_id"] = None
    return found


def _told(row: CashCollection) -> dict[str, object]:
    return {
        "shipment_id": row.shipment_id,
        "scan_key": row.scan_key,
        "courier_id": row.courier_id,
        "facility_id": row.facility_id,
        "amount_minor": row.amount_minor,
        "charge_minor": row.charge_minor,
        "currency": row.currency,
        "means": row.means.value,
        "collected_at": row.collected_at.isoformat(),
    }


def _wrong(detail: str) -> InvalidInputError:
    return InvalidInputError("the cash does not fit", [{"detail": detail, "pointer": "/paid"}])
