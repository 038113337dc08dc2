"""Hubs for most of the demand, and direct lines where the volume pays for them."""

import numpy as np

from routing.network.comparison.demand import Flows, Places
from routing.network.comparison.measure import Totals, measure, ride
from routing.network.comparison.operation import Leg, Operation
from routing.network.comparison.shapes import Shape, with_direct

_PARTS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Of the flows that promise to pay, the best half, quarter and so on are tried too."""


def hybrid(places: Places, flows: Flows, shape: Shape, operation: Operation) -> Shape:
    """Give a line of its own to each flow that is cheaper so, as far as that makes the whole cheaper.

    A flow promises to pay when its own departure costs less than its share, by weight, of the departures it
    would take over the hubs. Since the others on those departures then bear more, the flows that promise most
    are taken in parts, and the cheapest whole is kept: it never costs more than the topology given.

    Args:
        places: that are joined.
        flows: of a day.
        shape: with hubs.
        operation: how lines are run.
    """
    _, _, cost_per_g = ride(places, flows, shape, operation, Totals())
    length_m = places.distance_m(flows.origin, flows.destination)
    saved = cost_per_g * flows.grams - operation.runs(Leg.DIRECT, length_m, flows.grams)[3]
    # Two hubs, and a place and its hub, are joined already.
    joined = (flows.origin == shape.first) & (flows.destination == shape.last)
    joined |= (shape.allocation[flows.origin] == flows.destination[:, None]).any(axis=1)
    joined |= (shape.allocation[flows.destination] == flows.origin[:, None]).any(axis=1)
    paying = np.flatnonzero((saved > 0) & ~joined)
    paying = paying[np.argsort(-saved[paying], kind="stable")]
    best = with_direct(shape, np.zeros(flows.origin.shape, dtype=bool))
    least = measure(places, flows, best, operation).cost_minor
    for part in _PARTS:
        chosen = paying[: -(-paying.size // part)]
        direct = np.zeros(flows.origin.shape, dtype=bool)
        direct[chosen] = True
        candidate = with_direct(shape, direct)
        cost_minor = measure(places, flows, candidate, operation).cost_minor
        if cost_minor < least:
            best, least = candidate, cost_minor
    return best
