"""All sets of p hubs that may cost less than a limit.

Sets are sieved three times, each sieve dearer and finer than the one before: by what opening each hub is
worth in the relaxed p-median problem (a sum), by the p-median problem itself, and by their cost under
multiple allocation. The last is the shortest-path bound with which Ernst & Krishnamoorthy 1998, "An exact
solution approach based on shortest-paths for p-hub median problems", enumerate hubs; for multiple allocation
it is the cost itself.
"""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np

from routing.network.design.instance import Floats, HubInstance, Ints
from routing.network.design.median import MedianBound, MedianProblem
from routing.network.design.multiple import MultipleAllocation, Paths

# Fewer sets than this are sieved sooner than another process starts.
_WORTH_A_PROCESS = 100_000
# Resolution at which sets are counted beforehand.
_GRAINS = 2000
# Steps in which a limit is found that lets so many sets pass.
_HALVINGS = 12


@dataclass(frozen=True, slots=True, eq=False)
class HubSets:
    """Sets of hubs, cheapest first.

    Attributes:
        hubs: (sets, p), each row ascending.
        bound: (sets,) their costs under multiple allocation, or what the p-median problem says if that is
            more. complete: every set below the limit is here; otherwise time ran out.
    """

    hubs: Ints
    bound: Floats
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class Sieve:
    """What tells sets apart.

    Attributes:
        instance: places, flows and costs; capacities play no part.
        problem: the p-median problem; sets are only sieved by it where its clients are few.
        relaxed: its relaxation.
        p: the number of hubs.
        limit: only sets that may cost less are kept.
    """

    instance: HubInstance
    problem: MedianProblem
    relaxed: MedianBound
    p: int
    limit: float

    def within(self, sets: float) -> "Sieve":
        """This sieve, or one with so low a limit that no more than about `sets` pass the first sieve."""
        if self.count() <= sets:
            return self
        low, high = min(self.relaxed.bound, self.limit), self.limit
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            if replace(self, limit=middle).count() <= sets:
                low = middle
            else:
                high = middle
        return replace(self, limit=low)

    def count(self) -> float:
        """About how many sets pass the first sieve, at least as many as do: by their rounded sums of
        worths."""
        worth = self.relaxed.worth - self.relaxed.worth.min()
        allowance = self.limit - self.relaxed.base - self.p * self.relaxed.worth.min()
        if allowance <= 0:
            return 1.0
        step = np.floor(np.minimum(worth / allowance, 2.0) * _GRAINS).astype(np.int64)
        # ways[q, s]: sets of q hubs whose rounded worths sum to s.
        ways = np.zeros((self.p + 1, _GRAINS + 1))
        ways[0, 0] = 1.0
        for grains in step[step <= _GRAINS].tolist():
            ways[1:, grains:] += ways[:-1, : _GRAINS + 1 - grains].copy()
        return float(ways[self.p].sum())

    def sets(self, *, workers: int = 1, until: float = math.inf) -> HubSets:
        """Every set that passes.

        Args:
            workers: processes to share the work.
            until: `time.monotonic()` at which to give up.
        """
        first = range(self.instance.size - self.p + 1)
        lean = self
        if not self.problem.home:
            # Processes need not be sent what they do not look at.
            lean = replace(self, problem=replace(self.problem, costs=np.empty((0, self.instance.size))))
        if workers == 1 or math.comb(self.instance.size, self.p) < _WORTH_A_PROCESS:
            parts = [_sets_from(lean, first, until)]
        else:
            # Each process may have a monotonic clock of its own; the wall clock is the same for all.
            deadline = time.time() + until - time.monotonic()
            # Not forked: a parent with threads could hand on a lock that nobody will ever release.
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                # One share for each first hub: they differ too much in size to be dealt beforehand.
                futures = [pool.submit(_sets_within, lean, [lowest], deadline) for lowest in first]
                parts = [future.result() for future in futures]
        hubs = np.sort(np.concatenate([part.hubs for part in parts]), axis=1)
        bound = np.concatenate([part.bound for part in parts])
        order = np.lexsort((*hubs.T[::-1], bound))
        return HubSets(hubs[order], bound[order], all(part.complete for part in parts))


