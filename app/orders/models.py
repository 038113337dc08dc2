"""Tariffs, orders with their charges and shares, and versions of the terms they are split by."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class OrderStatus(enum.StrEnum):
    """Where an order's money stands."""

    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"


class PaymentChannel(enum.StrEnum):
    """How the shipper pays."""

    PREPAID = "prepaid"
    MONTHLY_ACCOUNT = "monthly_account"


class TermsStatus(enum.StrEnum):
    """Life of a version of terms: written by one person, approved by another."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


class TariffBand(Identified, TenantScoped, Base):
    """Price of a service up to a distance: first kilogram, and each further one begun."""

    __tablename__ = "tariff_band"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "service", "distance_m_max", "effective_from"),)

    service: Mapped[str]
    distance_m_max: Mapped[int]
    first_kg_minor: Mapped[int]
    further_kg_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    effective_from: Mapped[date] = mapped_column(sa.Date)


class TermsVersion(Identified, TenantScoped, Base):
    """A version of the rule that splits orders; `body` is `settlement.terms` in JSON."""

    __tablename__ = "terms_version"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "name", "version"),)

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
    __table_args__ = (sa.Index("ix_customer_order_customer", "tenant_id", "customer_id", "placed_at"),)

    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), unique=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    total_minor: Mapped[int]
    channel: Mapped[PaymentChannel] = mapped_column(enum_by_value(PaymentChannel))
    status: Mapped[OrderStatus] = mapped_column(enum_by_value(OrderStatus))
    terms_version_id: Mapped[int] = mapped_column(sa.ForeignKey("terms_version.id"))
    placed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    release_reason: Mapped[str | None]

    charges: Mapped[list[OrderCharge]] = relationship(back_populates="order", order_by="OrderCharge.id")
    shares: Mapped[list[OrderShare]] = relationship(back_populates="order", order_by="OrderShare.id")


class OrderCharge(Identified, TenantScoped, Base):
    """One line of an order's price: freight, insurance, COD fee."""

    __tablename__ = "order_charge"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_order.id"), index=True)
    kind: Mapped[str]
    amount_minor: Mapped[int]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    order: Mapped[Order] = relationship(back_populates="charges")


class OrderShare(Identified, TenantScoped, Base):
    """What one party earns of an order, and why."""

    __tablename__ = "order_share"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_order.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    role: Mapped[str]
    amount_minor: Mapped[int]
    reasons: Mapped[list[Any]]

    order: Mapped[Order] = relationship(back_populates="shares")
