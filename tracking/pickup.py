"""Waiting to be fetched: what fits into a compartment, and what is due the longer a parcel waits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tracking.errors import ScanError
from tracking.shipment import require_utc

SIDE_MM_MAX = 5_000
REMIND_AFTER = timedelta(hours=24)
OVERDUE_AFTER = timedelta(hours=48)
TAKE_BACK_AFTER = timedelta(hours=72)
DISPUTE_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Size:
    """A box by its three sides in millimetres, in any order.

    Raises:
        ScanError: a side is not between 1 and `SIDE_MM_MAX`.
    """

    length_mm: int
    width_mm: int
    height_mm: int

    def __post_init__(self) -> None:
        if not all(1 <= side <= SIDE_MM_MAX for side in self.sides):
            raise ScanError(f"a side lies between 1 and {SIDE_MM_MAX} mm, not {self.sides}")

    @property
    def sides(self) -> tuple[int, int, int]:
        """The three sides."""
        return self.length_mm, self.width_mm, self.height_mm

    @property
    def volume_mm3(self) -> int:
        """What it holds or takes up."""
        return self.length_mm * self.width_mm * self.height_mm


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a parcel's size: its sides, or its volume in cubic centimetres, 0 where unmeasured."""

    volume_cm3: int = 0
    size: Size | None = None

    def fits(self, compartment: Size) -> bool:
        """Whether nothing that is known keeps it out: sides are compared turned as they fit best.

        A box lies along the sides of a compartment; one that only fits askew does not fit.
        """
        if self.size is not None:
            pairs = zip(sorted(self.size.sides), sorted(compartment.sides), strict=True)
            return all(side <= room for side, room in pairs)
        return self.volume_cm3 * 1_000 <= compartment.volume_mm3


def smallest_fitting(parcel: Measured, compartments: Iterable[tuple[int, Size]]) -> int | None:
    """Return the id of the smallest compartment that the parcel fits into; None where it fits into none.

    Of two that are equally large the one with the smaller id is taken.
    """
    fitting = [(size.volume_mm3, key) for key, size in compartments if parcel.fits(size)]
    return min(fitting)[1] if fitting else None


class PickupStep(StrEnum):
    """What is due about a parcel that waits to be fetched."""

    WAIT = "wait"
    REMIND = "remind"
    OVERDUE = "overdue"
    TAKE_BACK = "take_back"


def due_step(deposited_at: datetime, now: datetime) -> PickupStep:
    """Return what is due at `now`; both in UTC. Each step stays due until the next one is."""
    require_utc(deposited_at, "deposited_at")
    require_utc(now, "now")
    waited = now - deposited_at
    if waited >= TAKE_BACK_AFTER:
        return PickupStep.TAKE_BACK
    if waited >= OVERDUE_AFTER:
        return PickupStep.OVERDUE
    return PickupStep.REMIND if waited >= REMIND_AFTER else PickupStep.WAIT


def may_be_disputed(taken_at: datetime | None, now: datetime) -> bool:
    """Whether its consignee may still say that it is not there, or damaged: as it waits, and a day after."""
    return taken_at is None or now <= taken_at + DISPUTE_WITHIN
