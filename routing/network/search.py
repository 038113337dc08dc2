"""Earliest arrival over dated departures.

A parcel's way has three phases, the terms of the hub location literature: *collection* from the origin up
to a sorting centre, *transfer* between sorting centres, *distribution* down to the destination. Once a
sorting centre has sent it down to an outlet it does not come up again, although lanes lead there; without
a sorting centre at all it may be carried from outlet to outlet.

Each phase is Dijkstra's search with arrival times as labels, exact on timetables because a lane's useful
trips never overtake each other (Cooke & Halsey 1966, The shortest route through a network with
time-dependent internodal transit times, Journal of Mathematical Analysis and Applications 14). The phases
meet at the sorting centres, and the transfer is shared by all parcels that wait for the same departure (see
`transfer`), so that what is left to search for a parcel is its few lanes up and down. A lane's next departure
is found by bisection: courier networks have few lanes out of each place and many departures on each.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from routing.network.layout import Block, Layout
from routing.network.transfer import HORIZON_S, NEVER, Hop, Tree


@dataclass(slots=True)
class _Up:
    """What the collection reached.

    Attributes:
        entries: by rank, when the parcel first arrives at a sorting centre that it was collected to.
        hops: the trip that leads to an outlet (its position) or a sorting centre (the complement of its
            rank), with the outlet it starts from.
        direct: arrival at the destination without any sorting centre, or `NEVER`.
    """

    entries: dict[int, int]
    hops: dict[int, tuple[int, Hop]]
    direct: int = NEVER


def search(
    layout: Layout, origin: int, destination: int, ready: int, handled: int, closed: frozenset[int]
) -> list[Hop] | None:
    """The trips by which a parcel arrives first.

    Args:
        origin: position of the facility where the parcel lies.
        destination: position of another facility.
        ready: seconds since 1970-01-01 UTC when the parcel can first be handled at its origin.
        handled: when it has been handled there, and can depart.
        closed: lane positions that may not be used.

    Returns:
        The hops in order, or None when the parcel cannot arrive within the horizon.
    """
    block = layout.block(ready)
    if layout.rank[origin] >= 0:
        up = _Up({layout.rank[origin]: ready}, {})
    else:
        up = _collect(layout, block, origin, destination, ready, handled, closed)
    trees = _trees(block, _sorted_at(layout, block, up, origin, handled), layout.closed_transfers(closed))
    if layout.rank[destination] >= 0:
        arrival, way = _to_centre(block, up, trees, layout.rank[destination])
    else:
        arrival, way = _distribute(layout, block, up, trees, (origin, handled), destination, closed)
    return way if arrival <= ready + HORIZON_S else None


def _collect(
    layout: Layout,
    block: Block,
    origin: int,
    destination: int,
    ready: int,
    handled: int,
    closed: frozenset[int],
) -> _Up:
    """Carry the parcel from outlet to outlet, and to every sorting centre that lanes from there lead to."""
    up, known = _Up({}, {}), block.dated.known
    arrivals = {origin: ready}
    queue = [(ready, origin)]
    while queue:
        arrival, place = heappop(queue)
        if place == destination:
            up.direct = arrival
            break
        if arrival > arrivals[place]:
            continue
        # Only outlets are met here, which work on parcels at all times.
        leaves = handled if place == origin else arrival + layout.sort_s[place]
        for lane in layout.lanes_out[place]:
            if lane in closed:
                continue
            dated = known[lane] or block.dated.of(lane)
            trip = bisect_left(dated.departures, leaves)
            if trip == len(dated.departures):
                continue
            target, reaches = layout.lane_to[lane], dated.arrivals[trip]
            rank = layout.ends[lane]
            if rank >= 0:
                if reaches < up.entries.get(rank, NEVER):
                    up.entries[rank] = reaches
                    up.hops[~rank] = place, (lane, dated.departures[trip], reaches)
            elif reaches < arrivals.get(target, NEVER):
                arrivals[target] = reaches
                up.hops[target] = place, (lane, dated.departures[trip], reaches)
                heappush(queue, (reaches, target))
    return up


def _sorted_at(layout: Layout, block: Block, up: _Up, origin: int, handled: int) -> dict[int, int]:
    """By rank, when the parcel has been sorted at each centre that it is collected to."""
    if layout.rank[origin] >= 0:
        return {layout.rank[origin]: handled}
    return {rank: block.sorting.done(layout.centres[rank], arrival) for rank, arrival in up.entries.items()}


def _trees(block: Block, sorted_at: dict[int, int], closed: frozenset[int]) -> list[tuple[int, Tree]]:
    """The tree of onward transfers at each sorting centre the parcel is collected to, with its rank."""
    found = []
    for rank, moment in sorted_at.items():
        tree = block.transfers.tree(rank, moment, closed)
        if tree is not None:
            found.append((rank, tree))
    return found


def _to_centre(
    block: Block, up: _Up, trees: Sequence[tuple[int, Tree]], destination: int
) -> tuple[int, list[Hop]]:
    """Arrival at a sorting centre, given by its rank, and the way there."""
    best, root = up.entries.get(destination, NEVER), None
    for rank, tree in trees:
        if rank != destination and tree.arrivals[destination] < best:
            best, root = tree.arrivals[destination], (rank, tree)
    if best == NEVER:
        return NEVER, []
    if root is None:
        return best, _trace_up(up, ~destination)
    return best, _trace_up(up, ~root[0]) + block.transfers.trace(root[1], destination)


def _distribute(
    layout: Layout,
    block: Block,
    up: _Up,
    trees: Sequence[tuple[int, Tree]],
    start: tuple[int, int],
    destination: int,
    closed: frozenset[int],
) -> tuple[int, list[Hop]]:
    """Arrival at an outlet, and the way there: over a sorting centre, or without any.

    `start` is the parcel's origin, and when it has been handled there.
    """
    down = layout.distribution_of(destination)
    best, last, known = up.direct, destination, block.dated.known
    hops: dict[int, tuple[int, Hop]] = {}
    arrivals: dict[int, int] = {}
    queue: list[tuple[int, int]] = []
    for place in down:
        rank = layout.rank[place]
        if rank < 0:
            continue
        arrival = up.entries.get(rank, NEVER)
        for root, tree in trees:
            if root != rank and tree.arrivals[rank] < arrival:
                arrival = tree.arrivals[rank]
        if arrival < best:
            queue.append((arrival, place))
    queue.sort()  # a sorted list is a heap
    while queue:
        arrival, place = heappop(queue)
        if arrival >= best:
            break
        if arrival > arrivals.get(place, arrival):
            continue
        if place == start[0]:
            handled = start[1]
        elif layout.sorts_always[place]:
            handled = arrival + layout.sort_s[place]
        else:
            handled = block.sorting.done(place, arrival)
        for lane in down.get(place, ()):
            if lane in closed:
                continue
            dated = known[lane] or block.dated.of(lane)
            trip = bisect_left(dated.departures, handled)
            if trip == len(dated.departures):
                continue
            reaches, target = dated.arrivals[trip], layout.lane_to[lane]
            if reaches < best and reaches < arrivals.get(target, NEVER):
                arrivals[target] = reaches
                hops[target] = place, (lane, dated.departures[trip], reaches)
                if target == destination:
                    best = reaches
                else:
                    heappush(queue, (reaches, target))
    if best == NEVER:
        return NEVER, []
    if destination not in hops:
        return best, _trace_up(up, destination)
    way: list[Hop] = []
    while last in hops:
        last, hop = hops[last]
        way.append(hop)
    way.reverse()
    return best, _to_centre(block, up, trees, layout.rank[last])[1] + way


def _trace_up(up: _Up, reached: int) -> list[Hop]:
    """Follow the collection's hops back from an outlet, or from the complement of a centre's rank."""
    way: list[Hop] = []
    while reached in up.hops:
        reached, hop = up.hops[reached]
        way.append(hop)
    way.reverse()
    return way
