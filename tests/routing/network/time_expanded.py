"""The oracle: a timetable as a time-expanded networkx graph, the textbook way to search it.

Departures and arrivals are nodes, trips and waiting are edges with seconds as weights (Pyrga, Schulz, Wagner
& Zaroliagis 2008, Efficient models for timetable information in public transportation systems, ACM Journal of
Experimental Algorithmics 12). Slow, simple, and knows nothing of the engine's search.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import networkx as nx

from routing.network import Facility, Lane, Network
from routing.network.timetable import instants

# An outlet is two places: where a parcel is collected (False) and where it is distributed (True).
Place = tuple[int, bool]


def handled_s(place: Facility, arrives: int) -> int:
    """When a parcel has been sorted: its work is put into the open quarters of an hour, one after the other.

    Counts on the wall clock of the place, whose hours change on a quarter; knows nothing of windows.
    """
    if not place.kind.sorts or place.hours is None:
        return arrives + place.sort_s
    zone, left_s, moment = ZoneInfo(place.hours.timezone), place.sort_s, arrives
    for _ in range(40 * 24 * 4):
        if left_s == 0:
            return moment
        local = datetime.fromtimestamp(moment, zone)
        minute = local.weekday() * 1440 + local.hour * 60 + local.minute
        is_open = any(start <= minute < end for start, end in place.hours.week)
        step = 900 - moment % 900
        if is_open and local.date() not in place.hours.closed_dates:
            step = min(step, left_s)
            left_s -= step
        moment += step
    return 1 << 62


class TimeExpanded:
    """All trips of some local dates.

    From a sorting centre a parcel goes up, across or down, from an outlet in distribution only further down.
    """

    def __init__(self, network: Network, first_day: date, days: int, closed: Iterable[int] = ()) -> None:
        self.graph: nx.DiGraph[object] = nx.DiGraph()
        self._network = network
        self._leaving: dict[Place, set[int]] = defaultdict(set)
        self._arriving: dict[Place, set[int]] = defaultdict(set)
        for lane in network.lanes:
            if lane.lane_id not in set(closed):
                self._add_trips(lane, first_day, days)
        self._waiting = {place: sorted(moments) for place, moments in self._leaving.items()}
        for waiting in self._waiting.items():
            self._add_waiting(*waiting)
        for place, moments in self._arriving.items():
            for arrives in moments:
                self.graph.add_edge(("arrive", place, arrives), ("end", place[0]), weight=0)

    def arrival(self, origin_id: int, destination_id: int, ready: int) -> int | None:
        """Earliest arrival, or None within these dates; moments in seconds since 1970-01-01 UTC."""
        moments = self._waiting.get((origin_id, False), [])
        found = bisect_left(moments, handled_s(self._network.facility(origin_id), ready))
        if found == len(moments):
            return None
        first = ("leave", (origin_id, False), moments[found])
        if ("end", destination_id) not in self.graph:
            return None
        try:
            length = nx.dijkstra_path_length(self.graph, first, ("end", destination_id))
        except nx.NetworkXNoPath:
            return None
        return moments[found] + int(length)

    def _add_trips(self, lane: Lane, first_day: date, days: int) -> None:
        origin = self._network.facility(lane.from_facility_id)
        target = self._network.facility(lane.to_facility_id)
        for distributing in (False, True):
            if distributing and (origin.kind.sorts or target.kind.sorts):
                continue
            down = distributing or (origin.kind.sorts and not target.kind.sorts)
            source, sink = (origin.facility_id, distributing), (target.facility_id, down)
            for departure in lane.departures:
                for leaves in instants(departure, first_day, days):
                    arrives = leaves + departure.duration_s
                    start, end = ("leave", source, leaves), ("arrive", sink, arrives)
                    known = self.graph.get_edge_data(start, end, {"weight": arrives - leaves})
                    self.graph.add_edge(start, end, weight=min(arrives - leaves, known["weight"]))
                    self._leaving[source].add(leaves)
                    self._arriving[sink].add(arrives)

    def _add_waiting(self, place: Place, waiting: list[int]) -> None:
        for earlier, later in pairwise(waiting):
            self.graph.add_edge(("leave", place, earlier), ("leave", place, later), weight=later - earlier)
        for arrives in self._arriving[place]:
            found = bisect_left(waiting, handled_s(self._network.facility(place[0]), arrives))
            if found < len(waiting):
                leaves = waiting[found]
                self.graph.add_edge(
                    ("arrive", place, arrives), ("leave", place, leaves), weight=leaves - arrives
                )
