"""Single allocation: each place has one hub, through which all it sends and receives must go.

For given hubs this is a quadratic semi-assignment problem (O'Kelly 1987). Here are its cost and its local
search; `pairwise` bounds it.
"""

from collections.abc import Sequence

import numpy as np

from routing.network.design.instance import Floats, HubInstance, Ints


class SingleAllocation:
    """Costs and local search of allocations; an allocation is an (n,) array of hubs."""

    def __init__(self, instance: HubInstance) -> None:
        self.instance = instance
        self.access = instance.access_cost()

    def cost(self, allocation: Ints) -> float:
        """The objective of an allocation, fixed costs of the hubs in it included."""
        instance = self.instance
        hubs, position = np.unique(allocation, return_inverse=True)
        between = _sums(_sums(instance.flow, position, len(hubs)).T, position, len(hubs)).T
        transfer = instance.transfer * float((between * instance.distance[np.ix_(hubs, hubs)]).sum())
        access = float(self.access[np.arange(instance.size), allocation].sum())
        return access + transfer + float(instance.fixed_cost[hubs].sum())

    def nearest(self, hubs: Sequence[int]) -> Ints:
        """Each place at the hub of least access cost; a hub at itself."""
        chosen = np.array(hubs)
        allocation: Ints = chosen[self.access[:, chosen].argmin(axis=1)]
        allocation[chosen] = chosen
        return allocation

    def improve(self, allocation: Ints) -> tuple[float, Ints]:
        """Move one place after the other to another hub while that helps; hubs stay where they are.

        The hubs are those of the allocation. Of all moves the best is made each time (the shift neighbourhood
        of Skorin-Kapov & Skorin-Kapov 1994, on tabu search).

        Returns:
            The objective and the allocation.
        """
        instance = self.instance
        hubs, position = np.unique(allocation, return_inverse=True)
        apart = instance.transfer * instance.distance[np.ix_(hubs, hubs)]
        # pull[i, k]: what i's flow costs between hubs if i is at the k-th hub and all others stay.
        pull = _sums(instance.flow, position, len(hubs)) @ apart.T
        pull += _sums(instance.flow.T, position, len(hubs)) @ apart
        # What a place sends to itself never leaves its hub, wherever that is.
        pull -= instance.flow.diagonal()[:, None] * (apart[:, position].T + apart[position])
        access = self.access[:, hubs]
        movable = np.ones(instance.size, dtype=bool)
        movable[hubs] = False
        rows = np.arange(instance.size)
        while True:
            total = access + pull
            gain = np.where(movable, total[rows, position] - total.min(axis=1), 0.0)
            place = int(gain.argmax())
            # Gains within rounding could be made in turns for ever.
            if gain[place] <= 1e-12 * total[place].max():
                break
            old, new = int(position[place]), int(total[place].argmin())
            position[place] = new
            change = np.outer(instance.flow[:, place], apart[:, new] - apart[:, old])
            change += np.outer(instance.flow[place], apart[new] - apart[old])
            change[place] = 0.0
            pull += change
        # Each pair of places has told its cost twice in `pull`, once from either end.
        cost = float(access[rows, position].sum() + pull[rows, position].sum() / 2)
        return cost + float(instance.fixed_cost[hubs].sum()), hubs[position]

    def best_for(self, hubs: Sequence[int]) -> tuple[float, Ints]:
        """A good allocation to the given hubs and its cost."""
        return self.improve(self.nearest(hubs))


def _sums(values: Floats, group: Ints, groups: int) -> Floats:
    """Sums over columns of a group: (rows, columns) to (rows, groups)."""
    membership = np.zeros((values.shape[1], groups))
    membership[np.arange(values.shape[1]), group] = 1.0
    total: Floats = values @ membership
    return total
