"""What couriers' phones told, where couriers were, and what was learned from both."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class Act(enum.StrEnum):
    """What a courier tells of a stop."""

    ARRIVED = "arrived"
    DONE = "done"
    FAILED = "failed"


class Outcome(enum.StrEnum):
    """What became of an act. `CONFLICT`: the stop was not, or no longer, in the courier's round."""

    RECORDED = "recorded"
    CONFLICT = "conflict"
    REFUSED = "refused"


class StopEvent(Identified, TenantScoped, Base):
    """An act as a phone told it, kept whatever became of it; append-only.

    The plan in force is written beside it as it was then, since it changes during the day: what was meant is
    compared with what happened long after.
    """

    __tablename__ = "stop_event"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "device_id", "client_id"),
        sa.Index("ix_stop_event_day", "tenant_id", "facility_id", "day", "courier_id"),
        sa.Index("ix_stop_event_received", "received_at"),
    )

    device_id: Mapped[str]
    client_id: Mapped[str]
    stop_request_id: Mapped[int] = mapped_column(sa.ForeignKey("stop_request.id"), index=True)
    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"))
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    day: Mapped[date] = mapped_column(sa.Date)
    act: Mapped[Act] = mapped_column(enum_by_value(Act))
    outcome: Mapped[Outcome] = mapped_column(enum_by_value(Outcome))
    # Why it is in conflict or was refused, for whoever looks into it.
    why: Mapped[str | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    offset_minutes: Mapped[int]
    reason: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)
    # As planned then, in seconds of the local day; none where the stop was in no round of the courier.
    planned_arrival_s: Mapped[int | None]
    planned_start_s: Mapped[int | None]
    planned_departure_s: Mapped[int | None]
    planned_travel_s: Mapped[int | None]
    planned_distance_m: Mapped[int | None]


class StopPhoto(Identified, TenantScoped, Base):
    """The picture that belongs to a failed stop; that of a delivery is its proof."""

    __tablename__ = "stop_photo"

    stop_event_id: Mapped[int] = mapped_column(sa.ForeignKey("stop_event.id"), unique=True)
    content_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(sa.LargeBinary)


class CourierPosition(TenantScoped, Base):
    """Where a courier's phone was; forgotten after some days (`POSITIONS_KEPT_DAYS`)."""

    __tablename__ = "courier_position"
    __table_args__ = (sa.Index("ix_courier_position_received", "received_at"),)

    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    accuracy_m: Mapped[int | None]
    received_at: Mapped[datetime]


class CourierLive(TenantScoped, Base):
    """What is known of a courier right now: one narrow row each, written at every sign of life."""

    __tablename__ = "courier_live"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"), primary_key=True)
    position_at: Mapped[datetime | None]
    latitude: Mapped[float | None] = mapped_column(sa.Double)
    longitude: Mapped[float | None] = mapped_column(sa.Double)
    accuracy_m: Mapped[int | None]
    # The latest act by the phone's own time.
    act: Mapped[Act | None] = mapped_column(enum_by_value(Act))
    act_stop_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stop_request.id"))
    act_at: Mapped[datetime | None]
    # Until when he was taken off his round (a broken vehicle, say), and what was said about it.
    off_until: Mapped[datetime | None]
    off_reason: Mapped[str | None]
    # When the expected times of his round were worked out last.
    followed_at: Mapped[datetime | None]


class Measure(enum.StrEnum):
    """What is learned: how long a stop takes, and how long the way does, both against what was planned."""

    SERVICE = "service"
    TRAVEL = "travel"


class Level(enum.StrEnum):
    """What a factor holds for, from the whole company down to one building."""

    ALL = "all"
    AREA = "area"
    BUILDING = "building"
    HOUR = "hour"
    COURIER = "courier"


class LearnedFactor(Identified, TenantScoped, Base):
    """By how much reality differs from what was taken for granted, as natural logarithm; levels add up.

    All rows of one `learned_at` are a set. A plan is made and changed with the set that was the latest when
    it was asked for, so that what was learned since moves none of its times. `samples` is how much data
    stands behind a factor; a thin one is drawn towards zero, where its parent speaks. `spread` is the
    standard deviation of what stays unexplained, and `error_before`, `error_after` the mean relative error
    without and with the factors on days that they were not learned from (of `Level.ALL` only).
    """

    __tablename__ = "learned_factor"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "learned_at", "measure", "level", "key"),)

    learned_at: Mapped[datetime]
    measure: Mapped[Measure] = mapped_column(enum_by_value(Measure))
    level: Mapped[Level] = mapped_column(enum_by_value(Level))
    key: Mapped[str]
    log_factor: Mapped[float] = mapped_column(sa.Double)
    samples: Mapped[int]
    spread: Mapped[float | None] = mapped_column(sa.Double)
    error_before: Mapped[float | None] = mapped_column(sa.Double)
    error_after: Mapped[float | None] = mapped_column(sa.Double)
