"""Which vehicle may serve which stop at all."""

import numpy as np
import numpy.typing as npt

from routing.pickup.problem import Problem
from routing.pickup.rules import Rules
from routing.pickup.stops import Stop


def eligibility(problem: Problem, rules: Rules, partner: list[int]) -> npt.NDArray[np.bool_]:
    """Stop x vehicle: what skills, lists, locks, hours, and capacity of the stop alone allow.

    Args:
        problem: one row is computed for all its stops that ask for the same.
        rules: of the problem.
        partner: the other stop of each stop's pair, -1 for none: a pair goes together.
    """
    rows: dict[object, list[bool]] = {}
    eligible = np.zeros((len(problem.stops), len(problem.vehicles)), dtype=np.bool_)
    for row, stop in enumerate(problem.stops):
        key = (stop.skills, stop.allowed_vehicles, stop.locked_to)
        if key not in rows:
            rows[key] = [vehicle.may_serve(stop) for vehicle in problem.vehicles]
        eligible[row] = rows[key]
        if problem.restrictions or not stop.open_windows:
            eligible[row] &= np.array(
                [bool(rules.windows(vehicle, stop)) for vehicle in problem.vehicles], dtype=np.bool_
            )
    for measure in range(len(problem.measures)):
        loads = np.array([_most(stop, measure) for stop in problem.stops], dtype=np.int64)
        capacity = np.array([vehicle.capacity[measure] for vehicle in problem.vehicles], dtype=np.int64)
        eligible &= loads[:, None] <= capacity[None, :]
    paired = np.array(partner, dtype=np.intp)
    return eligible & np.where(paired[:, None] < 0, True, eligible[paired]) if len(partner) else eligible


def _most(stop: Stop, measure: int) -> int:
    return max(stop.load[measure], stop.collects[measure] if stop.collects else 0)
