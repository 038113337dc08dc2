"""The price of an order rises on its way, because somebody has accepted what his wish costs.

The whole price is split anew by the terms of the order over the way that its shipment now takes, and what was
posted before is taken off: after any number of rises each share is that of one split of the last price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.customers.party import party_id_of
from app.errors import ConflictError
from app.ledger import service as ledger
from app.network.models import Facility
from app.orders import terms
from app.orders.booking import header, payment, shares_of, split_of
from app.orders.lifecycle import chart_of, held_parts, note_paid
from app.orders.locking import locked_order
from app.orders.models import (
    Order,
    OrderCharge,
    OrderStatus,
    OrderSurcharge,
    PaymentChannel,
    SurchargePayment,
    TermsVersion,
)
from app.orders.tariff import ChargeKind
from app.shipments.models import Shipment
from routing.network import road_distance_m
from settlement import posting
from settlement.ledger import EvidenceRef
from settlement.money import Money
from settlement.split import still_to_post


@dataclass(frozen=True, slots=True)
class Rise:
    """What somebody has accepted to pay more.

    Args:
        amount: positive, in the order's currency.
        instruction_id: what it is for; the same one raises the price once.
        payment: who pays it, and where.
    """

    amount: Money
    instruction_id: int
    payment: SurchargePayment

    @property
    def evidence(self) -> EvidenceRef:
        """What the rise rests on."""
        return EvidenceRef("instruction", str(self.instruction_id))


def may_rise(session: Session, shipment_id: int) -> bool:
    """Whether the price of a shipment's order can still rise: it is held. The order stays locked."""
    order = locked_order(session, shipment_id)
    return order is not None and order.status is OrderStatus.HELD


def surcharge(session: Session, shipment: Shipment, rise: Rise, *, now: datetime) -> None:
    """Raise the price of a shipment's order, share the rise and charge it.

    A prepaid order's channel confirms it at once, as it did the order; a monthly account owes it; what is
    paid at the door is owed by the consignee until it is collected.

    Args:
        session: of the shipment's tenant.
        shipment: as it goes now; locked by the caller after its order (`may_rise`).
        rise: what was accepted.
        now: when.

    Raises:
        ConflictError: the order's money has been released or the order cancelled.
    """
    order = locked_order(session, shipment.id)
    if order is None or order.status is not OrderStatus.HELD:
        raise ConflictError("the order's money is settled; its price does not rise any more", why="settled")
    payer = session.get_one(
        Customer,
        order.customer_id if rise.payment is SurchargePayment.ACCOUNT else shipment.consignee_customer_id,
    )
    payer_id = party_id_of(session, payer, now=now)
    row = OrderSurcharge(
        tenant_id=order.tenant_id,
        cause=f"{rise.evidence.kind}:{rise.evidence.ref}",
        amount_minor=rise.amount.amount_minor,
        payment=rise.payment,
        payer_party_id=payer_id,
        accepted_at=now,
    )
    order.surcharges.append(row)
    _raise(session, order, shipment, rise)
    parts = _restate(session, order, shipment)
    step = f"surcharged:{rise.instruction_id}"
    made = header(order, shipment, step, now)
    made = posting.Header(made.entry_id, made.effective_at, (*made.evidence, rise.evidence))
    entries = [posting.surcharged(chart_of(session), made, parts, payer_id)]
    if rise.payment is SurchargePayment.AT_THE_DOOR:
        shipment.door_charge_minor += rise.amount.amount_minor
    elif order.channel is PaymentChannel.PREPAID:
        entry = payment(
            chart_of(session),
            order,
            shipment,
            payer_id,
            rise.amount.amount_minor,
            now,
            before_minor=order.paid_minor,
        )
        entries.append(entry)
        row.paid_at = now
        note_paid(order, rise.amount.amount_minor, now)
    ledger.post_many(session, entries, now=now)


def collected(
    session: Session,
    order: Order,
    told: Mapping[str, Any],
    *,
    collector_id: int,
    made: posting.Header,
    now: datetime,
) -> None:
    """What a consignee owed of the carriage was collected at his door; the same scan again is no harm.

    Args:
        session: of the shipment's tenant.
        order: of the shipment, locked.
        told: the payload of `cod.collected`, with a charge.
        collector_id: the party that has the cash now.
        made: key, moment and evidence of the posting.
        now: when it is recorded.
    """
    due = _at_the_door(session, order)
    amount = Money(told["charge_minor"], told["currency"])
    entry = posting.surcharge_collected(chart_of(session), made, collector_id, due[0].payer_party_id, amount)
    ledger.post(session, entry, now=now)
    unpaid = [one for one in due if one.paid_at is None]
    for one in unpaid:
        one.paid_at = now
    note_paid(order, sum(one.amount_minor for one in unpaid), now)


def uncollected(session: Session, order: Order, *, now: datetime) -> None:
    """The delivery at which it was collected was an error: it is owed again; again is no harm."""
    paid = [one for one in _at_the_door(session, order) if one.paid_at is not None]
    for one in paid:
        one.paid_at = None
    if paid:
        note_paid(order, -sum(one.amount_minor for one in paid), now)


def _at_the_door(session: Session, order: Order) -> list[OrderSurcharge]:
    rows = session.scalars(
        sa.select(OrderSurcharge)
        .where(
            OrderSurcharge.order_id == order.id,
            OrderSurcharge.payment == SurchargePayment.AT_THE_DOOR,
        )
        .order_by(OrderSurcharge.id)
    )
    return list(rows)


def _raise(session: Session, order: Order, shipment: Shipment, rise: Rise) -> None:
    """The new price with its line, and the distance that it is for."""
    origin, destination = (
        session.get_one(Facility, facility_id)
        for facility_id in (shipment.origin_facility_id, shipment.destination_facility_id)
    )
    distance_m = road_distance_m(origin, destination)
    order.charges.append(
        OrderCharge(
            tenant_id=order.tenant_id,
            kind=ChargeKind.REDIRECTION,
            amount_minor=rise.amount.amount_minor,
            details={"distance_m": distance_m, "distance_before_m": order.distance_m},
        )
    )
    order.total_minor += rise.amount.amount_minor
    order.paid_at = None  # the rise is owed, until something says otherwise
    order.distance_m = distance_m


def _restate(session: Session, order: Order, shipment: Shipment) -> dict[int, Money]:
    """Split the whole price anew; gives what each party's held share changes by."""
    by = terms.value_of(session.get_one(TermsVersion, order.terms_version_id))
    chart = chart_of(session)
    target = split_of(session, order, shipment, by, chart.platform_party_id)
    parts = still_to_post(held_parts(order), target)
    order.shares = shares_of(order, by, target)
    return parts
