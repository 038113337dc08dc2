"""Who plans many problems: processes of this machine, or a Dask cluster's workers."""

import logging
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from multiprocessing import connection
from typing import Any

from routing.pickup.cluster import Cluster, Fate, Joined, abandoned
from routing.pickup.errors import ClusterAwayError, ProblemError
from routing.pickup.many import TRIES_MAX, Answer, Made, Order, Orders, Search, plan_document
from routing.pickup.workers import available, keep_quiet, process_context

_OVERDUE_S = 120.0  # beyond the limit: reading a large problem, its first plan, checking, writing
_AHEAD = 2  # tasks for each worker of a cluster, so that none waits for its next
_JOIN_S = 10.0
_REJOIN_S = 60.0
_REJOIN_EVERY_S = 2.0
_LOOK_EVERY_S = 15.0  # whether the cluster still answers
_LOOK_UP_S = 0.5
_FRUITLESS_MAX = 3

log = logging.getLogger(__name__)


def solve_many(
    orders: Iterable[Order],
    search: Search | None = None,
    *,
    workers: int | None = None,
    executor: Cluster | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Answer]:
    """Plan many problems at once, each in one process.

    Args:
        orders: the problems; taken one by one as workers become free, so they may come from a file that is
            larger than memory.
        search: how each of them is searched.
        workers: processes of this machine; None: one for each core. A cluster is used as a whole.
        executor: a Dask cluster to plan on; None: this machine, which also stands in for a cluster that is
            away.
        stop: asked about every half second; True ends the run, and what is not ready is not answered.

    Yields:
        One answer for each order, as they become ready.

    Raises:
        ProblemError: fewer than one worker.
    """
    if workers is not None and workers < 1:
        raise ProblemError(f"options: workers must be at least 1, but is {workers}")
    search = search or Search()
    left = Orders(orders)
    if executor is not None:
        try:
            yield from on_cluster(left, search, executor, stop)
        except ClusterAwayError as error:
            log.warning(
                "the Dask cluster at %s cannot be used (%s): planning on this machine",
                executor.scheduler,
                error,
            )
    yield from on_processes(left, search, workers or available(), stop)


@dataclass(frozen=True, slots=True)
class _Running:
    order: Order
    process: Any
    overdue_at: float


def on_processes(orders: Orders, search: Search, workers: int, stop: Callable[[], bool]) -> Iterator[Answer]:
    """Plan with processes of this machine, one for each problem."""
    running: dict[connection.Connection, _Running] = {}
    deaths: Counter[str] = Counter()
    try:
        while not stop():
            while len(running) < workers and (order := orders.take()) is not None:
                pipe, one = _start(order, search)
                running[pipe] = one
            if not running:
                return
            ready = connection.wait(list(running), _LOOK_UP_S)
            late = [pipe for pipe, one in running.items() if time.monotonic() > one.overdue_at]
            for pipe in [pipe for pipe in running if pipe in ready or pipe in late]:
                one = running.pop(pipe)
                made = _ended(pipe, one) if pipe in ready else Made(None, "the planner did not end in time")
                _end(pipe, one)
                if made is None:
                    deaths[one.order.name] += 1
                    if deaths[one.order.name] < TRIES_MAX:
                        log.warning(
                            "%s: its process ended by itself (%s); trying again",
                            one.order.name,
                            one.process.exitcode,
                        )
                        orders.put_back([one.order])
                        continue
                    made = Made(None, f"its process ended by itself {TRIES_MAX} times")
                yield Answer(one.order, made)
    finally:
        for pipe, one in running.items():
            _end(pipe, one)


def on_cluster(
    orders: Orders, search: Search, cluster: Cluster, stop: Callable[[], bool]
) -> Iterator[Answer]:
    """Plan with the workers of a cluster.

    Raises:
        ClusterAwayError: it could not be reached, or not again, or returned nothing but failures of its own;
            what it had in hand is among the orders again.
    """
    joined = Joined(cluster, _JOIN_S)
    fruitless = 0
    while True:
        answered = 0
        try:
            for answer in _through(joined, orders, search, stop):
                answered += 1
                yield answer
            return
        except ClusterAwayError as error:
            fruitless = 0 if answered else fruitless + 1
            if fruitless >= _FRUITLESS_MAX:
                raise
            log.warning("the Dask cluster at %s is lost (%s): looking for it again", cluster.scheduler, error)
        finally:
            joined.leave()
        joined = _rejoin(cluster, stop)


def _through(joined: Joined, orders: Orders, search: Search, stop: Callable[[], bool]) -> Iterator[Answer]:
    """Plan through one connection to a cluster, until all is planned or that is lost."""
    in_hand: dict[int, Order] = {}
    numbers = count()
    looked_at = time.monotonic()
    try:
        while not stop():
            while len(in_hand) < _AHEAD * max(1, joined.workers) and (order := orders.take()) is not None:
                number = next(numbers)
                in_hand[number] = order
                joined.submit(number, plan_on_worker, order.document, search)
            if not in_hand:
                return
            for came in joined.next(_LOOK_UP_S):
                if came.fate is Fate.GONE:
                    raise ClusterAwayError(came.why)
                order = in_hand.pop(came.number)
                made = came.value if came.fate is Fate.DONE else Made(None, f"workers died: {came.why}")
                yield Answer(order, made)
            if time.monotonic() - looked_at > _LOOK_EVERY_S:
                joined.look()
                looked_at = time.monotonic()
    finally:
        orders.put_back(in_hand.values())


def _rejoin(cluster: Cluster, stop: Callable[[], bool]) -> Joined:
    """Look for a cluster that was lost.

    Raises:
        ClusterAwayError: it is still away after a minute.
    """
    give_up_at = time.monotonic() + _REJOIN_S
    while True:
        try:
            return Joined(cluster, _JOIN_S)
        except ClusterAwayError:
            if time.monotonic() >= give_up_at or stop():
                raise
            time.sleep(_REJOIN_EVERY_S)


def plan_on_worker(document: bytes, search: Search) -> Made:
    """Plan one problem, on a worker of the cluster."""
    return plan_document(document, search, wanted=lambda: not abandoned())


def _start(order: Order, search: Search) -> tuple[connection.Connection, _Running]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    arguments = (order.document, search, theirs, os.getpid())
    process = process_context().Process(target=_work, args=arguments, daemon=True)
    process.start()
    theirs.close()  # so that its end is seen here
    return ours, _Running(order, process, time.monotonic() + 1.05 * search.seconds + _OVERDUE_S)


def _work(document: bytes, search: Search, pipe: Any, parent: int) -> None:
    """What a problem's process does."""
    keep_quiet()
    pipe.send(plan_document(document, search, wanted=lambda: os.getppid() == parent))


def _ended(pipe: connection.Connection, one: _Running) -> Made | None:
    """What a process said in the end; None: it died."""
    try:
        made: Made = pipe.recv()
    except (EOFError, OSError):
        one.process.join()
        return None
    return made


def _end(pipe: connection.Connection, one: _Running) -> None:
    pipe.close()
    one.process.kill()
    one.process.join()
