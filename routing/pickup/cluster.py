"""A Dask cluster that works for the planner: joined, given tasks, and left again.

Dask carries the tasks, keeps the instance on its workers, and does what a lost worker had in hand once more
on another. What may keep the planner waiting (joining, handing data out, leaving) is done in a thread that is
given up when it takes too long: a cluster that has gone silent costs a few seconds, never the plan.
"""

import importlib.util
import logging
import queue
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from routing.pickup.errors import ClusterAwayError, ClusterError

_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^/\s]+:\d+")
_LEAVE_S = 0.5
_LOOK_S = 10.0
_INSTALL = (
    "`distributed` is not installed: python -m pip install --require-hashes -r requirements-cluster.txt"
)

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a cluster's scheduler listens.

    Attributes:
        scheduler: its address, as `DASK_SCHEDULER` has it: `tcp://10.0.0.5:8786`, or `tls://...` with the
            certificates that Dask's own configuration names.
    """

    scheduler: str

    def __post_init__(self) -> None:
        if _ADDRESS.fullmatch(self.scheduler) is None:
            raise ClusterError(
                f"the address of a Dask scheduler looks like tcp://10.0.0.5:8786, not {self.scheduler!r}"
            )
        if not installed():
            raise ClusterError(f"a Dask cluster is asked for ({self.scheduler}), but {_INSTALL}")


def installed() -> bool:
    """Whether Dask's `distributed` is here; it is an extra of this project."""
    return importlib.util.find_spec("distributed") is not None


class Fate(Enum):
    """What became of a task."""

    DONE = auto()
    KILLED = auto()
    """Every worker that had it died, several times over."""
    GONE = auto()
    """It cannot be learned any more: the scheduler is lost, or forgot it, or cannot run it."""


@dataclass(frozen=True, slots=True)
class Came:
    """News of a task.

    Attributes:
        number: as it was given.
        fate: what became of it.
        value: what its function returned.
        why: of a task that was killed or is gone.
    """

    number: int
    fate: Fate
    value: Any = None
    why: str = ""


class Joined:
    """A connection to a cluster.

    Args:
        cluster: which.
        seconds: how long to try.

    Attributes:
        workers: how many worker processes it had when that was last looked at.

    Raises:
        ClusterAwayError: its scheduler cannot be reached, or has no workers.
    """

    def __init__(self, cluster: Cluster, seconds: float) -> None:
        self.cluster = cluster
        self._news: queue.SimpleQueue[Came] = queue.SimpleQueue()
        self._pending: dict[int, Any] = {}
        self._data: Any = None
        within(seconds, lambda: _knock(cluster, seconds), "it does not answer")
        self._client, self.workers = within(seconds, lambda: _connect(cluster, seconds), "it does not answer")

    def hand_out(self, make: Callable[..., object], data: object, seconds: float) -> None:
        """Hand out what all tasks need: every worker gets it once, and keeps it until this is left.

        It is the result of a task, which Dask can do again: what is only scattered is lost with the last
        worker that has it, and the memory manager leaves one copy of it whenever nothing is being done.

        Args:
            make: makes it, on one worker; the others get copies.
            data: what that is made from; large ones as arrays, which Dask does not copy.
            seconds: how long to try.

        Raises:
            ClusterAwayError: that did not succeed.
        """

        def hand_out() -> Any:
            import dask
            import distributed

            with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
                # Not told by its content: two crews must not share what their tasks leave in it.
                made: Any = self._client.submit(make, data, pure=False)
            untyped: Any = distributed
            with self._client.as_current():
                untyped.wait([made], timeout=seconds)
            if made.status != "finished":
                raise ClusterAwayError(_said(made.exception(timeout=seconds)))
            self._client.replicate([made])
            return made

        self._data = within(seconds, hand_out, "handing out the instance took too long")

    def submit(
        self,
        number: int,
        function: Callable[..., object],
        *arguments: object,
        near: str | None = None,
        priority: int = 0,
    ) -> None:
        """Give a task; `next` tells what became of it.

        Args:
            number: names it; it may be used again after its news.
            function: importable on the workers; gets what was handed out first, if that is anything.
            arguments: what else it gets.
            near: worker that should do it, while it is there.
            priority: tasks of a higher one are begun first.
        """
        before = () if self._data is None else (self._data,)
        try:
            future = self._client.submit(
                function,
                *before,
                *arguments,
                pure=False,
                priority=priority,
                workers=None if near is None else [near],
                allow_other_workers=near is not None,
            )
        except Exception as error:  # noqa: BLE001 - a client that is closing raises of many kinds
            self._news.put(Came(number, Fate.GONE, why=_said(error)))
            return
        self._pending[number] = future
        future.add_done_callback(lambda ended: self._fetch(number, ended))

    def next(self, seconds: float) -> list[Came]:
        """All news there are; the first is waited for so long."""
        found: list[Came] = []
        try:
            found.append(self._news.get(timeout=max(0.0, seconds)))
            while True:
                found.append(self._news.get_nowait())
        except queue.Empty:
            pass
        for came in found:
            self._pending.pop(came.number, None)
        return found

    def look(self) -> None:
        """Learn how many workers there are now.

        Raises:
            ClusterAwayError: the scheduler does not answer.
        """
        self.workers = within(_LOOK_S, lambda: _workers(self._client), "it does not answer")

    def leave(self) -> None:
        """Give everything up; what workers have in hand for this they stop (`abandoned`)."""
        self._pending, self._data = {}, None
        try:
            within(_LEAVE_S, lambda: self._client.close(timeout=_LEAVE_S), "it does not answer")
        except ClusterAwayError as error:
            logging.getLogger(__name__).debug("left without a word: %s", error)

    def _fetch(self, number: int, ended: Any) -> None:
        """Get what a task returned, in a thread of its own.

        Its worker may die before that has come, and Dask then does it again: others must not wait for it.
        """
        threading.Thread(target=lambda: self._news.put(_came(number, ended)), daemon=True).start()


