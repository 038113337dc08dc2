"""A problem in the form engines work on: numbered stops and vehicles, and arrays.

Nodes are numbered: first the stops, in the problem's order, then the places where vehicles start and end,
then one node without a place, where open routes end (all ways there are empty).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import penalties_scaled, route_cost_scaled
from routing.pickup.matrix import UNREACHABLE, IntArray, at_speed
from routing.pickup.problem import Problem, Stop, StopKind, Vehicle
from routing.pickup.schedule import Timetable, timetable

Sequences: TypeAlias = list[list[int]]
"""For each vehicle the numbers of its stops, in the order of visit."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """Arrays of a problem, or of a part of it.

    Attributes:
        stops, vehicles: what the numbers stand for.
        seconds: travel times by speed profile, from node, to node.
        metres: distances from node to node.
        profile: speed profile of each vehicle.
        start_node, end_node: of each vehicle.
        service_s: at each node; zero where it is no stop.
        loads: stop x measure.
        is_delivery: of each stop.
        capacity: vehicle x measure.
        eligible: stop x vehicle: skills, lists, locks, and capacity of the stop alone allow it.
        penalties: cost of leaving each stop out, in 1 / COST_SCALE minor units.
        has_prizes: the penalties are money, and it may be right to leave stops out.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    seconds: IntArray
    metres: IntArray
    profile: list[int]
    start_node: list[int]
    end_node: list[int]
    service_s: list[int]
    loads: npt.NDArray[np.int64]
    is_delivery: npt.NDArray[np.bool_]
    capacity: npt.NDArray[np.int64]
    eligible: npt.NDArray[np.bool_]
    penalties: list[int]
    has_prizes: bool

    def legs(self, vehicle: int, stops: Sequence[int]) -> tuple[list[int], list[int]]:
        """Seconds and metres of each leg of a round, from the vehicle's start to its end."""
        nodes = [self.start_node[vehicle], *stops, self.end_node[vehicle]]
        seconds = self.seconds[self.profile[vehicle], nodes[:-1], nodes[1:]]
        return seconds.tolist(), self.metres[nodes[:-1], nodes[1:]].tolist()

    def timetable(self, vehicle: int, stops: Sequence[int], travel_s: Sequence[int]) -> Timetable | None:
        """The shortest timetable of a round within the vehicle's shift."""
        return timetable(
            travel_s,
            [self.service_s[stop] for stop in stops],
            [self.stops[stop].open_windows for stop in stops],
            *self.vehicles[vehicle].shift,
        )

    def loads_aboard(self, stops: Sequence[int]) -> npt.NDArray[np.int64]:
        """What is aboard at the start and after each stop: (number of stops + 1) x measure."""
        return aboard(self.loads[list(stops)], self.is_delivery[list(stops)])

    def cost(self, sequences: Sequences) -> int | None:
        """Cost of the rounds and penalties of what they leave out, in 1 / COST_SCALE minor units.

        Returns:
            None if a round breaks a rule.
        """
        unserved = set(range(len(self.stops)))
        total = 0
        for vehicle, stops in enumerate(sequences):
            if not stops:
                continue
            cost = self.route_cost(vehicle, stops)
            if cost is None:
                return None
            total += cost
            unserved.difference_update(stops)
        return total + sum(self.penalties[stop] for stop in unserved)

    def route_cost(self, vehicle: int, stops: Sequence[int]) -> int | None:
        """Cost of one round in 1 / COST_SCALE minor units, None if it breaks a rule."""
        limits = self.vehicles[vehicle]
        travel_s, legs_m = self.legs(vehicle, stops)
        distance_m = sum(legs_m)
        if (
            not self.eligible[list(stops), vehicle].all()
            or (limits.stops_max is not None and len(stops) > limits.stops_max)
            or (limits.distance_m_max is not None and distance_m > limits.distance_m_max)
            or (self.loads_aboard(stops) > self.capacity[vehicle]).any()
        ):
            return None
        times = self.timetable(vehicle, stops, travel_s)
        return None if times is None else route_cost_scaled(limits, times.duration_s, distance_m)

    def part(self, stops: Sequence[int], vehicles: Sequence[int]) -> "Instance":
        """The same problem with some of the stops and vehicles only, renumbered in the given order."""
        places = list(
            dict.fromkeys(
                node for vehicle in vehicles for node in (self.start_node[vehicle], self.end_node[vehicle])
            )
        )
        nodes = np.array([*stops, *places], dtype=np.intp)
        number = {node: len(stops) + position for position, node in enumerate(places)}
        return Instance(
            stops=tuple(self.stops[stop] for stop in stops),
            vehicles=tuple(self.vehicles[vehicle] for vehicle in vehicles),
            seconds=self.seconds[:, nodes[:, None], nodes[None, :]],
            metres=self.metres[nodes[:, None], nodes[None, :]],
            profile=[self.profile[vehicle] for vehicle in vehicles],
            start_node=[number[self.start_node[vehicle]] for vehicle in vehicles],
            end_node=[number[self.end_node[vehicle]] for vehicle in vehicles],
            service_s=[self.service_s[node] for node in nodes],
            loads=self.loads[list(stops)],
            is_delivery=self.is_delivery[list(stops)],
            capacity=self.capacity[list(vehicles)],
            eligible=self.eligible[np.ix_(list(stops), list(vehicles))],
            penalties=[self.penalties[stop] for stop in stops],
            has_prizes=self.has_prizes,
        )


