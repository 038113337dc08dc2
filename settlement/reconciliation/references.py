"""Lines and expectations that name the same reference, whatever became of the amounts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from settlement.reconciliation.board import Board, grouped, normal
from settlement.reconciliation.values import DifferenceKind, Rule

_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z\-_/.]*[0-9A-Za-z]")


class References:
    """The expectations of each reference, and what is settled by them.

    Of one reference there may be several lines (paid in parts, paid twice, paid and taken back) and several
    expectations (paid in one). Lines that go back do not pay; what is left of the others settles as one sum.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._ids_of = grouped((normal(one.reference), id_) for id_, one in board.expected.items())

    def given(self) -> None:
        """The reference that came with the payment."""
        lines = grouped((normal(line.reference), place) for place, line in self._board.lines.items())
        for reference, places in lines.items():
            if reference in self._ids_of:
                ids = self._ids_of[reference]
                for place in self._settle(places, ids):
                    self._close(place, DifferenceKind.OVER, ids)

    def in_text(self) -> None:
        """References among the words of the text, where the line brought none that is known."""
        places_of: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, line in self._board.lines.items():
            words = {normal(word) for word in (*_WORD.findall(line.text), line.bank_reference)}
            named = {one for word in words for one in self._ids_of.get(word, ())}
            if named:
                places_of[tuple(sorted(named))].append(place)
        for ids, places in places_of.items():
            self._settle(places, ids)

    def _settle(self, places: Sequence[int], ids: Sequence[str]) -> list[int]:
        """Settle what can be, name what is clear; gives the lines of which only the reference is known."""
        board = self._board
        waiting = [one for one in ids if one in board.expected]
        amounts = {board.all_expected[one].amount for one in ids}
        fees = [p for p in places if board.is_fee(board.lines[p]) and board.lines[p].amount not in amounts]
        back = [place for place in places if place not in fees and self._goes_back(place, ids)]
        there = [place for place in places if place not in fees and place not in back]
        currencies = {board.all_expected[one].amount.currency for one in ids}
        strange = [place for place in there if board.lines[place].amount.currency not in currencies]
        there = [place for place in there if place not in strange]
        if len(ids) > 1:
            there, waiting = self._by_amount(there, waiting)
        if there and waiting:
            there = self._by_sum(sorted(there, key=self._time), waiting)
        again = [place for place in there if board.lines[place].amount in amounts]
        for place in again:
            self._close(place, DifferenceKind.DOUBLE, ids)
        for place in strange:
            left = [one for one in waiting if one in board.expected][:1]
            self._close(place, DifferenceKind.WRONG_CURRENCY, left or ids)
            for one in left:
                missing = board.expected.pop(one)
                board.differ(DifferenceKind.WRONG_CURRENCY, -missing.amount, missing.due_on, [place], [one])
        for place in back:
            self._close(place, DifferenceKind.RETURNED, ids)
        for place in fees:
            self._close(place, DifferenceKind.FEE, ids)
        return [place for place in there if place not in again]

    def _goes_back(self, place: int, ids: Iterable[str]) -> bool:
        """Whether a line takes back what one of the expectations is about."""
        line = self._board.lines[place]
        incoming = line.amount.amount_minor > 0
        return line.is_reversal or all(
            (self._board.all_expected[one].amount.amount_minor > 0) != incoming for one in ids
        )

    def _by_amount(self, places: Iterable[int], ids: Sequence[str]) -> tuple[list[int], list[str]]:
        """Pair lines with expectations of equal amount; gives what is left of both."""
        board = self._board
        open_of = grouped((board.expected[one].amount, one) for one in ids)
        for place in sorted(places, key=self._time):
            same = open_of.get(board.lines[place].amount)
            if same:
                board.match([place], [same.pop(0)], Rule.REFERENCE)
        return [place for place in places if place in board.lines], [
            one for one in ids if one in board.expected
        ]

    def _by_sum(self, places: list[int], ids: Sequence[str]) -> list[int]:
        """Settle expectations by the line that is exactly their sum, or by all lines; gives what is left."""
        board = self._board
        wanted = board.total(ids)
        exact = [place for place in places if board.lines[place].amount == wanted][:1]
        paying = exact or places
        alone = Rule.REFERENCE if len(ids) == 1 else Rule.COLLECTED
        rule = Rule.PARTS if len(paying) > 1 else alone
        if wanted is not None:
            board.match(paying, ids, rule)
        return [place for place in places if place in board.lines]

    def _close(self, place: int, kind: DifferenceKind, ids: Iterable[str]) -> None:
        line = self._board.lines.pop(place)
        self._board.differ(kind, line.amount, line.booked_on, [place], ids)

    def _time(self, place: int) -> tuple[object, int]:
        return self._board.lines[place].booked_on, place
