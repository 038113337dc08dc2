"""The front door: a problem in, a checked plan out."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import isfinite

from routing.pickup import rich, tours
from routing.pickup.assemble import plan_from, sequences_from
from routing.pickup.checker import check
from routing.pickup.cluster import Cluster
from routing.pickup.crews import crew
from routing.pickup.effort import Effort, Progress
from routing.pickup.engines import greedy, ortools, pyvrp
from routing.pickup.errors import ProblemError
from routing.pickup.explain import explain
from routing.pickup.instance import Instance, Sequences, build
from routing.pickup.plan import Plan
from routing.pickup.problem import Problem
from routing.pickup.workers import Crew

_SECONDS_A_SQUARE_STOP = 0.01
_SMALL = 25  # up to that many stops both engines are done before processes have begun
_RESERVE_SHARE = 0.03
_RESERVE_S_A_STOP = 0.000_15


@dataclass(frozen=True, slots=True)
class Options:
    """How to solve.

    Attributes:
        seconds: limit on the clock; the plan comes within this + 5 % + 0.5 s. Small problems, for which
            longer search is without use, end earlier (after 0.01 s times the square of the number of stops).
        seed: of everything drawn at random.
        steps: limit in solutions visited instead of the clock: the same problem, seed and steps give the
            same plan on any machine, however long it takes.
        progress: told of better plans as they are found, and about every second; answers False to end the
            run with the best plan so far.
        initial: a plan to start from, for example of the same day before some changes.
        workers: processes that search at the same time; None: one for each core. Under a step limit, and
            for small problems, there is none beside the caller's.
        executor: a Dask cluster whose workers search in place of those processes, as many as `workers`
            allows; None: this machine. It is for more than `crews.CLUSTER_STOPS_MIN` stops and runs of at
            least `crews.CLUSTER_SECONDS_MIN`. A cluster that is away, or is lost during the run, is logged as
            a warning, and the plan is made here.
    """

    seconds: float = 10.0
    seed: int = 0
    steps: int | None = None
    progress: Callable[[Progress], bool] | None = None
    initial: Plan | None = None
    workers: int | None = None
    executor: Cluster | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.seconds) and self.seconds >= 0):
            raise ProblemError(f"options: seconds must not be negative, but is {self.seconds}")
        if self.steps is not None and self.steps < 0:
            raise ProblemError(f"options: steps must not be negative, but is {self.steps}")
        if self.workers is not None and self.workers < 1:
            raise ProblemError(f"options: workers must be at least 1, but is {self.workers}")
        if self.seed < 0:
            raise ProblemError(f"options: seed must not be negative, but is {self.seed}")


def solve(problem: Problem, options: Options | None = None) -> Plan:
    """Plan the rounds of a day.

    A first plan comes from cheapest insertion (or from `options.initial`), of large problems from parts of
    them. Then workers make it better together: the whole of it (`portfolio`) or, beyond
    `portfolio.WHOLE_MAX` stops, part by part (`decompose`). In the end what still fits is put in.

    Args:
        problem: stops, vehicles, travel.
        options: limits, seed and start.

    Returns:
        A plan that `checker.check` finds nothing wrong with. Every stop is in a round or among the unserved.
    """
    options = options or Options()
    effort = Effort(options.seconds, options.steps, options.seed, options.progress, time.perf_counter())
    instance = build(problem)
    search = _searching(effort, len(problem.stops))

    def hire(worked_on: Instance) -> AbstractContextManager[Crew]:
        return crew(worked_on, options.workers, options.seed, options.executor, options.seconds)

    alone = effort.steps is not None or len(problem.stops) <= _SMALL
    if instance.features and (alone or not tours.can_plan(instance)):
        sequences, engine = rich.improve(instance, _start(instance, options, search), effort, hire)
    elif alone:
        sequences, engine = _alone(instance, options, search)
    else:
        with hire(instance) as members:
            start = None if options.initial is None else _start(instance, options, search)
            sequences, engine = tours.search(instance, start, search, members)
    sequences = greedy.complete(instance, sequences, effort)
    over = effort.left() <= 0
    unserved = explain(instance, sequences, time_was_over=over, measures=problem.measures)
    plan = plan_from(instance, sequences, unserved, engine, round(effort.elapsed(), 3))
    violations = check(problem, plan)
    assert not violations, violations
    return plan


def _alone(instance: Instance, options: Options, effort: Effort) -> tuple[Sequences, str]:
    """Both engines in this process: what is small is done soon, and what counts steps must not be shared."""
    sequences = _start(instance, options, effort)
    if effort.over() or not any(sequences):
        return sequences, "greedy"
    if pyvrp.can_plan(instance):
        sequences = pyvrp.improve(instance, sequences, effort, effort.left() / 2, effort.steps)
        if effort.over() or len(instance.stops) > _SMALL:
            return sequences, "pyvrp"
    return ortools.improve(instance, sequences, effort, effort.left(), effort.steps), "pyvrp+ortools"


def _start(instance: Instance, options: Options, effort: Effort) -> Sequences:
    """Rounds to begin with: those of an earlier plan, or by cheapest insertion."""
    if options.initial is None:
        sequences = rich.construct(instance, effort)
    else:
        sequences = greedy.complete(instance, sequences_from(instance, options.initial), effort)
    pyvrp.report(instance, sequences, effort)
    return sequences


def _searching(effort: Effort, stops: int) -> Effort:
    """The part of the effort that is for searching; the rest completes, explains and checks the plan."""
    seconds = effort.seconds * (1 - _RESERVE_SHARE) - _RESERVE_S_A_STOP * stops
    seconds = min(seconds, _SECONDS_A_SQUARE_STOP * stops**2 + effort.elapsed())
    return Effort(max(0.0, seconds), effort.steps, effort.seed, effort.progress, effort.started)
