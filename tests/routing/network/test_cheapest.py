"""The cheapest way in time, and full departures, against all ways there are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.network import (
    Departure,
    Facility,
    FacilityKind,
    InvalidNetworkError,
    Lane,
    Mode,
    Network,
    NoRoute,
    NoRouteReason,
    Run,
    cheapest,
    itinerary,
)
from routing.network.timetable import instants

READY = datetime(2026, 11, 2, 2, tzinfo=UTC)
WEIGHT_G = 2_000


def some_network(seed: int) -> Network:
    """Up to six places with lanes of all prices and speeds; capacities are small, so that departures fill."""
    random = Random(seed)
    size = random.randint(2, 6)
    kinds = random.choices(
        [FacilityKind.OUTLET, FacilityKind.HUB, FacilityKind.GATEWAY], weights=[2, 3, 1], k=size
    )
    facilities = tuple(
        Facility(i, f"F{i}", "", kind, 30.0, 110.0 + i, random.randint(0, 7200), "own")
        for i, kind in enumerate(kinds, start=1)
    )
    lanes = []
    for lane_id in range(100, 100 + random.randint(size, 4 * size)):
        ends = random.sample(range(1, size + 1), 2)
        departures = tuple(
            Departure(127, random.randrange(1440), random.randint(600, 12 * 3600), "UTC")
            for _ in range(random.randint(1, 3))
        )
        cost = random.choice([0, 1000, 5000, 20_000])
        capacity_g = random.choice([None, 4_000, 10_000])
        lanes.append(
            Lane(lane_id, *ends, Mode.ROAD, 1, cost, random.choice([0, 5]), capacity_g, "x", departures)
        )
    return Network(facilities, tuple(lanes))


def ways(
    network: Network, way: tuple[Lane, ...], place: int, end: int, down: bool
) -> Iterator[tuple[Lane, ...]]:
    """Every sequence of lanes that passes no place twice in one phase and keeps the order of the phases."""
    if place == end:
        yield way
        return
    sorts = {f.facility_id: f.kind.sorts for f in network.facilities}
    for lane in network.lanes:
        if lane.from_facility_id != place:
            continue
        target = lane.to_facility_id
        if down and sorts[target]:
            continue
        onward = down or (sorts[place] and not sorts[target])
        if len(way) < 7 and target not in {leg.to_facility_id for leg in way[-3:]}:
            yield from ways(network, (*way, lane), target, end, onward)


def travel(
    network: Network, way: tuple[Lane, ...], loads_g: Mapping[Run, int]
) -> tuple[int, datetime] | None:
    """Cost and arrival of a parcel that takes on each lane what arrives first and has room."""
    at = READY
    for lane in way:
        handled = at + timedelta(seconds=network.facility(lane.from_facility_id).sort_s)
        arrivals = [
            datetime.fromtimestamp(leaves + departure.duration_s, UTC)
            for departure in lane.departures
            for leaves in instants(departure, READY.date(), 15)
            if leaves >= handled.timestamp() and has_room(lane, leaves, loads_g)
        ]
        if not arrivals:
            return None
        at = min(arrivals)
    return sum(lane.cost_minor(WEIGHT_G) for lane in way), at


def has_room(lane: Lane, leaves: int, loads_g: Mapping[Run, int]) -> bool:
    load_g = loads_g.get((lane.lane_id, datetime.fromtimestamp(leaves, UTC)), 0)
    return lane.capacity_g is None or load_g + WEIGHT_G <= lane.capacity_g


def some_loads(network: Network, random: Random) -> dict[Run, int]:
    """Half of the departures of two days carry something."""
    return {
        (lane.lane_id, datetime.fromtimestamp(leaves, UTC)): random.choice([1_000, 3_000, 9_000])
        for lane in network.lanes
        for departure in lane.departures
        for leaves in instants(departure, READY.date(), 2)
        if random.random() < 0.5
    }


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32), hours=st.integers(1, 60), loaded=st.booleans())
def test_no_way_is_cheaper_in_time(seed: int, hours: int, loaded: bool) -> None:
    network = some_network(seed)
    loads_g = some_loads(network, Random(seed)) if loaded else {}
    deadline = READY + timedelta(hours=hours)
    found = [travel(network, way, loads_g) for way in ways(network, (), 1, 2, False)]
    fitting = sorted(way for way in found if way is not None and way[1] <= deadline)
    arrivals = [way[1] for way in found if way is not None and way[1] <= READY + timedelta(days=14)]
    if arrivals:
        first = itinerary(network, 1, 2, READY, weight_g=WEIGHT_G, loads_g=loads_g)
        assert first.arrival_at == min(arrivals)
    if not fitting:
        with pytest.raises(NoRoute):
            cheapest(network, 1, 2, READY, arrive_by=deadline, weight_g=WEIGHT_G, loads_g=loads_g)
        return
    best = cheapest(network, 1, 2, READY, arrive_by=deadline, weight_g=WEIGHT_G, loads_g=loads_g)
    assert (best.cost_minor, best.arrival_at) == fitting[0]
    assert all(
        has_room(network.lane(leg.lane_id), int(leg.departure_at.timestamp()), loads_g) for leg in best.legs
    )


def test_the_slow_way_is_taken_when_there_is_time(small_network: Network) -> None:
    dear = tuple(
        replace(lane, cost_fixed_minor=900_000) if lane.lane_id in (32, 33) else lane
        for lane in small_network.lanes
    )
    network = Network(small_network.facilities, dear)
    first = itinerary(network, 1, 2, READY, weight_g=WEIGHT_G)
    just = cheapest(network, 1, 2, READY, arrive_by=first.arrival_at, weight_g=WEIGHT_G)
    assert just == first
    later = cheapest(network, 1, 2, READY, arrive_by=first.arrival_at + timedelta(days=1), weight_g=WEIGHT_G)
    assert [leg.lane_id for leg in later.legs] == [31, 35, 36, 34]
    assert later.cost_minor < first.cost_minor
    with pytest.raises(NoRoute) as caught:
        cheapest(network, 1, 2, READY, arrive_by=first.arrival_at - timedelta(seconds=1), weight_g=WEIGHT_G)
    assert caught.value.reason is NoRouteReason.TOO_LATE


def test_a_full_departure_is_skipped(small_network: Network) -> None:
    first = itinerary(small_network, 1, 2, READY, weight_g=WEIGHT_G)
    full = {(first.legs[0].lane_id, first.legs[0].departure_at): 998_001}
    next_one = itinerary(small_network, 1, 2, READY, weight_g=WEIGHT_G, loads_g=full)
    assert next_one.legs[0].departure_at - first.legs[0].departure_at == timedelta(hours=6)
    assert next_one.legs[1:] == first.legs[1:]
    fits = {(first.legs[0].lane_id, first.legs[0].departure_at): 998_000}
    assert itinerary(small_network, 1, 2, READY, weight_g=WEIGHT_G, loads_g=fits) == first


def test_a_full_fast_trip_gives_way_to_the_slow_one_it_overtakes() -> None:
    places = tuple(Facility(i, f"F{i}", "", FacilityKind.OUTLET, 30.0, 110.0, 0, "own") for i in (1, 2))
    slow, fast = Departure(127, 600, 10 * 3600, "UTC"), Departure(127, 660, 3600, "UTC")
    network = Network(places, (Lane(9, 1, 2, Mode.ROAD, 1, 1, 1, 5_000, "x", (slow, fast)),))
    full = {(9, datetime(2026, 11, 2, 11, tzinfo=UTC)): 5_000}
    way = itinerary(network, 1, 2, READY, weight_g=1, loads_g=full)
    assert way.legs[0].departure_at.hour == 10
    assert way.arrival_at == datetime(2026, 11, 2, 20, tzinfo=UTC)


def test_where_every_departure_is_full_the_reason_says_so() -> None:
    places = tuple(Facility(i, f"F{i}", "", FacilityKind.OUTLET, 30.0, 110.0, 0, "own") for i in (1, 2))
    network = Network(
        places, (Lane(9, 1, 2, Mode.ROAD, 1, 1, 1, 5_000, "x", (Departure(127, 600, 60, "UTC"),)),)
    )
    full = {(9, datetime(2026, 11, 2, 10, tzinfo=UTC) + timedelta(days=d)): 5_000 for d in range(30)}
    for attempt in (
        lambda: itinerary(network, 1, 2, READY, weight_g=1, loads_g=full),
        lambda: cheapest(network, 1, 2, READY, arrive_by=READY + timedelta(days=3), weight_g=1, loads_g=full),
    ):
        with pytest.raises(NoRoute) as caught:
            attempt()
        assert caught.value.reason is NoRouteReason.FULL


def test_bad_questions_get_clear_errors(small_network: Network) -> None:
    late = READY + timedelta(days=9)
    with pytest.raises(InvalidNetworkError, match="arrive_by"):
        cheapest(small_network, 1, 2, READY, arrive_by=datetime(2026, 11, 9), weight_g=1)  # noqa: DTZ001
    for wrong in ({(99, READY): 1}, {(31, READY): -1}, {(31, datetime(2026, 11, 2)): 1}):  # noqa: DTZ001
        with pytest.raises(InvalidNetworkError):
            cheapest(small_network, 1, 2, READY, arrive_by=late, weight_g=1, loads_g=wrong)
    here = cheapest(small_network, 1, 1, READY, arrive_by=READY, weight_g=1)
    assert here.legs == ()
