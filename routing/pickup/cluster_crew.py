"""A crew whose members are workers of a Dask cluster.

The instance is handed out once; what a member is given becomes a Dask task. Dask does the task of a lost
worker again on another one, and takes in workers that are started later. When the cluster itself is lost,
processes of this machine stand in: all tasks in hand are told as lost, and are given anew.
"""

import logging
import pickle
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

from routing.pickup.cluster import Came, Cluster, Fate, Joined, abandoned, here
from routing.pickup.instance import Instance
from routing.pickup.tasks import Desk, Outcome, Task, Whole
from routing.pickup.workers import Processes, Word, WorkerError, available

_JOIN_SHARE, _JOIN_S_MAX = 0.1, 5.0
_HAND_OUT_SHARE, _HAND_OUT_S_MAX = 0.25, 15.0
_MEMBERS_MIN = 8  # so many have something to do, however few stops there are
_STOPS_A_MEMBER = 130  # the smallest parts of `decompose`
_ON_THE_WAY_S = 0.15  # an answer needs to come back before the run is over
_SILENCE_S = 5.0  # beyond the longest task in hand, after which the cluster counts as lost
_DEATHS_MAX = 5
_PRIORITY = 10  # somebody waits for this plan: before what is planned overnight
_SEED_STEP = 7919

log = logging.getLogger(__name__)


class Bench:
    """What a cluster's worker keeps of a crew: the instance, and a desk for each member that came by.

    Dask holds it as long as the crew is there. A copy begins without desks.
    """

    @classmethod
    def laid_out(cls, pickled: npt.NDArray[np.uint8]) -> "Bench":
        """The bench of a crew, on a worker of the cluster."""
        instance, seed = pickle.loads(pickled.data)  # noqa: S301 - whoever reaches a cluster may run anything there
        return cls(instance, seed)

    def __init__(self, instance: Instance, seed: int) -> None:
        self.instance = instance
        self.seed = seed
        self.desks: dict[int, Desk] = {}

    def __reduce__(self) -> tuple[Callable[..., "Bench"], tuple[Instance, int]]:
        return Bench, (self.instance, self.seed)

    def perform(self, member: int, task: Task) -> Outcome:
        """Do a task at the member's desk."""
        desk = self.desks.get(member)
        if desk is None:
            seed = self.seed + _SEED_STEP * (member + 1)
            careful = member % 2 == 1
            desk = Desk(self.instance, seed, careful=careful, abandoned=abandoned)
            self.desks[member] = desk
        return desk.perform(task, lambda _found: None)


@dataclass(frozen=True, slots=True)
class Report:
    """What a cluster's worker sends back.

    Attributes:
        worker: its address.
        outcome: what came out; None: the task failed.
        failure: the traceback.
    """

    worker: str
    outcome: Outcome | None
    failure: str = ""


def perform(bench: Bench, member: int, task: Task) -> Report:
    """Do a task, on a worker of the cluster."""
    worker = here()
    try:
        return Report(worker, bench.perform(member, task))
    except Exception:  # noqa: BLE001 - it is raised again where the caller is
        return Report(worker, None, traceback.format_exc())


