"""Shipments that wait for each other on the way to one consignee."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.network.models import Facility


class MergeGroup(Identified, TenantScoped, Base):
    """What belongs together: under one reference of one customer, merged at one place."""

    __tablename__ = "merge_group"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "customer_id", "reference"),
        sa.Index(
            "ix_merge_group_open", "tenant_id", "due_at", postgresql_where=sa.text("released_at IS NULL")
        ),
        sa.CheckConstraint("shipments > 0", name="has_members"),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    consignee_customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    reference: Mapped[str]
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    # How many shipments belong to it, those that are not booked yet included.
    shipments: Mapped[int]
    due_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    facility: Mapped[Facility] = relationship()
