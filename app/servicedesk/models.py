"""Cases as lists of events, and claims with the award that answered them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.servicedesk.values import CaseCategory as CaseCategory
from app.servicedesk.values import CaseChannel as CaseChannel
from app.servicedesk.values import CaseEventKind as CaseEventKind
from app.servicedesk.values import CaseStatus as CaseStatus
from app.servicedesk.values import ClaimStatus as ClaimStatus
from app.servicedesk.values import ClockKind as ClockKind
from settlement.compensation import BearerReason, LossKind


class Case(Identified, TenantScoped, Base):
    """A complaint or question of one customer, usually about one shipment."""

    __tablename__ = "service_case"
    __table_args__ = (
        sa.Index("ix_service_case_customer", "tenant_id", "customer_id", "opened_at"),
        sa.Index("ix_service_case_queue", "tenant_id", "status", "due_at"),
        sa.UniqueConstraint("tenant_id", "number"),
    )

    number: Mapped[str]
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    channel: Mapped[CaseChannel] = mapped_column(enum_by_value(CaseChannel))
    category: Mapped[CaseCategory] = mapped_column(enum_by_value(CaseCategory))
    status: Mapped[CaseStatus] = mapped_column(enum_by_value(CaseStatus))
    subject: Mapped[str]
    opened_at: Mapped[datetime]
    # The clock that runs out first; recomputed from all events with each of them (`clock.clocks`).
    due_at: Mapped[datetime]
    due_clock: Mapped[ClockKind] = mapped_column(enum_by_value(ClockKind))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    resolution: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    events: Mapped[list[CaseEvent]] = relationship(back_populates="case", order_by="CaseEvent.sequence")
    claims: Mapped[list[Claim]] = relationship(back_populates="case", order_by="Claim.id")

    # Counted by the service, one an event: so a stale save can be shown what it has not seen.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}


class CaseEvent(Identified, TenantScoped, Base):
    """One thing that happened to a case; append-only."""

    __tablename__ = "case_event"
    __table_args__ = (sa.UniqueConstraint("case_id", "sequence"),)

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("service_case.id"))
    # The version of the case that it made.
    sequence: Mapped[int]
    kind: Mapped[CaseEventKind] = mapped_column(enum_by_value(CaseEventKind))
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    body: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)

    case: Mapped[Case] = relationship(back_populates="events")


class CaseDraft(TenantScoped, Base):
    """What somebody has begun to write on a case; kept until it is sent or emptied."""

    __tablename__ = "case_draft"

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("service_case.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    body: Mapped[str]
    saved_at: Mapped[datetime]


class CaseCounter(Base):
    """How many cases a tenant has opened on a local day: the serial in their numbers."""

    __tablename__ = "case_counter"

    tenant_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tenant.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Claim(Identified, TenantScoped, Base):
    """A demand for compensation and the award that was proposed for it, with article and bearer."""

    __tablename__ = "claim"
    __table_args__ = (
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> proposed_by_id", name="two_people"),
        sa.CheckConstraint("claimed_minor > 0 AND award_minor > 0", name="amounts"),
        sa.CheckConstraint("status <> 'posted' OR entry_key IS NOT NULL", name="posted_with_an_entry"),
        # A shipment is compensated once, whoever complains about it.
        sa.Index(
            "uq_claim_shipment_id_standing",
            "shipment_id",
            unique=True,
            postgresql_where=sa.text("status <> 'refused'"),
        ),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("service_case.id"), index=True)
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    kind: Mapped[LossKind] = mapped_column(enum_by_value(LossKind))
    currency: Mapped[str] = mapped_column(sa.String(3))
    claimed_minor: Mapped[int]
    award_minor: Mapped[int]
    # The law as it stood: an award prints the article and formula that it was made by.
    jurisdiction: Mapped[str]
    instrument: Mapped[str]
    instrument_version: Mapped[date]
    article: Mapped[str]
    # `{"key": ..., "params": {...}}` of settlement.compensation.
    formula: Mapped[dict[str, Any]]
    bearer_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    bearer_facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    bearer_reason: Mapped[BearerReason] = mapped_column(enum_by_value(BearerReason))
    # Keys of the scans that show who bears it.
    evidence: Mapped[list[Any]]
    status: Mapped[ClaimStatus] = mapped_column(enum_by_value(ClaimStatus))
    proposed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    approved_at: Mapped[datetime | None]
    entry_key: Mapped[str | None]
    refused_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    refused_at: Mapped[datetime | None]
    refusal: Mapped[str | None]

    case: Mapped[Case] = relationship(back_populates="claims")
