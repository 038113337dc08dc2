"""Multiple allocation: every pair of places takes its cheapest way over one or two of the hubs.

The problem is Campbell's (1996, "Hub location and the p-hub median problem"). For given hubs it is a
shortest-path problem, solved by two min-plus steps (Ernst & Krishnamoorthy 1998).
Its cost is also a lower bound on the cost of single allocation over the same hubs, since that restricts the
ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.network.design.instance import Floats, HubInstance, Ints

# Numbers in the largest intermediate array: it should stay in the processor's second-level cache.
_CHUNK = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Cheapest ways over a set of hubs.

    Attributes:
        hubs: the set.
        cost: (n, n); a unit of flow from the row's place to the column's, infinite where there is no hub.
    """

    hubs: tuple[int, ...]
    cost: Floats


class MultipleAllocation:
    """Costs of hub sets under multiple allocation, reached by adding one hub after the other."""

    def __init__(self, instance: HubInstance) -> None:
        self.instance = instance
        self._collect = instance.collection * instance.distance
        self._transfer = instance.transfer * instance.distance
        self._distribute = instance.distribution * instance.distance
        self._weights = instance.flow.ravel()

    def none(self) -> Paths:
        """No hub, no way."""
        n = self.instance.size
        return Paths((), np.full((n, n), np.inf))

    def of(self, hubs: Sequence[int]) -> Paths:
        """The ways over the given hubs."""
        paths = self.none()
        for hub in hubs:
            paths = self.add(paths, hub)
        return paths

    def add(self, paths: Paths, hub: int) -> Paths:
        """The ways when one more hub is open."""
        cost = self._with(paths, np.array([hub]))[0]
        return Paths((*paths.hubs, hub), cost)

    def costs_of_adding(self, paths: Paths, candidates: Ints) -> Floats:
        """The objective for each candidate if it alone were added to the hubs, fixed costs included."""
        n, flow = self.instance.size, np.empty(len(candidates))
        step = max(1, _CHUNK // (n * n))
        for start in range(0, len(candidates), step):
            part = candidates[start : start + step]
            flow[start : start + step] = self._with(paths, part).reshape(len(part), -1) @ self._weights
        fixed = self.instance.fixed_cost
        cost: Floats = flow + fixed[candidates] + fixed[list(paths.hubs)].sum()
        return cost

    def cost(self, hubs: Sequence[int]) -> float:
        """The objective for a set of hubs, fixed costs included."""
        flow = float(self.of(hubs).cost.ravel() @ self._weights)
        return flow + float(self.instance.fixed_cost[list(hubs)].sum())

    def ends(self, hubs: Sequence[int]) -> tuple[Ints, Ints]:
        """The first and the last hub of each pair's cheapest way, two (n, n) arrays of hubs."""
        chosen = np.array(hubs)
        onward, last = self.onward(hubs)
        n = self.instance.size
        least, first = np.full((n, n), np.inf), np.zeros((n, n), dtype=np.int64)
        for position, hub in enumerate(chosen):
            ways = self._collect[:, [hub]] + onward[position]
            better = ways < least
            least[better], first[better] = ways[better], position
        return chosen[first], chosen[last[first, np.arange(n)]]

    def onward(self, hubs: Sequence[int]) -> tuple[Floats, Ints]:
        """(p, n): a unit of flow from each hub to each place, and the position of the best last hub."""
        chosen = np.array(hubs)
        legs = self._transfer[np.ix_(chosen, chosen)][:, :, None] + self._distribute[chosen][None, :, :]
        return legs.min(axis=1), legs.argmin(axis=1)

    def _with(self, paths: Paths, candidates: Ints) -> Floats:
        """(candidates, n, n): costs of the cheapest ways when one candidate joins the hubs.

        A way that uses the new hub has it first or last: first comes every way out of it, last every way into
        it. So the new costs need two outer sums and no loop over pairs of hubs.
        """
        onward = self._distribute[candidates, :]
        inward = self._collect[:, candidates].T
        for hub in paths.hubs:
            onward = np.minimum(onward, self._transfer[candidates, hub, None] + self._distribute[hub])
            inward = np.minimum(inward, self._transfer[hub, candidates, None] + self._collect[:, hub])
        cost: Floats = self._collect[:, candidates].T[:, :, None] + onward[:, None, :]
        np.minimum(cost, inward[:, :, None] + self._distribute[candidates, None, :], out=cost)
        np.minimum(cost, paths.cost, out=cost)
        return cost
