"""What somebody scanned last at a station: parcels, and containers by their outsides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.shipments.container_models import Container, ContainerScan
from app.shipments.models import ScanRecord, Shipment
from app.shipments.queries import corrected_keys
from tracking.shipment import ScanCode


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scan of somebody's, and whether it was taken back.

    Args:
        scan_key: of the scan.
        number: of the shipment or container.
        piece: which of several pieces, and of how many; None otherwise.
        code: what it said.
        facility_id: where.
        occurred_at: the device's time.
        offset_minutes: of the device's clock from UTC.
        received_at: the server's time.
        taken_back: a later scan declared it an error.
    """

    scan_key: str
    number: str
    piece: tuple[int, int] | None
    code: ScanCode
    facility_id: int | None
    occurred_at: datetime
    offset_minutes: int
    received_at: datetime
    taken_back: bool


def last_scans_of_user(session: Session, user_id: int, limit: int) -> list[Scanned]:
    """What somebody scanned last, latest first; no corrections, and a container once, not for each inside."""
    found = [*_of_parcels(session, user_id, limit), *_of_containers(session, user_id, limit)]
    found.sort(key=lambda one: (one.received_at, one.occurred_at), reverse=True)
    return found[:limit]


def _of_parcels(session: Session, user_id: int, limit: int) -> list[Scanned]:
    rows = session.execute(
        sa.select(ScanRecord, Shipment.waybill_number, Shipment.pieces)
        .join(Shipment, Shipment.id == ScanRecord.shipment_id)
        .where(
            ScanRecord.user_id == user_id,
            ScanRecord.code != ScanCode.VOIDED,
            ScanRecord.container_id.is_(None),
        )
        .order_by(ScanRecord.received_at.desc(), ScanRecord.occurred_at.desc(), ScanRecord.scan_key)
        .limit(limit)
    ).all()
    corrected = corrected_keys(session, [row.scan_key for row, _number, _pieces in rows])
    return [
        _scanned(
            row, number, None if row.piece_no is None else (row.piece_no, pieces), row.scan_key in corrected
        )
        for row, number, pieces in rows
    ]


def _of_containers(session: Session, user_id: int, limit: int) -> list[Scanned]:
    rows = session.execute(
        sa.select(ContainerScan, Container.number)
        .join(Container, Container.id == ContainerScan.container_id)
        .where(ContainerScan.user_id == user_id, ContainerScan.code != ScanCode.VOIDED)
        .order_by(ContainerScan.received_at.desc(), ContainerScan.occurred_at.desc(), ContainerScan.scan_key)
        .limit(limit)
    ).all()
    keys = [row.scan_key for row, _number in rows]
    corrected = set(
        session.scalars(sa.select(ContainerScan.corrects).where(ContainerScan.corrects.in_(keys)))
    )
    return [_scanned(row, number, None, row.scan_key in corrected) for row, number in rows]


def _scanned(
    row: ScanRecord | ContainerScan, number: str, piece: tuple[int, int] | None, taken_back: bool
) -> Scanned:
    return Scanned(
        row.scan_key,
        number,
        piece,
        row.code,
        row.facility_id,
        row.occurred_at,
        row.offset_minutes,
        row.received_at,
        taken_back,
    )
