"""The clock of shipments: every open one is looked at, and what needs a person is opened or closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.config import Settings
from app.shipments import folding, merging, service
from app.shipments.estimates import estimate
from app.shipments.findings import WATCH, store_findings
from app.shipments.history import load_history
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Shipment, ShipmentFinding
from app.shipments.scan_store import scans_by_shipment
from tracking.finding import Finding
from tracking.watch import CONFIRM_WITHIN_S, ShipmentView
from tracking.watch import watch as watch_one

_BATCH = 1000
_MONTHS_AHEAD = 4


def watch(session: Session, settings: Settings, now: datetime) -> int:
    """Look at every open parcel and every unconfirmed delivery; gives how many findings opened or closed.

    Writes findings only: a scan that arrives meanwhile never waits for it. Kept scans whose number has been
    booked since are recorded on the way.
    """
    tenant_ids = session.scalars(sa.select(Tenant.id).order_by(Tenant.id)).all()
    changed = 0
    for tenant_id in tenant_ids:
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        changed += _watch_tenant(session, settings, now)
    for tenant_id in tenant_ids:  # at the end, because this locks shipments until the job commits
        session.info["tenant_id"] = tenant_id
        service.retry_unmatched(session, now=now)
    session.info["tenant_id"] = None
    return changed


def _watch_tenant(session: Session, settings: Settings, now: datetime) -> int:
    unconfirmed_since = now - timedelta(days=settings.auto_confirm_days)
    changed, last_id = 0, 0
    while True:
        batch = session.scalars(
            sa.select(Shipment)
            .where(_to_be_watched(unconfirmed_since, now), Shipment.id > last_id)
            .order_by(Shipment.id)
            .limit(_BATCH)
        ).all()
        if not batch:
            return changed
        changed += _watch_batch(session, batch, unconfirmed_since, now)
        last_id = batch[-1].id


def _to_be_watched(unconfirmed_since: datetime, now: datetime) -> sa.ColumnElement[bool]:
    unconfirmed = sa.and_(
        Shipment.delivered_at.between(unconfirmed_since, now - timedelta(seconds=CONFIRM_WITHIN_S)),
        Shipment.receipt_confirmed_at.is_(None),
    )
    still_open = sa.select(ShipmentFinding.shipment_id).where(
        ShipmentFinding.closed_at.is_(None),
        ShipmentFinding.finding_key.startswith(f"{WATCH}:", autoescape=True),
    )
    return sa.or_(~Shipment.terminal, unconfirmed, Shipment.id.in_(still_open))


def _watch_batch(
    session: Session, batch: Sequence[Shipment], unconfirmed_since: datetime, now: datetime
) -> int:
    ids = [shipment.id for shipment in batch]
    scans = scans_by_shipment(session, batch)
    legs = legs_by_shipment(session, ids)
    history = load_history(session)
    found: dict[int, Sequence[Finding]] = {}
    for shipment in batch:
        # By itself released, as the terms say: nobody has to confirm it any more.
        if shipment.delivered_at is not None and shipment.delivered_at < unconfirmed_since:
            found[shipment.id] = ()
            continue
        state, counting = folding.state_of_scans(scans[shipment.id], shipment.pieces)
        way = legs[shipment.id]
        view = ShipmentView(
            state=state,
            scans=tuple(counting),
            legs=tuple(way),
            promised_at=shipment.promised_to_at,
            estimate=estimate(shipment, state, counting, way, now, history),
        )
        found[shipment.id] = watch_one(view, now)
    changed = store_findings(session, found, source=WATCH, now=now)
    session.flush()  # what the next batch reads is not held in memory
    return changed


def find_overdue_merges(session: Session, _settings: Settings, now: datetime) -> int:
    """Tell of what is held for a merge that should have happened by now."""
    return merging.find_overdue(session, now)


def make_partitions(session: Session, _settings: Settings, now: datetime) -> int:
    """Make room for the scans of shipments booked in the months to come; gives how many months were new."""
    made: int = session.execute(
        sa.text("SELECT make_scan_partitions(:first_month, :months)"),
        {"first_month": now.astimezone(UTC).date(), "months": _MONTHS_AHEAD},
    ).scalar_one()
    return made
