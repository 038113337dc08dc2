"""Lines of an entry while it is being put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from settlement.errors import CurrencyMismatchError, PostingError
from settlement.ledger import AccountKey, Entry, EvidenceRef, JournalEntry, Purpose
from settlement.money import Money
from settlement.posting.table import PostingKind


@dataclass(frozen=True, slots=True)
class Chart:
    """Whose accounts are posted to: the tenant, and the party that is the platform itself."""

    tenant_id: int
    platform_party_id: int


@dataclass(frozen=True, slots=True)
class Header:
    """What every posting carries beside its amounts: the caller's id, the moment, and the evidence."""

    entry_id: str
    effective_at: datetime
    evidence: tuple[EvidenceRef, ...] = ()


def positive(name: str, amount: Money) -> Money:
    """The amount, if there is something to post.

    Raises:
        PostingError: it is zero or negative.
    """
    if amount.amount_minor <= 0:
        raise PostingError(f"{name}: a positive amount was expected, not {amount.decimal_text()}")
    return amount


class Draft:
    """Sums by account in one currency; `entry` leaves out what came to zero."""

    __slots__ = ("_amounts", "_chart", "_currency")

    def __init__(self, chart: Chart, currency: str) -> None:
        self._chart = chart
        self._currency = currency
        self._amounts: dict[tuple[Purpose, int | None], int] = {}

    def debit(self, purpose: Purpose, party_id: int | None, amount: Money) -> None:
        """Add to the debit side."""
        if amount.currency != self._currency:
            raise CurrencyMismatchError(f"{amount.currency} in an entry of {self._currency}")
        key = (purpose, party_id)
        self._amounts[key] = self._amounts.get(key, 0) + amount.amount_minor

    def credit(self, purpose: Purpose, party_id: int | None, amount: Money) -> None:
        """Add to the credit side."""
        self.debit(purpose, party_id, -amount)

    def platform_gains(self, source: Purpose, amount: Money, party_id: int | None = None) -> None:
        """Mirror in the own book that the platform's balance in the custody book grows.

        Args:
            source: the own account that explains it, such as revenue or a recovered debt.
            amount: negative when the balance shrinks.
            party_id: whose account of that purpose.
        """
        self.debit(Purpose.PLATFORM_CLAIM, self._chart.platform_party_id, amount)
        self.credit(source, party_id, amount)

    def take_available(self, party_id: int, amount: Money, available: Money, platform_books: Purpose) -> None:
        """Take from what is available to a party; the platform advances what is missing as the party's debt.

        Custody never lends: the missing part comes out of the platform's own balance there.

        Args:
            party_id: who bears it.
            amount: positive.
            available: what the party has available now; a negative balance counts as nothing.
            platform_books: the own account that explains it when the bearer is the platform itself.
        """
        platform_id = self._chart.platform_party_id
        if party_id == platform_id:
            self.debit(Purpose.AVAILABLE, platform_id, amount)
            self.platform_gains(platform_books, -amount, platform_id)
            return
        own_minor = max(0, min(amount.amount_minor, available.amount_minor))
        own = Money(own_minor, self._currency)
        self.debit(Purpose.AVAILABLE, party_id, own)
        if own < amount:
            self.debit(Purpose.AVAILABLE, platform_id, amount - own)
            self.platform_gains(Purpose.PARTY_DEBT, own - amount, party_id)

    def entry(self, kind: PostingKind, header: Header) -> JournalEntry:
        """The finished entry.

        Raises:
            UnbalancedEntryError: nothing is left to post.
        """
        tenant_id, currency = self._chart.tenant_id, self._currency
        lines = tuple(
            Entry(AccountKey(tenant_id, party_id, purpose, currency), amount_minor)
            for (purpose, party_id), amount_minor in self._amounts.items()
            if amount_minor
        )
        return JournalEntry(header.entry_id, kind.value, header.effective_at, lines, header.evidence)


def currency_of(parts: Mapping[int, Money]) -> str:
    """The currency of the parts of an entry.

    Raises:
        PostingError: there are none.
    """
    for part in parts.values():
        return part.currency
    raise PostingError("an entry without parties")
