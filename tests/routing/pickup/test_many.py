"""Many problems in one run: all are answered, failures with reasons, and what is done is not done again."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.pickup import Cluster, ProblemError, check
from routing.pickup.__main__ import main
from routing.pickup.depots import Plans, Problems
from routing.pickup.documents import plan_from_json, problem_from_json, problem_to_json
from routing.pickup.many import Answer, Made, Order, Search
from routing.pickup.many_workers import solve_many
from tests.routing.pickup.towns import town
from tests.support.dask_cluster import running_cluster

VROOM = {
    "vehicles": [{"id": 1, "start": [121.4, 31.2], "end": [121.4, 31.2]}],
    "jobs": [{"id": 1, "location": [121.41, 31.21]}, {"id": 2, "location": [121.42, 31.2]}],
}


def depot(number: int, stops: int = 12) -> Order:
    return Order(f"depot {number}", problem_to_json(town(stops, 3, seed=number)))


def holds(answer: Answer) -> bool:
    """The plan keeps all rules of its problem."""
    assert answer.made.plan is not None, answer.made.failure
    return check(problem_from_json(answer.order.document), plan_from_json(answer.made.plan)) == ()


def folder_of(path: Path, count: int) -> Path:
    path.mkdir()
    for number in range(count):
        (path / f"depot-{number}.json").write_bytes(depot(number).document)
    return path


def command(source: Path, out: Path, *more: str) -> int:
    return main(["solve-many", str(source), "--out", str(out), "--seconds", "0.1", "--workers", "2", *more])


def lines(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "results.ndjson").read_bytes().splitlines()]


def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are copies of this one, with what the test has replaced."""
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr("routing.pickup.many_workers.process_context", lambda: context)


def test_every_problem_has_its_plan() -> None:
    answers = list(solve_many((depot(number) for number in range(7)), Search(0.3), workers=2))
    assert {answer.order.name for answer in answers} == {f"depot {number}" for number in range(7)}
    assert all(map(holds, answers))


def test_orders_are_taken_as_processes_become_free() -> None:
    taken: list[int] = []

    def orders() -> Iterator[Order]:
        for number in range(6):
            taken.append(number)
            yield depot(number)

    answers = solve_many(orders(), Search(0.2), workers=2)
    next(answers)
    assert len(taken) <= 3
    answers.close()
    assert not multiprocessing.active_children(), "nobody waits for the others"


def test_a_failure_has_its_reason_and_does_not_end_the_others() -> None:
    broken = Order("broken", b'{"stops": [{"stop_id": "a"}], "vehicles": []}')
    made = {one.order.name: one.made for one in solve_many([broken, depot(1)], Search(0.2), workers=1)}
    assert made["broken"].plan is None
    assert "stops[0] ('a')" in made["broken"].failure
    assert made["depot 1"].plan is not None


def test_vroom_documents_are_answered_in_their_form() -> None:
    [answer] = solve_many([Order("vroom", json.dumps(VROOM).encode())], Search(0.2), workers=1)
    assert answer.made.plan is not None
    assert json.loads(answer.made.plan)["summary"]["unassigned"] == answer.made.unserved == 0
    assert answer.made.cost_minor > 0


def test_a_killed_process_costs_time_but_not_the_plan() -> None:
    killed: list[int] = []

    def kill() -> None:
        while not killed:
            for process in multiprocessing.active_children():
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    answers = list(solve_many([depot(1, stops=60)], Search(1.0), workers=1))
    killer.join()
    assert killed
    assert all(map(holds, answers))


def test_what_kills_its_process_every_time_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> Made:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    monkeypatch.setattr("routing.pickup.many_workers.plan_document", die)
    forked(monkeypatch)
    [answer] = solve_many([depot(1)], Search(0.2), workers=2)
    assert answer.made.plan is None
    assert "3 times" in answer.made.failure


def test_what_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routing.pickup.many_workers.plan_document", lambda *_, **__: time.sleep(600))
    forked(monkeypatch)
    monkeypatch.setattr("routing.pickup.many_workers._OVERDUE_S", 0.3)
    began = time.monotonic()
    [answer] = solve_many([depot(1)], Search(0.2), workers=2)
    assert time.monotonic() - began < 20
    assert "did not end in time" in answer.made.failure


@pytest.mark.parametrize("search", [{"seconds": -1.0}, {"seconds": float("nan")}, {"seed": -1}])
def test_an_impossible_search_is_refused(search: dict[str, float]) -> None:
    with pytest.raises(ProblemError):
        Search(**search)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="workers"):
        list(solve_many([], workers=0))


