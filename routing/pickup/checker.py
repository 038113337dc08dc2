"""Does a plan keep all rules, and are its times, metres and costs true?

Independent of the engines: it starts from the problem and asks the travel model for each leg. What it
needs of rules is written out here once more, on purpose.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.pickup.matrix import UNREACHABLE, at_speed
from routing.pickup.plan import Parameter, Plan, Route
from routing.pickup.problem import MEASURES, Problem, Stop, StopKind, Vehicle


class ViolationCode(StrEnum):
    """What is wrong with a plan."""

    UNKNOWN_VEHICLE = "unknown_vehicle"
    UNKNOWN_STOP = "unknown_stop"
    VEHICLE_TWICE = "vehicle_twice"
    STOP_TWICE = "stop_twice"
    STOP_MISSING = "stop_missing"
    EMPTY_ROUTE = "empty_route"
    NOT_ALLOWED = "not_allowed"
    """Skills, list of vehicles, or lock."""
    UNREACHABLE = "unreachable"
    TOO_EARLY = "too_early"
    """There before the vehicle could be."""
    OUTSIDE_WINDOW = "outside_window"
    OUTSIDE_SHIFT = "outside_shift"
    OVER_CAPACITY = "over_capacity"
    TOO_MANY_STOPS = "too_many_stops"
    TOO_FAR = "too_far"
    WRONG_VALUE = "wrong_value"
    """A time, load, distance or cost in the plan is not what follows from the rest of it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, and where."""

    code: ViolationCode
    vehicle_id: str | None = None
    stop_id: str | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def check(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Everything that is wrong with a plan, in the order of its routes.

    Waiting is free to choose: a vehicle may leave a stop later than its service ends. It may not arrive
    anywhere before it could.

    Returns:
        Empty if the plan is right.
    """
    return tuple(_violations(problem, plan))


def _violations(problem: Problem, plan: Plan) -> Iterator[Violation]:
    yield from _check_membership(problem, plan)
    for route in plan.routes:
        vehicle = problem.vehicle_by_id.get(route.vehicle_id)
        known = all(visit.stop_id in problem.stop_by_id for visit in route.visits)
        if vehicle is None or not known:
            continue
        if not route.visits:
            yield Violation(ViolationCode.EMPTY_ROUTE, route.vehicle_id)
            continue
        stops = [problem.stop_by_id[visit.stop_id] for visit in route.visits]
        yield from _check_rules(vehicle, stops, route)
        yield from _check_way(problem, vehicle, stops, route)
        yield from _check_loads(vehicle, stops, route)
    for name in ("cost_minor", "distance_m"):
        total = sum(getattr(route, name) for route in plan.routes)
        yield from _compare(name, getattr(plan, name), total)


def _check_membership(problem: Problem, plan: Plan) -> Iterator[Violation]:
    vehicles = Counter(route.vehicle_id for route in plan.routes)
    for vehicle_id, count in vehicles.items():
        if vehicle_id not in problem.vehicle_by_id:
            yield Violation(ViolationCode.UNKNOWN_VEHICLE, vehicle_id)
        if count > 1:
            yield Violation(ViolationCode.VEHICLE_TWICE, vehicle_id)
    stops = Counter(visit.stop_id for route in plan.routes for visit in route.visits)
    stops.update(unserved.stop_id for unserved in plan.unserved)
    for stop_id, count in stops.items():
        if stop_id not in problem.stop_by_id:
            yield Violation(ViolationCode.UNKNOWN_STOP, stop_id=stop_id)
        if count > 1:
            yield Violation(ViolationCode.STOP_TWICE, stop_id=stop_id)
    for stop in problem.stops:
        if stop.stop_id not in stops:
            yield Violation(ViolationCode.STOP_MISSING, stop_id=stop.stop_id)


