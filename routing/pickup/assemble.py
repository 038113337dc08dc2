"""From numbered rounds to the plan that is handed out, and back."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import round_cost_scaled, to_minor
from routing.pickup.instance import Instance, Sequences
from routing.pickup.plan import Plan, Reload, Rest, Route, Unserved, Visit
from routing.pickup.problem import Stop, Vehicle
from routing.pickup.rules import Rules
from routing.pickup.schedule import Timetable


def route_from(
    rules: Rules,
    vehicle: Vehicle,
    stops: Sequence[Stop],
    legs: tuple[Sequence[int], Sequence[int]],
    times: Timetable,
) -> Route:
    """A round as it is handed out.

    Args:
        rules: of the problem.
        vehicle: who drives.
        stops: in the order of visit, at least one.
        legs: seconds and metres of the legs, from the start to the end of the round.
        times: its timetable, with its reloads.
    """
    travel_s, legs_m = legs
    loads = [load for _, levels in trip_levels(rules, stops, vehicle, times) for load in levels[1:].tolist()]
    outlets = {reload.after: vehicle.reload_at[reload.outlet] for reload in times.reloads}
    durations = rules.durations(vehicle.start, stops, outlets)
    visits = tuple(
        Visit(
            stop_id=stop.stop_id,
            arrival_s=arrival_s,
            start_s=start_s,
            wait_s=start_s - arrival_s,
            departure_s=start_s + duration_s,
            distance_m_from_previous=leg_m,
            load_after_g=load[0],
            load_after_cm3=load[1],
            load_after_pieces=load[2],
            setup_s=duration_s - stop.service_s,
            late_s=max(0, start_s - stop.due_s),
            load_after_more=tuple(load[3:]),
        )
        for stop, arrival_s, start_s, duration_s, leg_m, load in zip(
            stops, times.arrivals, times.services, durations, legs_m[:-1], loads, strict=True
        )
    )
    distance_m, driving_s = sum(legs_m), sum(travel_s)
    way = (distance_m, driving_s, sum(durations))
    return Route(
        vehicle_id=vehicle.vehicle_id,
        visits=visits,
        start_s=times.start_s,
        end_s=times.end_s,
        distance_m=distance_m,
        duration_s=times.duration_s,
        cost_minor=to_minor(round_cost_scaled(vehicle, stops, times, way)),
        rests=tuple(
            Rest(rest.break_id, after, start_s, start_s + rest.duration_s)
            for rest, (after, start_s) in zip(vehicle.breaks, times.rests, strict=True)
        ),
        driving_s=driving_s,
        reloads=tuple(
            Reload(
                vehicle.reload_at[reload.outlet],
                reload.after,
                reload.arrival_s,
                reload.start_s,
                reload.start_s + vehicle.reload_s,
            )
            for reload in times.reloads
        ),
    )


def trip_levels(
    rules: Rules, stops: Sequence[Stop], vehicle: Vehicle, times: Timetable
) -> list[tuple[int, npt.NDArray[np.int64]]]:
    """For each trip of a round the position of its first stop, and what is aboard (see `Rules.levels`)."""
    begun = [0, *(reload.after for reload in times.reloads)]
    return [
        (first, rules.levels(stops[first:end], vehicle.capacity))
        for first, end in zip(begun, [*begun[1:], len(stops)], strict=True)
    ]


def plan_from(
    instance: Instance, sequences: Sequences, unserved: tuple[Unserved, ...], solver: str, seconds: float
) -> Plan:
    """The plan of rounds that keep all rules."""
    routes = []
    for number, sequence in enumerate(sequences):
        if sequence:
            course = instance.course(number, sequence)
            assert course is not None, "a round that keeps the rules"
            stops = [instance.stops[stop] for stop in sequence]
            vehicle, legs = instance.vehicles[number], (course.travel_s, course.legs_m)
            routes.append(route_from(instance.rules, vehicle, stops, legs, course.times))
    return plan_of(tuple(routes), unserved, solver, seconds)


def plan_of(routes: tuple[Route, ...], unserved: tuple[Unserved, ...], solver: str, seconds: float) -> Plan:
    """A plan with the sums of its routes."""
    return Plan(
        routes=routes,
        unserved=unserved,
        cost_minor=sum(route.cost_minor for route in routes),
        distance_m=sum(route.distance_m for route in routes),
        solver=solver,
        seconds=seconds,
    )


def sequences_from(instance: Instance, plan: Plan) -> Sequences:
    """Rounds to start from, as near to an earlier plan as the rules allow.

    Stops and vehicles which the problem does not have any more are passed over. Where a round no longer
    keeps the rules, the stops after which it breaks are left out.
    """
    stop_number = {stop.stop_id: number for number, stop in enumerate(instance.stops)}
    vehicle_number = {vehicle.vehicle_id: number for number, vehicle in enumerate(instance.vehicles)}
    sequences: Sequences = [[] for _ in instance.vehicles]
    placed: set[int] = set()
    for route in plan.routes:
        if route.vehicle_id not in vehicle_number:
            continue
        vehicle = vehicle_number[route.vehicle_id]
        wanted = [stop_number[stop_id] for stop_id in route.stop_ids if stop_id in stop_number]
        wanted = [stop for stop in dict.fromkeys(wanted) if stop not in placed]
        if wanted and instance.route_cost(vehicle, wanted) is None:
            wanted = _as_far_as_possible(instance, vehicle, wanted)
        sequences[vehicle] = wanted
        placed.update(wanted)
    return sequences


def _as_far_as_possible(instance: Instance, vehicle: int, wanted: list[int]) -> list[int]:
    """The round without the units after which it breaks a rule; both stops of a pair keep their places."""
    kept: list[int] = []
    for number in dict.fromkeys(instance.unit_of[stop] for stop in wanted):
        more = {*kept, *instance.units[number]}
        longer = [stop for stop in wanted if stop in more]
        if instance.route_cost(vehicle, longer) is not None:
            kept = longer
    return kept
