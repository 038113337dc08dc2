"""Questions about findings that stand: a page of them, how many of each kind, and one with its notes."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.roles import Role
from app.actor import Actor
from app.customers.models import Customer
from app.errors import ForbiddenError, NotFoundError
from app.pagination import Page, decode_cursor, page_of
from app.shipments.finding_models import FindingNote, ShipmentFinding
from app.shipments.models import Shipment
from app.shipments.queries import visible
from tracking.finding import FindingKind


class Show(enum.StrEnum):
    """Which findings: those to be seen to, those put aside for now, or both."""

    DUE = "due"
    ASIDE = "aside"
    ALL = "all"


class Whose(enum.StrEnum):
    """Whose findings: anybody's, the asker's, or nobody's yet."""

    ANYBODY = "anybody"
    MINE = "mine"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """What the board is narrowed to; None narrows nothing.

    Attributes:
        kind: what was found.
        facility_id: where the parcel was seen last, or starts if nobody has seen it.
        customer_id: who sends it.
        older_than: for how long it has been so, at least.
        whose: who sees to it.
        show: whether what was put aside is shown.
    """

    kind: FindingKind | None = None
    facility_id: int | None = None
    customer_id: int | None = None
    older_than: timedelta | None = None
    whose: Whose = Whose.ANYBODY
    show: Show = Show.DUE


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding that stands, with what a row of the board tells of it."""

    finding: ShipmentFinding
    shipment: Shipment
    customer_name: str
    assignee_name: str | None


def require_staff(actor: Actor) -> None:
    """Findings are for the staff.

    Raises:
        ForbiddenError: a shipper asks.
    """
    if actor.role == Role.SHIPPER:
        raise ForbiddenError("findings are for the staff")


def board(
    session: Session, actor: Actor, chosen: BoardFilter, *, now: datetime, cursor: str | None, limit: int
) -> Page[Standing]:
    """Findings that stand, of shipments that the asker may know of, the longest first."""
    statement = (
        sa.select(ShipmentFinding, Shipment, Customer.name, User.name)
        .join(Shipment, Shipment.id == ShipmentFinding.shipment_id)
        .join(Customer, Customer.id == Shipment.customer_id)
        .outerjoin(User, User.id == ShipmentFinding.assignee_id)
        .where(visible(actor), *_of_finding(actor, chosen, now), *_of_shipment(chosen))
    )
    if chosen.kind is not None:
        statement = statement.where(ShipmentFinding.kind == chosen.kind)
    if cursor is not None:
        opened_at, finding_id = decode_cursor(cursor, tuple[datetime, int])
        after = sa.tuple_(sa.literal(opened_at), sa.literal(finding_id))
        statement = statement.where(sa.tuple_(ShipmentFinding.opened_at, ShipmentFinding.id) > after)
    rows = session.execute(
        statement.order_by(ShipmentFinding.opened_at, ShipmentFinding.id).limit(limit + 1)
    ).all()
    found = [Standing(*row) for row in rows]
    return page_of(found, limit, lambda row: (row.finding.opened_at, row.finding.id))


def counts(session: Session, actor: Actor, chosen: BoardFilter, *, now: datetime) -> dict[FindingKind, int]:
    """How many findings of each kind there are under the same filters, whatever their kind; most first."""
    statement = sa.select(ShipmentFinding.kind, sa.func.count()).where(*_of_finding(actor, chosen, now))
    # The staff may see all of the tenant's shipments, which are asked for only where a filter needs them.
    require_staff(actor)
    if of_shipment := _of_shipment(chosen):
        statement = statement.join(Shipment, Shipment.id == ShipmentFinding.shipment_id).where(*of_shipment)
    rows = session.execute(
        statement.group_by(ShipmentFinding.kind).order_by(sa.func.count().desc(), ShipmentFinding.kind)
    )
    return dict(rows.all())


def load(session: Session, actor: Actor, finding_id: int) -> Standing:
    """One finding, standing or closed.

    Raises:
        NotFoundError: there is none, or it is of a shipment that is none of the asker's.
    """
    row = session.execute(
        sa.select(ShipmentFinding, Shipment, Customer.name, User.name)
        .join(Shipment, Shipment.id == ShipmentFinding.shipment_id)
        .join(Customer, Customer.id == Shipment.customer_id)
        .outerjoin(User, User.id == ShipmentFinding.assignee_id)
        .where(visible(actor), ShipmentFinding.id == finding_id)
    ).one_or_none()
    if row is None:
        raise NotFoundError("no such finding")
    return Standing(*row)


def locked(session: Session, actor: Actor, finding_ids: Collection[int]) -> dict[int, ShipmentFinding]:
    """Some findings of shipments that the asker may know of, locked in the order of their ids."""
    rows = session.scalars(
        sa.select(ShipmentFinding)
        .join(Shipment, Shipment.id == ShipmentFinding.shipment_id)
        .where(visible(actor), ShipmentFinding.id.in_(finding_ids))
        .order_by(ShipmentFinding.id)
        .with_for_update(of=ShipmentFinding)
    )
    return {row.id: row for row in rows}


def shipments_of(session: Session, findings: Collection[ShipmentFinding]) -> dict[int, Shipment]:
    """The shipments of findings, by id."""
    ids = {finding.shipment_id for finding in findings}
    return {row.id: row for row in session.scalars(sa.select(Shipment).where(Shipment.id.in_(ids)))}


def notes_of(session: Session, finding_ids: Collection[int]) -> dict[int, list[tuple[FindingNote, str]]]:
    """What was written down about findings, and by whom, latest first."""
    found: dict[int, list[tuple[FindingNote, str]]] = {finding_id: [] for finding_id in finding_ids}
    rows = session.execute(
        sa.select(FindingNote, User.name)
        .join(User, User.id == FindingNote.user_id)
        .where(FindingNote.finding_id.in_(finding_ids))
        .order_by(FindingNote.id.desc())
    )
    for note, name in rows:
        found[note.finding_id].append((note, name))
    return found


def staff(session: Session) -> Sequence[User]:
    """Who can be asked to see to a finding, by name."""
    roles = (Role.HUB, Role.DISPATCHER, Role.AGENT, Role.ADMIN)
    return session.scalars(
        sa.select(User).where(User.active, User.role.in_(roles)).order_by(User.name, User.id)
    ).all()


def _of_finding(actor: Actor, chosen: BoardFilter, now: datetime) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [
        ShipmentFinding.tenant_id == actor.tenant_id,
        ShipmentFinding.closed_at.is_(None),
    ]
    if chosen.older_than is not None:
        found.append(ShipmentFinding.opened_at <= now - chosen.older_than)
    if chosen.whose is Whose.MINE:
        found.append(ShipmentFinding.assignee_id == actor.user_id)
    elif chosen.whose is Whose.NOBODY:
        found.append(ShipmentFinding.assignee_id.is_(None))
    aside = ShipmentFinding.snoozed_until > now
    if chosen.show is Show.DUE:
        found.append(aside.is_not(True))
    elif chosen.show is Show.ASIDE:
        found.append(aside)
    return found


def _of_shipment(chosen: BoardFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if chosen.facility_id is not None:
        seen = sa.func.coalesce(Shipment.seen_facility_id, Shipment.origin_facility_id)
        found.append(seen == chosen.facility_id)
    if chosen.customer_id is not None:
        found.append(Shipment.customer_id == chosen.customer_id)
    return found
