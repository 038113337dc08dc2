"""What happens to an order's money after booking: paid, settled by the channel, released, cancelled.

Each step locks its orders, looks at their status and posts under keys made of the orders' numbers, so that
a step that comes twice has one effect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.actor import Actor
from app.customers.models import Customer
from app.customers.party import party_id_of
from app.db.session import tenant_of
from app.errors import ConflictError
from app.ledger import service as ledger
from app.orders.booking import header, payment
from app.orders.locking import lock, lock_orders_of, locked_orders
from app.orders.models import Order, OrderStatus, SurchargePayment
from app.parties import queries as parties
from app.shipments import service as shipments
from app.shipments.models import Shipment
from settlement import posting
from settlement.ledger import AccountKey, JournalEntry, Purpose
from settlement.money import Money


def pay(session: Session, actor: Actor, order: Order, *, now: datetime) -> None:
    """The payer of a monthly account has paid what he owes of the order; again is no harm.

    What a consignee has accepted to pay at his door is not the payer's.

    Raises:
        ConflictError: the order was cancelled, or the rest of it is collected at the door.
    """
    pay_many(session, actor, [order], now=now)


def pay_many(session: Session, actor: Actor, orders: Sequence[Order], *, now: datetime) -> None:
    """The payers of monthly accounts have paid what they owe of some orders, all or none; else as `pay`."""
    lock(session, orders)
    due = sorted({order for order in orders if order.paid_at is None}, key=lambda order: order.id)
    known = shipments_of(session, (order.shipment_id for order in due))
    customers = {
        customer.id: customer
        for customer in session.scalars(
            sa.select(Customer).where(Customer.id.in_({order.customer_id for order in due}))
        )
    }
    entries = []
    for order in due:
        entries.append(_paid(session, order, known[order.shipment_id], customers[order.customer_id], now))
        accounts.audit(session, actor, "order.paid", subject_kind="order", subject_id=order.id, now=now)
    ledger.post_many(session, entries, now=now)


def _paid(
    session: Session, order: Order, shipment: Shipment, customer: Customer, now: datetime
) -> JournalEntry:
    """Write on a locked order that its payer has paid; gives what is to be posted."""
    if order.status is OrderStatus.CANCELLED:
        raise ConflictError("a cancelled order is owed by nobody")
    before_minor, amount_minor = order.paid_minor, owed_minor(order)
    if not amount_minor:
        raise ConflictError("what is not paid yet is collected at the door")
    note_paid(order, amount_minor, now)
    for one in order.surcharges:
        if one.payment is SurchargePayment.ACCOUNT:
            one.paid_at = one.paid_at or now
    payer_id = party_id_of(session, customer, now=now)
    return payment(chart_of(session), order, shipment, payer_id, amount_minor, now, before_minor=before_minor)


def owed_minor(order: Order) -> int:
    """What the payer of an order still owes of it; what a consignee is to pay at his door is not his."""
    at_the_door = sum(
        one.amount_minor
        for one in order.surcharges
        if one.payment is SurchargePayment.AT_THE_DOOR and one.paid_at is None
    )
    return order.total_minor - order.paid_minor - at_the_door


def note_paid(order: Order, amount_minor: int, now: datetime) -> None:
    """Write on a locked order that more of it is paid, or, negative, less."""
    order.paid_minor += amount_minor
    order.paid_at = now if order.paid_minor == order.total_minor else None


def settle_channel(session: Session, actor: Actor, *, amount: Money, reference: str, now: datetime) -> None:
    """The payment channel has handed what it confirmed to the custody account.

    Args:
        reference: the bank's or the channel's own; a payment of the same reference is recorded once.

    Raises:
        ConflictError: it is more than the channel has confirmed.
        EntryConflictError: the reference was used for another amount.
    """
    key = f"channel:{reference}"
    tenant_id = tenant_of(session)
    clearing = AccountKey(tenant_id, None, Purpose.CHANNEL_CLEARING, amount.currency)
    waiting_minor = ledger.lock_accounts(session, [clearing])[clearing]
    recorded = ledger.posted(session, key)
    if recorded is None and amount.amount_minor > waiting_minor:
        raise ConflictError("the channel has confirmed less than that", waiting_minor=waiting_minor)
    moment = now if recorded is None else recorded.effective_at
    ledger.post(
        session, posting.channel_settled(chart_of(session), posting.Header(key, moment), amount), now=now
    )
    if recorded is None:
        accounts.audit(
            session,
            actor,
            "channel.settled",
            subject_kind="ledger",
            subject_id=None,
            now=now,
            details={"reference": reference, "amount_minor": amount.amount_minor},
        )


def release_for_shipments(session: Session, reasons: Mapping[int, str], *, now: datetime) -> None:
    """Receipt is confirmed: what was held becomes available; again, or after a cancellation, is no harm.

    Args:
        session: of the shipments' tenant.
        reasons: why, of each shipment by its id.
        now: when.
    """
    held = [order for order in locked_orders(session, reasons).values() if order.status is OrderStatus.HELD]
    release(session, held, reasons=reasons, now=now)


def release(session: Session, orders: Sequence[Order], *, reasons: Mapping[int, str], now: datetime) -> None:
    """Release orders that are held and locked by the caller; the reasons are by shipment."""
    chart = chart_of(session)
    shipment_of = shipments_of(session, (order.shipment_id for order in orders))
    entries = [
        posting.receipt_released(
            chart, header(order, shipment_of[order.shipment_id], "released", now), held_parts(order)
        )
        for order in orders
    ]
    for order in orders:
        order.status, order.released_at = OrderStatus.RELEASED, now
        order.release_reason = reasons[order.shipment_id]
    ledger.post_many(session, entries, now=now)


def cancel(session: Session, actor: Actor, order: Order, *, reason: str, now: datetime) -> None:
    """Take a booking back before the parcel is collected: its entries are reversed, newest first.

    Raises:
        ConflictError: the parcel has been collected, or the order is no longer held.
    """
    lock(session, [order])
    if order.status is not OrderStatus.HELD:
        raise ConflictError(f"the order is {order.status.value}")
    shipment = session.get_one(Shipment, order.shipment_id)
    shipments.cancel(session, shipment, now=now)
    accounts.audit(
        session, actor, "order.cancelled", subject_kind="order", subject_id=order.id, now=now, reason=reason
    )
    _undo(session, order, shipment, reason, now)


def cancel_for_shipments(
    session: Session, shipment_ids: Collection[int], *, reason: str, now: datetime
) -> None:
    """Shipments were cancelled through another door: undo their orders; again is no harm."""
    if not shipment_ids:
        return
    held = [
        order for order in locked_orders(session, shipment_ids).values() if order.status is OrderStatus.HELD
    ]
    shipment_of = shipments_of(session, (order.shipment_id for order in held))
    for order in held:
        _undo(session, order, shipment_of[order.shipment_id], reason, now)


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: the orders of the dropped one are the kept one's; again is no harm."""
    order_ids = lock_orders_of(session, drop_id)
    session.execute(sa.update(Order).where(Order.id.in_(order_ids)).values(customer_id=keep_id))


def held_parts(order: Order) -> dict[int, Money]:
    """What is held for each party of an order."""
    parts: dict[int, int] = {}
    for share in order.shares:
        parts[share.party_id] = parts.get(share.party_id, 0) + share.amount_minor
    return {party_id: Money(minor, order.currency) for party_id, minor in parts.items() if minor}


def chart_of(session: Session) -> posting.Chart:
    """The tenant's chart of accounts."""
    return posting.Chart(tenant_of(session), parties.platform_id(session))


def shipments_of(session: Session, shipment_ids: Iterable[int]) -> dict[int, Shipment]:
    """Shipments by their ids, asked for at once."""
    rows = session.scalars(sa.select(Shipment).where(Shipment.id.in_(set(shipment_ids))))
    return {shipment.id: shipment for shipment in rows}


def _undo(session: Session, order: Order, shipment: Shipment, reason: str, now: datetime) -> None:
    order.status, order.cancelled_at, order.cancel_reason = OrderStatus.CANCELLED, now, reason
    undo = header(order, shipment, "cancelled", now)
    posted = ledger.posted_with_evidence(session, "order", order.number)
    entries = [posting.reversal(entry, undo) for entry in reversed(posted)]
    ledger.post_many(session, entries, now=now)
