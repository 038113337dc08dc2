"""Parcels that wait in lockers and at counters, each behind a code of its own."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.network.models import Compartment, Facility
from app.shipments.models import Shipment

_WAITS = "taken_at IS NULL AND taken_back_at IS NULL"


class DisputeKind(enum.StrEnum):
    """What its consignee says of a parcel that he was to fetch."""

    NOT_THERE = "not_there"
    DAMAGED = "damaged"


class PointDeposit(Identified, TenantScoped, Base):
    """A parcel that was left at a point, until somebody takes it out with the code or it is taken back."""

    __tablename__ = "point_deposit"
    __table_args__ = (
        sa.Index("uq_point_deposit_shipment", "shipment_id", unique=True, postgresql_where=sa.text(_WAITS)),
        sa.Index(
            "uq_point_deposit_compartment", "compartment_id", unique=True, postgresql_where=sa.text(_WAITS)
        ),
        sa.Index(
            "ix_point_deposit_waiting",
            "tenant_id",
            "facility_id",
            "deposited_at",
            postgresql_where=sa.text(_WAITS),
        ),
        sa.Index("ix_point_deposit_of_shipment", "shipment_id", "id"),
        sa.CheckConstraint("taken_at IS NULL OR taken_back_at IS NULL", name="ends_once"),
        sa.CheckConstraint("(dispute IS NULL) = (disputed_at IS NULL)", name="disputed_for_something"),
    )

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"))
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    compartment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("compartment.id"))
    scan_key: Mapped[str] = mapped_column(unique=True)
    courier_id: Mapped[int | None]
    deposited_at: Mapped[datetime]

    # Keyed hash; the code itself is in nobody's hands but the consignee's.
    code_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]

    reminded_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]
    taken_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    dispute: Mapped[DisputeKind | None] = mapped_column(enum_by_value(DisputeKind))
    disputed_at: Mapped[datetime | None]
    case_number: Mapped[str | None]

    shipment: Mapped[Shipment] = relationship()
    facility: Mapped[Facility] = relationship()
    compartment: Mapped[Compartment | None] = relationship()
