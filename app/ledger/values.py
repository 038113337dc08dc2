"""Stored rows as the engine's values: what hashes, comparisons and reversals are made from."""

from __future__ import annotations

from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.ledger.models import Account, JournalEntry, JournalLine
from settlement import ledger as engine


def key_of(account: Account) -> engine.AccountKey:
    """The engine's name of an account."""
    return engine.AccountKey(account.tenant_id, account.party_id, account.purpose, account.currency)


def entry_value(row: JournalEntry) -> engine.JournalEntry:
    """The entry as it was posted.

    Raises:
        UnbalancedEntryError: the rows are not what was posted: somebody has tampered with them.
    """
    return engine.JournalEntry(
        entry_id=row.entry_key,
        kind=row.kind,
        effective_at=row.effective_at,
        entries=tuple(engine.Entry(key_of(line.account), line.amount_minor) for line in row.lines),
        evidence=tuple(engine.EvidenceRef(item.kind, item.ref) for item in row.evidence),
    )


def with_lines() -> tuple[ORMOption, ...]:
    """Options of a query of entries: what `entry_value` reads comes with them."""
    return (
        selectinload(JournalEntry.lines).joinedload(JournalLine.account),
        selectinload(JournalEntry.evidence),
    )
