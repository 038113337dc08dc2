"""VROOM's plan mode: the rounds are given by the vehicles' `steps`; what they violate is told.

Moments are chosen so that lead times and delays together are as short as may be: isotonic regression with the
absolute distance from each window (moments less the time that must lie between them never fall), solved by
the slope trick. `service_at`, `service_after` and `service_before` are kept. A break
stands at the place of the task before it; the way to the next task is driven after it.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from routing.pickup.costs import round_cost_scaled, to_minor
from routing.pickup.errors import ProblemError
from routing.pickup.problem import HORIZON_S, Stop, StopKind, Vehicle
from routing.pickup.rules import Rules
from routing.pickup.schedule import Timetable
from routing.pickup.values import Windows
from routing.pickup.vroom import Translation
from routing.pickup.vroom_answer import TASKS, document, stop_of
from routing.pickup.vroom_form import FormBreak, FormStep, FormVehicle
from routing.pickup.vroom_steps import Step, Steps, end_place, legs_of

_FIRM = 1_000_000  # what a second beyond a firm bound weighs


@dataclass(frozen=True, slots=True)
class _Node:
    """A step with its windows, the seconds from the step before to it, its own length, and firm bounds."""

    type: str
    windows: Windows
    way_s: int
    length_s: int
    first_s: int
    last_s: int
    stop: Stop | None = None
    rest: FormBreak | None = None


def checked(translation: Translation) -> bytes:
    """Answer in VROOM's form what the given rounds cost and which rules they break.

    Raises:
        ProblemError: a step names a task that does not exist or stands twice.
    """
    routes = [_checked(translation, form) for form in translation.document.vehicles if form.steps]
    seen: set[tuple[str, int]] = set()
    for route in routes:
        for step in route.steps:
            if step.source is not None:
                key = (step.source.type, step.source.id)
                if key in seen:
                    raise ProblemError(f"steps: {key[0]} {key[1]} stands twice")
                seen.add(key)
    return msgspec.json.encode(document(translation, [route for route in routes if route.steps], {}, 0))


def _checked(translation: Translation, form: FormVehicle) -> Steps:
    vehicle = translation.problem.vehicle(str(form.id))
    rules = Rules.of(translation.problem)
    tasks = [step for step in form.steps if step.type in TASKS]
    stops = [stop_of(translation, form.id, step) for step in tasks]
    if not stops:
        return Steps(vehicle.vehicle_id, [], 0)
    legs_s, legs_m = legs_of(translation, vehicle, stops)
    lengths_s = rules.durations(vehicle.start, stops)
    nodes = _nodes(translation, form, stops, legs_s, lengths_s)
    moments = _least_violation(nodes)
    levels = rules.levels(stops, vehicle.capacity).tolist()
    steps = _steps(translation, vehicle, nodes, moments, (legs_s, legs_m, levels))
    starts = [moment for node, moment in zip(nodes, moments, strict=True) if node.stop is not None]
    times = Timetable(moments[0], tuple(starts), tuple(starts), moments[-1])
    way = (sum(legs_m), sum(legs_s), sum(lengths_s))
    cost = to_minor(round_cost_scaled(vehicle, stops, times, way))
    return Steps(vehicle.vehicle_id, steps, cost, _route_violations(vehicle, form, stops, legs_s, legs_m))


def _nodes(
    translation: Translation,
    form: FormVehicle,
    stops: Sequence[Stop],
    legs_s: Sequence[int],
    lengths_s: Sequence[int],
) -> list[_Node]:
    """Start, tasks and breaks in the order of the steps, and the end."""
    vehicle = translation.problem.vehicle(str(form.id))
    by_type = {step.type: step for step in form.steps if step.type in ("start", "end")}
    shift = (vehicle.shift,)
    nodes = [_Node("start", shift, 0, 0, *_bounds(translation, by_type.get("start")))]
    position, way_s = 0, legs_s[0]
    breaks = {str(rest.id): rest for rest in form.breaks}
    values = {rest.break_id: rest for rest in vehicle.breaks}
    for step in form.steps:
        bounds = _bounds(translation, step)
        if step.type in TASKS:
            stop = stops[position]
            nodes.append(_Node(step.type, stop.open_windows, way_s, lengths_s[position], *bounds, stop=stop))
            position += 1
            way_s = legs_s[position]
        elif step.type == "break":
            if str(step.id) not in breaks:
                raise ProblemError(f"vehicle {form.id}: step break {step.id} is no break of the vehicle")
            rest = values[str(step.id)]
            form_rest = breaks[str(step.id)]
            nodes.append(_Node("break", rest.windows, 0, rest.duration_s, *bounds, rest=form_rest))
        elif step.type not in ("start", "end"):
            raise ProblemError(f"vehicle {form.id}: unknown step type {step.type!r}")
    nodes.append(_Node("end", shift, way_s, 0, *_bounds(translation, by_type.get("end"))))
    return nodes


def _bounds(translation: Translation, step: FormStep | None) -> tuple[int, int]:
    if step is None:
        return 0, HORIZON_S
    after = step.service_at if step.service_at is not None else step.service_after
    before = step.service_at if step.service_at is not None else step.service_before
    first = 0 if after is None else after - translation.origin_s
    last = HORIZON_S if before is None else before - translation.origin_s
    return first, last


def _least_violation(nodes: Sequence[_Node]) -> list[int]:
    """Begin of each node, with the least sum of lead times and delays; of these the earliest."""
    offsets, windows, now_s, offset = [], [], nodes[0].windows[0][0], 0
    before: _Node | None = None
    for node in nodes:
        gap_s = node.way_s + (before.length_s if before else 0)
        offset, now_s = offset + gap_s, now_s + gap_s
        offsets.append(offset)
        window = next((one for one in node.windows if now_s <= one[1]), node.windows[-1])
        windows.append(window)
        now_s = max(now_s, window[0])
        before = node
    left: list[tuple[int, int]] = []
    best: list[int] = []
    for node, window, offset in zip(nodes, windows, offsets, strict=True):
        for moment, weight in ((window[0], 1), (node.first_s, _FIRM)):
            heapq.heappush(left, (-(moment - offset), weight))
        for moment, weight in ((window[1], 1), (node.last_s, _FIRM)):
            heapq.heappush(left, (-(moment - offset), weight))
            _dropped(left, weight)
        best.append(-left[0][0])
    for position in range(len(best) - 2, -1, -1):
        best[position] = min(best[position], best[position + 1])
    return [moment + offset for moment, offset in zip(best, offsets, strict=True)]


def _dropped(left: list[tuple[int, int]], weight: int) -> None:
    """Take that much weight off the top."""
    while weight:
        moment, there = heapq.heappop(left)
        if there > weight:
            heapq.heappush(left, (moment, there - weight))
            return
        weight -= there


def _steps(
    translation: Translation,
    vehicle: Vehicle,
    nodes: Sequence[_Node],
    moments: Sequence[int],
    way: tuple[Sequence[int], Sequence[int], Sequence[Sequence[int]]],
) -> list[Step]:
    legs_s, legs_m, levels = way
    steps: list[Step] = []
    position = driven_s = driven_m = 0
    free_s = moments[0]
    done: set[str] = set()
    for node, moment in zip(nodes, moments, strict=True):
        arrival_s = free_s + node.way_s
        free_s = moment + node.length_s
        if node.stop is not None or node.type == "end":
            driven_s, driven_m = driven_s + legs_s[position], driven_m + legs_m[position]
        if node.stop is not None:
            position += 1
        # what has no place is not written, but its moment counts
        if (node.type == "start" and vehicle.start is None) or (node.type == "end" and vehicle.end is None):
            continue
        setup_s = node.length_s - node.stop.service_s if node.stop else 0
        step = Step(
            node.type,
            arrival_s,
            wait_s=moment - arrival_s if node.type != "end" else 0,
            setup_s=setup_s,
            service_s=node.length_s - setup_s,
            driven_s=driven_s,
            driven_m=driven_m,
            load=tuple(levels[position][3:]),
            source=translation.sources[node.stop.stop_id] if node.stop else None,
            id=node.rest.id if node.rest else None,
            place=end_place(translation, vehicle.vehicle_id, node.type)
            if node.type in ("start", "end")
            else {},
        )
        if node.type == "end":
            step.arrival_s = moment
        step.violations = _step_violations(translation, vehicle, node, moment, step, done)
        if node.stop is not None:
            done.add(node.stop.stop_id)
        steps.append(step)
    return steps


def _step_violations(
    translation: Translation, vehicle: Vehicle, node: _Node, moment: int, step: Step, done: set[str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if not any(opens <= moment <= closes for opens, closes in node.windows):
        later = [opens - moment for opens, _ in node.windows if opens > moment]
        earlier = [moment - closes for _, closes in node.windows if closes < moment]
        if earlier and (not later or min(earlier) <= min(later)):
            found.append({"cause": "delay", "duration": min(earlier)})
        else:
            found.append({"cause": "lead_time", "duration": min(later)})
    if any(have > most for have, most in zip(step.load, vehicle.more_capacity, strict=True)):
        found.append({"cause": "load"})
    if node.stop is not None:
        if not node.stop.skills <= vehicle.skills:
            found.append({"cause": "skills"})
        pair = Rules.of(translation.problem).pair_of.get(node.stop.stop_id)
        if pair is not None and node.stop.kind is StopKind.DELIVERY and pair.pickup_id not in done:
            found.append({"cause": "precedence"})
    return found


def _route_violations(
    vehicle: Vehicle, form: FormVehicle, stops: Sequence[Stop], legs_s: Sequence[int], legs_m: Sequence[int]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if vehicle.stops_max is not None and len(stops) > vehicle.stops_max:
        found.append({"cause": "max_tasks"})
    if vehicle.driving_s_max is not None and sum(legs_s) > vehicle.driving_s_max:
        found.append({"cause": "max_travel_time", "duration": sum(legs_s) - vehicle.driving_s_max})
    if vehicle.distance_m_max is not None and sum(legs_m) > vehicle.distance_m_max:
        found.append({"cause": "max_distance", "distance": sum(legs_m) - vehicle.distance_m_max})
    taken = {step.id for step in form.steps if step.type == "break"}
    found += [{"cause": "missing_break"} for rest in form.breaks if rest.id not in taken]
    return found
