"""Districts, facilities, lanes and their departures."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, INT4MULTIRANGE
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.parties.models import Party
from routing.network import FacilityKind, Mode, Operator, WorkingHours

# What lanes cost is kept in this currency; no lane is paid in another yet.
LANE_CURRENCY = "CNY"
DEFAULT_TIMEZONE = "Asia/Shanghai"


class District(Base):
    """A county-level division with the coordinates of its seat; the same for every tenant."""

    __tablename__ = "district"

    adcode: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    city_name: Mapped[str]
    province_name: Mapped[str] = mapped_column(index=True)
    # In Latin letters; empty where nobody has given them.
    city_name_en: Mapped[str] = mapped_column(default="")
    province_name_en: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)


class Facility(Identified, TenantScoped, Base):
    """A place that handles parcels. A store, locker or collective point hangs on its `parent` outlet."""

    __tablename__ = "facility"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_is_one"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_is_one"),
        sa.CheckConstraint("sort_s >= 0", name="sort_s_not_negative"),
        sa.CheckConstraint("sort_per_hour > 0", name="sorts_something"),
        sa.CheckConstraint(
            "NOT isempty(open_minutes) AND open_minutes <@ '{[0,10080)}'::int4multirange",
            name="open_in_a_week",
        ),
        sa.CheckConstraint("cutoff_minute BETWEEN 1 AND 1440", name="cutoff_within_a_day"),
        sa.CheckConstraint(
            "cardinality(round_minutes) > 0 AND 0 <= ALL (round_minutes) AND 1440 > ALL (round_minutes)",
            name="rounds_within_a_day",
        ),
        # Finds the places around a point: a band of latitude, cut by longitude.
        sa.Index(
            "ix_facility_open_place",
            "tenant_id",
            "latitude",
            "longitude",
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    code: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[FacilityKind] = mapped_column(enum_by_value(FacilityKind))
    operator: Mapped[Operator] = mapped_column(enum_by_value(Operator))
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    district_adcode: Mapped[str] = mapped_column(sa.ForeignKey("district.adcode"), index=True)
    latitude: Mapped[float] = mapped_column(sa.Double)
    longitude: Mapped[float] = mapped_column(sa.Double)
    sort_s: Mapped[int]
    sort_per_hour: Mapped[int | None]
    timezone: Mapped[str]
    # Of the zone when it was set last: pages write local times by it, hours go by the zone.
    utc_offset_minutes: Mapped[int]
    # In minutes after Monday's midnight.
    open_minutes: Mapped[MultiRange[int]] = mapped_column(INT4MULTIRANGE)
    cutoff_minute: Mapped[int]
    round_minutes: Mapped[list[int]] = mapped_column(ARRAY(sa.Integer))
    closed_at: Mapped[datetime | None]

    party: Mapped[Party] = relationship()
    parent: Mapped[Facility | None] = relationship(remote_side="Facility.id")
    district: Mapped[District] = relationship()
    holidays: Mapped[list[FacilityHoliday]] = relationship(order_by="FacilityHoliday.day")

    def working_hours(self, closed_dates: Iterable[date]) -> WorkingHours:
        """When it works, as the engine takes it, with the days on which it does not."""
        return WorkingHours(
            self.timezone,
            tuple((part.lower or 0, part.upper or 0) for part in self.open_minutes),
            frozenset(closed_dates),
            self.cutoff_minute,
            tuple(self.round_minutes),
        )


class FacilityHoliday(Identified, TenantScoped, Base):
    """A day on which a facility does not work, by its own clocks."""

    __tablename__ = "facility_holiday"
    __table_args__ = (sa.UniqueConstraint("facility_id", "day"),)

    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id", ondelete="CASCADE"))
    day: Mapped[date]
    reason: Mapped[str]


class Lane(Identified, TenantScoped, Base):
    """A line-haul from one facility to another, run by a carrier to a timetable."""

    __tablename__ = "lane"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code"),
        sa.CheckConstraint("from_facility_id <> to_facility_id", name="leads_somewhere"),
        sa.CheckConstraint(
            "distance_m >= 0 AND cost_fixed_minor >= 0 AND cost_per_kg_minor >= 0", name="not_negative"
        ),
        sa.CheckConstraint("capacity_g > 0", name="capacity_positive"),
    )

    code: Mapped[str]
    from_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    to_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    carrier_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    mode: Mapped[Mode] = mapped_column(enum_by_value(Mode))
    distance_m: Mapped[int]
    cost_fixed_minor: Mapped[int]
    cost_per_kg_minor: Mapped[int]
    capacity_g: Mapped[int | None]
    closed_at: Mapped[datetime | None]

    from_facility: Mapped[Facility] = relationship(foreign_keys=[from_facility_id])
    to_facility: Mapped[Facility] = relationship(foreign_keys=[to_facility_id])
    carrier: Mapped[Party] = relationship()
    departures: Mapped[list[LaneDeparture]] = relationship(
        back_populates="lane", order_by="LaneDeparture.minute_of_day, LaneDeparture.id"
    )
    holidays: Mapped[list[LaneHoliday]] = relationship(back_populates="lane", order_by="LaneHoliday.day")


class LaneDeparture(Identified, TenantScoped, Base):
    """A weekly departure: on which weekdays (bit 0 Monday), at which minute by the clocks of `timezone`."""

    __tablename__ = "lane_departure"
    __table_args__ = (
        sa.CheckConstraint("weekdays BETWEEN 1 AND 127", name="weekdays_are_a_mask"),
        sa.CheckConstraint("minute_of_day BETWEEN 0 AND 1439", name="minute_within_a_day"),
        sa.CheckConstraint("duration_s > 0", name="takes_time"),
    )

    lane_id: Mapped[int] = mapped_column(sa.ForeignKey("lane.id", ondelete="CASCADE"), index=True)
    weekdays: Mapped[int]
    minute_of_day: Mapped[int]
    duration_s: Mapped[int]
    timezone: Mapped[str]

    lane: Mapped[Lane] = relationship(back_populates="departures")

    def local_departure(self, day: date) -> datetime:
        """The moment at which it leaves on a local day."""
        clock = time(*divmod(self.minute_of_day, 60))
        return datetime.combine(day, clock, ZoneInfo(self.timezone))


class LaneHoliday(Identified, TenantScoped, Base):
    """A day on which a lane does not run, by the clocks of its departures."""

    __tablename__ = "lane_holiday"
    __table_args__ = (sa.UniqueConstraint("lane_id", "day"),)

    lane_id: Mapped[int] = mapped_column(sa.ForeignKey("lane.id", ondelete="CASCADE"))
    day: Mapped[date]
    reason: Mapped[str]

    lane: Mapped[Lane] = relationship(back_populates="holidays")


class Compartment(Identified, TenantScoped, Base):
    """A door of a locker and how much lies behind it."""

    __tablename__ = "compartment"
    __table_args__ = (
        sa.UniqueConstraint("facility_id", "code"),
        sa.CheckConstraint("length_mm > 0 AND width_mm > 0 AND height_mm > 0", name="has_room"),
    )

    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    code: Mapped[str]
    length_mm: Mapped[int]
    width_mm: Mapped[int]
    height_mm: Mapped[int]
    closed_at: Mapped[datetime | None]


class StudyStatus(enum.StrEnum):
    """Life of a hub study."""

    REQUESTED = "requested"
    SOLVING = "solving"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class HubStudy(Identified, TenantScoped, Base):
    """A question which outlets would best be hubs, and its answer when a worker has found it."""

    __tablename__ = "hub_study"
    __table_args__ = (
        sa.Index(
            "ix_hub_study_waiting",
            "asked_at",
            "id",
            postgresql_where=sa.text("status IN ('requested', 'solving')"),
        ),
    )

    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_at: Mapped[datetime]
    gravity: Mapped[bool]
    days: Mapped[int]
    hubs: Mapped[int]
    discount_percent: Mapped[int]
    multiple: Mapped[bool]
    seconds: Mapped[int]
    status: Mapped[StudyStatus] = mapped_column(enum_by_value(StudyStatus))
    # How often a worker has taken it, and the last sign of life of the one that has it.
    tries: Mapped[int] = mapped_column(default=0)
    solving_since: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]
    # As `python -m routing.network design` prints it, with the ids of facilities for names.
    answer: Mapped[dict[str, Any] | None]


class NetworkRevision(Base):
    """Which state of its network a tenant is at; every write gives it another one.

    A random number and not a count: a count that was rolled back would come again for another state.
    """

    __tablename__ = "network_revision"

    tenant_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tenant.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    revision: Mapped[uuid.UUID]
