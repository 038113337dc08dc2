"""Processes that search, and what may befall them.

A crew works on one instance. Each member gets one task at a time and says what it finds while it works, and
in the end what came out. `crews` hires one: here of processes of this machine, in `cluster_crew` of the
workers of a Dask cluster.

A process that dies is replaced and its task is lost; at the end all are killed, whatever they are doing, so
that nobody waits for them. Where no processes may be started, tasks are done where the caller is.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Protocol, TypeAlias

from routing.pickup.instance import Instance
from routing.pickup.tasks import Desk, Outcome, Task

_DEATHS_MAX = 20  # after which a crew gives up: something kills them all
_LOOK_UP_S = 0.25
_SEED_STEP = 7919


class WorkerError(RuntimeError):
    """A task failed in a worker; the message holds its traceback. This is a bug."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a worker says.

    Attributes:
        worker: number of the worker.
        outcome: what it has found so far, or in the end.
        ended: the worker is free for another task.
        died: its process is gone, with its task; another has taken its place.
    """

    worker: int
    outcome: Outcome | None
    ended: bool
    died: bool = False


Say: TypeAlias = Callable[[Outcome], None]


class Crew(Protocol):
    """Workers on one instance."""

    @property
    def size(self) -> int:
        """How many; they are numbered from 0."""

    def give(self, worker: int, task: Task) -> None:
        """Hand a task to a worker who is free."""

    def hear(self, seconds: float) -> Iterator[Word]:
        """What the workers say next, after at most so many seconds of silence.

        Raises:
            WorkerError: a task failed, or workers die one after the other.
        """


class Processes:
    """A crew of processes of this machine.

    Args:
        instance: what they work on; every process gets it once.
        workers: how many.
        seed: of everything drawn at random.
    """

    def __init__(self, instance: Instance, workers: int, seed: int) -> None:
        self.instance = instance
        self.seed = seed
        inside = multiprocessing.current_process().daemon  # which may have no processes of its own
        self.size = 1 if inside else max(1, workers)
        self.deaths = 0
        self._born = 0
        self._desk = Desk(instance, seed) if inside else None
        self._waiting: Task | None = None
        self._members = [] if inside else [self._hire(worker) for worker in range(self.size)]

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers that are processes."""
        return tuple(process.pid or 0 for process, _ in self._members)

    def give(self, worker: int, task: Task) -> None:
        """See `Crew`."""
        if self._desk is not None:
            self._waiting = task
            return
        try:
            self._members[worker][1].send(task)
        except OSError:
            return  # it has just died: `hear` sees that, and the task is lost with it

    def hear(self, seconds: float) -> Iterator[Word]:
        """See `Crew`."""
        if self._desk is not None:
            task, self._waiting = self._waiting, None
            if task is not None:
                said: list[Outcome] = []
                outcome = self._desk.perform(task, said.append)
                yield from (Word(0, one, ended=False) for one in said)
                yield Word(0, outcome, ended=True)
            return
        listening = {pipe: worker for worker, (_, pipe) in enumerate(self._members)}
        for pipe in connection.wait(list(listening), max(0.0, seconds)):
            assert isinstance(pipe, connection.Connection), "what was waited for"
            yield self._hear_one(listening[pipe], pipe)

    def close(self) -> None:
        """End all work at once."""
        for process, pipe in self._members:
            process.kill()
            pipe.close()
        for process, _ in self._members:
            process.join()
        self._members = []

    def _hear_one(self, worker: int, pipe: Any) -> Word:
        try:
            kind, value = pipe.recv()
        except (EOFError, OSError):
            kind, value = "died", None
        if kind == "died":
            self._replace(worker)
            return Word(worker, None, ended=True, died=True)
        if kind == "failed":
            raise WorkerError(value)
        return Word(worker, value, ended=kind == "ended")

    def _replace(self, worker: int) -> None:
        self.deaths += 1
        if self.deaths > _DEATHS_MAX:
            raise WorkerError(f"{self.deaths} workers have died")
        process, pipe = self._members[worker]
        pipe.close()
        process.kill()
        process.join()
        self._members[worker] = self._hire(worker)

    def _hire(self, worker: int) -> tuple[Any, connection.Connection]:
        ours, theirs = multiprocessing.Pipe()
        self._born += 1
        process = process_context().Process(
            target=_work,
            args=(self.instance, self.seed + _SEED_STEP * self._born, worker % 2 == 1, theirs, os.getpid()),
            daemon=True,
        )
        process.start()
        theirs.close()  # so that its end is seen here
        return process, ours


def _work(instance: Instance, seed: int, careful: bool, pipe: connection.Connection, parent: int) -> None:
    """What a worker's process does: tasks as they come, until it is killed or its parent is gone."""
    keep_quiet()
    try:
        desk = Desk(instance, seed, careful=careful, abandoned=lambda: os.getppid() != parent)
        while os.getppid() == parent:
            if pipe.poll(_LOOK_UP_S):
                outcome = desk.perform(pipe.recv(), lambda found: pipe.send(("found", found)))
                pipe.send(("ended", outcome))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # nobody listens any more
    except BaseException:  # noqa: BLE001 - it is raised again where the caller is
        pipe.send(("failed", traceback.format_exc()))


def process_context() -> Any:
    """How processes begin. A copy of this one is ready at once; where threads forbid that, a new one."""
    alone = threading.active_count() == 1 and sys.platform == "linux"
    return multiprocessing.get_context("fork" if alone else "spawn")


def keep_quiet() -> None:
    """Make this process one that works for its parent alone, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # What the parent's output is read by must neither see a solver's banner nor wait for this process.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)


def available() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux: what a container or `taskset` leaves of them
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
