"""From numbered rounds to the plan that is handed out, and back."""

from collections.abc import Sequence

from routing.pickup.costs import route_cost_scaled, to_minor
from routing.pickup.instance import Instance, Sequences, aboard
from routing.pickup.plan import Plan, Route, Unserved, Visit
from routing.pickup.problem import Stop, StopKind, Vehicle
from routing.pickup.schedule import Timetable

import numpy as np  # isort: skip


def route_from(vehicle: Vehicle, stops: Sequence[Stop], legs_m: Sequence[int], times: Timetable) -> Route:
    """A round as it is handed out.

    Args:
        vehicle: who drives.
        stops: in the order of visit, at least one.
        legs_m: the legs, from the start to the end of the round.
        times: its timetable.
    """
    loads = aboard(
        np.array([stop.load for stop in stops], dtype=np.int64),
        np.array([stop.kind is StopKind.DELIVERY for stop in stops], dtype=np.bool_),
    )[1:].tolist()
    visits = tuple(
        Visit(
            stop_id=stop.stop_id,
            arrival_s=arrival_s,
            start_s=start_s,
            wait_s=start_s - arrival_s,
            departure_s=start_s + stop.service_s,
            distance_m_from_previous=leg_m,
            load_after_g=load[0],
            load_after_cm3=load[1],
            load_after_pieces=load[2],
        )
        for stop, arrival_s, start_s, leg_m, load in zip(
            stops, times.arrivals, times.services, legs_m[:-1], loads, strict=True
        )
    )
    distance_m = sum(legs_m)
    return Route(
        vehicle_id=vehicle.vehicle_id,
        visits=visits,
        start_s=times.start_s,
        end_s=times.end_s,
        distance_m=distance_m,
        duration_s=times.duration_s,
        cost_minor=to_minor(route_cost_scaled(vehicle, times.duration_s, distance_m)),
    )


def plan_from(
    instance: Instance, sequences: Sequences, unserved: tuple[Unserved, ...], solver: str, seconds: float
) -> Plan:
    """The plan of rounds that keep all rules."""
    routes = []
    for number, sequence in enumerate(sequences):
        if sequence:
            travel_s, legs_m = instance.legs(number, sequence)
            times = instance.timetable(number, sequence, travel_s)
            assert times is not None, "a round that keeps the rules"
            stops = [instance.stops[stop] for stop in sequence]
            routes.append(route_from(instance.vehicles[number], stops, legs_m, times))
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
    kept: list[int] = []
    for stop in wanted:
        if instance.route_cost(vehicle, [*kept, stop]) is not None:
            kept.append(stop)
    return kept
