"""The longer a parcel waits to be fetched: a reminder, then overdue, then it is to be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.deliveries import codes
from app.deliveries.point_models import DisputeKind, PointDeposit
from app.errors import ConflictError
from app.servicedesk import service as servicedesk
from app.servicedesk.values import CaseCategory
from app.shipments import service as shipments
from app.shipments.models import Shipment
from app.shipments.scan_values import POINT_DEVICE
from tracking.pickup import (
    OVERDUE_AFTER,
    REMIND_AFTER,
    TAKE_BACK_AFTER,
    PickupStep,
    due_step,
    may_be_disputed,
)
from tracking.shipment import ScanCode

_AT_ONCE = 500
_CATEGORIES = {
    DisputeKind.NOT_THERE: CaseCategory.NOT_RECEIVED,
    DisputeKind.DAMAGED: CaseCategory.DAMAGED,
}


def remind(session: Session, now: datetime) -> int:
    """Remind of what waits, and record what nobody fetched in time; gives how many deposits were seen to.

    The session sees every tenant. A reminder brings a new code, since the old one is known to nobody here.
    """
    due = _due(session, now)
    for tenant_id, rows in groupby(due, key=lambda row: row.tenant_id):
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        try:
            for row in rows:
                _see_to(session, row, now)
            session.flush()  # within the tenant whose rows they are
        finally:
            session.info["tenant_id"] = None
    return len(due)


def dispute(
    session: Session, shipment: Shipment, kind: DisputeKind, *, body: str, phone: str | None, now: datetime
) -> str:
    """The consignee says that what he was to fetch is not there, or is damaged; gives the case's number.

    Raises:
        ConflictError: it was never left anywhere, or it was taken out too long ago.
        InvalidInputError: nothing was written, or the phone is not one.
        TooManyTriesError: so many cases of this shipment are open already.
    """
    found = session.scalar(
        sa.select(PointDeposit)
        .where(PointDeposit.shipment_id == shipment.id)
        .order_by(PointDeposit.id.desc())
        .limit(1)
        .with_for_update()
    )
    if found is None or found.taken_back_at is not None or not may_be_disputed(found.taken_at, now):
        raise ConflictError("the time in which this could be said has passed", why="too_late")
    case = servicedesk.open_from_tracking_page(
        session, shipment, category=_CATEGORIES[kind], body=body, phone=phone, now=now
    )
    if found.dispute is None:
        found.dispute, found.disputed_at, found.case_number = kind, now, case.number
    return case.number


def _due(session: Session, now: datetime) -> Sequence[PointDeposit]:
    return session.scalars(
        sa.select(PointDeposit)
        .where(
            PointDeposit.taken_at.is_(None),
            PointDeposit.taken_back_at.is_(None),
            sa.or_(
                sa.and_(PointDeposit.deposited_at <= now - REMIND_AFTER, PointDeposit.reminded_at.is_(None)),
                sa.and_(PointDeposit.deposited_at <= now - OVERDUE_AFTER, PointDeposit.overdue_at.is_(None)),
            ),
        )
        .order_by(PointDeposit.tenant_id, PointDeposit.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()


def _see_to(session: Session, row: PointDeposit, now: datetime) -> None:
    shipment = session.get_one(Shipment, row.shipment_id)
    step = due_step(row.deposited_at, now)
    if row.reminded_at is None or step is not PickupStep.REMIND:
        secret, row.code_hash = codes.new_code(session, shipment)
        row.tries, row.locked_until = 0, None
        until = row.deposited_at + (OVERDUE_AFTER if step is PickupStep.REMIND else TAKE_BACK_AFTER)
        codes.send(
            session,
            codes.REMINDER,
            row,
            shipment,
            secret,
            until=max(until, now + TAKE_BACK_AFTER - OVERDUE_AFTER),
            now=now,
        )
        row.reminded_at = now
    if step in (PickupStep.OVERDUE, PickupStep.TAKE_BACK) and row.overdue_at is None:
        row.overdue_at = now
        session.flush()  # the fold forgets what the session has not written
        shipments.record_own(
            session,
            shipment,
            ScanCode.PICKUP_OVERDUE,
            device_id=POINT_DEVICE,
            client_scan_id=f"{row.id}:overdue",
            facility_id=row.facility_id,
            now=now,
        )
