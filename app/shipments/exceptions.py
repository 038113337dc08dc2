"""What waits for a person: open findings, and scans of numbers that nobody booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.pagination import Page, decode_cursor, page_of
from app.shipments.models import Shipment, ShipmentFinding, UnmatchedScan
from app.shipments.queries import touches, visible
from tracking.finding import FindingKind


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that is still open, with the shipment it is about."""

    finding: ShipmentFinding
    shipment: Shipment


def open_findings(
    session: Session,
    actor: Actor,
    *,
    kind: FindingKind | None,
    facility_id: int | None,
    cursor: str | None,
    limit: int,
) -> Page[OpenFinding]:
    """Open findings of shipments that the asker may know of, oldest first."""
    statement = (
        sa.select(ShipmentFinding, Shipment)
        .join(Shipment, Shipment.id == ShipmentFinding.shipment_id)
        .where(visible(actor), ShipmentFinding.closed_at.is_(None))
    )
    if kind is not None:
        statement = statement.where(ShipmentFinding.kind == kind)
    if facility_id is not None:
        statement = statement.where(touches(facility_id))
    if cursor is not None:
        opened_at, finding_id = decode_cursor(cursor, tuple[datetime, int])
        after = sa.tuple_(sa.literal(opened_at), sa.literal(finding_id))
        statement = statement.where(sa.tuple_(ShipmentFinding.opened_at, ShipmentFinding.id) > after)
    rows = session.execute(
        statement.order_by(ShipmentFinding.opened_at, ShipmentFinding.id).limit(limit + 1)
    ).all()
    found = [OpenFinding(finding, shipment) for finding, shipment in rows]
    return page_of(found, limit, lambda row: (row.finding.opened_at, row.finding.id))


def open_findings_by_kind(session: Session, actor: Actor) -> dict[FindingKind, int]:
    """How many open findings of each kind there are."""
    rows = session.execute(
        sa.select(ShipmentFinding.kind, sa.func.count())
        .join(Shipment, Shipment.id == ShipmentFinding.shipment_id)
        .where(visible(actor), ShipmentFinding.closed_at.is_(None))
        .group_by(ShipmentFinding.kind)
    )
    return dict(rows.all())


def unmatched_scans(session: Session, cursor: str | None, limit: int) -> Page[UnmatchedScan]:
    """Scans of unknown numbers that wait for somebody, oldest first."""
    statement = sa.select(UnmatchedScan).where(UnmatchedScan.resolved_at.is_(None))
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(UnmatchedScan.id > last_id)
    rows = session.scalars(statement.order_by(UnmatchedScan.id).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.id,))
