"""Two schedulers at once: every slot runs once, and the second takes over when the first is killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.db.jobs import Step, last_runs
from app.db.session import Database
from app.scheduler import JOBS
from app.slots import Job, SteppedJob, run_slot, slot_of

REPOSITORY = Path(__file__).resolve().parents[2]
TAKEOVER_S_MAX = 15


@pytest.fixture(scope="module", autouse=True)
def _effects(database: Database) -> None:
    with database.unit_of_work(None) as session:
        session.execute(
            sa.text("CREATE TABLE effect (slot timestamptz, runner text, at timestamptz DEFAULT now())")
        )


@contextmanager
def scheduler(url: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.scheduler_child", url, name], cwd=REPOSITORY
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def runners(database: Database) -> list[str]:
    with database.unit_of_work(None) as session:
        return list(session.scalars(sa.text("SELECT runner FROM effect ORDER BY at")))


def wait_for(condition: str, database: Database, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with database.unit_of_work(None) as session:
            if session.scalar(sa.text(condition)):
                return True
        time.sleep(0.1)
    return False


def test_two_schedulers_run_each_slot_once_and_the_second_takes_over(
    database: Database, database_url: str
) -> None:
    with scheduler(database_url, "one") as first, scheduler(database_url, "two") as second:
        assert wait_for("SELECT count(*) >= 5 FROM effect", database, 60), "no scheduler leads"
        leader = runners(database)[-1]
        assert set(runners(database)) == {leader}, "only one of them may lead"
        (first if leader == "one" else second).kill()
        killed_at = time.monotonic()
        other = "two" if leader == "one" else "one"
        assert wait_for(
            f"SELECT count(*) >= 3 FROM effect WHERE runner = '{other}'", database, TAKEOVER_S_MAX
        ), f"nobody took over within {TAKEOVER_S_MAX} s"
        assert time.monotonic() - killed_at < TAKEOVER_S_MAX
    with database.unit_of_work(None) as session:
        doubled = session.execute(sa.text("SELECT slot FROM effect GROUP BY slot HAVING count(*) > 1")).all()
    assert doubled == []


def test_a_slot_that_two_leaders_believe_in_runs_once(database: Database, settings: Settings) -> None:
    """Even without the lock: the fence is in the transaction of the effect."""
    ran: list[str] = []

    def effect(_session: Session, _settings: Settings, _now: datetime) -> int:
        ran.append("x")
        time.sleep(0.2)
        return 1

    job = Job("test.fence", timedelta(minutes=1), effect)
    now = datetime(2026, 3, 2, 1, 0, 30, tzinfo=UTC)
    threads = [
        threading.Thread(
            target=run_slot, args=(database, job, settings), kwargs={"now": now, "runner": str(number)}
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == ["x"]


def test_a_failed_job_leaves_its_slot_free(database: Database, settings: Settings) -> None:
    outcomes = iter([ValueError("not now"), None])

    def effect(_session: Session, _settings: Settings, _now: datetime) -> int:
        error = next(outcomes)
        if error is not None:
            raise error
        return 1

    job = Job("test.retry", timedelta(minutes=1), effect)
    now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="not now"):
        run_slot(database, job, settings, now=now, runner="a")
    assert run_slot(database, job, settings, now=now, runner="b")
    assert not run_slot(database, job, settings, now=now, runner="c")


def counting_job(name: str, done: list[tuple[int, str]], *, fails_at: int | None = None) -> SteppedJob:
    """Five steps, of which one may fail the first time it is tried."""
    failures = [fails_at]

    def step(_session: Session, _settings: Settings, _now: datetime, progress: Mapping[str, Any]) -> Step:
        number = progress.get("number", 0)
        if number == failures[0]:
            failures[0] = None
            raise ValueError("not now")
        time.sleep(0.02)
        done.append((number, threading.current_thread().name))
        return Step(1, {"number": number + 1} if number < 4 else None)

    return SteppedJob(name, timedelta(minutes=1), step)


def test_a_long_job_goes_on_where_it_failed_and_does_no_step_twice(
    database: Database, settings: Settings
) -> None:
    done: list[tuple[int, str]] = []
    job = counting_job("test.steps", done, fails_at=3)
    now = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="not now"):
        run_slot(database, job, settings, now=now, runner="a")
    assert [number for number, _ in done] == [0, 1, 2]
    # Another runner, some slots later: what was begun is ended before anything new begins.
    assert run_slot(database, job, settings, now=now + timedelta(minutes=7), runner="b")
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]
    with database.unit_of_work(None) as session:
        (run,) = [run for run in last_runs(session) if run.job == job.name]
    assert (run.slot, run.runner, run.steps, run.changed) == (now, "b", 5, 5)
    assert run.finished_at is not None
    assert not run_slot(database, job, settings, now=now, runner="c"), "that slot has run"
    assert run_slot(database, job, settings, now=now + timedelta(minutes=1), runner="c")
    assert len(done) == 10


def test_a_long_job_that_two_leaders_run_does_each_step_once(database: Database, settings: Settings) -> None:
    done: list[tuple[int, str]] = []
    job = counting_job("test.steps_fence", done)
    now = datetime(2026, 3, 2, 1, 0, 30, tzinfo=UTC)
    threads = [
        threading.Thread(
            target=run_slot, args=(database, job, settings), kwargs={"now": now, "runner": str(number)}
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number, _ in done] == [0, 1, 2, 3, 4]


def test_slots_do_not_depend_on_when_a_scheduler_started() -> None:
    every = timedelta(minutes=5)
    moments = [
        datetime(2026, 3, 2, 1, minute, second, tzinfo=UTC) for minute in range(5, 10) for second in (0, 59)
    ]
    assert {slot_of(moment, every) for moment in moments} == {datetime(2026, 3, 2, 1, 5, tzinfo=UTC)}


def test_job_names_are_unique() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
