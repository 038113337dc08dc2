"""Solutions in the form of CVRPLIB's files: a round a line, and the cost."""

import re

from routing.pickup.errors import ProblemError
from routing.pickup.formats.convention import Convention
from routing.pickup.plan import Plan
from routing.pickup.problem import Problem


def solution_text(problem: Problem, plan: Plan, convention: Convention) -> str:
    """A plan in the form of CVRPLIB's solution files: rounds by number, and the cost."""
    rounds = [
        f"Route #{number}: {' '.join(route.stop_ids)}" for number, route in enumerate(plan.routes, start=1)
    ]
    return "\n".join([*rounds, f"Cost {convention.written(objective_units(problem, plan))}", ""])


def objective_units(problem: Problem, plan: Plan) -> int:
    """What the sets minimise: the cost of the rounds, and the prizes of the stops that are in none."""
    prizes = (problem.stop(unserved.stop_id).prize_minor for unserved in plan.unserved)
    return plan.cost_minor + sum(prize for prize in prizes if prize is not None)


def read_rounds(text: str) -> list[list[str]]:
    """The ids of each round's stops, in the order of the file; empty rounds are kept.

    Where a set's vehicles differ, the rounds stand in their order.
    """
    found = re.findall(r"^\s*Route\s*#?\s*\d+\s*:(.*)$", text, re.MULTILINE | re.IGNORECASE)
    return [line.split() for line in found]


def read_cost(text: str) -> float:
    """The objective that a solution file states, as it is written.

    Raises:
        ProblemError: it states none.
    """
    return float(_cost(text)[2])


def best_known_units(text: str, convention: Convention) -> int:
    """The objective that a solution file states, in units of the convention.

    CVRPLIB writes `Cost 1619.8`, in the set's own measure; files in PyVRP's form write `Cost: 4771155`, which
    is in units already.

    Raises:
        ProblemError: it states none.
    """
    found = _cost(text)
    return round(float(found[2]) * (1 if found[1] else convention.value))


def _cost(text: str) -> re.Match[str]:
    found = re.search(r"^\s*Cost\s*(:?)\s*([\d.]+)", text, re.MULTILINE | re.IGNORECASE)
    if found is None:
        raise ProblemError("solution: no line with its cost")
    return found
