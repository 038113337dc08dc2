"""What is in which container, by a few set-based statements; the rows and the packing events in step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.actor import Actor
from app.containers.values import Deed, Item
from app.db import arrays
from app.db.session import execute_plain, tenant_of
from app.shipments.container_models import Container, PackingRecord
from tracking.container_states import ContainerStatus
from tracking.containers import PackingAction, PackingEvent, Piece


class Place(NamedTuple):
    """The container that a thing is in."""

    container_id: int
    number: str
    status: ContainerStatus


def columns(items: Iterable[Item]) -> tuple[str, str, str]:
    """Shipments, pieces and containers as arrays side by side, pieces first, each in the order of its key."""
    given = list(items)
    pieces = sorted(item for item in given if isinstance(item, Piece))
    children = sorted(item for item in given if isinstance(item, int))
    no_piece, no_child = [None] * len(children), [None] * len(pieces)
    return (
        arrays.numbers([*(piece.shipment_id for piece in pieces), *no_piece]),
        arrays.numbers([*(piece.piece_no for piece in pieces), *no_piece]),
        arrays.numbers([*no_child, *children]),
    )


def present(session: Session, items: Iterable[Item]) -> dict[Item, Place]:
    """Where things are now; what is in no container is missing."""
    rows = execute_plain(session, _PRESENT, (*columns(items), tenant_of(session)))
    return {
        item_of(shipment_id, piece_no, child_id): Place(container_id, number, ContainerStatus(status))
        for shipment_id, piece_no, child_id, container_id, number, status in rows
    }


def put(session: Session, container_id: int, items: Collection[Item], at: datetime) -> set[Item]:
    """Put things in that are in no container; gives those that went in."""
    rows = execute_plain(
        session,
        _PUT,
        (tenant_of(session), container_id, at, *columns(items)),
    )
    return {item_of(*row) for row in rows}


def take(session: Session, container: Container, items: Collection[Item], at: datetime) -> set[Item]:
    """Take things out; gives those that were in. At the dock they stay listed, as seen there."""
    at_dock = container.status is ContainerStatus.RECEIVED
    values = (*columns(items), container.id)
    rows = execute_plain(session, _RELEASE if at_dock else _DELETE, (at, at, *values) if at_dock else values)
    return {item_of(*row) for row in rows}


def check(session: Session, container_id: int, items: Collection[Item], at: datetime) -> set[Item]:
    """Mark what the dock has seen; gives what was expected and had not been seen."""
    rows = execute_plain(
        session,
        _CHECK,
        (at, *columns(items), container_id),
    )
    return {item_of(*row) for row in rows}


def listed(session: Session, container_id: int, items: Collection[Item]) -> set[Item]:
    """Which things stand on a container's list, as expected or as surplus."""
    rows = execute_plain(
        session,
        _LISTED,
        (*columns(items), container_id),
    )
    return {item_of(*row) for row in rows}


def add_surplus(session: Session, container_id: int, items: Collection[Item], at: datetime) -> None:
    """List what the dock has seen and nobody had packed."""
    execute_plain(
        session,
        _ADD_SURPLUS,
        (tenant_of(session), container_id, at, at, *columns(items)),
    )


def tell(
    session: Session,
    actor: Actor | None,
    container_id: int,
    action: PackingAction,
    items: Collection[Item],
    deed: Deed,
    facility_id: int,
    *,
    key: str,
    now: datetime,
) -> PackingEvent:
    """Write the packing event of what was done."""
    pieces = sorted(item for item in items if isinstance(item, Piece))
    children = sorted(item for item in items if isinstance(item, int))
    session.add(
        PackingRecord(
            event_key=key,
            container_id=container_id,
            action=action,
            device_id=deed.device_id,
            client_event_id=deed.client_event_id,
            occurred_at=deed.occurred_at,
            offset_minutes=deed.offset_minutes,
            received_at=now,
            facility_id=facility_id,
            user_id=None if actor is None else actor.user_id,
            shipment_ids=[piece.shipment_id for piece in pieces],
            piece_nos=[piece.piece_no for piece in pieces],
            child_ids=children,
        )
    )
    session.flush()  # what was inside at a moment is replayed from it
    return PackingEvent(
        key,
        container_id,
        action,
        deed.at(now),
        deed.offset_minutes,
        facility_id,
        tuple(pieces),
        tuple(children),
    )


