"""From scans to state: a shipment's rows folded, its estimate renewed, its findings opened and closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import outbox
from app.shipments.booking import last_mile_s
from app.shipments.models import ScanRecord, Shipment, ShipmentFinding, ShipmentLeg
from tracking.errors import PromiseError
from tracking.finding import Finding
from tracking.lifecycle import fold
from tracking.position import Position
from tracking.promise import promise
from tracking.shipment import Leg, Milestone, Scan, ScanCode
from tracking.state import ShipmentState

# After these the parcel's place on its route has changed, and with it what can be expected.
_MOVES = frozenset(
    {
        ScanCode.COLLECTED,
        ScanCode.DEPOSITED,
        ScanCode.ACCEPTED,
        ScanCode.ARRIVED,
        ScanCode.SORTED,
        ScanCode.DEPARTED,
        ScanCode.RELEASED,
    }
)


def refold(session: Session, shipment_ids: Collection[int], *, now: datetime) -> dict[int, Milestone]:
    """Bring shipments up to date with all their scans; gives the milestone of each.

    Locks the shipments in id order. A change of milestone goes to the outbox as `shipment.state_changed`.
    """
    if not shipment_ids:
        return {}
    shipments = session.scalars(
        sa.select(Shipment)
        .where(Shipment.id.in_(shipment_ids))
        .order_by(Shipment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    scans = scans_by_shipment(session, shipment_ids)
    legs = legs_by_shipment(session, [row.id for row in shipments if not row.terminal])
    for shipment in shipments:
        _bring_up_to_date(session, shipment, scans[shipment.id], legs[shipment.id], now)
    return {shipment.id: shipment.milestone for shipment in shipments}


def scans_by_shipment(session: Session, shipment_ids: Collection[int]) -> dict[int, list[Scan]]:
    """Every scan of some shipments, as `tracking` takes them."""
    found: defaultdict[int, list[Scan]] = defaultdict(list)
    rows = session.execute(
        sa.select(
            ScanRecord.shipment_id,
            ScanRecord.scan_key,
            ScanRecord.code,
            ScanRecord.occurred_at,
            ScanRecord.offset_minutes,
            ScanRecord.received_at,
            ScanRecord.device_id,
            ScanRecord.client_scan_id,
            ScanRecord.facility_id,
            ScanRecord.courier_id,
            ScanRecord.reason,
            ScanRecord.corrects,
        ).where(ScanRecord.shipment_id.in_(shipment_ids))
    )
    for (
        shipment_id,
        key,
        code,
        occurred,
        offset,
        received,
        device,
        client,
        facility,
        courier,
        why,
        corrects,
    ) in rows:
        found[shipment_id].append(
            Scan(
                key,
                code,
                occurred,
                offset,
                received,
                device,
                client,
                facility,
                courier,
                reason=why,
                corrects=corrects,
            )
        )
    return found


def legs_by_shipment(session: Session, shipment_ids: Collection[int]) -> dict[int, list[Leg]]:
    """The planned legs of some shipments, in order."""
    found: defaultdict[int, list[Leg]] = defaultdict(list)
    if not shipment_ids:
        return found
    rows = session.execute(
        sa.select(
            ShipmentLeg.shipment_id,
            ShipmentLeg.sequence,
            ShipmentLeg.from_facility_id,
            ShipmentLeg.to_facility_id,
            ShipmentLeg.mode,
            ShipmentLeg.lane_id,
            ShipmentLeg.planned_departure_at,
            ShipmentLeg.planned_arrival_at,
        )
        .where(ShipmentLeg.shipment_id.in_(shipment_ids))
        .order_by(ShipmentLeg.shipment_id, ShipmentLeg.sequence)
    )
    for row in rows:
        found[row.shipment_id].append(
            Leg(
                row.sequence,
                row.from_facility_id,
                row.to_facility_id,
                row.mode.value,
                row.lane_id,
                row.planned_departure_at,
                row.planned_arrival_at,
            )
        )
    return found


def store_findings(
    session: Session, shipment: Shipment, findings: Iterable[Finding], *, prefix: str, now: datetime
) -> int:
    """Open what is new, close what is gone, leave the rest; gives how many rows changed.

    Args:
        session: of the shipment's tenant.
        shipment: what they are about.
        findings: all that hold now, of one source.
        prefix: the source, so that the fold and the watch do not close each other's findings.
        now: when a finding that is gone is closed.
    """
    wanted = {f"{prefix}:{finding.key}": finding for finding in findings}
    stored = {
        row.finding_key: row
        for row in session.scalars(
            sa.select(ShipmentFinding).where(
                ShipmentFinding.shipment_id == shipment.id,
                ShipmentFinding.finding_key.startswith(f"{prefix}:", autoescape=True),
            )
        )
    }
    changed = 0
    for key, row in stored.items():
        if row.closed_at is None and key not in wanted:
            row.closed_at = now
            changed += 1
        elif row.closed_at is not None and key in wanted:
            row.closed_at = None
            changed += 1
    fresh = [
        {
            "tenant_id": shipment.tenant_id,
            "shipment_id": shipment.id,
            "finding_key": key,
            "kind": finding.kind,
            "details": {"evidence": list(finding.evidence), **dict(finding.parameters)},
            "opened_at": finding.since,
        }
        for key, finding in wanted.items()
        if key not in stored
    ]
    if fresh:
        session.execute(insert(ShipmentFinding).on_conflict_do_nothing(), fresh)
    return changed + len(fresh)


def _bring_up_to_date(
    session: Session, shipment: Shipment, scans: list[Scan], legs: list[Leg], now: datetime
) -> None:
    state = fold(scans)
    before = shipment.milestone
    assert state.code is not None, "a shipment has at least the scan it was booked by"
    assert state.since is not None, "a decided state has a time"
    moved = shipment.code != state.code or shipment.state_facility_id != state.facility_id
    shipment.milestone = state.milestone
    shipment.code = state.code
    shipment.state_since = state.since
    shipment.state_facility_id = state.facility_id
    shipment.state_courier_id = state.courier_id
    shipment.attempts = state.attempts
    shipment.terminal = state.terminal
    shipment.delivered_at = state.delivered_at
    shipment.receipt_confirmed_at = state.confirmed_at
    if moved and state.code in _MOVES:
        _renew_estimate(shipment, state, legs, now)
    if state.findings or shipment.has_findings:
        store_findings(session, shipment, state.findings, prefix="fold", now=now)
        shipment.has_findings = bool(state.findings)
    if before != state.milestone:
        outbox.append(
            session,
            "shipment.state_changed",
            {"shipment_id": shipment.id, "milestone": state.milestone, "code": state.code},
            now=now,
        )


def _renew_estimate(shipment: Shipment, state: ShipmentState, legs: list[Leg], now: datetime) -> None:
    """The estimate moves with every scan; the first promise stays as it was told."""
    facility_id = state.facility_id
    if facility_id is None:
        if state.code is not ScanCode.COLLECTED:
            return
        facility_id = shipment.origin_facility_id
    assert state.since is not None, "a decided state has a time"
    arrival_at = legs[-1].planned_arrival_at if legs else state.since
    try:
        expected = promise(
            legs,
            handover_s=last_mile_s(arrival_at, shipment.delivery_handover, shipment.booked_offset_minutes),
            history=None,
            now=now,
            current=Position(facility_id, state.since, departed=state.code is ScanCode.DEPARTED),
        )
    except PromiseError:
        return  # off its route: what was expected stands until it is planned anew; the watch opens a finding
    shipment.estimate_p50_at = expected.p50_at
    shipment.estimate_p80_at = expected.p80_at
    shipment.estimate_p95_at = expected.p95_at