def _check_rules(vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    for stop in stops:
        listed = stop.allowed_vehicles is None or vehicle.vehicle_id in stop.allowed_vehicles
        locked_elsewhere = stop.locked_to is not None and stop.locked_to != vehicle.vehicle_id
        if not listed or locked_elsewhere or not vehicle.skills.issuperset(stop.skills):
            yield Violation(ViolationCode.NOT_ALLOWED, vehicle.vehicle_id, stop.stop_id)
    if vehicle.stops_max is not None and len(stops) > vehicle.stops_max:
        yield Violation(
            ViolationCode.TOO_MANY_STOPS, vehicle.vehicle_id, None, {"excess": len(stops) - vehicle.stops_max}
        )
    if vehicle.distance_m_max is not None and route.distance_m > vehicle.distance_m_max:
        excess_m = route.distance_m - vehicle.distance_m_max
        yield Violation(ViolationCode.TOO_FAR, vehicle.vehicle_id, None, {"excess_m": excess_m})
    if route.start_s < vehicle.shift[0] or route.end_s > vehicle.shift[1]:
        yield Violation(ViolationCode.OUTSIDE_SHIFT, vehicle.vehicle_id)


def _check_way(problem: Problem, vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    """Times and distances, leg by leg."""
    places = [vehicle.start, *(stop.point for stop in stops)]
    places.append(places[-1] if vehicle.end is None else vehicle.end)
    seconds, metres = problem.travel.legs(places[:-1], places[1:])
    legs_s, legs_m = at_speed(seconds, vehicle.speed_factor).tolist(), metres.tolist()
    if vehicle.end is None:
        legs_s[-1] = legs_m[-1] = 0
    name = vehicle.vehicle_id
    if max(legs_s) >= UNREACHABLE:
        yield Violation(ViolationCode.UNREACHABLE, name)
    ready_s = route.start_s
    for stop, visit, leg_s, leg_m in zip(stops, route.visits, legs_s, legs_m, strict=False):
        if visit.arrival_s < ready_s + leg_s:
            missing_s = ready_s + leg_s - visit.arrival_s
            yield Violation(ViolationCode.TOO_EARLY, name, stop.stop_id, {"missing_s": missing_s})
        if stop.windows and not any(opens <= visit.start_s <= closes for opens, closes in stop.windows):
            yield Violation(ViolationCode.OUTSIDE_WINDOW, name, stop.stop_id, {"start_s": visit.start_s})
        if visit.start_s < visit.arrival_s:
            yield Violation(ViolationCode.TOO_EARLY, name, stop.stop_id, {"start_s": visit.start_s})
        ready_s = visit.start_s + stop.service_s
        yield from _compare("wait_s", visit.wait_s, visit.start_s - visit.arrival_s, name, stop.stop_id)
        yield from _compare("departure_s", visit.departure_s, ready_s, name, stop.stop_id)
        yield from _compare(
            "distance_m_from_previous", visit.distance_m_from_previous, leg_m, name, stop.stop_id
        )
    yield from _compare("end_s", route.end_s, ready_s + legs_s[-1], name)
    yield from _compare("distance_m", route.distance_m, sum(legs_m), name)
    yield from _compare("duration_s", route.duration_s, route.end_s - route.start_s, name)
    yield from _compare("cost_minor", route.cost_minor, _cost_minor(vehicle, route), name)


def _check_loads(vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    for measure, name in enumerate(MEASURES):
        load = sum(stop.load[measure] for stop in stops if stop.kind is StopKind.DELIVERY)
        most = load
        for stop, visit in zip(stops, route.visits, strict=True):
            load += stop.load[measure] if stop.kind is StopKind.PICKUP else -stop.load[measure]
            most = max(most, load)
            said = (visit.load_after_g, visit.load_after_cm3, visit.load_after_pieces)[measure]
            yield from _compare(f"load_after, {name}", said, load, vehicle.vehicle_id, stop.stop_id)
        excess = most - vehicle.capacity[measure]
        if excess > 0:
            parameters: dict[str, Parameter] = {"measure": name, "excess": excess}
            yield Violation(ViolationCode.OVER_CAPACITY, vehicle.vehicle_id, None, parameters)


def _cost_minor(vehicle: Vehicle, route: Route) -> int:
    """Fixed cost, hours and kilometres, rounded half up (18,000: least common multiple of 3,600, 1,000)."""
    parts = 5 * vehicle.cost_per_hour * route.duration_s + 18 * vehicle.cost_per_km * route.distance_m
    return vehicle.cost_fixed + (parts + 9_000) // 18_000


def _compare(
    name: str, said: int, true: int, vehicle_id: str | None = None, stop_id: str | None = None
) -> Iterator[Violation]:
    if said != true:
        parameters: dict[str, Parameter] = {"name": name, "said": said, "true": true}
        yield Violation(ViolationCode.WRONG_VALUE, vehicle_id, stop_id, parameters)
