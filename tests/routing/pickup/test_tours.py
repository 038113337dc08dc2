"""What is searched as a whole, what only in parts, and what no engine for tours may have."""

import time
from dataclasses import replace

import pytest

from routing.pickup import Break, Options, Problem, StopKind, check, portfolio, solve, tours
from routing.pickup.engines import pyvrp
from routing.pickup.engines.pyvrp_kinds import kinds
from routing.pickup.instance import build
from tests.routing.pickup.towns import town

SMALL, LARGE = portfolio.WHOLE_MAX, portfolio.WHOLE_MAX + 80
MANY = 260
"""So many kinds of vehicles have no room in one model, at either size."""


def of_own_kinds(problem: Problem) -> Problem:
    """Every vehicle asks another price at the door."""
    vehicles = (replace(one, cost_per_stop=number) for number, one in enumerate(problem.vehicles))
    return replace(problem, vehicles=tuple(vehicles))


def can_plan(problem: Problem) -> bool:
    return tours.can_plan(build(problem))


def test_few_kinds_are_planned_at_any_size() -> None:
    for stops in (SMALL, LARGE):
        assert can_plan(town(stops, 12))
        assert can_plan(of_own_kinds(town(stops, 12)))


def test_many_kinds_are_planned_where_parts_of_them_are_searched() -> None:
    small, large = (of_own_kinds(town(stops, MANY)) for stops in (SMALL, LARGE))
    assert len(kinds(build(large))) == MANY
    assert not pyvrp.can_plan(build(large)), "not as a whole"
    assert can_plan(large)
    assert not can_plan(small), "it would be searched as a whole"
    assert can_plan(town(SMALL, MANY)), "as many vehicles of one kind need one matrix"


@pytest.mark.parametrize("stops", [30, SMALL, LARGE])
@pytest.mark.parametrize(
    "rule",
    [
        {"breaks": (Break("lunch", ((11 * 3600, 13 * 3600),), 1800),)},
        {"overtime_s_max": 1800, "overtime_cost_per_hour": 4000},
        {"driving_s_max": 6 * 3600},
        {"cost_per_stop": 50, "distance_m_max": 80_000},
    ],
    ids=["breaks", "overtime", "limit of driving", "prices beside a limit of metres"],
)
def test_rules_that_no_engine_for_tours_holds_are_refused_at_any_size(
    stops: int, rule: dict[str, object]
) -> None:
    assert not can_plan(town(stops, 10, **rule))


@pytest.mark.parametrize("stops", [30, LARGE])
def test_one_stop_with_a_rule_of_its_own_is_enough(stops: int) -> None:
    problem = town(stops, 10)
    first, *others = problem.stops
    for other in (
        replace(first, windows=((9 * 3600, 10 * 3600),), late_cost_per_hour=3000),
        replace(first, kind=StopKind.DELIVERY, release_s=9 * 3600),
    ):
        assert not can_plan(replace(problem, stops=(other, *others)))


@pytest.mark.parametrize("stops", [0, 30])
def test_nothing_to_plan_is_nothing_for_an_engine(stops: int) -> None:
    assert not can_plan(town(stops, 0))
    assert not can_plan(town(0, 3))


def test_a_large_problem_of_own_kinds_is_planned_in_parts() -> None:
    problem = of_own_kinds(town(LARGE, MANY))
    began = time.perf_counter()
    plan = solve(problem, Options(seconds=5, workers=2))
    assert time.perf_counter() - began < 12
    assert check(problem, plan) == ()
    assert plan.solver == "parts"
    assert not plan.unserved
    dear = sum(int(route.vehicle_id.split()[-1]) >= MANY // 2 for route in plan.routes)
    assert dear < len(plan.routes) / 2, "who asks less at the door is asked first"
