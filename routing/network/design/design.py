"""Choose hubs and allocate places to them: the p-hub median problem, with a proven bound."""

import time
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from routing.network.design.allocation import TOLERANCE, best_allocation
from routing.network.design.ascent import sharpened
from routing.network.design.capacitated import capacitated_design
from routing.network.design.enumeration import HubSets, Sieve
from routing.network.design.errors import InvalidInstanceError
from routing.network.design.instance import HubInstance
from routing.network.design.median import median_bound, median_problem
from routing.network.design.multiple import MultipleAllocation
from routing.network.design.search import (
    Priced,
    Search,
    median_rank,
    multiple_price,
    multiple_rank,
    single_price,
)
from routing.network.design.single import SingleAllocation

# Random restarts of the search before anything is proven, and at most while time is left over.
_RESTARTS = 4
_RESTARTS_MAX = 100_000
# What one core sieves a second, roughly: sets of hubs under single allocation, and pairs of places times sets
# under multiple allocation. More than time allows is not started on.
_SETS_PER_S, _PAIRS_PER_S = 1.2e5, 1e8
# Up to so many places swaps can be ranked by their cost under multiple allocation.
_RANKED_SIZE = 200
# Share of the time that the first bound, and that the first search may take.
_BOUND_SHARE, _SEARCH_SHARE = 0.25, 0.3
# Beyond so many places no set of hubs is looked at one by one: a bound of one takes seconds by then.
_SIEVED_SIZE = 250
# The p-median problem is sharpened while more sets pass than these, a round still gains this (relative), and
# time is within this share.
_FEW_SETS, _LEAST_GAIN, _SHARPEN_SHARE = 5000, 2e-6, 0.7
# Share of what then is left that the sieve is meant to take; how long it takes is only foretold roughly.
_SIEVE_SHARE = 0.5


class Allocation(StrEnum):
    """How places use hubs."""

    SINGLE = "single"
    MULTIPLE = "multiple"


@dataclass(frozen=True, slots=True)
class HubDesign:
    """Hubs, who uses them, and what is proven.

    Attributes:
        objective: collection, transfer, distribution and fixed costs together.
        hubs: indices of places, ascending.
        allocation: for each place the hubs it sends to or receives from; exactly one under single allocation.
        lower_bound: no other choice of as many hubs costs less. The objective itself where that is proven to
            a relative 1e-9.
        greedy_objective: what adding one hub after the other, the simple way, would have cost; None with
            capacities, which the simple way does not know.
        seconds: elapsed.
    """

    objective: float
    hubs: tuple[int, ...]
    allocation: tuple[tuple[int, ...], ...]
    lower_bound: float
    greedy_objective: float | None
    seconds: float

    @property
    def gap(self) -> float:
        """The share of the objective that lies above the bound."""
        return (self.objective - self.lower_bound) / self.objective if self.objective else 0.0

    @property
    def proven(self) -> bool:
        """The design is optimal."""
        return self.lower_bound >= self.objective


def design(
    instance: HubInstance,
    hubs: int,
    *,
    allocation: Allocation = Allocation.SINGLE,
    seconds: float = 60.0,
    workers: int = 1,
    seed: int = 0,
) -> HubDesign:
    """Choose the hubs of a network.

    A local search finds good hubs, a relaxation bounds all; then every set of hubs that the bound leaves is
    looked at, with finer bounds the fewer remain (see `enumeration` and `pairwise`). Where too many remain
    for the time given, only the cheapest are looked at, which raises the bound, and the search goes on.

    Args:
        instance: places, flows, distances, factors; fixed costs and capacities if any.
        hubs: how many, exactly.
        allocation: whether a place has one hub or may use several.
        seconds: about how long it may take.
        workers: processes that look at sets of hubs.
        seed: of the search's restarts.

    Raises:
        InvalidInstanceError: there are fewer places than hubs, or the time or workers are not positive.
        NoDesignError: capacities cannot be kept, or no design that keeps them was found in time.
    """
    if not 1 <= hubs <= instance.size:
        raise InvalidInstanceError(f"{hubs} hubs cannot be chosen among {instance.size} places")
    if not seconds > 0 or workers < 1:
        raise InvalidInstanceError("a design needs a positive time and at least one worker")
    began = time.monotonic()
    if instance.capacitated:
        single = allocation is Allocation.SINGLE
        kept = capacitated_design(instance, hubs, single=single, workers=workers, until=began + seconds)
        lower = _settled(kept.lower_bound, kept.cost)
        return HubDesign(kept.cost, kept.hubs, kept.allocation, lower, None, time.monotonic() - began)
    best, lower, greedy = _uncapacitated(instance, hubs, allocation, seconds, workers, seed)
    users, lower = _users(instance, best), _settled(lower, best.cost)
    return HubDesign(best.cost, best.hubs, users, lower, greedy, time.monotonic() - began)


