"""The dock: a container is received, what comes out is compared with what should, and it is broken.

A container that nobody counts is taken as it was sealed. One that is counted, piece by piece or many at once,
tells what is missing as soon as somebody says that this was all: each missing piece then has a finding until
it is seen again. What is surplus has one at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.containers import store
from app.containers.naming import Named, resolve
from app.containers.opening import place_of, scan_outside, step, told_by_scan
from app.containers.packing import follow, take_out
from app.containers.queries import counts
from app.containers.repeats import limited, repeated, told_before
from app.containers.values import Deed, Item, RowResult, RowStatus
from app.db.session import execute_plain, tenant_of
from app.errors import ConflictError
from app.shipments import outside
from app.shipments.container_models import Container
from app.shipments.findings import CONTAINERS, close_findings, open_findings
from app.shipments.models import Shipment
from app.shipments.service import BATCH_MAX, ScanInput, record_scans
from tracking.container_states import ContainerAct, ContainerStatus
from tracking.containers import PackingAction, Piece
from tracking.finding import Finding, FindingKind
from tracking.shipment import ScanCode


def receive(session: Session, actor: Actor, container: Container, deed: Deed, *, now: datetime) -> int:
    """Take a container over at a dock; everything inside arrives with it.

    Returns:
        How many pieces arrived; 0 where a scan of the outside had said so already.

    Raises:
        ConflictError: it is open, received or broken.
    """
    here = place_of(session, actor, deed, container.to_facility_id, now=now)
    if not told_by_scan(session, container, ContainerStatus.RECEIVED):
        step(session, container, ContainerAct.RECEIVE)
        container.received_at, container.received_facility_id = deed.at(now), here
    audit(session, actor, "container.received", subject_kind="container", subject_id=container.id, now=now)
    return scan_outside(session, actor, container, ScanCode.ARRIVED, deed, here, now=now)


def check(
    session: Session, actor: Actor, container: Container, texts: Sequence[str], deed: Deed, *, now: datetime
) -> list[RowResult]:
    """Compare what the dock scans with what the container should hold; also one by one.

    What nobody had packed is taken out of wherever it was said to be, arrives here and becomes a finding.
    What was missed and is seen now has its finding closed.

    Returns:
        One result a text: matched, surplus (with the container it was said to be in, if any), inside (within
        the named bag of this one), already, not_now (it is not received), and as `pack`.

    Raises:
        InvalidInputError: there are too many, or the deed is not well formed.
        ConflictError: the device sent other content under this id before.
    """
    here = place_of(session, actor, deed, container.received_facility_id, now=now)
    named = resolve(session, limited(texts))
    told = told_before(session, container, PackingAction.CHECKED, deed)
    if told is not None:
        return repeated(named, told, RowStatus.ALREADY)
    items = {one.item for one in named if one.item is not None}
    elsewhere = store.present(session, items)
    outside.lock(session, {container.id, *(place.container_id for place in elsewhere.values())})
    session.refresh(container)
    if container.status is not ContainerStatus.RECEIVED:
        return [RowResult(one.number, one.refused or RowStatus.NOT_NOW) for one in named]
    matched = store.check(session, container.id, items, deed.at(now))
    left = items - matched
    left -= store.listed(session, container.id, list(left)) if left else set()
    within = store.deeper(session, container.id, list(left)) if left else {}
    surplus = left - within.keys() - {container.id}
    if surplus:
        store.add_surplus(session, container.id, surplus, deed.at(now))
    if matched or surplus:
        key = deed.key(tenant_of(session))
        store.tell(
            session,
            actor,
            container.id,
            PackingAction.CHECKED,
            matched | surplus,
            deed,
            here,
            key=key,
            now=now,
        )
    _take_from_elsewhere(session, actor, container.id, surplus, deed, here, now)
    found_late = matched if container.counted_at is not None else set()
    _seen(session, actor, named, surplus | found_late, deed, here, now)
    _close(session, found_late, now)
    _open(session, container, FindingKind.SURPLUS_IN_CONTAINER, surplus, deed.at(now))
    was_in = {item: place.number for item, place in elsewhere.items() if place.container_id != container.id}
    return _results(
        named, matched, surplus, within | {item: was_in[item] for item in surplus & was_in.keys()}
    )


def count(session: Session, actor: Actor, container: Container, deed: Deed, *, now: datetime) -> int:
    """Say that all of it has been scanned: what was expected and not seen is missing from now on.

    Returns:
        How many pieces are missing, those in missing containers included.

    Raises:
        ConflictError: it is not received.
    """
    place_of(session, actor, deed, container.received_facility_id, now=now)
    outside.lock(session, {container.id})
    session.refresh(container)
    if container.status is not ContainerStatus.RECEIVED:
        raise ConflictError(f"{container.number} is {container.status}; it is counted when it is received")
    audit(session, actor, "container.counted", subject_kind="container", subject_id=container.id, now=now)
    return _count(session, container, deed.at(now))


def break_up(session: Session, actor: Actor, container: Container, deed: Deed, *, now: datetime) -> int:
    """Open it for good: what was inside is on its own again. One that was counted in part is counted first.

    Returns:
        How many pieces are missing; 0 where nothing of it was scanned.

    Raises:
        ConflictError: it is broken already.
    """
    otherwise = container.received_facility_id or container.from_facility_id
    here = place_of(session, actor, deed, otherwise, now=now)
    outside.lock(session, {found_id for found_id, _since in store.above(session, container.id)})
    was_received = container.status is ContainerStatus.RECEIVED
    step(session, container, ContainerAct.BREAK)
    figures = counts(session, [container.id])[container.id]
    begun = was_received and container.counted_at is None and figures.matched + figures.surplus > 0
    missing = _count(session, container, deed.at(now)) if begun else 0
    container.broken_at = deed.at(now)
    released = _release(session, container.id, deed.at(now))
    if released:
        key = deed.key(tenant_of(session))
        store.tell(
            session, actor, container.id, PackingAction.UNPACKED, released, deed, here, key=key, now=now
        )
    audit(session, actor, "container.broken", subject_kind="container", subject_id=container.id, now=now)
    return missing


def _count(session: Session, container: Container, at: datetime) -> int:
    container.counted_at = at
    missing = _missing_pieces(session, container.id)
    _open(session, container, FindingKind.MISSING_FROM_CONTAINER, missing, at)
    return len(missing)


def _missing_pieces(session: Session, container_id: int) -> set[Item]:
    """What was expected and not seen, with all that is in a container that was not seen."""
    rows = execute_plain(
        session,
        """
        WITH RECURSIVE missing AS (
            SELECT shipment_id, piece_no, child_id FROM container_item
            WHERE container_id = %s AND NOT surplus AND checked_at IS NULL
            UNION
            SELECT item.shipment_id, item.piece_no, item.child_id
            FROM missing JOIN container_item AS item ON item.container_id = missing.child_id
            WHERE NOT item.surplus AND item.released_at IS NULL
        )
        SELECT shipment_id, piece_no FROM missing WHERE shipment_id IS NOT NULL
        """,
        (container_id,),
    )
    return {Piece(shipment_id, piece_no) for shipment_id, piece_no in rows}


def _release(session: Session, container_id: int, at: datetime) -> set[Item]:
    rows = execute_plain(
        session,
        "UPDATE container_item SET released_at = %s "
        "WHERE container_id = %s AND released_at IS NULL AND NOT surplus "
        "RETURNING shipment_id, piece_no, child_id",
        (at, container_id),
    )
    return {store.item_of(*row) for row in rows}


def _take_from_elsewhere(
    session: Session,
    actor: Actor,
    container_id: int,
    surplus: Iterable[Item],
    deed: Deed,
    here: int,
    now: datetime,
) -> None:
    """What is seen here is not where it was said to be."""
    others: dict[int, set[Item]] = {}
    for item, place in store.present(session, surplus).items():
        if place.container_id != container_id:
            others.setdefault(place.container_id, set()).add(item)
    events = []
    for other_id, items in sorted(others.items()):
        event = take_out(session, actor, session.get_one(Container, other_id), items, deed, here, now)
        if event is not None:
            events.append((event, store.above(session, other_id)))
    follow(session, actor, events, now)


def _seen(
    session: Session,
    actor: Actor,
    named: Sequence[Named],
    items: Collection[Item],
    deed: Deed,
    here: int,
    now: datetime,
) -> None:
    """Scans of what the outside's scan has not told, or told wrongly: it is here."""
    numbers = dict.fromkeys(one.number for one in named if one.item in items)
    scans = [
        ScanInput(
            number=number,
            code=ScanCode.ARRIVED.value,
            occurred_at=deed.occurred_at,
            device_id=deed.device_id,
            client_scan_id=f"{deed.client_event_id} {number}",
            offset_minutes=deed.offset_minutes,
            facility_id=here,
        )
        for number in numbers
    ]
    for start in range(0, len(scans), BATCH_MAX):
        record_scans(session, actor, scans[start : start + BATCH_MAX], now=now)


