"""Is the ledger whole: entries balance, balances are sums, and the hash chain is unbroken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.ledger.models import JournalEntry, JournalHead
from app.ledger.values import entry_value, with_lines
from settlement.errors import UnbalancedEntryError
from settlement.ledger import GENESIS_HASH, Book, Purpose, entry_hash

_OWN_PURPOSES = [purpose.value for purpose in Purpose if purpose.book is Book.OWN]
_ENTRIES_A_READ = 500

# The two books of a tenant balance each by itself (see `settlement.ledger`). An entry without lines is
# one that somebody emptied.
_HEALTH = sa.text(
    """
    WITH
    entry AS (SELECT id FROM journal_entry WHERE :tenant_id IS NULL OR tenant_id = :tenant_id),
    line AS (
        SELECT journal_line.entry_id, journal_line.account_id, journal_line.amount_minor,
               account.currency, account.purpose = ANY(:own_purposes) AS own
        FROM journal_line
        JOIN ledger_account AS account ON account.id = journal_line.account_id
        WHERE :tenant_id IS NULL OR journal_line.tenant_id = :tenant_id
    ),
    unbalanced AS (
        SELECT entry_id AS id FROM line GROUP BY entry_id, currency, own HAVING sum(amount_minor) <> 0
        UNION
        SELECT id FROM entry WHERE NOT EXISTS (SELECT FROM line WHERE line.entry_id = entry.id)
    ),
    summed AS (SELECT account_id, sum(amount_minor) AS total FROM line GROUP BY account_id),
    wrong AS (
        SELECT account.id
        FROM ledger_account AS account
        LEFT JOIN summed ON summed.account_id = account.id
        WHERE (:tenant_id IS NULL OR account.tenant_id = :tenant_id)
          AND account.balance_minor <> coalesce(summed.total, 0)
    )
    SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM unbalanced), (SELECT count(*) FROM wrong)
    """
).bindparams(
    sa.bindparam("tenant_id", type_=sa.BigInteger),
    sa.bindparam("own_purposes", _OWN_PURPOSES, type_=sa.ARRAY(sa.Text)),
)


@dataclass(frozen=True, slots=True)
class Health:
    """Figures of `/metrics`; the last two must be zero."""

    entries: int
    unbalanced_entries: int
    wrong_balances: int


class Break(StrEnum):
    """What is wrong at a place of the hash chain."""

    ALTERED = "altered"
    """The content no longer gives the stored hash."""
    MISSING = "missing"
    """Entries before this one are gone."""
    NOT_CHAINED = "not_chained"
    """It does not continue from the hash of the entry before it."""
    CUT_OFF = "cut_off"
    """The last entries are gone: the chain ends before its head."""


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A place where a tenant's hash chain does not hold."""

    tenant_id: int
    sequence: int
    entry_key: str | None
    kind: Break


def health(session: Session) -> Health:
    """Count what does not add up, over the session's tenant, or over all for a session without one."""
    entries, unbalanced, wrong = session.execute(_HEALTH, {"tenant_id": session.info.get("tenant_id")}).one()
    return Health(entries, unbalanced, wrong)


def broken_chain(session: Session) -> list[BrokenLink]:
    """Recompute every hash of the session's tenant, or of all tenants, and list where the chain breaks.

    Reads the whole journal in pieces; for a check by night or by command, not for a page.
    """
    heads = session.execute(
        sa.select(JournalHead.tenant_id, JournalHead.sequence, JournalHead.entry_hash).order_by(
            JournalHead.tenant_id
        )
    )
    return [
        link
        for tenant_id, sequence, head_hash in heads.all()
        for link in _broken_links(session, tenant_id, sequence, head_hash)
    ]


def _broken_links(session: Session, tenant_id: int, sequence: int, head_hash: bytes) -> Iterator[BrokenLink]:
    last_sequence, last_hash = 0, GENESIS_HASH
    rows = session.scalars(
        sa.select(JournalEntry)
        .where(JournalEntry.tenant_id == tenant_id, JournalEntry.sequence <= sequence)
        .order_by(JournalEntry.sequence)
        .options(*with_lines())
        .execution_options(yield_per=_ENTRIES_A_READ, populate_existing=True)
    )
    for row in rows:
        if row.sequence != last_sequence + 1:
            yield BrokenLink(tenant_id, row.sequence, row.entry_key, Break.MISSING)
        elif row.previous_hash != last_hash:
            yield BrokenLink(tenant_id, row.sequence, row.entry_key, Break.NOT_CHAINED)
        if not _is_what_was_hashed(row):
            yield BrokenLink(tenant_id, row.sequence, row.entry_key, Break.ALTERED)
        # The stored hash goes on, so that one altered entry is one finding and not one a successor.
        last_sequence, last_hash = row.sequence, row.entry_hash
    if last_sequence != sequence or last_hash != head_hash:
        yield BrokenLink(tenant_id, sequence, None, Break.CUT_OFF)


def _is_what_was_hashed(row: JournalEntry) -> bool:
    try:
        return entry_hash(row.previous_hash, entry_value(row)) == row.entry_hash
    except UnbalancedEntryError:
        return False
