"""Plans from the request to the couriers' rounds, the child process included."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.dispatch import jobs, queries, solver
from app.dispatch import service as dispatch
from app.dispatch.models import Courier, Plan, PlanStatus, StopRequest, StopStatus
from app.dispatch.problem import draft_of
from app.dispatch.runs import run_of_courier
from app.dispatch.solver import Wish
from app.errors import ConflictError, InvalidInputError, NotFoundError, StaleVersionError
from routing.pickup import check
from tests.app.dispatch.conftest import TODAY, Depot


def statuses(depot: Depot) -> set[StopStatus]:
    with depot.work() as session:
        return set(session.scalars(sa.select(StopRequest.status)))


def test_a_plan_is_made_by_the_child_process_and_published(depot: Depot) -> None:
    couriers = depot.hire(2)
    depot.book(12)
    plan_id = depot.plan()
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert plan.status is PlanStatus.DRAFT
        assert plan.solved_at == depot.clock()
        assert len(plan.visits) == 12
        assert plan.unserved == []
        assert plan.cost_minor == sum(round_.cost_minor for round_ in plan.rounds) > 0
        draft = draft_of(session, plan, now=depot.clock())
        assert check(draft.problem, draft.plan) == ()
    assert statuses(depot) == {StopStatus.OPEN}

    assert depot.publish(plan_id) == 0
    assert statuses(depot) == {StopStatus.PLANNED}
    with depot.work() as session:
        runs = [
            run_of_courier(session, depot.logins.actor("courier", courier.id), None, now=depot.clock())
            for courier in couriers
        ]
    assert sum(len(run.stops) for run in runs) == 12
    assert all(stop.visit.start_s >= 9 * 3600 for run in runs for stop in run.stops), "nothing before now"


def test_even_rounds_are_asked_for_and_cost_what_they_cost(depot: Depot) -> None:
    depot.hire(3)
    depot.book(18)
    plan_ids = (depot.plan(), depot.plan(even=True))
    longest_s, costs = [], []
    for plan_id in plan_ids:
        with depot.work() as session:
            plan = depot.load(session, plan_id)
            assert len(plan.visits) == 18
            longest_s.append(max(one.end_s - one.start_s for one in plan.rounds))
            costs.append(plan.cost_minor)
            draft = draft_of(session, plan, now=depot.clock())
            assert check(draft.problem, draft.plan) == ()
    assert longest_s[1] < longest_s[0]
    assert costs[1] > costs[0], "the price of evenness itself is no part of either"


def test_what_no_courier_can_take_is_unserved_with_its_reason(depot: Depot) -> None:
    depot.hire(1, capacity_g=100_000)
    light, heavy = depot.book(1)[0], depot.book(1, weight_g=180_000)[0]
    plan_id = depot.plan()
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert [visit.stop_request_id for visit in plan.visits] == [depot.stop(light).id]
        (left,) = plan.unserved
        assert left.stop_request_id == depot.stop(heavy).id
        assert left.reason == "over_capacity"
        assert left.details == {"measure": "weight_g", "excess": 80_000}


def test_without_couriers_every_stop_says_so(depot: Depot) -> None:
    depot.book(2)
    plan_id = depot.plan()
    with depot.work() as session:
        assert [row.reason for row in depot.load(session, plan_id).unserved] == ["no_vehicle"] * 2


def test_one_plan_of_an_outlets_day_is_made_at_a_time(depot: Depot) -> None:
    depot.request()
    with pytest.raises(ConflictError):
        depot.request()
    depot.request(day=TODAY + timedelta(days=1))


@pytest.mark.parametrize("seconds", [0, dispatch.SECONDS_MAX + 1])
def test_the_search_has_limits(depot: Depot, seconds: int) -> None:
    with pytest.raises(InvalidInputError):
        depot.request(seconds=seconds)


def test_a_day_that_is_over_is_not_planned(depot: Depot) -> None:
    with pytest.raises(InvalidInputError):
        depot.request(day=TODAY - timedelta(days=1))


def test_two_workers_never_take_the_same_plan(depot: Depot) -> None:
    depot.hire(1)
    depot.book(1)
    plan_ids = [depot.request(day=TODAY + timedelta(days=days)) for days in range(6)]
    claimed: list[int] = []
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        while (found := jobs._claim(depot.database, depot.clock())) is not None:
            claimed.append(found[1])

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(claimed) == plan_ids


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Runs another program in place of the planner: set the list to its Python source."""
    program: list[str] = []
    real = solver.solve

    def solve(problem, **options):
        return real(problem, **options, command=(sys.executable, "-c", program[0]))

    monkeypatch.setattr(jobs.solver, "solve", solve)
    return program


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        ("import sys; sys.stdin.read(); raise SystemExit('out of paper')", "out of paper"),
        ("import sys; sys.stdin.read()", "status 0"),
    ],
)
def test_a_child_that_ends_without_a_plan_fails_it_once(
    depot: Depot, child: list[str], source: str, said: str
) -> None:
    depot.hire(1)
    depot.book(1)
    child.append(source)
    plan_id = depot.request()
    assert jobs.solve_next(depot.database, depot.clock)
    assert not jobs.solve_next(depot.database, depot.clock), "it is not tried again by itself"
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert plan.status is PlanStatus.FAILED
        assert said in (plan.error or "")
    depot.request()  # and may be asked for again


