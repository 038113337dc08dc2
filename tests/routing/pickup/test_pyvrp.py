"""The model holds all rules: rounds go in and out unchanged, and what the search finds keeps them."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from routing.pickup import Options, Pair, Problem, StopKind, StraightLine, Table, check, decompose, solve
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy, pyvrp
from routing.pickup.engines.pool import recombine
from routing.pickup.engines.pyvrp_kinds import Column, is_priced, kinds
from routing.pickup.engines.pyvrp_model import Model
from routing.pickup.formats import read
from routing.pickup.instance import Instance, build
from tests.routing.pickup.strategies import problems
from tests.routing.pickup.towns import paired, town

SETS = Path(__file__).parent / "sets"
COUNTED = Effort(0.0, 50, 1, None, 0.0)


def searched(instance: Instance, steps: int, **options: bool) -> pyvrp.Search:
    left = iter(range(steps))
    search = pyvrp.Search(instance, 1, greedy.construct(instance, COUNTED), **options)
    search.run(lambda: next(left, None) is None)
    return search


@settings(max_examples=100, deadline=None)
@given(problems())
def test_rounds_go_into_the_model_and_come_back_with_the_same_cost(problem: Problem) -> None:
    instance = build(problem)
    if not pyvrp.can_plan(instance):
        limited = any(vehicle.distance_m_max is not None for vehicle in problem.vehicles)
        assert not (problem.stops and problem.vehicles) or (is_priced(instance) and limited)
        return
    sequences = greedy.construct(instance, COUNTED)
    model = Model(instance, 0)
    solution = model.solution(sequences)
    back = model.sequences(solution)
    assert solution.is_feasible()
    assert sorted(filter(None, back)) == sorted(filter(None, sequences))
    assert instance.cost(back) == instance.cost(sequences)
    for route in solution.routes():
        column = model.column(route)
        vehicle = next(v for v in model.kinds[column.kind] if tuple(sequences[v]) == column.stops)
        cost = instance.route_cost(vehicle, column.stops)
        # a stop with several windows was given one of them: there is at most one better choice
        single = all(len(instance.stops[stop].windows) < 2 for stop in column.stops)
        assert cost is not None
        assert cost == column.cost_scaled if single else cost <= column.cost_scaled


@settings(max_examples=100, deadline=None)
@given(problems())
def test_what_the_search_finds_keeps_all_rules(problem: Problem) -> None:
    instance = build(problem)
    if pyvrp.can_plan(instance):
        found = searched(instance, 30).sequences()
        assert found is None or instance.cost(found) is not None


@pytest.mark.parametrize("careful", [False, True])
def test_the_search_makes_rounds_cheaper(careful: bool) -> None:
    instance = build(town(60, 4))
    start = instance.cost(greedy.construct(instance, COUNTED))
    found = searched(instance, 200, careful=careful).sequences()
    assert start is not None
    assert found is not None
    assert (instance.cost(found) or start) < 0.95 * start


def test_deliveries_and_pickups_share_the_room_aboard() -> None:
    problem = town(30, 3, capacity_pieces=11)
    goods = (StopKind.PICKUP, StopKind.DELIVERY)
    stops = tuple(replace(stop, kind=goods[number % 2]) for number, stop in enumerate(problem.stops))
    instance = build(replace(problem, stops=stops))
    search = pyvrp.Search(instance, 1, greedy.construct(instance, COUNTED))
    left = iter(range(300))
    search.run(lambda: next(left, None) is None)
    found = search.sequences()
    assert found is not None
    assert instance.cost(found) is not None


def test_a_model_that_needs_too_much_memory_is_left_to_another_engine() -> None:
    problem = town(400, 300)
    instance = build(problem)
    assert pyvrp.can_plan(instance)
    each_another = np.random.default_rng(1).random(instance.eligible.shape) < 0.9
    object.__setattr__(instance, "eligible", each_another)
    assert not pyvrp.can_plan(instance)


def test_adopted_rounds_are_searched_on_only_if_they_are_better() -> None:
    instance = build(town(60, 4))
    start = greedy.construct(instance, COUNTED)
    search = searched(instance, 200)
    best = search.sequences()
    search.adopt_if_better(start)
    assert search.sequences() == best
    other = pyvrp.Search(instance, 2, start)
    assert best is not None
    other.adopt_if_better(best)
    assert instance.cost(other.sequences() or []) == instance.cost(best)


def square() -> Instance:
    """Four stops around a depot in the middle of them; two vehicles, both alike."""
    problem = town(4, 2, cost_fixed=0, cost_per_hour=0, cost_per_km=1000)
    places = (problem.vehicles[0].start, *(stop.point for stop in problem.stops))
    metres = np.array(
        [[0, 9, 9, 9, 9], [9, 0, 1, 8, 8], [9, 1, 0, 8, 8], [9, 8, 8, 0, 1], [9, 8, 8, 1, 0]], dtype=np.int32
    )
    travel = Table(places, np.zeros((5, 5), dtype=np.int32), metres)
    stops = tuple(replace(stop, windows=()) for stop in problem.stops)
    return build(Problem(stops, problem.vehicles, travel))


def test_the_pool_puts_the_best_rounds_of_different_plans_together() -> None:
    instance = square()
    costs = {stops: instance.route_cost(0, stops) for stops in ((0, 1), (2, 3), (0, 2), (1, 3), (0, 1, 2))}
    columns = [Column(0, stops, cost) for stops, cost in costs.items() if cost is not None]
    assert len(columns) == 5
    assert kinds(instance) == [[0, 1]]
    bad = [[0, 2], [1, 3]]
    best = recombine(instance, columns, bad, 5.0)
    assert best is not None
    assert sorted(map(sorted, best)) == [[0, 1], [2, 3]]
    assert recombine(instance, columns, best, 5.0) is None


def test_the_pool_uses_no_more_vehicles_than_there_are() -> None:
    instance = square().part([0, 1, 2, 3], [0])
    all_in_one = [[0, 2, 1, 3]]
    cost = instance.route_cost(0, (0, 1, 2, 3))
    assert cost is not None
    columns = [Column(0, (0, 1), 1), Column(0, (2, 3), 1), Column(0, (0, 1, 2, 3), cost)]
    assert recombine(instance, columns, all_in_one, 5.0) == [[0, 1, 2, 3]]


def _with_pairs(seed: int) -> Problem:
    """Pairs beside single stops, windows, a limit of each round's time, and a price on long rounds."""
    random = np.random.default_rng(seed)
    longest_s = int(random.integers(2, 8)) * 3600
    problem = town(
        16,
        3,
        seed,
        capacity_g=20_000,
        duration_s_max=longest_s if seed % 2 else None,
        duration_s_soft_max=longest_s // 3,
        cost_per_hour_after_soft_max=5_000,
    )
    stops = list(problem.stops)
    for first in range(0, 10, 2):
        stops[first] = replace(stops[first], kind=StopKind.PICKUP)
        stops[first + 1] = replace(
            stops[first + 1], kind=StopKind.DELIVERY, weight_g=stops[first].weight_g, windows=()
        )
    pairs = tuple(Pair(f"stop {first}", f"stop {first + 1}") for first in range(0, 10, 2))
    return replace(problem, stops=tuple(stops), pairs=pairs)


