"""Couriers' breaks: as they are agreed, as the planner takes them, and as a plan keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.errors import InvalidInputError
from routing import pickup

BREAKS_MAX = 4
MINUTES_MAX = 240
_DAY_S = 24 * 3600
_BEHIND_S = 3600
"""A courier who is behind his plan takes his break late rather than never: so much later than now at most."""


@dataclass(frozen=True, slots=True)
class CourierBreak:
    """A break of every shift: when it may start, in seconds since local midnight, and how long it is.

    An unpaid one does not count into the hours a round costs.

    Raises:
        InvalidInputError: there is no such time or length.
    """

    from_s: int
    to_s: int
    minutes: int
    paid: bool

    def __post_init__(self) -> None:
        if not (0 <= self.from_s <= self.to_s < _DAY_S and 1 <= self.minutes <= MINUTES_MAX):
            raise _wrong(f"a break starts within one day and lasts 1 to {MINUTES_MAX} minutes")

    @property
    def key(self) -> str:
        """What was agreed, as the planner's id of the break: a plan keeps it when the courier's changes."""
        return f"{self.from_s}-{self.to_s}-{'paid' if self.paid else 'unpaid'}"


def breaks_of(rows: Iterable[Mapping[str, Any]]) -> tuple[CourierBreak, ...]:
    """A courier's breaks as they are stored."""
    return tuple(CourierBreak(row["from_s"], row["to_s"], row["minutes"], row["paid"]) for row in rows)


def rows_of_breaks(breaks: Sequence[CourierBreak]) -> list[dict[str, Any]]:
    """Breaks as they are stored, in the order of the day.

    Raises:
        InvalidInputError: there are too many, or one begins before the one before it is over.
    """
    in_order = sorted(breaks, key=lambda one: (one.from_s, one.to_s))
    if len(in_order) > BREAKS_MAX:
        raise _wrong(f"a shift has at most {BREAKS_MAX} breaks")
    if any(later.from_s < before.from_s + before.minutes * 60 for before, later in pairwise(in_order)):
        raise _wrong("a break begins before the one before it is over")
    return [
        {"from_s": one.from_s, "to_s": one.to_s, "minutes": one.minutes, "paid": one.paid} for one in in_order
    ]


def breaks_in(rows: Iterable[Mapping[str, Any]], shift: tuple[int, int]) -> tuple[pickup.Break, ...]:
    """A courier's breaks as the planner takes them; those that lie outside of a shift fall away.

    Args:
        rows: as they are stored.
        shift: first and last second that can be planned.
    """
    found = []
    for one in breaks_of(rows):
        first, last = max(one.from_s, shift[0]), min(one.to_s, shift[1] - one.minutes * 60)
        if first <= last:
            found.append(pickup.Break(one.key, ((first, last),), one.minutes * 60, paid=one.paid))
    return tuple(found)


def breaks_planned(rests: Iterable[Sequence[Any]], now_s: int | None) -> tuple[pickup.Break, ...]:
    """The breaks that a stored round was planned with: what the courier agreed to since is for later plans.

    Args:
        rests: of the round, as they are stored.
        now_s: the present while the round is driven; None while it is a draft.
    """
    found = []
    for key, _after, start_s, end_s in rests:
        first, last, paid = key.split("-")
        latest = max(int(last), start_s, 0 if now_s is None else now_s + _BEHIND_S)
        window = (min(int(first), start_s), latest)
        found.append(pickup.Break(key, (window,), end_s - start_s, paid=paid == "paid"))
    return tuple(found)


def _wrong(detail: str) -> InvalidInputError:
    return InvalidInputError("the breaks are not possible", [{"detail": detail, "pointer": "/breaks"}])
