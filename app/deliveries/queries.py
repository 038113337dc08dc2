"""Questions of the last door; `load_instruction` guards."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.accounts.roles import Role
from app.actor import Actor
from app.deliveries.models import Access, Instruction
from app.deliveries.values import Asking
from app.errors import ForbiddenError, NotFoundError
from app.pagination import Page, decode_cursor, page_of
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from tracking.instructions import OPEN, Asker, InstructionKind, Standing


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
