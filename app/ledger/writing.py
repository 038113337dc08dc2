"""The journal is written: under the lock of its head, all of a transaction's entries at once.

Only `app.ledger.service` comes here, at the end of a transaction. Locks are taken in one order by everybody:
the heads of tenants by their ids, which makes a tenant's hash chain one line and the order of sequence
numbers the order of commits; then accounts in id order; then none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.db.ending import LAST
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


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry that is to be written, and when it is recorded."""

    entry: engine.JournalEntry
    now: datetime


@dataclass(slots=True)
class _Held:
    """A locked account and its balance while entries are applied."""

    account_id: int
    balance_minor: int


def write(session: Session, postings: Sequence[Posting]) -> None:
    """Write entries of the session's tenant in their order, each key once.

    Raises:
        EntryConflictError: a key is used for another content.
        BalanceLimitError: an account would break its limit.
    """
    tenant_id = tenant_of(session)
    head = lock_head(session, tenant_id)
    stored = _stored(session, [posting.entry.entry_id for posting in postings])
    fresh: dict[str, Posting] = {}
    for posting in postings:
        key = posting.entry.entry_id
        before = stored.get(key) or (fresh[key].entry if key in fresh else None)
        if before is None:
            fresh[key] = posting
        elif before != posting.entry:
            raise EntryConflictError(f"entry {key} is already there with another content")
    if fresh:
        entries = [posting.entry for posting in fresh.values()]
        held = _lock_accounts(session, entries, now=max(posting.now for posting in fresh.values()))
        _apply(session, entries, held)
        _write(session, tenant_id, head, list(fresh.values()), held)


def locked_balances(session: Session, keys: Collection[engine.AccountKey]) -> dict[engine.AccountKey, int]:
    """Signed balances of accounts, locked after the head; zero for one that does not exist yet."""
    lock_head(session, tenant_of(session))
    held = _select_for_update(session, keys)
    return {key: held[key].balance_minor if key in held else 0 for key in keys}


def lock_head(session: Session, tenant_id: int) -> tuple[int, bytes]:
    """The last sequence number and hash of the tenant's journal, locked."""
    select = (
        sa.select(JournalHead.sequence, JournalHead.entry_hash)
        .where(JournalHead.tenant_id == tenant_id)
        .with_for_update(key_share=True)
        .execution_options(**LAST)
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


def _stored(session: Session, keys: Sequence[str]) -> dict[str, engine.JournalEntry]:
    rows = session.scalars(
        sa.select(JournalEntry).where(JournalEntry.entry_key.in_(keys)).options(*with_lines())
    )
    return {row.entry_key: entry_value(row) for row in rows}


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
        .execution_options(**LAST)
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
    postings: Sequence[Posting],
    held: dict[engine.AccountKey, _Held],
) -> None:
    sequence, chain_hash = head
    entries = [posting.entry for posting in postings]
    rows = []
    for posting in postings:
        entry = posting.entry
        previous, chain_hash = chain_hash, engine.entry_hash(chain_hash, entry)
        sequence += 1
        rows.append(
            {
                "tenant_id": tenant_id,
                "sequence": sequence,
                "entry_key": entry.entry_id,
                "kind": entry.kind,
                "effective_at": entry.effective_at,
                "recorded_at": posting.now,
                "previous_hash": previous,
                "entry_hash": chain_hash,
            }
        )
    ids = session.scalars(
        sa.insert(JournalEntry).returning(JournalEntry.id, sort_by_parameter_order=True), rows
    ).all()
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
        .execution_options(**LAST)
    )