def _sets_within(sieve: Sieve, first: Sequence[int], deadline: float) -> HubSets:
    return _sets_from(sieve, first, time.monotonic() + deadline - time.time())


def _sets_from(sieve: Sieve, first: Sequence[int], until: float) -> HubSets:
    """The sets whose hub of least worth is in `first` by rank."""
    stack = _PathStack(MultipleAllocation(sieve.instance))
    hubs: list[Ints] = []
    bounds: list[Floats] = []
    complete = True
    for prefix, candidates in _worthwhile(sieve, first):
        if time.monotonic() > until:
            complete = False
            break
        least = np.full(len(candidates), -np.inf)
        if sieve.problem.home:
            least = sieve.problem.costs_of_adding(prefix, candidates)
            candidates, least = candidates[least < sieve.limit], least[least < sieve.limit]
            if not len(candidates):
                continue
        costs = np.maximum(stack.model.costs_of_adding(stack.of(prefix), candidates), least)
        cheap = costs < sieve.limit
        rows = np.empty((int(cheap.sum()), sieve.p), dtype=np.int64)
        rows[:, :-1], rows[:, -1] = prefix, candidates[cheap]
        hubs.append(rows)
        bounds.append(costs[cheap])
    if not hubs:
        return HubSets(np.empty((0, sieve.p), dtype=np.int64), np.empty(0), complete)
    return HubSets(np.concatenate(hubs), np.concatenate(bounds), complete)


def _worthwhile(sieve: Sieve, first: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """All but the last hub of the sets whose worths sum to little enough, with the hubs that may come last.

    Hubs are taken in the order of their worth, so that what cannot be completed is known at once.
    """
    n, p = sieve.instance.size, sieve.p
    order = np.argsort(sieve.relaxed.worth, kind="stable")
    worth = sieve.relaxed.worth[order]
    sums = np.concatenate([[0.0], np.cumsum(worth)]).tolist()
    # A little more is let through than must be, so that rounding cannot keep out a set.
    allowance = sieve.limit - sieve.relaxed.base
    allowance += 1e-9 * (abs(sieve.limit) + abs(sieve.relaxed.base))
    ranked, worths = order.tolist(), worth.tolist()

    def below(prefix: tuple[int, ...], spent: float, start: int) -> Iterator[tuple[tuple[int, ...], Ints]]:
        missing = p - len(prefix)
        if missing == 1:
            end = int(np.searchsorted(worth, allowance - spent, side="right"))
            if end > start:
                yield prefix, order[start:end]
            return
        for rank in range(start, n - missing + 1):
            if spent + sums[rank + missing] - sums[rank] > allowance:
                return
            yield from below((*prefix, ranked[rank]), spent + worths[rank], rank + 1)

    if p == 1:
        chosen = np.array(first, dtype=np.int64)
        yield (), order[chosen[worth[chosen] <= allowance]]
        return
    for lowest in first:
        if sums[lowest + p] - sums[lowest] <= allowance:
            yield from below((ranked[lowest],), worths[lowest], lowest + 1)


class _PathStack:
    """The ways over the hubs of a prefix, remembered for the next prefix, which mostly starts alike."""

    def __init__(self, model: MultipleAllocation) -> None:
        self.model = model
        self._stack: list[Paths] = [model.none()]

    def of(self, prefix: Sequence[int]) -> Paths:
        known = 0
        while (
            known < min(len(prefix), len(self._stack) - 1)
            and self._stack[known + 1].hubs[-1] == prefix[known]
        ):
            known += 1
        del self._stack[known + 1 :]
        for hub in prefix[known:]:
            self._stack.append(self.model.add(self._stack[-1], hub))
        return self._stack[-1]
