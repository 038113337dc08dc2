"""Several processes plan together: what becomes of the plan when they die, fail, or take too long."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from routing.pickup import Options, Progress, check, decompose, solve
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy
from routing.pickup.instance import build
from routing.pickup.portfolio import improve
from routing.pickup.tasks import Part, Whole
from routing.pickup.workers import Processes, WorkerError
from tests.routing.pickup.towns import paired, town


def effort(seconds: float, progress: Callable[[Progress], bool] | None = None) -> Effort:
    return Effort(seconds, None, 1, progress, time.perf_counter())


def killing(members: Processes) -> Callable[[Progress], bool]:
    """Kills a worker at the first report."""
    killed: list[int] = []

    def listen(_: Progress) -> bool:
        if not killed:
            killed.append(members.process_ids[0])
            os.kill(killed[0], signal.SIGKILL)
        return True

    return listen


@pytest.mark.parametrize("size", [120, 600])
def test_a_killed_worker_costs_time_but_not_the_plan(size: int) -> None:
    instance = build(town(size, size // 10))
    with closing(Processes(instance, 2, 1)) as members:
        before = members.process_ids
        start = decompose.construct(instance, effort(4), members)
        run = effort(4, killing(members))
        search = improve if size < 500 else decompose.improve
        found = search(instance, start, run, members)
        assert members.deaths == 1
        assert len(set(members.process_ids) & set(before)) == 1
    assert _cost(instance.cost(found)) < _cost(instance.cost(start))
    assert sum(map(len, found)) == size


def test_a_block_whose_worker_dies_is_planned_by_another() -> None:
    instance = build(town(700, 40))
    with closing(Processes(instance, 2, 1)) as members:
        threading.Timer(0.1, lambda: os.kill(members.process_ids[1], signal.SIGKILL)).start()
        found = decompose.construct(instance, effort(20), members)
        assert members.deaths == 1
    assert sum(map(len, found)) == 700


def test_a_failed_task_is_told_where_the_caller_is() -> None:
    instance = build(town(30, 3))
    with closing(Processes(instance, 1, 1)) as members:
        members.give(0, Part([0, 1], [99], None, 0.1))
        with pytest.raises(WorkerError, match="IndexError"):
            list(members.hear(30))


def test_nobody_waits_for_a_worker_that_takes_too_long() -> None:
    instance = build(town(150, 8))
    start = greedy.construct(instance, effort(10))
    started = time.perf_counter()
    with closing(Processes(instance, 2, 1)) as members:
        processes = members.process_ids
        members.give(0, Whole(start, 1000.0))
        members.give(1, Whole(start, 1000.0))
        list(members.hear(0.5))
    assert time.perf_counter() - started < 20
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_workers_leave_nothing_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    solve(town(60, 4), Options(seconds=3, workers=2))
    assert capfd.readouterr().out == ""


def test_any_number_of_workers_gives_a_plan() -> None:
    problem = town(60, 4)
    for workers in (1, 3):
        plan = solve(problem, Options(seconds=1, workers=workers))
        assert check(problem, plan) == ()
        assert not plan.unserved


def test_where_threads_run_processes_begin_anew() -> None:
    """A forked copy of a process with threads could wait for a lock forever."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        problem = town(40, 3)
        plan = solve(problem, Options(seconds=6, workers=2))
    finally:
        done.set()
        thread.join()
    assert check(problem, plan) == ()
    assert plan.solver == "portfolio"


def test_stops_that_do_not_fit_are_left_out_of_large_plans_too() -> None:
    problem = town(500, 8, capacity_pieces=50)
    problem = replace(problem, stops=tuple(replace(stop, windows=()) for stop in problem.stops))
    plan = solve(problem, Options(seconds=4))
    assert check(problem, plan) == ()
    assert 100 <= len(plan.unserved) < 250


def test_blocks_share_out_all_vehicles_and_hold_every_stop_once() -> None:
    instance = build(town(900, 31))
    blocks = decompose.blocks(instance, 320, 1)
    assert sorted(stop for block in blocks for stop in block.stops) == list(range(900))
    used = [vehicle for block in blocks for vehicle in block.vehicles]
    assert sorted(used) == list(range(31))
    assert max(len(block.stops) for block in blocks) <= 320


def test_blocks_of_pairs_part_none_of_them_and_all_are_served_at_once() -> None:
    instance = build(paired(town(600, 40, 2)))
    blocks = decompose.blocks(instance, 150, 1)
    assert len(blocks) >= 4
    for block in blocks:
        assert {instance.partner[stop] for stop in block.stops} == set(block.stops)
    assert sorted(stop for block in blocks for stop in block.stops) == list(range(600))
    with closing(Processes(instance, 2, 1)) as members:
        rounds = decompose.construct(instance, effort(8), members)
    assert sorted(stop for stops in rounds for stop in stops) == list(range(600))


def _cost(cost: int | None) -> int:
    assert cost is not None, "rounds that keep the rules"
    return cost
