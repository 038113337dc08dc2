"""A sharper p-median problem for single allocation: dual ascent on what each pair of places pays between
hubs.

Of the transfer between two places a part is charged to either place, depending on its hub (see `median`). Any
division is valid that charges no pair of hubs more than the transfer costs. The first one, half and half by
the triangle inequality, leaves much uncharged, and charges much where it changes nothing: for hubs that a
place will not use, or that will not open. That slack is taken back and charged anew, evenly to both ends, as
in the message passing of Globerson & Jaakkola 2007 (max-product linear programming), with hubs that open as a
further constraint. No round lowers the bound; its limit is near the linear relaxation of Skorin-Kapov,
Skorin-Kapov & O'Kelly 1996.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

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

    A round takes n ** 4 steps.

    Args:
        instance: the network.
        problem: its p-median problem for single allocation.
        relaxed: that problem's bound for p hubs.
        p: the number of hubs.
        until: passed on to `median_bound`.
    """
    both = instance.flow + instance.flow.T
    np.fill_diagonal(both, 0.0)
    total = both.sum(axis=1, keepdims=True)
    share = np.divide(both, total, out=np.zeros_like(both), where=total > 0)
    certain = certain_distance(instance)
    # charged[i, j, k]: what the pair i, j charges to i if its hub is k.
    charged = instance.transfer / 2 * both[:, :, None] * (certain[None, :, :] - certain[:, None, :])
    access = problem.costs - charged.sum(axis=1)
    while True:
        charged -= share[:, :, None] * _slack(problem, relaxed, p)[:, None, :]
        charged += _uncharged(instance, charged) / 2
        problem = replace(problem, costs=access + charged.sum(axis=1))
        relaxed = median_bound(problem, p, passes=_PASSES, start=relaxed.prices, step=_STEP, until=until)
        yield problem, relaxed


def _slack(problem: MedianProblem, relaxed: MedianBound, p: int) -> Floats:
    """(n, n): by how much serving a place from a hub could be cheaper without a lower bound.

    A hub dearer than a place's price does not count for it at all. A hub that is worth less than the p best
    could be worth as much as the last of them, shared among the places for which it counts.
    """
    reduced = problem.costs - relaxed.prices[:, None]
    slack = np.maximum(reduced, 0.0)
    # An open hub serves itself at any price.
    np.fill_diagonal(slack, 0.0)
    worth = opening_worth(problem, relaxed.prices)
    spare = np.maximum(worth - np.partition(worth, p - 1)[p - 1], 0.0)
    counting = np.maximum(-reduced, 0.0)
    total = counting.sum(axis=0)
    slack += counting * np.divide(spare, total, out=np.zeros_like(spare), where=total > 0)
    return slack


def _uncharged(instance: HubInstance, charged: Floats) -> Floats:
    """(n, n, n): the least of what a pair pays between hubs and is not charged, by the first place's hub."""
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
