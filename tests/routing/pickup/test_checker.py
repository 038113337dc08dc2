"""The checker finds what is wrong with a plan, whatever it is."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from routing.pickup import Options, Plan, Problem, Route, Stop, StopKind, Unserved, Vehicle, check, solve
from routing.pickup.checker import ViolationCode
from routing.pickup.plan import ReasonCode
from tests.routing.pickup.towns import town

PROBLEM = town(12, 2)
PLAN = solve(PROBLEM, Options(steps=20))
ROUTE = PLAN.routes[0]
FIRST = ROUTE.visits[0]


def with_route(route: Route) -> Plan:
    return replace(PLAN, routes=(route, *PLAN.routes[1:]))


def with_first_visit(**changes: int | str) -> Plan:
    return with_route(replace(ROUTE, visits=(replace(FIRST, **changes), *ROUTE.visits[1:])))


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (with_route(replace(ROUTE, vehicle_id="nobody")), ViolationCode.UNKNOWN_VEHICLE),
        (with_first_visit(stop_id="nobody"), ViolationCode.UNKNOWN_STOP),
        (replace(PLAN, routes=(*PLAN.routes, ROUTE)), ViolationCode.VEHICLE_TWICE),
        (with_first_visit(stop_id=ROUTE.visits[1].stop_id), ViolationCode.STOP_TWICE),
        (
            replace(PLAN, unserved=(Unserved(FIRST.stop_id, ReasonCode.REMOVED),)),
            ViolationCode.STOP_TWICE,
        ),
        (with_route(replace(ROUTE, visits=ROUTE.visits[1:])), ViolationCode.STOP_MISSING),
        (with_route(replace(ROUTE, visits=())), ViolationCode.EMPTY_ROUTE),
        (with_route(replace(ROUTE, start_s=ROUTE.start_s + 1)), ViolationCode.TOO_EARLY),
        (with_first_visit(arrival_s=FIRST.start_s + 1), ViolationCode.TOO_EARLY),
        (with_first_visit(wait_s=FIRST.wait_s + 1), ViolationCode.WRONG_VALUE),
        (with_first_visit(departure_s=FIRST.departure_s - 1), ViolationCode.WRONG_VALUE),
        (with_first_visit(distance_m_from_previous=1), ViolationCode.WRONG_VALUE),
        (with_first_visit(load_after_g=FIRST.load_after_g - 1), ViolationCode.WRONG_VALUE),
        (with_route(replace(ROUTE, end_s=ROUTE.end_s - 1)), ViolationCode.WRONG_VALUE),
        (with_route(replace(ROUTE, duration_s=ROUTE.duration_s - 1)), ViolationCode.WRONG_VALUE),
        (with_route(replace(ROUTE, distance_m=ROUTE.distance_m - 1)), ViolationCode.WRONG_VALUE),
        (with_route(replace(ROUTE, cost_minor=ROUTE.cost_minor - 1)), ViolationCode.WRONG_VALUE),
        (replace(PLAN, cost_minor=PLAN.cost_minor - 1), ViolationCode.WRONG_VALUE),
        (replace(PLAN, distance_m=PLAN.distance_m - 1), ViolationCode.WRONG_VALUE),
    ],
)
def test_a_false_plan_is_found_out(plan: Plan, code: ViolationCode) -> None:
    assert check(PROBLEM, PLAN) == ()
    assert code in {violation.code for violation in check(PROBLEM, plan)}


def every_stop(change: Callable[[Stop], Stop]) -> Problem:
    return replace(PROBLEM, stops=tuple(change(stop) for stop in PROBLEM.stops))


def every_vehicle(change: Callable[[Vehicle], Vehicle]) -> Problem:
    return replace(PROBLEM, vehicles=tuple(change(vehicle) for vehicle in PROBLEM.vehicles))


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (every_stop(lambda stop: replace(stop, skills=frozenset({"cold"}))), ViolationCode.NOT_ALLOWED),
        (every_stop(lambda stop: replace(stop, allowed_vehicles=frozenset())), ViolationCode.NOT_ALLOWED),
        (
            every_stop(lambda stop: replace(stop, locked_to=PROBLEM.vehicles[-1].vehicle_id)),
            ViolationCode.NOT_ALLOWED,
        ),
        (every_stop(lambda stop: replace(stop, windows=((0, 60),))), ViolationCode.OUTSIDE_WINDOW),
        (every_stop(lambda stop: replace(stop, service_s=stop.service_s + 600)), ViolationCode.TOO_EARLY),
        (every_stop(lambda stop: replace(stop, kind=StopKind.DELIVERY)), ViolationCode.WRONG_VALUE),
        (every_vehicle(lambda vehicle: replace(vehicle, shift=(0, 8 * 3600))), ViolationCode.OUTSIDE_SHIFT),
        (every_vehicle(lambda vehicle: replace(vehicle, capacity_pieces=2)), ViolationCode.OVER_CAPACITY),
        (every_vehicle(lambda vehicle: replace(vehicle, stops_max=2)), ViolationCode.TOO_MANY_STOPS),
        (every_vehicle(lambda vehicle: replace(vehicle, distance_m_max=100)), ViolationCode.TOO_FAR),
        (every_vehicle(lambda vehicle: replace(vehicle, speed_factor=0.5)), ViolationCode.TOO_EARLY),
    ],
)
def test_a_plan_of_another_problem_is_found_out(problem: Problem, code: ViolationCode) -> None:
    assert code in {violation.code for violation in check(problem, PLAN)}
