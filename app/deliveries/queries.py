"""Questions of the last door; `load_instruction` guards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.accounts.roles import Role
from app.actor import Actor
from app.deliveries.models import Access, Instruction
from app.deliveries.point_models import PointDeposit
from app.deliveries.targets import POINT_KINDS
from app.deliveries.values import Asking
from app.dispatch.models import Courier
from app.errors import ForbiddenError, NotFoundError
from app.network.models import Facility
from app.pagination import Page, decode_cursor, page_of
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from tracking.instructions import OPEN, Asker, InstructionKind, Standing

_POINTS_MAX = 200


def asking(actor: Actor) -> Asking:
    """In whose name a login asks: a shipper in his own, the staff in the company's.

    Raises:
        ForbiddenError: a hub or a courier carries out what others ask.
    """
    if actor.role in (Role.HUB, Role.COURIER):
        raise ForbiddenError("who carries parcels does not turn them")
    asker = Asker.SHIPPER if actor.role == Role.SHIPPER else Asker.STAFF
    return Asking(asker, Access.LOGIN, actor)


BY_LINK = Asking(Asker.CONSIGNEE, Access.TRACKING_LINK)


def load_instruction(session: Session, actor: Actor, instruction_id: int) -> Instruction:
    """An instruction about a shipment that the asker may know of.

    Raises:
        NotFoundError: there is none, or its shipment is none of the asker's.
    """
    row = session.scalar(
        sa.select(Instruction)
        .join(Shipment, Shipment.id == Instruction.shipment_id)
        .where(Instruction.id == instruction_id, shipments.visible(actor))
    )
    if row is None:
        raise NotFoundError("no such instruction")
    return row


def instruction_of(session: Session, shipment: Shipment, instruction_id: int) -> Instruction:
    """An instruction of a shipment that was loaded for the asker.

    Raises:
        NotFoundError: it is of another shipment, or there is none.
    """
    row = session.scalar(
        sa.select(Instruction).where(Instruction.id == instruction_id, Instruction.shipment_id == shipment.id)
    )
    if row is None:
        raise NotFoundError("no such instruction")
    return row


def instructions_of(session: Session, shipment: Shipment) -> Sequence[Instruction]:
    """Everything that was asked about a shipment, the latest first."""
    return session.scalars(
        sa.select(Instruction)
        .options(joinedload(Instruction.facility))
        .where(Instruction.shipment_id == shipment.id)
        .order_by(Instruction.asked_at.desc(), Instruction.id.desc())
    ).all()


def list_instructions(
    session: Session,
    actor: Actor,
    *,
    standings: Collection[Standing],
    kind: InstructionKind | None,
    cursor: str | None,
    limit: int,
) -> Page[Instruction]:
    """Instructions about shipments that the asker may know of; what waits for a person first.

    Args:
        session: of the asker's tenant.
        actor: who asks.
        standings: any of these; empty: those that are open.
        kind: narrows it down; None does not.
        cursor: of the page before.
        limit: rows a page.
    """
    waits = Instruction.standing != Standing.ASKED
    query = (
        sa.select(Instruction)
        .join(Shipment, Shipment.id == Instruction.shipment_id)
        .options(joinedload(Instruction.shipment), joinedload(Instruction.facility))
        .where(shipments.visible(actor), Instruction.standing.in_(list(standings) or list(OPEN)))
    )
    if kind is not None:
        query = query.where(Instruction.kind == kind)
    if cursor is not None:
        after, instruction_id = decode_cursor(cursor, tuple[bool, int])
        query = query.where(
            sa.tuple_(waits, -Instruction.id) > sa.tuple_(sa.literal(after), sa.literal(-instruction_id))
        )
    rows = session.scalars(query.order_by(waits, Instruction.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.standing is not Standing.ASKED, row.id))


def waiting_for_the_staff(session: Session, actor: Actor) -> int:
    """How many instructions wait for an answer."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Instruction)
            .join(Shipment, Shipment.id == Instruction.shipment_id)
            .where(shipments.visible(actor), Instruction.standing == Standing.ASKED)
        )
        or 0
    )


