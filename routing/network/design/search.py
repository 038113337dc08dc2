"""Good hubs without proof: a local search that swaps one hub for another place.

All swaps are ranked by a cheap cost and only the most promising are priced in full. Restarts exchange a few
hubs at random (variable neighbourhood search; Hansen & Mladenovic 1997, for the p-median).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from routing.network.design.instance import Floats, Ints
from routing.network.design.median import MedianProblem
from routing.network.design.multiple import MultipleAllocation
from routing.network.design.single import SingleAllocation

# Swaps of one neighbourhood that are priced in full.
_PRICED = 12


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """Hubs with what they cost; single allocation also names the hub of each place."""

    cost: float
    hubs: tuple[int, ...]
    allocation: Ints | None


Price = Callable[[Sequence[int]], Priced]
Rank = Callable[[tuple[int, ...], Ints], Floats]


def single_price(model: SingleAllocation) -> Price:
    """Hubs are priced by local search over the allocations to them."""

    def price(hubs: Sequence[int]) -> Priced:
        cost, allocation = model.best_for(hubs)
        return Priced(cost, tuple(sorted(hubs)), allocation)

    return price


def multiple_price(model: MultipleAllocation) -> Price:
    """Hubs are priced exactly."""

    def price(hubs: Sequence[int]) -> Priced:
        return Priced(model.cost(hubs), tuple(sorted(hubs)), None)

    return price


def median_rank(problem: MedianProblem) -> Rank:
    """Swaps are ranked by the p-median problem that bounds the design."""
    return lambda kept, candidates: problem.costs_of_adding(kept, candidates)


def multiple_rank(model: MultipleAllocation) -> Rank:
    """Swaps are ranked by their true cost under multiple allocation."""
    return lambda kept, candidates: model.costs_of_adding(model.of(kept), candidates)


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """Local search over hubs.

    Attributes:
        size: the number of places.
        price: what hubs cost.
        rank: what hubs cost, roughly, when one of many candidates joins those that are kept.
    """

    size: int
    price: Price
    rank: Rank

    def descend(self, start: Sequence[int], until: float) -> Priced:
        """Swap hubs while that helps."""
        best = self.price(start)
        seen = {best.hubs}
        moved = True
        while moved and time.monotonic() < until:
            moved = False
            for hubs in self._neighbours(best.hubs):
                if hubs in seen:
                    continue
                seen.add(hubs)
                if (candidate := self.price(hubs)).cost < best.cost:
                    best, moved = candidate, True
                if time.monotonic() > until:
                    break
        return best

    def restarts(self, start: Priced, seed: int, count: int, until: float) -> Priced:
        """Exchange hubs at random, one more each time nothing came of it, and descend again."""
        random, best, shaken = Random(seed), start, 1
        p = len(start.hubs)
        for _ in range(count):
            if time.monotonic() > until or p == self.size:
                break
            others = sorted(set(range(self.size)) - set(best.hubs))
            shaken = min(shaken, p, len(others))
            kept = random.sample(best.hubs, p - shaken)
            candidate = self.descend([*kept, *random.sample(others, shaken)], until)
            if candidate.cost < best.cost:
                best, shaken = candidate, 1
            else:
                shaken = shaken % 3 + 1
        return best

    def greedy(self, p: int) -> Priced:
        """Add the hub that helps most, p times: the simple way that a design is compared with."""
        hubs: tuple[int, ...] = ()
        for _ in range(p):
            candidates = np.setdiff1d(np.arange(self.size), hubs)
            hubs = (*hubs, int(candidates[self.rank(hubs, candidates).argmin()]))
        return self.price(hubs)

    def _neighbours(self, hubs: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """The sets with one hub swapped that look cheapest."""
        others = np.setdiff1d(np.arange(self.size), hubs)
        if not len(others):
            return
        kept = [tuple(hub for hub in hubs if hub != leaving) for leaving in hubs]
        costs = np.concatenate([self.rank(keep, others) for keep in kept])
        count = min(_PRICED, len(costs))
        for index in np.argpartition(costs, count - 1)[:count]:
            yield tuple(sorted((*kept[index // len(others)], int(others[index % len(others)]))))
