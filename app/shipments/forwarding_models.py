"""Under which numbers other carriers take shipments further."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped


class Forwarding(Identified, TenantScoped, Base):
    """A shipment, or a part of it, that another carrier takes further under a number of its own."""

    __tablename__ = "forwarding"
    __table_args__ = (
        sa.UniqueConstraint("shipment_id", "number"),
        sa.Index("ix_forwarding_number", "tenant_id", "number"),
        sa.CheckConstraint("number <> '' AND carrier <> ''", name="is_told"),
    )

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id", ondelete="CASCADE"))
    # A carrier of `tracking.carriers`; the postal operator's name is part of the number.
    carrier: Mapped[str]
    number: Mapped[str]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    forwarded_at: Mapped[datetime]
