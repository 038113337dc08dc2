"""Which bank lines belong to what was expected.

Evidence is used from the strongest to the weakest, and what a stronger kind has settled no weaker one touches:
the reference given with a payment; references in the text; the batch that a collected line stands for; amount,
account and time, only where the line has no reference and each side has as many. What is weaker than that (a
reference that nobody knows, a name, the amount alone, sums) is suggested with a score and left to a person.
Everything that stays has a name.

All of it is by look-up: the time grows with the lines and expectations, not with their product.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from settlement.errors import ReconciliationError
from settlement.money import Money
from settlement.reconciliation.sums import that_sum_to
from settlement.reconciliation.values import (
    Difference,
    DifferenceKind,
    Expected,
    Match,
    Options,
    Outcome,
    Rule,
    Suggestion,
)
from settlement.statements.values import BankLine

_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z\-_/.]*[0-9A-Za-z]")
_NO_SIGN = re.compile(r"[^0-9A-Z\u4e00-\u9fff]")
_NAME_SCORE, _REFERENCE_SCORE, _AMOUNT_SCORE, _SUM_SCORE = 0.8, 0.9, 0.5, 0.6
_SUMMED_MAX = 12


def reconcile(
    lines: Sequence[BankLine], expected: Sequence[Expected], options: Options, *, on: date
) -> Outcome:
    """Match the booked lines of an account with what was expected on it.

    Args:
        lines: those that are not booked are left out.
        on: the day of the comparison; what is due later may still come.

    Raises:
        ReconciliationError: two expectations have one id.
    """
    if len({one.expected_id for one in expected}) < len(expected):
        raise ReconciliationError("two expectations have the same id")
    run = _Run(lines, expected, options)
    run.by_reference()
    run.by_text()
    run.by_batch()
    run.by_account()
    run.suggest()
    run.name_the_rest(on)
    return run.outcome


def normal(text: str) -> str:
    """A reference, account or name as it is compared: capitals and digits alone."""
    return _NO_SIGN.sub("", text.upper())


class _Run:
    """One comparison on its way; what is settled leaves `_lines` and `_expected`."""

    def __init__(self, lines: Sequence[BankLine], expected: Sequence[Expected], options: Options) -> None:
        self._all, self._options = lines, options
        self._lines = {place: line for place, line in enumerate(lines) if line.is_booked}
        self._expected = {one.expected_id: one for one in expected}
        self._signs = {one.expected_id: _sign(one.amount) for one in expected}
        self._of_reference = _grouped((normal(one.reference), one.expected_id) for one in expected)
        self.outcome = Outcome()

    def by_reference(self) -> None:
        """The reference given with the payment."""
        lines = _grouped((normal(line.reference), place) for place, line in self._lines.items())
        for reference, places in lines.items():
            if reference in self._of_reference:
                self._settle(places, self._of_reference[reference])

    def by_text(self) -> None:
        """References among the words of the text, where the line brought none that is known."""
        of_text: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, line in self._lines.items():
            words = {normal(word) for word in _WORD.findall(line.text)}
            words.add(normal(line.bank_reference))
            known = [word for word in words if word in self._of_reference]
            named = {one for word in known for one in self._of_reference[word] if one in self._expected}
            if named:
                of_text[tuple(sorted(named))].append(place)
        for ids, places in of_text.items():
            here = [one for one in ids if one in self._expected]
            if here:
                self._settle(places, here)

    def by_batch(self) -> None:
        """One line for all that is left of a batch."""
        batches = _grouped((normal(one.batch_reference), one.expected_id) for one in self._expected.values())
        for place, line in list(self._lines.items()):
            for reference in (normal(line.batch_reference), normal(line.reference)):
                ids = [one for one in batches.get(reference, ()) if one in self._expected]
                if ids and self._sum(ids) == line.amount:
                    self._match([place], ids, Rule.COLLECTED)
                    break

    def by_account(self) -> None:
        """Amount, account and time, for lines without a reference: as many on each side, or none."""
        lines = _grouped(
            (_by_account(line), place)
            for place, line in self._lines.items()
            if not normal(line.reference) and normal(line.counterparty_account)
        )
        wanted = _grouped((_by_account(one), one.expected_id) for one in self._expected.values())
        for key, places in lines.items():
            ids = wanted.get(key, [])
            if len(ids) != len(places):
                continue
            places.sort(key=lambda place: self._lines[place].booked_on)
            ids.sort(key=lambda one: self._expected[one].due_on)
            if all(self._near(place, one) for place, one in zip(places, ids, strict=True)):
                for place, one in zip(places, ids, strict=True):
                    self._match([place], [one], Rule.ACCOUNT)

    def suggest(self) -> None:
        """What may belong together: by account, by name, by amount alone, by sums of one party."""
        taken: set[int | str] = set()
        for score, key_of in (
            (_REFERENCE_SCORE, _by_account),
            (_NAME_SCORE, _by_name),
            (_AMOUNT_SCORE, _by_amount),
        ):
            self._suggest_pairs(key_of, score, taken)
        self._suggest_sums(taken)

    def name_the_rest(self, on: date) -> None:
        """A name for every line and every expectation that nothing explains."""
        suggested = {one.lines[0]: one for one in self.outcome.suggestions if one.score == _REFERENCE_SCORE}
        for place, suggestion in suggested.items():
            line = self._lines.pop(place)
            for one in suggestion.expected:
                del self._expected[one]
            nothing = Money(0, line.amount.currency)
            self._differ(
                DifferenceKind.WRONG_REFERENCE, nothing, line.booked_on, [place], suggestion.expected
            )
        for place, line in self._lines.items():
            kind = DifferenceKind.UNKNOWN
            if self._is_fee(line):
                kind = DifferenceKind.FEE
            elif line.is_reversal:
                kind = DifferenceKind.RETURNED
            self._differ(kind, line.amount, line.booked_on, [place])
        for one in self._expected.values():
            if one.due_on + timedelta(days=self._options.days_after) >= on:
                self.outcome.open_expected.append(one.expected_id)
            else:
                self._differ(DifferenceKind.MISSING, -one.amount, one.due_on, (), [one.expected_id])

    def _settle(self, places: Sequence[int], ids: Sequence[str]) -> None:
        """Lines and expectations of one reference."""
        here = [place for place in places if place in self._lines]
        waiting = [one for one in ids if one in self._expected]
        if not here:
            return
        if not waiting:
            self._after_the_fact(here, ids)
            return
        back = [place for place in here if self._goes_back(place, waiting)]
        there = [place for place in here if place not in back]
        if there:
            self._settle_there(there, waiting)
        if back:
            self._after_the_fact(back, ids)

    def _settle_there(self, places: list[int], ids: list[str]) -> None:
        places.sort(key=lambda place: (self._lines[place].booked_on, place))
        currency = self._expected[ids[0]].amount.currency
        strange = [place for place in places if self._lines[place].amount.currency != currency]
        places = [place for place in places if place not in strange]
        if len(ids) > 1 and places and self._pair_by_amount(places, ids):
            places = [place for place in places if place in self._lines]
            ids = [one for one in ids if one in self._expected]
        if places and ids:
            self._settle_sum(places, ids)
        elif places:
            self._after_the_fact(places, ids)
        for place in strange:
            line = self._lines.pop(place)
            left = [one for one in ids if one in self._expected][:1]
            for one in left:
                del self._expected[one]
            self._differ(DifferenceKind.WRONG_CURRENCY, line.amount, line.booked_on, [place], left)

    def _pair_by_amount(self, places: Iterable[int], ids: Iterable[str]) -> bool:
        """Several lines and several expectations of one reference: those of equal amount."""
        found = False
        open_of = _grouped((self._expected[one].amount, one) for one in ids)
        for place in places:
            same = open_of.get(self._lines[place].amount)
            if same:
                self._match([place], [same.pop(0)], Rule.REFERENCE)
                found = True
        return found

    def _settle_sum(self, places: list[int], ids: list[str]) -> None:
        wanted = self._sum(ids)
        exact = next((place for place in places if self._lines[place].amount == wanted), None)
        if exact is not None:
            self._match([exact], ids, Rule.REFERENCE if len(ids) == 1 else Rule.COLLECTED)
            self._after_the_fact([place for place in places if place != exact], ids)
            return
        if len(places) == 1:
            rule = Rule.REFERENCE if len(ids) == 1 else Rule.COLLECTED
        else:
            rule = Rule.PARTS
        self._match(places, ids, rule)

    def _after_the_fact(self, places: Iterable[int], ids: Iterable[str]) -> None:
        """Lines of a reference that is settled already: the same once more, or taken back."""
        for place in places:
            line = self._lines.pop(place)
            goes_back = line.is_reversal or -_sign(line.amount) in {self._signs[one] for one in ids}
            kind = DifferenceKind.RETURNED if goes_back else DifferenceKind.DOUBLE
            self._differ(kind, line.amount, line.booked_on, [place], ids)

    def _goes_back(self, place: int, ids: Sequence[str]) -> bool:
        line = self._lines[place]
        return line.is_reversal or _sign(line.amount) != _sign(self._expected[ids[0]].amount)

    def _match(self, places: Sequence[int], ids: Sequence[str], rule: Rule) -> None:
        """Settle lines with expectations, and name what is different about them."""
        lines = [self._lines.pop(place) for place in places]
        wanted = [self._expected.pop(one) for one in ids]
        currency = wanted[0].amount.currency
        given_minor = sum(line.amount.amount_minor for line in lines)
        wanted_minor = sum(one.amount.amount_minor for one in wanted)
        difference_minor = given_minor - wanted_minor
        self.outcome.matches.append(Match(tuple(places), tuple(ids), rule, difference_minor))
        last = max(line.booked_on for line in lines)
        if difference_minor:
            if -self._options.fee_max_minor <= difference_minor < 0:
                kind = DifferenceKind.FEE
            elif abs(given_minor) < abs(wanted_minor):
                kind = DifferenceKind.SHORT
            else:
                kind = DifferenceKind.OVER
            self._differ(kind, Money(difference_minor, currency), last, places, ids)
        due = max(one.due_on for one in wanted)
        if last > due + timedelta(days=self._options.days_after):
            self._differ(DifferenceKind.LATE, Money(0, currency), due, places, ids)
        if len(lines) == len(wanted) == 1 and _other_account(lines[0], wanted[0]):
            self._differ(DifferenceKind.WRONG_ACCOUNT, Money(0, currency), last, places, ids)

    def _differ(
        self, kind: DifferenceKind, amount: Money, since: date, places: Iterable[int], ids: Iterable[str] = ()
    ) -> None:
        self.outcome.differences.append(Difference(kind, amount, since, tuple(places), tuple(ids)))

    def _suggest_pairs(
        self, key_of: Callable[[BankLine | Expected], Hashable | None], score: float, taken: set[int | str]
    ) -> None:
        """Pairs that are alone with their key on both sides, and near in time."""
        lines = _grouped((key_of(line), place) for place, line in self._lines.items() if place not in taken)
        wanted = _grouped((key_of(one), id_) for id_, one in self._expected.items() if id_ not in taken)
        for key, places in lines.items():
            ids = wanted.get(key, [])
            if key and len(places) == len(ids) == 1 and self._near(places[0], ids[0]):
                self.outcome.suggestions.append(Suggestion((places[0],), (ids[0],), score))
                taken.update((places[0], ids[0]))

    def _suggest_sums(self, taken: set[int | str]) -> None:
        """A line that is the sum of a few expectations of its party, or the other way round."""
        lines = _grouped((_party(line), place) for place, line in self._lines.items() if place not in taken)
        wanted = _grouped((_party(one), id_) for id_, one in self._expected.items() if id_ not in taken)
        for party, places in lines.items():
            ids = wanted.get(party, [])
            if not party or not ids or max(len(places), len(ids)) > _SUMMED_MAX:
                continue
            for place in places:
                line = self._lines[place]
                free = [one for one in ids if one not in taken and self._near(place, one)]
                some = that_sum_to(line.amount.amount_minor, [self._minor(line, one) for one in free])
                if some:
                    self.outcome.suggestions.append(
                        Suggestion((place,), tuple(free[one] for one in some), _SUM_SCORE)
                    )
                    taken.update((place, *(free[one] for one in some)))

    def _minor(self, line: BankLine, expected_id: str) -> int:
        """An expectation's amount; zero where it is of another currency than the line."""
        amount = self._expected[expected_id].amount
        return amount.amount_minor if amount.currency == line.amount.currency else 0

    def _sum(self, ids: Iterable[str]) -> Money | None:
        """The sum of some expectations; None where they are of several currencies."""
        amounts = [self._expected[one].amount for one in ids]
        if len({amount.currency for amount in amounts}) != 1:
            return None
        return Money(sum(amount.amount_minor for amount in amounts), amounts[0].currency)

    def _near(self, place: int, expected_id: str) -> bool:
        """Whether a line was booked in the time for an expectation."""
        days = (self._lines[place].booked_on - self._expected[expected_id].due_on).days
        return -self._options.days_before <= days <= self._options.days_after

    def _is_fee(self, line: BankLine) -> bool:
        if line.amount.amount_minor >= 0:
            return False
        text = line.text.lower()
        return line.code.startswith(self._options.fee_codes) or any(
            word in text for word in self._options.fee_words
        )


_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


def _grouped(pairs: Iterable[tuple[_Key, _Value]]) -> dict[_Key, list[_Value]]:
    """Values by their key, in the order given; what has an empty key is left out."""
    found: defaultdict[_Key, list[_Value]] = defaultdict(list)
    for key, value in pairs:
        if key:
            found[key].append(value)
    return found


def _by_account(one: BankLine | Expected) -> tuple[Money, str] | None:
    account = normal(one.counterparty_account)
    return (one.amount, account) if account else None


def _by_name(one: BankLine | Expected) -> tuple[Money, str] | None:
    name = normal(one.counterparty)
    return (one.amount, name) if name else None


def _by_amount(one: BankLine | Expected) -> tuple[Money]:
    return (one.amount,)


def _party(one: BankLine | Expected) -> str:
    return normal(one.counterparty_account) or normal(one.counterparty)


def _sign(amount: Money) -> int:
    return (amount.amount_minor > 0) - (amount.amount_minor < 0)


def _other_account(line: BankLine, expected: Expected) -> bool:
    """Whether both name the account at the other end, and not the same."""
    given, wanted = normal(line.counterparty_account), normal(expected.counterparty_account)
    return bool(given) and bool(wanted) and given != wanted
