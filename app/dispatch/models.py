"""Couriers, stops that must be served, and plans with their routes and what they could not serve."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class StopKind(enum.StrEnum):
    """Whether a courier takes goods from a customer, brings them, or brings them back to their sender."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    RETURN = "return"

    @property
    def brings(self) -> bool:
        """Whether the goods are aboard from the start of the round."""
        return self is not StopKind.PICKUP


class StopStatus(enum.StrEnum):
    """Where a requested stop stands."""

    OPEN = "open"
    PLANNED = "planned"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class PlanStatus(enum.StrEnum):
    """Where a plan stands."""

    REQUESTED = "requested"
    SOLVING = "solving"
    DRAFT = "draft"
    PUBLISHED = "published"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class VehicleClass(enum.StrEnum):
    """What a courier drives, as entry restrictions tell vehicles apart."""

    BICYCLE = "bicycle"
    """With or without a motor that helps."""
    CARGO_BIKE = "cargo_bike"
    """Two or three wheels and a box: the field's electric tricycles too."""
    MOTORCYCLE = "motorcycle"
    VAN = "van"
    TRUCK = "truck"


class Courier(Identified, TenantScoped, Base):
    """A courier of one outlet with the vehicle and shift of a working day."""

    __tablename__ = "courier"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code"),
        sa.CheckConstraint(
            "0 <= shift_start_s AND shift_start_s < shift_end_s AND shift_end_s <= 86400", name="shift_in_day"
        ),
        sa.CheckConstraint(
            "capacity_g >= 0 AND capacity_cm3 >= 0 AND capacity_pieces >= 0", name="capacity_not_negative"
        ),
    )

    code: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str]
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    shift_start_s: Mapped[int]
    shift_end_s: Mapped[int]
    capacity_g: Mapped[int]
    capacity_cm3: Mapped[int]
    capacity_pieces: Mapped[int]
    vehicle_class: Mapped[VehicleClass] = mapped_column(
        enum_by_value(VehicleClass), default=VehicleClass.VAN, server_default=VehicleClass.VAN.value
    )
    skills: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), default=list)
    # As `app.dispatch.breaks` reads and writes them.
    breaks: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    active: Mapped[bool] = mapped_column(default=True)


class StopRequest(Identified, TenantScoped, Base):
    """A stop that a courier must make on one local day: for a shipment, or for a pickup asked for before."""

    __tablename__ = "stop_request"
    __table_args__ = (
        sa.UniqueConstraint("shipment_id", "kind"),
        sa.Index("ix_stop_request_day", "tenant_id", "facility_id", "day", "status"),
        sa.CheckConstraint("window_from_s < window_to_s", name="window_in_order"),
        sa.CheckConstraint("num_nonnulls(shipment_id, pickup_request_id) = 1", name="for_one_thing"),
        sa.CheckConstraint(
            "num_nulls(place_corrected_at, place_corrected_by_id) IN (0, 2)", name="corrected_by_somebody"
        ),
    )

    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"))
    pickup_request_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pickup_request.id"), unique=True)
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    kind: Mapped[StopKind] = mapped_column(enum_by_value(StopKind))
    status: Mapped[StopStatus] = mapped_column(enum_by_value(StopStatus))
    day: Mapped[date] = mapped_column(sa.Date)
    window_from_s: Mapped[int]
    window_to_s: Mapped[int]
    service_s: Mapped[int]
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    # Somebody has put the pin where the door is.
    place_corrected_at: Mapped[datetime | None]
    place_corrected_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    contact_name: Mapped[str]
    contact_phone: Mapped[str]
    address: Mapped[str]
    weight_g: Mapped[int]
    volume_cm3: Mapped[int]
    pieces: Mapped[int]
    priority: Mapped[int] = mapped_column(default=0)
    # What its courier must be able to do.
    skills: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), default=list, server_default="{}")
    created_at: Mapped[datetime]


