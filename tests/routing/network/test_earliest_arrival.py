"""The search against a time-expanded networkx graph that knows nothing of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.network import (
    Departure,
    Facility,
    FacilityKind,
    Itinerary,
    Lane,
    Mode,
    Network,
    NoRoute,
    NoRouteReason,
    itinerary,
    least_time_s,
)

HORIZON = timedelta(days=14)
MONDAY = datetime(2026, 3, 23, tzinfo=UTC)  # the week before Europe's clocks go forward

ZONES = ("Asia/Shanghai", "UTC", "America/St_Johns", "Europe/Helsinki")


def some_network(seed: int) -> Network:
    """A small network dense enough that most of its parcels travel several legs."""
    random = Random(seed)
    size = random.randint(2, 8)
    kinds = random.choices(list(FacilityKind), weights=[3, 3, 2, 1, 1, 1, 1], k=size)
    facilities = tuple(
        Facility(10 + index, f"F{index}", "", kind, 30.0 + index, 110.0, random.randint(0, 6 * 3600), "own")
        for index, kind in enumerate(kinds)
    )
    longest_s = random.choice([600, 6 * 3600, 3 * 86_400])
    lanes = []
    for lane_id in range(100, 100 + random.randint(size, 5 * size)):
        origin, destination = random.sample(range(10, 10 + size), 2)
        departures = tuple(
            Departure(
                weekdays=random.choice([127, random.randint(1, 127)]),
                minute_of_day=random.randint(0, 1439),
                duration_s=random.randint(1, longest_s),
                timezone=random.choice(ZONES),
            )
            for _ in range(random.randint(0, 3))
        )
        lanes.append(Lane(lane_id, origin, destination, Mode.ROAD, 1000, 100, 10, None, "test", departures))
    return Network(facilities, tuple(lanes))


networks = st.builds(some_network, st.integers(0, 1 << 32))


def dated_trips(lane: Lane, first: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """Expand departures by walking over local dates, without the engine's help."""
    found = []
    for departure in lane.departures:
        for offset in range(-2, days + 2):
            day = (first + timedelta(days=offset)).date()
            if departure.weekdays & (1 << day.weekday()):
                hour, minute = divmod(departure.minute_of_day, 60)
                local = datetime(
                    day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(departure.timezone)
                )
                leaves = local.astimezone(UTC)
                found.append((leaves, leaves + timedelta(seconds=departure.duration_s)))
    return found


def oracle_arrival(
    network: Network, origin_id: int, destination_id: int, ready_at: datetime, closed: Sequence[int] = ()
) -> datetime | None:
    """Earliest arrival by reachability in a time-expanded graph.

    Nodes are (facility, phase, moment): the parcel, handled, waits there. Phases: collecting, transferring,
    distributing; a sorting centre may not be entered while distributing.
    """
    facility = {f.facility_id: f for f in network.facilities}
    moments: dict[tuple[int, str], set[datetime]] = {}
    rides = []

    def after(phase: str, target: int) -> str | None:
        if facility[target].kind.sorts:
            return None if phase == "distributing" else "transferring"
        return "collecting" if phase == "collecting" else "distributing"

    def node(place: int, phase: str, at: datetime) -> tuple[int, str, datetime]:
        moments.setdefault((place, phase), set()).add(at)
        return place, phase, at

    first_phase = "transferring" if facility[origin_id].kind.sorts else "collecting"
    start = node(origin_id, first_phase, ready_at + timedelta(seconds=facility[origin_id].sort_s))
    for lane in network.lanes:
        if lane.lane_id in closed:
            continue
        source = facility[lane.from_facility_id]
        phases = ["transferring"] if source.kind.sorts else ["collecting", "distributing"]
        for leaves, arrives in dated_trips(lane, ready_at, HORIZON.days):
            for phase in phases:
                target_phase = after(phase, lane.to_facility_id)
                if target_phase is None or arrives > ready_at + HORIZON:
                    continue
                handled = arrives + timedelta(seconds=facility[lane.to_facility_id].sort_s)
                rides.append(
                    (
                        node(lane.from_facility_id, phase, leaves),
                        node(lane.to_facility_id, target_phase, handled),
                    )
                )
    expanded = nx.DiGraph(rides)
    for (place, phase), times in moments.items():
        chain = [(place, phase, at) for at in sorted(times)]
        nx.add_path(expanded, chain)
    reached = nx.descendants(expanded, start) | {start}
    # Only what was ridden to arrives: a waiting node's moment may belong to a departure.
    arrivals = [
        target[2] - timedelta(seconds=facility[destination_id].sort_s)
        for source, target in rides
        if target[0] == destination_id and source in reached
    ]
    return min(arrivals, default=None)


def check_is_travelled(way: Itinerary, network: Network, origin_id: int, destination_id: int) -> None:
    """Every leg is a trip of its lane, joins the one before, and leaves time for handling."""
    sort_s = {f.facility_id: f.sort_s for f in network.facilities}
    lanes = {lane.lane_id: lane for lane in network.lanes}
    place, at = origin_id, way.ready_at
    for number, leg in enumerate(way.legs, start=1):
        assert leg.sequence == number
        assert leg.from_facility_id == place
        assert leg.departure_at >= at + timedelta(seconds=sort_s[place])
        lane = lanes[leg.lane_id]
        assert (lane.from_facility_id, lane.to_facility_id) == (leg.from_facility_id, leg.to_facility_id)
        assert (leg.departure_at, leg.arrival_at) in dated_trips(lane, way.ready_at, HORIZON.days)
        place, at = leg.to_facility_id, leg.arrival_at
    assert place == destination_id
    assert way.arrival_at == at


@settings(max_examples=300, deadline=None)
@given(network=networks, ready=st.integers(0, 20 * 86_400), data=st.data())
def test_arrives_when_the_time_expanded_graph_says(network: Network, ready: int, data: st.DataObject) -> None:
    ready_at = MONDAY + timedelta(seconds=ready)
    origin, destination = network.facilities[0].facility_id, network.facilities[1].facility_id
    lane_ids = [lane.lane_id for lane in network.lanes]
    closed = frozenset(data.draw(st.lists(st.sampled_from(lane_ids), max_size=2)))
    expected = oracle_arrival(network, origin, destination, ready_at, tuple(closed))
    if expected is None:
        with pytest.raises(NoRoute) as caught:
            itinerary(network, origin, destination, ready_at, weight_g=500, closed_lanes=closed)
        assert caught.value.reason is not NoRouteReason.TOO_HEAVY
        return
    way = itinerary(network, origin, destination, ready_at, weight_g=500, closed_lanes=closed)
    assert way.arrival_at == expected
    check_is_travelled(way, network, origin, destination)
    bound = least_time_s(network.graph, origin, destination)
    assert bound is not None
    assert way.transit_s >= bound


@settings(max_examples=100, deadline=None)
@given(network=networks, ready=st.integers(0, 20 * 86_400))
def test_a_later_parcel_never_arrives_earlier(network: Network, ready: int) -> None:
    origin, destination = network.facilities[0].facility_id, network.facilities[1].facility_id
    arrivals = []
    for hours in (0, 5, 30):
        ready_at = MONDAY + timedelta(seconds=ready, hours=hours)
        try:
            arrivals.append(itinerary(network, origin, destination, ready_at, weight_g=1).arrival_at)
        except NoRoute:
            return
    assert arrivals == sorted(arrivals)
