"""Where a parcel is on its planned route, from its scans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from tracking.errors import PromiseError
from tracking.shipment import Leg, Scan, ScanCode
from tracking.summary import mark_of
from tracking.transitions import COLLECTING, PLACELESS

_NO_POINTS: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a parcel is on its route: at a facility since `at`, or on the way from it since `at` (UTC)."""

    facility_id: int
    at: datetime
    departed: bool = False


def seen_at(scans: Iterable[Scan]) -> int | None:
    """Return the facility of the latest scan that names one and had the parcel in hand; None without any."""
    there = [scan for scan in scans if scan.facility_id is not None and scan.code not in PLACELESS]
    return max(there, key=mark_of).facility_id if there else None


def position_of(
    legs: Sequence[Leg],
    scans: Iterable[Scan],
    *,
    ready_at: datetime,
    points: Mapping[int, int] = _NO_POINTS,
) -> Position | None:
    """Return where a parcel is on its route, as `tracking.promise.promise` wants to know it.

    At a facility the time is that of its first scan there since it came; on the last round it is still
    counted from the arrival at the last facility, because the hand-over is. A store or locker is beside the
    route and not off it: what lies there before its first leg still has to reach its outlet, and what lies
    there after its last one has been handed over by its outlet.

    Args:
        legs: the planned route in order, one at least.
        scans: that count (no voided ones), in any order.
        ready_at: when the parcel was to be ready at its origin; counts until it was collected.
        points: stores, lockers and collective points, each with the outlet that it hangs on.

    Returns:
        The position; None when it was last seen off the route, which asks for a new route.

    Raises:
        PromiseError: there are no legs.
    """
    if not legs:
        raise PromiseError(
            "there are no legs; the position of a parcel without a route is where it was booked"
        )
    origin_id, last_id = legs[0].from_facility_id, legs[-1].to_facility_id
    route = {leg.from_facility_id for leg in legs} | {last_id}
    position: Position | None = Position(origin_id, ready_at)
    in_a_facility = False
    for scan in sorted(scans, key=mark_of):
        facility_id = scan.facility_id
        outlet_id = None if facility_id is None or facility_id in route else points.get(facility_id)
        at_point = outlet_id is not None
        if at_point:
            facility_id = outlet_id
        elif facility_id is None and scan.code in COLLECTING:
            facility_id = origin_id
        if facility_id is None or scan.code in PLACELESS:
            continue
        departed = scan.code is ScanCode.DEPARTED and facility_id != last_id and not at_point
        stays = in_a_facility and position is not None and position.facility_id == facility_id
        if facility_id not in route:
            position = None
        elif departed or not stays:
            position = Position(facility_id, mark_of(scan)[0], departed)
        # What a courier collected, or a point has, still has to reach its first facility.
        outside = scan.code is ScanCode.COLLECTED or (at_point and facility_id != last_id)
        in_a_facility = not departed and not outside
    return position
