"""Earliest arrival over dated departures.

A parcel's way has three phases, the terms of the hub location literature: *collection* from the origin up
to a sorting centre, *transfer* between sorting centres, *distribution* down to the destination. Between
two sorting centres it never passes through an outlet, a store or a locker, although lanes lead there;
without a sorting centre at all it may be carried from outlet to outlet.

The transfer phase is a connection scan (Dibbelt, Pajor, Strasser & Wagner 2018, Connection Scan Algorithm,
ACM Journal of Experimental Algorithmics 23): all departures between sorting centres stand in one list by
time, and one pass over it settles every arrival. The two outer phases reach a handful of places and are a
time-dependent Dijkstra search over the lanes of those few.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import heappop, heappush
from itertools import islice

from routing.network.facility import Facility
from routing.network.timetable import Lane, Trips, trips

SECONDS_PER_DAY = 86_400
HORIZON_DAYS = 14
"""A parcel that cannot arrive within so many days has no itinerary."""
_EPOCH = date(1970, 1, 1)
_NEVER = 1 << 62
_CONNECTIONS_KEPT = 32

Hop = tuple[int, int, int]
"""One trip taken: lane position, departure, arrival; the moments in seconds since 1970-01-01 UTC."""
Adjacency = Mapping[int, Sequence[int]]
"""Lane positions leaving each facility position."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Departures between sorting centres within one block, by time of departure.

    `rows` holds (departure, from position, arrival, to position, lane position); `departures` the first
    column once more, to find the place where a scan begins.
    """

    departures: list[int]
    rows: list[tuple[int, int, int, int, int]]


@dataclass(slots=True)
class _Label:
    """Earliest arrival at a facility and the hop that made it; no hop where the search began."""

    arrival: int
    hop: Hop | None


class Scanner:
    """The network laid out in arrays, with its departures expanded on first use.

    Departures are kept in blocks of twice the horizon, so that any moment has a whole horizon ahead of it
    in the block it falls in. All positions are indices into the facilities and lanes given.
    """

    def __init__(self, facilities: Sequence[Facility], lanes: Sequence[Lane]) -> None:
        position = {facility.facility_id: index for index, facility in enumerate(facilities)}
        self._sort_s = [facility.sort_s for facility in facilities]
        self.sorts = [facility.kind.sorts for facility in facilities]
        self._lanes = lanes
        self.lane_from = [position[lane.from_facility_id] for lane in lanes]
        self.lane_to = [position[lane.to_facility_id] for lane in lanes]
        self.lanes_out: list[list[int]] = [[] for _ in facilities]
        self.lanes_in: list[list[int]] = [[] for _ in facilities]
        for lane, (origin, destination) in enumerate(zip(self.lane_from, self.lane_to, strict=True)):
            self.lanes_out[origin].append(lane)
            self.lanes_in[destination].append(lane)
        self._transfer_lanes = [
            lane
            for lane in range(len(lanes))
            if self.sorts[self.lane_from[lane]] and self.sorts[self.lane_to[lane]]
        ]
        self._collection: dict[int, dict[int, list[int]]] = {}
        self._distribution: dict[int, dict[int, list[int]]] = {}
        self._trips: dict[tuple[int, int], Trips] = {}
        self._rows: dict[int, list[tuple[int, int, int, int, int]]] = {}
        self._connections: dict[tuple[int, frozenset[int]], Connections] = {}

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
        limit = ready + HORIZON_DAYS * SECONDS_PER_DAY + 1
        collected = {origin: _Label(ready, None)}
        if not self.sorts[origin]:
            self._spread(self._collection_of(origin), collected, block, closed)
        down = self._distribution_of(destination)
        # Without any sorting centre: outlet to outlet, or store to outlet to locker.
        arrived = {place: label for place, label in collected.items() if not self.sorts[place]}
        best = self._descend(down, arrived, destination, block, closed)
        limit = min(limit, best.arrival) if best else limit
        # A phase starts without hops: those that led into it belong to the phase before.
        transferred = {
            place: _Label(label.arrival, None) for place, label in collected.items() if self.sorts[place]
        }
        way = self._transfer(transferred, down, destination, (block, limit, closed))
        if way is not None:
            exit_place, transferred = way
            arrived = {exit_place: _Label(transferred[exit_place].arrival, None)}
            best = self._descend(down, arrived, destination, block, closed)
        if best is None or best.arrival > ready + HORIZON_DAYS * SECONDS_PER_DAY:
            return None
        return self._trace(destination, (arrived, transferred, collected))

    def _transfer(
        self,
        labels: dict[int, _Label],
        down: Adjacency,
        destination: int,
        bounds: tuple[int, int, frozenset[int]],
    ) -> tuple[int, dict[int, _Label]] | None:
        """Scan the connections from all collected places at once, until nothing can arrive sooner.

        Returns:
            The sorting centre from which distribution arrives first, and the labels of all centres
            reached; None when none arrives before the limit.
        """
        block, best, closed = bounds
        best_exit = -1

        def offer(place: int, arrival: int) -> None:
            nonlocal best, best_exit
            label = self._descend(down, {place: _Label(arrival, None)}, destination, block, closed)
            if label is not None and label.arrival < best:
                best, best_exit = label.arrival, place

        sort_s = self._sort_s
        reached: dict[int, int] = {}
        ready = [_NEVER] * len(sort_s)
        for place, label in labels.items():
            reached[place] = label.arrival
            ready[place] = label.arrival + sort_s[place]
            if place in down or place == destination:
                offer(place, label.arrival)
        if not reached:
            return None
        hops: dict[int, Hop] = {}
        connections = self._connections_of(block, closed)
        start = bisect_left(connections.departures, min(ready[place] for place in reached))
        for departure, origin, arrival, place, lane in islice(connections.rows, start, None):
            if departure >= best:
                break
            if ready[origin] <= departure and arrival < reached.get(place, _NEVER):
                reached[place] = arrival
                ready[place] = arrival + sort_s[place]
                hops[place] = (lane, departure, arrival)
                if place in down or place == destination:
                    offer(place, arrival)
        if best_exit < 0:
            return None
        settled = {place: _Label(hop[2], hop) for place, hop in hops.items()}
        return best_exit, {**labels, **settled}

    def _descend(
        self,
        down: Adjacency,
        labels: dict[int, _Label],
        destination: int,
        block: int,
        closed: frozenset[int],
    ) -> _Label | None:
        """Label of the destination when distribution starts from the given labels, which it extends."""
        self._spread(down, labels, block, closed)
        return labels.get(destination)

    def _spread(
        self, adjacency: Adjacency, labels: dict[int, _Label], block: int, closed: frozenset[int]
    ) -> None:
        """Time-dependent Dijkstra over the given lanes, from and into the given labels."""
        queue = [(label.arrival, place) for place, label in labels.items() if place in adjacency]
        queue.sort()
        while queue:
            arrival, place = heappop(queue)
            if arrival > labels[place].arrival:
                continue
            ready = arrival + self._sort_s[place]
            for lane in adjacency[place]:
                if lane in closed:
                    continue
                dated = self._trips_of(lane, block)
                trip = dated.catch(ready)
                if trip is None:
                    continue
                reaches, target = dated.arrivals[trip], self.lane_to[lane]
                known = labels.get(target)
                if known is None or reaches < known.arrival:
                    labels[target] = _Label(reaches, (lane, dated.departures[trip], reaches))
                    if target in adjacency:
                        heappush(queue, (reaches, target))

    def _trace(self, destination: int, phases: Iterable[Mapping[int, _Label]]) -> list[Hop]:
        """Follow the hops back from the destination, phase by phase."""
        hops: list[Hop] = []
        place = destination
        for labels in phases:
            while (label := labels.get(place)) is not None and label.hop is not None:
                hops.append(label.hop)
                place = self.lane_from[label.hop[0]]
        hops.reverse()
        return hops

    def _collection_of(self, origin: int) -> dict[int, list[int]]:
        """Lanes out of every place that collection from an outlet passes, sorting centres excluded."""
        found = self._collection.get(origin)
        if found is None:
            found = {}
            open_places = [origin]
            while open_places:
                place = open_places.pop()
                if place not in found:
                    found[place] = self.lanes_out[place]
                    targets = (self.lane_to[lane] for lane in found[place])
                    open_places.extend(target for target in targets if not self.sorts[target])
            self._collection[origin] = found
        return found

    def _distribution_of(self, destination: int) -> dict[int, list[int]]:
        """Lanes by which distribution comes down to an outlet; none when it is a sorting centre."""
        found = self._distribution.get(destination)
        if found is None:
            found = {}
            seen: set[int] = set()
            open_places = [] if self.sorts[destination] else [destination]
            while open_places:
                place = open_places.pop()
                if place in seen:
                    continue
                seen.add(place)
                for lane in self.lanes_in[place]:
                    source = self.lane_from[lane]
                    found.setdefault(source, []).append(lane)
                    if not self.sorts[source]:
                        open_places.append(source)
            self._distribution[destination] = found
        return found

    def _trips_of(self, lane: int, block: int) -> Trips:
        """The dated departures of a lane in a block, a day more on either side for local dates."""
        found = self._trips.get((lane, block))
        if found is None:
            first_day = _EPOCH + timedelta(days=block * HORIZON_DAYS - 1)
            found = trips(self._lanes[lane].departures, first_day, 2 * HORIZON_DAYS + 2)
            self._trips[lane, block] = found
        return found

    def _connections_of(self, block: int, closed: frozenset[int]) -> Connections:
        """The connections of a block over the transfer lanes that are open."""
        key = (block, closed.intersection(self._transfer_lanes) if closed else closed)
        found = self._connections.get(key)
        if found is None:
            rows = self._open_rows(block)
            if key[1]:
                rows = [row for row in rows if row[4] not in closed]
            found = Connections([row[0] for row in rows], rows)
            # What-if questions bring ever new closures; only the latest few are worth their memory.
            while len(self._connections) >= _CONNECTIONS_KEPT:
                self._connections.pop(next(iter(self._connections)), None)
            self._connections[key] = found
        return found

    def _open_rows(self, block: int) -> list[tuple[int, int, int, int, int]]:
        """The rows of a block with nothing closed."""
        found = self._rows.get(block)
        if found is None:
            found = []
            for lane in self._transfer_lanes:
                dated = self._trips_of(lane, block)
                origin, target = self.lane_from[lane], self.lane_to[lane]
                found.extend(
                    (departure, origin, arrival, target, lane)
                    for departure, arrival in zip(dated.departures, dated.arrivals, strict=True)
                )
            found.sort()
            self._rows[block] = found
        return found