def _settled(lower: float, objective: float) -> float:
    """The bound; the objective itself where rounding alone could lie between them."""
    return objective if lower >= objective * (1 - TOLERANCE) else lower


def _uncapacitated(
    instance: HubInstance, p: int, allocation: Allocation, seconds: float, workers: int, seed: int
) -> tuple[Priced, float, float]:
    """The best design, its bound, and the cost of the greedy one."""
    began = time.monotonic()
    until = began + seconds
    single = allocation is Allocation.SINGLE
    problem = median_problem(instance, single=single)
    relaxed = median_bound(problem, p, until=began + _BOUND_SHARE * seconds)
    ways, model = MultipleAllocation(instance), SingleAllocation(instance)
    exact_rank = not single and instance.size <= _RANKED_SIZE
    search = Search(
        instance.size,
        single_price(model) if single else multiple_price(ways),
        multiple_rank(ways) if exact_rank else median_rank(problem),
    )
    greedy = search.greedy(p)
    search_until = time.monotonic() + _SEARCH_SHARE * seconds
    found = (search.descend(start, search_until) for start in (relaxed.hubs.tolist(), greedy.hubs))
    best = min(found, key=lambda priced: priced.cost)
    if relaxed.bound >= best.cost * (1 - TOLERANCE):
        return best, relaxed.bound, greedy.cost
    if instance.size > _SIEVED_SIZE:
        return search.restarts(best, seed, _RESTARTS_MAX, until), relaxed.bound, greedy.cost
    best = search.restarts(best, seed, _RESTARTS, search_until)
    rate = _SETS_PER_S if single else _PAIRS_PER_S / instance.size**2
    sieve = Sieve(instance, problem, relaxed, p, best.cost)
    sieve = _sharpened(sieve, rate, began + _SHARPEN_SHARE * seconds)
    sieve = sieve.within(rate * workers * (until - time.monotonic()) * _SIEVE_SHARE)
    sets = sieve.sets(workers=workers, until=until)
    best, lower = _best_of(sets, best, model, single=single, until=until)
    lower = max(sieve.relaxed.bound, min(lower, sieve.limit)) if sets.complete else sieve.relaxed.bound
    if lower < best.cost * (1 - TOLERANCE):
        best = search.restarts(best, seed, _RESTARTS_MAX, until)
    return best, lower, greedy.cost


def _sharpened(sieve: Sieve, rate: float, until: float) -> Sieve:
    """The sieve with a p-median problem so sharp that few sets pass, or as sharp as time allows.

    Args:
        sieve: as it is.
        rate: how many sets it sieves a second.
        until: `time.monotonic()` at which to stop.
    """
    began = time.monotonic()
    if sieve.count() <= _FEW_SETS:
        return sieve
    for problem, relaxed in sharpened(sieve.instance, sieve.problem, sieve.relaxed, sieve.p, until):
        gain = relaxed.bound - sieve.relaxed.bound
        sieve = replace(sieve, problem=problem, relaxed=relaxed)
        settled = gain < _LEAST_GAIN * abs(sieve.limit) or time.monotonic() > until
        # Once sieving takes no longer than sharpening did, another round can save little.
        if settled or sieve.count() <= _FEW_SETS + rate * (time.monotonic() - began):
            break
    return sieve


def _best_of(
    sets: HubSets, start: Priced, model: SingleAllocation, *, single: bool, until: float
) -> tuple[Priced, float]:
    """The best of the sets and the start, and a bound on all of them."""
    if not len(sets.bound):
        return start, start.cost
    if not single:
        return Priced(float(sets.bound[0]), tuple(sets.hubs[0].tolist()), None), float(sets.bound[0])
    assert start.allocation is not None
    found = best_allocation(model, sets, (start.cost, start.allocation), until)
    chosen = tuple(np.unique(found.allocation).tolist())
    return Priced(found.cost, chosen, found.allocation), found.lower_bound


def _users(instance: HubInstance, best: Priced) -> tuple[tuple[int, ...], ...]:
    """The hubs that each place uses."""
    if best.allocation is not None:
        return tuple((hub,) for hub in best.allocation.tolist())
    first, last = MultipleAllocation(instance).ends(best.hubs)
    sends, receives = instance.flow > 0, instance.flow.T > 0
    return tuple(
        tuple(sorted({*first[place, sends[place]].tolist(), *last.T[place, receives[place]].tolist()}))
        for place in range(instance.size)
    )
