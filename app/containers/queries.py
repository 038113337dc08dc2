"""Questions about containers. `load_container` guards; what a container holds is told in pages or whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.accounts.roles import Scope
from app.actor import Actor
from app.containers.values import Counts
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of
from app.shipments.container_models import Container, ContainerItem, ContainerScan
from app.shipments.models import Shipment
from app.shipments.values import label_number
from tracking.container_states import ContainerStatus
from tracking.containers import ContainerKind
from tracking.numbers import container_number_in
from tracking.shipment import ScanCode


@dataclass(frozen=True, slots=True)
class ContainerFilters:
    """What a list of containers is narrowed to; None narrows nothing.

    Args:
        kind: only bags, manifests or trips.
        status: where they stand.
        facility_id: they come from here, go to here or were received here.
        number: exact, as it is typed.
        open_only: not those that are broken.
    """

    kind: ContainerKind | None = None
    status: ContainerStatus | None = None
    facility_id: int | None = None
    number: str | None = None
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One thing on a container's list: what its label says, and how it stands there."""

    item_id: int
    number: str
    is_container: bool
    packed_at: datetime
    checked_at: datetime | None
    released_at: datetime | None
    surplus: bool

    @property
    def missing(self) -> bool:
        """Expected, and not seen."""
        return not self.surplus and self.checked_at is None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Expected against scanned, all of it by what the labels say."""

    counts: Counts
    missing: tuple[str, ...]
    surplus: tuple[str, ...]


def load_container(session: Session, actor: Actor, number: str) -> Container:
    """The container with this number, if the asker may know of it.

    Raises:
        NotFoundError: there is none, or it is none of the asker's; one answer for both.
    """
    plain = container_number_in(number)
    condition = Container.number == (plain or "")
    found = session.scalar(sa.select(Container).where(condition, visible(actor)))
    if found is None:
        raise NotFoundError("no such container")
    return found


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """What makes a container one that the asker may know of; every list needs it."""
    return sa.true() if actor.may(Scope.CONTAINERS_READ) else sa.false()


def list_containers(
    session: Session, actor: Actor, filters: ContainerFilters, cursor: str | None, limit: int
) -> Page[Container]:
    """Containers that the asker may know of, the latest opened first."""
    statement = sa.select(Container).where(visible(actor), *_conditions(filters))
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(Container.id < last_id)
    rows = session.scalars(statement.order_by(Container.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.id,))


def counts(session: Session, container_ids: Collection[int]) -> dict[int, Counts]:
    """How many things each container should hold, and how many of them the dock has seen."""
    expected, surplus = ~ContainerItem.surplus, ContainerItem.surplus
    rows = session.execute(
        sa.select(
            ContainerItem.container_id,
            sa.func.count().filter(expected),
            sa.func.count().filter(expected, ContainerItem.checked_at.is_not(None)),
            sa.func.count().filter(surplus),
        )
        .where(ContainerItem.container_id.in_(container_ids))
        .group_by(ContainerItem.container_id)
    )
    found = {container_id: Counts(*figures) for container_id, *figures in rows}
    return {container_id: found.get(container_id, Counts()) for container_id in container_ids}


def compare(session: Session, container_id: int) -> Comparison:
    """Expected against scanned: what is missing and what is surplus, every one of them."""
    rows = session.execute(
        _listing(container_id)
        .where(sa.or_(ContainerItem.surplus, ContainerItem.checked_at.is_(None)))
        .order_by(ContainerItem.id)
    )
    odd = [_listed(row) for row in rows]
    return Comparison(
        counts(session, [container_id])[container_id],
        tuple(one.number for one in odd if one.missing),
        tuple(one.number for one in odd if one.surplus),
    )


def list_items(session: Session, container_id: int, cursor: str | None, limit: int) -> Page[Listed]:
    """What stands on a container's list: missing first, then surplus, then the rest as packed."""
    rank = sa.case((ContainerItem.surplus, 1), (ContainerItem.checked_at.is_(None), 0), else_=2)
    statement = _listing(container_id).add_columns(rank.label("rank"))
    if cursor is not None:
        key = decode_cursor(cursor, tuple[int, int])
        after = sa.tuple_(*(sa.literal(value) for value in key))
        statement = statement.where(sa.tuple_(rank, ContainerItem.id) > after)
    rows = session.execute(statement.order_by(rank, ContainerItem.id).limit(limit + 1)).all()
    ranks = {row.id: row.rank for row in rows}
    return page_of([_listed(row) for row in rows], limit, lambda one: (ranks[one.item_id], one.item_id))


def inside_of(session: Session, container_id: int) -> Container | None:
    """The container that this one is in now."""
    return session.scalar(
        sa.select(Container)
        .join(ContainerItem, ContainerItem.container_id == Container.id)
        .where(
            ContainerItem.child_id == container_id,
            ContainerItem.released_at.is_(None),
            ~ContainerItem.surplus,
        )
    )


def outer_scans(session: Session, container_id: int) -> Sequence[ContainerScan]:
    """The scans of a container's own outside that count, the latest first."""
    later = aliased(ContainerScan)
    corrected = sa.select(later.scan_key).where(later.corrects == ContainerScan.scan_key).exists()
    return session.scalars(
        sa.select(ContainerScan)
        .where(
            ContainerScan.container_id == container_id,
            ContainerScan.code != ScanCode.VOIDED,
            ~corrected,
        )
        .order_by(ContainerScan.occurred_at.desc(), ContainerScan.received_at.desc(), ContainerScan.scan_key)
    ).all()


def _conditions(filters: ContainerFilters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.kind is not None:
        found.append(Container.kind == filters.kind)
    if filters.status is not None:
        found.append(Container.status == filters.status)
    if filters.open_only:
        found.append(Container.status != ContainerStatus.BROKEN)
    if filters.facility_id is not None:
        found.append(
            sa.or_(
                Container.from_facility_id == filters.facility_id,
                Container.to_facility_id == filters.facility_id,
                Container.received_facility_id == filters.facility_id,
            )
        )
    if filters.number:
        found.append(Container.number == (container_number_in(filters.number) or ""))
    return found


def _listing(
    container_id: int,
) -> sa.Select[*tuple[Any, ...]]:
    child = aliased(Container)
    return (
        sa.select(
            ContainerItem.id,
            ContainerItem.packed_at,
            ContainerItem.checked_at,
            ContainerItem.released_at,
            ContainerItem.surplus,
            ContainerItem.piece_no,
            Shipment.waybill_number,
            Shipment.pieces,
            child.number.label("child_number"),
        )
        .outerjoin(Shipment, Shipment.id == ContainerItem.shipment_id)
        .outerjoin(child, child.id == ContainerItem.child_id)
        .where(ContainerItem.container_id == container_id)
    )


def _listed(row: sa.Row[Any]) -> Listed:
    is_container = row.child_number is not None
    number = row.child_number or label_number(row.waybill_number, row.piece_no, row.pieces)
    return Listed(row.id, number, is_container, row.packed_at, row.checked_at, row.released_at, row.surplus)
