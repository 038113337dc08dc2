"""Posting: the only writer of money.

Locks are taken in one order by everybody: first the tenant's journal head, which makes the hash chain one
line and the order of sequence numbers the order of commits, then accounts in id order. A transaction that
posts does so near its end, since other posters of the tenant wait from its first posting to its commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.ledger.models import Account, JournalEntry, JournalHead
from app.ledger.values import entry_value, with_lines
from app.parties import queries as parties
from settlement import ledger as engine
from settlement.errors import BalanceLimitError, EntryConflictError

_ADD_LINES = sa.text(
    """
    INSERT INTO journal_line (tenant_id, entry_id, account_id, amount_minor)
    SELECT :tenant_id, entry_id, account_id, amount_minor
    FROM unnest(CAST(:entry_ids AS bigint[]), CAST(:account_ids AS bigint[]), CAST(:amounts AS bigint[]))
        WITH ORDINALITY AS line (entry_id, account_id, amount_minor, place)
    ORDER BY place
    """
)
_ADD_EVIDENCE = sa.text(
    """
    INSERT INTO journal_evidence (tenant_id, entry_id, kind, ref)
    SELECT :tenant_id, entry_id, kind, ref
    FROM unnest(CAST(:entry_ids AS bigint[]), CAST(:kinds AS text[]), CAST(:refs AS text[]))
        WITH ORDINALITY AS evidence (entry_id, kind, ref, place)
    ORDER BY place
    """
)
_SET_BALANCES = sa.text(
    """
    UPDATE ledger_account SET balance_minor = after.balance_minor
    FROM unnest(CAST(:account_ids AS bigint[]), CAST(:balances AS bigint[])) AS after (id, balance_minor)
    WHERE ledger_account.id = after.id
    """
)


_NOBODY = 0  # no party has this id


@dataclass(slots=True)
class _Held:
    """A locked account and its balance while entries are applied."""

    account_id: int
    balance_minor: int


def post(session: Session, entry: engine.JournalEntry, *, now: datetime) -> JournalEntry:
    """Write an entry in the caller's transaction, once.

    Args:
        session: a session of the entry's tenant.
        entry: what happened; its `entry_id` is the idempotency key.
        now: when it is recorded.

    Returns:
        The stored entry; the one that is already there when the same entry was posted before.

    Raises:
        EntryConflictError: the key is used for another content.
        BalanceLimitError: an account would break its limit.
    """
    return post_many(session, [entry], now=now)[0]


def post_many(
    session: Session, entries: Sequence[engine.JournalEntry], *, now: datetime
) -> list[JournalEntry]:
    """Write entries in their order, all or none; otherwise as `post`."""
    if not entries:
        return []
    tenant_id = tenant_of(session)
    for entry in entries:
        if entry.entries[0].account.tenant_id != tenant_id:
            raise AssertionError(f"entry {entry.entry_id} is of another tenant than the session")
    head = _lock_head(session, tenant_id)
    stored = _stored(session, [entry.entry_id for entry in entries])
    fresh: dict[str, engine.JournalEntry] = {}
    for entry in entries:
        before = stored.get(entry.entry_id)
        known = fresh.get(entry.entry_id) if before is None else entry_value(before)
        if known is None:
            fresh[entry.entry_id] = entry
        elif known != entry:
            raise EntryConflictError(f"entry {entry.entry_id} is already there with another content")
    if fresh:
        held = _lock_accounts(session, fresh.values(), now=now)
        _apply(session, fresh.values(), held)
        stored |= _write(session, tenant_id, head, list(fresh.values()), held, now=now)
    return [stored[entry.entry_id] for entry in entries]


def lock_accounts(session: Session, keys: Iterable[engine.AccountKey]) -> dict[engine.AccountKey, int]:
    """Lock accounts until the end of the transaction and give their balances.

    For a decision that rests on balances (what a payout may take, what a bearer can pay) and is posted in
    the same transaction. Takes the journal head first, as every posting does.

    Returns:
        Signed balances, debit positive; zero for an account that does not exist yet.
    """
    wanted = set(keys)
    _lock_head(session, tenant_of(session))
    held = _select_for_update(session, wanted)
    return {key: held[key].balance_minor if key in held else 0 for key in wanted}


def _lock_head(session: Session, tenant_id: int) -> tuple[int, bytes]:
    """The last sequence number and hash of the tenant's journal, locked."""
    select = (
        sa.select(JournalHead.sequence, JournalHead.entry_hash)
        .where(JournalHead.tenant_id == tenant_id)
        .with_for_update(key_share=True)
    )
    found = session.execute(select).one_or_none()
    if found is None:
        session.execute(
            postgresql.insert(JournalHead)
            .values(tenant_id=tenant_id, sequence=0, entry_hash=engine.GENESIS_HASH)
            .on_conflict_do_nothing()
        )
        found = session.execute(select).one()
    sequence, entry_hash = found
    return sequence, entry_hash


def _stored(session: Session, keys: Sequence[str]) -> dict[str, JournalEntry]:
    rows = session.scalars(
        sa.select(JournalEntry).where(JournalEntry.entry_key.in_(keys)).options(*with_lines())
    )
    return {row.entry_key: row for row in rows}


