from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from settlement.errors import BalanceLimitError, EntryConflictError, UnbalancedEntryError
from settlement.ledger import (
    GENESIS_HASH,
    AccountKey,
    Entry,
    EvidenceRef,
    JournalEntry,
    Ledger,
    Purpose,
    balances_of,
    entry_hash,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RECEIVABLE = AccountKey(1, 9, Purpose.CUSTOMER_RECEIVABLE, "CNY")
HELD = AccountKey(1, 2, Purpose.HELD, "CNY")
REVENUE = AccountKey(1, 1, Purpose.PLATFORM_REVENUE, "CNY")
PINNED = "868ac51e0498d53e91632870811f308900297435920b1ed3e9362d0391b71c6f"


def entry(*lines, entry_id="e1", at=NOW):
    return JournalEntry(
        entry_id, "test", at, tuple(Entry(*line) for line in lines), (EvidenceRef("scan", "s1"),)
    )


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(RECEIVABLE, 5)],
        [(RECEIVABLE, 5), (HELD, -4)],
        [(RECEIVABLE, 5), (replace(HELD, currency="USD"), -5)],
        [(RECEIVABLE, 5), (RECEIVABLE, -5)],
        [(RECEIVABLE, 5), (replace(HELD, tenant_id=2), -5)],
        [(RECEIVABLE, 5), (HELD, -5), (replace(HELD, party_id=3), 0)],
        [(RECEIVABLE, 5.0), (HELD, -5)],
        [(RECEIVABLE, True), (HELD, -1)],
    ],
)
def test_an_unbalanced_entry_cannot_be_built(lines):
    with pytest.raises(UnbalancedEntryError):
        entry(*lines)


def test_custody_money_cannot_become_the_platform_s_own():
    with pytest.raises(UnbalancedEntryError, match="custody book"):
        entry((HELD, 5), (REVENUE, -5))


def test_times_are_kept_in_utc_and_need_an_offset():
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    assert entry((RECEIVABLE, 5), (HELD, -5), at=beijing) == entry((RECEIVABLE, 5), (HELD, -5))
    with pytest.raises(UnbalancedEntryError, match="offset"):
        entry((RECEIVABLE, 5), (HELD, -5), at=NOW.replace(tzinfo=None))


def test_an_entry_is_applied_once():
    ledger = Ledger(platform_party_id=1)
    assert ledger.apply(entry((RECEIVABLE, 5), (HELD, -5)))
    assert not ledger.apply(entry((RECEIVABLE, 5), (HELD, -5)))
    assert ledger.balance(RECEIVABLE) == 5
    with pytest.raises(EntryConflictError):
        ledger.apply(entry((RECEIVABLE, 6), (HELD, -6)))
    assert ledger.balances == balances_of(ledger.entries) == {RECEIVABLE: 5, HELD: -5}


def test_a_limit_refuses_and_changes_nothing():
    ledger = Ledger(platform_party_id=1)
    ledger.apply(entry((RECEIVABLE, 5), (HELD, -5)))
    head = ledger.head
    with pytest.raises(BalanceLimitError, match="customer_receivable of party 9 would be -1 CNY"):
        ledger.apply(entry((RECEIVABLE, -6), (HELD, 6), entry_id="e2"))
    assert (ledger.head, len(ledger.entries), ledger.balance(HELD)) == (head, 1, -5)


def test_only_the_platform_may_owe_to_custody():
    for party, allowed in ((1, True), (2, False)):
        ledger = Ledger(platform_party_id=1)
        taking = entry(
            (AccountKey(1, party, Purpose.AVAILABLE, "CNY"), 5),
            (AccountKey(1, 3, Purpose.AVAILABLE, "CNY"), -5),
        )
        if allowed:
            assert ledger.apply(taking)
        else:
            with pytest.raises(BalanceLimitError):
                ledger.apply(taking)


def test_the_chain_hash_is_pinned_and_covers_every_field():
    first = entry((RECEIVABLE, 5), (HELD, -5))
    # Pinned: another byte form would break the verification of every stored journal.
    assert entry_hash(GENESIS_HASH, first).hex() == PINNED
    others = [
        replace(first, entry_id="e2"),
        replace(first, kind="other"),
        replace(first, effective_at=NOW + timedelta(microseconds=1)),
        entry((RECEIVABLE, 6), (HELD, -6)),
        entry((HELD, -5), (RECEIVABLE, 5)),
        entry((RECEIVABLE, 5), (replace(HELD, party_id=3), -5)),
        replace(first, evidence=()),
    ]
    hashes = {entry_hash(GENESIS_HASH, other) for other in [first, *others]}
    hashes.add(entry_hash(bytes(31) + b"\x01", first))
    assert len(hashes) == len(others) + 2
    with pytest.raises(ValueError, match="32 bytes"):
        entry_hash(b"", first)
