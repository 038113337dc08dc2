"""Each bound alone: below every design, never falling, and reached where it is exact."""

import math
from itertools import combinations, islice, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.network.design import HubInstance
from routing.network.design.allocation import best_allocation, hubs_at_home
from routing.network.design.ascent import sharpened
from routing.network.design.enumeration import HubSets
from routing.network.design.instance import Ints
from routing.network.design.median import MedianProblem, median_bound, median_problem
from routing.network.design.multiple import MultipleAllocation
from routing.network.design.pairwise import PairwiseBound
from routing.network.design.single import SingleAllocation
from routing.network.design.within import multiple_within, single_within
from tests.routing.network.design.support import (
    RELATIVE,
    allocations,
    best_multiple,
    best_single,
    instances,
    multiple_cost,
    single_cost,
)


def slack(instance: HubInstance) -> float:
    """What rounding may make of sums of this size."""
    return 1e-9 * (1 + 2.5 * 3 * 30 * float(instance.flow.sum()) + float(instance.fixed_cost.sum()))


def cheapest(instance: HubInstance, hubs: tuple[int, ...], *, single: bool) -> float:
    if single:
        return min(single_cost(instance, allocation) for allocation in allocations(instance, hubs))
    return multiple_cost(instance, hubs)


def median_cost(problem: MedianProblem, hubs: tuple[int, ...]) -> float:
    """By the definition: the cheapest hub for each client, itself for a hub at home."""
    served = [
        row[client] if problem.home and client in hubs else min(row[list(hubs)])
        for client, row in enumerate(problem.costs)
    ]
    return float(sum(served) + problem.fixed[list(hubs)].sum() + problem.constant)


@settings(deadline=None, max_examples=40)
@given(instances(places=5), st.booleans(), st.data())
def test_sharpening_never_loses_and_never_overstates(
    instance: HubInstance, single: bool, data: st.DataObject
) -> None:
    p = data.draw(st.integers(1, instance.size))
    problem = median_problem(instance, single=single)
    relaxed = median_bound(problem, p)
    rounding = slack(instance)
    sets = list(combinations(range(instance.size), p))
    costs = {hubs: cheapest(instance, hubs, single=single) for hubs in sets}
    bounds = [relaxed.bound]
    for sharper, bound in islice(sharpened(instance, problem, relaxed, p), 6):
        bounds.append(bound.bound)
        for hubs in sets:
            told = median_cost(sharper, hubs)
            linear = bound.base + float(bound.worth[list(hubs)].sum())
            assert bound.bound - rounding <= linear <= told + rounding
            assert told <= costs[hubs] + rounding
            adding = sharper.costs_of_adding(hubs[:-1], np.array(hubs[-1:]))
            assert adding[0] == pytest.approx(told, rel=RELATIVE, abs=rounding)
    assert all(after >= before - rounding for before, after in pairwise(bounds))


def test_sharpening_closes_most_of_the_gap() -> None:
    random = np.random.default_rng(3)
    points = random.uniform(0, 100, (12, 2))
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    names = tuple(map(str, range(12)))
    instance = HubInstance(names, random.exponential(1.0, (12, 12)), distance, 1.0, 0.7, 1.0, metric=True)
    for single in (True, False):
        problem = median_problem(instance, single=single)
        relaxed = median_bound(problem, 3)
        *_, (_, last) = islice(sharpened(instance, problem, relaxed, 3), 60)
        if single:
            model = SingleAllocation(instance)
            best = min(model.best_for(hubs)[0] for hubs in combinations(range(12), 3))
        else:
            best = best_multiple(instance, 3)
        assert last.bound <= best
        assert best - last.bound < 0.4 * (best - relaxed.bound)


@settings(deadline=None, max_examples=40)
@given(instances(places=5), st.data())
def test_pairwise_bounds_are_below_every_allocation_that_is_allowed(
    instance: HubInstance, data: st.DataObject
) -> None:
    n = instance.size
    p = data.draw(st.integers(1, min(3, n)))
    sets = np.array(list(combinations(range(n), p)))
    allowed = np.stack([hubs_at_home(n, row) for row in sets])
    barred = data.draw(st.lists(st.booleans(), min_size=allowed.size, max_size=allowed.size))
    narrowed = allowed & ~np.array(barred).reshape(allowed.shape)
    # Each place keeps a choice, and a hub itself.
    narrowed = np.where(narrowed.any(axis=2, keepdims=True), narrowed, allowed)
    found = PairwiseBound(instance, instance.access_cost()).bounds(sets, narrowed, math.inf, 10)
    for row, hubs in enumerate(sets.tolist()):
        options = [[hub for hub, may in zip(hubs, may_use, strict=True) if may] for may_use in narrowed[row]]
        costs = [single_cost(instance, allocation) for allocation in product(*options)]
        fixed = instance.fixed_cost[hubs].sum()
        used = [sum(instance.fixed_cost[hub] for hub in set(allocation)) for allocation in product(*options)]
        least = min(cost - own + fixed for cost, own in zip(costs, used, strict=True))
        assert found.bound[row] <= least + slack(instance)
        if len(costs) == 1:
            assert found.bound[row] == pytest.approx(least, rel=RELATIVE, abs=slack(instance))


