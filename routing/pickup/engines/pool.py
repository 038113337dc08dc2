"""Choosing rounds from a pool: set partitioning.

Searches throw good rounds away together with the plans they were part of. Every stop is to be in exactly
one chosen round, of every kind of vehicle no more rounds are chosen than there are vehicles, and the sum of
costs is least. The linear relaxation says what a round is worth beside the others; only those that could be
part of a cheaper plan go into the integer program.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.linear_solver import pywraplp

from routing.pickup.engines.pyvrp_kinds import Column, kinds
from routing.pickup.instance import Instance, Sequences

_COLUMNS_MAX = 8_000
_LEAST_GAIN = 0.5  # costs are whole


def recombine(
    instance: Instance, columns: Iterable[Column], best: Sequences, seconds: float
) -> Sequences | None:
    """Look for a cheaper plan among given rounds.

    Args:
        instance: the problem, without prizes.
        columns: rounds that keep all rules.
        best: the best plan so far, which serves every stop that can be served.
        seconds: how long.

    Returns:
        Rounds that keep all rules and are cheaper than the best; None: there are none, or time was short.
    """
    alike = kinds(instance)
    kind_of = {vehicle: kind for kind, vehicles in enumerate(alike) for vehicle in vehicles}
    known: dict[tuple[int, frozenset[int]], Column] = {}
    best_cost = 0
    for vehicle, stops in enumerate(best):
        if stops:
            cost = instance.route_cost(vehicle, stops)
            assert cost is not None, "rounds that keep the rules"
            best_cost += cost
            columns = [*columns, Column(kind_of[vehicle], tuple(stops), cost)]
    for column in columns:
        # The same stops in a dearer order are never chosen.
        key = (column.kind, frozenset(column.stops))
        if key not in known or column.cost_scaled < known[key].cost_scaled:
            known[key] = column
    if not known:
        return None
    unit = gcd(*(column.cost_scaled for column in known.values())) or 1  # solvers like small numbers
    candidates = [replace(column, cost_scaled=column.cost_scaled // unit) for column in known.values()]
    served = sorted({stop for stops in best for stop in stops})
    candidates = _promising(candidates, served, alike, best_cost // unit, seconds / 2)
    chosen = _chosen(candidates, served, alike, best_cost // unit, seconds / 2) if candidates else None
    return None if chosen is None else _sequences(chosen, alike)


def _promising(
    columns: Sequence[Column],
    stops: Sequence[int],
    alike: Sequence[Sequence[int]],
    best_cost: int,
    seconds: float,
) -> list[Column]:
    """The rounds that may be part of a cheaper plan: reduced cost below the gap of the relaxation."""
    solver = pywraplp.Solver.CreateSolver("GLOP")
    assert solver is not None, "comes with OR-Tools"
    _, rows = _program(solver, columns, stops, alike, integer=False)
    solver.SetTimeLimit(max(1, int(1000 * seconds)))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return []
    duals = np.array([row.dual_value() for row in rows])
    position = {stop: number for number, stop in enumerate(stops)}
    reduced = np.array(
        [
            column.cost_scaled
            - sum(duals[position[stop]] for stop in column.stops)
            - duals[len(stops) + column.kind]
            for column in columns
        ]
    )
    gap = best_cost - solver.Objective().Value()
    order = np.argsort(reduced, kind="stable")[:_COLUMNS_MAX]
    kept: npt.NDArray[np.intp] = order[reduced[order] < gap + _LEAST_GAIN]
    return [columns[number] for number in kept.tolist()] if gap > _LEAST_GAIN else []


def _chosen(
    columns: Sequence[Column],
    stops: Sequence[int],
    alike: Sequence[Sequence[int]],
    best_cost: int,
    seconds: float,
) -> list[Column] | None:
    solver = pywraplp.Solver.CreateSolver("HIGHS") or pywraplp.Solver.CreateSolver("SCIP")
    assert solver is not None, "comes with OR-Tools"
    variables, _ = _program(solver, columns, stops, alike, integer=True)
    solver.SuppressOutput()
    solver.SetTimeLimit(max(1, int(1000 * seconds)))
    if solver.Solve() not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return None
    chosen = [
        column for variable, column in zip(variables, columns, strict=True) if variable.solution_value() > 0.5
    ]
    return chosen if sum(column.cost_scaled for column in chosen) < best_cost else None


def _program(
    solver: Any,
    columns: Sequence[Column],
    stops: Sequence[int],
    alike: Sequence[Sequence[int]],
    *,
    integer: bool,
) -> tuple[list[Any], list[Any]]:
    """Variables of the rounds, and the rows: first the stops, then the kinds of vehicles."""
    rows = {stop: solver.Constraint(1, 1) for stop in stops}
    fleet = [solver.Constraint(-solver.infinity(), len(vehicles)) for vehicles in alike]
    objective = solver.Objective()
    objective.SetMinimization()
    variables = []
    for column in columns:
        variable = solver.BoolVar("") if integer else solver.NumVar(0, solver.infinity(), "")
        objective.SetCoefficient(variable, float(column.cost_scaled))
        for stop in column.stops:
            rows[stop].SetCoefficient(variable, 1.0)
        fleet[column.kind].SetCoefficient(variable, 1.0)
        variables.append(variable)
    return variables, [*rows.values(), *fleet]


def _sequences(chosen: Iterable[Column], alike: Sequence[Sequence[int]]) -> Sequences:
    free = [list(reversed(vehicles)) for vehicles in alike]
    sequences: Sequences = [[] for vehicles in alike for _ in vehicles]
    for column in chosen:
        sequences[free[column.kind].pop()] = list(column.stops)
    return sequences
