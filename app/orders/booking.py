"""Orders are quoted and booked: priced by the tariff, split by the terms in force, held in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.customers.many import find_or_create_many
from app.customers.models import Customer
from app.customers.party import party_id_of
from app.db.session import tenant_of
from app.errors import ConflictError, NotFoundError
from app.ledger import service as ledger
from app.orders import facts, tariffs, terms
from app.orders.models import Order, OrderCharge, OrderShare, OrderStatus, PaymentChannel
from app.orders.tariff import Charge, Parcel, price
from app.parties import queries as parties
from app.shipments import service as shipments
from app.shipments.models import Shipment
from app.shipments.service import BookingRequest, RoutePlan
from routing.network import road_distance_m
from settlement import posting
from settlement import terms as engine
from settlement.ledger import EvidenceRef, JournalEntry
from settlement.money import Money, total_of
from settlement.split import Split, explain, split


@dataclass(frozen=True, slots=True)
class Quote:
    """A price with the way it is for."""

    currency: str
    charges: tuple[Charge, ...]
    plan: RoutePlan
    distance_m: int
    chargeable_weight_g: int

    @property
    def total(self) -> Money:
        """The sum of the charges."""
        return total_of((charge.amount for charge in self.charges), self.currency)

    @property
    def total_minor(self) -> int:
        """The sum of the charges in minor units."""
        return self.total.amount_minor


def quote(session: Session, request: BookingRequest, *, now: datetime) -> Quote:
    """What a shipment would cost and when it would arrive.

    Raises:
        InvalidInputError: nobody serves an end, or the service is not offered.
        NoRoute: the network does not connect the ends.
    """
    tariff = tariffs.tariff_in_force(session, request.currency, now)
    plan = shipments.plan(session, request, now=now)
    distance_m = road_distance_m(plan.origin, plan.destination)
    charges = price(
        tariff,
        Parcel(
            service=request.service,
            distance_m=distance_m,
            weight_g=request.weight_g,
            volume_cm3=request.volume_cm3,
            declared_value_minor=request.declared_value_minor,
            cod_minor=request.cod_minor,
        ),
    )
    weight_g = tariff.chargeable_weight_g(request.weight_g, request.volume_cm3)
    return Quote(request.currency, charges, plan, distance_m, weight_g)


@dataclass(frozen=True, slots=True)
class Booking:
    """One shipment to be booked.

    Args:
        request: what is sent.
        customer_id: who pays.
        channel: how. A prepaid order counts as paid at once: a payment channel stands behind it that has
            confirmed. A monthly account owes it until `pay`.
        now: when it was asked for.
        booking_key: of the form that asks; the order of a key that was used before is given back.
    """

    request: BookingRequest
    customer_id: int
    channel: PaymentChannel
    now: datetime
    booking_key: str | None = None


def book(
    session: Session,
    actor: Actor,
    request: BookingRequest,
    *,
    customer_id: int,
    channel: PaymentChannel,
    now: datetime,
    booking_key: str | None = None,
) -> Order:
    """Book a shipment: its price, its split and its money, in the caller's transaction.

    Args and errors as for `Booking` and `book_many`.
    """
    return book_many(session, actor, [Booking(request, customer_id, channel, now, booking_key)])[0]


def book_many(session: Session, actor: Actor, bookings: Sequence[Booking]) -> list[Order]:
    """Book shipments, all or none; each table is written by one statement, however many they are.

    Args:
        actor: who books; a shipper for himself only.
        bookings: in the order of their time.

    Returns:
        One order a booking, in the same order.

    Raises:
        InvalidInputError: nobody serves an end, or the service is not offered.
        NoRoute: the network does not connect the ends.
        NoTermsInForceError: finance has set no terms yet.
        NotFoundError: there is no such customer, or a shipper names another than himself.
    """
    orders: list[Order | None] = []
    asked: list[tuple[Booking, Customer, Customer]] = []
    ends = [(one.request.consignee.name, one.request.consignee.phone, one.now) for one in bookings]
    consignees = find_or_create_many(session, ends)
    for booking, consignee in zip(bookings, consignees, strict=True):
        customer = _payer(session, actor, booking.customer_id)
        known = _booked_before(session, customer, booking.booking_key)
        orders.append(known)
        if known is None:
            asked.append((booking, customer, consignee))
    # In one order, as everybody locks them: two batches of the same new payers would wait for each other.
    for booking, customer, _consignee in sorted(asked, key=lambda one: one[1].id):
        party_id_of(session, customer, now=booking.now)
    fresh = iter(_place(session, asked))
    return [next(fresh) if order is None else order for order in orders]


def _place(session: Session, asked: Sequence[tuple[Booking, Customer, Customer]]) -> list[Order]:
    """Shipments first, since orders refer to them; then orders; their money last."""
    if not asked:
        return []
    chart = posting.Chart(tenant_of(session), parties.platform_id(session))
    entries: list[JournalEntry] = []
    orders: list[Order] = []
    with session.no_autoflush:
        shipments.reserve_numbers(session, len(asked))
        offers = [quote(session, booking.request, now=booking.now) for booking, _payer, _consignee in asked]
        booked = [
            shipments.book(
                session,
                booking.request,
                offer.plan,
                customer_id=customer.id,
                consignee_customer_id=consignee.id,
                now=booking.now,
            )
            for (booking, customer, consignee), offer in zip(asked, offers, strict=True)
        ]
        session.flush()  # orders refer to shipments
        facts.owners(session, {one for shipment in booked for one in facts.facility_ids(shipment)})
        for (booking, customer, _consignee), offer, shipment in zip(asked, offers, booked, strict=True):
            in_force = terms.in_force(session, booking.now)
            order = _order(shipment, offer, booking.channel, in_force.version_id, booking.now)
            order.booking_key = booking.booking_key
            result = split_of(session, order, shipment, in_force.terms, chart.platform_party_id)
            order.charges = _charges(order, offer)
            order.shares = shares_of(order, in_force.terms, result)
            orders.append(order)
            payer_id = party_id_of(session, customer, now=booking.now)
            placed = header(order, shipment, "placed", booking.now)
            entries.append(posting.order_placed_split_held(chart, placed, result, payer_id))
            if booking.channel is PaymentChannel.PREPAID:
                entries.append(payment(chart, order, shipment, payer_id, order.total_minor, booking.now))
        session.add_all(orders)
        session.flush()  # who asked goes on with the orders' ids
    ledger.post_many(session, entries, now=max(booking.now for booking, _payer, _consignee in asked))
    return orders


def header(order: Order, shipment: Shipment, step: str, now: datetime) -> posting.Header:
    """Key, moment and evidence of an order's posting."""
    evidence = (EvidenceRef("order", order.number), EvidenceRef("shipment", shipment.waybill_number))
    return posting.Header(f"order:{order.number}:{step}", now, evidence)


