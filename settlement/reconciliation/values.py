"""What is compared, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from settlement.errors import ReconciliationError
from settlement.money import Money


@dataclass(frozen=True, slots=True)
class Expected:
    """A movement that the books expect on an account.

    Attributes:
        expected_id: the caller's; unique in a run.
        amount: credit to the account positive: a receipt positive, a payout negative.
        due_on: the day on which it should be booked.
        reference: what was given with it; empty where nothing was.
        batch_reference: of the order that it was part of.
    """

    expected_id: str
    amount: Money
    due_on: date
    reference: str = ""
    batch_reference: str = ""
    counterparty: str = ""
    counterparty_account: str = ""

    def __post_init__(self) -> None:
        if not self.expected_id:
            raise ReconciliationError("what is expected has an id")
        if self.amount.amount_minor == 0:
            raise ReconciliationError(f"{self.expected_id}: nothing is expected")


class Rule(StrEnum):
    """By what a match was found."""

    REFERENCE = "reference"
    """One of each, by their reference."""
    PARTS = "parts"
    """One expected, paid in several lines of its reference."""
    COLLECTED = "collected"
    """Several expected, one line that names them or their batch."""
    ACCOUNT = "account"
    """No reference on the line: the only one of its amount, account and time."""


class DifferenceKind(StrEnum):
    """What is not as it was expected."""

    FEE = "fee"
    """A charge of the bank or channel: of its own, or taken from the amount."""
    MISSING = "missing"
    """Expected, and the time for it is over."""
    DOUBLE = "double"
    """The same movement once more."""
    SHORT = "short"
    """Less than expected."""
    OVER = "over"
    """More than expected."""
    LATE = "late"
    """It came after the time for it."""
    UNKNOWN = "unknown"
    """Nobody expects it."""
    RETURNED = "returned"
    """It came, and was taken back."""
    WRONG_CURRENCY = "wrong_currency"
    """Right reference, other currency."""
    WRONG_ACCOUNT = "wrong_account"
    """Right reference and amount, other account at the other end."""
    WRONG_REFERENCE = "wrong_reference"
    """Amount, account and time are right, the reference is nobody's: suggested, not matched."""


@dataclass(frozen=True, slots=True)
class Match:
    """Lines and expectations that belong together; each is in one match at most.

    Attributes:
        lines: places in the list of lines.
        expected: ids.
        difference_minor: lines less expectations.
    """

    lines: tuple[int, ...]
    expected: tuple[str, ...]
    rule: Rule
    difference_minor: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may belong together, for a person to accept; `score` is how sure it is, in percent."""

    lines: tuple[int, ...]
    expected: tuple[str, ...]
    score: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was expected.

    Attributes:
        amount: what the account has more (positive) or less than expected; zero where only something else
            differs.
        since: the day from which its age counts.
    """

    kind: DifferenceKind
    amount: Money
    since: date
    lines: tuple[int, ...] = ()
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """How far apart what belongs together may be.

    Attributes:
        days_before: how long before its day a movement may be booked, where no reference tells it.
        days_after: how long after its day it is not late.
        fee_max_minor: up to so much less on the account is a charge; more is short or over.
        fee_codes: beginnings of the bank's codes for charges.
        fee_words: what the text of a charge contains.
    """

    days_before: int = 1
    days_after: int = 3
    fee_max_minor: int = 0
    fee_codes: tuple[str, ...] = (
        "NCHG",
        "FCHG",
        "NCOM",
        "PMNT/MDOP/CHRG",
        "ACMT/MDOP/CHRG",
        "PMNT/CCRD/CHRG",
    )
    fee_words: tuple[str, ...] = ("手续费", "服务费", "bank charge", "service fee")


@dataclass(slots=True)
class Outcome:
    """All of it. Open are expectations whose time is not over yet."""

    matches: list[Match] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    open_expected: list[str] = field(default_factory=list)
