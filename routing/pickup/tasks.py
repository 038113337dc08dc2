"""What a worker may be asked to do, and how it is done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from routing.pickup.effort import Effort
from routing.pickup.engines import greedy, ortools, pool, pyvrp
from routing.pickup.instance import Instance, Sequences

_SAY_EVERY_S = 0.25
_PART_HISTORY = 50
_FRESH_HISTORY = 100
_PART_PERTURBATIONS = 12  # small parts are soon shaken too much


@dataclass(frozen=True, slots=True)
class Whole:
    """Search all rounds together; the worker goes on where it was.

    Attributes:
        best: the best rounds known to anybody; they keep all rules.
        seconds: how long.
        adopt: go on from the best rounds, if the worker's own are dearer.
        fresh: begin anew at random instead.
        collect: hand over the rounds met on the way.
    """

    best: Sequences
    seconds: float
    adopt: bool = True
    fresh: bool = False
    collect: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Search some of the rounds.

    Attributes:
        stops, vehicles: numbers in the whole instance.
        start: rounds of these vehicles, with stops by their position in `stops`; None: build them.
        seconds: how long.
    """

    stops: list[int]
    vehicles: list[int]
    start: Sequences | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Recombine:
    """Choose the best rounds from all that were met.

    Attributes:
        columns: the rounds.
        best: the best plan so far.
        seconds: how long.
    """

    columns: list[pyvrp.Column]
    best: Sequences
    seconds: float


Task: TypeAlias = Whole | Part | Recombine


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a task so far.

    Attributes:
        sequences: rounds that keep all rules, numbered as in the task; None: nothing better was found.
        columns: rounds met since the last time.
    """

    sequences: Sequences | None
    columns: tuple[pyvrp.Column, ...] = ()


class Desk:
    """Where tasks on one instance are done, one after the other.

    Args:
        instance: what all tasks are about.
        seed: of everything drawn at random.
        careful: begin searches of the whole with high penalties; see `engines.pyvrp`.
        abandoned: tells whether nobody waits for the outcome any more.
    """

    def __init__(
        self,
        instance: Instance,
        seed: int,
        *,
        careful: bool = False,
        abandoned: Callable[[], bool] = lambda: False,
    ) -> None:
        self._careful = careful
        self._instance = instance
        self._seed = seed
        self._abandoned = abandoned
        self._done = 0
        self._search: pyvrp.Search | None = None
        self._complete = False

    def perform(self, task: Task, say: Callable[[Outcome], None]) -> Outcome:
        """Do a task.

        Args:
            task: what to do.
            say: told of better rounds on the way, not too often.
        """
        self._done += 1
        if isinstance(task, Recombine):
            return Outcome(pool.recombine(self._instance, task.columns, task.best, task.seconds))
        if isinstance(task, Part):
            return Outcome(self._part(task))
        return self._whole(task, say)

    def _whole(self, task: Whole, say: Callable[[Outcome], None]) -> Outcome:
        if not pyvrp.can_plan(self._instance):
            return Outcome(self._guided(self._instance, task.best, task.seconds))
        search = self._searching(task)
        ends = self._ending(task.seconds)
        said = 0.0

        def tell(_: object) -> None:
            nonlocal said
            now = time.perf_counter()
            if now - said >= _SAY_EVERY_S:
                said = now
                say(Outcome(search.sequences()))

        search.run(ends, tell)
        columns = () if search.collection is None else tuple(search.collection.take())
        return Outcome(search.sequences(), columns)

    def _searching(self, task: Whole) -> pyvrp.Search:
        """The search of all rounds, from where this task wants it to begin."""
        complete = pyvrp.serves_all(self._instance, task.best)
        if self._search is None or complete != self._complete:
            self._complete = complete
            self._search = pyvrp.Search(
                self._instance, self._next_seed(), task.best, collect=task.collect, careful=self._careful
            )
            if self._careful:  # the others go on from the first plan, this one from nothing
                self._search.restart()
            return self._search
        if task.fresh:
            self._search.restart()
        elif task.adopt:
            self._search.adopt_if_better(task.best)
        return self._search

    def _part(self, task: Part) -> Sequences | None:
        instance = self._instance.part(task.stops, task.vehicles)
        if not pyvrp.can_plan(instance):
            start = task.start or greedy.construct(instance, self._effort(task.seconds))
            return self._guided(instance, start, task.seconds)
        history = _FRESH_HISTORY if task.start is None else _PART_HISTORY
        ends = self._ending(task.seconds)
        search = pyvrp.Search(
            instance, self._next_seed(), task.start, history=history, perturbations=_PART_PERTURBATIONS
        )
        search.run(ends)
        found = search.sequences()
        if found is None and task.start is None:
            # Not all stops fit: those rounds that keep the rules, and what else fits beside them.
            return greedy.complete(instance, search.rounds_that_keep_the_rules(), self._effort(1e9))
        return found

    def _guided(self, instance: Instance, start: Sequences, seconds: float) -> Sequences:
        return ortools.improve(instance, start, self._effort(seconds), seconds, None)

    def _effort(self, seconds: float) -> Effort:
        return Effort(seconds, None, self._next_seed(), None, time.perf_counter())

    def _next_seed(self) -> int:
        return self._seed + 104_729 * self._done

    def _ending(self, seconds: float) -> Callable[[], bool]:
        """Tells whether the time is over, or nobody waits any more."""
        ends_at = time.perf_counter() + seconds
        look_up_at = time.perf_counter() + _SAY_EVERY_S

        def ends() -> bool:
            nonlocal look_up_at
            now = time.perf_counter()
            if now >= look_up_at:
                look_up_at = now + _SAY_EVERY_S
                return now >= ends_at or self._abandoned()
            return now >= ends_at

        return ends