def test_a_cancelled_plan_ends_its_child(depot: Depot, child: list[str]) -> None:
    depot.hire(1)
    depot.book(1)
    child.append("import time; time.sleep(300)")
    plan_id = depot.request()
    worker = threading.Thread(target=jobs.solve_next, args=(depot.database, depot.clock))
    worker.start()
    for _ in range(100):
        with depot.work() as session:
            plan = depot.load(session, plan_id)
            if plan.status is PlanStatus.SOLVING:
                dispatch.cancel_plan(session, depot.dispatcher, plan, now=depot.clock())
                break
        threading.Event().wait(0.05)
    worker.join(timeout=20)
    assert not worker.is_alive()
    with depot.work() as session:
        assert depot.load(session, plan_id).status is PlanStatus.CANCELLED


def test_a_plan_of_a_worker_that_died_is_taken_again_and_not_for_ever(depot: Depot) -> None:
    depot.hire(1)
    depot.book(1)
    plan_id = depot.request()
    for tries in range(1, jobs.TRIES_MAX + 1):
        claimed = jobs._claim(depot.database, depot.clock())  # and then the worker is killed
        assert claimed is not None
        assert claimed[1:] == (plan_id, tries)
        assert jobs._claim(depot.database, depot.clock()) is None, "it shows signs of life"
        depot.clock.forward(seconds=jobs.LEASE.total_seconds() + 1)
    assert jobs._claim(depot.database, depot.clock()) is None
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert plan.status is PlanStatus.FAILED
        assert "died 3 times" in (plan.error or "")


def test_a_slow_workers_result_is_dropped(depot: Depot) -> None:
    depot.hire(1)
    depot.book(2)
    plan_id = depot.request()
    slow = jobs._claim(depot.database, depot.clock())
    assert slow is not None
    value = jobs._solve(depot.database, depot.clock, *slow)
    depot.clock.forward(minutes=3)
    assert jobs.solve_next(depot.database, depot.clock), "another takes it"
    with depot.work() as session:
        version = depot.load(session, plan_id).version
    jobs._write(depot.database, depot.clock, *slow, value)
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert plan.status is PlanStatus.DRAFT
        assert plan.version == version


def test_a_killed_child_is_really_gone(depot: Depot, tmp_path) -> None:
    depot.hire(1)
    depot.book(1)
    plan_id = depot.request()
    with depot.work() as session:
        problem = jobs.problem_to_solve(session, depot.load(session, plan_id), now=depot.clock())
    note = tmp_path / "pid"
    source = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(300)"
    with pytest.raises(solver.GivenUpError):
        solver.solve(
            problem,
            seconds=1,
            seed=0,
            tick=lambda _curve: Wish.GIVE_UP if note.exists() and note.read_text() else Wish.GO_ON,
            command=(sys.executable, "-c", source),
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), signal.SIG_DFL)


def test_a_new_plan_supersedes_the_one_in_force(depot: Depot) -> None:
    depot.hire(1)
    first, second = depot.book(2)
    old = depot.plan()
    depot.publish(old)
    depot.scan(first, "collected")
    depot.clock.forward(minutes=5)
    new = depot.plan()
    with depot.work() as session:
        assert [v.stop_request_id for v in depot.load(session, new).visits] == [depot.stop(second).id]
    depot.publish(new)
    with depot.work() as session:
        assert depot.load(session, old).status is PlanStatus.SUPERSEDED
        assert depot.load(session, new).status is PlanStatus.PUBLISHED
    assert depot.stop(first).status is StopStatus.DONE


