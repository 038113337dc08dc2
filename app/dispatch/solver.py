"""Runs the planner in a child process, so that neither its work nor its crash is the scheduler's."""

from __future__ import annotations

import enum
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

import msgspec
import structlog

from app.config import REPOSITORY
from routing import pickup
from routing.pickup.documents import problem_to_json
from routing.pickup.plan import Plan

log = structlog.get_logger(__name__)

_TICK_S = 1.0
_START_AND_END_S = 60.0  # beyond the seconds for searching: start, reading, writing
_MESSAGE_LENGTH_MAX = 500
_NEWS_MAX = 10_000


class SolverFailedError(Exception):
    """The child process ended without a plan; the message says how."""


class GivenUpError(Exception):
    """`tick` said that the plan is not wanted any more."""


class Wish(enum.Enum):
    """What `tick` wants of a running planner."""

    GO_ON = enum.auto()
    ENOUGH = enum.auto()
    """End soon, with the best plan so far."""
    GIVE_UP = enum.auto()
    """No plan is wanted any more."""


class _Line(msgspec.Struct):
    progress: pickup.Progress | None = None
    warning: str | None = None
    plan: Plan | None = None


def solve(
    problem: pickup.Problem,
    *,
    seconds: float,
    seed: int,
    even_cost_per_hour: int = 0,
    tick: Callable[[Sequence[pickup.Progress]], Wish],
    cluster: str | None = None,
    command: tuple[str, ...] = (sys.executable, "-m", "app.dispatch.solver_process"),
) -> pickup.Plan:
    """Plan the rounds of a day in a child process.

    Args:
        problem: stops, vehicles, travel.
        seconds: how long to search.
        seed: of everything drawn at random.
        even_cost_per_hour: what hours beyond a courier's share count for, in minor units; zero: rounds need
            not be even.
        tick: called about every second with the figures of all better plans so far; answers whether to go on.
        cluster: scheduler of a Dask cluster whose workers search in place of the child's own processes.
        command: the child, without its arguments.

    Raises:
        SolverFailedError: the child crashed, was killed, or did not end in time.
        GivenUpError: `tick` answered `GIVE_UP`.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [*command, str(seconds), str(seed), str(even_cost_per_hour), *filter(None, [cluster])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=REPOSITORY,
        )
        try:
            found = _attend(process, problem_to_json(problem), seconds + _START_AND_END_S, tick)
        finally:
            process.kill()
            status = process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None, "asked for above"
                pipe.close()
        if found is None:
            raise SolverFailedError(_how_it_ended(status, errors))
        return found


def _attend(
    process: subprocess.Popen[bytes],
    document: bytes,
    limit_s: float,
    tick: Callable[[Sequence[pickup.Progress]], Wish],
) -> pickup.Plan | None:
    """Feed the child and follow what it says; None when it ends without a plan."""
    lines: queue.Queue[bytes | None] = queue.Queue(_NEWS_MAX)
    assert process.stdin is not None, "asked for"
    assert process.stdout is not None, "asked for"
    feeder = threading.Thread(target=_feed, args=(process.stdin, document), daemon=True)
    reader = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    feeder.start()
    reader.start()
    curve: list[pickup.Progress] = []
    told = False
    deadline = time.monotonic() + limit_s
    next_tick = time.monotonic()
    while True:
        if time.monotonic() >= next_tick:
            wish = tick(curve)
            if wish is Wish.GIVE_UP:
                raise GivenUpError
            if wish is Wish.ENOUGH and curve and not told:
                process.terminate()  # the child has a plan by now: it ends with its best one
                told = True
            next_tick = time.monotonic() + _TICK_S
        if time.monotonic() > deadline:
            raise SolverFailedError("the planner did not end in time")
        try:
            line = lines.get(timeout=max(0.01, next_tick - time.monotonic()))
        except queue.Empty:
            continue
        if line is None:
            process.wait(timeout=_START_AND_END_S)
            return None
        said = msgspec.json.decode(line, type=_Line)
        if said.plan is not None:
            return said.plan
        if said.progress is not None:
            curve.append(said.progress)
        if said.warning is not None:
            log.warning("plan.warning", warning=said.warning)


def _feed(pipe: IO[bytes], document: bytes) -> None:
    try:
        pipe.write(document)
        pipe.close()
    except BrokenPipeError:
        return  # the child has ended; the reader sees that


def _read(pipe: IO[bytes], lines: queue.Queue[bytes | None]) -> None:
    for line in pipe:
        lines.put(line)
    lines.put(None)


def _how_it_ended(status: int, errors: IO[bytes]) -> str:
    if status < 0:
        return f"the planner was ended by signal {-status}"
    errors.seek(0)
    said = errors.read().decode(errors="replace").strip().splitlines()
    return f"the planner ended with status {status}: {said[-1] if said else ''}"[:_MESSAGE_LENGTH_MAX]
