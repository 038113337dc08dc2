"""Designs against every possibility counted out."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.network.design import Allocation, HubInstance, InvalidInstanceError, NoDesignError, design
from routing.network.design.enumeration import Sieve
from routing.network.design.instance import Floats
from routing.network.design.median import median_bound, median_problem
from tests.routing.network.design.support import (
    RELATIVE,
    best_multiple,
    best_single,
    instances,
    multiple_cost,
    single_cost,
)


@settings(deadline=None, max_examples=60)
@given(instances(places=5), st.data())
def test_single_allocation_is_the_cheapest_of_all(instance: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, instance.size))
    found = design(instance, p)
    assert found.proven
    assert found.objective == pytest.approx(best_single(instance, p), rel=RELATIVE, abs=1e-9)
    assert all(len(used) == 1 for used in found.allocation)
    told = single_cost(instance, tuple(used[0] for used in found.allocation))
    assert found.objective == pytest.approx(told, rel=RELATIVE, abs=1e-9)
    assert len(found.hubs) == p
    assert {used[0] for used in found.allocation} == set(found.hubs)


@settings(deadline=None, max_examples=60)
@given(instances(), st.data())
def test_multiple_allocation_is_the_cheapest_of_all(instance: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, instance.size))
    found = design(instance, p, allocation=Allocation.MULTIPLE)
    assert found.proven
    assert found.objective == pytest.approx(best_multiple(instance, p), rel=RELATIVE, abs=1e-9)
    assert found.objective == pytest.approx(multiple_cost(instance, found.hubs), rel=RELATIVE, abs=1e-9)
    assert len(found.hubs) == p
    assert {hub for used in found.allocation for hub in used} <= set(found.hubs)


@settings(deadline=None, max_examples=60)
@given(instances(places=5), st.data())
def test_the_relaxation_is_below_every_design(instance: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, instance.size))
    slack = 1e-7 * (1 + float(instance.flow.sum()) * 50)
    assert median_bound(median_problem(instance, single=True), p).bound <= best_single(instance, p) + slack
    assert median_bound(median_problem(instance, single=False), p).bound <= best_multiple(instance, p) + slack


@settings(deadline=None, max_examples=50)
@given(instances(places=5, fixed=True), st.data())
def test_capacities_are_kept(plain: HubInstance, data: st.DataObject) -> None:
    p = data.draw(st.integers(1, plain.size))
    sizes = st.integers(1, 4).map(lambda share: share * float(plain.flow.sum()) / 4)
    capacity = np.array(data.draw(st.lists(sizes, min_size=plain.size, max_size=plain.size)))
    instance = with_capacity(plain, capacity)
    cheapest = best_single(instance, p)
    if np.isinf(cheapest):
        with pytest.raises(NoDesignError):
            design(instance, p)
        return
    found = design(instance, p)
    assert found.objective == pytest.approx(cheapest, rel=1e-6, abs=1e-6)
    assert found.lower_bound <= found.objective
    assert found.gap == pytest.approx(0.0, abs=1e-6)
    # To split what a place sends can only help.
    split = design(instance, p, allocation=Allocation.MULTIPLE)
    assert split.objective <= found.objective * (1 + 1e-6) + 1e-6
    assert split.objective >= best_multiple(instance, p) * (1 - 1e-6) - 1e-6


def with_capacity(plain: HubInstance, capacity: Floats) -> HubInstance:
    return HubInstance(
        plain.names,
        plain.flow,
        plain.distance,
        plain.collection,
        plain.transfer,
        plain.distribution,
        plain.fixed_cost,
        capacity,
    )


def line(capacity: list[float] | None = None) -> HubInstance:
    """Four places on a line, a unit from each to each other: 0, 1 and 10, 11."""
    at = np.array([0.0, 1.0, 10.0, 11.0])
    flow = 1.0 - np.eye(4)
    return HubInstance(
        ("a", "b", "c", "d"),
        flow,
        abs(at[:, None] - at),
        transfer=0.5,
        capacity=np.array(capacity or [], dtype=float),
        metric=True,
    )


def test_a_full_hub_sends_a_place_elsewhere() -> None:
    """Each place sends 3. Two hubs serve two each; where one can only hold itself, three go to the other."""
    assert len(set(design(line(), 2).allocation)) == 2
    tight = design(line([3, 3, 9, 3]), 2)
    assert tight.proven
    assert sorted(tight.allocation.count((hub,)) for hub in tight.hubs) == [1, 3]


def test_splitting_what_a_place_sends_fills_hubs_exactly() -> None:
    """With 7.5 and 4.5 to collect, no four places of 3 fit unsplit."""
    capacity = [0.0, 7.5, 4.5, 0.0]
    with pytest.raises(NoDesignError):
        design(line(capacity), 2)
    split = design(line(capacity), 2, allocation=Allocation.MULTIPLE)
    assert split.hubs == (1, 2)
    assert split.proven


def test_too_little_capacity_is_said() -> None:
    with pytest.raises(NoDesignError, match="capacities sum to too little"):
        design(line([3, 3, 3, 3]), 2)


def test_no_flow_costs_nothing() -> None:
    still = HubInstance(("a", "b"), np.zeros((2, 2)), np.ones((2, 2)) - np.eye(2))
    found = design(still, 1)
    assert (found.objective, found.gap, found.proven) == (0.0, 0.0, True)


@pytest.mark.parametrize(
    ("hubs", "seconds", "workers"), [(0, 1.0, 1), (5, 1.0, 1), (2, 0.0, 1), (2, float("nan"), 1), (2, 1.0, 0)]
)
def test_impossible_questions(hubs: int, seconds: float, workers: int) -> None:
    with pytest.raises(InvalidInstanceError):
        design(line(), hubs, seconds=seconds, workers=workers)


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ()},
        {"names": ("a", "a")},
        {"flow": np.zeros((2, 3))},
        {"flow": [[0, -1], [0, 0]]},
        {"flow": [[0, float("nan")], [0, 0]]},
        {"flow": [["x", "y"], ["z", "w"]]},
        {"distance": [[1, 1], [1, 0]]},
        {"distance": [[0, float("inf")], [1, 0]]},
        {"collection": -1.0},
        {"transfer": float("nan")},
        {"fixed_cost": [1.0]},
        {"capacity": [-1.0, 1.0]},
    ],
)
def test_impossible_instances(wrong: dict[str, object]) -> None:
    sound: dict[str, object] = {"names": ("a", "b"), "flow": np.ones((2, 2)), "distance": 1 - np.eye(2)}
    HubInstance(**sound)
    with pytest.raises(InvalidInstanceError):
        HubInstance(**(sound | wrong))


def random_places(n: int) -> HubInstance:
    random = np.random.default_rng(7)
    points = random.uniform(0, 100, (n, 2))
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    names = tuple(map(str, range(n)))
    return HubInstance(names, random.exponential(1.0, (n, n)), distance, 1.0, 0.5, 1.0, metric=True)


def test_a_lower_limit_lets_fewer_sets_pass_and_all_of_the_cheap_ones() -> None:
    instance = random_places(14)
    problem = median_problem(instance, single=False)
    relaxed = median_bound(problem, 3)
    whole = Sieve(instance, problem, relaxed, 3, 1.2 * relaxed.bound)
    fewer = whole.within(50)
    assert relaxed.bound <= fewer.limit < whole.limit
    kept = fewer.sets()
    everything = whole.sets()
    below = everything.bound < fewer.limit
    assert 0 < below.sum() < len(everything.bound)
    assert np.array_equal(kept.hubs, everything.hubs[below])
    assert np.array_equal(
        Sieve(instance, problem, relaxed, 3, 1.2 * relaxed.bound).sets().hubs, everything.hubs
    )


def test_workers_find_the_same_sets() -> None:
    instance = random_places(30)
    problem = median_problem(instance, single=True)
    relaxed = median_bound(problem, 5)
    sieve = Sieve(instance, problem, relaxed, 5, 1.03 * relaxed.bound)
    alone, together = sieve.sets(), sieve.sets(workers=2)
    assert len(alone.bound) > 0
    assert np.array_equal(alone.hubs, together.hubs)
    assert np.array_equal(alone.bound, together.bound)
    assert not sieve.sets(workers=2, until=time.monotonic() - 1).complete


def test_too_little_time_still_gives_a_bound() -> None:
    instance = random_places(40)
    hurried, calm = design(instance, 6, seconds=0.2), design(instance, 2)
    assert hurried.lower_bound < hurried.objective <= hurried.greedy_objective
    assert 0 < hurried.gap < 0.3
    assert calm.proven


def test_the_same_question_has_the_same_answer() -> None:
    first, second = (design(random_places(20), 3, seed=5) for _ in range(2))
    assert (first.hubs, first.allocation, first.objective) == (
        second.hubs,
        second.allocation,
        second.objective,
    )