@pytest.mark.parametrize("seed", range(8))
def test_pairs_and_limits_of_time_are_held_by_the_model(seed: int) -> None:
    instance = build(_with_pairs(seed))
    assert pyvrp.can_plan(instance)
    sequences = greedy.construct(instance, COUNTED)
    model = Model(instance, 0)
    solution = model.solution(sequences)
    assert solution.is_feasible()
    assert instance.cost(model.sequences(solution)) == instance.cost(sequences)
    search = searched(instance, 200, collect=True)
    found = search.sequences()
    before, after = instance.cost(sequences), None if found is None else instance.cost(found)
    assert before is not None
    assert after is not None
    assert after <= before
    assert search.collection is not None
    for column in search.collection.take():
        vehicle = model.kinds[column.kind][0]
        assert instance.route_cost(vehicle, column.stops) == column.cost_scaled


def test_what_shipments_cannot_say_is_left_to_other_engines() -> None:
    problem = _with_pairs(1)
    pairs = (replace(problem.pairs[0], ride_s_max=600), *problem.pairs[1:])
    assert not pyvrp.can_plan(build(replace(problem, pairs=pairs)))
    vehicles = tuple(replace(vehicle, stops_max=9) for vehicle in problem.vehicles)
    assert not pyvrp.can_plan(build(replace(problem, vehicles=vehicles)))
    windows = ((30_000, 31_000), (40_000, 41_000))
    stops = (replace(problem.stops[0], windows=windows), *problem.stops[1:])
    assert not pyvrp.can_plan(build(replace(problem, stops=stops)))


