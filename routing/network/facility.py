"""Facilities of a courier's network, how parcels change hands there, and distances between them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from routing.network.errors import InvalidNetworkError
from routing.network.hours import COUNTER_HOURS, ROUND_THE_CLOCK, WorkingHours

POINT_EMPTIED_MINUTE = 18 * 60
"""Stores, lockers and collective points are emptied once a day, at this time unless they have their own."""
EARTH_RADIUS_M = 6_371_008.8  # mean radius of the IUGG, the one the haversine formula is usually used with
ROAD_DETOUR_PERCENT = 130
"""Length of a road trip as a percentage of the great circle, for places without a measured distance.

National road networks lie between 120 and 145 (the "circuity factor": Ballou, Rahardja & Sakai 2002,
Selected country circuity factors for road travel distance estimation, Transportation Research A 36).
"""


class FacilityKind(StrEnum):
    """What a facility is for."""

    OUTLET = "outlet"
    GATEWAY = "gateway"
    HUB = "hub"
    AIRPORT = "airport"
    LOCKER = "locker"
    STORE = "store"
    COLLECTIVE_POINT = "collective_point"

    @property
    def sorts(self) -> bool:
        """Whether parcels between other facilities are transferred here (a sorting centre)."""
        return self in _SORTING_KINDS


_SORTING_KINDS = frozenset({FacilityKind.GATEWAY, FacilityKind.HUB, FacilityKind.AIRPORT})


class Operator(StrEnum):
    """Who runs a facility."""

    OWN = "own"
    FRANCHISE = "franchise"
    PARTNER = "partner"


_OPERATORS = frozenset(Operator)


class Handover(StrEnum):
    """Where a parcel changes hands between the company and its customer."""

    DOOR = "door"
    OUTLET = "outlet"
    STORE = "store"
    LOCKER = "locker"
    COLLECTIVE_POINT = "collective_point"


HANDOVERS: Mapping[FacilityKind, frozenset[Handover]] = MappingProxyType(
    {
        FacilityKind.OUTLET: frozenset({Handover.DOOR, Handover.OUTLET}),
        FacilityKind.STORE: frozenset({Handover.STORE}),
        FacilityKind.LOCKER: frozenset({Handover.LOCKER}),
        FacilityKind.COLLECTIVE_POINT: frozenset({Handover.COLLECTIVE_POINT}),
        FacilityKind.GATEWAY: frozenset(),
        FacilityKind.HUB: frozenset(),
        FacilityKind.AIRPORT: frozenset(),
    }
)
"""The hand-over modes each kind of facility offers to customers."""


class Located(Protocol):
    """Anything with a position in WGS84 degrees."""

    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Facility:
    """A place of the network.

    Attributes:
        facility_id: positive, unique in a network.
        code: short code on labels and bags, unique in a network.
        sort_s: seconds of work from a parcel's arrival until it can leave again. A sorting centre works on it
            only while it is open.
        operator: who runs it.
        hours: when it works; None where it never closes. What a kind of place works to until somebody says
            otherwise tells `usual_hours`.
        sort_per_hour: pieces that can be sorted in an hour; None where nobody has said. Times of itineraries
            do not depend on it: what a queue costs is shown where topologies are compared.
    """

    facility_id: int
    code: str
    name: str
    kind: FacilityKind
    latitude: float
    longitude: float
    sort_s: int
    operator: Operator
    hours: WorkingHours | None = None
    sort_per_hour: int | None = None

    def __post_init__(self) -> None:
        if self.facility_id < 1:
            raise InvalidNetworkError(f"facility id {self.facility_id} is not positive")
        if not self.code:
            raise InvalidNetworkError(f"facility {self.facility_id} has no code")
        # Written so that NaN, which compares false with everything, is refused too.
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise InvalidNetworkError(
                f"facility {self.code}: ({self.latitude}, {self.longitude}) is not a latitude and longitude"
            )
        if self.sort_s < 0:
            raise InvalidNetworkError(f"facility {self.code}: sort_s {self.sort_s} is negative")
        if self.sort_per_hour is not None and self.sort_per_hour < 1:
            raise InvalidNetworkError(
                f"facility {self.code}: sort_per_hour {self.sort_per_hour} sorts nothing"
            )
        if HANDOVERS[self.kind] and self.hours is not None and not self.hours.collects:
            raise InvalidNetworkError(f"facility {self.code}: its cut-off is before every day's opening")
        if self.operator not in _OPERATORS:
            raise InvalidNetworkError(f"facility {self.code}: operator {self.operator!r} is none")


def usual_hours(kind: FacilityKind, timezone: str) -> WorkingHours:
    """What a place of a kind works to until somebody says otherwise.

    Sorting centres and lockers round the clock; everything else from 8 to 20, every day.
    """
    open_always = kind.sorts or kind is FacilityKind.LOCKER
    usual = WorkingHours(timezone, ROUND_THE_CLOCK if open_always else COUNTER_HOURS)
    if kind.sorts or kind is FacilityKind.OUTLET:
        return usual
    return replace(usual, collection_cutoff_minute=POINT_EMPTIED_MINUTE)


def distance_m(a: Located, b: Located) -> int:
    """Great-circle distance between two places in metres (haversine formula)."""
    latitude_a, latitude_b = math.radians(a.latitude), math.radians(b.latitude)
    sin_latitude = math.sin((latitude_b - latitude_a) / 2)
    sin_longitude = math.sin(math.radians(b.longitude - a.longitude) / 2)
    chord = sin_latitude**2 + math.cos(latitude_a) * math.cos(latitude_b) * sin_longitude**2
    return round(2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, chord))))


def road_distance_m(a: Located, b: Located, detour_percent: int = ROAD_DETOUR_PERCENT) -> int:
    """Estimated length of the road between two places in metres: the great circle times a detour factor."""
    return distance_m(a, b) * detour_percent // 100
