"""A sharper p-median problem: dual ascent on what each pair of places pays between hubs.

Of what a pair of places pays a part is charged to either end, depending on its hub (see `median`). Any
division is valid that charges no pair of hubs more than the pair of places pays over them. The first one,
half and half by the triangle inequality, leaves much uncharged, and charges much where it changes nothing:
for hubs that an end will not use, or that will not open. That slack is taken back and charged anew, evenly to
both ends, as in the message passing of Globerson & Jaakkola 2007 (max-product linear programming), with hubs
that open as a further constraint. No round lowers the bound; its limit is near the linear relaxation of
Skorin-Kapov, Skorin-Kapov & O'Kelly 1996.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np

from routing.network.design.instance import Floats, HubInstance
from routing.network.design.median import (
    MedianBound,
    MedianProblem,
    certain_distance,
    median_bound,
    opening_worth,
)

# Steps of subgradient ascent after each round, and how long the first of them is.
_PASSES, _STEP = 25, 0.3


def sharpened(
    instance: HubInstance, problem: MedianProblem, relaxed: MedianBound, p: int, until: float = math.inf
) -> Iterator[tuple[MedianProblem, MedianBound]]:
    """Ever sharper problems and their bounds, without end; take as many as are worth the time.

    A round takes n ** 4 steps. None comes where the clients of the problem tell nothing of pairs.

    Args:
        instance: the network.
        problem: its p-median problem.
        relaxed: that problem's bound for p hubs.
        p: the number of hubs.
        until: passed on to `median_bound`.
    """
    charges: _Charges
    if problem.home:
        charges = _SingleCharges(instance, problem)
    elif len(problem.costs) == 2 * instance.size**2:
        charges = _MultipleCharges(instance, problem)
    else:
        return
    while True:
        problem = replace(problem, costs=charges.anew(_slack(problem, relaxed, p)))
        relaxed = median_bound(problem, p, passes=_PASSES, start=relaxed.prices, step=_STEP, until=until)
        yield problem, relaxed


def _slack(problem: MedianProblem, relaxed: MedianBound, p: int) -> Floats:
    """(clients, n): by how much serving a client from a hub could be cheaper without a lower bound.

    A hub dearer than a client's price does not count for it at all. A hub that is worth less than the p best
    could be worth as much as the last of them, shared among the clients for which it counts.
    """
    reduced = problem.costs - relaxed.prices[:, None]
    slack = np.maximum(reduced, 0.0)
    if problem.home:
        # An open hub serves itself at any price.
        np.fill_diagonal(slack, 0.0)
    worth = opening_worth(problem, relaxed.prices)
    spare = np.maximum(worth - np.partition(worth, p - 1)[p - 1], 0.0)
    counting = np.maximum(-reduced, 0.0)
    total = counting.sum(axis=0)
    slack += counting * np.divide(spare, total, out=np.zeros_like(spare), where=total > 0)
    return slack


class _Charges(Protocol):
    """How what pairs pay is divided among the clients."""

    def anew(self, slack: Floats) -> Floats:
        """The clients' costs once the slack has been taken back and charged anew."""


class _SingleCharges:
    """The clients are the places: each is charged with all pairs it is part of."""

    def __init__(self, instance: HubInstance, problem: MedianProblem) -> None:
        self._instance = instance
        both = instance.flow + instance.flow.T
        np.fill_diagonal(both, 0.0)
        total = both.sum(axis=1, keepdims=True)
        self._share = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
        certain = certain_distance(instance)
        # charged[i, j, k]: what the pair i, j charges to i if its hub is k.
        self._charged = instance.transfer / 2 * both[:, :, None] * (certain[None] - certain[:, None])
        self._access = problem.costs - self._charged.sum(axis=1)

    def anew(self, slack: Floats) -> Floats:
        """The clients' costs once the slack has been taken back and charged anew."""
        self._charged -= self._share[:, :, None] * slack[:, None, :]
        self._charged += self._uncharged() / 2
        costs: Floats = self._access + self._charged.sum(axis=1)
        return costs

    def _uncharged(self) -> Floats:
        """(n, n, n): the least of what a pair pays between hubs and is not charged, by the first's hub."""
        instance, charged = self._instance, self._charged
        transfer = instance.transfer * instance.distance
        symmetric = np.array_equal(transfer, transfer.T)
        least = np.empty_like(charged)
        for place in range(instance.size):
            sent, received = instance.flow[place, :, None, None], instance.flow[:, place, None, None]
            if symmetric:
                rest = (sent + received) * transfer
            else:
                rest = sent * transfer
                rest += received * transfer.T
            rest -= charged[:, place, None, :]
            least[place] = rest.min(axis=2) - charged[place]
        # A place and itself meet no distance between hubs: they have one.
        least[np.arange(instance.size), np.arange(instance.size)] = 0.0
        return least


class _MultipleCharges:
    """The clients are the two ends of each pair, which between them bear all of what the pair pays."""

    def __init__(self, instance: HubInstance, problem: MedianProblem) -> None:
        self._instance = instance
        n = instance.size
        # charged[end, i, j, k]: what the pair i, j charges to its first or last hub if that is k.
        self._charged = problem.costs.reshape(2, n, n, n).copy()

    def anew(self, slack: Floats) -> Floats:
        """The clients' costs once the slack has been taken back and charged anew."""
        instance, charged = self._instance, self._charged
        charged -= slack.reshape(charged.shape)
        collect = instance.collection * instance.distance
        transfer = instance.transfer * instance.distance
        distribute = instance.distribution * instance.distance
        for place in range(instance.size):
            # rest[j, k, m]: what is not charged of the way from this place to j over k and m.
            rest = collect[place, :, None] + transfer + distribute.T[:, None, :]
            rest *= instance.flow[place, :, None, None]
            rest -= charged[0, place, :, :, None]
            rest -= charged[1, place, :, None, :]
            charged[0, place] += rest.min(axis=2) / 2
            charged[1, place] += rest.min(axis=1) / 2
        return charged.reshape(-1, instance.size).copy()
