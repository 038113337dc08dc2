"""Questions about pickups that were asked for; `load_pickup` and `load_recurring` are the guarded loaders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.customers import service as customers
from app.dispatch.models import StopRequest
from app.dispatch.pickup_models import PickupRequest, RecurringPickup
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of


def load_pickup(session: Session, actor: Actor, pickup_id: int) -> PickupRequest:
    """A pickup: a shipper knows his own, the staff all.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    found = session.scalar(
        sa.select(PickupRequest).where(PickupRequest.id == pickup_id, _mine(actor, PickupRequest.customer_id))
    )
    if found is None:
        raise NotFoundError("no such pickup")
    return found


def load_recurring(session: Session, actor: Actor, recurring_id: int) -> RecurringPickup:
    """A weekly pickup: a shipper knows his own, the staff all.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    found = session.scalar(
        sa.select(RecurringPickup).where(
            RecurringPickup.id == recurring_id, _mine(actor, RecurringPickup.customer_id)
        )
    )
    if found is None:
        raise NotFoundError("no such weekly pickup")
    return found


def list_pickups(
    session: Session, actor: Actor, *, cursor: str | None, limit: int
) -> Page[tuple[PickupRequest, StopRequest]]:
    """Pickups the asker may see with their stops, the latest asked for first."""
    statement = (
        sa.select(PickupRequest, StopRequest)
        .join(StopRequest, StopRequest.pickup_request_id == PickupRequest.id)
        .where(_mine(actor, PickupRequest.customer_id))
    )
    if cursor is not None:
        (before,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(PickupRequest.id < before)
    rows = [
        (request, stop)
        for request, stop in session.execute(statement.order_by(PickupRequest.id.desc()).limit(limit + 1))
    ]
    return page_of(rows, limit, lambda row: (row[0].id,))


def recurring_pickups(session: Session, actor: Actor) -> Sequence[RecurringPickup]:
    """Weekly pickups that have not ended, oldest first."""
    return session.scalars(
        sa.select(RecurringPickup)
        .where(RecurringPickup.ended_at.is_(None), _mine(actor, RecurringPickup.customer_id))
        .order_by(RecurringPickup.id)
        .limit(500)
    ).all()


def customer_of(session: Session, actor: Actor, *, name: str, phone: str, now: Any) -> int:
    """Whose pickup it is: a shipper's own, or of the caller whom an agent speaks with, known by his phone.

    Raises:
        InvalidInputError: the phone is none.
    """
    if actor.role == Role.SHIPPER and actor.subject_id is not None:
        return actor.subject_id
    return customers.find_or_create(session, name=name, phone=phone, now=now).id


def _mine(actor: Actor, customer_id: Any) -> sa.ColumnElement[bool]:
    if actor.role == Role.SHIPPER:
        mine: sa.ColumnElement[bool] = customer_id == actor.subject_id
        return mine
    return sa.true() if actor.may(Scope.SHIPMENTS_BOOK) else sa.false()
