"""Small instances, and what all of their designs cost, told by the definition alone."""

import math
from itertools import combinations, product

import numpy as np
from hypothesis import strategies as st

from routing.network.design import HubInstance

# Nothing else that costs below this can be told from rounding.
RELATIVE = 1e-7


def path(instance: HubInstance, i: int, k: int, m: int, j: int) -> float:
    d = instance.distance
    return float(
        instance.collection * d[i, k] + instance.transfer * d[k, m] + instance.distribution * d[m, j]
    )


def single_cost(instance: HubInstance, allocation: tuple[int, ...]) -> float:
    places = range(instance.size)
    flow = sum(
        instance.flow[i, j] * path(instance, i, allocation[i], allocation[j], j)
        for i in places
        for j in places
    )
    return float(flow + sum(instance.fixed_cost[hub] for hub in set(allocation)))


def multiple_cost(instance: HubInstance, hubs: tuple[int, ...]) -> float:
    places = range(instance.size)
    flow = sum(
        instance.flow[i, j] * min(path(instance, i, k, m, j) for k in hubs for m in hubs)
        for i in places
        for j in places
    )
    return float(flow + sum(instance.fixed_cost[hub] for hub in hubs))


def allocations(instance: HubInstance, hubs: tuple[int, ...]):
    """Every single allocation to the hubs that keeps their capacities; a hub is its own."""
    sent = instance.flow.sum(axis=1)
    for allocation in product(hubs, repeat=instance.size):
        if all(allocation[hub] == hub for hub in hubs):
            collected = {
                hub: sum(sent[i] for i, used in enumerate(allocation) if used == hub) for hub in hubs
            }
            if all(load <= instance.capacity[hub] + 1e-9 for hub, load in collected.items()):
                yield allocation


def best_single(instance: HubInstance, p: int) -> float:
    return min(
        (
            single_cost(instance, allocation)
            for hubs in combinations(range(instance.size), p)
            for allocation in allocations(instance, hubs)
        ),
        default=math.inf,
    )


def best_multiple(instance: HubInstance, p: int) -> float:
    return min(multiple_cost(instance, hubs) for hubs in combinations(range(instance.size), p))


@st.composite
def instances(draw, *, places: int = 6, fixed: bool = True) -> HubInstance:
    """Instances with everything that may be strange: no metric, no symmetry, no flow here and there."""
    n = draw(st.integers(2, places))
    numbers = st.integers(0, 20)
    matrix = st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=n, max_size=n)
    flow = np.array(draw(matrix), dtype=float)
    if draw(st.booleans()):
        points = np.array(draw(st.lists(st.tuples(numbers, numbers), min_size=n, max_size=n)), dtype=float)
        distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    else:
        distance = np.array(draw(matrix), dtype=float)
        np.fill_diagonal(distance, 0.0)
    factors = [draw(st.sampled_from([0.0, 0.3, 1.0, 2.5])) for _ in range(3)]
    costs = draw(st.lists(numbers, min_size=n, max_size=n)) if fixed and draw(st.booleans()) else []
    return HubInstance(
        tuple(f"p{index}" for index in range(n)),
        flow,
        distance,
        *factors,
        fixed_cost=np.array(costs, dtype=float) * 30,
    )
