"""The cheapest single allocation over many candidate sets of hubs, proven: best-first branch and bound."""

import heapq
import math
import time
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from routing.network.design.enumeration import HubSets
from routing.network.design.instance import Ints
from routing.network.design.pairwise import PairwiseBound
from routing.network.design.single import SingleAllocation

# Bounds this close below the best cost (relative) count as reaching it; rounding stays far below.
TOLERANCE = 1e-9
# Numbers in the messages of one batch of rows.
_BATCH = 1 << 20
# Most rows of a batch: with few places they would otherwise be far more than are worth bounding together.
_ROWS = 64
# Pairs of message passes given to a set as such, and to one that has been branched on.
_PASSES = 40


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best allocation and what is proven about it.

    Attributes:
        cost: its objective.
        allocation: (n,) hubs.
        lower_bound: no allocation to any of the candidate sets costs less; at most `cost`.
    """

    cost: float
    allocation: Ints
    lower_bound: float


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    hubs: Ints
    allowed: NDArray[np.bool_]


def best_allocation(
    model: SingleAllocation, sets: HubSets, start: tuple[float, Ints], until: float = math.inf
) -> Found:
    """The cheapest allocation to any of the sets, or the start if none is cheaper.

    Rows (a set of hubs, and the hubs each place may still use) wait in order of their bounds. Those with the
    lowest are bounded anew together, and split by what a doubtful place may use if that does not suffice.

    Args:
        model: the instance.
        sets: candidates with bounds below which none of their allocations can cost.
        start: cost and allocation known already.
        until: `time.monotonic()` at which to stop; the lower bound is then below the cost.
    """
    n, p = model.instance.size, sets.hubs.shape[1]
    cost, allocation = start
    pairwise = PairwiseBound(model.instance, model.access)
    batch = max(1, min(_ROWS, _BATCH // (n * n * p)))
    waiting: list[tuple[float, int, _Row]] = []
    for hubs, bound in zip(sets.hubs, sets.bound.tolist(), strict=True):
        waiting.append((bound, len(waiting), _Row(hubs, hubs_at_home(n, hubs))))
    heapq.heapify(waiting)
    count = len(waiting)
    while waiting and waiting[0][0] < cost * (1 - TOLERANCE) and time.monotonic() < until:
        taken = [heapq.heappop(waiting) for _ in range(min(batch, len(waiting)))]
        rows = [row for _, _, row in taken]
        hubs = np.stack([row.hubs for row in rows])
        found = pairwise.bounds(
            hubs, np.stack([row.allowed for row in rows]), cost * (1 - TOLERANCE), _PASSES
        )
        bounds = np.maximum(found.bound, [bound for bound, _, _ in taken])
        for index in np.flatnonzero(bounds < cost * (1 - TOLERANCE)):
            improved = model.improve(rows[index].hubs[found.labels[index]])
            cost, allocation = min((cost, allocation), improved, key=itemgetter(0))
        for index in np.flatnonzero(bounds < cost * (1 - TOLERANCE)):
            for child in _split(rows[index], found.labels[index], found.doubt[index]):
                heapq.heappush(waiting, (float(bounds[index]), count, child))
                count += 1
    lower = min(cost, waiting[0][0]) if waiting else cost
    return Found(cost, allocation, cost if lower >= cost * (1 - TOLERANCE) else lower)


def hubs_at_home(n: int, hubs: Ints) -> NDArray[np.bool_]:
    """(n, p): every place may use every hub, but a hub only itself."""
    allowed = np.ones((n, len(hubs)), dtype=bool)
    allowed[hubs] = np.eye(len(hubs), dtype=bool)
    return allowed


def _split(row: _Row, labels: Ints, doubt: NDArray[np.float64]) -> list[_Row]:
    """Two rows that share the allocations of one: the most doubtful place uses its favourite, or not.

    A row that leaves no choice is bounded exactly and never comes here, except for rounding.
    """
    place = int(doubt.argmin())
    if math.isinf(doubt[place]):
        return []
    favourite = np.zeros(len(row.hubs), dtype=bool)
    favourite[labels[place]] = True
    children = []
    for keep in (favourite, ~favourite):
        allowed = row.allowed.copy()
        allowed[place] &= keep
        children.append(_Row(row.hubs, allowed))
    return children
