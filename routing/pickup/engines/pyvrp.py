"""PyVRP: iterated local search over tours, the engine that makes rounds cheap.

Late acceptance hill climbing (Burke & Bykov 2017) around PyVRP's local search, which a caller can interrupt,
follow and continue. Penalties for broken rules begin at the size of the data's own costs, or, where a search
is to be careful, near the largest value there is, as PyVRP itself begins. The first is far better on some
instances and the second on others, so processes that search the same begin in both ways.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from pyvrp import CostEvaluator, PenaltyManager, RandomNumberGenerator, Route, Solution
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from routing.pickup.costs import to_minor
from routing.pickup.effort import Effort
from routing.pickup.engines.pyvrp_kinds import Column, Visits, can_plan
from routing.pickup.engines.pyvrp_model import Model
from routing.pickup.engines.pyvrp_penalties import starting
from routing.pickup.instance import Instance, Sequences

__all__ = ["Column", "Search", "better", "can_plan", "figures", "improve", "report", "serves_all"]

_COLLECT_EVERY = 10
_HISTORY = 300
_PERTURBATIONS = 25


@dataclass(slots=True)
class Collection:
    """Rounds met on the way, each once.

    Attributes:
        columns: those not yet handed on.
    """

    columns: list[Column] = field(default_factory=list)
    _known: set[tuple[int, Visits]] = field(default_factory=set)
    _seen: set[tuple[int, int, int, int]] = field(default_factory=set)

    def add(self, model: Model, solution: Solution) -> None:
        """Keep the rounds of a solution that keep the rules."""
        for route in solution.routes():
            # Much cheaper than its stops, and hardly ever the same for two rounds.
            visits = route.num_clients() + route.num_shipments()
            signature = (route.vehicle_type(), route.distance(), route.duration(), visits)
            if signature in self._seen:
                continue
            self._seen.add(signature)
            if route.is_feasible() and visits:
                self._keep(model, route)

    def take(self) -> list[Column]:
        """The rounds found since the last time."""
        columns, self.columns = self.columns, []
        return columns

    def _keep(self, model: Model, route: Route) -> None:
        column = model.column(route)
        if (column.kind, column.stops) not in self._known:
            self._known.add((column.kind, column.stops))
            self.columns.append(column)


class Search:
    """A search of one instance that can be interrupted and continued.

    Args:
        instance: one that `can_plan`.
        seed: of everything drawn at random.
        start: rounds that keep all rules; None: from nothing, to serve every stop.
        history: how many steps back a step is compared with: few where there is little time.
        collect: keep the rounds met on the way.
        careful: begin with penalties so high that rules are hardly ever broken.
        perturbations: at most so many stops are moved at random before each step.

    Attributes:
        best: the best solution so far that keeps the rules, None while there is none.
        collection: rounds met on the way.
    """

    def __init__(
        self,
        instance: Instance,
        seed: int,
        start: Sequences | None,
        *,
        history: int = _HISTORY,
        collect: bool = False,
        careful: bool = False,
        perturbations: int = _PERTURBATIONS,
    ) -> None:
        self.model = Model(instance, None if start is None else _cost_if_optional(instance, start))
        self.collection = Collection() if collect else None
        self.best: Solution | None = None
        self._best_cost = 2**63 - 1
        self._random = RandomNumberGenerator(seed=seed % 2**32)
        data = self.model.data
        shaken = PerturbationManager(PerturbationParams(max_perturbations=perturbations))
        neighbours = compute_neighbours(data, NeighbourhoodParams())
        self._local = LocalSearch(data, self._random, neighbours, shaken)
        for operator in OPERATORS:
            if operator.supports(data):
                self._local.add_operator(operator(data))
        self._start_penalties, parameters = starting(self.model, careful=careful)
        self._parameters = parameters
        self._penalties = PenaltyManager(self._start_penalties, parameters)
        self._history: list[Solution | None] = [None] * history
        self._at = self._steps = 0
        self._current: Solution
        self._reference: Solution
        if start is None:
            self.restart()
        else:
            begun = self.model.solution(start)
            self._begin(begun)
            # Rounds from elsewhere have been improved by other moves, or by none: try all of ours once.
            evaluator = self._penalties.max_cost_evaluator()
            self._current = self._local(begun, evaluator, exhaustive=True)
            self._note(self._current, evaluator)

    def restart(self) -> None:
        """Go on from random rounds; the best ones are kept."""
        random = Solution.make_random(self.model.data, self._random)
        self._penalties = PenaltyManager(self._start_penalties, self._parameters)
        self._begin(self._local(random, self._penalties.max_cost_evaluator(), exhaustive=True))

    def adopt_if_better(self, sequences: Sequences) -> None:
        """Go on from rounds that keep the rules, if they are cheaper than the best so far."""
        solution = self.model.solution(sequences)
        if self._penalties.cost_evaluator().cost(solution) < self._best_cost:
            self._begin(solution)

    def run(self, ends: Callable[[], bool], on_better: Callable[[Solution], None] | None = None) -> None:
        """Search until told to end.

        Args:
            ends: asked before every step.
            on_better: told of every better solution that keeps the rules.
        """
        with warnings.catch_warnings():
            # It says that few steps keep the rules: then the best rounds simply stay.
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            while not ends():
                self._step(on_better)

    def _step(self, on_better: Callable[[Solution], None] | None) -> None:
        evaluator = self._penalties.cost_evaluator()
        candidate = self._local(self._current, evaluator)
        self._penalties.register(candidate)
        if evaluator.cost(candidate) < self._best_cost:
            polished = self._local(candidate, evaluator, exhaustive=True)
            candidate = polished if polished.is_feasible() else candidate
            self._note(candidate, evaluator)
            if on_better is not None:
                on_better(candidate)
        self._accept(candidate, evaluator)
        self._steps += 1
        if self.collection is not None and self._steps % _COLLECT_EVERY == 0:
            self.collection.add(self.model, self._current)

    def sequences(self) -> Sequences | None:
        """The best rounds so far; None while there are none that keep the rules."""
        return None if self.best is None else self.model.sequences(self.best)

    def rounds_that_keep_the_rules(self) -> Sequences:
        """Those of the present rounds that do, also where others do not."""
        model = self.model
        return model.sequences(Solution(model.data, [r for r in self._current.routes() if r.is_feasible()]))

    def _begin(self, solution: Solution) -> None:
        self._current = self._reference = solution
        self._history = [None] * len(self._history)
        self._at = 0
        self._note(solution, self._penalties.cost_evaluator())

    def _note(self, solution: Solution, evaluator: CostEvaluator) -> None:
        cost = evaluator.cost(solution)
        if solution.is_feasible() and cost < self._best_cost:
            self.best, self._best_cost = solution, cost
            if self.collection is not None:
                self.collection.add(self.model, solution)

    def _accept(self, candidate: Solution, evaluator: CostEvaluator) -> None:
        """Take a step if it is better than the present, or than where the search was some steps ago."""
        late = self._history[self._at]
        late_cost = evaluator.penalised_cost(self._reference if late is None else late)
        cost, present = evaluator.penalised_cost(candidate), evaluator.penalised_cost(self._current)
        if cost < late_cost or cost < present:
            self._current, present = candidate, cost
        if late is None or present < late_cost:
            self._history[self._at] = self._current
        self._at = (self._at + 1) % len(self._history)


def improve(
    instance: Instance, sequences: Sequences, effort: Effort, seconds: float, steps: int | None
) -> Sequences:
    """Search for cheaper rounds.

    Args:
        instance: one that `can_plan`.
        sequences: rounds that keep all rules.
        effort: of the whole run, for its reports and its stop.
        seconds: how long to search; without meaning under a step limit.
        steps: of the search; None: the clock counts.

    Returns:
        The best rounds found; those given if none is better.
    """
    search = Search(instance, effort.seed, sequences)
    left, ends_at = steps, time.perf_counter() + seconds

    def ends() -> bool:
        nonlocal left
        if left is None:
            return effort.stopped or time.perf_counter() >= ends_at
        left -= 1
        return effort.stopped or left < 0

    def tell(solution: Solution) -> None:
        report(instance, search.model.sequences(solution), effort)

    search.run(ends, tell)
    found = search.sequences()
    return sequences if found is None else better(instance, found, sequences)


def better(instance: Instance, found: Sequences, known: Sequences) -> Sequences:
    """The cheaper of two sets of rounds that keep all rules; the known ones where both cost the same."""
    before, after = instance.cost(known), instance.cost(found)
    assert before is not None, "rounds that keep the rules"
    assert after is not None, "the model holds all rules"
    return found if after < before else known


def serves_all(instance: Instance, sequences: Sequences) -> bool:
    """Tell whether every stop that some vehicle may serve is in a round."""
    served = np.zeros(len(instance.stops), dtype=np.bool_)
    for stops in sequences:
        served[stops] = True
    return bool((served | ~instance.eligible.any(axis=1)).all())


def report(instance: Instance, sequences: Sequences, effort: Effort) -> None:
    """Tell the caller of rounds that keep all rules."""
    if effort.progress is not None:
        effort.report(*figures(instance, sequences))


def figures(instance: Instance, sequences: Sequences) -> tuple[int, int]:
    """Cost of rounds that keep all rules in minor units, and the number of stops they leave out."""
    costs = [instance.route_cost(vehicle, stops) for vehicle, stops in enumerate(sequences) if stops]
    unserved = len(instance.stops) - sum(len(stops) for stops in sequences)
    return sum(to_minor(cost) for cost in costs if cost is not None), unserved


def _cost_if_optional(instance: Instance, start: Sequences) -> int | None:
    """What the rounds cost, if stops may be left out: by their prizes, or because not all can be served."""
    if serves_all(instance, start) and not instance.has_prizes:
        return None
    costs = [instance.route_cost(vehicle, stops) for vehicle, stops in enumerate(start) if stops]
    return sum(cost for cost in costs if cost is not None)
