"""A bound for any number of places: the p-median problem that hub location contains.

Where the triangle inequality holds, the distance between two hubs is at least what the distances of their
customers from them tell. With that in place of the distance between hubs, hubs no longer share costs: what is
left is a p-median problem, bounded by Lagrangean relaxation of its assignments (Narula, Ogbu & Samuelsson
1977).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from routing.network.design.instance import Floats, HubInstance, Ints

# Passes without a better bound until the step is halved, and the step at which nothing moves any more.
_PATIENCE = 12
_LEAST_STEP = 1e-3
# Numbers of one slice of the cost matrix, to stay in the processor's cache.
_SLICE = 1 << 17
# Up to so many places each pair may be a client of its own.
_PAIRS_SIZE = 150


@dataclass(frozen=True, slots=True, eq=False)
class MedianProblem:
    """A p-median problem that costs no more than the hub location problem, hubs for hubs.

    Attributes:
        costs: (clients, n) of serving the client from the site.
        fixed: (n,) cost of opening.
        constant: belongs to every solution.
        home: client i is place i, and an open site must serve itself.
    """

    costs: Floats
    fixed: Floats
    constant: float
    home: bool

    def costs_of_adding(self, hubs: Sequence[int], candidates: Ints) -> Floats:
        """The objective for each candidate if it alone were added to the hubs."""
        clients, n = self.costs.shape
        opened = list(hubs)
        least = self.costs[:, opened].min(axis=1, initial=np.inf)
        if self.home:
            least[opened] = self.costs[opened, opened]
        # Copying columns costs more than needless work on some of them.
        columns: slice | Ints = slice(None) if 2 * len(candidates) > n else candidates
        total = np.zeros(n if isinstance(columns, slice) else len(candidates))
        step = max(1, _SLICE // len(total))
        for start in range(0, clients, step):
            part = slice(start, start + step)
            total += np.minimum(self.costs[part, columns], least[part, None]).sum(axis=0)
        if isinstance(columns, slice):
            total = total[candidates]
        if self.home:
            at_home = self.costs[candidates, candidates]
            total += np.maximum(at_home - least[candidates], 0.0)
            lured = self.costs[opened][:, candidates]
            total += np.maximum(least[opened, None] - lured, 0.0).sum(axis=0)
        cost: Floats = total + self.fixed[candidates] + (self.fixed[opened].sum() + self.constant)
        return cost


@dataclass(frozen=True, slots=True, eq=False)
class MedianBound:
    """What the relaxation yields. Any set of hubs costs at least ``base + worth[hubs].sum()``.

    Attributes:
        bound: no set of the size asked for costs less.
        base: what the prices sum to, and the constant.
        worth: (n,) what opening each site changes.
        prices: (clients,) the multipliers: what serving each client may cost.
        hubs: (p,) the best sites met on the way.
    """

    bound: float
    base: float
    worth: Floats
    prices: Floats
    hubs: Ints


def certain_distance(instance: HubInstance) -> Floats:
    """The largest symmetric metric that no distance is below (by the Floyd-Warshall algorithm)."""
    if instance.metric:
        return instance.distance
    certain: Floats = np.minimum(instance.distance, instance.distance.T)
    for middle in range(instance.size):
        np.minimum(certain, certain[:, [middle]] + certain[[middle], :], out=certain)
    return certain


def median_problem(instance: HubInstance, *, single: bool) -> MedianProblem:
    """A p-median problem whose solutions understate those of hub location.

    With i served by the hub k and j by m, half of each of ``d[i, m] - d[i, k]`` and ``d[j, k] - d[j, m]`` is
    certain to be travelled between the hubs. Under single allocation these halves sum up over all a place
    sends, so that the clients are the places. Under multiple allocation each pair is two clients, one at
    either end; or, where that would be too many, ``d[i, j] - d[i, k] - d[m, j]`` is taken as certain for as
    much of the transfer cost as access is no cheaper than, and the clients are places again.
    """
    distance, both, n = certain_distance(instance), instance.flow + instance.flow.T, instance.size
    access, fixed = instance.access_cost(), instance.fixed_cost
    half = instance.transfer / 2
    if single:
        # What a place sends to itself meets no distance between hubs; its two halves cancel.
        own = both.sum(axis=1)[:, None] * distance
        return MedianProblem(access + half * (both @ distance - own), fixed, 0.0, home=True)
    if n <= _PAIRS_SIZE:
        gap = half * (distance[None, :, :] - distance[:, None, :])
        first = instance.collection * instance.distance[:, None, :] + gap
        last = instance.distribution * instance.distance.T[None, :, :] - gap
        costs = np.concatenate([instance.flow[:, :, None] * end for end in (first, last)])
        return MedianProblem(costs.reshape(-1, n), fixed, 0.0, home=False)
    certain = min(instance.collection, instance.transfer, instance.distribution)
    direct = certain * float((instance.flow * distance).sum())
    return MedianProblem(access - certain * both.sum(axis=1)[:, None] * distance, fixed, direct, home=False)


def median_bound(
    problem: MedianProblem,
    p: int,
    *,
    passes: int = 400,
    start: Floats | None = None,
    step: float = 1.5,
    until: float = math.inf,
) -> MedianBound:
    """Bound the problem from below by subgradient ascent.

    Args:
        problem: its solutions have p sites.
        p: the number of sites to open.
        passes: at most so many steps.
        start: the first prices; otherwise they are guessed.
        step: the first step, as a share of the way to the best solution met.
        until: `time.monotonic()` at which to stop.
    """
    costs, fixed = problem.costs, problem.fixed
    rank = min(costs.shape[1] - 1, costs.shape[1] // p)
    prices: Floats = np.partition(costs, rank, axis=1)[:, rank].copy() if start is None else start
    best, best_prices, best_worth = -math.inf, prices, np.zeros(len(fixed))
    cost, hubs = math.inf, np.arange(p)
    waited = 0
    for _ in range(passes):
        worth = opening_worth(problem, prices)
        opened = np.argpartition(worth, p - 1)[:p]
        bound = float(prices.sum() + worth[opened].sum())
        served = costs[:, opened]
        if (opened_cost := float(served.min(axis=1).sum() + fixed[opened].sum())) < cost:
            cost, hubs = opened_cost, opened
        if bound > best:
            best, best_prices, best_worth, waited = bound, prices, worth, 0
        else:
            waited += 1
            if waited >= _PATIENCE:
                # Back to the best prices: what lies beyond was reached with too long a step.
                step, waited, prices = step / 2, 0, best_prices
                if step < _LEAST_STEP:
                    break
                continue
        slack = 1.0 - _takers(problem, served, prices, opened)
        length = float(slack @ slack)
        if length == 0 or time.monotonic() > until:
            break
        # Where open sites must serve themselves, they may cost more than `cost` says: something is left to
        # go.
        to_go = max(cost - bound, 1e-3 * abs(cost))
        prices = prices + step * to_go / length * slack
    base = float(best_prices.sum()) + problem.constant
    return MedianBound(best + problem.constant, base, best_worth, best_prices, np.sort(hubs))


def opening_worth(problem: MedianProblem, prices: Floats) -> Floats:
    """(n,) what opening each site adds to the relaxation at these prices of clients."""
    clients, n = problem.costs.shape
    total = problem.fixed.copy()
    step = max(1, _SLICE // n)
    for start in range(0, clients, step):
        part = slice(start, start + step)
        reduced = problem.costs[part] - prices[part, None]
        np.minimum(reduced, 0.0, out=reduced)
        total += reduced.sum(axis=0)
    if problem.home:
        total += np.maximum(problem.costs.diagonal() - prices, 0.0)
    return total


def _takers(problem: MedianProblem, served: Floats, prices: Floats, opened: Ints) -> Floats:
    """(clients,) how many of the opened sites serve each client in the relaxation."""
    takes = served < prices[:, None]
    if problem.home:
        takes[opened, np.arange(len(opened))] = True
    counted: Floats = takes.sum(axis=1).astype(np.float64)
    return counted
