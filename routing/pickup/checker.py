"""Does a plan keep all rules, and are its times, metres and costs true?

Independent of the engines: it starts from the problem and asks the travel model for each leg. What it
needs of rules is written out here once more, on purpose.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from routing.pickup.checking import (
    arrival_s,
    cost_minor_of,
    hops_of,
    in_windows,
    late_s_of,
    loading_s,
    rested_s,
    trip_of,
)
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.plan import Parameter, Plan, Reload, Route, Visit
from routing.pickup.problem import Problem, Stop, StopKind, Vehicle
from routing.pickup.violations import Violation, ViolationCode


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
        yield from _check_rules(problem, vehicle, stops, route)
        yield from _check_way(problem, vehicle, stops, route)
        yield from _check_breaks(vehicle, route)
        yield from _check_reloads(vehicle, route)
        yield from _check_loads(problem, vehicle, stops, route)
    yield from _check_pairs(problem, plan)
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


def _check_rules(problem: Problem, vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    name = vehicle.vehicle_id
    paired = {stop_id for pair in problem.pairs for stop_id in (pair.pickup_id, pair.delivery_id)}
    for number, (stop, visit) in enumerate(zip(stops, route.visits, strict=True)):
        listed = stop.allowed_vehicles is None or name in stop.allowed_vehicles
        locked_elsewhere = stop.locked_to is not None and stop.locked_to != name
        if not listed or locked_elsewhere or not vehicle.skills.issuperset(stop.skills):
            yield Violation(ViolationCode.NOT_ALLOWED, name, stop.stop_id)
        loaded = stop.kind is StopKind.DELIVERY and stop.stop_id not in paired
        if stop.release_s > (loading_s(route, number) if loaded else visit.start_s) and (
            loaded or stop.kind is StopKind.PICKUP
        ):
            yield Violation(ViolationCode.NOT_RELEASED, name, stop.stop_id, {"release_s": stop.release_s})
        for restriction in problem.restrictions:
            meant = restriction.area == stop.area and vehicle.vehicle_class in restriction.vehicle_classes
            if meant and any(first <= visit.start_s <= last for first, last in restriction.windows):
                yield Violation(ViolationCode.AREA_CLOSED, name, stop.stop_id, {"start_s": visit.start_s})
    if vehicle.stops_max is not None and len(stops) > vehicle.stops_max:
        yield Violation(ViolationCode.TOO_MANY_STOPS, name, None, {"excess": len(stops) - vehicle.stops_max})
    if vehicle.distance_m_max is not None and route.distance_m > vehicle.distance_m_max:
        excess_m = route.distance_m - vehicle.distance_m_max
        yield Violation(ViolationCode.TOO_FAR, name, None, {"excess_m": excess_m})
    if vehicle.duration_s_max is not None and route.end_s - route.start_s > vehicle.duration_s_max:
        excess_s = route.end_s - route.start_s - vehicle.duration_s_max
        yield Violation(ViolationCode.TOO_LONG, name, None, {"excess_s": excess_s})
    if route.start_s < vehicle.shift[0] or route.end_s > vehicle.shift[1] + vehicle.overtime_s_max:
        yield Violation(ViolationCode.OUTSIDE_SHIFT, name)


def _check_way(problem: Problem, vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    """Times and distances, leg by leg."""
    legs = hops_of(problem, vehicle, stops, route)
    outlets = {reload.after_visits: reload for reload in route.reloads}
    name = vehicle.vehicle_id
    driving_s = sum(hop_s for hops in legs for hop_s, _ in hops)
    if max(hop_s for hops in legs for hop_s, _ in hops) >= UNREACHABLE:
        yield Violation(ViolationCode.UNREACHABLE, name)
    ready_s = route.start_s
    place = vehicle.start
    service_s = 0
    for number, (stop, visit, hops) in enumerate(zip(stops, route.visits, legs, strict=False)):
        resting_from_s = 0
        if number in outlets:
            reload = outlets[number]
            yield from _check_reloading(problem, vehicle, route, reload, (ready_s, hops[0][0]))
            ready_s, place, resting_from_s = reload.end_s, reload.place, reload.end_s
        there_s = arrival_s(problem, ready_s, hops[-1][0])
        there_s += rested_s(route, number, resting_from_s, visit.arrival_s)
        if visit.arrival_s < there_s:
            missing_s = there_s - visit.arrival_s
            yield Violation(ViolationCode.TOO_EARLY, name, stop.stop_id, {"missing_s": missing_s})
        if not in_windows(stop, visit.start_s):
            yield Violation(ViolationCode.OUTSIDE_WINDOW, name, stop.stop_id, {"start_s": visit.start_s})
        if visit.start_s < visit.arrival_s:
            yield Violation(ViolationCode.TOO_EARLY, name, stop.stop_id, {"start_s": visit.start_s})
        setup_s = 0 if place == stop.point else stop.setup_s
        place = stop.point
        ready_s = visit.start_s + setup_s + stop.service_s
        service_s += setup_s + stop.service_s
        for field_name, said, true in (
            ("wait_s", visit.wait_s, visit.start_s - visit.arrival_s),
            ("setup_s", visit.setup_s, setup_s),
            ("late_s", visit.late_s, late_s_of(stop, visit.start_s)),
            ("departure_s", visit.departure_s, ready_s),
            ("distance_m_from_previous", visit.distance_m_from_previous, sum(hop_m for _, hop_m in hops)),
        ):
            yield from _compare(field_name, said, true, name, stop.stop_id)
    earliest_s = arrival_s(problem, ready_s, legs[-1][0][0]) + rested_s(route, len(stops), 0, route.end_s)
    if route.end_s < earliest_s:
        yield Violation(ViolationCode.TOO_EARLY, name, None, {"missing_s": earliest_s - route.end_s})
    yield from _compare("distance_m", route.distance_m, sum(m for hops in legs for _, m in hops), name)
    yield from _compare("duration_s", route.duration_s, route.end_s - route.start_s, name)
    if route.driving_s is not None:
        yield from _compare("driving_s", route.driving_s, driving_s, name)
    if vehicle.driving_s_max is not None and driving_s > vehicle.driving_s_max:
        excess_s = driving_s - vehicle.driving_s_max
        yield Violation(ViolationCode.TOO_MUCH_DRIVING, name, None, {"excess_s": excess_s})
    true = cost_minor_of(vehicle, stops, route, driving_s, service_s)
    yield from _compare("cost_minor", route.cost_minor, true, name)


def _check_reloading(
    problem: Problem, vehicle: Vehicle, route: Route, reload: Reload, way: tuple[int, int]
) -> Iterator[Violation]:
    """The times of one reload. `way`: when the stop before it is left, and the seconds from there."""
    there_s = arrival_s(problem, *way) + rested_s(route, reload.after_visits, 0, reload.arrival_s)
    for earliest_s, said_s in ((there_s, reload.arrival_s), (reload.arrival_s, reload.start_s)):
        if said_s < earliest_s:
            missing_s = earliest_s - said_s
            yield Violation(ViolationCode.TOO_EARLY, vehicle.vehicle_id, None, {"missing_s": missing_s})
    end_s = reload.start_s + vehicle.reload_s
    yield from _compare("reload, end_s", reload.end_s, end_s, vehicle.vehicle_id)


def _check_reloads(vehicle: Vehicle, route: Route) -> Iterator[Violation]:
    """Where and how often the round reloads, and that nobody rests meanwhile."""
    places = [0, *(reload.after_visits for reload in route.reloads), len(route.visits)]
    wrong = len(route.reloads) > vehicle.reloads_max
    wrong |= any(after <= before for before, after in pairwise(places) if route.reloads)
    wrong |= any(reload.place not in vehicle.reload_at for reload in route.reloads)
    for reload in route.reloads:
        wrong |= any(
            rest.start_s < reload.end_s and rest.end_s > reload.start_s
            for rest in route.rests
            if rest.after_visits == reload.after_visits and reload.end_s > reload.start_s
        )
        wrong |= any(
            rest.start_s < reload.arrival_s < rest.end_s
            for rest in route.rests
            if rest.after_visits == reload.after_visits
        )
    if wrong:
        yield Violation(ViolationCode.RELOAD_NOT_POSSIBLE, vehicle.vehicle_id)


def _check_breaks(vehicle: Vehicle, route: Route) -> Iterator[Violation]:
    name = vehicle.vehicle_id
    if [rest.break_id for rest in route.rests] != [planned.break_id for planned in vehicle.breaks]:
        yield Violation(ViolationCode.BREAK_MISSING, name)
        return
    free_s, visits = route.start_s, 0
    for rest, planned in zip(route.rests, vehicle.breaks, strict=True):
        parameters: dict[str, Parameter] = {"break_id": rest.break_id}
        if not any(opens <= rest.start_s <= closes for opens, closes in planned.windows):
            yield Violation(ViolationCode.BREAK_OUTSIDE_WINDOW, name, None, parameters)
        if rest.end_s - rest.start_s != planned.duration_s or not visits <= rest.after_visits <= len(
            route.visits
        ):
            yield Violation(ViolationCode.WRONG_VALUE, name, None, {"name": "rests", **parameters})
            return
        visits = rest.after_visits
        before_s = route.visits[visits - 1].departure_s if visits else route.start_s
        following = route.visits[visits] if visits < len(route.visits) else None
        after_s = route.end_s if following is None else following.start_s
        over = following is not None and rest.start_s < following.arrival_s < rest.end_s
        if rest.start_s < max(before_s, free_s) or rest.end_s > after_s or over:
            yield Violation(ViolationCode.BREAK_DISTURBED, name, None, parameters)
        free_s = rest.end_s


def _check_loads(problem: Problem, vehicle: Vehicle, stops: list[Stop], route: Route) -> Iterator[Violation]:
    paired = {stop_id for pair in problem.pairs for stop_id in (pair.pickup_id, pair.delivery_id)}
    trips: dict[int, list[tuple[Stop, Visit]]] = {}
    for number, (stop, visit) in enumerate(zip(stops, route.visits, strict=True)):
        trips.setdefault(trip_of(route, number), []).append((stop, visit))
    for measure, name in enumerate(problem.measures):
        most = 0
        for trip in trips.values():
            load = sum(
                stop.load[measure]
                for stop, _ in trip
                if stop.kind is StopKind.DELIVERY and stop.stop_id not in paired
            )
            most = max(most, load)
            for stop, visit in trip:
                load += stop.load[measure] if stop.kind is StopKind.PICKUP else -stop.load[measure]
                load += stop.collects[measure] if stop.collects else 0
                most = max(most, load)
                said = visit.load_after[measure] if measure < len(visit.load_after) else 0
                yield from _compare(f"load_after, {name}", said, load, vehicle.vehicle_id, stop.stop_id)
        excess = most - vehicle.capacity[measure]
        if excess > 0:
            parameters: dict[str, Parameter] = {"measure": name, "excess": excess}
            yield Violation(ViolationCode.OVER_CAPACITY, vehicle.vehicle_id, None, parameters)


def _check_pairs(problem: Problem, plan: Plan) -> Iterator[Violation]:
    places = {
        visit.stop_id: ((route.vehicle_id, trip_of(route, number)), number, visit)
        for route in plan.routes
        for number, visit in enumerate(route.visits)
    }
    for pair in problem.pairs:
        first, second = places.get(pair.pickup_id), places.get(pair.delivery_id)
        if first is None and second is None:
            continue
        if first is None or second is None or first[0] != second[0] or first[1] > second[1]:
            yield Violation(ViolationCode.PAIR_BROKEN, None, pair.pickup_id, {"stop_id": pair.delivery_id})
            continue
        ride_s = second[2].start_s - first[2].departure_s
        if pair.ride_s_max is not None and ride_s > pair.ride_s_max:
            excess_s = ride_s - pair.ride_s_max
            yield Violation(
                ViolationCode.RIDE_TOO_LONG, first[0][0], pair.delivery_id, {"excess_s": excess_s}
            )


def _compare(
    name: str, said: int, true: int, vehicle_id: str | None = None, stop_id: str | None = None
) -> Iterator[Violation]:
    if said != true:
        parameters: dict[str, Parameter] = {"name": name, "said": said, "true": true}
        yield Violation(ViolationCode.WRONG_VALUE, vehicle_id, stop_id, parameters)
