"""OR-Tools routing: guided local search from given rounds.

The model holds every rule of a problem, so rounds that keep the rules are always a start, and what comes
out keeps them too. All callbacks are matrices and vectors on the C++ side.
"""

from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.pickup.costs import COST_SCALE, to_minor
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy
from routing.pickup.engines.ortools_model import UNLIMITED, Model
from routing.pickup.instance import Instance, Sequences

_REPORT_EVERY_S = 0.2
_ASKED_A_NODE = 2_000


def improve(
    instance: Instance, sequences: Sequences, effort: Effort, seconds: float, steps: int | None
) -> Sequences:
    """Search for cheaper rounds.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: of the whole run, for its reports and its stop.
        seconds: how long to search; without meaning under a step limit.
        steps: how many solutions to visit; None: the clock counts.

    Returns:
        The best rounds found; those given if none is better.
    """
    model = _Search(instance)
    model.report_to(effort)
    found = model.search(sequences, effort.seed, seconds, steps)
    before, after = instance.cost(sequences), instance.cost(found)
    assert before is not None, "rounds that keep the rules"
    if after is None:  # breaks are held by the span of their windows only
        found = greedy.repaired(instance, found, effort)
        after = instance.cost(found)
    assert after is not None, "the model holds all other rules"
    return found if after < before else sequences


class _Search(Model):
    """Guided local search on the model."""

    failure: BaseException | None = None

    def search(self, sequences: Sequences, seed: int, seconds: float, steps: int | None) -> Sequences:
        """Guided local search from the given rounds."""
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        if steps is None:
            parameters.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
        else:
            parameters.solution_limit = max(1, steps)
            # parts of the search must not look at the clock either
            parameters.lns_time_limit.FromSeconds(3600)
            self._end_when_stalled()
        self.routing.CloseModelWithParameters(parameters)
        self.routing.solver().ReSeed(seed)
        number = {stop: position for position, stop in enumerate(self.stops)}
        start = self.routing.ReadAssignmentFromRoutes(
            [[number[stop] for stop in stops] for stops in sequences], True
        )
        if start is None:
            # the little time that was left is over before they were read, or breaks fit only another way
            assert steps is None or self.instance.features, "the model accepts rounds that keep the rules"
            return sequences
        solution = self.routing.SolveFromAssignmentWithParameters(start, parameters)
        if self.failure is not None:
            raise self.failure
        return self._sequences(solution) if solution is not None else sequences

    def _end_when_stalled(self) -> None:
        """End a search that visits no new solutions, and so would never reach its step limit.

        The search asks its limits again and again; how often does not depend on the clock.
        """
        asked, most = 0, _ASKED_A_NODE * len(self.nodes)

        def stalled() -> bool:
            nonlocal asked
            asked += 1
            return asked > most

        def on_solution() -> None:
            nonlocal asked
            asked = 0

        self.routing.AddAtSolutionCallback(on_solution)
        self.routing.AddSearchMonitor(self.routing.solver().CustomLimit(stalled))

    def report_to(self, effort: Effort) -> None:
        """Tell better solutions to the caller, and end the search when he says so."""
        if effort.progress is None:
            return
        best, last_s = UNLIMITED * COST_SCALE, -_REPORT_EVERY_S

        def on_solution() -> None:
            nonlocal best, last_s
            cost = self.routing.CostVar().Max()
            if cost < best and effort.elapsed() - last_s >= _REPORT_EVERY_S:
                best, last_s = cost, effort.elapsed()
                penalties = self._unserved_penalties()
                try:
                    effort.report(to_minor(cost - sum(penalties)), len(penalties))
                except BaseException as error:  # noqa: BLE001 - OR-Tools would drop it; `search` raises it
                    self.failure = error
            if effort.stopped or self.failure is not None:
                self.routing.solver().FinishCurrentSearch()

        self.routing.AddAtSolutionCallback(on_solution)

    def _unserved_penalties(self) -> list[int]:
        served = {
            stop
            for stop, index in zip(self.stops, self.index, strict=True)
            if self.routing.VehicleVar(index).Min() >= 0
        }
        return [self.instance.penalties[stop] for stop in self.stops if stop not in served]

    def _sequences(self, solution: Any) -> Sequences:
        sequences: Sequences = []
        for vehicle in range(self.vehicles):
            stops, index = [], solution.Value(self.routing.NextVar(self.routing.Start(vehicle)))
            while not self.routing.IsEnd(index):
                stops.append(self.stops[self.manager.IndexToNode(index)])
                index = solution.Value(self.routing.NextVar(index))
            sequences.append(stops)
        return sequences