def within(seconds: float, work: Callable[[], _Value], otherwise: str) -> _Value:
    """Do what may hang, for so many seconds.

    Args:
        seconds: how long.
        work: done in a thread of its own.
        otherwise: what to say when it takes longer.

    Raises:
        ClusterAwayError: it took longer, or raised.
    """
    answer: queue.SimpleQueue[tuple[_Value | None, Exception | None]] = queue.SimpleQueue()

    def do() -> None:
        try:
            answer.put((work(), None))
        except Exception as error:  # noqa: BLE001 - raised again below
            answer.put((None, error))

    threading.Thread(target=do, daemon=True).start()
    try:
        value, error = answer.get(timeout=seconds)
    except queue.Empty:
        raise ClusterAwayError(otherwise) from None
    if isinstance(error, ClusterAwayError):
        raise error
    if error is not None:
        raise ClusterAwayError(_said(error)) from error
    return value  # type: ignore[return-value]


def abandoned() -> bool:
    """Tell, in a task on a worker, whether nobody waits for it any more."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state != "executing" or worker.status.name in ("closing", "closed")


def here() -> str:
    """Address of the worker that is doing a task."""
    from distributed import get_worker

    return str(get_worker().address)


def _knock(cluster: Cluster, seconds: float) -> None:
    """Refused is refused: Dask would try again until the time is over, and leave threads behind."""
    host, _, port = cluster.scheduler.partition("://")[2].rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=seconds).close()


def _connect(cluster: Cluster, seconds: float) -> tuple[Any, int]:
    import distributed

    # Of a lost connection it tells with tracebacks; who falls back tells it in a sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    untyped: Any = distributed
    client = untyped.Client(cluster.scheduler, timeout=seconds, set_as_default=False, name="wheelhouse")
    workers = _workers(client)
    if not workers:
        client.close(timeout=_LEAVE_S)
        raise ClusterAwayError("it has no workers")
    return client, workers


def _workers(client: Any) -> int:
    return len(client.scheduler_info(n_workers=-1)["workers"])


def _came(number: int, future: Any) -> Came:
    """What became of a task that has ended."""
    from distributed import KilledWorker

    try:
        return Came(number, Fate.DONE, value=future.result())
    except KilledWorker as error:
        return Came(number, Fate.KILLED, why=_said(error))
    except BaseException as error:  # noqa: BLE001 - also what is raised for a task that was cancelled
        return Came(number, Fate.GONE, why=_said(error))


def _said(error: BaseException) -> str:
    reason = getattr(error, "reason", None)  # of a task that was cancelled
    if reason:
        return str(reason)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
