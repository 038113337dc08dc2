"""Areas of an outlet: where its couriers are at home, and where some vehicles may not go at some hours."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped


class Area(Identified, TenantScoped, Base):
    """A part of what an outlet serves. Which stops lie in it is asked of their pins, and kept nowhere."""

    __tablename__ = "area"
    __table_args__ = (
        sa.UniqueConstraint("facility_id", "name"),
        sa.CheckConstraint("jsonb_array_length(ring) BETWEEN 3 AND 200", name="ring_of_corners"),
    )

    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    name: Mapped[str]
    # Corners in order: [latitude, longitude] in degrees (WGS 84); the last is joined to the first.
    ring: Mapped[list[Any]]
    # As `app.dispatch.areas.ClosedHours`: {"vehicle_classes", "from_s", "to_s"}.
    closed: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class CourierHome(Identified, TenantScoped, Base):
    """An area in which a courier is at home; who has none is at home everywhere."""

    __tablename__ = "courier_home"
    __table_args__ = (sa.UniqueConstraint("courier_id", "area_id"),)

    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id", ondelete="CASCADE"))
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
