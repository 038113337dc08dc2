"""Topologies as arrays: over which hubs each flow goes, and how many lines there are.

The complete graph of a national network is never built: a topology is told by its hubs, by the hubs each
place is joined to, and by the flows that have a line of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from routing.network.comparison.demand import Floats, Flows, Ints, Places
from routing.network.errors import InvalidNetworkError
from routing.network.topology import hub_lines, point_to_point_lines

ALLOCATIONS = 2
"""To so many hubs a place is joined in multiple allocation, unless told otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A topology, and the way of each flow over it.

    Attributes:
        name: what kind it is, for example `point_to_point`.
        hubs: positions of the hubs, joined each with each; none in point-to-point.
        allocation: (n, r), positions of the hubs a place is joined to; those of a hub are itself.
        first, last: (m,), positions of the first and the last hub of each flow, which may be one and may be
            its ends; -1 where the flow has a line of its own.
        lines: directed pairs of places that are joined.
    """

    name: str
    hubs: tuple[int, ...]
    allocation: Ints
    first: Ints
    last: Ints
    lines: int

    @property
    def direct(self) -> NDArray[np.bool_]:
        """(m,), whether a flow has a line of its own."""
        return self.first < 0

    def graph(self, flows: Flows) -> "nx.Graph[int]":
        """The lines of a topology with hubs as an undirected networkx graph; positions of places are its
        nodes.

        Raises:
            InvalidNetworkError: point-to-point, whose graph is complete; count its lines instead.
        """
        if not self.hubs:
            raise InvalidNetworkError("the complete graph of a point-to-point network is not built")
        lines: nx.Graph[int] = nx.Graph(name=self.name)
        lines.add_nodes_from(range(len(self.allocation)))
        lines.add_edges_from(nx.complete_graph(self.hubs).edges)
        for column in self.allocation.T.tolist():
            lines.add_edges_from((place, hub) for place, hub in enumerate(column) if place != hub)
        direct = self.direct
        lines.add_edges_from(
            zip(flows.origin[direct].tolist(), flows.destination[direct].tolist(), strict=True)
        )
        return lines


def point_to_point(places: Places, flows: Flows) -> Shape:
    """Every two places have a line of their own."""
    alone = np.full(flows.origin.shape, -1)
    allocation = np.empty((places.size, 0), dtype=np.int64)
    return Shape("point_to_point", (), allocation, alone, alone, point_to_point_lines(places.size))


def single_allocation(places: Places, flows: Flows, hubs: Sequence[int]) -> Shape:
    """Each place on its nearest hub, the hubs joined each with each.

    Raises:
        InvalidNetworkError: there is no hub, one stands twice or is no place.
    """
    name = "one_hub" if len(hubs) == 1 else "hubs_single"
    allocation = _nearest(places, hubs, 1)
    first, last = allocation[flows.origin, 0], allocation[flows.destination, 0]
    return Shape(name, tuple(hubs), allocation, first, last, hub_lines(places.size, len(hubs)))


def multiple_allocation(
    places: Places,
    flows: Flows,
    hubs: Sequence[int],
    *,
    allocations: int = ALLOCATIONS,
    discount: float = 1.0,
) -> Shape:
    """Each place on its nearest hubs, of which each flow takes the pair with the shortest way.

    Lines: k(k-1) between the k hubs and two to each of the r hubs of every other place. With r = k this is
    the multiple allocation of the literature; smaller r is r-allocation (Yaman 2011, Allocation strategies
    in hub networks, European Journal of Operational Research 211).

    Args:
        places: that are joined.
        flows: that take their ways.
        hubs: positions of places.
        allocations: r; no more than there are hubs are used.
        discount: what a metre between hubs counts beside one elsewhere, 0 to 1.

    Raises:
        InvalidNetworkError: the hubs or the number of allocations cannot be.
    """
    if allocations < 1:
        raise InvalidNetworkError(f"a place cannot be joined to {allocations} hubs")
    allocation = _nearest(places, hubs, min(allocations, len(hubs)))
    best = np.full(flows.origin.shape, np.inf)
    first, last = np.zeros_like(flows.origin), np.zeros_like(flows.origin)
    for sending in allocation.T:
        start = sending[flows.origin]
        up = places.distance_m(flows.origin, start)
        for receiving in allocation.T:
            end = receiving[flows.destination]
            length = up + discount * places.distance_m(start, end) + places.distance_m(end, flows.destination)
            shorter = length < best
            best = np.where(shorter, length, best)
            first, last = np.where(shorter, start, first), np.where(shorter, end, last)
    spokes = places.size - len(hubs)
    lines = len(hubs) * (len(hubs) - 1) + 2 * allocation.shape[1] * spokes
    return Shape("hubs_multiple", tuple(hubs), allocation, first, last, lines)


def with_direct(shape: Shape, direct: NDArray[np.bool_], *, name: str = "hybrid") -> Shape:
    """The same topology with lines of their own for some flows.

    Args:
        shape: with hubs.
        direct: (m,), which flows; one between two places that have a line already needs no other.
        name: of the new one.
    """
    first, last = np.where(direct, -1, shape.first), np.where(direct, -1, shape.last)
    return replace(shape, name=name, first=first, last=last, lines=shape.lines + int(direct.sum()))


def hub_distances(places: Places, hubs: Sequence[int]) -> Floats:
    """(n, k) great-circle metres from each place to each hub."""
    return places.distance_m(np.arange(places.size)[:, None], np.asarray(hubs, dtype=np.int64)[None, :])


def _nearest(places: Places, hubs: Sequence[int], count: int) -> Ints:
    chosen = np.asarray(hubs, dtype=np.int64)
    if not chosen.size or np.unique(chosen).size != chosen.size:
        raise InvalidNetworkError(f"hubs {list(hubs)} are none or not distinct")
    if ((chosen < 0) | (chosen >= places.size)).any():
        raise InvalidNetworkError("a hub is not among the places")
    order = np.argsort(hub_distances(places, hubs), axis=1, kind="stable")[:, :count]
    allocation = chosen[order]
    allocation[chosen] = chosen[:, None]
    return allocation
