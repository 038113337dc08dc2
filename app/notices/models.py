"""What consignees are told at which milestone, and when the company keeps quiet."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.notify.models import Channel
from tracking.shipment import Milestone


class NoticeWording(Identified, TenantScoped, Base):
    """A shipper's words for a milestone, or, without a customer, the company's for whoever has none."""

    __tablename__ = "notice_wording"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "customer_id", "milestone", postgresql_nulls_not_distinct=True),
    )

    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"), index=True)
    milestone: Mapped[Milestone] = mapped_column(enum_by_value(Milestone))
    # Off says that nothing is told, also where the company would tell something.
    enabled: Mapped[bool]
    channel: Mapped[Channel] = mapped_column(enum_by_value(Channel))
    subject_zh: Mapped[str]
    body_zh: Mapped[str]
    subject_en: Mapped[str]
    body_en: Mapped[str]
    changed_at: Mapped[datetime]


class QuietTime(TenantScoped, Base):
    """When a company's consignees are not to be disturbed, by the clock of the shipment's place."""

    __tablename__ = "quiet_time"

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    from_minute: Mapped[int]
    to_minute: Mapped[int]

    __table_args__ = (
        sa.UniqueConstraint("tenant_id"),
        sa.CheckConstraint("from_minute BETWEEN 0 AND 1439 AND to_minute BETWEEN 0 AND 1439", name="minutes"),
    )