def test_pairs_are_planned_by_all_workers() -> None:
    problem = read((SETS / "lrc101.txt").read_text(), "lilim").problem
    plan = solve(problem, Options(seconds=4, workers=2))
    assert check(problem, plan) == ()
    assert not plan.unserved
    assert plan.cost_minor <= 1.07 * 1_703_209  # the best known; insertion alone is 9 % above it


def test_pairs_that_are_left_out_of_a_large_plan_stay_together() -> None:
    """Parts of a plan take stops in that have no round yet: of a pair both or none."""
    instance = build(paired(town(160, 2, 4, shift=(8 * 3600, 11 * 3600))))
    effort = Effort(1e9, None, 1, None, time.perf_counter())
    sequences = greedy.construct(instance, effort)
    assert sum(map(len, sequences)) < 150
    master = decompose._Master(instance, sequences, effort, 1)
    left_out = 0
    for _ in range(20):
        part = master.next_part(0)
        assert part is not None
        stops = set(part.stops)
        assert len(stops) == len(part.stops)
        assert all(instance.partner[stop] in stops for stop in stops)
        left_out += len(stops) - sum(map(len, part.start or []))
        master.take(0, None)
    assert left_out


def test_a_stop_goes_to_who_is_at_home_there_unless_that_costs_more() -> None:
    problem = town(40, 4, 3, cost_fixed=0, cost_per_hour=3_000, cost_per_km=100)
    stops = tuple(
        replace(stop, district="east" if stop.longitude > 121.47 else "west", windows=())
        for stop in problem.stops
    )
    assert {stop.district for stop in stops} == {"east", "west"}

    def strangers(price: int) -> tuple[int, int]:
        vehicles = tuple(
            replace(one, territory=frozenset({home}), cost_per_strange_stop=price, cost_per_stop=7)
            for one, home in zip(problem.vehicles, ("east", "west", "east", "west"), strict=True)
        )
        known = replace(problem, stops=stops, vehicles=vehicles)
        assert pyvrp.can_plan(build(known))
        plan = solve(known, Options(seconds=2.0, seed=1, workers=1))
        assert check(known, plan) == ()
        assert not plan.unserved
        found = sum(
            not known.vehicle(route.vehicle_id).knows(known.stop(visit.stop_id))
            for route in plan.routes
            for visit in route.visits
        )
        return found, plan.cost_minor - price * found

    free, cheap = strangers(0)
    dear, dearer = strangers(100_000)
    assert free > 0
    assert dear == 0
    assert dearer >= cheap


@pytest.mark.parametrize("seed", range(4))
def test_prices_of_roads_and_doors_are_those_of_the_model(seed: int) -> None:
    """What VROOM's vehicles cost by default: an hour on the road; and two speeds, two tables, two prices."""
    problem = town(40, 4, seed, cost_per_hour=0, cost_per_km=30, cost_per_driving_hour=3_600)
    dear = {"cost_per_stop": 90, "cost_per_service_hour": 1_800, "speed_factor": 1.5, "profile": "detour"}
    vehicles = tuple(replace(one, **dear) if at % 2 else one for at, one in enumerate(problem.vehicles))
    profiles = {"detour": StraightLine(detour_factor=2.0)}
    instance = build(replace(problem, vehicles=vehicles, profiles=profiles))
    assert pyvrp.can_plan(instance)
    search = searched(instance, 200, collect=True)
    found, start = search.sequences(), instance.cost(greedy.construct(instance, COUNTED))
    assert found is not None
    assert start is not None
    after = instance.cost(found)
    assert after is not None
    assert after < start
    assert search.collection is not None
    columns = search.collection.take()
    assert len({column.kind for column in columns}) == 2
    for column in columns:
        vehicle = search.model.kinds[column.kind][0]
        assert instance.route_cost(vehicle, column.stops) == column.cost_scaled
