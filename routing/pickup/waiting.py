"""Least cost as a function of the moment, for someone who may always wait.

Such a function never rises. It is a list of pieces (first second, value there, change by each second), each
up to the next piece, the last one for ever. Before the first piece nothing is possible. All on whole
numbers, so that nothing is rounded.
"""

from bisect import bisect_right
from typing import TypeAlias

from routing.pickup.values import Windows

Piece: TypeAlias = tuple[int, int, int]
Falling: TypeAlias = list[Piece]


def at(cost: Falling, moment: int) -> int:
    """Value at a moment that is not before the first piece."""
    start, value, slope = cost[bisect_right(cost, moment, key=_start) - 1]
    return value + slope * (moment - start)


def first_at(cost: Falling, value: int) -> int:
    """First moment at which the function is at most that value, which it takes somewhere."""
    for number, (start, begin, slope) in enumerate(cost):
        if begin <= value:
            return start
        if slope < 0:
            moment = start + -((begin - value) // slope)
            if number + 1 == len(cost) or moment < cost[number + 1][0]:
                return moment
    raise AssertionError("a value of the function")


def capped_and_moved(cost: Falling, first: int, last: int, seconds: int, ready: int) -> Falling | None:
    """The function after something that takes so long: begun from `first` to `last`, done not before `ready`.

    Returns:
        None if it can never be begun.
    """
    begin = cost[0][0]
    if begin >= first and begin + seconds >= ready and last >= cost[-1][0] and not cost[-1][2]:
        return [(start + seconds, value, slope) for start, value, slope in cost]
    if last < cost[0][0] or last < first:
        return None
    moved = [(start + seconds, value, slope) for start, value, slope in cost if start <= last]
    if moved[-1][2]:
        start, value, slope = moved[-1]
        moved.append((last + seconds, value + slope * (last + seconds - start), 0))
    return _from(moved, max(first + seconds, ready))


def least(one: Falling | None, other: Falling | None) -> Falling | None:
    """The smaller of two functions at each moment."""
    if one is None or other is None:
        return other if one is None else one
    if other[0][0] < one[0][0]:
        one, other = other, one
    marks = sorted({piece[0] for piece in one} | {piece[0] for piece in other})
    found: Falling = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        a = _piece_at(one, mark)
        if mark < other[0][0]:
            _add(found, a)
            continue
        b = _piece_at(other, mark)
        lower, upper = (a, b) if (a[1], a[2]) <= (b[1], b[2]) else (b, a)
        _add(found, lower)
        if upper[2] < lower[2]:  # they cross: the other is strictly lower from here
            crossing = mark + (upper[1] - lower[1]) // (lower[2] - upper[2]) + 1
            if following is None or crossing < following:
                _add(found, (crossing, upper[1] + upper[2] * (crossing - mark), upper[2]))
    return found


def served(cost: Falling, windows: Windows, due: int, rate: int, seconds: int) -> Falling | None:
    """The function after service of so many seconds that starts in a window.

    Who starts later than `due` pays `rate` a second.

    Returns:
        None if no window can be reached.
    """
    if not windows:
        return None
    opens, closes = windows[0]
    if len(windows) == 1 and not rate and opens <= cost[0][0] and closes >= cost[-1][0] and not cost[-1][2]:
        return [(start + seconds, value, slope) for start, value, slope in cost]  # it changes nothing
    found: Falling = []
    best: int | None = None
    for opens, closes in windows:
        for start, end, value, slope in _parts(cost, opens, closes, due, rate):
            at_end = value + slope * (end - start)
            if best is not None and min(value, at_end) >= best:
                continue
            if best is not None and value >= best:  # slope < 0: it becomes better on the way
                skipped = (value - best) // -slope + 1
                start, value = start + skipped, value + slope * skipped
            _add(found, (start + seconds, value, min(slope, 0)))
            best = min(value, at_end)
            if slope < 0:
                _add(found, (end + seconds, best, 0))
    return found or None


def _parts(cost: Falling, opens: int, closes: int, due: int, rate: int) -> list[tuple[int, int, int, int]]:
    """(First, last, value, slope) of the pieces within a window, with the cost of lateness."""
    parts = []
    for number, (piece_start, piece_value, slope) in enumerate(cost):
        start = max(piece_start, opens)
        end = closes if number + 1 == len(cost) else min(closes, cost[number + 1][0] - 1)
        if start > end:
            continue
        value = piece_value + slope * (start - piece_start)
        if not rate or end <= due:
            parts.append((start, end, value, slope))
        elif start >= due:
            parts.append((start, end, value + rate * (start - due), slope + rate))
        else:
            parts.append((start, due, value, slope))
            at_due = value + slope * (due - start)
            parts.append((due + 1, end, at_due + slope + rate, slope + rate))
    return parts


def _start(piece: Piece) -> int:
    return piece[0]


def _piece_at(cost: Falling, moment: int) -> Piece:
    start, value, slope = cost[bisect_right(cost, moment, key=_start) - 1]
    return moment, value + slope * (moment - start), slope


def _from(cost: Falling, first: int) -> Falling:
    if cost[0][0] >= first:
        return cost
    kept = bisect_right(cost, first, key=_start)
    return [_piece_at(cost, first), *cost[kept:]]


def _add(cost: Falling, piece: Piece) -> None:
    """Append a piece; one of no length gives way, one that only goes on is left out."""
    if cost and cost[-1][0] == piece[0]:
        cost.pop()
    if cost:
        start, value, slope = cost[-1]
        if slope == piece[2] and value + slope * (piece[0] - start) == piece[1]:
            return
    cost.append(piece)