def aboard(loads: npt.NDArray[np.int64], is_delivery: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """What is aboard at the start of a round and after each of its stops.

    Deliveries are loaded at the start and leave at their stop; pickups come aboard at theirs and stay.

    Args:
        loads: stop x measure, in the order of visit.
        is_delivery: of each stop.

    Returns:
        (number of stops + 1) x measure.
    """
    delivered = is_delivery[:, None]
    steps = np.concatenate(
        (np.where(delivered, loads, 0).sum(axis=0)[None, :], np.where(delivered, -loads, loads))
    )
    return np.cumsum(steps, axis=0, dtype=np.int64)


def build(problem: Problem) -> Instance:
    """Number the stops and vehicles and compute all travel times.

    Takes about half a second and 100 MB for 3,000 stops, and another 36 MB for each further speed factor.
    """
    stops, vehicles = problem.stops, problem.vehicles
    places = list(
        dict.fromkeys(
            place for vehicle in vehicles for place in (vehicle.start, vehicle.end) if place is not None
        )
    )
    number = {place: len(stops) + position for position, place in enumerate(places)}
    nowhere = len(stops) + len(places)
    points = [*(stop.point for stop in stops), *places]
    seconds, metres = problem.travel.matrix([*points, *points[:1]])  # any place, to make room for none
    for table in (seconds, metres):
        table[nowhere:, :] = table[:, nowhere:] = 0
    factors = list(dict.fromkeys(vehicle.speed_factor for vehicle in vehicles)) or [1.0]
    return Instance(
        stops=stops,
        vehicles=vehicles,
        seconds=np.stack([at_speed(seconds, factor) for factor in factors]),
        metres=metres,
        profile=[factors.index(vehicle.speed_factor) for vehicle in vehicles],
        start_node=[number[vehicle.start] for vehicle in vehicles],
        end_node=[nowhere if vehicle.end is None else number[vehicle.end] for vehicle in vehicles],
        service_s=[*(stop.service_s for stop in stops), *([0] * (len(places) + 1))],
        loads=np.array([stop.load for stop in stops], dtype=np.int64).reshape(len(stops), 3),
        is_delivery=np.array([stop.kind is StopKind.DELIVERY for stop in stops], dtype=np.bool_),
        capacity=np.array([vehicle.capacity for vehicle in vehicles], dtype=np.int64).reshape(
            len(vehicles), 3
        ),
        eligible=_eligible(problem),
        penalties=penalties_scaled(problem, int(metres.max(where=metres < UNREACHABLE, initial=0))),
        has_prizes=problem.prize_per_priority_minor is not None,
    )


def _eligible(problem: Problem) -> npt.NDArray[np.bool_]:
    """Stop x vehicle, one row computed for all stops that ask for the same."""
    rows: dict[object, list[bool]] = {}
    eligible = np.zeros((len(problem.stops), len(problem.vehicles)), dtype=np.bool_)
    for row, stop in enumerate(problem.stops):
        key = (stop.skills, stop.allowed_vehicles, stop.locked_to)
        if key not in rows:
            rows[key] = [vehicle.may_serve(stop) for vehicle in problem.vehicles]
        eligible[row] = rows[key]
    for measure in range(3):
        loads = np.array([stop.load[measure] for stop in problem.stops], dtype=np.int64)
        capacity = np.array([vehicle.capacity[measure] for vehicle in problem.vehicles], dtype=np.int64)
        eligible &= loads[:, None] <= capacity[None, :]
    return eligible
