"""Topologies by arrays, against the timetable engine that searches each parcel's way on its own."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.network import (
    Facility,
    FacilityKind,
    InvalidNetworkError,
    Itinerary,
    Network,
    hub_lines,
    itinerary,
    point_to_point_lines,
    several_hubs,
)
from routing.network import point_to_point as point_to_point_topology
from routing.network.comparison import (
    Flows,
    Operation,
    Places,
    Shape,
    choose_hubs,
    gravity_flows,
    hybrid,
    measure,
    multiple_allocation,
    point_to_point,
    single_allocation,
)
from routing.network.comparison.measure import Totals, nearest_rank, ride
from routing.network.terms import ROAD_LORRY, ROAD_VAN

MIDNIGHT = datetime(2026, 11, 1, 16, tzinfo=UTC)  # in China
BY_LORRY = Operation(vehicles=(ROAD_LORRY,), minutes=(ROAD_LORRY.minutes_of_day,) * 4)


def some_places(size: int, seed: int) -> Places:
    random = np.random.default_rng(seed)
    ids = tuple(f"P{i}" for i in range(size))
    return Places(
        ids, ids, random.uniform(22, 45, size), random.uniform(85, 125, size), random.uniform(0.1, 9, size)
    )


def some_flows(places: Places, count: int, seed: int) -> Flows:
    random = np.random.default_rng(seed)
    start = random.integers(0, places.size, count)
    end = (start + random.integers(1, places.size, count)) % places.size
    parcels = random.integers(1, 9_000, count)
    return Flows.of(places, start, end, parcels, parcels * random.integers(100, 3_000, count))


def facilities_of(places: Places, hubs: tuple[int, ...]) -> list[Facility]:
    return [
        Facility(
            index + 1,
            place_id,
            "",
            FacilityKind.GATEWAY,
            float(places.latitude[index]),
            float(places.longitude[index]),
            BY_LORRY.hub_sort_s if index in hubs else BY_LORRY.place_sort_s,
            "own",
        )
        for index, place_id in enumerate(places.ids)
    ]


def by_the_engine(places: Places, flows: Flows, shape: Shape) -> list[Itinerary]:
    facilities = facilities_of(places, shape.hubs)
    if shape.hubs:
        lanes = several_hubs(facilities, [hub + 1 for hub in shape.hubs], menu=[ROAD_LORRY]).lanes
    else:
        lanes = point_to_point_topology(facilities, [ROAD_LORRY]).lanes
    network = Network(tuple(facilities), lanes)
    ready_at = MIDNIGHT + timedelta(minutes=BY_LORRY.ready_minute)
    return [
        itinerary(network, start + 1, end + 1, ready_at, weight_g=0)
        for start, end in zip(flows.origin.tolist(), flows.destination.tolist(), strict=True)
    ]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), hubs=st.sets(st.integers(0, 8), max_size=4))
def test_each_flow_fares_as_the_timetable_engine_says(seed: int, hubs: set[int]) -> None:
    places = some_places(9, seed)
    flows = some_flows(places, 30, seed)
    shape = single_allocation(places, flows, sorted(hubs)) if hubs else point_to_point(places, flows)
    ways = by_the_engine(places, flows, shape)
    arrival_s, handlings, _ = ride(places, flows, shape, BY_LORRY, Totals())
    assert arrival_s.tolist() == [int((way.arrival_at - MIDNIGHT).total_seconds()) for way in ways]
    assert handlings.tolist() == [way.handlings for way in ways]
    found = measure(places, flows, shape, BY_LORRY)
    loads: Counter[tuple[int, int, datetime]] = Counter()
    length_m: dict[tuple[int, int, datetime], int] = {}
    for way, grams in zip(ways, flows.grams.tolist(), strict=True):
        for leg in way.legs:
            run = leg.from_facility_id, leg.to_facility_id, leg.departure_at
            loads[run] += grams
            length_m[run] = leg.distance_m
    vehicles = {run: max(1, -(-load // ROAD_LORRY.capacity_g)) for run, load in loads.items()}
    assert found.departures == len(loads)
    assert found.vehicles == sum(vehicles.values())
    assert found.vehicle_m == sum(count * length_m[run] for run, count in vehicles.items())
    assert found.lines_used == len({run[:2] for run in loads})
    assert found.cost_minor == sum(
        count * (ROAD_LORRY.cost_fixed_minor + ROAD_LORRY.cost_per_km_minor * length_m[run] // 1000)
        - -ROAD_LORRY.cost_per_kg_minor * loads[run] // 1000
        for run, count in vehicles.items()
    )
    parcels = flows.parcels.tolist()
    assert found.handlings_per_parcel == pytest.approx(
        sum(n * way.handlings for n, way in zip(parcels, ways, strict=True)) / sum(parcels)
    )
    assert found.transit_s_mean == sum(
        n * way.transit_s for n, way in zip(parcels, ways, strict=True)
    ) // sum(parcels)


@pytest.mark.parametrize("size", [2, 31, 332, 2853])
def test_lines_are_counted_exactly(size: int) -> None:
    places = some_places(size, 1)
    flows = Flows.of(places, [0], [1], [1])
    assert point_to_point(places, flows).lines == point_to_point_lines(size) == size * (size - 1)
    assert single_allocation(places, flows, [0]).lines == 2 * (size - 1)


@given(seed=st.integers(0, 1000), count=st.integers(1, 6), each=st.integers(1, 7))
def test_lines_are_those_of_the_graph(seed: int, count: int, each: int) -> None:
    places = some_places(12, seed)
    flows = some_flows(places, 20, seed)
    hubs = np.random.default_rng(seed).permutation(12)[:count].tolist()
    single = single_allocation(places, flows, hubs)
    assert single.lines == hub_lines(12, count) == 2 * single.graph(flows).number_of_edges()
    several = multiple_allocation(places, flows, hubs, allocations=each)
    assert several.lines == 2 * several.graph(flows).number_of_edges()
    assert several.lines == count * (count - 1) + 2 * min(each, count) * (12 - count)


def test_each_flow_takes_its_shortest_pair_of_hubs() -> None:
    places = some_places(20, 3)
    flows = some_flows(places, 60, 3)
    hubs = [2, 5, 11, 17]
    shape = multiple_allocation(places, flows, hubs, allocations=4, discount=0.5)

    def length(start: int, first: int, last: int, end: int) -> float:
        legs = places.distance_m(np.array([start, first, last]), np.array([first, last, end]))
        return float(legs @ [1, 0.5, 1])

    for row, (start, end) in enumerate(zip(flows.origin.tolist(), flows.destination.tolist(), strict=True)):
        firsts, lasts = [[place] if place in hubs else hubs for place in (start, end)]
        best = min(length(start, first, last, end) for first in firsts for last in lasts)
        assert length(start, int(shape.first[row]), int(shape.last[row]), end) == pytest.approx(best)


@given(st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_direct_lines_never_make_the_whole_dearer(seed: int) -> None:
    places = some_places(15, seed)
    flows = some_flows(places, 80, seed)
    single = single_allocation(places, flows, [1, 8])
    mixed = hybrid(places, flows, single, Operation())
    before, after = (measure(places, flows, shape, Operation()) for shape in (single, mixed))
    assert after.cost_minor <= before.cost_minor
    assert mixed.lines == single.lines + int(mixed.direct.sum())
    assert 2 * len({tuple(sorted(edge)) for edge in mixed.graph(flows).edges}) >= single.lines


def test_a_full_lorry_between_two_places_pays_for_a_line_of_its_own() -> None:
    coordinates = np.array([30.0, 30.0, 40.0, 30.5]), np.array([110.0, 111.0, 110.5, 110.5])
    places = Places(("a", "b", "hub", "c"), ("",) * 4, *coordinates, np.ones(4))
    flows = Flows.of(places, [0, 0, 3], [1, 3, 1], [10_000, 1, 1])
    single = single_allocation(places, flows, [2])
    mixed = hybrid(places, flows, single, Operation(vehicles=(ROAD_LORRY,)))
    heavy = (flows.origin == 0) & (flows.destination == 1)
    assert mixed.direct[heavy].all()
    assert measure(places, flows, mixed, Operation()).handlings_per_parcel < 1.01


def test_a_departure_takes_the_vehicle_that_carries_its_load_for_the_least_cost() -> None:
    places = some_places(2, 0)
    operation = Operation(vehicles=(ROAD_VAN, ROAD_LORRY))
    for parcels, capacity_g in ((1, 1_500_000), (1000, 1_500_000), (8_000, 18_000_000)):
        flows = Flows.of(places, [0], [1], [parcels])
        found = measure(places, flows, point_to_point(places, flows), operation)
        assert found.vehicles == 1
        terms = ROAD_VAN if capacity_g == 1_500_000 else ROAD_LORRY
        metres = round(float(places.distance_m(np.array(0), np.array(1)))) * terms.detour_percent // 100
        assert found.vehicle_m == metres
        assert found.cost_minor == (
            terms.cost_fixed_minor
            + terms.cost_per_km_minor * metres // 1000
            - -terms.cost_per_kg_minor * parcels * 1500 // 1000
        )


def test_only_what_drives_between_hubs_has_the_discount() -> None:
    places = some_places(3, 5)
    flows = Flows.of(places, [0, 2], [1, 1], [500, 500])
    shape = single_allocation(places, flows, [0, 1])
    full, half = (
        measure(places, flows, shape, Operation(vehicles=(ROAD_VAN,), discount_per_mille=share))
        for share in (1000, 500)
    )
    transfer_only = Flows.of(places, [0], [1], [500])
    alone = measure(
        places,
        transfer_only,
        single_allocation(places, transfer_only, [0, 1]),
        Operation(vehicles=(ROAD_VAN,)),
    )
    per_kg = 500 * 1500 * ROAD_VAN.cost_per_kg_minor // 1000
    assert full.cost_minor - half.cost_minor >= (alone.cost_minor - per_kg) // 2 - 1
    assert half.vehicle_m == full.vehicle_m


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=30), st.integers(1, 100)
)
def test_nearest_rank(weighted: list[tuple[int, int]], percent: int) -> None:
    values, weights = (np.array(column) for column in zip(*weighted, strict=True))
    spread = sorted(value for value, weight in weighted for _ in range(weight))
    expected = spread[-(-len(spread) * percent // 100) - 1]
    assert nearest_rank(values, weights, percent) == expected


def test_one_hub_is_chosen_in_each_cluster() -> None:
    random = np.random.default_rng(7)
    centres = np.repeat([[24.0, 105.0], [31.0, 120.0], [42.0, 122.0]], 20, axis=0)
    latitude, longitude = (centres + random.normal(0, 0.3, (60, 2))).T
    ids = tuple(map(str, range(60)))
    places = Places(ids, ids, latitude, longitude, np.ones(60))
    hubs = choose_hubs(places, gravity_flows(places, 20_000), 3, discount=0.6)
    assert [hub // 20 for hub in hubs] == [0, 1, 2]
    with pytest.raises(InvalidNetworkError):
        choose_hubs(places, gravity_flows(places, 20), 61)


def test_hubs_are_as_good_as_the_best_of_all_of_a_small_case() -> None:
    from itertools import combinations

    places = some_places(10, 12)
    flows = some_flows(places, 90, 12)

    def parcel_m(hubs: tuple[int, ...]) -> float:
        shape = single_allocation(places, flows, hubs)
        length = places.distance_m(flows.origin, shape.first) + places.distance_m(
            shape.last, flows.destination
        )
        return float(((length + 0.4 * places.distance_m(shape.first, shape.last)) * flows.parcels).sum())

    chosen = choose_hubs(places, flows, 3, discount=0.4)
    assert parcel_m(chosen) == pytest.approx(min(map(parcel_m, combinations(range(10), 3))))


@pytest.mark.parametrize("hubs", [{0}, {0, 5, 9}])
def test_every_parcel_that_a_hub_sorts_comes_to_its_queue(hubs: set[int]) -> None:
    places = some_places(20, 3)
    flows = some_flows(places, 200, 3)
    shape = single_allocation(places, flows, tuple(sorted(hubs)))
    found = measure(places, flows, shape, replace(BY_LORRY, hub_per_hour=10_000_000))
    assert [(one.hub, one.queue.pieces) for one in found.hub_queues] == [
        (load.hub, load.parcels) for load in found.hub_loads
    ]
    assert found.overloaded == ()
    assert found.longest_queue_s is not None
    busiest = max(found.hub_loads, key=lambda load: load.parcels)
    tight = measure(places, flows, shape, replace(BY_LORRY, hub_per_hour=(busiest.parcels - 1) // 24))
    assert busiest.hub in tight.overloaded
    assert replace(tight, hub_queues=()) == measure(places, flows, shape, BY_LORRY)
    with pytest.raises(InvalidNetworkError, match="sorts nothing"):
        replace(BY_LORRY, hub_per_hour=0)
