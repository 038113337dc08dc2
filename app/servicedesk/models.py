"""Cases as lists of events, and claims with the award that answered them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class CaseChannel(enum.StrEnum):
    """Where a case came from."""

    TRACKING_PAGE = "tracking_page"
    PHONE = "phone"
    PORTAL = "portal"
    API = "api"


class CaseCategory(enum.StrEnum):
    """What a case is about."""

    LATE = "late"
    DAMAGED = "damaged"
    LOST = "lost"
    NOT_RECEIVED = "not_received"
    COURIER = "courier"
    PRICE = "price"
    OTHER = "other"


class CaseStatus(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


class CaseEventKind(enum.StrEnum):
    """What can happen to a case."""

    OPENED = "opened"
    CUSTOMER_MESSAGE = "customer_message"
    REPLY = "reply"
    NOTE = "note"
    ASSIGNED = "assigned"
    STATUS = "status"
    CLAIM = "claim"
    AWARD = "award"


class ClaimStatus(enum.StrEnum):
    """Life of a claim: proposed by one person, approved by another, posted to the ledger."""

    PROPOSED = "proposed"
    POSTED = "posted"
    REFUSED = "refused"


class Case(Identified, TenantScoped, Base):
    """A complaint or question of one customer, usually about one shipment."""

    __tablename__ = "service_case"
    __table_args__ = (
        sa.Index("ix_service_case_customer", "tenant_id", "customer_id", "opened_at"),
        sa.Index("ix_service_case_queue", "tenant_id", "status", "due_at"),
    )

    number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    channel: Mapped[CaseChannel] = mapped_column(enum_by_value(CaseChannel))
    category: Mapped[CaseCategory] = mapped_column(enum_by_value(CaseCategory))
    status: Mapped[CaseStatus] = mapped_column(enum_by_value(CaseStatus))
    subject: Mapped[str]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    resolution: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    events: Mapped[list[CaseEvent]] = relationship(
        back_populates="case", order_by="CaseEvent.at, CaseEvent.id"
    )
    claims: Mapped[list[Claim]] = relationship(back_populates="case", order_by="Claim.id")

    __mapper_args__ = {"version_id_col": version}


class CaseEvent(Identified, TenantScoped, Base):
    """One thing that happened to a case; append-only."""

    __tablename__ = "case_event"

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("service_case.id"), index=True)
    kind: Mapped[CaseEventKind] = mapped_column(enum_by_value(CaseEventKind))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    body: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    case: Mapped[Case] = relationship(back_populates="events")


class Claim(Identified, TenantScoped, Base):
    """A demand for compensation and the award that was proposed for it, with article and bearer."""

    __tablename__ = "claim"
    __table_args__ = (
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> proposed_by_id", name="two_people"),
        sa.CheckConstraint("claimed_minor > 0 AND award_minor >= 0", name="amounts"),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("service_case.id"), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    claimed_minor: Mapped[int]
    award_minor: Mapped[int]
    article: Mapped[str]
    formula: Mapped[dict[str, Any]]
    bearer_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    evidence: Mapped[list[Any]]
    status: Mapped[ClaimStatus] = mapped_column(enum_by_value(ClaimStatus))
    proposed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    approved_at: Mapped[datetime | None]
    entry_key: Mapped[str | None]

    case: Mapped[Case] = relationship(back_populates="claims")
