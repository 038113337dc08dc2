"""Double entry: accounts, journal entries that cannot be unbalanced, and a book that keeps balances.

Two books stand side by side. The **custody book** is money that the bank holds for others: what payers and
couriers still owe to it, what it holds, and to whom it belongs. The **own book** is the platform's own
money: revenue, expense, what parties owe the platform, and its claim on the custody book. Every entry
balances within each book, so an entry that would use custody money as the platform's own, or the other way
round, cannot be built at all.

Amounts are signed: debit positive, credit negative.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from settlement.errors import BalanceLimitError, EntryConflictError, UnbalancedEntryError
from settlement.money import AMOUNT_LIMIT_MINOR, currency_exponent


class Book(StrEnum):
    """Whose money an account is about."""

    CUSTODY = "custody"
    OWN = "own"


class Purpose(StrEnum):
    """What an account is for; the comment says what its balance means."""

    CUSTOMER_RECEIVABLE = "customer_receivable"
    """Debit: the payer still owes this."""
    CHANNEL_CLEARING = "channel_clearing"
    """Debit: a payment channel has confirmed it and not yet handed it to the bank."""
    CUSTODY = "custody"
    """Debit: in the custody account of the bank."""
    COD_OWED = "cod_owed"
    """Debit: collected at the door by this party and not yet deposited."""
    HELD = "held"
    """Credit: this party's, once receipt is confirmed."""
    AVAILABLE = "available"
    """Credit: this party's, payable. Only the platform's may turn debit: what it must bring in."""
    IN_PAYOUT = "in_payout"
    """Credit: this party's, on its way in a payout batch."""
    COD_PAYABLE = "cod_payable"
    """Credit: the shipper's, collected for it at the door."""
    TAX = "tax"
    """Credit: withheld from parties for the tax office."""
    PLATFORM_CLAIM = "platform_claim"
    """Debit: the platform's claim on the custody book; mirrors its available and in-payout balance there."""
    OWN_BANK = "own_bank"
    """Debit: received in the platform's own bank account, out of payouts to itself."""
    PLATFORM_REVENUE = "platform_revenue"
    """Credit: earned by the platform."""
    COMPENSATION_EXPENSE = "compensation_expense"
    """Debit: compensation the platform bore itself."""
    PARTY_DEBT = "party_debt"
    """Debit: owed to the platform by this party, because its available balance did not suffice."""

    @property
    def book(self) -> Book:
        """The book the purpose belongs to."""
        return Book.OWN if self in _OWN_PURPOSES else Book.CUSTODY


_OWN_PURPOSES = frozenset(
    {
        Purpose.PLATFORM_CLAIM,
        Purpose.OWN_BANK,
        Purpose.PLATFORM_REVENUE,
        Purpose.COMPENSATION_EXPENSE,
        Purpose.PARTY_DEBT,
    }
)

NEVER_CREDIT = frozenset({Purpose.CUSTOMER_RECEIVABLE, Purpose.CUSTODY, Purpose.COD_OWED, Purpose.PARTY_DEBT})
"""Nobody overpays what is owed, and custody pays out no more than it has."""

NEVER_DEBIT = frozenset(
    {Purpose.HELD, Purpose.AVAILABLE, Purpose.IN_PAYOUT, Purpose.COD_PAYABLE, Purpose.TAX}
)
"""No party takes more than is its own; the platform alone may owe to the custody book."""


@dataclass(frozen=True, slots=True)
class AccountKey:
    """One account: whose, for what, in which currency, of which tenant."""

    tenant_id: int
    party_id: int | None
    purpose: Purpose
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal entry: debit positive, credit negative, never zero."""

    account: AccountKey
    amount_minor: int

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or self.amount_minor == 0:
            raise UnbalancedEntryError(f"a line is an integer and not zero, not {self.amount_minor!r}")
        if not -AMOUNT_LIMIT_MINOR <= self.amount_minor <= AMOUNT_LIMIT_MINOR:
            raise UnbalancedEntryError(f"{self.amount_minor} minor units are more than can be kept")


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """What an entry rests on: a scan, an order, a claim, a bank line, another entry."""

    kind: str
    ref: str

    def __post_init__(self) -> None:
        if not (isinstance(self.kind, str) and self.kind and isinstance(self.ref, str) and self.ref):
            raise UnbalancedEntryError("evidence names its kind and its reference")


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A business fact in double entry.

    Args:
        entry_id: brought by the caller, the idempotency key.
        kind: name of the posting.
        effective_at: when the fact happened, with an offset; kept in UTC.
        entries: at least two lines of one tenant, at most one an account, summing to zero in each book and
            currency.
        evidence: what it rests on.

    Raises:
        UnbalancedEntryError: one of these does not hold.
    """

    entry_id: str
    kind: str
    effective_at: datetime
    entries: tuple[Entry, ...]
    evidence: tuple[EvidenceRef, ...] = ()

    def __post_init__(self) -> None:
        if not self.entry_id or not self.kind:
            raise UnbalancedEntryError("an entry has an id and a kind")
        if not isinstance(self.effective_at, datetime) or self.effective_at.tzinfo is None:
            raise UnbalancedEntryError(f"entry {self.entry_id}: effective_at has no offset")
        if self.effective_at.tzinfo is not UTC:
            object.__setattr__(self, "effective_at", self.effective_at.astimezone(UTC))
        if len(self.entries) < 2:
            raise UnbalancedEntryError(f"entry {self.entry_id}: at least two lines were expected")
        sums: dict[tuple[bool, str], int] = {}
        accounts = set()
        tenant_id = self.entries[0].account.tenant_id
        for line in self.entries:
            account = line.account
            accounts.add(account)
            if account.tenant_id != tenant_id:
                raise UnbalancedEntryError(f"entry {self.entry_id}: lines of two tenants")
            book = (account.purpose in _OWN_PURPOSES, account.currency)
            sums[book] = sums.get(book, 0) + line.amount_minor
        if len(accounts) != len(self.entries):
            raise UnbalancedEntryError(f"entry {self.entry_id}: an account occurs twice")
        for (own, currency), amount_minor in sums.items():
            currency_exponent(currency)
            if amount_minor:
                book_name = Book.OWN if own else Book.CUSTODY
                raise UnbalancedEntryError(
                    f"entry {self.entry_id}: the {book_name} book is out by {amount_minor} {currency}"
                )


