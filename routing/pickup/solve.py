"""The front door: a problem in, a checked plan out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from routing.pickup import decompose
from routing.pickup.assemble import plan_from, sequences_from
from routing.pickup.checker import check
from routing.pickup.costs import to_minor
from routing.pickup.effort import Effort, Progress
from routing.pickup.engines import greedy, ortools, rich
from routing.pickup.errors import ProblemError
from routing.pickup.explain import explain
from routing.pickup.instance import Instance, Sequences, build
from routing.pickup.plan import Plan
from routing.pickup.problem import Problem

_SECONDS_A_SQUARE_STOP = 0.01
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
        progress: told of better plans as they are found; answers False to end the run with the best plan
            so far.
        initial: a plan to start from, for example of the same day before some changes.
    """

    seconds: float = 10.0
    seed: int = 0
    steps: int | None = None
    progress: Callable[[Progress], bool] | None = None
    initial: Plan | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.seconds) and self.seconds >= 0):
            raise ProblemError(f"options: seconds must not be negative, but is {self.seconds}")
        if self.steps is not None and self.steps < 0:
            raise ProblemError(f"options: steps must not be negative, but is {self.steps}")
        if self.seed < 0:
            raise ProblemError(f"options: seed must not be negative, but is {self.seed}")


def solve(problem: Problem, options: Options | None = None) -> Plan:
    """Plan the rounds of a day.

    A first plan comes from cheapest insertion (or from `options.initial`); guided local search makes it
    better, as a whole or, beyond `decompose.WHOLE_MAX` stops, in parts. In the end what still fits is put in.

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
    sequences, solver = _start(instance, options, search)
    if instance.features:
        sequences, solver = rich.improve(instance, sequences, solver, effort)
    elif not search.over() and any(sequences):
        if len(problem.stops) <= decompose.WHOLE_MAX:
            sequences = ortools.improve(instance, sequences, search, search.left(), search.steps)
            solver += "+ortools"
        else:
            sequences = decompose.improve(instance, sequences, search)
            solver += "+ortools in parts"
    sequences = greedy.complete(instance, sequences, effort)
    over = effort.left() <= 0
    unserved = explain(instance, sequences, time_was_over=over, measures=problem.measures)
    plan = plan_from(instance, sequences, unserved, solver, round(effort.elapsed(), 3))
    violations = check(problem, plan)
    assert not violations, violations
    return plan


def _start(instance: Instance, options: Options, effort: Effort) -> tuple[Sequences, str]:
    if options.initial is None:
        sequences, solver = rich.construct(instance, effort), "greedy"
    else:
        sequences = greedy.complete(instance, sequences_from(instance, options.initial), effort)
        solver = "initial"
    costs = [instance.route_cost(vehicle, stops) for vehicle, stops in enumerate(sequences) if stops]
    served = sum(len(stops) for stops in sequences)
    effort.report(sum(to_minor(cost) for cost in costs if cost is not None), len(instance.stops) - served)
    return sequences, solver


def _searching(effort: Effort, stops: int) -> Effort:
    """The part of the effort that is for searching; the rest completes, explains and checks the plan."""
    seconds = effort.seconds * (1 - _RESERVE_SHARE) - _RESERVE_S_A_STOP * stops
    seconds = min(seconds, _SECONDS_A_SQUARE_STOP * stops**2 + effort.elapsed())
    return Effort(max(0.0, seconds), effort.steps, effort.seed, effort.progress, effort.started)
