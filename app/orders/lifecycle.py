"""What happens to an order's money after booking: paid, settled by the channel, released, cancelled.

Each step locks the order, looks at its status and posts under a key made of the order's number, so that
a step that comes twice has one effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts import service as accounts
from app.actor import Actor
from app.customers.models import Customer
from app.customers.party import party_id_of
from app.db.session import tenant_of
from app.errors import ConflictError
from app.ledger import queries as ledger_queries
from app.ledger import service as ledger
from app.ledger.values import entry_value
from app.orders.booking import header, payment
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
    entries = [
        entry
        for order in sorted(orders, key=lambda order: order.id)
        if (entry := _paid(session, actor, order, now)) is not None
    ]
    ledger.post_many(session, entries, now=now)


def _paid(session: Session, actor: Actor, order: Order, now: datetime) -> JournalEntry | None:
    """Write on an order that its payer has paid; gives what is to be posted, None if he had before."""
    _lock(session, order)
    if order.paid_at is not None:
        return None
    if order.status is OrderStatus.CANCELLED:
        raise ConflictError("a cancelled order is owed by nobody")
    before_minor, amount_minor = order.paid_minor, owed_minor(order)
    if not amount_minor:
        raise ConflictError("what is not paid yet is collected at the door")
    customer = session.get_one(Customer, order.customer_id)
    shipment = session.get_one(Shipment, order.shipment_id)
    note_paid(order, amount_minor, now)
    for one in order.surcharges:
        if one.payment is SurchargePayment.ACCOUNT:
            one.paid_at = one.paid_at or now
    accounts.audit(session, actor, "order.paid", subject_kind="order", subject_id=order.id, now=now)
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
    recorded = ledger_queries.entry_by_key(session, key)
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


def release_for_shipment(session: Session, *, shipment_id: int, reason: str, now: datetime) -> None:
    """Receipt is confirmed: what was held becomes available; again, or after a cancellation, is no harm."""
    order = locked_order(session, shipment_id)
    if order is not None and order.status is OrderStatus.HELD:
        release(session, [order], reason=reason, now=now)


def release(session: Session, orders: Sequence[Order], *, reason: str, now: datetime) -> None:
    """Release orders that are held and locked by the caller, in one posting."""
    chart = chart_of(session)
    shipment_of = {
        shipment.id: shipment
        for shipment in session.scalars(
            sa.select(Shipment).where(Shipment.id.in_([order.shipment_id for order in orders]))
        )
    }
    entries = [
        posting.receipt_released(
            chart, header(order, shipment_of[order.shipment_id], "released", now), held_parts(order)
        )
        for order in orders
    ]
    for order in orders:
        order.status, order.released_at, order.release_reason = OrderStatus.RELEASED, now, reason
    ledger.post_many(session, entries, now=now)


def cancel(session: Session, actor: Actor, order: Order, *, reason: str, now: datetime) -> None:
    """Take a booking back before the parcel is collected: its entries are reversed, newest first.

    Raises:
        ConflictError: the parcel has been collected, or the order is no longer held.
    """
    _lock(session, order)
    if order.status is not OrderStatus.HELD:
        raise ConflictError(f"the order is {order.status.value}")
    shipment = session.get_one(Shipment, order.shipment_id)
    shipments.cancel(session, shipment, now=now)
    accounts.audit(
        session, actor, "order.cancelled", subject_kind="order", subject_id=order.id, now=now, reason=reason
    )
    _undo(session, order, shipment, reason, now)


def cancel_for_shipment(session: Session, *, shipment_id: int, reason: str, now: datetime) -> None:
    """The shipment was cancelled through another door: undo its order; again is no harm."""
    order = locked_order(session, shipment_id)
    if order is not None and order.status is OrderStatus.HELD:
        _undo(session, order, session.get_one(Shipment, shipment_id), reason, now)


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: the orders of the dropped one are the kept one's; again is no harm."""
    session.execute(sa.update(Order).where(Order.customer_id == drop_id).values(customer_id=keep_id))


def held_parts(order: Order) -> dict[int, Money]:
    """What is held for each party of an order."""
    parts: dict[int, int] = {}
    for share in order.shares:
        parts[share.party_id] = parts.get(share.party_id, 0) + share.amount_minor
    return {party_id: Money(minor, order.currency) for party_id, minor in parts.items() if minor}


def chart_of(session: Session) -> posting.Chart:
    """The tenant's chart of accounts."""
    return posting.Chart(tenant_of(session), parties.platform_id(session))


def _lock(session: Session, order: Order) -> None:
    session.flush()  # a refresh would forget what is not written yet
    session.refresh(order, with_for_update=True)


def locked_order(session: Session, shipment_id: int) -> Order | None:
    """The order of a shipment, locked; before the shipment, where both are."""
    session.flush()  # a look anew would forget what is not written yet
    return session.scalar(
        sa.select(Order)
        .where(Order.shipment_id == shipment_id)
        .options(selectinload(Order.shares))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _undo(session: Session, order: Order, shipment: Shipment, reason: str, now: datetime) -> None:
    order.status, order.cancelled_at, order.cancel_reason = OrderStatus.CANCELLED, now, reason
    undo = header(order, shipment, "cancelled", now)
    posted = ledger_queries.entries_with_evidence(session, "order", order.number)
    entries = [posting.reversal(entry_value(entry), undo) for entry in reversed(posted)]
    ledger.post_many(session, entries, now=now)