def _lock_accounts(
    session: Session, entries: Iterable[engine.JournalEntry], *, now: datetime
) -> dict[engine.AccountKey, _Held]:
    """Every account of the entries, locked in id order; those that are missing are opened."""
    wanted = {line.account for entry in entries for line in entry.entries}
    held = _select_for_update(session, wanted)
    missing = [key for key in wanted if key not in held]
    if missing:
        session.execute(
            postgresql.insert(Account).on_conflict_do_nothing(),
            [
                {
                    "tenant_id": key.tenant_id,
                    "party_id": key.party_id,
                    "purpose": key.purpose,
                    "currency": key.currency,
                    "balance_minor": 0,
                    "opened_at": now,
                }
                for key in missing
            ],
        )
        # A new account's id is above every id locked so far, so the order holds.
        held |= _select_for_update(session, set(missing))
    return held


def _select_for_update(
    session: Session, keys: Collection[engine.AccountKey]
) -> dict[engine.AccountKey, _Held]:
    owned = [(key.party_id, key.purpose, key.currency) for key in keys if key.party_id is not None]
    unowned = [(key.purpose, key.currency) for key in keys if key.party_id is None]
    named = sa.or_(
        sa.tuple_(Account.party_id, Account.purpose, Account.currency).in_(owned),
        sa.and_(Account.party_id.is_(None), sa.tuple_(Account.purpose, Account.currency).in_(unowned)),
    )
    tenant_id = tenant_of(session)
    rows = session.execute(
        sa.select(Account.id, Account.party_id, Account.purpose, Account.currency, Account.balance_minor)
        .where(Account.tenant_id == tenant_id, named)
        .order_by(Account.id)
        .with_for_update(key_share=True)
    )
    return {
        engine.AccountKey(tenant_id, row.party_id, row.purpose, row.currency): _Held(
            row.id, row.balance_minor
        )
        for row in rows
    }


def _apply(
    session: Session, entries: Iterable[engine.JournalEntry], held: dict[engine.AccountKey, _Held]
) -> None:
    """Add the lines to the balances, refusing what the engine's limits refuse."""
    for entry in entries:
        for line in entry.entries:
            account = held[line.account]
            account.balance_minor += line.amount_minor
        for line in entry.entries:
            balance_minor = held[line.account].balance_minor
            # Asked for nobody first: only a debit of a guaranteed purpose needs to know the platform.
            if engine.limit_broken(line.account, balance_minor, _NOBODY) and engine.limit_broken(
                line.account, balance_minor, parties.platform_id(session)
            ):
                raise BalanceLimitError(
                    f"entry {entry.entry_id}: {line.account.purpose.value} of party "
                    f"{line.account.party_id} would be {balance_minor} {line.account.currency}"
                )


def _write(
    session: Session,
    tenant_id: int,
    head: tuple[int, bytes],
    entries: Sequence[engine.JournalEntry],
    held: dict[engine.AccountKey, _Held],
    *,
    now: datetime,
) -> dict[str, JournalEntry]:
    sequence, chain_hash = head
    rows = []
    for entry in entries:
        previous, chain_hash = chain_hash, engine.entry_hash(chain_hash, entry)
        sequence += 1
        rows.append(
            {
                "tenant_id": tenant_id,
                "sequence": sequence,
                "entry_key": entry.entry_id,
                "kind": entry.kind,
                "effective_at": entry.effective_at,
                "recorded_at": now,
                "previous_hash": previous,
                "entry_hash": chain_hash,
            }
        )
    stored = session.scalars(
        sa.insert(JournalEntry).returning(JournalEntry, sort_by_parameter_order=True), rows
    ).all()
    ids = [row.id for row in stored]
    lines = [(entry_id, line) for entry_id, entry in zip(ids, entries, strict=True) for line in entry.entries]
    session.execute(
        _ADD_LINES,
        {
            "tenant_id": tenant_id,
            "entry_ids": [entry_id for entry_id, _line in lines],
            "account_ids": [held[line.account].account_id for _entry_id, line in lines],
            "amounts": [line.amount_minor for _entry_id, line in lines],
        },
    )
    evidence = [
        (entry_id, ref) for entry_id, entry in zip(ids, entries, strict=True) for ref in entry.evidence
    ]
    if evidence:
        session.execute(
            _ADD_EVIDENCE,
            {
                "tenant_id": tenant_id,
                "entry_ids": [entry_id for entry_id, _ref in evidence],
                "kinds": [ref.kind for _entry_id, ref in evidence],
                "refs": [ref.ref for _entry_id, ref in evidence],
            },
        )
    touched = list({line.account for entry in entries for line in entry.entries})
    session.execute(
        _SET_BALANCES,
        {
            "account_ids": [held[key].account_id for key in touched],
            "balances": [held[key].balance_minor for key in touched],
        },
    )
    session.execute(
        sa.update(JournalHead)
        .where(JournalHead.tenant_id == tenant_id)
        .values(sequence=sequence, entry_hash=chain_hash)
    )
    return {row.entry_key: row for row in stored}
