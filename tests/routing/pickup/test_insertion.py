"""A running plan stays true through every change, and each offer costs what it says."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.pickup import (
    ChangeRefusedError,
    Options,
    Plan,
    Problem,
    ProblemError,
    ReasonCode,
    Stop,
    StopKind,
    UnknownNameError,
    check,
    solve,
)
from routing.pickup.insertion import apply, move, offers, remove
from tests.routing.pickup.strategies import problems
from tests.routing.pickup.towns import DEPOT, town

NEW = Stop("new", 31.21, 121.41, service_s=120, weight_g=1000, pieces=1)
MORNING = {"frozen": dict[str, int](), "now_s": 0}


@pytest.fixture(scope="module")
def day() -> tuple[Problem, Plan]:
    problem = town(60, 4)
    return problem, solve(problem, Options(steps=100))


@settings(max_examples=40, deadline=None)
@given(problems(hostile=False), st.data())
def test_offers_cost_what_they_say_and_keep_the_rules(problem: Problem, data: st.DataObject) -> None:
    if not problem.stops:
        return
    new, known = problem.stops[0], problem.without_stop(problem.stops[0].stop_id)
    plan = solve(known, Options(steps=3))
    now_s = data.draw(st.integers(0, 60))
    frozen = {
        route.vehicle_id: sum(visit.arrival_s <= now_s for visit in route.visits) for route in plan.routes
    }
    made = offers(known, plan, new, frozen=frozen, now_s=now_s)
    assert [offer.extra_cost_minor for offer in made] == sorted(offer.extra_cost_minor for offer in made)
    assert len({offer.vehicle_id for offer in made}) == len(made) <= 3
    for offer in made:
        changed = apply(known, plan, offer, frozen=frozen, now_s=now_s)
        assert check(known.with_stop(new), changed) == ()
        assert changed.cost_minor - plan.cost_minor == offer.extra_cost_minor
        assert changed.distance_m - plan.distance_m == offer.extra_distance_m
        assert changed.place_of(new.stop_id) == (offer.vehicle_id, offer.position)
        before, after = plan.route_of(offer.vehicle_id), changed.route_of(offer.vehicle_id)
        assert after is not None
        fixed = frozen.get(offer.vehicle_id, 0)
        assert before is None or after.visits[:fixed] == before.visits[:fixed]
        assert all(visit.arrival_s >= now_s for visit in after.visits[fixed:])
        starts = {visit.stop_id: visit.start_s for visit in before.visits} if before else {}
        delays = {delay.stop_id: delay.seconds for delay in offer.delays}
        assert all(
            visit.start_s == starts[visit.stop_id] + delays.get(visit.stop_id, 0)
            for visit in after.visits
            if visit.stop_id != new.stop_id
        )


@settings(max_examples=30, deadline=None)
@given(problems(hostile=False))
def test_where_nothing_is_offered_no_place_is_possible(problem: Problem) -> None:
    new, known = problem.stops[0], problem.without_stop(problem.stops[0].stop_id)
    plan = solve(known, Options(steps=3))
    offered = {offer.vehicle_id for offer in offers(known, plan, new, limit=99, **MORNING)}
    for vehicle in known.vehicles:
        route = plan.route_of(vehicle.vehicle_id)
        possible = []
        for position in range(len(route.visits) + 1 if route else 1):
            try:
                changed = move(
                    known.with_stop(new), plan, new.stop_id, vehicle.vehicle_id, position, **MORNING
                )
            except ChangeRefusedError:
                continue
            assert check(known.with_stop(new), changed.plan) == ()
            possible.append(position)
        assert bool(possible) == (vehicle.vehicle_id in offered)


def test_the_best_offer_is_the_best_of_all_places(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    best = offers(problem, plan, NEW, **MORNING)[0]
    costs = []
    for route in plan.routes:
        for position in range(len(route.visits) + 1):
            try:
                change = move(problem.with_stop(NEW), plan, "new", route.vehicle_id, position, **MORNING)
            except ChangeRefusedError:
                continue
            costs.append(change.extra_cost_minor)
    assert best.extra_cost_minor == min(costs)


def test_a_removed_stop_is_listed_and_a_cancelled_one_is_gone(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    stop_id = plan.routes[0].visits[2].stop_id
    change = remove(problem, plan, stop_id, **MORNING)
    assert check(problem, change.plan) == ()
    assert change.extra_cost_minor == change.plan.cost_minor - plan.cost_minor < 0
    assert [(one.stop_id, one.reason) for one in change.plan.unserved] == [(stop_id, ReasonCode.REMOVED)]
    cancelled = remove(problem, change.plan, stop_id, cancelled=True, **MORNING)
    assert check(problem.without_stop(stop_id), cancelled.plan) == ()
    with pytest.raises(UnknownNameError, match="nobody"):
        remove(problem, plan, "nobody", **MORNING)


def test_moving_there_and_back_changes_nothing(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    source, target = plan.routes[0], plan.routes[1]
    free = replace(problem.stop(source.visits[1].stop_id), windows=())
    problem = problem.with_stop(free)
    there = move(problem, plan, free.stop_id, target.vehicle_id, len(target.visits), **MORNING)
    assert check(problem, there.plan) == ()
    assert there.extra_cost_minor == there.plan.cost_minor - plan.cost_minor
    back = move(problem, there.plan, free.stop_id, source.vehicle_id, 1, **MORNING)
    assert check(problem, back.plan) == ()
    assert [route.stop_ids for route in back.plan.routes] == [route.stop_ids for route in plan.routes]
    assert back.plan.distance_m == plan.distance_m


def test_fixed_visits_do_not_move(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    route = plan.routes[0]
    frozen = {route.vehicle_id: 3}
    now_s = route.visits[2].arrival_s
    for offer in offers(problem, plan, NEW, frozen=frozen, now_s=now_s):
        assert offer.vehicle_id != route.vehicle_id or offer.position >= 3
    fixed_id, free_id = route.visits[0].stop_id, route.visits[-1].stop_id
    with pytest.raises(ChangeRefusedError) as refused:
        move(problem, plan, fixed_id, route.vehicle_id, 5, frozen=frozen, now_s=now_s)
    assert refused.value.reason == "frozen"
    with pytest.raises(ChangeRefusedError) as refused:
        move(problem, plan, free_id, route.vehicle_id, 1, frozen=frozen, now_s=now_s)
    assert refused.value.reason == "frozen"
    with pytest.raises(ChangeRefusedError) as refused:
        remove(problem, plan, fixed_id, frozen=frozen, now_s=now_s)
    assert refused.value.reason == "frozen"
    with pytest.raises(ProblemError, match="99 visits cannot be frozen"):
        offers(problem, plan, NEW, frozen={route.vehicle_id: 99}, now_s=now_s)


def test_refusals_say_which_rule_and_by_how_much(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    vehicle_id = plan.routes[0].vehicle_id

    def refusal(stop: Stop, position: int = 0, frozen: dict[str, int] | None = None) -> ChangeRefusedError:
        with pytest.raises(ChangeRefusedError) as refused:
            move(problem.with_stop(stop), plan, "new", vehicle_id, position, frozen=frozen or {}, now_s=0)
        return refused.value

    assert refusal(replace(NEW, skills=frozenset({"cold"}))).reason == ReasonCode.NO_ALLOWED_VEHICLE
    heavy = refusal(replace(NEW, weight_g=500_000))
    assert heavy.reason == ReasonCode.ROUNDS_FULL
    assert heavy.parameters["measure"] == "weight_g"
    late = refusal(replace(NEW, windows=((0, 60),)))
    assert late.reason == ReasonCode.NO_TIME_LEFT
    assert late.parameters["stop_id"] == "new"
    assert refusal(NEW, position=999).reason == "no_such_position"
    assert refusal(replace(NEW, kind=StopKind.DELIVERY), 2, {vehicle_id: 1}).reason == "already_loaded"


def test_an_offer_that_is_out_of_date_is_refused(day: tuple[Problem, Plan]) -> None:
    problem, plan = day
    offer = offers(problem, plan, NEW, **MORNING)[0]
    taken = apply(problem, plan, offer, **MORNING)
    with pytest.raises(ChangeRefusedError) as refused:
        apply(problem.with_stop(NEW), taken, offer, **MORNING)
    assert refused.value.reason == "already_planned"


def test_three_thousand_stops_take_milliseconds() -> None:
    problem = town(3000, 60)
    plan = solve(problem, Options(steps=0))
    assert not plan.unserved
    stop = Stop("new", *DEPOT, service_s=60)
    frozen = {route.vehicle_id: len(route.visits) // 4 for route in plan.routes}
    times = []
    for _ in range(5):
        started = time.perf_counter()
        assert offers(problem, plan, stop, frozen=frozen, now_s=10 * 3600)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.5  # about 40 ms on a quiet machine
