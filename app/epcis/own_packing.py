"""Our own packing events as AggregationEvents: what went into a bag, what came out, what the dock saw."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.actor import Actor
from app.shipments.container_models import Container, PackingRecord
from app.shipments.models import Shipment
from tracking.containers import PackingEvent, Piece
from tracking.epcis import Json, packing_event
from tracking.epcis_reading import named_in
from tracking.numbers import container_number_in


def containers_named(session: Session, uris: Iterable[str], base: str) -> dict[str, int]:
    """The containers of the session's tenant that some EPCs name: by our id or number, or by SSCC."""
    numbers: dict[str, str] = {}
    ids: dict[str, int] = {}
    for uri in uris:
        own = unquote(uri.removeprefix(f"{base}container/")) if uri.startswith(f"{base}container/") else None
        named = named_in(uri, base)
        text = own or (None if named is None else named.number) or ""
        number = container_number_in(text)
        if number is not None:
            numbers[uri] = number
        elif own is not None and own.isascii() and own.isdecimal() and len(own) <= 18:
            ids[uri] = int(own)
    if not numbers and not ids:
        return {}
    rows = session.execute(
        sa.select(Container.id, Container.number).where(
            sa.or_(Container.number.in_(set(numbers.values())), Container.id.in_(set(ids.values())))
        )
    ).all()
    by_number, known = (
        {number: found_id for found_id, number in rows},
        {found_id for found_id, _number in rows},
    )
    found = {uri: by_number[number] for uri, number in numbers.items() if number in by_number}
    return found | {uri: found_id for uri, found_id in ids.items() if found_id in known}


def events_about(
    session: Session,
    actor: Actor,
    numbers: Collection[str],
    container_ids: Collection[int],
    base: str,
    *,
    from_time: datetime | None,
    until_time: datetime | None,
    limit: int,
) -> list[Json]:
    """Packing events of parcels and containers, the earliest first.

    Only for who may know of containers: an event is told whole, with the parcels of everybody in it.

    Args:
        session: of the asker's tenant.
        actor: who asks.
        numbers: waybill numbers.
        container_ids: of containers that were packed, or were packed into others.
        base: the URI under which our ids live.
        from_time: at or after this moment.
        until_time: before this moment.
        limit: at most so many.
    """
    if not actor.may(Scope.CONTAINERS_READ) or not (numbers or container_ids):
        return []
    shipment_ids = session.scalars(sa.select(Shipment.id).where(Shipment.waybill_number.in_(numbers))).all()
    statement = sa.select(PackingRecord).where(
        sa.or_(
            PackingRecord.shipment_ids.overlap(list(shipment_ids)),
            PackingRecord.container_id.in_(container_ids),
            PackingRecord.child_ids.overlap(list(container_ids)),
        )
    )
    if from_time is not None:
        statement = statement.where(PackingRecord.occurred_at >= from_time)
    if until_time is not None:
        statement = statement.where(PackingRecord.occurred_at < until_time)
    order = (PackingRecord.occurred_at, PackingRecord.event_key)
    return _told(session, session.scalars(statement.order_by(*order).limit(limit)).all(), base)


def one_event(session: Session, actor: Actor, event_id: str, base: str) -> list[Json]:
    """The packing event with this id; empty where there is none that the asker may know of."""
    if not event_id.startswith(f"{base}packing/") or not actor.may(Scope.CONTAINERS_READ):
        return []
    key = unquote(event_id.removeprefix(f"{base}packing/"))
    rows = session.scalars(sa.select(PackingRecord).where(PackingRecord.event_key == key)).all()
    return _told(session, rows, base)


def _told(session: Session, rows: Sequence[PackingRecord], base: str) -> list[Json]:
    ids = {shipment_id for row in rows for shipment_id in row.shipment_ids}
    waybills = dict(
        session.execute(sa.select(Shipment.id, Shipment.waybill_number).where(Shipment.id.in_(ids))).all()
    )
    return [
        packing_event(
            PackingEvent(
                row.event_key,
                row.container_id,
                row.action,
                row.occurred_at,
                row.offset_minutes,
                row.facility_id,
                tuple(map(Piece, row.shipment_ids, row.piece_nos)),
                tuple(row.child_ids),
            ),
            waybills,
            base=base,
        )
        for row in rows
    ]
