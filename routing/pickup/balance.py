"""Even rounds: no courier's day is much longer than his share of the work.

Evenness is bought with a price on the hours beyond that share. It is a soft goal: the dearer these hours, the
more even the rounds, and the dearer the plan.
"""

from dataclasses import replace

from routing.pickup.plan import Plan
from routing.pickup.problem import Problem


def evened(problem: Problem, plan: Plan, cost_per_hour: int) -> Problem:
    """The problem with a fair share of the hours for each vehicle.

    The shares are those of a plan that was made without them: the hours of all of its rounds, divided by
    the lengths of the shifts. No share is more than its shift.

    Args:
        problem: to be planned evenly.
        plan: of the same problem; the better it is, the nearer are the shares to what can be had.
        cost_per_hour: minor units for each hour beyond a share.
    """
    hours_s = sum(route.end_s - route.start_s for route in plan.routes)
    shifts_s = sum(vehicle.shift[1] - vehicle.shift[0] for vehicle in problem.vehicles)
    if not hours_s or not shifts_s:
        return problem
    share = min(1.0, hours_s / shifts_s)
    return replace(
        problem,
        vehicles=tuple(
            replace(
                vehicle,
                duration_s_soft_max=round(share * (vehicle.shift[1] - vehicle.shift[0])),
                cost_per_hour_after_soft_max=cost_per_hour,
            )
            for vehicle in problem.vehicles
        ),
    )
