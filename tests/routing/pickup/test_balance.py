"""Even rounds for a price."""

import numpy as np
import pytest

from routing.pickup import Break, Options, Plan, Problem, Progress, check, evened, solve, solve_evenly
from tests.routing.pickup.towns import town


def _unevenness_s(problem: Problem, plan: Plan) -> float:
    """Standard deviation of the rounds' lengths, those of vehicles that stay at home too."""
    lengths = {route.vehicle_id: route.end_s - route.start_s for route in plan.routes}
    return float(np.std([lengths.get(vehicle.vehicle_id, 0) for vehicle in problem.vehicles]))


@pytest.mark.parametrize("breaks", [(), (Break("lunch", ((39_600, 46_800),), 1800),)])
def test_rounds_are_evener_the_dearer_long_ones_are(breaks: tuple[Break, ...]) -> None:
    problem = town(60, 5, 4, cost_fixed=0, cost_per_hour=2_500, cost_per_km=60, breaks=breaks)
    options = Options(seconds=2.0, seed=1, workers=1)
    uneven = solve(problem, options)
    assert not uneven.unserved
    fair = evened(problem, uneven, 100_000)
    even = solve(fair, options)
    assert check(fair, even) == ()
    assert not even.unserved
    assert _unevenness_s(problem, even) < 0.5 * _unevenness_s(problem, uneven)
    cheap = evened(problem, uneven, 0)
    assert check(cheap, uneven) == ()
    assert {vehicle.prefers_short for vehicle in cheap.vehicles} == {False}


def test_an_empty_plan_leaves_the_problem_as_it_is() -> None:
    problem = town(0, 2, 1)
    assert evened(problem, solve(problem, Options(seconds=0.1)), 100) is problem


def test_even_plans_cost_what_they_cost_without_the_price_of_evenness() -> None:
    problem = town(60, 5, 4, cost_fixed=0, cost_per_hour=2_500, cost_per_km=60)
    heard: list[Progress] = []

    def listen(progress: Progress) -> bool:
        heard.append(progress)
        return True

    cheapest = solve(problem, Options(seconds=2.0, seed=1, workers=1))
    even = solve_evenly(problem, Options(seconds=3.0, seed=1, workers=1, progress=listen), 100_000)
    assert check(problem, even) == ()
    assert not even.unserved
    assert _unevenness_s(problem, even) < 0.5 * _unevenness_s(problem, cheapest)
    assert cheapest.cost_minor <= even.cost_minor < 1.5 * cheapest.cost_minor
    moments = [one.seconds for one in heard]
    assert moments == sorted(moments)
    assert 2.0 < moments[-1] < 3.5


def test_who_stops_early_gets_the_plan_there_is() -> None:
    problem = town(60, 5, 4)
    plan = solve_evenly(problem, Options(seconds=20.0, workers=1, progress=lambda _: False), 100_000)
    assert check(problem, plan) == ()
    assert not plan.unserved
    assert plan.seconds < 3
