"""Arithmetic of the checker: ways, windows, lateness and cost, written once more beside the engines'."""

from itertools import pairwise

from routing.pickup.matrix import UNREACHABLE, at_speed
from routing.pickup.plan import Route
from routing.pickup.problem import HORIZON_S, Problem, Stop, Vehicle

Hop = tuple[int, int]
"""Seconds and metres from one place to the next."""


def hops_of(problem: Problem, vehicle: Vehicle, stops: list[Stop], route: Route) -> list[list[Hop]]:
    """For each leg of a round, from its start to its end, the way: two hops where it leads to an outlet."""
    outlets = {reload.after_visits: reload.place for reload in route.reloads}
    points = [stop.point for stop in stops]
    places = [vehicle.start or points[0], *points, vehicle.end or points[-1]]
    travel = problem.travel if vehicle.profile is None else problem.profiles[vehicle.profile]
    legs: list[list[Hop]] = []
    for number, (before, after) in enumerate(pairwise(places)):
        if (number == 0 and vehicle.start is None) or (number == len(stops) and vehicle.end is None):
            legs.append([(0, 0)])
            continue
        by_way_of = [before, outlets[number], after] if number in outlets else [before, after]
        seconds, metres = travel.legs(by_way_of[:-1], by_way_of[1:])
        at_pace = at_speed(seconds, vehicle.speed_factor).tolist()
        legs.append(list(zip(at_pace, metres.tolist(), strict=True)))
    return legs


def arrival_s(problem: Problem, ready_s: int, leg_s: int) -> int:
    """Earliest arrival of who may begin a leg then, or wait for a better hour."""
    if not problem.speed_by_hour or leg_s >= UNREACHABLE:
        return ready_s + leg_s
    best, begin_s = HORIZON_S * 10, ready_s
    for _ in range(24):
        factor = problem.speed_by_hour[begin_s // 3600 % 24]
        best = min(best, begin_s + (leg_s if factor == 1 else round(leg_s / factor)))
        begin_s = (begin_s // 3600 + 1) * 3600
    return best


def rested_s(route: Route, number: int, from_s: int, until_s: int) -> int:
    """Length of the breaks on the leg to that visit that lie between two moments."""
    return sum(
        rest.end_s - rest.start_s
        for rest in route.rests
        if rest.after_visits == number and from_s <= rest.start_s and rest.end_s <= until_s
    )


def trip_of(route: Route, number: int) -> int:
    """Which of the round's trips a visit is on: how many reloads lie before it."""
    return sum(reload.after_visits <= number for reload in route.reloads)


def loading_s(route: Route, number: int) -> int:
    """When the goods of a visit's trip are loaded: at the start of the round, or of the reload before it."""
    before = [reload.start_s for reload in route.reloads if reload.after_visits <= number]
    return before[-1] if before else route.start_s


def in_windows(stop: Stop, start_s: int) -> bool:
    """Tell whether service may start then."""
    if not stop.windows:
        return True
    late_s = stop.late_s_max if stop.late_cost_per_hour else 0
    ends = [closes for _, closes in stop.windows[:-1]] + [stop.windows[-1][1] + late_s]
    return any(opens <= start_s <= end for (opens, _), end in zip(stop.windows, ends, strict=True))


def late_s_of(stop: Stop, start_s: int) -> int:
    """How late a start of service is."""
    if not stop.late_cost_per_hour:
        return 0
    due_s = stop.requested_s if stop.requested_s is not None else stop.windows[-1][1]
    return max(0, start_s - due_s)


def cost_minor_of(vehicle: Vehicle, stops: list[Stop], route: Route, driving_s: int, service_s: int) -> int:
    """All costs of a round, rounded half up (18,000: least common multiple of 3,600 and 1,000)."""
    unpaid_s = sum(planned.duration_s for planned in vehicle.breaks if not planned.paid)
    overtime_s = max(0, route.end_s - vehicle.shift[1])
    hours = vehicle.cost_per_hour * (route.end_s - route.start_s - unpaid_s)
    hours += vehicle.overtime_cost_per_hour * overtime_s
    if vehicle.duration_s_soft_max is not None:
        longer_s = route.end_s - route.start_s - vehicle.duration_s_soft_max
        hours += vehicle.cost_per_hour_after_soft_max * max(0, longer_s)
    hours += vehicle.cost_per_driving_hour * driving_s + vehicle.cost_per_service_hour * service_s
    hours += sum(
        stop.late_cost_per_hour * late_s_of(stop, visit.start_s)
        for stop, visit in zip(stops, route.visits, strict=True)
    )
    parts = 5 * hours + 18 * vehicle.cost_per_km * route.distance_m
    home = {None, *vehicle.territory}
    strange = [stop for stop in stops if vehicle.territory and stop.district not in home]
    once = vehicle.cost_fixed + vehicle.cost_per_stop * len(stops)
    once += vehicle.cost_per_strange_stop * len(strange)
    return once + (parts + 9_000) // 18_000
