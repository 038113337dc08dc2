"""What a round costs, exactly.

A second costs cost_per_hour / 3600 and a metre cost_per_km / 1000 minor units. Engines compare costs in
units of 1 / 18,000 of a minor unit (the least common multiple of both), so nothing is rounded before the
end of a round.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from routing.pickup.problem import Problem, Stop, Vehicle
from routing.pickup.schedule import Timetable

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


def per_second_scaled(cost_per_hour: int) -> int:
    """Cost of a second at that price for an hour, in 1 / COST_SCALE minor units."""
    return cost_per_hour * _SCALE_PER_SECOND


def round_cost_scaled(
    vehicle: Vehicle, stops: Sequence[Stop], times: Timetable, way: tuple[int, int, int]
) -> int:
    """Cost of a round that serves at least one stop, in 1 / COST_SCALE minor units.

    Args:
        vehicle: who drives.
        stops: in the order of visit.
        times: the round's timetable.
        way: metres, seconds on the road, and seconds of service and setup.
    """
    distance_m, driving_s, service_s = way
    unpaid_s = sum(rest.duration_s for rest in vehicle.breaks if not rest.paid)
    late = sum(
        stop.late_cost_per_hour * (start_s - stop.due_s)
        for stop, start_s in zip(stops, times.services, strict=True)
        if start_s > stop.due_s
    )
    hourly = (
        vehicle.cost_per_hour * (times.duration_s - unpaid_s)
        + vehicle.overtime_cost_per_hour * max(0, times.end_s - vehicle.shift[1])
        + vehicle.cost_per_hour_after_soft_max * after_soft_max_s(vehicle, times.duration_s)
        + vehicle.cost_per_driving_hour * driving_s
        + vehicle.cost_per_service_hour * service_s
        + late
    )
    once = vehicle.cost_fixed + vehicle.cost_per_stop * len(stops)
    if vehicle.cost_per_strange_stop and vehicle.territory:
        once += vehicle.cost_per_strange_stop * sum(not vehicle.knows(stop) for stop in stops)
    return once * COST_SCALE + per_second_scaled(hourly) + distance_m * cost_per_metre_scaled(vehicle)


def after_soft_max_s(vehicle: Vehicle, duration_s: int) -> int:
    """How much longer than it should be a round of that duration is."""
    soft_s = vehicle.duration_s_soft_max
    return 0 if soft_s is None else max(0, duration_s - soft_s)


def at_stop_scaled(stops: Sequence[Stop], vehicles: Sequence[Vehicle]) -> npt.NDArray[np.int64]:
    """Stop x vehicle: what serving a stop costs wherever it lies on the round, without its setup.

    Returns:
        In 1 / COST_SCALE minor units.
    """
    service_s = np.array([stop.service_s for stop in stops], dtype=np.int64)
    found = np.empty((len(stops), len(vehicles)), dtype=np.int64)
    strange: dict[frozenset[str], npt.NDArray[np.bool_]] = {}
    for number, vehicle in enumerate(vehicles):
        found[:, number] = vehicle.cost_per_stop * COST_SCALE
        found[:, number] += service_s * per_second_scaled(vehicle.cost_per_service_hour)
        if vehicle.territory and vehicle.cost_per_strange_stop:
            if vehicle.territory not in strange:
                strange[vehicle.territory] = np.array(
                    [not vehicle.knows(one) for one in stops], dtype=np.bool_
                )
            found[strange[vehicle.territory], number] += vehicle.cost_per_strange_stop * COST_SCALE
    return found


def to_minor(scaled: int) -> int:
    """Whole minor units, half up."""
    return (2 * scaled + COST_SCALE) // (2 * COST_SCALE)


def penalties_scaled(problem: Problem, metres_max: int) -> list[int]:
    """What leaving each stop out costs, in 1 / COST_SCALE minor units.

    Without a prize a stop weighs (1 + priority) times more than any whole plan costs and all prizes are
    worth, so that no cost can outweigh a stop that can be served. At extreme costs this weight is capped so
    that the sums stay within 64 bits.

    Args:
        problem: the stops, their priorities, and the prize.
        metres_max: the longest single leg of the problem.
    """
    if problem.prize_per_priority_minor is not None:
        worth = problem.prize_per_priority_minor
        return [
            COST_SCALE * (stop.priority * worth if stop.prize_minor is None else stop.prize_minor)
            for stop in problem.stops
        ]
    weights = [1 + stop.priority for stop in problem.stops]
    dearest_metre = max((cost_per_metre_scaled(vehicle) for vehicle in problem.vehicles), default=0)
    legs = len(problem.stops) + sum(1 + 2 * vehicle.reloads_max for vehicle in problem.vehicles)
    whole_plan = legs * metres_max * dearest_metre + sum(
        _dearest_shift_scaled(vehicle) for vehicle in problem.vehicles
    )
    whole_plan += (
        len(problem.stops)
        * COST_SCALE
        * max(
            (vehicle.cost_per_stop + vehicle.cost_per_strange_stop for vehicle in problem.vehicles), default=0
        )
    )
    longest_late_s = max((vehicle.latest_end_s for vehicle in problem.vehicles), default=0)
    whole_plan += sum(
        per_second_scaled(stop.late_cost_per_hour) * max(0, longest_late_s - stop.due_s)
        for stop in problem.stops
        if stop.late_cost_per_hour
    )
    prizes = [None if stop.prize_minor is None else stop.prize_minor * COST_SCALE for stop in problem.stops]
    whole_plan += sum(prize for prize in prizes if prize is not None)
    unit = min(whole_plan + 1, _PENALTY_SUM_MAX // max(1, sum(weights)))
    return [unit * weight if prize is None else prize for weight, prize in zip(weights, prizes, strict=True)]


def _dearest_shift_scaled(vehicle: Vehicle) -> int:
    """Everything that is paid by vehicle and by hour, if every second of the shift costs all of it."""
    seconds = vehicle.latest_end_s - vehicle.shift[0]
    hourly = vehicle.cost_per_hour + vehicle.cost_per_driving_hour + vehicle.cost_per_service_hour
    hourly += vehicle.cost_per_hour_after_soft_max if vehicle.prefers_short else 0
    overtime = vehicle.overtime_cost_per_hour * (vehicle.latest_end_s - vehicle.shift[1])
    return vehicle.cost_fixed * COST_SCALE + per_second_scaled(hourly * seconds + overtime)