def test_the_command_goes_on_where_it_stood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = folder_of(tmp_path / "depots", 4), tmp_path / "plans"
    (source / "depot-9.json").write_text("{}")
    assert command(source, out) == 1
    said = capsys.readouterr()
    first = json.loads(said.out)
    assert (first["problems"], first["planned"], first["failed"], first["already_planned"]) == (5, 4, 1, 0)
    assert "5/5" in said.err
    assert "depot-9: failed: stops" in said.err
    plans = {path.name: path.stat().st_mtime_ns for path in out.glob("*.plan.json")}
    assert set(plans) == {f"depot-{number}.plan.json" for number in range(4)}

    (source / "depot-1.json").write_bytes(depot(21).document)
    (out / "depot-2.plan.json").unlink()
    (source / "depot-9.json").unlink()
    assert command(source, out) == 0
    second = json.loads(capsys.readouterr().out)
    assert (second["planned"], second["failed"], second["already_planned"]) == (2, 0, 2)
    again = {path.name: path.stat().st_mtime_ns for path in out.glob("*.plan.json")}
    assert {name for name in plans if again[name] != plans[name]} == {
        "depot-1.plan.json",
        "depot-2.plan.json",
    }

    assert command(source, out, "--seed", "7") == 0
    assert json.loads(capsys.readouterr().out)["planned"] == 4, "another search is another plan"


def test_the_command_reads_lines_and_tells_which_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.loads(depot(1).document)
    wanted = [
        {"name": "south", "problem": good},
        {"name": "../etc/north", "problem": good},
        {"name": "south", "problem": good},
        {"problem": good},
        {"name": "vroom", "problem": VROOM},
    ]
    source, out = tmp_path / "depots.ndjson", tmp_path / "plans"
    source.write_text("\n".join(map(json.dumps, wanted)) + "\n\nnot json\n")
    assert command(source, out) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["problems"], summary["planned"], summary["failed"]) == (6, 2, 4)
    assert {path.name for path in out.iterdir()} == {"south.plan.json", "vroom.plan.json", "results.ndjson"}
    reasons = {line["name"]: line.get("reason", "") for line in lines(out)}
    assert "cannot name a file" in reasons["line 2"]
    assert "before" in reasons["line 3"]
    assert "line 7" in reasons


def test_a_run_that_was_cut_off_in_a_line_goes_on(tmp_path: Path) -> None:
    search, order = Search(0.2), depot(1)
    with Plans(tmp_path, search) as plans:
        plans.keep(Answer(order, Made(b"{}", cost_minor=1)))
        plans.keep(Answer(depot(2), Made(b"{}", cost_minor=1)))
    journal = tmp_path / "results.ndjson"
    journal.write_bytes(journal.read_bytes()[:-20])
    with Plans(tmp_path, search) as plans:
        assert plans.has(order)
        assert not plans.has(depot(2))
        plans.keep(Answer(depot(2), Made(b"{}", cost_minor=1)))
    with Plans(tmp_path, search) as plans:
        assert plans.has(order)
        assert plans.has(depot(2))
        assert not plans.has(Order(order.name, order.document + b" "))


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with Plans(tmp_path, Search()), pytest.raises(ProblemError, match="another run"):
        Plans(tmp_path, Search())


def test_what_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path / "nowhere", tmp_path / "plans") == 2
    assert "no such folder or file" in capsys.readouterr().err
    with pytest.raises(ProblemError):
        Problems(tmp_path / "nowhere")


def test_an_interrupted_run_keeps_what_it_has(tmp_path: Path) -> None:
    source, out = folder_of(tmp_path / "depots", 8), tmp_path / "plans"
    arguments = (str(source), "--out", str(out), "--seconds", "0.5", "--workers", "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "routing.pickup", "solve-many", *arguments],
        cwd=Path(__file__).resolve().parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    give_up_at = time.monotonic() + 60
    while not list(out.glob("*.plan.json")):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    summary = json.loads(said)
    assert 1 <= summary["planned"] < 8
    assert len(lines(out)) == summary["planned"]


def test_a_cluster_plans_them_whatever_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("routing.pickup.many_workers._REJOIN_S", 0.5)
    answers = []
    with running_cluster(tmp_path) as cluster:
        for answer in solve_many((depot(n, 40) for n in range(7)), Search(0.5), executor=cluster.address):
            answers.append(answer)
            if len(answers) == 1:
                cluster.workers[0].kill()
            if len(answers) == 4:
                assert "lost" not in caplog.text, "the other worker went on"
                monkeypatch.setattr("routing.pickup.many_workers._JOIN_S", 1.0)
                cluster.scheduler.kill()
    assert sorted(answer.order.name for answer in answers) == [f"depot {n}" for n in range(7)]
    assert all(map(holds, answers))
    assert "looking for it again" in caplog.text
    assert "planning on this machine" in caplog.text


def test_a_cluster_that_is_away_is_done_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("routing.pickup.many_workers._JOIN_S", 0.5)
    answers = list(solve_many([depot(1)], Search(0.2), workers=1, executor=Cluster("tcp://127.0.0.1:1")))
    assert all(map(holds, answers))
    assert "cannot be used" in caplog.text
