from dataclasses import replace

import pytest

from routing.network import Departure, Facility, FacilityKind, Lane, Mode, Network

CHINA = "Asia/Shanghai"


def facility(
    facility_id: int, kind: FacilityKind, latitude: float = 30.0, longitude: float = 110.0
) -> Facility:
    return Facility(facility_id, f"{kind.value}-{facility_id}", "", kind, latitude, longitude, 1800, "own")


def lane(lane_id: int, origin: int, destination: int, *minutes: int, hours: int = 2) -> Lane:
    departures = tuple(Departure(127, minute, hours * 3600, CHINA) for minute in minutes)
    return Lane(
        lane_id, origin, destination, Mode.ROAD, 100_000, 60_000, 20, 1_000_000, "carrier", departures
    )


@pytest.fixture
def small_network() -> Network:
    """Outlets 1 and 2 on gateways 3 and 4, which two hubs join: 5 is the fast one, 6 the slow one."""
    facilities = (
        facility(1, FacilityKind.OUTLET, 30.0),
        facility(2, FacilityKind.OUTLET, 40.0),
        facility(3, FacilityKind.GATEWAY, 30.2),
        facility(4, FacilityKind.GATEWAY, 39.8),
        facility(5, FacilityKind.HUB, 35.0),
        facility(6, FacilityKind.HUB, 35.0, 112.0),
        facility(7, FacilityKind.LOCKER, 40.01),
    )
    lanes = (
        lane(31, 1, 3, 12 * 60, 18 * 60),
        lane(32, 3, 5, 21 * 60, hours=4),
        lane(33, 5, 4, 2 * 60, hours=4),
        lane(34, 4, 2, 7 * 60, 16 * 60),
        lane(35, 3, 6, 21 * 60, hours=6),
        lane(36, 6, 4, 5 * 60, hours=6),
        lane(37, 2, 7, 9 * 60),
        replace(lane(38, 6, 5, 4 * 60), capacity_g=5_000),
    )
    return Network(facilities, lanes)
