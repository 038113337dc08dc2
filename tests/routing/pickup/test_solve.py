"""Plans of all kinds of problems keep the rules, are the cheapest where that is known, and come in time."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count, permutations

import pytest
from hypothesis import given, settings

from routing.pickup import (
    Options,
    Plan,
    Problem,
    Progress,
    ReasonCode,
    Stop,
    StopKind,
    Vehicle,
    check,
    decompose,
    solve,
)
from routing.pickup.crews import crew
from routing.pickup.effort import Effort
from routing.pickup.instance import build
from tests.routing.pickup.strategies import problems
from tests.routing.pickup.towns import DEPOT, town

QUICK = Options(steps=200)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_any_problem_gives_a_plan_that_keeps_the_rules(problem: Problem) -> None:
    plan = solve(problem, Options(steps=30))
    assert check(problem, plan) == ()
    for unserved in plan.unserved:
        stop = problem.stop(unserved.stop_id)
        if unserved.reason is ReasonCode.NO_VEHICLE:
            assert not problem.vehicles
        if unserved.reason is ReasonCode.NO_VEHICLE_WITH_SKILLS:
            assert not any(stop.skills <= vehicle.skills for vehicle in problem.vehicles)
        if unserved.reason is ReasonCode.COST_ABOVE_PRIZE:
            assert problem.prize_per_priority_minor is not None
        assert unserved.reason not in (ReasonCode.TIME_LIMIT, ReasonCode.REMOVED)


@settings(max_examples=25, deadline=None)
@given(problems(stops_max=5, vehicles_max=2, latest=60, hostile=False))
def test_small_plans_cost_what_the_cheapest_of_all_plans_costs(problem: Problem) -> None:
    plan = solve(problem, Options(steps=2000))
    assert _objective(problem, plan) == _cheapest(problem)


def test_the_same_seed_and_steps_give_the_same_plan() -> None:
    problem = town(60, 4)
    first, second = (solve(problem, Options(steps=150, seed=7)) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)
    in_parts = town(500, 12)
    first, second = (solve(in_parts, Options(steps=200, seed=3)) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


def test_search_improves_on_the_first_plan_and_reports_it() -> None:
    problem = town(80, 5)
    told: list[int] = []
    plan = solve(problem, Options(steps=300, progress=lambda progress: not told.append(progress.cost_minor)))
    assert plan.cost_minor < told[0]
    assert not plan.unserved


def test_a_caller_can_stop_and_keeps_the_plan_so_far() -> None:
    problem = town(150, 6)
    started = time.perf_counter()
    plan = solve(problem, Options(seconds=60, progress=lambda progress: progress.seconds < 0.5))
    assert time.perf_counter() - started < 20
    assert not plan.unserved


def test_an_exception_of_the_listener_reaches_the_caller() -> None:
    def fails_at(report: int) -> Callable[[Progress], bool]:
        reports = count(1)

        def listen(_: Progress) -> bool:
            if next(reports) == report:
                raise KeyError("listener")
            return True

        return listen

    for report in (1, 2):  # the first comes from before the search, the second from within
        with pytest.raises(KeyError, match="listener"):
            solve(town(60, 4), Options(seconds=20, progress=fails_at(report)))


def test_a_plan_can_start_from_an_earlier_one() -> None:
    problem = town(60, 4)
    earlier = solve(problem, Options(steps=100))
    again = solve(problem, Options(steps=1, initial=earlier))
    assert again.cost_minor <= earlier.cost_minor
    smaller = replace(problem, stops=problem.stops[10:], vehicles=problem.vehicles[1:])
    assert check(smaller, solve(smaller, Options(steps=1, initial=earlier))) == ()


def test_a_thousand_stops_are_planned_in_the_time_given() -> None:
    problem = town(1000, 24)
    started = time.perf_counter()
    plan = solve(problem, Options(seconds=3))
    # 5 % + 0.5 s is promised; the rest is for a machine that does other work at the same time
    assert time.perf_counter() - started < 3 * 1.05 + 0.5 + 4
    assert not plan.unserved
    assert plan.cost_minor < solve(problem, Options(steps=0)).cost_minor


def test_the_limit_holds_where_a_problem_is_searched_as_a_whole() -> None:
    problem = town(380, 12)
    started = time.perf_counter()
    plan = solve(problem, Options(seconds=2))
    assert time.perf_counter() - started < 2 * 1.05 + 0.5 + 3
    assert not plan.unserved


def test_whoever_goes_on_with_the_crew_hears_nothing_of_parts_that_were_searched_before() -> None:
    instance = build(town(380, 30))

    def cut_short(_: Progress) -> bool:
        effort.seconds = 0.0  # over at once, and every worker has a part
        return True

    effort = Effort(5.0, None, 0, None, time.perf_counter())
    with crew(instance, 2, 0) as members:
        start = decompose.construct(instance, effort, members)
        effort.progress = cut_short
        found = decompose.improve(instance, start, effort, members, to_the_end=True)
        assert not list(members.hear(2.0))
    cost, before = instance.cost(found), instance.cost(start)
    assert cost is not None
    assert before is not None
    assert cost <= before


def test_without_time_stops_are_left_out_with_that_reason() -> None:
    plan = solve(town(40, 3), Options(seconds=0))
    assert {unserved.reason for unserved in plan.unserved} == {ReasonCode.TIME_LIMIT}
    assert len(plan.unserved) == 40


def test_goods_to_deliver_are_aboard_from_the_start() -> None:
    """Two deliveries and two pickups of the whole capacity need an order: deliver first."""
    problem = town(4, 1, capacity_g=2)
    kinds = (StopKind.PICKUP, StopKind.DELIVERY, StopKind.PICKUP, StopKind.DELIVERY)
    stops = tuple(
        replace(stop, kind=kind, weight_g=1, windows=())
        for stop, kind in zip(problem.stops, kinds, strict=True)
    )
    problem = replace(problem, stops=stops)
    plan = solve(problem, QUICK)
    assert not plan.unserved
    assert [visit.load_after_g for visit in plan.routes[0].visits][-1] == 2
    assert max(visit.load_after_g for visit in plan.routes[0].visits) <= 2


def test_prizes_decide_what_is_worth_a_visit() -> None:
    problem = town(20, 2, cost_fixed=0)
    all_served = solve(replace(problem, prize_per_priority_minor=None), QUICK)
    assert not all_served.unserved
    stops = tuple(replace(stop, priority=1) for stop in problem.stops)
    none_worth = solve(replace(problem, stops=stops, prize_per_priority_minor=1), QUICK)
    assert {unserved.reason for unserved in none_worth.unserved} == {ReasonCode.COST_ABOVE_PRIZE}
    all_worth = solve(replace(problem, stops=stops, prize_per_priority_minor=10**6), QUICK)
    assert not all_worth.unserved


@pytest.mark.parametrize(
    ("stop_fields", "vehicle_fields", "reason", "parameters"),
    [
        ({"skills": frozenset({"cold"})}, {}, ReasonCode.NO_VEHICLE_WITH_SKILLS, {"skills": ("cold",)}),
        (
            {"allowed_vehicles": frozenset({"another"})},
            {},
            ReasonCode.NO_ALLOWED_VEHICLE,
            {"vehicles": ("another",)},
        ),
        ({"weight_g": 450_000}, {}, ReasonCode.OVER_CAPACITY, {"measure": "weight_g", "excess": 50_000}),
        (
            {"windows": ((100, 8 * 3600 + 1),), "latitude": 31.5},
            {},
            ReasonCode.WINDOW_CLOSES_BEFORE_ARRIVAL,
            {"arrival_s": 35_285, "closes_s": 28_801},
        ),
        ({"service_s": 50_000}, {}, ReasonCode.SHIFT_TOO_SHORT, {"missing_s": 10_400}),
        ({"latitude": 31.21}, {"distance_m_max": 3000}, ReasonCode.TOO_FAR, {"excess_m": 2}),
        ({}, {"stops_max": 0}, ReasonCode.ROUNDS_FULL, {"measure": "stops", "excess": 1}),
    ],
)
def test_reasons_say_what_is_missing(
    stop_fields: dict[str, object],
    vehicle_fields: dict[str, object],
    reason: ReasonCode,
    parameters: dict[str, object],
) -> None:
    problem = town(1, 1, **vehicle_fields)
    plain = replace(problem.stops[0], latitude=DEPOT[0], longitude=DEPOT[1], service_s=0, windows=())
    plan = solve(replace(problem, stops=(replace(plain, **stop_fields),)), QUICK)
    assert [(unserved.reason, dict(unserved.parameters)) for unserved in plan.unserved] == [
        (reason, parameters)
    ]


def test_where_not_all_fit_the_more_urgent_are_served_and_the_others_say_why() -> None:
    problem = town(10, 1, capacity_pieces=6)
    stops = tuple(
        replace(stop, priority=50 if number % 2 else 0, windows=())
        for number, stop in enumerate(problem.stops)
    )
    plan = solve(replace(problem, stops=stops), QUICK)
    assert len(plan.unserved) == 4
    assert all(int(unserved.stop_id.split()[1]) % 2 == 0 for unserved in plan.unserved)
    assert {(unserved.reason, unserved.parameters["measure"]) for unserved in plan.unserved} == {
        (ReasonCode.ROUNDS_FULL, "pieces")
    }


def _objective(problem: Problem, plan: Plan) -> tuple[int, int]:
    """Lost weight of priorities (or nothing, where prizes are money) and cost in 1/18,000 minor units."""
    cost = 0
    for route in plan.routes:
        vehicle = problem.vehicle(route.vehicle_id)
        stops = [problem.stop(stop_id) for stop_id in route.stop_ids]
        cost += _cost(vehicle, route.duration_s, route.distance_m)
        cost += _beside(vehicle, stops, route.driving_s)
    lost = [problem.stop(unserved.stop_id).priority for unserved in plan.unserved]
    if problem.prize_per_priority_minor is not None:
        return 0, cost + sum(lost) * problem.prize_per_priority_minor * 18_000
    return sum(1 + priority for priority in lost), cost


def _cheapest(problem: Problem) -> tuple[int, int]:
    """The best objective of all, by trying every order on every vehicle and every second of departure."""
    everything = (1 << len(problem.stops)) - 1
    reached: dict[int, int] = {0: 0}
    for vehicle in problem.vehicles:
        rounds = _cheapest_rounds(problem, vehicle)
        combined: dict[int, int] = {}
        for served, cost in reached.items():
            for more, extra in rounds.items():
                if not served & more:
                    combined[served | more] = min(combined.get(served | more, 10**18), cost + extra)
        reached = combined
    best = []
    for served, cost in reached.items():
        left = [
            stop.priority for number, stop in enumerate(problem.stops) if (everything & ~served) >> number & 1
        ]
        if problem.prize_per_priority_minor is not None:
            best.append((0, cost + sum(left) * problem.prize_per_priority_minor * 18_000))
        else:
            best.append((sum(1 + priority for priority in left), cost))
    return min(best)


def _cheapest_rounds(problem: Problem, vehicle: Vehicle) -> dict[int, int]:
    allowed = [
        number
        for number, stop in enumerate(problem.stops)
        if stop.skills <= vehicle.skills
        and (stop.allowed_vehicles is None or vehicle.vehicle_id in stop.allowed_vehicles)
        and stop.locked_to in (None, vehicle.vehicle_id)
    ]
    best = {0: 0}
    most = len(allowed) if vehicle.stops_max is None else min(vehicle.stops_max, len(allowed))
    for length in range(1, most + 1):
        for order in permutations(allowed, length):
            cost = _round_cost(problem, vehicle, order)
            served = sum(1 << number for number in order)
            if cost is not None:
                best[served] = min(best.get(served, 10**18), cost)
    return best


def _round_cost(problem: Problem, vehicle: Vehicle, order: tuple[int, ...]) -> int | None:
    stops = [problem.stops[number] for number in order]
    for measure in range(3):
        aboard = sum(stop.load[measure] for stop in stops if stop.kind is StopKind.DELIVERY)
        levels = [aboard]
        for stop in stops:
            levels.append(levels[-1] + stop.load[measure] * (1 if stop.kind is StopKind.PICKUP else -1))
        if max(levels) > vehicle.capacity[measure]:
            return None
    places = [vehicle.start, *(stop.point for stop in stops)]
    if vehicle.end is not None:
        places.append(vehicle.end)
    seconds, metres = problem.travel.legs(places[:-1], places[1:])
    legs_s = [round(float(leg_s) / vehicle.speed_factor) for leg_s in seconds]
    distance_m = int(metres.sum())
    if vehicle.distance_m_max is not None and distance_m > vehicle.distance_m_max:
        return None
    durations = [
        duration_s
        for leave_s in range(vehicle.shift[0], vehicle.shift[1] + 1)
        if (duration_s := _duration(stops, legs_s, leave_s, vehicle.shift[1])) is not None
    ]
    if not durations:
        return None
    return _cost(vehicle, min(durations), distance_m) + _beside(vehicle, stops, sum(legs_s))


def _duration(stops: list, legs_s: list[int], leave_s: int, end_s: int) -> int | None:
    now_s = leave_s
    for stop, leg_s in zip(stops, legs_s, strict=False):
        now_s += leg_s
        if stop.windows:
            starts = [max(now_s, opens) for opens, closes in stop.windows if now_s <= closes]
            if not starts:
                return None
            now_s = min(starts)
        now_s += stop.service_s
    now_s += sum(legs_s[len(stops) :])
    return now_s - leave_s if now_s <= end_s else None


def _cost(vehicle: Vehicle, duration_s: int, distance_m: int) -> int:
    return (
        vehicle.cost_fixed * 18_000
        + vehicle.cost_per_hour * 5 * duration_s
        + vehicle.cost_per_km * 18 * distance_m
    )


def _beside(vehicle: Vehicle, stops: list[Stop], driving_s: int) -> int:
    """What is paid for stops, service and the road."""
    strange = (
        sum(stop.district not in {None, *vehicle.territory} for stop in stops) if vehicle.territory else 0
    )
    once = vehicle.cost_per_stop * len(stops) + vehicle.cost_per_strange_stop * strange
    served_s = sum(stop.service_s for stop in stops)
    hourly = vehicle.cost_per_driving_hour * driving_s + vehicle.cost_per_service_hour * served_s
    return 18_000 * once + 5 * hourly
