"""Rounds as VROOM's steps: each break where it is taken, with the way driven up to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from routing.pickup.matrix import Point, at_speed
from routing.pickup.plan import Route
from routing.pickup.problem import Stop, Vehicle
from routing.pickup.vroom import Source, Translation


@dataclass(slots=True)
class Step:
    """One entry of a route's `steps`, its moments in the problem's seconds.

    Attributes:
        type: start, job, pickup, delivery, break or end.
        arrival_s: moment.
        wait_s, setup_s, service_s: lengths.
        driven_s, driven_m: from the start of the route to here.
        load: aboard when leaving.
        source: of a task.
        id: of a break.
        place: location fields of a start or end.
        violations: rules that are broken here.
    """

    type: str
    arrival_s: int
    wait_s: int = 0
    setup_s: int = 0
    service_s: int = 0
    driven_s: int = 0
    driven_m: int = 0
    load: tuple[int, ...] = ()
    source: Source | None = None
    id: int | None = None
    place: Mapping[str, Any] = field(default_factory=dict)
    violations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Steps:
    """One vehicle's route: its steps, its cost, and the rules that are broken on the whole of it."""

    vehicle_id: str
    steps: list[Step]
    cost: int
    violations: list[dict[str, Any]] = field(default_factory=list)


def legs_of(translation: Translation, vehicle: Vehicle, stops: Sequence[Stop]) -> tuple[list[int], list[int]]:
    """Seconds and metres from the start through the stops to the end; zero where there is no start or end."""
    points: list[Point] = [stop.point for stop in stops]
    first, last = vehicle.start or points[0], vehicle.end or points[-1]
    places = [first, *points, last]
    seconds, metres = translation.problem.travel_of(vehicle).legs(places[:-1], places[1:])
    legs_s, legs_m = at_speed(seconds, vehicle.speed_factor).tolist(), metres.tolist()
    if vehicle.start is None:
        legs_s[0] = legs_m[0] = 0
    if vehicle.end is None:
        legs_s[-1] = legs_m[-1] = 0
    return legs_s, legs_m


def end_place(translation: Translation, vehicle_id: str, end: str) -> dict[str, Any]:
    """Location fields of a vehicle's `start` or `end`."""
    form = translation.vehicles[vehicle_id]
    given = (("location", getattr(form, end)), ("location_index", getattr(form, f"{end}_index")))
    return {name: value for name, value in given if value is not None}


def steps_of(translation: Translation, route: Route) -> Steps:
    """A round of a plan as steps: each break where it is taken, with the way driven up to it."""
    problem = translation.problem
    vehicle = problem.vehicle(route.vehicle_id)
    form = translation.vehicles[route.vehicle_id]
    stops = [problem.stop(stop_id) for stop_id in route.stop_ids]
    legs_s, legs_m = legs_of(translation, vehicle, stops)
    load = tuple(
        sum(stop.more_amounts[measure] for stop in stops if _is_loaded(translation, stop))
        for measure in range(translation.measures)
    )
    steps: list[Step] = []
    now_s, driven_s, driven_m = route.start_s, 0, 0
    if vehicle.start is not None:
        place = end_place(translation, route.vehicle_id, "start")
        steps.append(Step("start", now_s, load=load, place=place))
    for position, (leg_s, leg_m) in enumerate(zip(legs_s, legs_m, strict=True)):
        left_s = leg_s
        for rest in (rest for rest in route.rests if rest.after_visits == position):
            moved_s = min(left_s, rest.start_s - now_s)
            left_s -= moved_s
            driven_s += moved_s
            arrival_s = now_s + moved_s
            steps.append(
                Step(
                    "break",
                    arrival_s,
                    wait_s=rest.start_s - arrival_s,
                    service_s=rest.end_s - rest.start_s,
                    driven_s=driven_s,
                    driven_m=driven_m + (leg_m * (leg_s - left_s) // leg_s if leg_s else 0),
                    load=load,
                    id=next(one.id for one in form.breaks if str(one.id) == rest.break_id),
                )
            )
            now_s = rest.end_s
        now_s, driven_s, driven_m = now_s + left_s, driven_s + left_s, driven_m + leg_m
        if position == len(stops):
            break
        visit = route.visits[position]
        load = visit.load_after_more
        steps.append(
            Step(
                translation.sources[visit.stop_id].type,
                now_s,
                wait_s=visit.start_s - now_s,
                setup_s=visit.setup_s,
                service_s=visit.departure_s - visit.start_s - visit.setup_s,
                driven_s=driven_s,
                driven_m=driven_m,
                load=load,
                source=translation.sources[visit.stop_id],
            )
        )
        now_s = visit.departure_s
    if vehicle.end is not None:
        place = end_place(translation, route.vehicle_id, "end")
        steps.append(Step("end", route.end_s, 0, 0, 0, driven_s, driven_m, load, place=place))
    return Steps(route.vehicle_id, steps, route.cost_minor)


def _is_loaded(translation: Translation, stop: Stop) -> bool:
    """Tell whether goods for the stop are aboard from the start."""
    source = translation.sources[stop.stop_id]
    return source.type == "job" and any(source.amounts[0])
