"""Who works when: what differs from a courier's usual shift on one day."""

from __future__ import annotations

import enum
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class DayState(enum.StrEnum):
    """How a courier stands on a day."""

    WORKS = "works"
    OFF = "off"
    BROKEN_DOWN = "broken_down"
    """He was at work and cannot go on: gets nothing more, and what he has is to be given to others."""


class CourierDay(Identified, TenantScoped, Base):
    """One day of a courier that is not as usual."""

    __tablename__ = "courier_day"
    __table_args__ = (
        sa.UniqueConstraint("courier_id", "day"),
        sa.CheckConstraint(
            "0 <= shift_start_s AND shift_start_s < shift_end_s AND shift_end_s <= 86400", name="shift_in_day"
        ),
    )

    courier_id: Mapped[int] = mapped_column(sa.ForeignKey("courier.id"))
    day: Mapped[date] = mapped_column(sa.Date, index=True)
    state: Mapped[DayState] = mapped_column(enum_by_value(DayState))
    shift_start_s: Mapped[int]
    shift_end_s: Mapped[int]
