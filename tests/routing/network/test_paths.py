from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.network import (
    InvalidNetworkError,
    Network,
    NoRoute,
    NoRouteReason,
    UnknownFacilityError,
    alternatives,
    direct_itinerary,
    itinerary,
)

CHINA = ZoneInfo("Asia/Shanghai")
MONDAY_TEN = datetime(2026, 11, 2, 10, tzinfo=CHINA)


def local(moment: datetime) -> tuple[int, int, int]:
    at = moment.astimezone(CHINA)
    return at.day, at.hour, at.minute


def test_the_way_up_over_and_down(small_network: Network) -> None:
    way = itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=2_000)
    assert [leg.lane_id for leg in way.legs] == [31, 32, 33, 34]
    assert [local(leg.departure_at) for leg in way.legs] == [(2, 12, 0), (2, 21, 0), (3, 2, 0), (3, 7, 0)]
    assert local(way.arrival_at) == (3, 9, 0)
    assert way.legs[0].departure_at.tzinfo is UTC
    assert (way.handlings, way.distance_m, way.transit_s) == (4, 400_000, 23 * 3600)
    # A share of 2 kg in 1,000 kg of a departure at 60,000, and 2 kg at 20.
    assert [leg.cost_minor for leg in way.legs] == [160] * 4
    assert way.cost_minor == 640


def test_handling_at_the_origin_comes_before_its_departure(small_network: Network) -> None:
    just = MONDAY_TEN.replace(hour=11, minute=30)
    assert local(itinerary(small_network, 1, 3, just, weight_g=1).legs[0].departure_at) == (2, 12, 0)
    late = just + timedelta(microseconds=1)
    assert local(itinerary(small_network, 1, 3, late, weight_g=1).legs[0].departure_at) == (2, 18, 0)


def test_from_a_facility_to_itself_nothing_travels(small_network: Network) -> None:
    way = itinerary(small_network, 1, 1, MONDAY_TEN, weight_g=1)
    assert (way.legs, way.arrival_at, way.cost_minor, way.handlings) == ((), MONDAY_TEN, 0, 0)


def test_distribution_goes_on_to_a_locker(small_network: Network) -> None:
    assert [leg.lane_id for leg in itinerary(small_network, 1, 7, MONDAY_TEN, weight_g=1).legs][-2:] == [
        34,
        37,
    ]


def test_a_closed_hub_is_gone_round(small_network: Network) -> None:
    way = itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=1, closed_facilities=frozenset({5}))
    assert [leg.lane_id for leg in way.legs] == [31, 35, 36, 34]
    assert (
        itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=1, closed_lanes=frozenset({33})).legs == way.legs
    )


def test_a_parcel_that_is_too_heavy_for_a_lane_goes_round(small_network: Network) -> None:
    closed = frozenset({32})
    light = itinerary(small_network, 3, 5, MONDAY_TEN, weight_g=5_000, closed_lanes=closed)
    assert [leg.lane_id for leg in light.legs] == [35, 38]
    with pytest.raises(NoRoute) as caught:
        itinerary(small_network, 6, 5, MONDAY_TEN, weight_g=5_001)
    assert caught.value.reason is NoRouteReason.TOO_HEAVY


@pytest.mark.parametrize(
    ("ends", "closed", "reason"),
    [
        ((2, 1), (), NoRouteReason.NOT_CONNECTED),
        ((1, 2), (1,), NoRouteReason.ORIGIN_CLOSED),
        ((1, 2), (2,), NoRouteReason.DESTINATION_CLOSED),
        ((1, 2), (5, 6), NoRouteReason.CLOSURES),
    ],
)
def test_no_route_says_why(
    small_network: Network, ends: tuple[int, int], closed: tuple[int, ...], reason: NoRouteReason
) -> None:
    with pytest.raises(NoRoute) as caught:
        itinerary(small_network, *ends, MONDAY_TEN, weight_g=1, closed_facilities=frozenset(closed))
    assert caught.value.reason is reason


