"""How fast a parcel's way through the demo network is found.

Two peers, both networkx: Dijkstra on the time-expanded graph, which is the textbook way to search a
timetable and must find the same arrivals (compared here, query by query), and Dijkstra on the plain graph,
which knows no timetable and so answers an easier question. The limit is to time a way that is known already:
one bisection for each hop, without any search.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import networkx as nx
from _measure import Contender, print_table

from app.demo.network_plan import plan_network
from routing.network import Facility, FacilityKind, Itinerary, Network, itinerary
from routing.network.timetable import Trips, trips

_QUERIES = 40
_DAYS = 9
_FIRST_DAY = date(2026, 3, 1)

# An outlet is two places: where a parcel is collected (False) and where it is distributed (True).
Place = tuple[int, bool]
Event = tuple[str, Place, int]


@dataclass(frozen=True, slots=True)
class Query:
    """A parcel between two outlets."""

    origin: Facility
    destination: Facility
    ready_at: datetime


def queries(network: Network, random: Random) -> list[Query]:
    """Parcels at any hour of two working days."""
    outlets = [facility for facility in network.facilities if facility.kind is FacilityKind.OUTLET]
    start = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        Query(*random.sample(outlets, 2), start + timedelta(minutes=random.randrange(2 * 24 * 60)))
        for _ in range(_QUERIES)
    ]


def time_expanded(network: Network, dated: dict[int, Trips]) -> nx.DiGraph[object]:
    """Departures and arrivals as nodes, trips and waiting as edges, seconds as weights.

    The rules of `routing.network.search` hold: from a sorting centre up or across or down, from an outlet in
    distribution only further down.
    """
    facilities = {facility.facility_id: facility for facility in network.facilities}
    graph: nx.DiGraph[object] = nx.DiGraph()
    leaving: dict[Place, set[int]] = defaultdict(set)
    arriving: dict[Place, set[int]] = defaultdict(set)
    for lane in network.lanes:
        origin, target = facilities[lane.from_facility_id], facilities[lane.to_facility_id]
        for distributing in (False, True):
            if distributing and (origin.kind.sorts or target.kind.sorts):
                continue
            down = distributing or (origin.kind.sorts and not target.kind.sorts)
            source, sink = (origin.facility_id, distributing), (target.facility_id, down)
            for leaves, arrives in zip(
                dated[lane.lane_id].departures, dated[lane.lane_id].arrivals, strict=True
            ):
                graph.add_edge(("leave", source, leaves), ("arrive", sink, arrives), weight=arrives - leaves)
                leaving[source].add(leaves)
                arriving[sink].add(arrives)
    for place, moments in leaving.items():
        waiting = sorted(moments)
        for earlier, later in pairwise(waiting):
            graph.add_edge(("leave", place, earlier), ("leave", place, later), weight=later - earlier)
        for arrives in arriving[place]:
            found = bisect_left(waiting, arrives + facilities[place[0]].sort_s)
            if found < len(waiting):
                graph.add_edge(
                    ("arrive", place, arrives),
                    ("leave", place, waiting[found]),
                    weight=waiting[found] - arrives,
                )
    for place, moments in arriving.items():
        for arrives in moments:
            graph.add_edge(("arrive", place, arrives), ("end", place[0]), weight=0)
    return graph


def first_event(leaving: dict[int, list[int]], query: Query) -> tuple[Event, int]:
    """The first departure a parcel can wait for at its origin."""
    handled = int(query.ready_at.timestamp()) + query.origin.sort_s
    moments = leaving[query.origin.facility_id]
    leaves = moments[bisect_left(moments, handled)]
    return ("leave", (query.origin.facility_id, False), leaves), leaves


def main() -> None:
    network = plan_network(seed=42).network()
    asked = queries(network, Random(42))
    dated = {lane.lane_id: trips(lane.departures, _FIRST_DAY, _DAYS) for lane in network.lanes}
    began = time.perf_counter()
    expanded = time_expanded(network, dated)
    built_s = time.perf_counter() - began
    leaving = {
        facility.facility_id: sorted(
            moment
            for lane in network.lanes
            if lane.from_facility_id == facility.facility_id
            for moment in dated[lane.lane_id].departures
        )
        for facility in {query.origin for query in asked}
    }

    def ask(query: Query) -> Itinerary:
        ends = query.origin.facility_id, query.destination.facility_id
        return itinerary(network, *ends, query.ready_at, weight_g=1_000)

    def ask_expanded(query: Query) -> int:
        event, leaves = first_event(leaving, query)
        return leaves + nx.dijkstra_path_length(expanded, event, ("end", query.destination.facility_id))

    ways = [ask(query) for query in asked]
    differing = sum(
        ask_expanded(query) != int(way.arrival_at.timestamp()) for query, way in zip(asked, ways, strict=True)
    )

    def search() -> int:
        for query in asked:
            ask(query)
        return _QUERIES

    def search_expanded() -> int:
        # Some at a time: one round over all queries would be longer than a turn.
        for query in asked[:4]:
            ask_expanded(query)
        return 4

    def search_plain() -> int:
        for query in asked:
            nx.dijkstra_path(
                network.graph, query.origin.facility_id, query.destination.facility_id, weight="time_s"
            )
        return _QUERIES

    def time_known() -> int:
        for query, way in zip(asked, ways, strict=True):
            moment = int(query.ready_at.timestamp())
            for leg in way.legs:
                lane = dated[leg.lane_id]
                trip = lane.catch(moment + network.facility(leg.from_facility_id).sort_s)
                assert trip is not None, "the way was found on these trips"
                moment = lane.arrivals[trip]
        return _QUERIES

    print(f"{len(network.facilities)} facilities, {len(network.lanes)} lanes")
    nodes = expanded.number_of_nodes()
    print_table(
        "Earliest arrival between two outlets",
        "queries",
        [
            Contender("limit: time a known way", time_known, "no search"),
            Contender(
                "peer: networkx, time-expanded",
                search_expanded,
                f"{nodes:,} nodes, built in {built_s:.1f} s; {differing} of {_QUERIES} arrivals differ",
            ),
            Contender("peer: networkx, plain graph", search_plain, "knows no timetable"),
            Contender("routing.network.itinerary", search, "with legs, times and cost"),
        ],
    )


if __name__ == "__main__":
    main()
