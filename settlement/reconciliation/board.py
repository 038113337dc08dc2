"""What lies open in a comparison: lines and expectations that nothing has settled yet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from settlement.money import Money
from settlement.reconciliation.values import (
    Difference,
    DifferenceKind,
    Expected,
    Match,
    Options,
    Outcome,
    Rule,
)
from settlement.statements import BankLine

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_SIGNS = re.compile(r"[^0-9A-Z\u4e00-\u9fff]")


def normal(text: str) -> str:
    """A reference, account or name as it is compared: capitals, digits and Chinese characters alone."""
    return _SIGNS.sub("", text.upper()) if text else ""


def grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Values by their key, in the order given; what has an empty key is left out."""
    found: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        if key:
            found[key].append(value)
    return found


class Board:
    """Open lines by their place, open expectations by their id, and the outcome so far.

    Args:
        lines: those that are not booked are left out.
        expected: with ids of their own.
    """

    def __init__(self, lines: Sequence[BankLine], expected: Sequence[Expected], options: Options) -> None:
        self.options = options
        self.lines = {place: line for place, line in enumerate(lines) if line.is_booked}
        self.expected = {one.expected_id: one for one in expected}
        self.all_expected = dict(self.expected)
        self.outcome = Outcome()

    def total(self, ids: Iterable[str]) -> Money | None:
        """The sum of some expectations; None where they are of several currencies, or none."""
        amounts = [self.expected[one].amount for one in ids]
        if len({amount.currency for amount in amounts}) != 1:
            return None
        return Money(sum(amount.amount_minor for amount in amounts), amounts[0].currency)

    def near(self, place: int, expected_id: str) -> bool:
        """Whether an open line was booked in the time for an open expectation."""
        days = (self.lines[place].booked_on - self.expected[expected_id].due_on).days
        return -self.options.days_before <= days <= self.options.days_after

    def is_fee(self, line: BankLine) -> bool:
        """Whether a line reads as a charge of the bank or channel."""
        if line.amount.amount_minor >= 0:
            return False
        text = line.text.lower()
        return line.code.startswith(self.options.fee_codes) or any(
            word in text for word in self.options.fee_words
        )

    def match(self, places: Sequence[int], ids: Sequence[str], rule: Rule) -> None:
        """Settle lines with expectations of one currency, and name what is different about them."""
        lines = [self.lines.pop(place) for place in places]
        wanted = [self.expected.pop(one) for one in ids]
        currency = wanted[0].amount.currency
        given_minor = sum(line.amount.amount_minor for line in lines)
        wanted_minor = sum(one.amount.amount_minor for one in wanted)
        difference_minor = given_minor - wanted_minor
        self.outcome.matches.append(Match(tuple(places), tuple(ids), rule, difference_minor))
        last, due = max(line.booked_on for line in lines), max(one.due_on for one in wanted)
        if difference_minor:
            if -self.options.fee_max_minor <= difference_minor < 0:
                kind = DifferenceKind.FEE
            elif abs(given_minor) < abs(wanted_minor):
                kind = DifferenceKind.SHORT
            else:
                kind = DifferenceKind.OVER
            self.differ(kind, Money(difference_minor, currency), last, places, ids)
        if last > due + timedelta(days=self.options.days_after):
            self.differ(DifferenceKind.LATE, Money(0, currency), due, places, ids)
        if len(lines) == len(wanted) == 1 and _other_account(lines[0], wanted[0]):
            self.differ(DifferenceKind.WRONG_ACCOUNT, Money(0, currency), last, places, ids)

    def differ(
        self, kind: DifferenceKind, amount: Money, since: date, places: Iterable[int], ids: Iterable[str] = ()
    ) -> None:
        """Note a difference."""
        self.outcome.differences.append(Difference(kind, amount, since, tuple(places), tuple(ids)))


def _other_account(line: BankLine, expected: Expected) -> bool:
    """Whether both name the account at the other end, and not the same."""
    given, wanted = normal(line.counterparty_account), normal(expected.counterparty_account)
    return bool(given) and bool(wanted) and given != wanted