class ClusterCrew:
    """A crew of a Dask cluster's workers; see `workers.Crew`.

    Args:
        instance: what they work on.
        workers: how many, at most; None: all there are, as far as the instance has work for them.
        seed: of everything drawn at random.
        cluster: whose workers.
        seconds: limit of the run; shares of it may pass until the cluster is joined and has the instance.

    Raises:
        ClusterAwayError: it had not by then.
    """

    def __init__(
        self, instance: Instance, workers: int | None, seed: int, cluster: Cluster, seconds: float
    ) -> None:
        self.instance = instance
        self.seed = seed
        self.deaths = 0
        self._stand_in: StandIn | None = None
        self._joined = Joined(cluster, min(_JOIN_S_MAX, _JOIN_SHARE * seconds))
        useful = max(_MEMBERS_MIN, len(instance.stops) // _STOPS_A_MEMBER)
        self.size = min(workers or useful, self._joined.workers)
        try:
            pickled = pickle.dumps((instance, seed), protocol=pickle.HIGHEST_PROTOCOL)
            self._joined.hand_out(
                Bench.laid_out,
                np.frombuffer(pickled, dtype=np.uint8),
                min(_HAND_OUT_S_MAX, _HAND_OUT_SHARE * seconds),
            )
        except BaseException:
            self._joined.leave()
            raise
        self._tickets = count()
        self._given: dict[int, tuple[int, Task]] = {}  # member and task, by ticket
        self._heard_at = time.monotonic()
        self._worker_of: dict[int, str] = {}

    @property
    def on_this_machine(self) -> bool:
        """Whether the cluster was lost."""
        return self._stand_in is not None

    def give(self, worker: int, task: Task) -> None:
        """See `workers.Crew`."""
        if self._stand_in is not None:
            self._stand_in.give(worker, task)
            return
        if not self._given:
            self._heard_at = time.monotonic()
        ticket = next(self._tickets)
        self._given[ticket] = worker, task
        if isinstance(task, Whole):
            # Nothing is heard of it while it lasts, so it must have ended when the run does.
            task = replace(task, seconds=max(0.0, task.seconds - _ON_THE_WAY_S))
        self._joined.submit(ticket, perform, worker, task, near=self._near(worker), priority=_PRIORITY)

    def hear(self, seconds: float) -> Iterator[Word]:
        """See `workers.Crew`."""
        if self._stand_in is None:
            longest_s = max((task.seconds for _, task in self._given.values()), default=0.0)
            silent_at = self._heard_at + longest_s + _SILENCE_S
            news = self._joined.next(min(seconds, silent_at - time.monotonic()))
            if news:
                self._heard_at = time.monotonic()
            elif self._given and time.monotonic() >= silent_at:
                yield from self._fall_back("nothing was heard of it")
            for came in news:
                yield from self._read(came)
        else:
            yield from self._stand_in.hear(seconds)

    def close(self) -> None:
        """End all work at once."""
        if self._stand_in is None:
            self._joined.leave()
        else:
            self._stand_in.close()

    def _read(self, came: Came) -> Iterator[Word]:
        """What news of a task mean."""
        if came.number not in self._given:
            return  # the cluster was lost meanwhile, and the task told as lost
        member = self._given[came.number][0]
        if came.fate is Fate.DONE:
            report: Report = came.value
            if report.outcome is None:
                raise WorkerError(report.failure)
            del self._given[came.number]
            self._worker_of[member] = report.worker
            yield Word(member, report.outcome, ended=True)
            return
        self.deaths += 1
        if came.fate is Fate.GONE or self.deaths > _DEATHS_MAX:
            yield from self._fall_back(came.why)
            return
        del self._given[came.number]
        yield Word(member, None, ended=True, died=True)

    def _fall_back(self, why: str) -> Iterator[Word]:
        """Go on with processes of this machine."""
        log.warning(
            "the Dask cluster at %s is lost (%s): going on on this machine",
            self._joined.cluster.scheduler,
            why,
        )
        lost, self._given = [member for member, _ in self._given.values()], {}
        self._joined.leave()
        self._stand_in = StandIn(self.instance, self.size, self.seed)
        yield from (Word(member, None, ended=True, died=True) for member in lost)

    def _near(self, member: int) -> str | None:
        """The worker that knows the member's search, unless others were sent there too since one died."""
        address = self._worker_of.get(member)
        return address if list(self._worker_of.values()).count(address or "") == 1 else None


class StandIn:
    """Members of a lost crew on the processes of this machine; where those are fewer, tasks wait."""

    def __init__(self, instance: Instance, size: int, seed: int) -> None:
        self._processes = Processes(instance, min(size, available()), seed)
        self._free = list(range(self._processes.size))
        self._waiting: deque[tuple[int, Task]] = deque()
        self._member_at: dict[int, int] = {}

    def give(self, member: int, task: Task) -> None:
        """Have a task done as soon as a process is free."""
        self._waiting.append((member, task))
        self._start()

    def hear(self, seconds: float) -> Iterator[Word]:
        """What the processes say, in the name of the members whose tasks they do."""
        for word in self._processes.hear(seconds):
            member = self._member_at[word.worker]
            if word.ended:
                self._free.append(word.worker)
                self._start()
            yield replace(word, worker=member)

    def close(self) -> None:
        """End all work at once."""
        self._processes.close()

    def _start(self) -> None:
        while self._free and self._waiting:
            process = self._free.pop()
            member, task = self._waiting.popleft()
            self._member_at[process] = member
            self._processes.give(process, task)