def above(session: Session, container_id: int) -> list[tuple[int, datetime]]:
    """A container and those that it is in, each with the moment since when it is."""
    rows = execute_plain(
        session,
        """
        WITH RECURSIVE above AS (
            SELECT %s::bigint AS id, '-infinity'::timestamptz AS since
            UNION ALL
            SELECT item.container_id, greatest(item.packed_at, above.since)
            FROM above JOIN container_item AS item ON item.child_id = above.id
            WHERE item.released_at IS NULL AND NOT item.surplus
        )
        SELECT id, CASE WHEN since > '-infinity' THEN since END FROM above
        """,
        (container_id,),
    )
    early = datetime.min.replace(tzinfo=UTC)
    return [(found_id, early if since is None else since.astimezone(UTC)) for found_id, since in rows]


def deeper(session: Session, container_id: int, items: Sequence[Item]) -> dict[Item, str]:
    """Of some things those that are in a container within this one, with its number."""
    rows = execute_plain(
        session,
        _DEEPER,
        (container_id, *columns(items)),
    )
    return {
        item_of(shipment_id, piece_no, child_id): number for shipment_id, piece_no, child_id, number in rows
    }


def item_of(shipment_id: int | None, piece_no: int | None, child_id: int | None) -> Item:
    """A row's piece or container."""
    if child_id is not None:
        return child_id
    assert shipment_id is not None, "the table's check says so"
    assert piece_no is not None, "the table's check says so"
    return Piece(shipment_id, piece_no)


# No value of anybody's is part of these texts: they are put together of the same few phrases.
_GIVEN = "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS given (shipment_id, piece_no, child_id)"
_ITEM = "item.shipment_id, item.piece_no, item.child_id"
# As one equality, which can be hashed; an OR of two would compare each with each.
_SAME = (
    "coalesce(item.shipment_id, -item.child_id) = coalesce(given.shipment_id, -given.child_id) "
    "AND coalesce(item.piece_no, 0) = coalesce(given.piece_no, 0)"
)
# Two joins, so that each goes by its own index.
_PRESENT = f"""
WITH given AS (SELECT * FROM {_GIVEN}),
item AS (
    SELECT item.* FROM given JOIN container_item AS item USING (shipment_id, piece_no)
    UNION ALL
    SELECT item.* FROM given JOIN container_item AS item ON item.child_id = given.child_id
)
SELECT {_ITEM}, container.id, container.number, container.status
FROM item JOIN container ON container.id = item.container_id
WHERE item.tenant_id = %s AND item.released_at IS NULL AND NOT item.surplus
"""  # noqa: S608
_PUT = f"""
INSERT INTO container_item (tenant_id, container_id, packed_at, surplus, shipment_id, piece_no, child_id)
SELECT %s, %s, %s, false, given.* FROM {_GIVEN}
ON CONFLICT DO NOTHING RETURNING shipment_id, piece_no, child_id
"""  # noqa: S608
_ADD_SURPLUS = f"""
INSERT INTO container_item (tenant_id, container_id, packed_at, checked_at, surplus, shipment_id, piece_no,
    child_id)
SELECT %s, %s, %s, %s, true, given.* FROM {_GIVEN} ON CONFLICT DO NOTHING
"""  # noqa: S608
_RELEASE = f"""
UPDATE container_item AS item SET released_at = %s, checked_at = coalesce(checked_at, %s) FROM {_GIVEN}
WHERE {_SAME} AND item.container_id = %s AND item.released_at IS NULL AND NOT item.surplus RETURNING {_ITEM}
"""  # noqa: S608
_DELETE = f"""
DELETE FROM container_item AS item USING {_GIVEN}
WHERE {_SAME} AND item.container_id = %s AND item.released_at IS NULL AND NOT item.surplus RETURNING {_ITEM}
"""  # noqa: S608
_CHECK = f"""
UPDATE container_item AS item SET checked_at = %s FROM {_GIVEN}
WHERE {_SAME} AND item.container_id = %s AND item.checked_at IS NULL RETURNING {_ITEM}
"""  # noqa: S608
_LISTED = f"SELECT {_ITEM} FROM container_item AS item, {_GIVEN} WHERE {_SAME} AND item.container_id = %s"  # noqa: S608
_DEEPER = f"""
WITH RECURSIVE within AS (
    SELECT child_id AS id FROM container_item
    WHERE container_id = %s AND child_id IS NOT NULL AND NOT surplus
    UNION
    SELECT item.child_id FROM within JOIN container_item AS item ON item.container_id = within.id
    WHERE item.child_id IS NOT NULL AND NOT item.surplus
)
SELECT {_ITEM}, container.number
FROM within
JOIN container ON container.id = within.id
JOIN container_item AS item ON item.container_id = within.id
JOIN {_GIVEN} ON {_SAME}
WHERE item.released_at IS NULL AND NOT item.surplus
"""  # noqa: S608
