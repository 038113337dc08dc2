"""Earliest arrival over dated departures.

A parcel's way has three phases, the terms of the hub location literature: *collection* from the origin up
to a sorting centre, *transfer* between sorting centres, *distribution* down to the destination. Once a
sorting centre has sent it down to an outlet it does not come up again, although lanes lead there; without
a sorting centre at all it may be carried from outlet to outlet.

The search is Dijkstra's with arrival times as labels, exact on timetables because a lane's useful trips
never overtake each other (Cooke & Halsey 1966, The shortest route through a network with time-dependent
internodal transit times, Journal of Mathematical Analysis and Applications 14). Courier networks have few
transfer lanes and many departures on each, so finding a lane's next departure by bisection is measured to be
faster than a scan of all connections in order of time.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from heapq import heappop, heappush

from routing.network.facility import Facility
from routing.network.timetable import Lane, Trips, trips

SECONDS_PER_DAY = 86_400
HORIZON_DAYS = 14
"""A parcel that cannot arrive within so many days has no itinerary."""
_EPOCH = date(1970, 1, 1)
_NEVER = 1 << 62

Hop = tuple[int, int, int]
"""One trip taken: lane position, departure, arrival; the moments in seconds since 1970-01-01 UTC."""


class Searcher:
    """The network laid out in lists, with its departures expanded on first use.

    Departures are kept in blocks of twice the horizon, so that any moment has a whole horizon ahead of it
    in the block it falls in. All positions are indices into the facilities and lanes given.
    """

    def __init__(self, facilities: Sequence[Facility], lanes: Sequence[Lane]) -> None:
        position = {facility.facility_id: index for index, facility in enumerate(facilities)}
        self._lanes = lanes
        self._sort_s = [facility.sort_s for facility in facilities]
        self._sorts = [facility.kind.sorts for facility in facilities]
        self._lane_from = [position[lane.from_facility_id] for lane in lanes]
        self._lane_to = [position[lane.to_facility_id] for lane in lanes]
        self.lanes_out: list[list[int]] = [[] for _ in facilities]
        self.lanes_in: list[list[int]] = [[] for _ in facilities]
        for lane, (origin, destination) in enumerate(zip(self._lane_from, self._lane_to, strict=True)):
            self.lanes_out[origin].append(lane)
            self.lanes_in[destination].append(lane)
        self._transfers = [
            [lane for lane in out if self._sorts[place] and self._sorts[self._lane_to[lane]]]
            for place, out in enumerate(self.lanes_out)
        ]
        self._distribution: dict[int, dict[int, list[int]]] = {}
        self._blocks: dict[int, list[Trips | None]] = {}

    def search(self, origin: int, destination: int, ready: int, closed: frozenset[int]) -> list[Hop] | None:
        """The trips by which a parcel arrives first.

        Args:
            origin: position of the facility where the parcel lies.
            destination: position of another facility.
            ready: seconds since 1970-01-01 UTC when the parcel can first be handled at its origin.
            closed: lane positions that may not be used.

        Returns:
            The hops in order, or None when the parcel cannot arrive within the horizon.
        """
        block = ready // (HORIZON_DAYS * SECONDS_PER_DAY)
        dated = self._blocks.setdefault(block, [None] * len(self._lanes))
        down = self._distribution_of(destination)
        latest = ready + HORIZON_DAYS * SECONDS_PER_DAY
        # An outlet has two labels: its position while collecting, the complement while distributing.
        arrivals = {origin: ready}
        hops: dict[int, tuple[int, Hop]] = {}
        queue = [(ready, origin)]
        while queue:
            arrival, label = heappop(queue)
            if arrival > latest:
                return None
            place = label if label >= 0 else ~label
            if place == destination:
                return self._trace(label, hops)
            if arrival > arrivals[label]:
                continue
            handled = arrival + self._sort_s[place]
            collecting = label >= 0 and not self._sorts[place]
            for lane in self.lanes_out[place] if collecting else self._onward(place, down):
                if lane in closed:
                    continue
                lane_trips = dated[lane] or self._expand(lane, block, dated)
                # Trips.catch, written out: most of the search's time would be spent on calling it.
                trip = bisect_left(lane_trips.departures, handled)
                if trip == len(lane_trips.departures):
                    continue
                target = self._lane_to[lane]
                if not collecting and not self._sorts[target]:
                    target = ~target
                reaches = lane_trips.arrivals[trip]
                if reaches < arrivals.get(target, _NEVER):
                    arrivals[target] = reaches
                    hops[target] = label, (lane, lane_trips.departures[trip], reaches)
                    heappush(queue, (reaches, target))
        return None

    def _onward(self, place: int, down: dict[int, list[int]]) -> list[int]:
        """Lanes a parcel may take from a sorting centre, or in distribution."""
        descending = down.get(place)
        return self._transfers[place] + descending if descending else self._transfers[place]

    def _trace(self, label: int, hops: dict[int, tuple[int, Hop]]) -> list[Hop]:
        """Follow the hops back from the destination's label."""
        way: list[Hop] = []
        while label in hops:
            label, hop = hops[label]
            way.append(hop)
        way.reverse()
        return way

    def _distribution_of(self, destination: int) -> dict[int, list[int]]:
        """Lanes of the distribution to an outlet, by where they start; none to a sorting centre."""
        found = self._distribution.get(destination)
        if found is None:
            found = {}
            seen: set[int] = set()
            waiting = [] if self._sorts[destination] else [destination]
            while waiting:
                place = waiting.pop()
                if place in seen:
                    continue
                seen.add(place)
                for lane in self.lanes_in[place]:
                    source = self._lane_from[lane]
                    found.setdefault(source, []).append(lane)
                    if not self._sorts[source]:
                        waiting.append(source)
            self._distribution[destination] = found
        return found

    def _expand(self, lane: int, block: int, dated: list[Trips | None]) -> Trips:
        """The dated departures of a lane in a block, a day more on either side for local dates."""
        first_day = _EPOCH + timedelta(days=block * HORIZON_DAYS - 1)
        expanded = trips(self._lanes[lane].departures, first_day, 2 * HORIZON_DAYS + 2)
        dated[lane] = expanded
        return expanded
