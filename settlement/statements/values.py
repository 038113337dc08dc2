"""A statement of an account: its lines, its balances, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from settlement.money import Money


class BalanceKind(StrEnum):
    """Which balance of an account is meant."""

    OPENING = "opening"
    PREVIOUS = "previous"
    """At the end of the statement before, which is the opening one where that is not named."""
    CLOSING = "closing"
    INTERIM = "interim"
    AVAILABLE = "available"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Balance:
    """What was on an account at the begin or end of a day; credit positive."""

    kind: BalanceKind
    amount: Money
    on: date | None


LINE_TEXTS = (
    "reference",
    "bank_reference",
    "batch_reference",
    "counterparty",
    "counterparty_account",
    "text",
    "code",
)
"""What a line may say in words; empty where it does not."""


@dataclass(frozen=True, slots=True)
class BankLine:
    """One movement on an account.

    Attributes:
        place: where it stands: statement, entry, and payment within a collected entry ("1/17", "1/17.3").
        amount: credit to the account positive.
        value_on: when it counts for interest; None where the bank does not say.
        reference: what the payer or the payee gave with it (end-to-end id); empty where nothing was.
        bank_reference: the bank's own.
        batch_reference: of the order that it was part of.
        code: the bank's kind of movement, such as "PMNT/RCDT/BOOK" or "NTRF".
        is_reversal: it takes back an earlier movement.
        is_booked: final; otherwise announced or for information.
    """

    place: str
    amount: Money
    booked_on: date
    value_on: date | None = None
    reference: str = ""
    bank_reference: str = ""
    batch_reference: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    text: str = ""
    code: str = ""
    is_reversal: bool = False
    is_booked: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """What happened on one account over some days.

    Attributes:
        statement_id: the bank's name of it; with the account it tells a second import from a first.
        number: of the year's statements; empty where there is none.
        is_final: a statement of booked movements; False for a report during the day.
        notes: what the reader had to mend, one sentence each.
    """

    account: str
    statement_id: str
    number: str
    lines: tuple[BankLine, ...]
    balances: tuple[Balance, ...] = ()
    is_final: bool = True
    notes: tuple[str, ...] = ()

    def balance(self, kind: BalanceKind) -> Balance | None:
        """The first balance of a kind."""
        return next((balance for balance in self.balances if balance.kind is kind), None)

    def totals(self) -> dict[str, int]:
        """The sum of the booked lines by currency, in minor units."""
        sums: dict[str, int] = {}
        for line in self.lines:
            if line.is_booked:
                currency = line.amount.currency
                sums[currency] = sums.get(currency, 0) + line.amount.amount_minor
        return sums

    def gap(self) -> Money | None:
        """Closing less opening balance less the booked lines: zero where the statement agrees with itself.

        None where it does not name both balances in one currency.
        """
        opening = self.balance(BalanceKind.OPENING) or self.balance(BalanceKind.PREVIOUS)
        closing = self.balance(BalanceKind.CLOSING)
        if opening is None or closing is None or opening.amount.currency != closing.amount.currency:
            return None
        currency = opening.amount.currency
        moved = Money(self.totals().get(currency, 0), currency)
        return closing.amount - opening.amount - moved
