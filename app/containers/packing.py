"""Things go into a container and come out of it again; each that is named has an answer of its own.

A device that was without a line tells late: what it packed before the seal is taken, and moves with the scans
of the outside that were heard meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from app.actor import Actor
from app.containers import store
from app.containers.naming import Named, resolve
from app.containers.opening import place_of
from app.containers.repeats import limited, repeated, told_before
from app.containers.store import Place
from app.containers.values import Deed, Item, RowResult, RowStatus
from app.db.session import tenant_of
from app.shipments import estimates, folding, inside, outside
from app.shipments.container_models import Container
from app.shipments.findings import CONTAINERS, close_findings
from tracking.container_states import HOLDS, TRANSITIONS, ContainerAct, ContainerStatus
from tracking.containers import PackingAction, PackingEvent, Piece
from tracking.shipment import Scan

WayUp: TypeAlias = Sequence[tuple[int, datetime]]
"""A container and those that it is in, each with the moment since when it is."""


def pack(
    session: Session,
    actor: Actor,
    container: Container,
    texts: Sequence[str],
    deed: Deed,
    *,
    move: bool = False,
    now: datetime,
) -> list[RowResult]:
    """Put pieces and containers in.

    Args:
        session: of the container's tenant.
        actor: who does it.
        container: loaded for him.
        texts: what the scanner read, at most `ROWS_MAX`.
        deed: by which device, when and where.
        move: what lies in another container is taken out there first.
        now: the server's time.

    Returns:
        One result a text: packed, already, in_another, itself, cannot_hold, broken, not_now (the container is
        closed), unknown, unknown_piece, which_piece, refused_before.

    Raises:
        InvalidInputError: there are too many, or the deed is not well formed.
        ConflictError: the device sent other content under this id before.
    """
    here = place_of(session, actor, deed, container.from_facility_id, now=now)
    named = resolve(session, limited(texts))
    told = told_before(session, container, PackingAction.PACKED, deed)
    if told is not None:
        return repeated(named, told, RowStatus.ALREADY)
    way_up, places = _locked(session, container, named, move=move)
    if not _takes(container, ContainerAct.PACK, deed.at(now)):
        return _all(named, RowStatus.NOT_NOW)
    refused = {
        one.item: status
        for one in named
        if one.item is not None and (status := _refusal(container, one, way_up, places, move=move))
    }
    wanted = {one.item for one in named if one.item is not None} - refused.keys()
    events = _take_elsewhere(session, actor, wanted, places, container.id, deed, here, now)
    packed = store.put(session, container.id, wanted, deed.at(now))
    if packed:
        key = deed.key(tenant_of(session))
        event = store.tell(
            session, actor, container.id, PackingAction.PACKED, packed, deed, here, key=key, now=now
        )
        follow(session, actor, [*events, (event, way_up)], now)
        found = {item.shipment_id for item in packed if isinstance(item, Piece)}
        close_findings(session, found, source=CONTAINERS, now=now)
    lost = wanted - packed
    if lost:  # somebody else was quicker
        places |= store.present(session, lost)
    return _packed(named, packed, refused, places, container.id)


def unpack(
    session: Session, actor: Actor, container: Container, texts: Sequence[str], deed: Deed, *, now: datetime
) -> list[RowResult]:
    """Take pieces and containers out.

    Returns:
        One result a text: unpacked, not_inside (with the container it is in, if any), not_now, and as `pack`.

    Raises:
        InvalidInputError: there are too many, or the deed is not well formed.
        ConflictError: the device sent other content under this id before.
    """
    here = place_of(
        session, actor, deed, container.received_facility_id or container.from_facility_id, now=now
    )
    named = resolve(session, limited(texts))
    told = told_before(session, container, PackingAction.UNPACKED, deed)
    if told is not None:
        return repeated(named, told, RowStatus.UNPACKED)
    way_up, places = _locked(session, container, named, move=False)
    if not _takes(container, ContainerAct.UNPACK, deed.at(now)):
        return _all(named, RowStatus.NOT_NOW)
    taken = store.take(session, container, {one.item for one in named if one.item is not None}, deed.at(now))
    if taken:
        key = deed.key(tenant_of(session))
        event = store.tell(
            session, actor, container.id, PackingAction.UNPACKED, taken, deed, here, key=key, now=now
        )
        follow(session, actor, [(event, way_up)], now)
    left, results = set(taken), []
    for one in named:
        if one.item is None:
            results.append(RowResult(one.number, one.refused or RowStatus.UNKNOWN))
        elif one.item in left:
            left.discard(one.item)
            results.append(RowResult(one.number, RowStatus.UNPACKED))
        else:
            place = None if one.item in taken else places.get(one.item)
            results.append(RowResult(one.number, RowStatus.NOT_INSIDE, place.number if place else None))
    return results


def take_out(
    session: Session,
    actor: Actor,
    container: Container,
    items: Collection[Item],
    deed: Deed,
    here: int,
    now: datetime,
) -> PackingEvent | None:
    """Take things out of a container because they are seen elsewhere; the caller follows the event."""
    taken = store.take(session, container, items, deed.at(now))
    if not taken:
        return None
    key = f"{deed.key(tenant_of(session))}-{container.id}"
    return store.tell(
        session, actor, container.id, PackingAction.UNPACKED, taken, deed, here, key=key, now=now
    )


def follow(
    session: Session, actor: Actor, events: Sequence[tuple[PackingEvent, WayUp]], now: datetime
) -> None:
    """Let scans of the outside that were heard before these events move, or not move, what they tell of."""
    fresh: dict[int, list[Scan]] = {}
    for event, way_up in events:
        for shipment_id, scans in inside.late(session, actor.user_id, event, way_up, now).items():
            fresh.setdefault(shipment_id, []).extend(scans)
    folded = folding.fold_in(session, fresh, now=now)
    estimates.follow(session, folded.moved, now=now)


def _locked(
    session: Session, container: Container, named: Sequence[Named], *, move: bool
) -> tuple[WayUp, dict[Item, Place]]:
    """Lock the container, all that it is in, and what things are moved from; then look where they are."""
    items = {one.item for one in named if one.item is not None}
    way_up = store.above(session, container.id)
    ids = {container_id for container_id, _since in way_up}
    ids |= {
        place.container_id
        for place in store.present(session, items).values()
        if move or place.status is ContainerStatus.RECEIVED
    }
    outside.lock(session, ids)
    session.refresh(container)
    return way_up, store.present(session, items)


def _takes(container: Container, act: ContainerAct, at: datetime) -> bool:
    """Whether it stood open to the act when that was done, which may be told late."""
    if (container.status, act) in TRANSITIONS:
        return True
    still_under_way = container.status in (ContainerStatus.SEALED, ContainerStatus.DISPATCHED)
    # What nobody sealed was closed when it left.
    closed_at = container.sealed_at or container.dispatched_at
    return still_under_way and closed_at is not None and at < closed_at


def _refusal(
    container: Container,
    one: Named,
    way_up: WayUp,
    places: Mapping[Item, Place],
    *,
    move: bool,
) -> RowStatus | None:
    assert one.item is not None, "asked by the caller"
    if one.child is not None:
        if one.child.container_id in {container_id for container_id, _since in way_up}:
            return RowStatus.ITSELF
        if one.child.kind not in HOLDS[container.kind]:
            return RowStatus.CANNOT_HOLD
        if one.child.status is ContainerStatus.BROKEN:
            return RowStatus.BROKEN
    place = places.get(one.item)
    if place is None:
        return None
    if place.container_id == container.id:
        return RowStatus.ALREADY
    # What stands at the dock is being emptied: it may go straight into the next container.
    if move or place.status is ContainerStatus.RECEIVED:
        return None
    return RowStatus.IN_ANOTHER


def _take_elsewhere(
    session: Session,
    actor: Actor,
    wanted: Collection[Item],
    places: Mapping[Item, Place],
    container_id: int,
    deed: Deed,
    here: int,
    now: datetime,
) -> list[tuple[PackingEvent, WayUp]]:
    others: dict[int, set[Item]] = {}
    for item in wanted:
        place = places.get(item)
        if place is not None and place.container_id != container_id:
            others.setdefault(place.container_id, set()).add(item)
    events: list[tuple[PackingEvent, WayUp]] = []
    for other_id, items in sorted(others.items()):
        event = take_out(session, actor, session.get_one(Container, other_id), items, deed, here, now)
        if event is not None:
            events.append((event, store.above(session, other_id)))
    return events


def _packed(
    named: Sequence[Named],
    packed: set[Item],
    refused: Mapping[Item, RowStatus],
    places: Mapping[Item, Place],
    container_id: int,
) -> list[RowResult]:
    left, results = set(packed), []
    for one in named:
        if one.item is None:
            results.append(RowResult(one.number, one.refused or RowStatus.UNKNOWN))
        elif one.item in left:
            left.discard(one.item)
            results.append(RowResult(one.number, RowStatus.PACKED))
        elif one.item in packed:
            results.append(RowResult(one.number, RowStatus.ALREADY))
        else:
            place = places.get(one.item)
            elsewhere = place.number if place and place.container_id != container_id else None
            status = refused.get(one.item, RowStatus.IN_ANOTHER)
            results.append(RowResult(one.number, status, elsewhere))
    return results


def _all(named: Sequence[Named], status: RowStatus) -> list[RowResult]:
    return [RowResult(one.number, one.refused or status) for one in named]
