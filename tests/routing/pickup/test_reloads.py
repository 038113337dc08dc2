"""Rounds that return to an outlet: what they may do, what they cost, and which ones the checker refuses."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from routing.pickup import (
    Break,
    ChangeRefusedError,
    Options,
    Pair,
    Plan,
    Problem,
    ProblemError,
    Stop,
    StopKind,
    Table,
    Vehicle,
    ViolationCode,
    check,
    solve,
)
from routing.pickup.documents import plan_from_json, plan_to_json, problem_from_json, problem_to_json
from routing.pickup.insertion import offers, remove
from routing.pickup.instance import build
from tests.routing.pickup.towns import DEPOT, town

OUTLET, SECOND = (31.0, 121.0), (31.0, 121.5)
LINE = [(31.0, 121.0 + step / 10) for step in range(6)]


def _table(places: list[tuple[float, float]], seconds: int = 100) -> Table:
    """Places on a line: so many seconds, and as many metres, from each to the next."""
    apart = np.abs(np.subtract.outer(np.arange(len(places)), np.arange(len(places)))).astype(np.int32)
    return Table(tuple(places), apart * seconds, apart * seconds)


def _stop(number: int, **fields: object) -> Stop:
    place = LINE[number]
    values: dict[str, object] = {"weight_g": 6, "service_s": 10} | fields
    return Stop(f"stop {number}", *place, **values)  # type: ignore[arg-type]


def _van(**fields: object) -> Vehicle:
    values: dict[str, object] = {
        "start": OUTLET,
        "end": OUTLET,
        "shift": (0, 5000),
        "capacity_g": 10,
        "capacity_cm3": 0,
        "capacity_pieces": 0,
        "cost_per_km": 1000,
        "reload_at": (OUTLET,),
        "reload_s": 50,
        "reloads_max": 3,
    } | fields
    return Vehicle("van", **values)  # type: ignore[arg-type]


def _planned(problem: Problem) -> Plan:
    plan = solve(problem, Options(steps=20))
    assert check(problem, plan) == ()
    assert plan_from_json(plan_to_json(plan)) == plan
    return plan


def test_what_does_not_fit_at_once_is_collected_on_several_trips() -> None:
    problem = Problem((_stop(1), _stop(2), _stop(3)), (_van(),), _table(LINE))
    plan = _planned(problem)
    (route,) = plan.routes
    assert not plan.unserved
    assert [(reload.after_visits, reload.place) for reload in route.reloads] == [(1, OUTLET), (2, OUTLET)]
    assert plan.distance_m == 2 * (100 + 200 + 300)
    assert [visit.load_after_g for visit in route.visits] == [6, 6, 6]
    assert route.duration_s == 1200 + 3 * 10 + 2 * 50
    for reload, before, after in zip(route.reloads, route.visits, route.visits[1:], strict=False):
        assert reload.end_s - reload.start_s == 50
        on_the_way_s = reload.arrival_s - before.departure_s + after.arrival_s - reload.end_s
        assert on_the_way_s == after.distance_m_from_previous


def test_without_leave_to_reload_the_rest_stays() -> None:
    problem = Problem((_stop(1), _stop(2)), (_van(reloads_max=0),), _table(LINE))
    assert len(_planned(problem).unserved) == 1


def test_the_nearer_outlet_is_taken() -> None:
    problem = Problem((_stop(3), _stop(4)), (_van(reload_at=(OUTLET, SECOND)),), _table(LINE))
    plan = _planned(problem)
    # 0-3-5-4-0 or 0-4-5-3-0
    assert [reload.place for reload in plan.routes[0].reloads] == [SECOND]
    assert plan.distance_m == 1000


def test_a_trip_waits_for_goods_that_are_ready_late() -> None:
    stops = (
        _stop(1, kind=StopKind.DELIVERY, windows=((0, 300),)),
        _stop(2, kind=StopKind.DELIVERY, release_s=900),
    )
    plan = _planned(Problem(stops, (_van(cost_per_hour=3600),), _table(LINE)))
    (route,) = plan.routes
    assert route.stop_ids == ("stop 1", "stop 2")
    assert route.reloads[0].start_s == 900
    assert route.visits[1].arrival_s == 950 + 200
    assert route.start_s == 200  # no sooner than is needed


def test_a_pair_is_never_parted() -> None:
    stops = (
        _stop(1, windows=((0, 150),)),
        _stop(2, kind=StopKind.PICKUP),
        _stop(3, kind=StopKind.DELIVERY),
    )
    problem = Problem(stops, (_van(),), _table(LINE), pairs=(Pair("stop 2", "stop 3"),))
    plan = _planned(problem)
    assert not plan.unserved
    (route,) = plan.routes
    assert [reload.after_visits for reload in route.reloads] == [1]


def test_breaks_lie_beside_the_reload() -> None:
    rest = Break("rest", ((0, 5000),), 300)
    plan = _planned(Problem((_stop(1), _stop(2)), (_van(breaks=(rest,), cost_per_hour=60),), _table(LINE)))
    (route,) = plan.routes
    assert len(route.rests) == len(route.reloads) == 1
    assert route.duration_s == 600 + 20 + 50 + 300


def test_a_limit_of_time_counts_the_reloads() -> None:
    problem = Problem((_stop(1), _stop(2)), (_van(duration_s_max=669),), _table(LINE))
    assert len(_planned(problem).unserved) == 1
    longer = replace(problem, vehicles=(_van(duration_s_max=670),))
    assert _planned(longer).unserved == ()


def test_the_checker_sees_wrong_reloads() -> None:
    problem = Problem((_stop(1), _stop(2)), (_van(),), _table(LINE))
    plan = _planned(problem)
    (route,) = plan.routes
    (reload,) = route.reloads

    def codes(**fields: object) -> set[ViolationCode]:
        wrong = replace(route, reloads=(replace(reload, **fields),))  # type: ignore[arg-type]
        return {violation.code for violation in check(problem, replace(plan, routes=(wrong,)))}

    assert ViolationCode.RELOAD_NOT_POSSIBLE in codes(place=LINE[2])
    assert ViolationCode.RELOAD_NOT_POSSIBLE in codes(after_visits=2)
    assert ViolationCode.TOO_EARLY in codes(arrival_s=reload.arrival_s - 1)
    assert ViolationCode.TOO_EARLY in codes(start_s=reload.arrival_s - 1)
    assert ViolationCode.WRONG_VALUE in codes(end_s=reload.end_s - 1)
    never = replace(plan, routes=(replace(route, reloads=()),))
    assert ViolationCode.OVER_CAPACITY in {violation.code for violation in check(problem, never)}
    stays = replace(problem, vehicles=(_van(reloads_max=0),))
    assert ViolationCode.RELOAD_NOT_POSSIBLE in {violation.code for violation in check(stays, plan)}
    shorter = replace(problem, vehicles=(_van(duration_s_max=600),))
    assert ViolationCode.TOO_LONG in {violation.code for violation in check(shorter, plan)}


def test_errors_name_the_vehicle() -> None:
    with pytest.raises(ProblemError, match="'van': reloads_max needs an outlet"):
        _van(reload_at=())
    with pytest.raises(ProblemError, match="'van': reloads_max must be"):
        _van(reloads_max=21)
    with pytest.raises(ProblemError, match="'van': duration_s_max must not be negative"):
        _van(duration_s_max=-1)
    with pytest.raises(ProblemError, match="table does not hold its place"):
        Problem((), (_van(reload_at=((1.0, 1.0),)),), _table(LINE))


def test_documents_hold_reloads() -> None:
    problem = Problem((_stop(1, prize_minor=7),), (_van(duration_s_max=4000),), _table(LINE))
    again = problem_from_json(problem_to_json(problem))
    assert again.vehicles == problem.vehicles
    assert again.stops == problem.stops


def test_a_running_round_with_a_reload_is_not_mended() -> None:
    problem = Problem((_stop(1), _stop(2)), (_van(),), _table(LINE))
    plan = _planned(problem)
    assert offers(problem, plan, _stop(3), frozen={}, now_s=0) == ()
    with pytest.raises(ChangeRefusedError, match="reloads"):
        remove(problem, plan, "stop 1", frozen={}, now_s=0)


def test_long_rounds_are_parted_where_it_is_cheap() -> None:
    """Where not every choice of reloads can be tried, dynamic programming finds good ones."""
    fields = {"capacity_g": 60_000, "reload_at": (DEPOT,), "reload_s": 300, "reloads_max": 4}
    fields |= {"shift": (0, 200_000)}
    problem = town(60, 2, 3, **fields)
    problem = replace(problem, stops=tuple(replace(stop, windows=()) for stop in problem.stops))
    instance = build(problem)
    order = sorted(range(60), key=lambda stop: problem.stops[stop].point)[:40]
    course = instance.course(0, order)
    assert course is not None
    assert 2 <= len(course.times.reloads) <= 4
    loads = instance.loads[order, 0]
    marks = [0, *(reload.after for reload in course.times.reloads), len(order)]
    trips = [int(loads[first:last].sum()) for first, last in pairwise(marks)]
    assert max(trips) <= 60_000
    # no worse than to reload only when full
    full, gaps, aboard = course.cost_scaled, [], 0
    for position, load in enumerate(loads.tolist()):
        aboard += load
        if aboard > 60_000:
            gaps.append(position)
            aboard = load
    nodes = list(order)
    for gap in reversed(gaps):
        nodes.insert(gap, instance.reload_nodes[0][0])
    travel_s, legs_m = instance.legs(0, nodes)
    naive_s = sum(travel_s) + 180 * len(order) + 300 * len(gaps)
    vehicle = problem.vehicles[0]
    naive = vehicle.cost_fixed * 18_000 + 5 * vehicle.cost_per_hour * naive_s
    assert full <= naive + 18 * vehicle.cost_per_km * sum(legs_m)


def test_a_day_with_reloads_serves_what_one_load_cannot() -> None:
    fields = {"capacity_g": 60_000, "reload_at": (DEPOT,), "reload_s": 300, "reloads_max": 3}
    problem = town(60, 3, 5, **fields)
    plan = solve(problem, Options(seconds=2, workers=1))
    assert check(problem, plan) == ()
    once = solve(town(60, 3, 5, **(fields | {"reloads_max": 0})), Options(seconds=2, workers=1))
    assert len(plan.unserved) < len(once.unserved)
    assert any(route.reloads for route in plan.routes)
