"""What the clock runs, and how: each slot once, a long job in steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import jobs as job_runs
from app.db.session import Database

log = structlog.get_logger(__name__)

JobFunction = Callable[[Session, Settings, datetime], int]
StepFunction = Callable[[Session, Settings, datetime, Mapping[str, Any]], job_runs.Step]


@dataclass(frozen=True, slots=True)
class Job:
    """Work of the clock: what runs, and how often."""

    name: str
    every: timedelta
    run: JobFunction


@dataclass(frozen=True, slots=True)
class SteppedJob:
    """Work too long for one transaction: each step says where the next one begins, the first gets nothing."""

    name: str
    every: timedelta
    step: StepFunction


def slot_of(moment: datetime, every: timedelta) -> datetime:
    """The slot that a moment falls into: whole multiples of the interval since the epoch."""
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, tz=moment.tzinfo)


def run_slot(
    database: Database, job: Job | SteppedJob, settings: Settings, *, now: datetime, runner: str
) -> bool:
    """Run a job for the slot of `now` unless that slot has run; True when it ran here.

    Of a job in steps, a run that did not end goes on where it stood, before another one begins.
    """
    if isinstance(job, SteppedJob):
        return _run_in_steps(database, job, settings, now, runner)
    began, slot = perf_counter(), slot_of(now, job.every)
    with database.unit_of_work(None) as session:
        if not job_runs.claim_slot(session, job.name, slot, runner=runner, now=now):
            return False
        changed = job.run(session, settings, now)
        job_runs.finish(session, job.name, slot, changed=changed, at=now + _since(began))
    log.info("job.ran", job=job.name, changed=changed)
    return True


def _run_in_steps(
    database: Database, job: SteppedJob, settings: Settings, now: datetime, runner: str
) -> bool:
    began = perf_counter()
    with database.unit_of_work(None) as session:
        if not job_runs.has_unfinished(session, job.name) and not job_runs.claim_slot(
            session, job.name, slot_of(now, job.every), runner=runner, now=now
        ):
            return False
    steps = changed = 0
    going_on = True
    while going_on:
        with database.unit_of_work(None) as session:
            run = job_runs.take_unfinished(session, job.name)
            if run is None:  # another runner believes that it leads, and is at it
                return steps > 0
            done = job.step(session, settings, now, run.progress)
            going_on = done.progress is not None
            run.progress = {**(done.progress or run.progress)}
            run.runner, run.steps, run.changed = runner, run.steps + 1, run.changed + done.changed
            run.finished_at = None if going_on else now + _since(began)
        steps, changed = steps + 1, changed + done.changed
        log.debug("job.step", job=job.name, changed=done.changed, progress=done.progress)
    log.info("job.ran", job=job.name, changed=changed, steps=steps)
    return True


def _since(began: float) -> timedelta:
    return timedelta(seconds=perf_counter() - began)
