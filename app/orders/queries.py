"""Questions about orders; the guarded loader is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts.models import AuditEntry, Installation
from app.actor import Actor
from app.customers.models import Customer
from app.db.session import tenant_of
from app.errors import NotFoundError
from app.ledger.models import JournalEntry
from app.ledger.queries import balance, entries_with_evidence
from app.orders.models import Order, OrderShare, OrderStatus, PaymentChannel
from app.pagination import Page, decode_cursor, page_of
from app.shipments.models import Shipment
from app.shipments.values import link_token
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout import Hold, HoldReason
from settlement.posting import PostingKind


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are asked for; None does not restrict. Days are local to `offset_minutes`."""

    status: OrderStatus | None = None
    channel: PaymentChannel | None = None
    customer_id: int | None = None
    unpaid: bool = False
    from_day: date | None = None
    to_day: date | None = None
    offset_minutes: int = 480


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order in a list, with what names it."""

    order: Order
    waybill_number: str
    customer_name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the orders needs a person."""

    unpaid: int
    unpaid_minor: int
    released_unpaid: int
    held_minor: int


def load_order(session: Session, actor: Actor, number: str) -> Order:
    """An order the asker may know of: staff all of the tenant's, a shipper his own.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    order = session.scalar(
        _visible(actor)
        .where(Order.number == number)
        .options(selectinload(Order.charges), selectinload(Order.shares))
    )
    if order is None:
        raise NotFoundError("no such order")
    return order


def order_of_shipment(session: Session, shipment_id: int) -> Order | None:
    """The order of a shipment, with its charges and shares."""
    return session.scalar(
        sa.select(Order)
        .where(Order.shipment_id == shipment_id)
        .options(selectinload(Order.charges), selectinload(Order.shares))
    )


def list_orders(
    session: Session, actor: Actor, chosen: OrderFilter, *, cursor: str | None, limit: int
) -> Page[OrderRow]:
    """A page of the orders, newest first."""
    query = (
        _visible(actor)
        .join(Shipment, Shipment.id == Order.shipment_id)
        .join(Customer, Customer.id == Order.customer_id)
        .add_columns(Shipment.waybill_number, Customer.name)
    )
    for wanted, column in (
        (chosen.status, Order.status),
        (chosen.channel, Order.channel),
        (chosen.customer_id, Order.customer_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if chosen.unpaid:
        query = query.where(*_unpaid())
    zone = timezone(timedelta(minutes=chosen.offset_minutes))
    if chosen.from_day is not None:
        query = query.where(Order.placed_at >= datetime.combine(chosen.from_day, time(), zone))
    if chosen.to_day is not None:
        end = datetime.combine(chosen.to_day, time(), zone) + timedelta(days=1)
        query = query.where(Order.placed_at < end)
    if cursor is not None:
        placed_at, order_id = decode_cursor(cursor, tuple[datetime, int])
        query = query.where(sa.tuple_(Order.placed_at, Order.id) < (placed_at, order_id))
    rows = session.execute(query.order_by(Order.placed_at.desc(), Order.id.desc()).limit(limit + 1))
    found = [OrderRow(*row) for row in rows]
    return page_of(found, limit, lambda row: (row.order.placed_at, row.order.id))


def standing(session: Session, actor: Actor, currency: str) -> Standing:
    """Counts and sums over the orders that the asker may know of."""
    visible = _visible(actor).where(Order.currency == currency).subquery()
    owed = sa.and_(visible.c.paid_at.is_(None), visible.c.status != OrderStatus.CANCELLED)
    total = visible.c.total_minor

    def minor(amount: sa.ColumnElement[int], condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.cast(sa.func.coalesce(sa.func.sum(amount).filter(condition), 0), sa.BigInteger)

    row = session.execute(
        sa.select(
            sa.func.count().filter(owed),
            minor(total - visible.c.paid_minor, owed),
            sa.func.count().filter(owed, visible.c.status == OrderStatus.RELEASED),
            minor(total, visible.c.status == OrderStatus.HELD),
        )
    ).one()
    return Standing(*row)


def awaiting_funds(session: Session, currency: str) -> tuple[Hold, ...]:
    """What has been released of orders that nobody has paid yet: custody cannot pay it out.

    To be given to `settlement.payout.payable`.
    """
    rows = session.execute(
        sa.select(OrderShare.party_id, sa.cast(sa.func.sum(OrderShare.amount_minor), sa.BigInteger))
        .join(Order, Order.id == OrderShare.order_id)
        .where(Order.currency == currency, Order.status == OrderStatus.RELEASED, Order.paid_at.is_(None))
        .group_by(OrderShare.party_id)
        .order_by(OrderShare.party_id)
    )
    return tuple(
        Hold(party_id, Money(minor, currency), HoldReason.AWAITING_FUNDS)
        for party_id, minor in rows
        if minor > 0
    )


def entries_of(session: Session, order: Order) -> list[JournalEntry]:
    """The journal entries that rest on an order, oldest first."""
    return entries_with_evidence(session, "order", order.number)


def collected_minor(session: Session, order: Order) -> int:
    """What was collected at the door for an order's shipper and stands, in minor units."""
    return sum(
        -line.amount_minor
        for entry in entries_of(session, order)
        for line in entry.lines
        if line.account.purpose is Purpose.COD_PAYABLE
        and entry.kind in (PostingKind.COD_COLLECTED, PostingKind.REVERSAL)
    )


def clearing_minor(session: Session, currency: str) -> int:
    """What the payment channel has confirmed and not handed over yet."""
    return balance(session, AccountKey(tenant_of(session), None, Purpose.CHANNEL_CLEARING, currency))


def tracking_path(session: Session, shipment: Shipment) -> str:
    """The path of the shipment's unguessable public page."""
    return f"/t/{link_token(shipment.id, session.get_one(Installation, 1).waybill_key)}"


def terms_trail(session: Session, version_id: int) -> Sequence[AuditEntry]:
    """Who did what to a version of terms, oldest first."""
    return session.scalars(
        sa.select(AuditEntry)
        .where(AuditEntry.subject_kind == "terms_version", AuditEntry.subject_id == version_id)
        .order_by(AuditEntry.id)
    ).all()


def _unpaid() -> tuple[sa.ColumnElement[bool], ...]:
    return Order.paid_at.is_(None), Order.status != OrderStatus.CANCELLED


def _visible(actor: Actor) -> sa.Select[Order]:
    query = sa.select(Order).where(Order.tenant_id == actor.tenant_id)
    if actor.role == "shipper":
        query = query.where(Order.customer_id == actor.subject_id)
    return query
