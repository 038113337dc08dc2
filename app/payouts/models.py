"""Payout batches and their items, and the bank accounts they go to."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from settlement.payout import BatchState, ItemState


class PartyBankAccount(Identified, TenantScoped, Base):
    """Where a party is paid."""

    __tablename__ = "party_bank_account"

    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), unique=True)
    holder: Mapped[str]
    account_number: Mapped[str]
    bank_name: Mapped[str]
    cnaps_code: Mapped[str]


class PayoutBatch(Identified, TenantScoped, Base):
    """What is paid out together; one person prepares, another approves."""

    __tablename__ = "payout_batch"
    __table_args__ = (
        sa.CheckConstraint("approved_by_id IS NULL OR approved_by_id <> prepared_by_id", name="two_people"),
    )

    number: Mapped[str] = mapped_column(unique=True)
    status: Mapped[BatchState] = mapped_column(enum_by_value(BatchState))
    currency: Mapped[str] = mapped_column(sa.String(3))
    total_minor: Mapped[int]
    prepared_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    prepared_at: Mapped[datetime]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    approved_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    items: Mapped[list[PayoutItem]] = relationship(back_populates="batch", order_by="PayoutItem.id")

    __mapper_args__ = {"version_id_col": version}


class PayoutItem(Identified, TenantScoped, Base):
    """One party's money in a batch."""

    __tablename__ = "payout_item"
    __table_args__ = (
        sa.UniqueConstraint("batch_id", "party_id"),
        sa.CheckConstraint("amount_minor > 0", name="positive"),
    )

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("payout_batch.id"))
    party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"), index=True)
    amount_minor: Mapped[int]
    status: Mapped[ItemState] = mapped_column(enum_by_value(ItemState))
    bank_holder: Mapped[str]
    bank_account_number: Mapped[str]
    bank_name: Mapped[str]
    cnaps_code: Mapped[str]

    batch: Mapped[PayoutBatch] = relationship(back_populates="items")
