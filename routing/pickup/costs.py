"""What a round costs, exactly.

A second costs cost_per_hour / 3600 and a metre cost_per_km / 1000 minor units. Engines compare costs in
units of 1 / 18,000 of a minor unit (the least common multiple of both), so nothing is rounded before the
end of a round.
"""

from routing.pickup.problem import Problem, Vehicle

COST_SCALE = 18_000
_SCALE_PER_SECOND = COST_SCALE // 3600
_SCALE_PER_METRE = COST_SCALE // 1000
_PENALTY_SUM_MAX = 2**60  # all penalties together stay clear of 64-bit overflow in the engines


def cost_per_second_scaled(vehicle: Vehicle) -> int:
    """Cost of a second of the round, in 1 / COST_SCALE minor units."""
    return vehicle.cost_per_hour * _SCALE_PER_SECOND


def cost_per_metre_scaled(vehicle: Vehicle) -> int:
    """Cost of a metre, in 1 / COST_SCALE minor units."""
    return vehicle.cost_per_km * _SCALE_PER_METRE


def route_cost_scaled(vehicle: Vehicle, duration_s: int, distance_m: int) -> int:
    """Cost of a round that serves at least one stop, in 1 / COST_SCALE minor units."""
    return (
        vehicle.cost_fixed * COST_SCALE
        + duration_s * cost_per_second_scaled(vehicle)
        + distance_m * cost_per_metre_scaled(vehicle)
    )


def to_minor(scaled: int) -> int:
    """Whole minor units, half up."""
    return (2 * scaled + COST_SCALE) // (2 * COST_SCALE)


def penalties_scaled(problem: Problem, metres_max: int) -> list[int]:
    """What leaving each stop out costs, in 1 / COST_SCALE minor units.

    Without prizes a stop weighs (1 + priority) times more than any whole plan costs, so that no cost can
    outweigh a stop that can be served. At extreme costs this weight is capped so that the sums stay within
    64 bits.

    Args:
        problem: the stops, their priorities, and the prize.
        metres_max: the longest single leg of the problem.
    """
    if problem.prize_per_priority_minor is not None:
        return [stop.priority * problem.prize_per_priority_minor * COST_SCALE for stop in problem.stops]
    weights = [1 + stop.priority for stop in problem.stops]
    dearest_metre = max((cost_per_metre_scaled(vehicle) for vehicle in problem.vehicles), default=0)
    legs = len(problem.stops) + len(problem.vehicles)
    whole_plan = legs * metres_max * dearest_metre + sum(
        route_cost_scaled(vehicle, vehicle.shift[1] - vehicle.shift[0], 0) for vehicle in problem.vehicles
    )
    unit = min(whole_plan + 1, _PENALTY_SUM_MAX // max(1, sum(weights)))
    return [unit * weight for weight in weights]
