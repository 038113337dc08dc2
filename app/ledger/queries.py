"""Questions about accounts, balances and the journal; those about the whole ledger are in `integrity`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.actor import Actor
from app.errors import NotFoundError
from app.ledger.integrity import broken_chain as broken_chain
from app.ledger.integrity import health as health
from app.ledger.models import Account, JournalEntry, JournalEvidence, JournalLine
from app.ledger.values import with_lines
from app.pagination import Page, decode_cursor, page_of
from settlement.ledger import AccountKey, Purpose


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are asked for; None does not restrict.

    `day` is the local day of `offset_minutes` on which the fact happened.
    """

    kind: str | None = None
    party_id: int | None = None
    evidence_kind: str | None = None
    evidence_ref: str | None = None
    day: date | None = None
    offset_minutes: int = 480


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of an account with the balance after it."""

    line: JournalLine
    balance_minor: int


def balance(session: Session, key: AccountKey) -> int:
    """Signed balance of an account, debit positive; zero for one that was never touched."""
    found = session.scalar(
        sa.select(Account.balance_minor).where(
            Account.tenant_id == key.tenant_id,
            Account.party_id.is_not_distinct_from(key.party_id),
            Account.purpose == key.purpose,
            Account.currency == key.currency,
        )
    )
    return found or 0


def party_balances(
    session: Session, *, party_id: int | None = None, currency: str | None = None
) -> dict[AccountKey, int]:
    """Signed balances of parties' accounts that do not stand at zero, as `settlement.payout` takes them."""
    query = sa.select(
        Account.tenant_id, Account.party_id, Account.purpose, Account.currency, Account.balance_minor
    ).where(Account.party_id.is_not(None), Account.balance_minor != 0)
    if party_id is not None:
        query = query.where(Account.party_id == party_id)
    if currency is not None:
        query = query.where(Account.currency == currency)
    return {
        AccountKey(row.tenant_id, row.party_id, row.purpose, row.currency): row.balance_minor
        for row in session.execute(query)
    }


def totals_by_purpose(session: Session) -> dict[tuple[Purpose, str], int]:
    """Sum of all balances of a purpose and currency: what is held, available, owed in all."""
    rows = session.execute(
        sa.select(
            Account.purpose, Account.currency, sa.cast(sa.func.sum(Account.balance_minor), sa.BigInteger)
        )
        .group_by(Account.purpose, Account.currency)
        .order_by(Account.purpose, Account.currency)
    )
    return {(purpose, currency): total for purpose, currency, total in rows}


def entry_by_key(session: Session, entry_key: str) -> JournalEntry | None:
    """The entry that was posted under a key."""
    return session.scalar(
        sa.select(JournalEntry).where(JournalEntry.entry_key == entry_key).options(*with_lines())
    )


def entries_with_evidence(session: Session, kind: str, ref: str, *, limit: int = 200) -> list[JournalEntry]:
    """Entries that rest on a thing, oldest first."""
    resting = sa.select(JournalEvidence.entry_id).where(
        JournalEvidence.kind == kind, JournalEvidence.ref == ref
    )
    return list(
        session.scalars(
            sa.select(JournalEntry)
            .where(JournalEntry.id.in_(resting))
            .order_by(JournalEntry.sequence)
            .limit(limit)
            .options(*with_lines())
        )
    )


def load_entry(session: Session, actor: Actor, entry_id: int) -> JournalEntry:
    """An entry with its lines and evidence.

    Raises:
        NotFoundError: there is none in the asker's tenant.
    """
    entry = session.scalar(
        sa.select(JournalEntry)
        .where(JournalEntry.id == entry_id, JournalEntry.tenant_id == actor.tenant_id)
        .options(*with_lines())
    )
    if entry is None:
        raise NotFoundError("no such journal entry")
    return entry


def load_account(session: Session, actor: Actor, account_id: int) -> Account:
    """An account.

    Raises:
        NotFoundError: there is none in the asker's tenant.
    """
    account = session.scalar(
        sa.select(Account).where(Account.id == account_id, Account.tenant_id == actor.tenant_id)
    )
    if account is None:
        raise NotFoundError("no such account")
    return account


def list_entries(
    session: Session, chosen: EntryFilter, *, cursor: str | None, limit: int
) -> Page[JournalEntry]:
    """A page of the journal, newest first."""
    query = sa.select(JournalEntry).options(*with_lines())
    if chosen.kind is not None:
        query = query.where(JournalEntry.kind == chosen.kind)
    if chosen.day is not None:
        zone = timezone(timedelta(minutes=chosen.offset_minutes))
        midnight = datetime.combine(chosen.day, time(), zone)
        query = query.where(
            JournalEntry.effective_at >= midnight, JournalEntry.effective_at < midnight + timedelta(days=1)
        )
    if chosen.party_id is not None:
        touched = (
            sa.select(JournalLine.entry_id)
            .join(Account, Account.id == JournalLine.account_id)
            .where(Account.party_id == chosen.party_id)
        )
        query = query.where(JournalEntry.id.in_(touched))
    if chosen.evidence_kind is not None or chosen.evidence_ref is not None:
        resting = sa.select(JournalEvidence.entry_id)
        if chosen.evidence_kind is not None:
            resting = resting.where(JournalEvidence.kind == chosen.evidence_kind)
        if chosen.evidence_ref is not None:
            resting = resting.where(JournalEvidence.ref == chosen.evidence_ref)
        query = query.where(JournalEntry.id.in_(resting))
    if cursor is not None:
        (before,) = decode_cursor(cursor, tuple[int])
        query = query.where(JournalEntry.sequence < before)
    rows = session.scalars(query.order_by(JournalEntry.sequence.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.sequence,))


def list_accounts(
    session: Session, *, party_id: int | None, purpose: Purpose | None, cursor: str | None, limit: int
) -> Page[Account]:
    """A page of the accounts in id order."""
    query = sa.select(Account).order_by(Account.id).limit(limit + 1)
    if party_id is not None:
        query = query.where(Account.party_id == party_id)
    if purpose is not None:
        query = query.where(Account.purpose == purpose)
    if cursor is not None:
        (after,) = decode_cursor(cursor, tuple[int])
        query = query.where(Account.id > after)
    return page_of(session.scalars(query).all(), limit, lambda row: (row.id,))


def statement(session: Session, account: Account, *, cursor: str | None, limit: int) -> Page[StatementLine]:
    """A page of an account's lines with the balance after each, newest first."""
    lines_of = sa.select(JournalLine).where(JournalLine.account_id == account.id)
    balance_minor = account.balance_minor
    if cursor is not None:
        (before,) = decode_cursor(cursor, tuple[int])
        lines_of = lines_of.where(JournalLine.id < before)
        later = session.scalar(
            sa.select(
                sa.cast(sa.func.coalesce(sa.func.sum(JournalLine.amount_minor), 0), sa.BigInteger)
            ).where(JournalLine.account_id == account.id, JournalLine.id >= before)
        )
        assert later is not None, "an aggregate without grouping has one row"
        balance_minor -= later
    rows: Sequence[JournalLine] = session.scalars(
        lines_of.order_by(JournalLine.id.desc())
        .limit(limit + 1)
        .options(selectinload(JournalLine.entry).selectinload(JournalEntry.evidence))
    ).all()
    page = page_of(rows, limit, lambda line: (line.id,))
    shown = []
    for line in page.rows:
        shown.append(StatementLine(line, balance_minor))
        balance_minor -= line.amount_minor
    return Page(shown, page.next_cursor)
