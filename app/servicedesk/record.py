"""The customer's record at a glance: open matters, money, and what to know before a visit or a call."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.customers.models import Customer
from app.ledger import queries as ledger
from app.network.models import District
from app.orders.models import Order, OrderStatus
from app.servicedesk.models import Case, Claim
from app.servicedesk.queries import UNRESOLVED
from app.servicedesk.values import ClaimStatus
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment
from app.shipments.queries import PROBLEMS
from settlement.ledger import Purpose

_MATTERS_MAX = 20
_LANES_MAX = 3
_MONTH, _QUARTER = timedelta(days=30), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class OpenMatters:
    """What is not well now: unresolved cases by due time, and shipments that have a problem or a finding."""

    cases: Sequence[Case]
    shipments: Sequence[Shipment]


@dataclass(frozen=True, slots=True)
class MoneySummary:
    """Orders and compensation in one currency, in minor units."""

    currency: str
    orders: int
    ordered_minor: int
    unpaid_minor: int
    held_minor: int
    awarded_minor: int


@dataclass(frozen=True, slots=True)
class Lane:
    """From which city to which, how often."""

    origin: District
    destination: District
    shipments: int


@dataclass(frozen=True, slots=True)
class Activity:
    """What somebody should know before a call: how much, where, for how much in the last 90 days."""

    sent_30: int
    sent_90: int
    received_90: int
    spent_90: Sequence[tuple[str, int]]
    lanes: Sequence[Lane]


def all_ids(session: Session, customer: Customer) -> frozenset[int]:
    """The record's id and those of the records that were merged into it."""
    merged = session.scalars(sa.select(Customer.id).where(Customer.merged_into_id == customer.id))
    return frozenset({customer.id, *merged})


def open_matters(session: Session, customer_ids: Collection[int]) -> OpenMatters:
    """Unresolved cases and shipments in trouble, the most urgent first."""
    cases = session.scalars(
        sa.select(Case)
        .where(Case.customer_id.in_(customer_ids), Case.status.in_(UNRESOLVED))
        .order_by(Case.due_at, Case.id)
        .limit(_MATTERS_MAX)
    ).all()
    found = sa.exists().where(ShipmentFinding.shipment_id == Shipment.id, ShipmentFinding.closed_at.is_(None))
    shipments = session.scalars(
        sa.select(Shipment)
        .where(
            _concerns(customer_ids),
            ~Shipment.terminal,
            sa.or_(Shipment.milestone.in_(PROBLEMS), found),
        )
        .order_by(Shipment.state_since, Shipment.id)
        .limit(_MATTERS_MAX)
    ).all()
    return OpenMatters(cases, shipments)


def money(session: Session, customer_ids: Collection[int]) -> Sequence[MoneySummary]:
    """Orders and awards by currency."""
    live = Order.status != OrderStatus.CANCELLED
    placed = {
        row.currency: row
        for row in session.execute(
            sa.select(
                Order.currency,
                sa.func.count().label("orders"),
                _sum(Order.total_minor, sa.true()).label("ordered"),
                _sum(Order.total_minor - Order.paid_minor, Order.paid_at.is_(None)).label("unpaid"),
                _sum(Order.total_minor, Order.status == OrderStatus.HELD).label("held"),
            )
            .where(Order.customer_id.in_(customer_ids), live)
            .group_by(Order.currency)
        )
    }
    awarded = dict(
        session.execute(
            sa.select(Claim.currency, _sum(Claim.award_minor, sa.true()))
            .join(Case, Case.id == Claim.case_id)
            .where(Case.customer_id.in_(customer_ids), Claim.status == ClaimStatus.POSTED)
            .group_by(Claim.currency)
        ).all()
    )
    summaries = []
    for currency in sorted(placed.keys() | awarded.keys()):
        row = placed.get(currency)
        summaries.append(
            MoneySummary(
                currency,
                orders=row.orders if row else 0,
                ordered_minor=row.ordered if row else 0,
                unpaid_minor=row.unpaid if row else 0,
                held_minor=row.held if row else 0,
                awarded_minor=awarded.get(currency, 0),
            )
        )
    return summaries


def balances(session: Session, customer: Customer) -> dict[tuple[Purpose, str], int]:
    """What is the customer's in the ledger, credit positive; nothing while no money has concerned him."""
    if customer.party_id is None:
        return {}
    found = ledger.party_balances(session, party_id=customer.party_id)
    return {(key.purpose, key.currency): -minor for key, minor in found.items()}


def activity(session: Session, customer_ids: Collection[int], *, now: datetime) -> Activity:
    """Shipments, lanes and spend of the last days."""
    month, quarter = now - _MONTH, now - _QUARTER
    sends = Shipment.customer_id.in_(customer_ids)
    receives = Shipment.consignee_customer_id.in_(customer_ids)
    sent_30, sent_90, received_90 = session.execute(
        sa.select(
            sa.func.count().filter(sends, Shipment.booked_at >= month),
            sa.func.count().filter(sends),
            sa.func.count().filter(receives),
        ).where(_concerns(customer_ids), Shipment.booked_at >= quarter)
    ).one()
    origin, destination = aliased(District), aliased(District)
    often = sa.func.count()
    lanes = session.execute(
        sa.select(sa.func.min(origin.adcode), sa.func.min(destination.adcode), often)
        .select_from(Shipment)
        .join(origin, origin.adcode == Shipment.sender_district_adcode)
        .join(destination, destination.adcode == Shipment.consignee_district_adcode)
        .where(sends, Shipment.booked_at >= quarter)
        .group_by(origin.city_name, destination.city_name)
        .order_by(often.desc(), origin.city_name, destination.city_name)
        .limit(_LANES_MAX)
    ).all()
    ends = {adcode for start, end, _often in lanes for adcode in (start, end)}
    district = {
        one.adcode: one for one in session.scalars(sa.select(District).where(District.adcode.in_(ends)))
    }
    spent = session.execute(
        sa.select(Order.currency, _sum(Order.total_minor, sa.true()))
        .where(
            Order.customer_id.in_(customer_ids),
            Order.placed_at >= quarter,
            Order.status != OrderStatus.CANCELLED,
        )
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    named = [Lane(district[start], district[end], count) for start, end, count in lanes]
    return Activity(sent_30, sent_90, received_90, spent.all(), named)


def own_shipments(session: Session, customer_ids: Collection[int], *, limit: int) -> Sequence[Shipment]:
    """What a customer sends and receives, the latest booked first: the list to choose from on the phone."""
    return session.scalars(
        sa.select(Shipment)
        .where(_concerns(customer_ids))
        .order_by(Shipment.booked_at.desc(), Shipment.id.desc())
        .limit(limit)
    ).all()


def _concerns(customer_ids: Collection[int]) -> sa.ColumnElement[bool]:
    return sa.or_(Shipment.customer_id.in_(customer_ids), Shipment.consignee_customer_id.in_(customer_ids))


def _sum(
    amount: sa.ColumnElement[int] | sa.orm.InstrumentedAttribute[int], condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(amount).filter(condition), 0), sa.BigInteger)
