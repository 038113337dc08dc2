"""Even rounds: no courier's day is much longer than his share of the work.

Evenness is bought with a price on the hours beyond that share. It is a soft goal: the dearer these hours, the
more even the rounds, and the dearer the plan.
"""

import time
from dataclasses import replace

from routing.pickup.assemble import plan_from, sequences_from
from routing.pickup.checker import check
from routing.pickup.effort import Progress
from routing.pickup.instance import build
from routing.pickup.plan import Plan
from routing.pickup.problem import Problem
from routing.pickup.solve import Options, solve

_SHARES_SHARE = 0.25  # of the time, for the plan that says what the shares are
_RESERVE_S_A_STOP = 0.000_3


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


def solve_evenly(problem: Problem, options: Options, cost_per_hour: int) -> Plan:
    """Plan a day with even rounds: first as it is cheapest, then with the shares that follow.

    Args:
        problem: stops, vehicles, travel.
        options: as of `solve`; costs that `progress` is told count the price of evenness once the shares
            are known.
        cost_per_hour: minor units for each hour beyond a share.

    Returns:
        A plan that `checker.check` finds nothing wrong with. Its costs are those of the problem itself.
    """
    began = time.perf_counter()
    stopped = False

    def listen(progress: Progress) -> bool:
        nonlocal stopped
        seconds = time.perf_counter() - began
        stopped = options.progress is not None and not options.progress(replace(progress, seconds=seconds))
        return not stopped

    told = replace(options, progress=None if options.progress is None else listen)
    shares = solve(problem, replace(told, seconds=_SHARES_SHARE * options.seconds))
    left_s = options.seconds - (time.perf_counter() - began) - _RESERVE_S_A_STOP * len(problem.stops)
    if stopped or left_s <= 0:
        return shares
    fair = evened(problem, shares, cost_per_hour)
    even = solve(fair, replace(told, seconds=left_s, initial=shares))
    instance = build(problem)
    seconds = round(time.perf_counter() - began, 3)
    plan = plan_from(instance, sequences_from(instance, even), even.unserved, even.solver, seconds)
    violations = check(problem, plan)
    assert not violations, violations
    return plan
