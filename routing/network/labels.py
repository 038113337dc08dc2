"""Label setting over time and cost: the cheapest way that is early enough, and ways round full departures.

Martins 1984, On a multicriteria shortest path problem, European Journal of Operational Research 16. A label
is a moment and a cost at a place, in one of the three phases of `search`. Labels are settled in the order of
the criterion that is to be least; one is dominated when another was settled at its place before that is not
worse in the second criterion either. All departures of a lane cost a parcel the same, so of each lane only
the trip that arrives first need be tried.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from heapq import heappop, heappush

from routing.network.layout import Layout
from routing.network.timetable import Trips
from routing.network.transfer import NEVER, Hop


class Labels:
    """One parcel's search.

    Args:
        layout: the network.
        destination: position of the facility it goes to.
        closed: positions of lanes that may not be used.
        full: by lane position, departures without room, in seconds since 1970-01-01 UTC.
        costs: what the parcel costs on each lane, by position, in minor units.
    """

    def __init__(
        self,
        layout: Layout,
        destination: int,
        closed: frozenset[int],
        full: Mapping[int, Collection[int]],
        costs: Mapping[int, int],
    ) -> None:
        self._layout = layout
        self._destination = destination
        self._closed = closed
        self._full = full
        self._costs = costs
        is_centre = layout.rank[destination] >= 0
        self._down = {} if is_centre else layout.distribution_of(destination)

    def search(
        self, origin: int, ready: int, handled: int, latest: int, *, least_cost: bool
    ) -> list[Hop] | None:
        """The way of least cost, or the first to arrive; of equal ones the better one in the other criterion.

        Args:
            origin: position of the facility where the parcel lies; another than the destination.
            ready: seconds since 1970-01-01 UTC when it can first be handled there.
            handled: when it has been handled there, and can depart.
            latest: by when it must have arrived at its destination.
            least_cost: whether cost counts before time.

        Returns:
            The hops in order, or None when the parcel cannot arrive in time.
        """
        layout = self._layout
        sorting = layout.block(ready).sorting
        trips = _Trips(layout, ready, self._full)
        # A node is a place while collecting or transferring, and its complement while distributing.
        settled: dict[int, int] = {}
        tried: list[tuple[int, Hop | None]] = [(-1, None)]
        queue = [(0, ready, origin, 0) if least_cost else (ready, 0, origin, 0)]
        while queue:
            first, second, node, label = heappop(queue)
            if second >= settled.get(node, NEVER):
                continue
            settled[node] = second
            cost, arrival = (first, second) if least_cost else (second, first)
            place = node if node >= 0 else ~node
            if place == self._destination:
                return _trace(tried, label)
            leaves = handled if place == origin else sorting.done(place, arrival)
            for lane, target in self._onward(node):
                dated = trips[lane]
                trip = bisect_left(dated.departures, leaves)
                if trip == len(dated.departures) or dated.arrivals[trip] > latest:
                    continue
                reaches, costs = dated.arrivals[trip], cost + self._costs[lane]
                order = (costs, reaches) if least_cost else (reaches, costs)
                if order[1] < settled.get(target, NEVER):
                    tried.append((label, (lane, dated.departures[trip], reaches)))
                    heappush(queue, (*order, target, len(tried) - 1))
        return None

    def _onward(self, node: int) -> Iterator[tuple[int, int]]:
        """The lanes out of a node that may be used, with the nodes they lead to."""
        layout = self._layout
        place = node if node >= 0 else ~node
        collecting = node >= 0 and layout.rank[place] < 0
        if collecting:
            lanes = layout.lanes_out[place]
        else:
            between = layout.transfers_out[layout.rank[place]] if node >= 0 else []
            lanes = between + self._down.get(place, [])
        for lane in lanes:
            if lane not in self._closed:
                target = layout.lane_to[lane]
                yield lane, target if collecting or layout.ends[lane] >= 0 else ~target


class _Trips(dict[int, Trips]):
    """The trips with room of each lane, by position; those that are looked at."""

    def __init__(self, layout: Layout, ready: int, full: Mapping[int, Collection[int]]) -> None:
        super().__init__()
        self._dated = layout.block(ready).dated
        self._full = full

    def __missing__(self, lane: int) -> Trips:
        full = self._full.get(lane)
        found = self[lane] = self._dated.without(lane, full) if full else self._dated.of(lane)
        return found


def _trace(tried: list[tuple[int, Hop | None]], label: int) -> list[Hop]:
    """Follow a label back to the origin's."""
    way: list[Hop] = []
    while (hop := tried[label][1]) is not None:
        way.append(hop)
        label = tried[label][0]
    way.reverse()
    return way
