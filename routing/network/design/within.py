"""The cheapest allocation to given hubs within their capacities, by OR-Tools."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.linear_solver import pywraplp

from routing.network.design.instance import HubInstance, Ints
from routing.network.design.multiple import MultipleAllocation
from routing.network.design.single import SingleAllocation

# The solver works within absolute tolerances, so it is given an objective of about this size.
_OBJECTIVE_SIZE = 1e4
# Shares of a flow below this are the solver's rounding.
_NO_SHARE = 1e-7


@dataclass(frozen=True, slots=True)
class Solved:
    """What the solver says about a set of hubs.

    Attributes:
        cost: of the allocation, fixed costs included; infinite where there is none.
        lower_bound: no allocation to these hubs costs less; infinite where there is none at all.
        allocation: for each place its hubs; empty where none was found.
    """

    cost: float
    lower_bound: float
    allocation: tuple[tuple[int, ...], ...]


def single_within(
    instance: HubInstance, hubs: Sequence[int], until: float = math.inf, below: float = math.inf
) -> Solved:
    """Single allocation: the mixed-integer program of Ernst & Krishnamoorthy 1999 with its hubs fixed.

    Flow is kept by origin: ``z[i][k]`` allocates i to k, ``y[i][k, m]`` carries what i sends from hub k to m.
    Only i's own hub may send it, which keeps it from travelling over further hubs (Correia, Nickel & Saldanha
    da Gama 2010 showed that the original program misses this).

    Args:
        instance: the network.
        hubs: which are open.
        until: `time.monotonic()` at which to stop.
        below: dearer allocations are of no use, which spares the solver most of its work.
    """
    solver = _solver("SCIP", until)
    n, p = instance.size, len(hubs)
    access, sent = instance.access_cost(), instance.flow.sum(axis=1)
    z = [[solver.BoolVar("") for _ in range(p)] for _ in range(n)]
    pairs = [(k, m) for k in range(p) for m in range(p) if k != m]
    y = [{pair: solver.NumVar(0.0, solver.infinity(), "") for pair in pairs} for _ in range(n)]
    for k, hub in enumerate(hubs):
        solver.Add(z[hub][k] == 1)
        if instance.capacity[hub] < math.inf:
            solver.Add(sum(float(sent[i]) * z[i][k] for i in range(n)) <= float(instance.capacity[hub]))
    for i in range(n):
        solver.Add(sum(z[i]) == 1)
        for k in range(p):
            leaving = sum(y[i][k, m] for m in range(p) if m != k)
            entering = sum(y[i][m, k] for m in range(p) if m != k)
            kept = sum(float(instance.flow[i, j]) * z[j][k] for j in range(n) if instance.flow[i, j])
            solver.Add(leaving - entering == float(sent[i]) * z[i][k] - kept)
            solver.Add(leaving <= float(sent[i]) * z[i][k])
    scale = _OBJECTIVE_SIZE / (1.0 + float(access[:, hubs].min(axis=1).sum()))
    fixed = float(instance.fixed_cost[list(hubs)].sum())
    useful = scale * (below - fixed) if below < math.inf else solver.infinity()
    objective, ceiling = solver.Objective(), solver.Constraint(-solver.infinity(), useful)
    for row in (objective, ceiling):
        for i in range(n):
            for k, hub in enumerate(hubs):
                row.SetCoefficient(z[i][k], scale * float(access[i, hub]))
            for k, m in pairs:
                apart = instance.transfer * float(instance.distance[hubs[k], hubs[m]])
                row.SetCoefficient(y[i][k, m], scale * apart)
    status = solver.Solve(_exactly())
    if status == pywraplp.Solver.INFEASIBLE:
        return Solved(math.inf, below, ())
    if status not in (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE):
        return Solved(math.inf, -math.inf, ())
    shares = np.array([[variable.solution_value() for variable in row] for row in z])
    allocation: Ints = np.array(hubs)[shares.argmax(axis=1)]
    cost = SingleAllocation(instance).cost(allocation)
    lower = min(cost, objective.BestBound() / scale + fixed)
    return Solved(cost, lower, tuple((hub,) for hub in allocation.tolist()))


def multiple_within(instance: HubInstance, hubs: Sequence[int], until: float = math.inf) -> Solved:
    """Multiple allocation: each pair shares its flow among first hubs, a transportation problem.

    Once the first hub is known, so is the cheapest way on, since only collecting fills a hub.
    """
    solver = _solver("GLOP", until)
    onward, last = MultipleAllocation(instance).onward(hubs)
    cost = instance.collection * instance.distance[:, hubs].T[:, :, None] + onward[:, None, :]
    pairs = np.argwhere(instance.flow > 0).tolist()
    collected: list[list[tuple[float, pywraplp.Variable]]] = [[] for _ in hubs]
    scale = _OBJECTIVE_SIZE / (1.0 + float((instance.flow * cost.min(axis=0)).sum()))
    objective, shares = solver.Objective(), []
    for i, j in pairs:
        flow = float(instance.flow[i, j])
        share = [solver.NumVar(0.0, 1.0, "") for _ in hubs]
        solver.Add(sum(share) == 1)
        for k, variable in enumerate(share):
            objective.SetCoefficient(variable, scale * flow * float(cost[k, i, j]))
            collected[k].append((flow, variable))
        shares.append(share)
    for k, hub in enumerate(hubs):
        if instance.capacity[hub] < math.inf:
            room = solver.Constraint(-solver.infinity(), float(instance.capacity[hub]))
            for flow, variable in collected[k]:
                room.SetCoefficient(variable, flow)
    status = solver.Solve()
    if status == pywraplp.Solver.INFEASIBLE:
        return Solved(math.inf, math.inf, ())
    if status != pywraplp.Solver.OPTIMAL:
        return Solved(math.inf, -math.inf, ())
    users: list[set[int]] = [set() for _ in range(instance.size)]
    for (i, j), share in zip(pairs, shares, strict=True):
        for k, variable in enumerate(share):
            if variable.solution_value() > _NO_SHARE:
                users[i].add(hubs[k])
                users[j].add(hubs[int(last[k, j])])
    total = objective.Value() / scale + float(instance.fixed_cost[list(hubs)].sum())
    return Solved(total, total, tuple(tuple(sorted(used)) for used in users))


def _solver(name: str, until: float) -> pywraplp.Solver:
    solver = pywraplp.Solver.CreateSolver(name)
    assert solver is not None, f"OR-Tools is built without {name}"
    solver.Objective().SetMinimization()
    if math.isfinite(until):
        solver.SetTimeLimit(max(1, round(1000 * (until - time.monotonic()))))
    return solver


def _exactly() -> pywraplp.MPSolverParameters:
    """Accept no solution merely for being near enough."""
    parameters = pywraplp.MPSolverParameters()
    parameters.SetDoubleParam(pywraplp.MPSolverParameters.RELATIVE_MIP_GAP, 0.0)
    return parameters
