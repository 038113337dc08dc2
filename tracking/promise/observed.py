"""What was observed of past parcels: legs, and stays at facilities."""

from dataclasses import dataclass
from datetime import datetime

from tracking.errors import PromiseError
from tracking.shipment import require_utc


@dataclass(frozen=True, slots=True)
class LegObservation:
    """How a leg went once: planned and actual seconds on the way.

    Attributes:
        lane_id: None for a leg that no lane of the network stands for.
        mode: how it travelled, as the network names it.
        from_facility_id: None where it is not known, like `to_facility_id`.
        departs_at: the planned departure, in UTC; None where it is not known.
        count: how many legs it stands for. More than one is a summary, from an earlier system say: the
            seconds are then the medians of so many legs. It tells how long they take, and nothing of how
            they vary.

    Raises:
        PromiseError: seconds or count are not more than 0.
        ScanError: `departs_at` is not UTC.
    """

    lane_id: int | None
    mode: str
    planned_s: int
    actual_s: int
    from_facility_id: int | None = None
    to_facility_id: int | None = None
    departs_at: datetime | None = None
    count: int = 1

    def __post_init__(self) -> None:
        if self.planned_s <= 0 or self.actual_s <= 0:
            raise PromiseError("planned_s and actual_s must be more than 0")
        if self.count <= 0:
            raise PromiseError("an observation must stand for one leg at least")
        if self.departs_at is not None:
            require_utc(self.departs_at, "departs_at")


@dataclass(frozen=True, slots=True)
class StayObservation:
    """How a stay at a facility went: seconds beyond the plan (negative: less than planned).

    For a dwell, beyond the planned departure (or beyond the arrival, where that was later); for a hand-over,
    beyond the planned time from the arrival at the facility to the consignee; for a collection, beyond the
    moment by which the parcel was to be at its first facility.

    Attributes:
        at: the planned departure, the arrival of what is handed over, or the moment by which it was to
            come; in UTC, None where it is not known.
        weight: how much it counts. Parcels that wait for one departure wait together, so that those of one
            trip may share a weight of 1.

    Raises:
        PromiseError: the weight is not more than 0.
        ScanError: `at` is not UTC.
    """

    facility_id: int
    deviation_s: int
    at: datetime | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise PromiseError("the weight of an observation must be more than 0")
        if self.at is not None:
            require_utc(self.at, "at")
