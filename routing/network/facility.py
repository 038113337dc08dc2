"""Facilities of a courier's network, how parcels change hands there, and distances between them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from routing.network.errors import InvalidNetworkError

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
        sort_s: seconds from a parcel's arrival until it can leave again.
        operator: who runs it, e.g. "own", "franchise" or "partner".
    """

    facility_id: int
    code: str
    name: str
    kind: FacilityKind
    latitude: float
    longitude: float
    sort_s: int
    operator: str

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
