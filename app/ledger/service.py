"""Posting: the only writer of money.

What is posted is written at the end of the transaction, all at once: the journal's head, for which every
poster of the tenant waits, is locked last and only until the commit (`app.db.ending`). Who has to look at
balances before he decides what to post locks accounts himself, as the last thing that he locks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy.orm import Session

from app.db import ending
from app.db.session import tenant_of
from app.ledger import queries
from app.ledger.values import entry_value
from app.ledger.writing import Posting, locked_balances, write
from settlement import ledger as engine


def post(session: Session, entry: engine.JournalEntry, *, now: datetime) -> None:
    """Write an entry at the end of the caller's transaction, once.

    Args:
        session: a session of the entry's tenant.
        entry: what happened; its `entry_id` is the idempotency key.
        now: when it is recorded.

    Raises:
        EntryConflictError: the key is used for another content; raised by the commit, or here under
            `lock_accounts`.
        BalanceLimitError: an account would break its limit; likewise.
    """
    post_many(session, [entry], now=now)


def post_many(session: Session, entries: Sequence[engine.JournalEntry], *, now: datetime) -> None:
    """Write entries in their order, all or none; otherwise as `post`."""
    tenant_id = tenant_of(session)
    for entry in entries:
        if entry.entries[0].account.tenant_id != tenant_id:
            raise AssertionError(f"entry {entry.entry_id} is of another tenant than the session")
    ending.put_off(session, _write, [Posting(entry, now) for entry in entries])
    if ending.has_begun(session):
        ending.begin(session)


def lock_accounts(session: Session, keys: Iterable[engine.AccountKey]) -> dict[engine.AccountKey, int]:
    """Lock accounts until the end of the transaction and give their balances.

    For a decision that rests on balances (what a payout may take, what a bearer can pay) and is posted in
    the same transaction. Whatever else the transaction locks it has to lock before.

    Returns:
        Signed balances, debit positive; zero for an account that does not exist yet.
    """
    ending.begin(session)
    return locked_balances(session, set(keys))


def posted(session: Session, entry_key: str) -> engine.JournalEntry | None:
    """The entry of a key, also when it waits for the end of this transaction."""
    for posting in _waiting(session):
        if posting.entry.entry_id == entry_key:
            return posting.entry
    row = queries.entry_by_key(session, entry_key)
    return None if row is None else entry_value(row)


def posted_with_evidence(session: Session, kind: str, ref: str) -> list[engine.JournalEntry]:
    """Entries that rest on a thing, oldest first, with those that wait for the end of this transaction."""
    found = [entry_value(row) for row in queries.entries_with_evidence(session, kind, ref)]
    known = {entry.entry_id for entry in found}
    wanted = engine.EvidenceRef(kind, ref)
    for posting in _waiting(session):
        if wanted in posting.entry.evidence and posting.entry.entry_id not in known:
            known.add(posting.entry.entry_id)
            found.append(posting.entry)
    return found


def _waiting(session: Session) -> list[Posting]:
    return ending.waiting(session, _write)


def _write(session: Session, postings: Sequence[Posting]) -> None:
    """Tenant by tenant, for a job may see to several: in the order of their ids, as everybody locks them."""
    opened_for = session.info["tenant_id"]
    try:
        for tenant_id, own in groupby(sorted(postings, key=_tenant), key=_tenant):
            session.info["tenant_id"] = tenant_id
            write(session, list(own))
    finally:
        session.info["tenant_id"] = opened_for


def _tenant(posting: Posting) -> int:
    return posting.entry.entries[0].account.tenant_id
