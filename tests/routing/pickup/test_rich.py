"""Problems with all features mixed: small ones are solved to the optimum, larger and hostile ones get a plan.

`PICKUP_RANDOM_PROBLEMS` asks for fewer or more small ones than 500; the others are four times as many.
"""

import os
from dataclasses import replace

import numpy as np
import pytest

from routing.pickup import Options, Plan, Problem, ProblemError, ReasonCode, check, solve
from routing.pickup.documents import plan_from_json, plan_to_json, problem_from_json, problem_to_json
from routing.pickup.effort import Effort
from routing.pickup.engines import exhaustive, ruin
from routing.pickup.engines.greedy import construct
from routing.pickup.insertion import apply, offers, remove
from routing.pickup.instance import Instance, Sequences, build
from tests.routing.pickup.rich import cheapest, objective, random_problem, round_cost

SMALL = int(os.environ.get("PICKUP_RANDOM_PROBLEMS", "500"))
HOSTILE = 4 * SMALL


def _scaled(problem: Problem, plan: Plan) -> tuple[int, int]:
    number = {stop.stop_id: index for index, stop in enumerate(problem.stops)}
    costs = {}
    for route in plan.routes:
        order = tuple(number[stop_id] for stop_id in route.stop_ids)
        cost = round_cost(problem, problem.vehicle(route.vehicle_id), order)
        assert cost is not None, "the oracle can drive the round too"
        assert (2 * cost + 18_000) // 36_000 == route.cost_minor
        costs[route.vehicle_id] = cost
    return objective(problem, costs, [unserved.stop_id for unserved in plan.unserved])


@pytest.mark.parametrize("block", range(6))
def test_small_plans_with_all_features_cost_what_the_cheapest_plan_costs(block: int) -> None:
    for seed in range(block * SMALL // 6, (block + 1) * SMALL // 6):
        problem = random_problem(seed)
        plan = solve(problem, Options(steps=20))
        assert check(problem, plan) == (), seed
        assert _scaled(problem, plan) == cheapest(problem), seed


def test_search_by_ruin_and_recreate_comes_near_the_optimum() -> None:
    """Where every order cannot be tried, this search is what there is: it is measured where it can be."""
    found = optimal = 0
    for seed in range(2000, 2012):
        instance = build(random_problem(seed))
        effort = Effort(1e9, 100, 1, None, 0.0)
        rounds = ruin.improve(instance, construct(instance, effort), effort, 1e9, 100)
        best = instance.cost(_proven(instance))
        cost = instance.cost(rounds)
        assert cost is not None
        assert best is not None
        assert cost >= best
        found += 1
        optimal += cost == best
    assert optimal >= 0.8 * found


def _proven(instance: Instance) -> Sequences:
    return exhaustive.improve(instance, [[] for _ in instance.vehicles], Effort(1e9, 1, 0, None, 0.0))


def _hostile(seed: int) -> Problem:
    """Up to fourteen stops, now and then forty; something in it leaves no room, no way or no time."""
    random = np.random.default_rng(seed)
    problem = random_problem(seed, stops_max=40 if seed % 20 == 5 else 14, vehicles_max=4)
    stops, vehicles = list(problem.stops), list(problem.vehicles)
    for index, stop in enumerate(stops):
        kind = random.integers(8)
        if kind == 0:
            second = int(random.integers(4000))
            stops[index] = replace(stop, windows=((second, second),))
        elif kind == 1:
            stops[index] = replace(stop, latitude=31.0, longitude=121.0)
        elif kind == 2:
            stops[index] = replace(stop, release_s=int(random.integers(4000)))
        elif kind == 3:
            stops[index] = replace(stop, service_s=10_000)
    for index, vehicle in enumerate(vehicles):
        kind = random.integers(8)
        if kind == 0:
            vehicles[index] = replace(vehicle, capacity_g=0, more_capacity=(0,) * len(problem.more_measures))
        elif kind == 1:
            vehicles[index] = replace(vehicle, shift=(vehicle.shift[0], vehicle.shift[0]))
        elif kind == 2:
            vehicles[index] = replace(vehicle, stops_max=0)
        elif kind == 3:
            vehicles[index] = replace(vehicle, driving_s_max=0)
    if seed % 17 == 0:
        vehicles = []
        stops = [replace(stop, locked_to=None) for stop in stops]
    if seed % 19 == 0:
        return replace(problem, stops=(), pairs=(), vehicles=tuple(vehicles))
    if seed % 7 == 0:
        table = problem.travel
        cut = np.where(random.random(table.seconds.shape) < 0.6, -1, table.seconds)  # type: ignore[attr-defined]
        problem = replace(problem, travel=replace(table, seconds=cut))  # type: ignore[type-var]
    return replace(problem, stops=tuple(stops), vehicles=tuple(vehicles))


@pytest.mark.parametrize("block", range(6))
def test_hostile_problems_get_a_plan_with_reasons_or_a_clear_error(block: int) -> None:
    for seed in range(block * HOSTILE // 6, (block + 1) * HOSTILE // 6):
        try:
            problem = _hostile(seed)
        except ProblemError as error:
            assert str(error).startswith(("stop", "vehicle", "travel", "pair")), seed  # noqa: PT017
            continue
        plan = solve(problem, Options(steps=3, seed=seed))
        assert check(problem, plan) == (), seed
        named = {unserved.stop_id for unserved in plan.unserved}
        named |= {visit.stop_id for route in plan.routes for visit in route.visits}
        assert named == {stop.stop_id for stop in problem.stops}, seed
        assert not {unserved.reason for unserved in plan.unserved} & {
            ReasonCode.TIME_LIMIT,
            ReasonCode.REMOVED,
        }
        if seed % 10 == 0:
            again = problem_from_json(problem_to_json(problem))
            assert problem_to_json(again) == problem_to_json(problem)
            assert check(again, plan_from_json(plan_to_json(plan))) == ()


def test_a_running_plan_with_all_features_keeps_all_rules_through_insertions() -> None:
    """What is offered, taken and removed leaves a plan that the checker finds nothing wrong with."""
    taken = 0
    for seed in range(60):
        problem = random_problem(seed)
        paired = {stop_id for pair in problem.pairs for stop_id in (pair.pickup_id, pair.delivery_id)}
        new = next((stop for stop in problem.stops if stop.stop_id not in paired), None)
        if new is None:
            continue
        known = problem.without_stop(new.stop_id)
        plan = solve(known, Options(steps=5))
        now_s = 3600 if problem.speed_by_hour else 45
        frozen = {
            route.vehicle_id: sum(visit.arrival_s <= now_s for visit in route.visits) for route in plan.routes
        }
        for offer in offers(known, plan, new, frozen=frozen, now_s=now_s):
            changed = apply(known, plan, offer, frozen=frozen, now_s=now_s)
            assert check(problem, changed) == (), seed
            assert changed.cost_minor - plan.cost_minor == offer.extra_cost_minor
            undone = remove(problem, changed, new.stop_id, frozen=frozen, now_s=now_s)
            assert check(problem, undone.plan) == (), seed
            taken += 1
    assert taken > 10