def payment(
    chart: posting.Chart,
    order: Order,
    shipment: Shipment,
    payer_id: int,
    amount_minor: int,
    now: datetime,
    *,
    before_minor: int = 0,
) -> JournalEntry:
    """The posting that an order has been paid, or more of it than had been before."""
    step = f"paid:{before_minor}" if before_minor else "paid"
    amount = Money(amount_minor, order.currency)
    return posting.paid(chart, header(order, shipment, step, now), payer_id, amount)


def _payer(session: Session, actor: Actor, customer_id: int) -> Customer:
    if actor.role == "shipper" and actor.subject_id != customer_id:
        raise NotFoundError("no such customer")
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFoundError("no such customer")
    if customer.merged_into_id is not None:
        raise ConflictError(
            "this customer record was merged into another", customer_id=customer.merged_into_id
        )
    return customer


def _booked_before(session: Session, customer: Customer, booking_key: str | None) -> Order | None:
    """The order of a form that was sent already; waits for the same form if it is being booked now."""
    if booking_key is None:
        return None
    digest = hashlib.blake2b(f"{customer.tenant_id}\n{booking_key}".encode(), digest_size=8).digest()
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(digest, "big", signed=True))))
    return session.scalar(
        sa.select(Order).where(Order.booking_key == booking_key, Order.customer_id == customer.id)
    )


def _order(
    shipment: Shipment, offer: Quote, channel: PaymentChannel, terms_version_id: int, now: datetime
) -> Order:
    return Order(
        tenant_id=shipment.tenant_id,
        # As hard to guess as the waybill number, and people see at once what belongs together.
        number=f"O{shipment.waybill_number}",
        customer_id=shipment.customer_id,
        shipment_id=shipment.id,
        currency=offer.currency,
        total_minor=offer.total_minor,
        chargeable_weight_g=offer.chargeable_weight_g,
        distance_m=offer.distance_m,
        channel=channel,
        status=OrderStatus.HELD,
        terms_version_id=terms_version_id,
        placed_at=now,
        paid_minor=offer.total_minor if channel is PaymentChannel.PREPAID else 0,
        paid_at=now if channel is PaymentChannel.PREPAID else None,
    )


def split_of(
    session: Session, order: Order, shipment: Shipment, by: engine.Terms, platform_party_id: int
) -> Split:
    """An order's price divided by the terms over the way that its shipment takes."""
    owner_of = facts.owners(session, facts.facility_ids(shipment))
    return split(by, facts.facts(facts.priced(order), shipment, owner_of, platform_party_id))


def _charges(order: Order, offer: Quote) -> list[OrderCharge]:
    return [
        OrderCharge(
            tenant_id=order.tenant_id,
            kind=charge.kind,
            amount_minor=charge.amount.amount_minor,
            details=dict(charge.details),
        )
        for charge in offer.charges
    ]


def shares_of(order: Order, by: engine.Terms, result: Split) -> list[OrderShare]:
    """Each share with its part of the explanation, which ends with the line of its amount."""
    reasons: list[list[dict[str, object]]] = [[]]
    for line in explain(by, result):
        reasons[-1].append({"key": line.key, "params": dict(line.params)})
        if line.key == "split.amount":
            reasons.append([])
    return [
        OrderShare(
            tenant_id=order.tenant_id,
            party_id=share.party_id,
            role=share.role,
            amount_minor=share.amount.amount_minor,
            reasons=lines,
        )
        for share, lines in zip(result.shares, reasons, strict=False)  # what follows is of no party
    ]
