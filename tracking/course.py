"""The walk over the transition table, by the codes alone.

What a parcel's scans mean follows from their codes in the order of time; whose scans they were does not
matter. Parcels live much the same lives, so a course that was walked once is remembered.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tracking.finding import FindingKind
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import BY_RANK, COLLECTING, FAILED_ATTEMPTS

KEPT_MAX = 65_536
"""Courses remembered, about 30 MB."""

_COLLECTING_RANKS = frozenset(code.rank for code in COLLECTING)
_ATTEMPT_RANKS = frozenset(code.rank for code in FAILED_ATTEMPTS)
_OUT_FOR_DELIVERY = ScanCode.OUT_FOR_DELIVERY.rank
_RECEIPT_CONFIRMED = ScanCode.RECEIPT_CONFIRMED.rank


class Odd(NamedTuple):
    """A scan that is not expected where it stands: its place in the course, what it met, what it is."""

    place: int
    met: Milestone
    kind: FindingKind


class Course(NamedTuple):
    """What some codes mean one after the other.

    Attributes:
        milestone: where the parcel stands in the end.
        deciding: the place of the code that decided it, from 0; None where none did.
        collected, out_for_delivery, confirmed: the places of the first collection, the last departure on
            a round, and the first confirmed receipt.
        attempts: failed ones.
    """

    milestone: Milestone
    deciding: int | None
    collected: int | None
    out_for_delivery: int | None
    confirmed: int | None
    attempts: int
    odd: tuple[Odd, ...]


@lru_cache(maxsize=KEPT_MAX)
def course_of(ranks: bytes) -> Course:
    """Walk the table over codes, named by their ranks, in the order of time."""
    return _walked(ranks)


def _walked(ranks: Sequence[int]) -> Course:
    milestone = Milestone.PENDING
    deciding = collected = out_for_delivery = confirmed = None
    attempts, odd = 0, []
    for place, rank in enumerate(ranks):
        cell = BY_RANK[milestone.rank][rank]
        if cell.finding is not None:
            odd.append(Odd(place, milestone, cell.finding))
        if cell.decides:
            milestone, deciding = cell.to, place
        if rank in _COLLECTING_RANKS:
            collected = place if collected is None else collected
        elif rank in _ATTEMPT_RANKS:
            attempts += 1
        elif rank == _OUT_FOR_DELIVERY:
            out_for_delivery = place
        elif rank == _RECEIPT_CONFIRMED:
            confirmed = place if confirmed is None else confirmed
    return Course(milestone, deciding, collected, out_for_delivery, confirmed, attempts, tuple(odd))
