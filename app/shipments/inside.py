"""What a container holds at a moment, and the scans of those inside that a scan of its outside means.

What was inside is replayed from the packing events, so that scans and packing may arrive in any order. As in
the fold, what a device's clock dates into the future counts from when it was heard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.db.types import UtcDateTime
from app.shipments.container_models import ContainerScan, PackingRecord
from tracking.containers import (
    Contents,
    PackingAction,
    PackingEvent,
    Piece,
    contents_at,
    inner_scan_id,
    pieces_inside,
    scans_for_inside,
)
from tracking.shipment import Scan, ScanCode
from tracking.summary import mark_of


def contents_of(session: Session, container_id: int, moment: datetime) -> dict[int, Contents]:
    """What was directly inside a container, and inside all that was in it, at a moment."""
    found: dict[int, Contents] = {}
    todo = [container_id]
    while todo:
        contents = contents_at(_events(session, todo), moment)
        found |= contents
        todo = sorted({child for one in contents.values() for child in one.containers} - found.keys())
    return found


def store(
    session: Session, user_id: int | None, inner: Iterable[tuple[Piece, Scan]], now: datetime
) -> dict[int, list[Scan]]:
    """Put the scans of pieces in by one statement; gives those that were not there, by shipment."""
    rows = sorted(inner, key=lambda row: row[1].scan_id)
    if not rows:
        return {}
    scans = [scan for _piece, scan in rows]
    kept = execute_plain(
        session,
        _INSERT,
        (
            tenant_of(session),
            user_id,
            now,
            arrays.texts([scan.scan_id for scan in scans]),
            arrays.numbers([piece.shipment_id for piece, _scan in rows]),
            arrays.texts([scan.device_id for scan in scans]),
            arrays.texts([scan.client_scan_id for scan in scans]),
            arrays.texts([scan.code for scan in scans]),
            arrays.moments([scan.occurred_at for scan in scans]),
            arrays.numbers([scan.offset_minutes for scan in scans]),
            arrays.numbers([scan.facility_id for scan in scans]),
            arrays.numbers([scan.courier_id for scan in scans]),
            arrays.texts([scan.reason for scan in scans]),
            arrays.texts([scan.corrects for scan in scans]),
            arrays.numbers([scan.piece_no for scan in scans]),
            arrays.numbers([scan.container_id for scan in scans]),
        ),
    )
    new = {key for (key,) in kept}
    fresh: defaultdict[int, list[Scan]] = defaultdict(list)
    for piece, scan in rows:
        if scan.scan_id in new:
            fresh[piece.shipment_id].append(scan)
    return dict(fresh)


_INSERT = """
INSERT INTO scan (tenant_id, user_id, received_at, scan_key, shipment_id, shipment_month, device_id,
    client_scan_id, code, occurred_at, offset_minutes, facility_id, courier_id, reason, corrects, piece_no,
    container_id)
SELECT %s, %s, %s, given.key, given.shipment_id,
    date_trunc('month', shipment.booked_at AT TIME ZONE 'UTC')::date, given.device, given.client, given.code,
    given.at, given.zone, given.facility, given.courier, given.reason, given.corrects,
    CASE WHEN shipment.pieces > 1 THEN given.piece END, given.container
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[],
    %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[])
    WITH ORDINALITY AS given (key, shipment_id, device, client, code, at, zone, facility, courier, reason,
        corrects, piece, container, place)