GENESIS_HASH = bytes(32)
"""What the first entry of a journal is chained to."""


def canonical_bytes(entry: JournalEntry) -> bytes:
    """The one byte form of an entry: compact JSON in UTF-8, fields and lines in fixed order."""
    document = [
        entry.entry_id,
        entry.kind,
        entry.effective_at.isoformat(timespec="microseconds"),
        [
            [a.tenant_id, a.party_id, a.purpose.value, a.currency, line.amount_minor]
            for line in entry.entries
            for a in (line.account,)
        ],
        [[evidence.kind, evidence.ref] for evidence in entry.evidence],
    ]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def entry_hash(previous: bytes, entry: JournalEntry) -> bytes:
    """SHA-256 over the previous entry's hash and this entry's canonical bytes.

    Raises:
        ValueError: the previous hash is not 32 bytes long.
    """
    if len(previous) != len(GENESIS_HASH):
        raise ValueError(f"a SHA-256 hash of 32 bytes was expected, not {len(previous)}")
    return hashlib.sha256(previous + canonical_bytes(entry)).digest()


def limit_broken(account: AccountKey, balance_minor: int, platform_party_id: int) -> bool:
    """Whether an account may not have this balance (`NEVER_CREDIT`, `NEVER_DEBIT`)."""
    if balance_minor < 0:
        return account.purpose in NEVER_CREDIT
    if balance_minor > 0 and account.purpose in NEVER_DEBIT:
        # The platform guarantees: its own shares may turn negative, and the figure is what it must bring in.
        guaranteed = account.purpose in (Purpose.HELD, Purpose.AVAILABLE)
        return not (guaranteed and account.party_id == platform_party_id)
    return False


class Ledger:
    """A journal in memory with its balances and hash chain; the oracle of the stored one.

    Args:
        platform_party_id: the party that may owe to the custody book.
    """

    def __init__(self, platform_party_id: int) -> None:
        self._platform_party_id = platform_party_id
        self._entries: dict[str, JournalEntry] = {}
        self._balances: dict[AccountKey, int] = {}
        self._head = GENESIS_HASH

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """All entries in the order they were applied."""
        return tuple(self._entries.values())

    @property
    def balances(self) -> Mapping[AccountKey, int]:
        """Signed balances in minor units of every account ever touched."""
        return dict(self._balances)

    @property
    def head(self) -> bytes:
        """Hash of the last entry."""
        return self._head

    def balance(self, account: AccountKey) -> int:
        """Signed balance in minor units; zero for an account never touched."""
        return self._balances.get(account, 0)

    def apply(self, entry: JournalEntry) -> bool:
        """Add an entry, once.

        Returns:
            True when it was added, False when the same entry was there already.

        Raises:
            EntryConflictError: the id is used for another content; nothing changes.
            BalanceLimitError: an account would break its limit; nothing changes.
        """
        known = self._entries.get(entry.entry_id)
        if known is not None:
            if known != entry:
                raise EntryConflictError(f"entry {entry.entry_id} is already there with another content")
            return False
        after = {line.account: self.balance(line.account) + line.amount_minor for line in entry.entries}
        for account, balance_minor in after.items():
            if limit_broken(account, balance_minor, self._platform_party_id):
                raise BalanceLimitError(
                    f"entry {entry.entry_id}: {account.purpose.value} of party {account.party_id} would be "
                    f"{balance_minor} {account.currency}"
                )
        self._head = entry_hash(self._head, entry)
        self._entries[entry.entry_id] = entry
        self._balances.update(after)
        return True


def balances_of(entries: Iterable[JournalEntry]) -> dict[AccountKey, int]:
    """Balances recomputed from the entries alone, without accounts that stand at zero."""
    balances: dict[AccountKey, int] = {}
    for entry in entries:
        for line in entry.entries:
            balances[line.account] = balances.get(line.account, 0) + line.amount_minor
    return {account: balance for account, balance in balances.items() if balance}
