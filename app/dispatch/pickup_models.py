"""Pickups asked for before anything is booked: once, or every week on some days."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class PickupChannel(enum.StrEnum):
    """How a pickup was asked for."""

    PORTAL = "portal"
    PHONE = "phone"
    API = "api"
    RECURRING = "recurring"


class _Wanted:
    """Who wants to be called on, where, when on a day, and about how much there will be."""

    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    district_adcode: Mapped[str] = mapped_column(sa.ForeignKey("district.adcode"))
    address: Mapped[str]
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    window_from_s: Mapped[int]
    window_to_s: Mapped[int]
    pieces: Mapped[int]
    weight_g: Mapped[int]
    volume_cm3: Mapped[int]
    skills: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), default=list, server_default="{}")
    note: Mapped[str]
    requested_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    requested_at: Mapped[datetime]


class RecurringPickup(_Wanted, Identified, TenantScoped, Base):
    """A pickup on some days of every week, until a day or until it is ended."""

    __tablename__ = "recurring_pickup"
    __table_args__ = (
        sa.CheckConstraint("window_from_s < window_to_s", name="window_in_order"),
        sa.CheckConstraint(
            "cardinality(weekdays) > 0 AND 0 <= ALL (weekdays) AND 6 >= ALL (weekdays)", name="days_of_a_week"
        ),
        sa.CheckConstraint("last_day IS NULL OR first_day <= last_day", name="days_in_order"),
    )

    # Monday is 0.
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(sa.SmallInteger))
    first_day: Mapped[date] = mapped_column(sa.Date)
    last_day: Mapped[date | None] = mapped_column(sa.Date)
    ended_at: Mapped[datetime | None]


class PickupRequest(_Wanted, Identified, TenantScoped, Base):
    """A pickup on one day. Its stop says how it stands; who asks twice for one place and day asks once."""

    __tablename__ = "pickup_request"
    __table_args__ = (
        sa.CheckConstraint("window_from_s < window_to_s", name="window_in_order"),
        sa.CheckConstraint("pieces > 0 AND weight_g > 0 AND volume_cm3 >= 0", name="something_to_collect"),
        sa.Index(
            "uq_pickup_request_place",
            "tenant_id",
            "customer_id",
            "day",
            "place_key",
            unique=True,
            postgresql_where=sa.text("cancelled_at IS NULL"),
        ),
        sa.UniqueConstraint("recurring_id", "day"),
        sa.Index("ix_pickup_request_place", "tenant_id", "place_key"),
    )

    channel: Mapped[PickupChannel] = mapped_column(enum_by_value(PickupChannel))
    day: Mapped[date] = mapped_column(sa.Date)
    # The address as it is compared: without what people write differently.
    place_key: Mapped[str]
    recurring_id: Mapped[int | None] = mapped_column(sa.ForeignKey("recurring_pickup.id"))
    cancelled_at: Mapped[datetime | None]
