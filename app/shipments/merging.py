"""Merge in transit: shipments of one consignee are held at a place until the last of them is there.

`tracking.merge` decides from where every piece stands; this room records the scans that follow from it, each
under a key of its own, so that events that come twice or late change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.errors import InvalidInputError
from app.network.models import Facility
from app.shipments.booking_request import Merge
from app.shipments.findings import store_findings
from app.shipments.merge_models import MergeGroup
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_shipment
from app.shipments.scan_values import MERGE_DEVICE, ScanInput
from app.shipments.scanning import record_scans
from tracking.finding import Finding, FindingKind
from tracking.lifecycle import fold_pieces
from tracking.merge import Presence, presence, verdict
from tracking.shipment import ScanCode
from tracking.state import ShipmentState

SOURCE = "merge"
OVERDUE_AFTER = timedelta(days=2)
"""How long after the last promise of its first member a merge is waited for."""
_REASON = "waits_for_merge"
_AT_ONCE = 500
_Part = tuple[Shipment, int | None, ShipmentState]


def join(session: Session, shipment: Shipment, merge: Merge, way: Sequence[int]) -> None:
    """Make a shipment that is being booked a member of its group; the first one makes the group.

    Args:
        session: of the shipment's tenant.
        shipment: with its customers and its destination; not yet written.
        merge: what its shipper asks for.
        way: the facilities on its planned way.

    Raises:
        InvalidInputError: the place is not on its way, the group is another consignee's, of another size or
            at another place, or it is complete.
    """
    facility_id = merge.facility_id or shipment.destination_facility_id
    if facility_id not in {*way, shipment.origin_facility_id, shipment.destination_facility_id}:
        raise _wrong("facility_id", "is not on the parcel's way")
    session.execute(
        insert(MergeGroup)
        .values(
            tenant_id=tenant_of(session),
            customer_id=shipment.customer_id,
            consignee_customer_id=shipment.consignee_customer_id,
            reference=merge.reference,
            facility_id=facility_id,
            shipments=merge.shipments,
            due_at=shipment.promised_to_at + OVERDUE_AFTER,
        )
        .on_conflict_do_nothing()
    )
    group = session.scalars(
        sa.select(MergeGroup)
        .where(MergeGroup.customer_id == shipment.customer_id, MergeGroup.reference == merge.reference)
        .with_for_update()
    ).one()
    members = session.scalar(
        sa.select(sa.func.count()).select_from(Shipment).where(Shipment.merge_group_id == group.id)
    )
    for name, differs in (
        ("consignee", group.consignee_customer_id != shipment.consignee_customer_id),
        ("facility_id", group.facility_id != facility_id),
        ("shipments", group.shipments != merge.shipments),
    ):
        if differs:
            raise _wrong(name, f"the shipments of {merge.reference} have another {name}")
    if group.released_at is not None or (members or 0) >= group.shipments:
        raise _wrong("reference", f"{merge.reference} is complete")
    shipment.merge_group_id = group.id


def follow(session: Session, shipment_ids: Collection[int], *, now: datetime) -> None:
    """See to the groups of shipments after something has happened to them; again is no harm."""
    group_ids = execute_plain(
        session,
        "SELECT DISTINCT merge_group_id FROM shipment_state "
        "WHERE shipment_id = ANY (%s::bigint[]) AND merge_group_id IS NOT NULL ORDER BY 1",
        (arrays.numbers(shipment_ids),),
    )
    for (group_id,) in group_ids:
        _see_to(session, group_id, now)


def _see_to(session: Session, group_id: int, now: datetime) -> None:
    group = session.get_one(MergeGroup, group_id, with_for_update=True, populate_existing=True)
    if group.released_at is not None:
        return
    parts, missing = _parts(session, group)
    found = [presence(state, group.facility_id) for _shipment, _piece, state in parts]
    due = verdict(found, missing)
    scans = [_scan(group, parts[place], ScanCode.HELD, now) for place in due.hold]
    if due.release:
        group.released_at = now
        scans = [
            _scan(group, part, ScanCode.RELEASED, now)
            for part, one in zip(parts, found, strict=True)
            if one is Presence.HELD
        ]
    if scans:
        session.flush()  # the fold forgets what the session has not written
        record_scans(session, None, scans, now=now)
    if due.release:
        ids = {shipment.id for shipment, _piece, _state in parts}
        store_findings(session, dict.fromkeys(ids, ()), source=SOURCE, now=now)


def find_overdue(session: Session, now: datetime) -> int:
    """Open a finding for what waits for a merge that is overdue; the session sees every tenant.

    Returns:
        How many groups are overdue.
    """
    groups = session.scalars(
        sa.select(MergeGroup)
        .where(MergeGroup.released_at.is_(None), MergeGroup.due_at <= now)
        .order_by(MergeGroup.tenant_id, MergeGroup.id)
        .limit(_AT_ONCE)
    ).all()
    for tenant_id, of_tenant in groupby(groups, key=lambda group: group.tenant_id):
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        try:
            _tell_overdue(session, list(of_tenant), now)
            session.flush()  # within the tenant whose rows they are
        finally:
            session.info["tenant_id"] = None
    return len(groups)


def _tell_overdue(session: Session, groups: Sequence[MergeGroup], now: datetime) -> None:
    due = {group.id: group for group in groups}
    rows = session.execute(
        sa.select(Shipment.id, Shipment.merge_group_id, Shipment.code, Shipment.state_facility_id).where(
            Shipment.merge_group_id.in_(due), ~Shipment.terminal
        )
    ).all()
    coming: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        coming[row.merge_group_id] += row.state_facility_id != due[row.merge_group_id].facility_id
    found = {
        row.id: [
            Finding(
                "merge_overdue",
                FindingKind.MERGE_OVERDUE,
                due[row.merge_group_id].due_at,
                parameters=(("waited_for", coming[row.merge_group_id]),),
            )
        ]
        for row in rows
        if row.code is ScanCode.HELD
    }
    store_findings(session, found, source=SOURCE, now=now)


def _parts(session: Session, group: MergeGroup) -> tuple[list[_Part], int]:
    """Every piece of the group with where it stands, and how many shipments are not booked yet."""
    members = session.scalars(
        sa.select(Shipment).where(Shipment.merge_group_id == group.id).order_by(Shipment.id)
    ).all()
    scans = scans_by_shipment(session, members)
    parts: list[_Part] = []
    for shipment in members:
        _least, states = fold_pieces(scans[shipment.id], shipment.pieces)
        for number, state in enumerate(states, start=1):
            parts.append((shipment, number if shipment.pieces > 1 else None, state))
    return parts, group.shipments - len(members)


def _scan(group: MergeGroup, part: _Part, code: ScanCode, now: datetime) -> ScanInput:
    """Named by the scan it follows from: what is held, leaves and comes back is held once more."""
    shipment, piece_no, state = part
    return ScanInput(
        number=shipment.waybill_number,
        code=code,
        occurred_at=now,
        offset_minutes=shipment.booked_offset_minutes,
        device_id=MERGE_DEVICE,
        client_scan_id=f"{group.id}:{piece_no or 0}:{code}:{state.decided_by}",
        facility_id=group.facility_id,
        reason=_REASON if code is ScanCode.HELD else None,
        piece_no=piece_no,
    )


def place_of(session: Session, shipment: Shipment) -> tuple[MergeGroup, Facility] | None:
    """The group of a shipment and where it is merged; None where it goes alone."""
    if shipment.merge_group_id is None:
        return None
    group = session.get_one(MergeGroup, shipment.merge_group_id)
    return group, group.facility


def members_of(session: Session, group: MergeGroup) -> Sequence[Shipment]:
    """The shipments of a group that are booked, in the order in which they were."""
    return session.scalars(
        sa.select(Shipment).where(Shipment.merge_group_id == group.id).order_by(Shipment.id)
    ).all()


def pieces_of(session: Session, shipment: Shipment) -> tuple[ShipmentState, ...]:
    """Where each piece of a shipment stands, the first one first."""
    scans = scans_by_shipment(session, [shipment])[shipment.id]
    return fold_pieces(scans, shipment.pieces)[1]


def _wrong(name: str, detail: str) -> InvalidInputError:
    return InvalidInputError("the parcel cannot be merged", [{"detail": detail, "pointer": f"/merge/{name}"}])
