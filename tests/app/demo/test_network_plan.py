from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from statistics import median

import networkx as nx
import pytest

from app.demo.geography import county
from app.demo.network_plan import NetworkPlan, plan_network
from routing.network import (
    HANDOVERS,
    FacilityKind,
    Handover,
    Itinerary,
    Mode,
    Network,
    distance_m,
    itinerary,
    least_time_s,
)

MORNING = datetime(2026, 11, 2, 2, tzinfo=UTC)  # Monday, 10:00 in China


@pytest.fixture(scope="module")
def plan() -> NetworkPlan:
    return plan_network(42)


@pytest.fixture(scope="module")
def network(plan: NetworkPlan) -> Network:
    return plan.network()


def way(network: Network, origin: str, destination: str, ready_at: datetime = MORNING) -> Itinerary:
    ends = network.by_code(origin).facility_id, network.by_code(destination).facility_id
    return itinerary(network, *ends, ready_at, weight_g=1200)


def test_the_seed_decides_the_plan(plan: NetworkPlan) -> None:
    assert plan_network(42) == plan
    assert plan_network(43) != plan


def test_the_whole_country_is_served(plan: NetworkPlan) -> None:
    kinds = [facility.kind for facility in plan.facilities]
    assert (kinds.count(FacilityKind.HUB), kinds.count(FacilityKind.GATEWAY)) == (6, 31)
    outlets = [facility for facility in plan.facilities if facility.kind is FacilityKind.OUTLET]
    assert len({outlet.district_adcode[:2] for outlet in outlets}) == 31
    assert len({outlet.district_adcode for outlet in outlets}) >= 300
    offered = {handover for kind in kinds for handover in HANDOVERS[kind]}
    assert offered == set(Handover)


def test_facilities_are_where_their_district_is(plan: NetworkPlan) -> None:
    for facility in plan.facilities:
        assert distance_m(facility, county(facility.district_adcode)) < 7_000, facility


def test_codes_are_unique_and_parents_come_first(plan: NetworkPlan) -> None:
    seen: set[str] = set()
    for facility in plan.facilities:
        assert facility.code not in seen
        assert facility.parent_code is None or facility.parent_code in seen
        seen.add(facility.code)
    carriers = {carrier.code: carrier.mode for carrier in plan.carriers}
    for lane in plan.lanes:
        assert {lane.from_code, lane.to_code} <= seen
        assert carriers[lane.carrier_code] is lane.mode


def test_every_facility_reaches_every_other(network: Network) -> None:
    assert nx.is_strongly_connected(network.graph)


def test_far_hubs_are_joined_by_air_and_near_ones_are_not(plan: NetworkPlan) -> None:
    by_code = {facility.code: facility for facility in plan.facilities}
    hub_lanes = [lane for lane in plan.lanes if lane.from_code[-2:] == lane.to_code[-2:] == "-H"]
    flown = {(lane.from_code, lane.to_code) for lane in hub_lanes if lane.mode is Mode.AIR}
    joined = {(lane.from_code, lane.to_code) for lane in hub_lanes}
    assert len(joined) == 6 * 5
    for origin, destination in joined:
        far = distance_m(by_code[origin], by_code[destination]) > 1_000_000
        assert ((origin, destination) in flown) == far


@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_within_a_city_a_parcel_takes_less_than_a_day(network: Network, hour: int) -> None:
    ready_at = MORNING + timedelta(hours=hour)
    for origin, destination in (("420106-1", "420102-1"), ("110105-1", "110101-2"), ("540102-1", "540104-1")):
        assert way(network, origin, destination, ready_at).transit_s < 24 * 3600


def test_across_the_country_it_takes_days_by_road_and_less_by_air(
    plan: NetworkPlan, network: Network
) -> None:
    random = Random(7)
    outlets = [facility for facility in network.facilities if facility.kind is FacilityKind.OUTLET]
    air = frozenset(lane.lane_id for lane in network.lanes if lane.mode is Mode.AIR)
    by_road: list[float] = []
    by_any: list[float] = []
    while len(by_road) < 150:
        origin, destination = random.sample(outlets, 2)
        if distance_m(origin, destination) < 1_500_000:
            continue
        ready_at = MORNING + timedelta(hours=random.randrange(7 * 24))
        ends = origin.facility_id, destination.facility_id
        any_way = itinerary(network, *ends, ready_at, weight_g=1200)
        road_way = itinerary(network, *ends, ready_at, weight_g=1200, closed_lanes=air)
        assert any_way.arrival_at <= road_way.arrival_at
        bound = least_time_s(network.graph, *ends)
        assert bound is not None
        assert any_way.transit_s >= bound
        by_any.append(any_way.transit_s / 86_400)
        by_road.append(road_way.transit_s / 86_400)
    assert 2 < median(by_road) < 4.5
    assert 1 < median(by_any) < median(by_road) - 0.25
    assert max(by_road) < 8


def test_a_parcel_goes_up_over_and_down(network: Network) -> None:
    legs = way(network, "420106-1", "110105-1").legs
    places = [network.facility(leg.from_facility_id).kind for leg in legs]
    assert places[0] is FacilityKind.OUTLET
    assert all(kind.sorts for kind in places[1:])
    assert all(later.departure_at > earlier.arrival_at for earlier, later in pairwise(legs))