def test_what_the_new_plan_does_not_serve_is_open_again(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    (parcel,) = depot.book(1)
    depot.publish(depot.plan())
    assert depot.stop(parcel).status is StopStatus.PLANNED
    with depot.work() as session:
        dispatch.change_courier(
            session,
            depot.dispatcher,
            session.get_one(Courier, courier.id),
            shift_start_s=courier.shift_start_s,
            shift_end_s=courier.shift_end_s,
            capacity_g=0,
            capacity_cm3=0,
            capacity_pieces=0,
            vehicle_class=courier.vehicle_class,
            territory=(),
            skills=[],
            breaks=[],
            active=True,
            now=depot.clock(),
        )
    depot.publish(depot.plan())
    assert depot.stop(parcel).status is StopStatus.OPEN


def test_stops_that_are_gone_are_taken_out_at_publication(depot: Depot) -> None:
    depot.hire(2)
    parcels = depot.book(6)
    plan_id = depot.plan()
    with depot.work() as session:
        stop = queries.load_stop(session, depot.dispatcher, depot.stop(parcels[0]).id)
        dispatch.postpone(session, depot.dispatcher, stop, offset_minutes=480, now=depot.clock())
    depot.clock.forward(minutes=30)
    assert depot.publish(plan_id) == 1
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert depot.stop(parcels[0]).id not in {visit.stop_request_id for visit in plan.visits}
        assert len(plan.visits) == 5
    assert depot.stop(parcels[0]).status is StopStatus.OPEN


def test_a_stale_publication_is_refused_and_told_what_changed(depot: Depot) -> None:
    depot.hire(2)
    parcel = depot.book(4)[0]
    plan_id = depot.plan()
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        seen = plan.version
        other = depot.logins.actor("dispatcher", who="b")
        stop = queries.load_stop(session, other, depot.stop(parcel).id)
        dispatch.move_stop(session, other, plan, stop, courier_id=None, now=depot.clock())
    with pytest.raises(StaleVersionError) as refused:
        depot.publish(plan_id, version=seen)
    (told,) = refused.value.extra["changes"]
    assert told["action"] == "plan.stop_moved"
    assert told["by"] == "Dispatcher B"
    assert told["details"]["stop_id"] == stop.id
    with depot.work() as session:
        assert depot.load(session, plan_id).status is PlanStatus.DRAFT
    depot.publish(plan_id, version=refused.value.extra["version"])


def test_only_a_draft_is_published(depot: Depot) -> None:
    depot.hire(1)
    depot.book(1)
    plan_id = depot.plan()
    depot.publish(plan_id)
    with pytest.raises(ConflictError):
        depot.publish(plan_id)
    requested = depot.request()
    with pytest.raises(ConflictError):
        depot.publish(requested)


def test_the_busiest_outlets_come_first(depot: Depot) -> None:
    depot.book(1, start="hangzhou", end="chengdu")
    depot.book(3)
    with depot.work() as session:
        assert queries.busiest_outlets(session, day=TODAY, limit=5)[0] == depot.outlet_id
        assert queries.busiest_outlets(session, day=TODAY, limit=1) == [depot.outlet_id]
        assert queries.busiest_outlets(session, day=TODAY + timedelta(days=9), limit=5) == []


def test_plans_are_for_those_who_plan(depot: Depot) -> None:
    plan_id = depot.request()
    with depot.work() as session:
        for role in ("hub", "agent", "finance", "courier", "shipper"):
            with pytest.raises(NotFoundError):
                queries.load_plan(session, depot.logins.actor(role), plan_id)
        assert queries.load_plan(session, depot.logins.actor("admin"), plan_id).id == plan_id


def test_another_tenants_plan_is_not_found(depot: Depot, new_depot) -> None:
    plan_id = depot.request()
    other = new_depot()
    with other.work() as session, pytest.raises(NotFoundError):
        queries.load_plan(session, other.dispatcher, plan_id)


def test_a_round_is_its_couriers_alone(depot: Depot) -> None:
    one, two = depot.hire(2)
    with depot.work() as session:
        own = depot.logins.actor("courier", one.id)
        assert run_of_courier(session, own, None, now=depot.clock()).courier.id == one.id
        with pytest.raises(NotFoundError):
            queries.load_courier(session, own, two.id)
        with pytest.raises(NotFoundError):
            run_of_courier(session, depot.dispatcher, None, now=depot.clock())


def test_a_plan_of_many_stops_keeps_its_rows(depot: Depot) -> None:
    depot.hire(6)
    depot.book(150)
    plan_id = depot.plan()
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert len(plan.visits) + len(plan.unserved) == 150
        draft = draft_of(session, plan, now=depot.clock())
        assert check(draft.problem, draft.plan) == ()
        assert session.scalar(sa.select(sa.func.count()).select_from(Plan)) == 1
