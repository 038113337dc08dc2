"""What is odd about shipments, as rows, and what people do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from tracking.finding import FindingKind


class ShipmentFinding(Identified, TenantScoped, Base):
    """Something about a shipment that needs a person; opens once, explains itself, closes itself."""

    __tablename__ = "shipment_finding"
    __table_args__ = (
        sa.UniqueConstraint("shipment_id", "finding_key"),
        sa.Index(
            "ix_shipment_finding_open",
            "tenant_id",
            "opened_at",
            "id",
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_shipment_finding_kind",
            "tenant_id",
            "kind",
            "opened_at",
            "id",
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_shipment_finding_assignee",
            "tenant_id",
            "assignee_id",
            "opened_at",
            postgresql_where=sa.text("closed_at IS NULL AND assignee_id IS NOT NULL"),
        ),
    )

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"))
    finding_key: Mapped[str]
    kind: Mapped[FindingKind] = mapped_column(enum_by_value(FindingKind))
    details: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # Who sees to it, who has seen it, and until when it is put aside; opened again, it is new to everybody.
    assignee_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    acknowledged_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]


class FindingNote(Identified, TenantScoped, Base):
    """What somebody wrote down about a finding."""

    __tablename__ = "finding_note"

    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment_finding.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    body: Mapped[str]
    at: Mapped[datetime]
