"""Double entry as rows: accounts with their balances, journal entries with their lines and evidence.

Journal tables are append-only; triggers of the migration refuse UPDATE, DELETE and TRUNCATE, and lines that
do not sum to zero.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from settlement.ledger import NEVER_CREDIT, NEVER_DEBIT, Purpose

# The platform's own held and available shares may turn debit (it guarantees), and only the service knows
# which party is the platform; every other limit of the engine is the database's too.
_MAY_GUARANTEE = frozenset({Purpose.HELD, Purpose.AVAILABLE})


def _unless(purposes: frozenset[Purpose], sign: str) -> str:
    names = ", ".join(f"'{purpose.value}'" for purpose in sorted(purposes))
    return f"purpose NOT IN ({names}) OR balance_minor {sign} 0"


class Account(Identified, TenantScoped, Base):
    """What one party holds for one purpose in one currency; `balance_minor` is debit less credit.

    The balance is kept inline and equals the sum of the account's lines (checked by `/metrics`).
    """

    __tablename__ = "ledger_account"
    __table_args__ = (
        sa.UniqueConstraint(
            "tenant_id", "party_id", "purpose", "currency", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint(_unless(NEVER_CREDIT, ">="), name="never_credit"),
        sa.CheckConstraint(_unless(NEVER_DEBIT - _MAY_GUARANTEE, "<="), name="never_debit"),
    )

    party_id: Mapped[int | None] = mapped_column(sa.ForeignKey("party.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(enum_by_value(Purpose))
    currency: Mapped[str] = mapped_column(sa.String(3))
    balance_minor: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]


class JournalHead(TenantScoped, Base):
    """The end of a tenant's hash chain; locking its row is what puts the tenant's entries in one order."""

    __tablename__ = "journal_head"

    tenant_id: Mapped[int] = mapped_column(sa.ForeignKey("tenant.id", ondelete="RESTRICT"), primary_key=True)
    sequence: Mapped[int]
    entry_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)


class JournalEntry(Identified, TenantScoped, Base):
    """One business fact in money: balanced, never changed, chained by hash to the one before it."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "entry_key"),
        sa.UniqueConstraint("tenant_id", "sequence"),
        sa.Index("ix_journal_entry_effective", "tenant_id", "effective_at", "id"),
    )

    sequence: Mapped[int]
    entry_key: Mapped[str]
    kind: Mapped[str]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    previous_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)
    entry_hash: Mapped[bytes] = mapped_column(sa.LargeBinary)

    lines: Mapped[list[JournalLine]] = relationship(back_populates="entry", order_by="JournalLine.id")
    evidence: Mapped[list[JournalEvidence]] = relationship(
        back_populates="entry", order_by="JournalEvidence.id"
    )


class JournalLine(Identified, TenantScoped, Base):
    """One amount on one account: debit positive, credit negative, in minor units."""

    __tablename__ = "journal_line"
    __table_args__ = (
        sa.Index("ix_journal_line_account", "account_id", "entry_id"),
        sa.CheckConstraint("amount_minor <> 0", name="not_zero"),
    )

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_account.id"))
    amount_minor: Mapped[int]

    entry: Mapped[JournalEntry] = relationship(back_populates="lines")
    account: Mapped[Account] = relationship()


class JournalEvidence(Identified, TenantScoped, Base):
    """What an entry rests on: an order, a shipment, a scan, a case, a payout item."""

    __tablename__ = "journal_evidence"
    __table_args__ = (sa.Index("ix_journal_evidence_ref", "tenant_id", "kind", "ref"),)

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), index=True)
    kind: Mapped[str]
    ref: Mapped[str]

    entry: Mapped[JournalEntry] = relationship(back_populates="evidence")