JOIN shipment ON shipment.id = given.shipment_id
ORDER BY given.place
ON CONFLICT DO NOTHING
RETURNING scan_key
"""


def meaning(session: Session, outer: Scan) -> list[tuple[Piece, Scan]]:
    """What a new scan of an outside means inside, with the corrections of it that arrived before it."""
    assert outer.container_id is not None, "it is of a container"
    pieces: Sequence[Piece]
    if outer.corrects is not None:
        pieces = _moved_by(session, outer.container_id, outer.corrects)
    else:
        pieces = pieces_inside(
            outer.container_id, contents_of(session, outer.container_id, mark_of(outer)[0])
        )
    inner = list(scans_for_inside(outer, pieces))
    early = session.scalars(sa.select(ContainerScan).where(ContainerScan.corrects == outer.scan_id))
    for row in early:
        inner += scans_for_inside(_scan_of_row(row), pieces)
    return inner


def _scan_of_row(row: ContainerScan) -> Scan:
    """A stored scan of an outside as the engine takes it."""
    return Scan(
        row.scan_key,
        row.code,
        row.occurred_at,
        row.offset_minutes,
        row.received_at,
        row.device_id,
        row.client_scan_id,
        row.facility_id,
        row.courier_id,
        row.container_id,
        row.reason,
        row.corrects,
    )


def _moved_by(session: Session, container_id: int, outer_key: str) -> list[Piece]:
    """The pieces that a scan of the outside had moved."""
    at = session.scalar(sa.select(ContainerScan.occurred_at).where(ContainerScan.scan_key == outer_key))
    if at is None:
        return []
    rows = execute_plain(
        session,
        "SELECT scan_key, shipment_id, coalesce(piece_no, 1) FROM scan "
        "WHERE container_id = %s AND occurred_at = %s ORDER BY shipment_id, piece_no",
        (container_id, at),
    )
    pieces = [(key, Piece(shipment_id, piece_no)) for key, shipment_id, piece_no in rows]
    return [piece for key, piece in pieces if key == inner_scan_id(outer_key, piece)]


def _events(session: Session, container_ids: Sequence[int]) -> list[PackingEvent]:
    rows = session.execute(
        sa.select(
            PackingRecord.event_key,
            PackingRecord.container_id,
            PackingRecord.action,
            sa.func.least(PackingRecord.occurred_at, PackingRecord.received_at, type_=UtcDateTime),
            PackingRecord.offset_minutes,
            PackingRecord.facility_id,
            PackingRecord.shipment_ids,
            PackingRecord.piece_nos,
            PackingRecord.child_ids,
        ).where(PackingRecord.container_id.in_(container_ids), PackingRecord.action != PackingAction.CHECKED)
    )
    return [
        PackingEvent(
            key,
            container_id,
            action,
            at,
            offset,
            facility_id,
            tuple(map(Piece, shipment_ids, piece_nos)),
            tuple(child_ids),
        )
        for key, container_id, action, at, offset, facility_id, shipment_ids, piece_nos, child_ids in rows
    ]


def late(
    session: Session,
    user_id: int | None,
    event: PackingEvent,
    above: Iterable[tuple[int, datetime]],
    now: datetime,
) -> dict[int, list[Scan]]:
    """Write what scans of the outside, that are known already, mean for a packing event heard after them.

    What was put in before them has moved with them; what was taken out before them has not, and the scans
    that said so are declared errors. The event's container and those above it are locked by the caller.

    Args:
        session: of the container's tenant.
        user_id: whose device told of the packing.
        event: stored just now.
        above: the event's container and those it is in, each with the moment since when it is.
        now: the server's time.

    Returns:
        The scans that were stored, by shipment, for the caller to fold.
    """
    pieces: list[Piece] = list(event.pieces)
    for child_id in event.containers:
        pieces += pieces_inside(child_id, contents_of(session, child_id, event.occurred_at))
    fresh: defaultdict[int, list[Scan]] = defaultdict(list)
    for container_id, since in above:
        rows = session.scalars(
            sa.select(ContainerScan).where(
                ContainerScan.container_id == container_id,
                sa.func.least(ContainerScan.occurred_at, ContainerScan.received_at)
                >= max(since, event.occurred_at),
            )
        ).all()
        for row in rows:
            inner = scans_for_inside(_meant_by(row, event, now), pieces) if _applies(row, event) else ()
            for shipment_id, scans in store(session, user_id, inner, now).items():
                fresh[shipment_id] += scans
    return fresh


def _applies(row: ContainerScan, event: PackingEvent) -> bool:
    # A correction of a scan speaks of what that scan had moved: nothing more is to be taken back of it.
    return event.action is PackingAction.PACKED or (row.corrects is None and row.code is not ScanCode.VOIDED)


def _meant_by(row: ContainerScan, event: PackingEvent, now: datetime) -> Scan:
    """The scan of the outside for what went in; for what came out, the declaration that it was wrong."""
    outer = _scan_of_row(row)
    if event.action is PackingAction.PACKED:
        return outer
    return Scan(
        f"{event.event_id}/{outer.scan_id}",
        ScanCode.VOIDED,
        event.occurred_at,
        event.offset_minutes,
        now,
        outer.device_id,
        f"{outer.client_scan_id} unpacked {event.event_id}",
        event.facility_id,
        None,
        outer.container_id,
        corrects=outer.scan_id,
    )