def load_deposit(session: Session, actor: Actor, deposit_id: int) -> PointDeposit:
    """A deposit at a point that the asker works with.

    Raises:
        NotFoundError: there is none, or it is at another's point.
    """
    row = session.get(PointDeposit, deposit_id)
    if row is None or (actor.role == Role.HUB and actor.subject_id != row.facility_id):
        raise NotFoundError("no such parcel waits here")
    return row


def load_point(session: Session, actor: Actor, facility_id: int) -> Facility:
    """A point at which parcels are left and fetched, for who works there.

    Raises:
        NotFoundError: there is none, or it is another's.
    """
    row = session.scalar(
        sa.select(Facility).where(Facility.id == facility_id, Facility.kind.in_(POINT_KINDS))
    )
    if row is None or (actor.role == Role.HUB and actor.subject_id != row.id):
        raise NotFoundError("no such pickup point")
    return row


def points_of(session: Session, actor: Actor) -> Sequence[tuple[Facility, int, int]]:
    """Points that the asker works with, each with how many parcels wait there and how many are overdue."""
    waits = sa.and_(
        PointDeposit.facility_id == Facility.id,
        PointDeposit.taken_at.is_(None),
        PointDeposit.taken_back_at.is_(None),
    )
    query = (
        sa.select(Facility, sa.func.count(PointDeposit.id), sa.func.count(PointDeposit.overdue_at))
        .outerjoin(PointDeposit, waits)
        .where(Facility.kind.in_(POINT_KINDS), Facility.closed_at.is_(None))
        .group_by(Facility.id)
        .order_by(sa.func.count(PointDeposit.overdue_at).desc(), Facility.code)
        .limit(_POINTS_MAX)
    )
    if actor.role == Role.HUB:
        query = query.where(Facility.id == actor.subject_id)
    elif actor.role == Role.COURIER:
        outlet_id = sa.select(Courier.facility_id).where(Courier.id == actor.subject_id).scalar_subquery()
        query = query.where(sa.or_(Facility.id == outlet_id, Facility.parent_id == outlet_id))
    return [(facility, waiting, overdue) for facility, waiting, overdue in session.execute(query)]


def deposits_at(
    session: Session, facility_id: int, *, overdue: bool, cursor: str | None, limit: int
) -> Page[PointDeposit]:
    """What waits at a point, what has waited longest first.

    Args:
        session: of the point's tenant.
        facility_id: the point.
        overdue: only what nobody fetched in time.
        cursor: of the page before.
        limit: rows a page.
    """
    query = (
        sa.select(PointDeposit)
        .options(joinedload(PointDeposit.shipment), joinedload(PointDeposit.compartment))
        .where(
            PointDeposit.facility_id == facility_id,
            PointDeposit.taken_at.is_(None),
            PointDeposit.taken_back_at.is_(None),
        )
    )
    if overdue:
        query = query.where(PointDeposit.overdue_at.is_not(None))
    if cursor is not None:
        at, deposit_id = decode_cursor(cursor, tuple[datetime, int])
        query = query.where(
            sa.tuple_(PointDeposit.deposited_at, PointDeposit.id)
            > sa.tuple_(sa.literal(at), sa.literal(deposit_id))
        )
    rows = session.scalars(query.order_by(PointDeposit.deposited_at, PointDeposit.id).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.deposited_at, row.id))


def last_deposit(session: Session, shipment: Shipment) -> PointDeposit | None:
    """Where a shipment was left last to be fetched, with its place."""
    return session.scalar(
        sa.select(PointDeposit)
        .options(joinedload(PointDeposit.facility), joinedload(PointDeposit.compartment))
        .where(PointDeposit.shipment_id == shipment.id)
        .order_by(PointDeposit.id.desc())
        .limit(1)
    )