@settings(deadline=None, max_examples=40)
@given(instances(places=5), st.data())
def test_branch_and_bound_needs_no_good_start(instance: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, instance.size))
    sets = np.array(list(combinations(range(instance.size), p)))
    nothing_known = HubSets(sets, np.zeros(len(sets)), complete=True)
    dearest: Ints = np.repeat(sets[0][0], instance.size)
    found = best_allocation(SingleAllocation(instance), nothing_known, (1e9, dearest))
    assert found.cost == pytest.approx(best_single(instance, p), rel=RELATIVE, abs=1e-9)
    assert found.lower_bound == found.cost
    assert single_cost(instance, tuple(found.allocation.tolist())) == pytest.approx(
        found.cost, rel=RELATIVE, abs=1e-9
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_hub_is_its_own_even_where_only_transfer_costs(seed: int) -> None:
    """Collecting and distributing is free here: what is barred must be dear beside transfer alone."""
    random = np.random.default_rng(seed)
    distance = random.integers(0, 21, (5, 5)).astype(float)
    np.fill_diagonal(distance, 0.0)
    flow = random.integers(0, 21, (5, 5)) * (random.random((5, 5)) < 0.4)
    instance = HubInstance(tuple("abcde"), flow, distance, 0.0, 2.5, 0.0)
    sets = np.array(list(combinations(range(5), 2)))
    nothing_known = HubSets(sets, np.zeros(len(sets)), complete=True)
    found = best_allocation(SingleAllocation(instance), nothing_known, (1e9, np.zeros(5, dtype=np.int64)))
    assert len(set(found.allocation.tolist())) == 2
    assert found.cost == pytest.approx(best_single(instance, 2), rel=RELATIVE, abs=1e-9)


def test_out_of_time_the_bound_is_that_of_what_is_left() -> None:
    instance = HubInstance(("a", "b", "c"), np.ones((3, 3)), 1 - np.eye(3))
    sets = HubSets(np.array([[0, 1], [0, 2]]), np.array([2.5, 3.0]), complete=True)
    found = best_allocation(SingleAllocation(instance), sets, (100.0, np.zeros(3, dtype=np.int64)), until=0.0)
    assert (found.cost, found.lower_bound) == (100.0, 2.5)


@settings(deadline=None, max_examples=40)
@given(instances(), st.data())
def test_costs_are_those_of_the_definition(instance: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, instance.size))
    hubs = tuple(sorted(data.draw(st.permutations(range(instance.size)))[:p]))
    model = SingleAllocation(instance)
    allocation = data.draw(
        st.tuples(*[st.just(i) if i in hubs else st.sampled_from(hubs) for i in range(instance.size)])
    )
    told = single_cost(instance, allocation)
    assert model.cost(np.array(allocation)) == pytest.approx(told, rel=RELATIVE, abs=1e-9)
    improved, better = model.improve(np.array(allocation))
    assert improved <= told + slack(instance)
    assert improved == pytest.approx(single_cost(instance, tuple(better.tolist())), rel=RELATIVE, abs=1e-9)
    assert set(better.tolist()) == set(hubs)
    ways = MultipleAllocation(instance)
    assert ways.cost(hubs) == pytest.approx(multiple_cost(instance, hubs), rel=RELATIVE, abs=1e-9)
    first, last = ways.ends(hubs)
    places = np.arange(instance.size)
    d = instance.distance
    over = instance.collection * d[places[:, None], first] + instance.transfer * d[first, last]
    over = over + instance.distribution * d[last, places[None, :]]
    flow = float((over * instance.flow).sum() + instance.fixed_cost[list(hubs)].sum())
    assert flow == pytest.approx(multiple_cost(instance, hubs), rel=RELATIVE, abs=1e-9)


@settings(deadline=None, max_examples=15)
@given(instances(places=5), st.data())
def test_the_solver_agrees_where_there_is_room(instance: HubInstance, data: st.DataObject) -> None:
    """Without capacities the programs of OR-Tools must find what is found without them."""
    p = data.draw(st.integers(1, instance.size))
    hubs = data.draw(st.permutations(range(instance.size)))[:p]
    single = single_within(instance, hubs)
    least = cheapest(instance, tuple(hubs), single=True)
    assert single.cost == pytest.approx(least, rel=1e-6, abs=1e-6)
    assert single.lower_bound == pytest.approx(least, rel=1e-6, abs=1e-6)
    multiple = multiple_within(instance, hubs)
    assert multiple.cost == pytest.approx(multiple_cost(instance, tuple(hubs)), rel=1e-6, abs=1e-6)
