"""Plans on a Dask cluster of real processes: what becomes of them when parts of it die or fall silent."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from routing.pickup import (
    Cluster,
    ClusterError,
    Options,
    Progress,
    check,
    cluster,
    cluster_crew,
    decompose,
    portfolio,
    solve,
)
from routing.pickup.cluster_crew import ClusterCrew
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy
from routing.pickup.errors import ClusterAwayError
from routing.pickup.instance import build
from routing.pickup.tasks import Part, Whole
from routing.pickup.workers import Crew, WorkerError
from tests.routing.pickup.towns import town
from tests.support.dask_cluster import RunningCluster, running_cluster

RUN_S = 60.0
LATE_S = 3.0  # other tests may run at the same time


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster for all tests that leave its scheduler alive."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def running(lasting: RunningCluster) -> RunningCluster:
    """That cluster with both of its workers, whatever the test before did to them."""
    lasting.restore(2)
    return lasting


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def once(act: Callable[[], None], after_s: float) -> Callable[[Progress], bool]:
    """Acts at the first report after so many seconds."""
    done: list[float] = []

    def listen(progress: Progress) -> bool:
        if not done and progress.seconds > after_s:
            done.append(progress.seconds)
            act()
        return True

    return listen


def effort(seconds: float, progress: Callable[[Progress], bool] | None = None) -> Effort:
    return Effort(seconds, None, 1, progress, time.perf_counter())


def seen_workers(members: ClusterCrew) -> set[str]:
    return set(members._worker_of.values())


@pytest.mark.parametrize("size", [300, 700])
def test_both_workers_of_the_cluster_make_the_plan_better(running: RunningCluster, size: int) -> None:
    instance = build(town(size, size // 10))
    search = portfolio.improve if size < portfolio.WHOLE_MAX else decompose.improve
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        assert members.size == 2
        start = decompose.construct(instance, effort(2), members)
        found = search(instance, start, effort(2), members)
        assert len(seen_workers(members)) == 2
        assert not members.on_this_machine
    assert sum(map(len, found)) == size
    assert cost(instance.cost(found)) < cost(instance.cost(start))


def test_a_worker_killed_in_mid_solve_costs_time_but_not_the_plan(
    running: RunningCluster, caplog: pytest.LogCaptureFixture
) -> None:
    problem = town(700, 60)
    victim = running.workers[0]
    began = time.monotonic()
    plan = solve(problem, Options(seconds=7, progress=once(victim.kill, 3.0), executor=running.address))
    assert time.monotonic() - began < 7.35 + 0.5 + LATE_S
    assert victim.wait(5) == -signal.SIGKILL
    assert check(problem, plan) == ()
    assert not plan.unserved
    assert plan.solver == "parts"
    assert "this machine" not in caplog.text, "the other worker went on"


def test_what_a_killed_worker_had_in_hand_is_done_by_another_and_who_comes_later_helps(
    running: RunningCluster,
) -> None:
    instance = build(town(700, 60))
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        for worker, block in enumerate(decompose.blocks(instance, 350, 1)):
            members.give(worker, Part(block.stops, block.vehicles, None, 1.0))
        time.sleep(0.5)
        running.workers[0].kill()
        assert gather(members, 2, 30) == {0, 1}
        assert len(seen_workers(members)) == 1
        running.restore(2)
        start = decompose.construct(instance, effort(3), members)
        decompose.improve(instance, start, effort(3), members)
        assert len(seen_workers(members)) == 2
        assert not members.on_this_machine


def test_a_silent_scheduler_leaves_the_plan_to_this_machine(
    running: RunningCluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_crew, "_SILENCE_S", 1.0)
    problem = town(700, 60)
    fall_silent = once(lambda: running.scheduler.send_signal(signal.SIGSTOP), 2.0)
    began = time.monotonic()
    try:
        plan = solve(problem, Options(seconds=8, progress=fall_silent, executor=running.address))
    finally:
        running.scheduler.send_signal(signal.SIGCONT)
    assert time.monotonic() - began < 8.4 + 0.5 + LATE_S
    assert check(problem, plan) == ()
    assert not plan.unserved
    [message] = [message for message in caplog.messages if "this machine" in message]
    assert "nothing was heard of it" in message


def test_without_any_worker_left_members_take_turns_on_this_machine(
    running: RunningCluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_crew, "_SILENCE_S", 1.0)
    monkeypatch.setattr(cluster_crew, "available", lambda: 1)
    instance = build(town(700, 60))
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        assert members.size == 2
        blocks = decompose.blocks(instance, 350, 1)
        tasks = [Part(block.stops, block.vehicles, None, 0.5) for block in blocks]
        for worker in running.workers:
            worker.kill()
        for worker, task in enumerate(tasks):
            members.give(worker, task)
        lost = hear_all(members, 2, 30)
        assert [word.died for word in lost] == [True, True]
        assert members.on_this_machine
        for word in lost:
            members.give(word.worker, tasks[word.worker])
        assert gather(members, 2, 30) == {0, 1}
    assert "going on on this machine" in caplog.text


def test_a_scheduler_killed_in_mid_solve_leaves_the_plan_to_this_machine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problem = town(700, 60)
    with running_cluster(tmp_path, workers=1) as cluster:
        address = cluster.address
        kill = once(cluster.scheduler.kill, 2.0)
        began = time.monotonic()
        plan = solve(problem, Options(seconds=6, progress=kill, executor=address))
        assert time.monotonic() - began < 6.3 + 0.5 + LATE_S
    assert check(problem, plan) == ()
    assert not plan.unserved
    assert plan.solver == "parts"
    [message] = [message for message in caplog.messages if "this machine" in message]
    assert f"the Dask cluster at {address.scheduler} is lost" in message


def test_a_scheduler_that_is_away_leaves_the_plan_to_this_machine(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    problem = town(400, 40)
    began = time.monotonic()
    plan = solve(problem, Options(seconds=4, executor=Cluster(f"tcp://127.0.0.1:{closed_port}")))
    assert time.monotonic() - began < 4.7 + LATE_S
    assert check(problem, plan) == ()
    assert not plan.unserved
    assert "cannot be used" in caplog.text


def test_a_cluster_without_workers_is_as_good_as_none(tmp_path: Path) -> None:
    with running_cluster(tmp_path, workers=0) as empty, pytest.raises(ClusterAwayError, match="no workers"):
        ClusterCrew(build(town(300, 20)), None, 1, empty.address, RUN_S)


def test_small_problems_and_short_runs_do_not_wait_for_a_cluster(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    away = Cluster(f"tcp://127.0.0.1:{closed_port}")
    solve(town(40, 4), Options(seconds=5, steps=10, executor=away))
    solve(town(300, 30), Options(seconds=1, executor=away))
    assert "cannot be used" not in caplog.text


def test_a_failed_task_is_told_where_the_caller_is(running: RunningCluster) -> None:
    instance = build(town(300, 30))
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        members.give(0, Part([0, 1], [99], None, 0.1))
        with pytest.raises(WorkerError, match="IndexError"):
            hear_all(members, 1, 30)


def test_a_worker_stops_a_task_for_which_nobody_waits(running: RunningCluster) -> None:
    instance = build(town(300, 30))
    start = greedy.construct(instance, effort(10))
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        for worker in (0, 1):
            members.give(worker, Whole(start, 1000.0))
        time.sleep(1.0)
    with closing(ClusterCrew(instance, None, 1, running.address, RUN_S)) as members:
        for worker in (0, 1):
            members.give(worker, Whole(start, 0.5))
        assert gather(members, 2, 20) == {0, 1}


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"requirements-cluster\.txt"):
        Cluster("tcp://127.0.0.1:8786")


@pytest.mark.parametrize("address", ["", "127.0.0.1:8786", "http://127.0.0.1:8786", "tcp://127.0.0.1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClusterError, match=r"tcp://10\.0\.0\.5:8786"):
        Cluster(address)


def gather(members: Crew, count: int, seconds: float) -> set[int]:
    """The workers that ended a task alive."""
    return {word.worker for word in hear_all(members, count, seconds) if word.outcome is not None}


def hear_all(members: Crew, count: int, seconds: float) -> list:
    """So many ends of tasks."""
    give_up_at = time.monotonic() + seconds
    words = []
    while len(words) < count and time.monotonic() < give_up_at:
        words.extend(word for word in members.hear(1.0) if word.ended)
    return words


def cost(found: int | None) -> int:
    assert found is not None, "rounds that keep the rules"
    return found
