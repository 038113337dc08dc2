"""Which bank lines belong to what was expected.

Evidence is used from the strongest to the weakest, and what a stronger kind has settled no weaker one
touches: the reference given with a payment; references in the text; the batch that a collected line stands
for; amount, account and time, only where the line has no reference and each side has as many. What is weaker
than that (a reference that nobody knows, a name, sums, the amount alone) is suggested with a score and left
to a person. Everything that stays has a name.

All of it is by look-up: the time grows with the lines and expectations, not with their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from settlement.errors import ReconciliationError
from settlement.money import Money
from settlement.reconciliation.board import Board, grouped, normal
from settlement.reconciliation.references import References
from settlement.reconciliation.suggesting import REFERENCE_SCORE, by_account, suggest
from settlement.reconciliation.values import DifferenceKind, Expected, Options, Outcome, Rule
from settlement.statements import BankLine


def reconcile(
    lines: Sequence[BankLine], expected: Sequence[Expected], options: Options, *, on: date
) -> Outcome:
    """Match the booked lines of an account with what was expected on it.

    Args:
        lines: those that are not booked are left out.
        expected: what the books say, each with an id of its own.
        on: the day of the comparison; what is due later may still come.

    Raises:
        ReconciliationError: two expectations have one id.
    """
    if len({one.expected_id for one in expected}) < len(expected):
        raise ReconciliationError("two expectations have the same id")
    board = Board(lines, expected, options)
    references = References(board)
    references.given()
    references.in_text()
    _by_batch(board)
    _by_account(board)
    suggest(board)
    _name_the_rest(board, on)
    return board.outcome


def _by_batch(board: Board) -> None:
    """One line for all that is left of a batch."""
    batches = grouped((normal(one.batch_reference), id_) for id_, one in board.expected.items())
    for place, line in list(board.lines.items()):
        for reference in dict.fromkeys((normal(line.batch_reference), normal(line.reference))):
            ids = [one for one in batches.get(reference, ()) if one in board.expected]
            if ids and board.total(ids) == line.amount:
                board.match([place], ids, Rule.COLLECTED)
                break


def _by_account(board: Board) -> None:
    """Amount, account and time, for lines without a reference: as many on each side, or none."""
    lines = grouped(
        (by_account(line), place) for place, line in board.lines.items() if not normal(line.reference)
    )
    wanted = grouped((by_account(one), id_) for id_, one in board.expected.items())
    for key, places in lines.items():
        ids = wanted.get(key, [])
        if len(ids) != len(places):
            continue
        places.sort(key=lambda place: board.lines[place].booked_on)
        ids.sort(key=lambda one: board.expected[one].due_on)
        pairs = list(zip(places, ids, strict=True))
        if all(board.near(place, one) for place, one in pairs):
            for place, one in pairs:
                board.match([place], [one], Rule.ACCOUNT)


def _name_the_rest(board: Board, on: date) -> None:
    """A name for every line and every expectation that nothing explains."""
    for suggestion in board.outcome.suggestions:
        if suggestion.score == REFERENCE_SCORE:
            place, id_ = suggestion.lines[0], suggestion.expected[0]
            line = board.lines.pop(place)
            del board.expected[id_]
            nothing = Money(0, line.amount.currency)
            board.differ(DifferenceKind.WRONG_REFERENCE, nothing, line.booked_on, [place], [id_])
    for place, line in board.lines.items():
        kind = DifferenceKind.UNKNOWN
        if board.is_fee(line):
            kind = DifferenceKind.FEE
        elif line.is_reversal:
            kind = DifferenceKind.RETURNED
        board.differ(kind, line.amount, line.booked_on, [place])
    for id_, one in board.expected.items():
        if one.due_on + timedelta(days=board.options.days_after) >= on:
            board.outcome.open_expected.append(id_)
        else:
            board.differ(DifferenceKind.MISSING, -one.amount, one.due_on, (), [id_])
