"""From scans to state: a shipment's rows folded, its estimate renewed, its findings opened and closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import outbox
from app.shipments.booking import last_mile_s
from app.shipments.findings import FOLD, WATCH, close_findings, store_findings
from app.shipments.models import ScanRecord, Shipment, ShipmentLeg
from routing.network.cutoff import ready_at
from tracking.errors import PromiseError
from tracking.finding import Finding
from tracking.lifecycle import fold, fold_pieces
from tracking.position import Position, position_of
from tracking.promise import Promise, promise
from tracking.shipment import Leg, Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import mark_of
from tracking.transitions import PLACELESS

# While it stands so, a parcel still comes to its consignee, and a time can be told for it.
_COMING = frozenset(
    {
        Milestone.BOOKED,
        Milestone.EXCEPTION,
        Milestone.ACCEPTED,
        Milestone.IN_TRANSIT,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.ATTEMPT_FAILED,
    }
)


def refold(session: Session, shipment_ids: Collection[int], *, now: datetime) -> dict[int, Milestone]:
    """Bring shipments up to date with all their scans; gives the milestone of each.

    Locks the shipments in id order. A change that others must hear of goes to the outbox as
    `shipment.state_changed`.
    """
    if not shipment_ids:
        return {}
    wanted = sorted(shipment_ids)
    shipments = session.scalars(
        sa.select(Shipment)
        .where(Shipment.id == _any_of(wanted))
        .order_by(Shipment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    scans = scans_by_shipment(session, wanted)
    legs = legs_by_shipment(session, wanted)
    found: dict[int, tuple[Finding, ...]] = {}
    ended: list[int] = []
    for shipment in shipments:
        state, counting = state_of_scans(scans[shipment.id], shipment.pieces)
        if state.findings or shipment.has_findings:
            found[shipment.id] = state.findings
        if state.terminal and not shipment.terminal:
            ended.append(shipment.id)
        _bring_up_to_date(session, shipment, state, counting, legs[shipment.id], now)
    store_findings(session, found, source=FOLD, now=now)
    close_findings(session, ended, source=WATCH, now=now)
    return {shipment.id: shipment.milestone for shipment in shipments}


def state_of_scans(scans: Sequence[Scan], pieces: int) -> tuple[ShipmentState, list[Scan]]:
    """The state of a shipment, and the scans that count for it: no corrections, nothing corrected.

    A shipment of several pieces stands where the least advanced one stands, and since the last of those came
    to stand there; the scans are then those of that piece.
    """
    corrected = {scan.corrects for scan in scans if scan.corrects is not None}
    counting = [scan for scan in scans if scan.code is not ScanCode.VOIDED and scan.scan_id not in corrected]
    if pieces == 1 or all(scan.piece_no is None for scan in scans):
        return fold(scans), counting
    _least, states = fold_pieces(scans, pieces)
    rank = min(state.milestone.rank for state in states)
    last = max(
        (place for place, state in enumerate(states) if state.milestone.rank == rank),
        key=lambda place: (states[place].since is not None, states[place].since, -place),
    )
    return states[last], [scan for scan in counting if scan.piece_no in (None, last + 1)]


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
            ScanRecord.piece_no,
        ).where(ScanRecord.shipment_id == _any_of(shipment_ids))
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
        piece,
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
                piece_no=piece,
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
        .where(ShipmentLeg.shipment_id == _any_of(shipment_ids))
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


def estimate(
    shipment: Shipment, state: ShipmentState, scans: Sequence[Scan], legs: Sequence[Leg], now: datetime
) -> Promise | None:
    """When the parcel is expected, from where it is now; None where no time can be told.

    Args:
        shipment: whose hand-overs and outlets count.
        state: of its scans.
        scans: that count.
        legs: the planned route in order.
        now: nothing is expected before.
    """
    if state.milestone not in _COMING:
        return None
    if state.code in (ScanCode.ATTEMPT_FAILED, ScanCode.REFUSED) and state.since is not None:
        # It waits for the next round from the last outlet.
        legs, position, arrives_at = (), Position(shipment.destination_facility_id, state.since), state.since
    else:
        ready = ready_at(shipment.booked_at, shipment.pickup_handover, shipment.booked_offset_minutes)
        found = position_of(legs, scans, ready_at=ready) if legs else _at_only_outlet(shipment, scans, ready)
        if found is None:
            return None  # off its route, until it is planned anew; the watch opens a finding
        position, arrives_at = found, legs[-1].planned_arrival_at if legs else found.at
    handover_s = last_mile_s(arrives_at, shipment.delivery_handover, shipment.booked_offset_minutes)
    try:
        return promise(legs, handover_s=handover_s, history=None, now=now, current=position)
    except PromiseError:
        return None  # its legs are no chain: parts of an earlier route


def _at_only_outlet(shipment: Shipment, scans: Sequence[Scan], ready: datetime) -> Position:
    """Where it is when origin and destination are one outlet."""
    seen = [mark_of(scan)[0] for scan in scans if scan.facility_id is not None and scan.code not in PLACELESS]
    return Position(shipment.origin_facility_id, min(seen, default=ready))


def _bring_up_to_date(
    session: Session,
    shipment: Shipment,
    state: ShipmentState,
    scans: Sequence[Scan],
    legs: Sequence[Leg],
    now: datetime,
) -> None:
    before = shipment.milestone, shipment.code, shipment.state_facility_id
    assert state.code is not None, "a shipment has at least the scan it was booked by"
    assert state.since is not None, "a decided state has a time"
    moved = (shipment.code, shipment.state_facility_id, shipment.state_since) != (
        state.code,
        state.facility_id,
        state.since,
    )
    shipment.milestone = state.milestone
    shipment.code = state.code
    shipment.state_since = state.since
    shipment.state_facility_id = state.facility_id
    shipment.state_courier_id = state.courier_id
    shipment.attempts = state.attempts
    shipment.terminal = state.terminal
    shipment.delivered_at = state.delivered_at
    shipment.receipt_confirmed_at = state.confirmed_at
    shipment.has_findings = bool(state.findings)
    expected = estimate(shipment, state, scans, legs, now) if moved else None
    if expected is not None:
        # The estimate moves with every scan; the first promise stays as it was told.
        shipment.estimate_p50_at = expected.p50_at
        shipment.estimate_p80_at = expected.p80_at
        shipment.estimate_p95_at = expected.p95_at
    if _worth_telling(shipment, *before):
        outbox.append(
            session,
            "shipment.state_changed",
            {"shipment_id": shipment.id, "milestone": state.milestone, "code": state.code},
            now=now,
        )


def _worth_telling(shipment: Shipment, milestone: Milestone, code: ScanCode, facility_id: int | None) -> bool:
    """Whether others must hear of it: a new milestone, a pickup in vain, the arrival at the last outlet."""
    if shipment.milestone != milestone:
        return True
    if shipment.code is ScanCode.PICKUP_FAILED:
        return code is not ScanCode.PICKUP_FAILED
    arrived = shipment.state_facility_id == shipment.destination_facility_id != facility_id
    return arrived and not shipment.terminal


def _any_of(ids: Collection[int]) -> sa.CollectionAggregate[bool]:
    return sa.any_(sa.literal(list(ids), sa.ARRAY(sa.BigInteger)))
