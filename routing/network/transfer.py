"""Transfers between sorting centres, searched once for all parcels that wait for the same departure.

All parcels that lie handled at a sorting centre between two of its departures travel on alike: what they can
reach, and when, is one tree of earliest arrivals. A national network has some dozens of sorting centres and
thousands of places below them, so most questions meet a tree that is known already. Trees are grown when
they are first asked for and hold for one set of closed lanes.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from heapq import heappop, heappush

from routing.network.sorting import Sorting
from routing.network.timetable import DatedLanes

SECONDS_PER_DAY = 86_400
HORIZON_DAYS = 14
"""A parcel that cannot arrive within so many days has no itinerary."""
HORIZON_S = HORIZON_DAYS * SECONDS_PER_DAY
NEVER = 1 << 62
LABELS_KEPT_MAX = 6_000_000
"""Arrivals kept in trees; each takes twelve bytes. Beyond it all trees are grown anew when asked for."""

Hop = tuple[int, int, int]
"""One trip taken: lane position, departure, arrival; the moments in seconds since 1970-01-01 UTC."""


class Tree:
    """Earliest arrivals at the sorting centres for whatever waits at one of them for one departure.

    Attributes:
        arrivals: by rank of the sorting centre, seconds since 1970-01-01 UTC; `NEVER` where it cannot be
            reached. At the root it is the departure that is waited for.
        lanes: by rank, the lane position of the last trip; -1 at the root and where none leads.
    """

    __slots__ = ("arrivals", "lanes")

    def __init__(self, centres: int) -> None:
        self.arrivals = array("q", [NEVER]) * centres
        self.lanes = array("i", [-1]) * centres


class Transfers:
    """The lanes between the sorting centres of a network within one block of its timetable.

    Args:
        lanes_out: for each rank of a sorting centre, the lane positions that lead to other ones.
        starts: rank of the sorting centre where a lane starts, by lane position; -1 at other places.
        ends: rank of the one where it ends.
        centres: position of each sorting centre, by rank.
        sorting: when parcels have been sorted.
        dated: the timetable of the block.
    """

    def __init__(
        self,
        lanes_out: Sequence[Sequence[int]],
        starts: Sequence[int],
        ends: Sequence[int],
        centres: Sequence[int],
        sorting: Sorting,
        dated: DatedLanes,
    ) -> None:
        self._lanes_out = lanes_out
        self._starts = starts
        self._ends = ends
        self._centres = centres
        self._sorting = sorting
        self._dated = dated
        self._departures: list[list[int] | None] = [None] * len(lanes_out)
        self._trees: dict[tuple[frozenset[int], int, int], Tree] = {}

    def tree(self, centre: int, handled: int, closed: frozenset[int]) -> Tree | None:
        """The tree of what lies handled at a sorting centre; None when nothing departs any more.

        Args:
            centre: its rank.
            handled: seconds since 1970-01-01 UTC.
            closed: lane positions that may not be used; of lanes between sorting centres only.
        """
        moments = self._departures[centre] or self._departures_of(centre)
        position = bisect_left(moments, handled)
        if position == len(moments):
            return None
        key = closed, centre, position
        found = self._trees.get(key)
        if found is None:
            if len(self._trees) * len(self._centres) >= LABELS_KEPT_MAX:
                self._trees.clear()
            found = self._trees[key] = self._grow(centre, moments[position], closed)
        return found

    def trace(self, tree: Tree, centre: int) -> list[Hop]:
        """The trips from a tree's root to a sorting centre, in order."""
        way: list[Hop] = []
        while (lane := tree.lanes[centre]) >= 0:
            dated, arrival = self._dated.of(lane), tree.arrivals[centre]
            # Arrivals of a lane are strictly increasing, so an arrival tells the trip.
            way.append((lane, dated.departures[bisect_left(dated.arrivals, arrival)], arrival))
            centre = self._starts[lane]
        way.reverse()
        return way

    def _departures_of(self, centre: int) -> list[int]:
        """Every moment at which something leaves a sorting centre for another, closed lanes included."""
        leaving = {moment for lane in self._lanes_out[centre] for moment in self._dated.of(lane).departures}
        found = self._departures[centre] = sorted(leaving)
        return found

    def _grow(self, root: int, departure: int, closed: frozenset[int]) -> Tree:
        """Dijkstra's search with arrival times as labels, to every sorting centre within the horizon."""
        tree = Tree(len(self._centres))
        arrivals, lanes, known = tree.arrivals, tree.lanes, self._dated.known
        arrivals[root] = departure
        latest = departure + HORIZON_S
        queue = [(departure, root)]
        while queue:
            arrival, centre = heappop(queue)
            if arrival > arrivals[centre]:
                continue
            # At the root it has been handled already.
            handled = arrival if centre == root else self._sorting.done(self._centres[centre], arrival)
            for lane in self._lanes_out[centre]:
                if lane in closed:
                    continue
                dated = known[lane] or self._dated.of(lane)
                trip = bisect_left(dated.departures, handled)
                if trip == len(dated.departures):
                    continue
                reaches = dated.arrivals[trip]
                target = self._ends[lane]
                if reaches < arrivals[target] and reaches <= latest:
                    arrivals[target] = reaches
                    lanes[target] = lane
                    heappush(queue, (reaches, target))
        return tree