def _open(
    session: Session, container: Container, kind: FindingKind, items: Iterable[Item], since: datetime
) -> None:
    found: dict[int, list[Finding]] = {}
    for item in items:
        if isinstance(item, Piece):
            key = f"{kind}:{container.id}.{item.piece_no}"
            parameters = (
                ("container_id", container.id),
                ("container", container.number),
                ("piece_no", item.piece_no),
            )
            found.setdefault(item.shipment_id, []).append(Finding(key, kind, since, (), parameters))
    open_findings(session, found, source=CONTAINERS)


def _close(session: Session, items: Iterable[Item], now: datetime) -> None:
    pieces = [item for item in items if isinstance(item, Piece)]
    several = session.scalars(
        sa.select(Shipment.id).where(
            Shipment.id
            == sa.any_(sa.literal([piece.shipment_id for piece in pieces], sa.ARRAY(sa.BigInteger))),
            Shipment.pieces > 1,
        )
    )
    of_several = set(several)
    # Of several pieces the others may still be missing: the job looks at each.
    close_findings(session, {one.shipment_id for one in pieces} - of_several, source=CONTAINERS, now=now)


def _results(
    named: Sequence[Named], matched: set[Item], surplus: set[Item], others: dict[Item, str]
) -> list[RowResult]:
    left, results = matched | surplus, []
    for one in named:
        if one.item is None:
            results.append(RowResult(one.number, one.refused or RowStatus.UNKNOWN))
        elif one.item in left:
            left.discard(one.item)
            status = RowStatus.MATCHED if one.item in matched else RowStatus.SURPLUS
            results.append(RowResult(one.number, status, others.get(one.item)))
        elif one.item in others and one.item not in matched | surplus:
            results.append(RowResult(one.number, RowStatus.INSIDE, others[one.item]))
        else:
            results.append(RowResult(one.number, RowStatus.ALREADY))
    return results
