"""How fast a parcel's way through a national timetable is found, and that it is the right one.

2,852 places, 30 hubs, 10,000 departures a day. Two peers, both networkx: Dijkstra on the time-expanded graph
of the dates that the parcels travel in, which is the textbook way to search a timetable and must find the
same arrivals (1,000 random parcels are compared), and Dijkstra on the plain graph, which knows no timetable
and so answers an easier question. The limit is to time a way that is known already: one bisection for each
hop, without any search.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from random import Random

import networkx as nx
from _measure import Contender, print_table
from _national import national_network

from routing.network import Network, NoRoute, Query, cheapest, itineraries, itinerary
from routing.network.timetable import DatedLanes
from tests.routing.network.time_expanded import TimeExpanded

_COMPARED = 1_000
_MEASURED = 10_000
_READY_DAYS = 1
_HORIZON_DAYS = 4
_START = datetime(2026, 3, 1, 16, tzinfo=UTC)  # a Monday begins in China
_FIRST_DAY = date(2026, 3, 1)


def parcels(network: Network, count: int, random: Random) -> list[Query]:
    """Parcels between any two places, ready at any minute of a day."""
    ids = [facility.facility_id for facility in network.facilities]
    return [
        Query(*random.sample(ids, 2), _START + timedelta(minutes=random.randrange(_READY_DAYS * 1440)), 1_000)
        for _ in range(count)
    ]


def ask(network: Network, query: Query) -> datetime:
    """When a parcel arrives."""
    return itinerary(
        network, query.origin_id, query.destination_id, query.ready_at, weight_g=query.weight_g
    ).arrival_at


def differing(network: Network, expanded: TimeExpanded, asked: list[Query]) -> int:
    """How many arrivals the engine and the time-expanded graph do not agree on, within the horizon."""
    count = 0
    for query in asked:
        found = expanded.arrival(query.origin_id, query.destination_id, int(query.ready_at.timestamp()))
        arrival_at = ask(network, query)
        if arrival_at <= query.ready_at + timedelta(days=_HORIZON_DAYS):
            count += found != int(arrival_at.timestamp())
        else:
            count += found is not None and found < int(arrival_at.timestamp())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False)  # of the table, which measures as long
    parser.add_argument("--seconds", type=float, default=2.0)
    compared = min(_COMPARED, max(20, round(_COMPARED * parser.parse_known_args()[0].seconds)))
    network = national_network()
    asked = parcels(network, _MEASURED, Random(42))
    began = time.perf_counter()
    ask(network, asked[0])
    first_s = time.perf_counter() - began
    began = time.perf_counter()
    answers = itineraries(network, asked)
    cold_s = time.perf_counter() - began
    ways = [answer for answer in answers if not isinstance(answer, NoRoute)]
    began = time.perf_counter()
    expanded = TimeExpanded(network, _FIRST_DAY, _READY_DAYS + _HORIZON_DAYS + 2)
    built_s = time.perf_counter() - began
    wrong = differing(network, expanded, asked[:compared])
    dated = DatedLanes(network.lanes, _FIRST_DAY, _READY_DAYS + 16)
    position = {lane.lane_id: index for index, lane in enumerate(network.lanes)}

    def search() -> int:
        for query in asked[:2_000]:
            ask(network, query)
        return 2_000

    def search_cheapest() -> int:
        for query, way in zip(asked[:50], ways, strict=False):
            cheapest(
                network,
                query.origin_id,
                query.destination_id,
                query.ready_at,
                arrive_by=way.arrival_at + timedelta(days=1),
                weight_g=query.weight_g,
            )
        return 50

    waiting = cycle(asked)

    def search_expanded() -> int:
        # One at a time: more would be longer than a turn.
        query = next(waiting)
        expanded.arrival(query.origin_id, query.destination_id, int(query.ready_at.timestamp()))
        return 1

    def search_plain() -> int:
        for query in asked[:5]:
            nx.dijkstra_path(network.graph, query.origin_id, query.destination_id, weight="time_s")
        return 5

    def time_known() -> int:
        for query, way in zip(asked[:2_000], ways, strict=False):
            moment = int(query.ready_at.timestamp())
            for leg in way.legs:
                lane = dated.of(position[leg.lane_id])
                trip = lane.catch(network.layout.handled(network.position(leg.from_facility_id), moment))
                assert trip is not None, "the way was found on these trips"
                moment = lane.arrivals[trip]
        return 2_000

    departures = sum(len(lane.departures) for lane in network.lanes)
    print(f"{len(network.facilities)} places, {len(network.lanes)} lanes, {departures:,} departures a day")
    rate = f"{_MEASURED / cold_s:,.0f} a second"
    print(f"with nothing kept: first question {first_s * 1000:.0f} ms, the next {_MEASURED:,} at {rate}")
    nodes = expanded.graph.number_of_nodes()
    print_table(
        "Earliest arrival between two places (at least 3,000 queries a second)",
        "queries",
        [
            Contender("limit: time a known way", time_known, "no search"),
            Contender(
                "peer: networkx, time-expanded",
                search_expanded,
                f"{nodes:,} nodes, built in {built_s:.0f} s; {wrong} of {compared:,} arrivals differ",
            ),
            Contender("peer: networkx, plain graph", search_plain, "knows no timetable"),
            Contender("routing.network.itinerary", search, "with legs, times and cost"),
            Contender("routing.network.cheapest", search_cheapest, "a day more than the earliest arrival"),
        ],
    )
    if wrong:
        raise SystemExit(f"{wrong} arrivals differ from those of the time-expanded graph")


if __name__ == "__main__":
    main()
