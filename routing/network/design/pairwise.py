"""Proven bounds for single allocation to given hubs, for many sets of hubs at once.

The quadratic semi-assignment problem of a hub set is a pairwise labelling problem: the label of a place is
its hub, and every two places share the cost of their flow between their labels. Its linear relaxation (the
one of Skorin-Kapov, Skorin-Kapov & O'Kelly 1996 with the hubs fixed) is approached from below by sequential
tree-reweighted message passing (TRW-S; Kolmogorov 2006). Each pass yields a valid bound for whatever messages
it starts with, so it may be stopped at any time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.network.design.instance import Floats, HubInstance, Ints

# What is not allowed costs so many times what all flow could cost at most: more would leave fewer digits to
# real costs.
_BARRED = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What message passing found out about each row.

    Attributes:
        bound: (rows,) no allocation of the row costs less, fixed costs included.
        labels: (rows, n) the position of each place's hub that the messages favour.
        doubt: (rows, n) by how much the second favourite is dearer; infinite where there is no choice.
    """

    bound: Floats
    labels: Ints
    doubt: Floats


class PairwiseBound:
    """Lower bounds on the cost of single allocation."""

    def __init__(self, instance: HubInstance, access: Floats) -> None:
        self._instance = instance
        self._access = access
        self._out = instance.transfer * instance.flow
        self._in = instance.transfer * instance.flow.T

    def bounds(self, hubs: Ints, allowed: NDArray[np.bool_], enough: float, passes: int) -> Bounds:
        """Bound the cost of each row.

        Args:
            hubs: (rows, p) sets of hubs.
            allowed: (rows, n, p) which hubs, by their position in the row, a place may use; at least one
                each. enough: rows whose bounds exceed this need not be bounded better; when all do, the
                passes end. passes: at most so many pairs of a pass forward and one back.
        """
        rows, p = hubs.shape
        n = self._instance.size
        # The rows are the last axis everywhere, so that numpy's innermost loops are long ones.
        cost = np.ascontiguousarray(self._access[:, hubs].transpose(0, 2, 1))
        between = float(self._out.sum() * self._instance.distance.max())
        barred = _BARRED * (1.0 + float(cost.max()) * n + between)
        np.putmask(cost, ~allowed.transpose(1, 2, 0), barred)
        apart = self._instance.distance[hubs[:, :, None], hubs[:, None, :]].transpose(1, 2, 0)
        apart = np.ascontiguousarray(apart)
        messages = np.zeros((n, n, p, rows))
        best = np.full(rows, -np.inf)
        belief = np.empty((n, p, rows))
        for _ in range(passes):
            before = best.copy()
            for order in (range(n), range(n - 1, -1, -1)):
                np.maximum(best, self._sweep(order, cost, apart, messages, belief), out=best)
            fixed = self._instance.fixed_cost[hubs].sum(axis=1)
            if ((best + fixed > enough) | (best - before <= 1e-7 * abs(best))).all():
                break
        np.putmask(belief, ~allowed.transpose(1, 2, 0), np.inf)
        labels = belief.argmin(axis=1)
        doubt = np.full((n, rows), np.inf)
        if p > 1:
            ranked = np.partition(belief, 1, axis=1)
            doubt = ranked[:, 1] - ranked[:, 0]
        doubt[allowed.sum(axis=2).T == 1] = np.inf
        return Bounds(best + fixed, labels.T, doubt.T)

    def _sweep(self, order: range, cost: Floats, apart: Floats, messages: Floats, belief: Floats) -> Floats:
        """Visit the places in order, sending messages to those that come later; returns the rows' bounds.

        A place's own cost and what it has heard is shared evenly among the later places. What is not
        shared is not negative once the least of it is taken into the bound, so the bound is valid as long as
        no place gives away more than it has.
        """
        n, p, rows = cost.shape[0], cost.shape[1], cost.shape[2]
        bound = np.zeros(rows)
        forward = order.step > 0
        for place in order:
            heard = messages[place]
            own = cost[place] + heard.sum(axis=0)
            least = own.min(axis=0)
            bound += least
            own -= least
            belief[place] = own
            later = slice(place + 1, n) if forward else slice(0, place)
            if later.start >= later.stop:
                continue
            give = own / max(place, n - 1 - place) - heard[later]
            sent, received = self._out[place, later, None, None], self._in[place, later, None, None]
            new = np.full((later.stop - later.start, p, rows), np.inf)
            for label in range(p):
                ways = sent * apart[label] + received * apart[:, label]
                ways += give[:, label, None]
                np.minimum(new, ways, out=new)
            least_new = new.min(axis=1)
            bound += least_new.sum(axis=0)
            new -= least_new[:, None]
            messages[later, place] = new
        return bound
