"""The customer record, what it is recognised by, and where it ships from and to."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.notify.models import Notification


class CustomerKind(enum.StrEnum):
    """Whether the record is a person's or an organisation's."""

    PERSON = "person"
    COMPANY = "company"


class IdentityKind(enum.StrEnum):
    """By what a customer is recognised."""

    PHONE = "phone"
    EMAIL = "email"
    CARD = "card"


class Customer(Identified, TenantScoped, Base):
    """One person or organisation: one file, whatever the channel."""

    __tablename__ = "customer"

    kind: Mapped[CustomerKind] = mapped_column(enum_by_value(CustomerKind))
    name: Mapped[str]
    contract_no: Mapped[str | None]
    party_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), unique=True)
    locale: Mapped[str] = mapped_column(default="zh")
    notes: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"))
    version: Mapped[int] = mapped_column(default=1)

    identities: Mapped[list[CustomerIdentity]] = relationship(back_populates="customer")
    addresses: Mapped[list[CustomerAddress]] = relationship(back_populates="customer")

    __mapper_args__ = {"version_id_col": version}


class CustomerIdentity(Identified, TenantScoped, Base):
    """A phone, mail or card, in normal form. Within a tenant it points at one customer only."""

    __tablename__ = "customer_identity"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "kind", "value"),)

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    kind: Mapped[IdentityKind] = mapped_column(enum_by_value(IdentityKind))
    value: Mapped[str]
    created_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship(back_populates="identities")


class CustomerAddress(Identified, TenantScoped, Base):
    """A place a customer ships from or to."""

    __tablename__ = "customer_address"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    contact_name: Mapped[str]
    phone: Mapped[str]
    district_adcode: Mapped[str]
    line: Mapped[str]
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    created_at: Mapped[datetime]

    customer: Mapped[Customer] = relationship(back_populates="addresses")


class PhoneChallenge(Identified, TenantScoped, Base):
    """A one-time code sent to a phone, to prove that it is in the hand of who registers."""

    __tablename__ = "phone_challenge"
    __table_args__ = (
        sa.Index("ix_phone_challenge_phone", "tenant_id", "phone", "created_at"),
        sa.Index("ix_phone_challenge_address", "tenant_id", "address_hash", "created_at"),
    )

    phone: Mapped[str]
    name: Mapped[str]
    code_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    # Keyed hash of the network address that asked: enough to count by, not to know it.
    address_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    notification_id: Mapped[int] = mapped_column(sa.ForeignKey("notification.id"))
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]

    notification: Mapped[Notification] = relationship()
