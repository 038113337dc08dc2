"""Districts, facilities, lanes and their departures."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.parties.models import Party


class District(Base):
    """A county-level division with the coordinates of its seat; the same for every tenant."""

    __tablename__ = "district"

    adcode: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    city_name: Mapped[str]
    province_name: Mapped[str]
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)


class Facility(Identified, TenantScoped, Base):
    """A place that handles parcels."""

    __tablename__ = "facility"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code"),)

    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str]
    operator: Mapped[str]
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    district_adcode: Mapped[str] = mapped_column(sa.ForeignKey("district.adcode"), index=True)
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    sort_s: Mapped[int]
    utc_offset_minutes: Mapped[int] = mapped_column(default=480)
    closed_at: Mapped[datetime | None]

    party: Mapped[Party] = relationship()
    parent: Mapped[Facility | None] = relationship(remote_side="Facility.id")


class Lane(Identified, TenantScoped, Base):
    """A line-haul from one facility to another, run by a carrier to a timetable."""

    __tablename__ = "lane"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code"),)

    code: Mapped[str]
    from_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    to_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    carrier_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    mode: Mapped[str]
    distance_m: Mapped[int]
    cost_fixed_minor: Mapped[int]
    cost_per_kg_minor: Mapped[int]
    capacity_g: Mapped[int | None]
    closed_at: Mapped[datetime | None]

    departures: Mapped[list[LaneDeparture]] = relationship(back_populates="lane")


class LaneDeparture(Identified, TenantScoped, Base):
    """A repeated departure: on which weekdays (bit 0 = Monday), at which local minute, for how long."""

    __tablename__ = "lane_departure"

    lane_id: Mapped[int] = mapped_column(sa.ForeignKey("lane.id", ondelete="CASCADE"), index=True)
    weekdays: Mapped[int]
    local_minute: Mapped[int]
    utc_offset_minutes: Mapped[int]
    duration_s: Mapped[int]

    lane: Mapped[Lane] = relationship(back_populates="departures")
