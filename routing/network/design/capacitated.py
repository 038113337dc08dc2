"""Hubs that can collect only so much: sets of hubs in the order of their bounds, each solved by OR-Tools.

Capacity limits what a hub collects, as in Ernst & Krishnamoorthy 1999, "Solution algorithms for the
capacitated single allocation hub location problem". Without capacities a set of hubs costs no more than with
them, so the bounds of the uncapacitated problem tell when no later set can be cheaper.
"""

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from routing.network.design.allocation import TOLERANCE, hubs_at_home
from routing.network.design.enumeration import HubSets, Sieve
from routing.network.design.errors import NoDesignError
from routing.network.design.instance import Floats, HubInstance, Ints
from routing.network.design.median import median_bound, median_problem
from routing.network.design.pairwise import PairwiseBound
from routing.network.design.within import Solved, multiple_within, single_within

# How far above the bound of all sets looks are taken first, and by how much farther each next time.
_FIRST_REACH, _FARTHER = 1.02, 4.0
# Beyond this, all sets are looked at.
_REACH_MAX = 30.0
_ROWS, _PASSES = 32, 20
# Sets that get a short attempt before any is solved to the end, and for how many seconds each.
_TRIED, _TRIED_S = 12, 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Hubs that keep their capacities, the hubs of each place, and a bound on all such designs."""

    cost: float
    hubs: tuple[int, ...]
    allocation: tuple[tuple[int, ...], ...]
    lower_bound: float


def capacitated_design(
    instance: HubInstance, p: int, *, single: bool, workers: int = 1, until: float = math.inf
) -> Kept:
    """Choose p hubs that can collect what their places send.

    Args:
        instance: some of its hubs have a capacity.
        p: the number of hubs.
        single: each place has one hub; otherwise it may split what it sends.
        workers: processes that sieve sets.
        until: `time.monotonic()` at which to stop.

    Raises:
        NoDesignError: no p hubs can hold all flow, or none were found in time.
    """
    if np.sort(instance.capacity)[-p:].sum() < instance.flow.sum() * (1 - TOLERANCE):
        raise NoDesignError(f"no {p} hubs hold all flow: their capacities sum to too little")
    problem = median_problem(instance, single=single)
    relaxed = median_bound(problem, p)
    best: Kept | None = None
    # Sets below `seen` are done; none of them costs less than `lower`.
    seen, lower, reach = -math.inf, math.inf, _FIRST_REACH
    complete = True
    while complete and seen < (math.inf if best is None else best.cost):
        limit = relaxed.bound * reach if reach < _REACH_MAX else math.inf
        limit = limit if best is None else min(limit, best.cost)
        sieve = Sieve(instance, problem, relaxed, p, limit)
        sets = sieve.sets(workers=workers, until=until)
        new = sets.bound >= seen
        best, solved, complete = _solve(
            instance,
            HubSets(sets.hubs[new], sets.bound[new], sets.complete),
            best,
            single=single,
            until=until,
        )
        lower, reach = min(lower, solved), 1 + (reach - 1) * _FARTHER
        seen = limit if complete else seen
    if best is None:
        ending = "" if complete else " was found in time"
        raise NoDesignError(f"no set of {p} hubs that keeps their capacities{ending}")
    # Sets never looked at cost at least `seen`, or what the relaxation says.
    return replace(best, lower_bound=min(best.cost, lower, max(seen, relaxed.bound)))


def _solve(
    instance: HubInstance, sets: HubSets, best: Kept | None, *, single: bool, until: float
) -> tuple[Kept | None, float, bool]:
    """Solve sets while they may be cheaper; also returns a bound on them and whether time sufficed."""
    large = instance.capacity[sets.hubs].sum(axis=1) >= instance.flow.sum() * (1 - TOLERANCE)
    hubs, bound = sets.hubs[large], sets.bound[large]
    if single:
        bound = np.maximum(bound, _pairwise_bounds(instance, hubs, until))
        if best is None:
            best = _tried(instance, hubs[np.argsort(bound, kind="stable")[:_TRIED]], until)
    lower = math.inf
    for index in np.argsort(bound, kind="stable").tolist():
        if best is not None and bound[index] >= best.cost * (1 - TOLERANCE):
            # Sorted: so are all that follow.
            break
        if time.monotonic() > until:
            return best, min(lower, float(bound[index])), False
        chosen = hubs[index].tolist()
        if single:
            solved = single_within(instance, chosen, until, math.inf if best is None else best.cost)
        else:
            solved = multiple_within(instance, chosen, until)
        lower = min(lower, max(solved.lower_bound, float(bound[index])))
        best = _cheaper(best, solved, chosen)
    return best, lower, sets.complete


def _tried(instance: HubInstance, hubs: Ints, until: float) -> Kept | None:
    """The best of what a short attempt at each of a few sets finds: something to measure the others by."""
    best: Kept | None = None
    for chosen in hubs.tolist():
        now = time.monotonic()
        if now > until:
            break
        below = math.inf if best is None else best.cost
        best = _cheaper(best, single_within(instance, chosen, min(until, now + _TRIED_S), below), chosen)
    return best


def _cheaper(best: Kept | None, solved: Solved, hubs: list[int]) -> Kept | None:
    if solved.allocation and (best is None or solved.cost < best.cost):
        return Kept(solved.cost, tuple(hubs), solved.allocation, solved.lower_bound)
    return best


def _pairwise_bounds(instance: HubInstance, hubs: Ints, until: float) -> Floats:
    """Bounds that know each place has one hub, for as many sets as time allows."""
    pairwise = PairwiseBound(instance, instance.access_cost())
    bound = np.full(len(hubs), -np.inf)
    for start in range(0, len(hubs), _ROWS):
        if time.monotonic() > until:
            break
        rows = hubs[start : start + _ROWS]
        allowed = np.stack([hubs_at_home(instance.size, row) for row in rows])
        bound[start : start + _ROWS] = pairwise.bounds(rows, allowed, math.inf, _PASSES).bound
    return bound