def test_between_sorting_centres_no_parcel_goes_through_an_outlet(small_network: Network) -> None:
    lanes = tuple(lane for lane in small_network.lanes if lane.lane_id in (31, 34))
    back = replace(small_network.lane(31), lane_id=90, from_facility_id=3, to_facility_id=2)
    onward = replace(small_network.lane(31), lane_id=91, from_facility_id=2, to_facility_id=4)
    network = Network(small_network.facilities, (*lanes, back, onward))
    assert itinerary(network, 1, 2, MONDAY_TEN, weight_g=1).legs[-1].lane_id == 90
    with pytest.raises(NoRoute) as caught:
        itinerary(network, 1, 4, MONDAY_TEN, weight_g=1)
    assert caught.value.reason is NoRouteReason.NO_DEPARTURE


def test_the_horizon_is_a_fortnight_to_the_second(small_network: Network) -> None:
    just_ready = MONDAY_TEN.replace(hour=11, minute=30)
    for duration_s, arrives in ((14 * 86_400 - 1800, True), (14 * 86_400 - 1799, False)):
        slow = replace(small_network.lane(31).departures[0], duration_s=duration_s)
        network = Network(small_network.facilities, (replace(small_network.lane(31), departures=(slow,)),))
        if arrives:
            way = itinerary(network, 1, 3, just_ready, weight_g=1)
            assert way.arrival_at == just_ready + timedelta(days=14)
            continue
        with pytest.raises(NoRoute) as caught:
            itinerary(network, 1, 3, just_ready, weight_g=1)
        assert caught.value.reason is NoRouteReason.NO_DEPARTURE


def test_bad_questions_get_clear_errors(small_network: Network) -> None:
    with pytest.raises(UnknownFacilityError, match="99"):
        itinerary(small_network, 1, 99, MONDAY_TEN, weight_g=1)
    with pytest.raises(InvalidNetworkError, match="offset"):
        itinerary(small_network, 1, 2, datetime(2026, 11, 2), weight_g=1)  # noqa: DTZ001
    with pytest.raises(InvalidNetworkError, match="weight_g"):
        itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=-1)
    with pytest.raises(InvalidNetworkError, match="no lane 7"):
        itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=1, closed_lanes=frozenset({7}))


def test_alternatives_start_with_the_best_and_differ(small_network: Network) -> None:
    ways = alternatives(small_network, 1, 2, MONDAY_TEN, weight_g=1, count=9)
    assert ways[0] == itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=1)
    assert len({way.legs for way in ways}) == len(ways) == 3
    assert [way.arrival_at for way in ways] == sorted(way.arrival_at for way in ways)
    assert {way.ready_at for way in ways} == {MONDAY_TEN}
    # The other hub, and the later departure of the outlet, which still meets the same lorry.
    assert [leg.lane_id for leg in ways[2].legs[1:3]] == [35, 36]
    assert local(ways[1].legs[0].departure_at) == (2, 18, 0)
    assert alternatives(small_network, 1, 2, MONDAY_TEN, weight_g=1, count=1) == ways[:1]


def test_point_to_point_is_one_leg(small_network: Network) -> None:
    way = direct_itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=2_000)
    [leg] = way.legs
    assert (leg.from_facility_id, leg.to_facility_id, way.handlings) == (1, 2, 1)
    assert local(leg.departure_at) == (2, 19, 0)
    # Ten degrees of latitude are 1,112 km, by road 1,446 km, at 65 km/h and half an hour for loading.
    assert way.distance_m == pytest.approx(1_445_500, abs=500)
    assert leg.arrival_at - leg.departure_at == timedelta(seconds=1800 + way.distance_m * 3600 // 65_000)
    # 30 yuan and 2.60 a kilometre, shared by 20 kg.
    assert way.cost_minor == -(-(3000 + 260 * way.distance_m // 1000) // 10) + 4


def test_networks_are_checked(small_network: Network) -> None:
    facilities, lanes = small_network.facilities, small_network.lanes
    with pytest.raises(InvalidNetworkError, match="facility id 1 stands twice"):
        Network((*facilities, replace(facilities[0], code="other")), lanes)
    with pytest.raises(InvalidNetworkError, match="facility code"):
        Network((*facilities, replace(facilities[0], facility_id=8)), lanes)
    with pytest.raises(InvalidNetworkError, match="lane id 31 stands twice"):
        Network(facilities, (*lanes, lanes[0]))
    with pytest.raises(InvalidNetworkError, match="refers to no facility 7"):
        Network(facilities[:-1], lanes)
