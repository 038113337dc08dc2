"""A quick choice of hubs: p-median greedily, then exchanges that shorten the flows' ways.

Good enough to compare topologies with; `routing.network.design` proves how good a choice is.
"""

import numpy as np

from routing.network.comparison.demand import Floats, Flows, Ints, Places
from routing.network.comparison.shapes import hub_distances
from routing.network.errors import InvalidNetworkError

_CANDIDATES = 200
_NEIGHBOURS = 25
_ROUNDS = 3


def choose_hubs(places: Places, flows: Flows, count: int, *, discount: float = 1.0) -> tuple[int, ...]:
    """Choose places as hubs, so that the flows' ways over them are short.

    A hub at a time is added where it brings the parcels nearest to a hub (the greedy algorithm for the
    p-median problem, Cornuejols, Fisher & Nemhauser 1977, Location of bank accounts to optimize float,
    Management Science 23); then hubs are exchanged for other candidates while that makes parcel-metres
    fewer, those between hubs counted at the discount (vertex substitution, Teitz & Bart 1968, Heuristic
    methods for estimating the generalized vertex median of a weighted graph, Operations Research 16).
    Candidates are the places with the most parcels.

    Args:
        places: of which some become hubs.
        flows: that go over them, each place on its nearest hub.
        count: how many hubs.
        discount: what a metre between hubs counts beside one elsewhere, 0 to 1.

    Returns:
        Positions of the hubs, rising.

    Raises:
        InvalidNetworkError: there are not so many places, or the discount cannot be.
    """
    if not 1 <= count <= places.size:
        raise InvalidNetworkError(f"{count} hubs among {places.size} places cannot be")
    if not 0 <= discount <= 1:
        raise InvalidNetworkError(f"a discount of {discount} is not within 0 and 1")
    volume = np.zeros(places.size)
    np.add.at(volume, flows.origin, flows.parcels)
    np.add.at(volume, flows.destination, flows.parcels)
    most = np.argsort(-volume, kind="stable")[: max(count, _CANDIDATES)]
    candidates = np.sort(most)
    apart = hub_distances(places, candidates.tolist())
    chosen = _greedy(apart, volume, count)
    return tuple(candidates[sorted(_exchange(candidates, apart, flows, chosen, discount))].tolist())


def _greedy(apart: Floats, volume: Floats, count: int) -> list[int]:
    """Indices of candidates, each the one that shortens the ways to the nearest of them most."""
    nearest = np.full(len(apart), np.inf)
    chosen: list[int] = []
    for _ in range(count):
        sums = volume @ np.minimum(apart, nearest[:, None])
        sums[chosen] = np.inf
        chosen.append(int(np.argmin(sums)))
        nearest = np.minimum(nearest, apart[:, chosen[-1]])
    return chosen


def _exchange(candidates: Ints, apart: Floats, flows: Flows, chosen: list[int], discount: float) -> list[int]:
    """Exchange hubs for candidates near them while that makes the flows' ways shorter."""
    least = _parcel_m(candidates, apart, flows, chosen, discount)
    for _ in range(_ROUNDS):
        before = least
        for place in range(len(chosen)):
            for index in np.argsort(apart[candidates[chosen[place]]])[:_NEIGHBOURS].tolist():
                if index in chosen:
                    continue
                other = [*chosen[:place], index, *chosen[place + 1 :]]
                found = _parcel_m(candidates, apart, flows, other, discount)
                if found < least:
                    chosen, least = other, found
        if least == before:
            break
    return chosen


def _parcel_m(candidates: Ints, apart: Floats, flows: Flows, chosen: list[int], discount: float) -> float:
    """Metres of all parcels over these hubs, each place on its nearest one."""
    to_hubs = apart[:, chosen]
    hub = np.argmin(to_hubs, axis=1)
    reach = to_hubs[np.arange(len(hub)), hub]
    between = discount * to_hubs[candidates[chosen]]
    metres = reach[flows.origin] + between[hub[flows.origin], hub[flows.destination]]
    return float(((metres + reach[flows.destination]) * flows.parcels).sum())
