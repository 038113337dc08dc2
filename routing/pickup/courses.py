"""A round as it is driven: its legs, its timetable, its reloads, and what it costs.

The order of stops is given. Where the vehicle may return to an outlet, the cheapest choice of reloads is part
of the answer: every choice is tried where there are few, and otherwise those that two dynamic programs over
the trips find, in the manner of the split of Prins (2004), "A simple and effective evolutionary algorithm for
the vehicle routing problem": one for the least money and one for the earliest end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, product
from math import comb
from typing import TYPE_CHECKING, TypeAlias

from routing.pickup import trips
from routing.pickup.costs import round_cost_scaled
from routing.pickup.matrix import Point
from routing.pickup.schedule import Reloading, Timetable
from routing.pickup.stops import Stop
from routing.pickup.values import HORIZON_S

if TYPE_CHECKING:
    from routing.pickup.instance import Instance

_CHOICES_ALL = 128  # where there are no more choices of reloads than this, all are timed exactly

Reloads: TypeAlias = tuple[tuple[int, int], ...]
"""Reloads of a round: so many stops come before it, and which of the vehicle's outlets it is."""


@dataclass(frozen=True, slots=True)
class Course:
    """A round that keeps all rules.

    Attributes:
        travel_s, legs_m: to each stop and to the end; where a reload lies between, through the outlet.
        times: the cheapest timetable.
        cost_scaled: in 1 / COST_SCALE minor units.
    """

    travel_s: list[int]
    legs_m: list[int]
    times: Timetable
    cost_scaled: int


def course_of(instance: "Instance", vehicle: int, stops: Sequence[int]) -> Course | None:
    """The cheapest way to drive a round in that order; None if it breaks a rule.

    Args:
        instance: the problem.
        vehicle: number of the vehicle.
        stops: numbers of the stops, each once; the vehicle may serve them.
    """
    limits = instance.vehicles[vehicle]
    if not limits.reloads or len(stops) < 2:
        fits = not (instance.loads_aboard(stops) > instance.capacity[vehicle]).any()
        return _driven(instance, vehicle, stops, ()) if fits else None
    best: Course | None = None
    for reloads in _choices(instance, vehicle, stops):
        course = _driven(instance, vehicle, stops, reloads)
        if course is not None and (best is None or course.cost_scaled < best.cost_scaled):
            best = course
    return best


def _choices(instance: "Instance", vehicle: int, stops: Sequence[int]) -> Iterator[Reloads]:
    """The reloads to be timed, none of which is over capacity or parts a pair."""
    limits = instance.vehicles[vehicle]
    longest, may_part = trips.limits_of(instance, vehicle, stops)
    gaps, outlets = [gap for gap in range(1, len(stops)) if may_part[gap]], range(len(limits.reload_at))
    most = min(limits.reloads_max, len(gaps))
    if sum(comb(len(gaps), count) * len(outlets) ** count for count in range(most + 1)) > _CHOICES_ALL:
        yield from trips.splits(instance, vehicle, stops, longest, may_part)
        return
    for count in range(most + 1):
        for chosen in combinations(gaps, count):
            begun = (0, *chosen)
            if all(
                end - first <= longest[first] for first, end in zip(begun, (*chosen, len(stops)), strict=True)
            ):
                for where in product(outlets, repeat=count):
                    yield tuple(zip(chosen, where, strict=True))


def _driven(instance: "Instance", vehicle: int, stops: Sequence[int], reloads: Reloads) -> Course | None:
    limits = instance.vehicles[vehicle]
    nodes: list[int] = list(stops)
    visited = [instance.stops[stop] for stop in stops]
    loaded: list[Stop] | None = None
    if reloads:
        loaded = visited[: reloads[0][0]]
        ends = [*(gap for gap, _ in reloads[1:]), len(stops)]
        for (gap, outlet), end in reversed(list(zip(reloads, ends, strict=True))):
            ready_s = max(instance.rules.loaded_s(stop) for stop in visited[gap:end])
            nodes.insert(gap, instance.reload_nodes[vehicle][outlet])
            visited.insert(gap, _reload_stop(limits.reload_at[outlet], limits.reload_s, ready_s))
    travel_s, legs_m = instance.legs(vehicle, nodes)
    distance_m, driving_s = sum(legs_m), sum(travel_s)
    if (limits.distance_m_max is not None and distance_m > limits.distance_m_max) or (
        limits.driving_s_max is not None and driving_s > limits.driving_s_max
    ):
        return None
    times = instance.rules.timetable(limits, visited, travel_s, loaded=loaded)
    if times is None:
        return None
    service_s = 0
    if limits.cost_per_service_hour:
        service_s = sum(instance.rules.durations(limits.start, visited)) - limits.reload_s * len(reloads)
    if reloads:
        travel_s, legs_m = (_through(legs, reloads) for legs in (travel_s, legs_m))
        times = _without(times, reloads)
        visited = [instance.stops[stop] for stop in stops]
    cost = round_cost_scaled(limits, visited, times, (distance_m, driving_s, service_s))
    return Course(travel_s, legs_m, times, cost)


@lru_cache(maxsize=4096)
def _reload_stop(point: Point, reload_s: int, ready_s: int) -> Stop:
    """A reload as its timetable sees it: a stop that opens when the goods are ready."""
    return Stop(
        stop_id=f"\0reload {point} {ready_s}",  # no stop of a problem that people write is called so
        latitude=point[0],
        longitude=point[1],
        service_s=reload_s,
        windows=((ready_s, HORIZON_S),) if ready_s else (),
    )


def _through(legs: Sequence[int], reloads: Reloads) -> list[int]:
    """Legs from stop to stop, of legs from stop to stop and outlet."""
    joined = list(legs)
    for gap, _ in reversed(reloads):  # so many reloads before it have added a leg each
        position = gap + sum(other < gap for other, _ in reloads)
        joined[position : position + 2] = [joined[position] + joined[position + 1]]
    return joined


def _without(times: Timetable, reloads: Reloads) -> Timetable:
    """The timetable with the reloads beside the stops."""
    positions = [gap + number for number, (gap, _) in enumerate(reloads)]
    among = set(positions)
    kept = [position for position in range(len(times.arrivals)) if position not in among]
    return replace(
        times,
        arrivals=tuple(times.arrivals[position] for position in kept),
        services=tuple(times.services[position] for position in kept),
        rests=tuple(
            (after - sum(position < after for position in positions), start_s)
            for after, start_s in times.rests
        ),
        reloads=tuple(
            Reloading(gap, outlet, times.arrivals[position], times.services[position])
            for (gap, outlet), position in zip(reloads, positions, strict=True)
        ),
    )