class Plan(Identified, TenantScoped, Base):
    """One outlet's rounds of one day; a draft until it is published."""

    __tablename__ = "plan"
    __table_args__ = (
        sa.Index("ix_plan_day", "tenant_id", "facility_id", "day"),
        # One is being made at a time, and one is in force.
        sa.Index(
            "uq_plan_pending",
            "facility_id",
            "day",
            unique=True,
            postgresql_where=sa.text("status IN ('requested', 'solving')"),
        ),
        sa.Index(
            "uq_plan_published",
            "facility_id",
            "day",
            unique=True,
            postgresql_where=sa.text("status = 'published'"),
        ),
        sa.CheckConstraint("seconds > 0", name="has_time"),
    )

    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    day: Mapped[date] = mapped_column(sa.Date)
    status: Mapped[PlanStatus] = mapped_column(enum_by_value(PlanStatus))
    seconds: Mapped[int]
    seed: Mapped[int] = mapped_column(default=0)
    # Hours beyond a courier's fair share count for more while it is made.
    even: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    requested_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    requested_at: Mapped[datetime]
    # How often a worker has begun with it, when this one did, and its last sign of life.
    tries: Mapped[int] = mapped_column(default=0)
    solving_since: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    best_cost_minor: Mapped[int | None]
    best_unserved: Mapped[int | None]
    # Better plans as they were found: [seconds since the start, cost, stops in no round].
    curve: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    # Somebody has seen enough: the worker ends with the best plan it has.
    enough: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    solved_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    cost_minor: Mapped[int | None]
    distance_m: Mapped[int | None]
    error: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    rounds: Mapped[list[PlanRound]] = relationship(
        back_populates="plan", order_by="PlanRound.courier_id", cascade="all, delete-orphan"
    )
    visits: Mapped[list[PlanVisit]] = relationship(
        back_populates="plan",
        order_by="PlanVisit.courier_id, PlanVisit.sequence",
        cascade="all, delete-orphan",
    )
    unserved: Mapped[list[PlanUnserved]] = relationship(back_populates="plan", cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}


class PlanRound(Identified, TenantScoped, Base):
    """A courier's round as a whole: from leaving the outlet until he is back."""

    __tablename__ = "plan_round"
    __table_args__ = (sa.UniqueConstraint("plan_id", "courier_id"),)

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id", ondelete="CASCADE"))
    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"), index=True)
    start_s: Mapped[int]
    end_s: Mapped[int]
    distance_m: Mapped[int]
    cost_minor: Mapped[int]
    # Breaks in order: [what was agreed, as `app.dispatch.breaks` names it; visits before it; start; end].
    rests: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")

    plan: Mapped[Plan] = relationship(back_populates="rounds")


class PlanVisit(Identified, TenantScoped, Base):
    """A stop in a courier's round."""

    __tablename__ = "plan_visit"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "stop_request_id"),
        sa.Index("ix_plan_visit_courier", "courier_id", "plan_id", "sequence"),
    )

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id", ondelete="CASCADE"))
    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"))
    stop_request_id: Mapped[int] = mapped_column(sa.ForeignKey("stop_request.id"), index=True)
    sequence: Mapped[int]
    arrival_s: Mapped[int]
    start_s: Mapped[int]
    departure_s: Mapped[int]
    distance_m: Mapped[int]
    locked: Mapped[bool] = mapped_column(default=False)
    # Where it was planned, kept for what is behind the courier when the place is corrected afterwards.
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)

    plan: Mapped[Plan] = relationship(back_populates="visits")


class PlanUnserved(Identified, TenantScoped, Base):
    """A stop that a plan could not serve, and why."""

    __tablename__ = "plan_unserved"
    __table_args__ = (sa.UniqueConstraint("plan_id", "stop_request_id"),)

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id", ondelete="CASCADE"))
    stop_request_id: Mapped[int] = mapped_column(sa.ForeignKey("stop_request.id"))
    reason: Mapped[str]
    details: Mapped[dict[str, Any]]

    plan: Mapped[Plan] = relationship(back_populates="unserved")
