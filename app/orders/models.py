"""Tariffs, orders with their charges and shares, and versions of the terms they are split by."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.orders.tariff import ChargeKind
from app.shipments.models import Service
from settlement.terms import Role


class OrderStatus(enum.StrEnum):
    """Where an order's money stands."""

    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"


class PaymentChannel(enum.StrEnum):
    """How the shipper pays."""

    PREPAID = "prepaid"
    MONTHLY_ACCOUNT = "monthly_account"


class SurchargePayment(enum.StrEnum):
    """Who pays a rise of the price, and where: the shipper as he pays the order, or the consignee."""

    ACCOUNT = "account"
    AT_THE_DOOR = "at_the_door"


class TermsStatus(enum.StrEnum):
    """Life of a version of terms: written by one person, approved by another."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


class TariffVersion(Identified, TenantScoped, Base):
    """Prices and fees from a day on; rates are exact ratios of two integers.

    `volumetric_cm3_per_kg` turns volume into chargeable weight (6,000 in air and express freight).
    """

    __tablename__ = "tariff_version"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "currency", "effective_from"),
        sa.CheckConstraint(
            "volumetric_cm3_per_kg > 0 AND insurance_denominator > 0 AND cod_denominator > 0",
            name="divisors_positive",
        ),
        sa.CheckConstraint(
            "insurance_free_minor >= 0 AND insurance_minimum_minor >= 0 AND cod_minimum_minor >= 0 "
            "AND insurance_numerator >= 0 AND cod_numerator >= 0",
            name="not_negative",
        ),
    )

    currency: Mapped[str] = mapped_column(sa.String(3))
    effective_from: Mapped[datetime]
    volumetric_cm3_per_kg: Mapped[int]
    insurance_free_minor: Mapped[int]
    insurance_numerator: Mapped[int]
    insurance_denominator: Mapped[int]
    insurance_minimum_minor: Mapped[int]
    cod_numerator: Mapped[int]
    cod_denominator: Mapped[int]
    cod_minimum_minor: Mapped[int]

    bands: Mapped[list[TariffBand]] = relationship(
        back_populates="tariff", order_by="TariffBand.service, TariffBand.distance_m_max"
    )


class TariffBand(Identified, TenantScoped, Base):
    """Price of a service up to a distance: first kilogram, and each further one begun."""

    __tablename__ = "tariff_band"
    __table_args__ = (
        sa.UniqueConstraint("tariff_version_id", "service", "distance_m_max"),
        sa.CheckConstraint(
            "distance_m_max > 0 AND first_kg_minor > 0 AND further_kg_minor >= 0", name="a_price"
        ),
    )

    tariff_version_id: Mapped[int] = mapped_column(sa.ForeignKey("tariff_version.id"))
    service: Mapped[Service] = mapped_column(enum_by_value(Service))
    distance_m_max: Mapped[int]
    first_kg_minor: Mapped[int]
    further_kg_minor: Mapped[int]

    tariff: Mapped[TariffVersion] = relationship(back_populates="bands")


class TermsVersion(Identified, TenantScoped, Base):
    """A version of the rule that splits orders; `body` is `settlement.terms` in JSON."""

    __tablename__ = "terms_version"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "name", "version"),
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> created_by_id", name="two_people"),
    )

    name: Mapped[str]
    version: Mapped[int]
    status: Mapped[TermsStatus] = mapped_column(enum_by_value(TermsStatus))
    body: Mapped[dict[str, Any]]
    effective_from: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    approved_at: Mapped[datetime | None]


class Order(Identified, TenantScoped, Base):
    """What a customer pays for one shipment, and how that is shared."""

    __tablename__ = "customer_order"
    __table_args__ = (
        sa.Index("ix_customer_order_customer", "tenant_id", "customer_id", "placed_at"),
        sa.Index("ix_customer_order_placed", "tenant_id", "placed_at", "id"),
        sa.Index(
            "ix_customer_order_unpaid", "tenant_id", "placed_at", postgresql_where=sa.text("paid_at IS NULL")
        ),
        sa.UniqueConstraint("tenant_id", "booking_key"),
        sa.CheckConstraint("total_minor > 0", name="has_a_price"),
        sa.CheckConstraint("paid_minor BETWEEN 0 AND total_minor", name="paid_no_more_than_its_price"),
        sa.CheckConstraint("(paid_at IS NOT NULL) = (paid_minor = total_minor)", name="paid_in_full"),
    )

    number: Mapped[str] = mapped_column(unique=True)
    # Given by the booking page, so that a form that is sent twice is one order.
    booking_key: Mapped[str | None]
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), unique=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    total_minor: Mapped[int]
    # What the split was made from, beside the itinerary of the shipment.
    chargeable_weight_g: Mapped[int]
    distance_m: Mapped[int]
    channel: Mapped[PaymentChannel] = mapped_column(enum_by_value(PaymentChannel))
    status: Mapped[OrderStatus] = mapped_column(enum_by_value(OrderStatus))
    terms_version_id: Mapped[int] = mapped_column(sa.ForeignKey("terms_version.id"))
    placed_at: Mapped[datetime]
    paid_minor: Mapped[int] = mapped_column(default=0)
    # Since when nothing of it is owed.
    paid_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]

    charges: Mapped[list[OrderCharge]] = relationship(back_populates="order", order_by="OrderCharge.id")
    shares: Mapped[list[OrderShare]] = relationship(
        back_populates="order", order_by="OrderShare.id", cascade="all, delete-orphan"
    )
    surcharges: Mapped[list[OrderSurcharge]] = relationship(
        back_populates="order", order_by="OrderSurcharge.id"
    )


class OrderCharge(Identified, TenantScoped, Base):
    """One line of an order's price."""

    __tablename__ = "order_charge"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_order.id"), index=True)
    kind: Mapped[ChargeKind] = mapped_column(enum_by_value(ChargeKind))
    amount_minor: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    order: Mapped[Order] = relationship(back_populates="charges")


class OrderShare(Identified, TenantScoped, Base):
    """What one party earns of an order in one role, and why; no role where the terms name the party.

    `reasons` are the lines of `settlement.split.explain`: `{"key": ..., "params": {...}}`.
    """

    __tablename__ = "order_share"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_order.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    role: Mapped[Role | None] = mapped_column(enum_by_value(Role))
    amount_minor: Mapped[int]
    reasons: Mapped[list[Any]]

    order: Mapped[Order] = relationship(back_populates="shares")


class OrderSurcharge(Identified, TenantScoped, Base):
    """A rise of an order's price that somebody accepted on the way, and how it is paid.

    `cause` names what was accepted, such as `instruction:12`: one surcharge for each.
    """

    __tablename__ = "order_surcharge"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "cause"),
        sa.CheckConstraint("amount_minor > 0", name="a_rise"),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_order.id"))
    cause: Mapped[str]
    amount_minor: Mapped[int]
    payment: Mapped[SurchargePayment] = mapped_column(enum_by_value(SurchargePayment))
    payer_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    accepted_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship(back_populates="surcharges")
