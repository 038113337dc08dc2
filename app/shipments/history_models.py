"""What was learned of how parcels travel, and what was promised first."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, TenantScoped
from app.db.types import enum_by_value
from app.shipments.models import Service, Shipment
from tracking.promise.stored import SampleKind


class PromiseHistory(Base):
    """From what, and when, a tenant's promises were learned.

    Every learning gives another revision: a random one, by which a process knows what it keeps.
    """

    __tablename__ = "promise_history"

    tenant_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tenant.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    revision: Mapped[uuid.UUID]
    learned_at: Mapped[datetime]
    observed_from: Mapped[datetime]
    # Of the local time whose hours and weekdays count.
    offset_minutes: Mapped[int]
    trips: Mapped[int]
    dwells: Mapped[int]
    handovers: Mapped[int]
    collections: Mapped[int]


class PromiseSample(TenantScoped, Base):
    """One learned effect or distribution, as `tracking.promise.stored` has it."""

    __tablename__ = "promise_sample"
    __table_args__ = (
        sa.PrimaryKeyConstraint("tenant_id", "kind", "key"),
        sa.CheckConstraint("(kind = 'leg_effect') = (log_ratio IS NOT NULL)", name="effect_has_ratio"),
    )

    kind: Mapped[SampleKind] = mapped_column(enum_by_value(SampleKind, name="sample_kind"))
    key: Mapped[str]
    weight: Mapped[float] = mapped_column(sa.Double)
    log_ratio: Mapped[float | None] = mapped_column(sa.Double)
    knots: Mapped[list[float]] = mapped_column(sa.ARRAY(sa.Double))


class FirstPromise(TenantScoped, Base):
    """By when a shipment was to arrive, with 50, 80 and 95 % probability, as it was booked; never changed."""

    __tablename__ = "first_promise"

    shipment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    p50_at: Mapped[datetime]
    p80_at: Mapped[datetime]
    p95_at: Mapped[datetime]

    shipment: Mapped[Shipment] = relationship()


class PromiseCalibration(TenantScoped, Base):
    """Of the parcels of a month and a service, how many came by a time that was told, as measured last."""

    __tablename__ = "promise_calibration"
    __table_args__ = (
        sa.PrimaryKeyConstraint("tenant_id", "month", "service", "stage", "promised_percent"),
        sa.CheckConstraint("kept BETWEEN 0 AND parcels", name="kept_of_parcels"),
    )

    month: Mapped[date]
    service: Mapped[Service] = mapped_column(enum_by_value(Service))
    stage: Mapped[str]
    promised_percent: Mapped[int] = mapped_column(sa.SmallInteger)
    parcels: Mapped[int]
    kept: Mapped[int]
    measured_at: Mapped[datetime]
