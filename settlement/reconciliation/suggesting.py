"""What may belong together, for a person to accept: by account, name, sums of one party, the amount alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from settlement.money import Money
from settlement.reconciliation.board import Board, grouped, normal
from settlement.reconciliation.sums import that_sum_to
from settlement.reconciliation.values import Expected, Suggestion
from settlement.statements import BankLine

REFERENCE_SCORE, _NAME_SCORE, _SUM_SCORE, _AMOUNT_SCORE = 90, 80, 60, 50
_SUMMED_MAX = 12
"""With more open lines or expectations of one party, some sum always fits, and tells nothing."""

_Key = Callable[[BankLine | Expected], Hashable | None]


def suggest(board: Board) -> None:
    """Write suggestions into the outcome; what is suggested stays open."""
    taken: set[int | str] = set()
    for score, key_of in ((REFERENCE_SCORE, by_account), (_NAME_SCORE, _by_name)):
        _pairs(board, key_of, score, taken)
    _sums(board, taken)
    _pairs(board, _by_amount, _AMOUNT_SCORE, taken)


def by_account(one: BankLine | Expected) -> tuple[Money, str] | None:
    """Amount and account at the other end; None where no account is named."""
    account = normal(one.counterparty_account)
    return (one.amount, account) if account else None


def _by_name(one: BankLine | Expected) -> tuple[Money, str] | None:
    name = normal(one.counterparty)
    return (one.amount, name) if name else None


def _by_amount(one: BankLine | Expected) -> Money:
    return one.amount


def _party(one: BankLine | Expected) -> str:
    return normal(one.counterparty_account) or normal(one.counterparty)


def _pairs(board: Board, key_of: _Key, score: int, taken: set[int | str]) -> None:
    """Pairs that are alone with their key on both sides, and near in time."""
    lines = grouped((key_of(line), place) for place, line in board.lines.items() if place not in taken)
    wanted = grouped((key_of(one), id_) for id_, one in board.expected.items() if id_ not in taken)
    for key, places in lines.items():
        ids = wanted.get(key, [])
        if len(places) == len(ids) == 1 and board.near(places[0], ids[0]):
            board.outcome.suggestions.append(Suggestion((places[0],), (ids[0],), score))
            taken.update((places[0], ids[0]))


def _sums(board: Board, taken: set[int | str]) -> None:
    """Lines that are the sum of a few expectations of their party, and the other way round."""
    lines = grouped((_party(line), place) for place, line in board.lines.items() if place not in taken)
    wanted = grouped((_party(one), id_) for id_, one in board.expected.items() if id_ not in taken)
    for party, places in lines.items():
        ids = wanted.get(party, [])
        if not ids or max(len(places), len(ids)) > _SUMMED_MAX:
            continue
        for place in places:
            free = [one for one in ids if one not in taken and board.near(place, one)]
            amount = board.lines[place].amount
            some = that_sum_to(
                amount.amount_minor, [_same(board.expected[one].amount, amount) for one in free]
            )
            if some is not None:
                _add(board, (place,), tuple(free[one] for one in some), taken)
        for one in ids:
            here = [
                place
                for place in places
                if place not in taken and one not in taken and board.near(place, one)
            ]
            amount = board.expected[one].amount
            some = that_sum_to(
                amount.amount_minor, [_same(board.lines[place].amount, amount) for place in here]
            )
            if some is not None:
                _add(board, tuple(here[place] for place in some), (one,), taken)


def _add(board: Board, places: tuple[int, ...], ids: tuple[str, ...], taken: set[int | str]) -> None:
    board.outcome.suggestions.append(Suggestion(places, ids, _SUM_SCORE))
    taken.update((*places, *ids))


def _same(amount: Money, as_of: Money) -> int:
    """The amount in minor units; zero where it is of another currency."""
    return amount.amount_minor if amount.currency == as_of.currency else 0
