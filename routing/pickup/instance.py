"""A problem in the form engines work on: numbered stops and vehicles, and arrays.

Nodes are numbered: first the stops, in the problem's order, then the places where vehicles start and end,
then one node without a place, where open routes begin and end (all ways there are empty).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import at_stop_scaled, penalties_scaled
from routing.pickup.courses import Course, course_of
from routing.pickup.eligibility import eligibility
from routing.pickup.features import TOURS, Feature, features_of
from routing.pickup.matrix import UNREACHABLE, IntArray
from routing.pickup.problem import Problem, Stop, StopKind, Vehicle
from routing.pickup.rules import Rules
from routing.pickup.tables import tables

_COURSES_KNOWN = 20_000

Sequences: TypeAlias = list[list[int]]
"""For each vehicle the numbers of its stops, in the order of visit."""


@dataclass(frozen=True, eq=False)
class Instance:
    """Arrays of a problem, or of a part of it.

    Attributes:
        stops, vehicles: what the numbers stand for.
        features: what it asks for beyond plain tours; an engine that knows tours only can plan it as it is
            if this is empty.
        rules: rules that concern several stops or vehicles.
        seconds: travel times by speed profile, from node, to node.
        distances: distances by speed profile, from node, to node.
        profile: speed profile of each vehicle.
        start_node, end_node: of each vehicle.
        reload_nodes: of each vehicle's outlets.
        service_s: at each node; zero where it is no stop. Setup is not counted.
        loads: stop x measure.
        is_delivery: of each stop.
        capacity: vehicle x measure.
        eligible: stop x vehicle: skills, lists, locks, hours, and capacity of the stop alone allow it.
        penalties: cost of leaving each stop out, in 1 / COST_SCALE minor units.
        has_prizes: some of the penalties are money, and it may be right to leave stops out.
        partner: the other stop of each stop's pair; -1: none.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    features: frozenset[Feature]
    rules: Rules
    seconds: IntArray
    distances: IntArray
    profile: list[int]
    start_node: list[int]
    end_node: list[int]
    reload_nodes: list[tuple[int, ...]]
    service_s: list[int]
    loads: npt.NDArray[np.int64]
    is_delivery: npt.NDArray[np.bool_]
    capacity: npt.NDArray[np.int64]
    eligible: npt.NDArray[np.bool_]
    penalties: list[int]
    has_prizes: bool
    partner: list[int]

    @property
    def metres(self) -> IntArray:
        """Distances from node to node (of the first profile, should they differ)."""
        first: IntArray = self.distances[0]
        return first

    @cached_property
    def units(self) -> list[tuple[int, ...]]:
        """What is served as a whole: single stops, and pairs as (pickup, delivery)."""
        return [
            (stop,) if partner < 0 else (stop, partner)
            for stop, partner in enumerate(self.partner)
            if partner < 0 or not self.is_delivery[stop]
        ]

    @cached_property
    def unit_of(self) -> list[int]:
        """Number of each stop's unit."""
        number = [0] * len(self.stops)
        for unit, stops in enumerate(self.units):
            for stop in stops:
                number[stop] = unit
        return number

    @cached_property
    def at_stop(self) -> npt.NDArray[np.int64]:
        """Stop x vehicle: what serving the stop costs, in 1 / COST_SCALE minor units."""
        return at_stop_scaled(self.stops, self.vehicles)

    @cached_property
    def longest_legs(self) -> list[tuple[int, int]]:
        """Metres and seconds of the longest ways there are, by speed profile."""
        by_profile = zip(self.distances, self.seconds, strict=True)
        return [(_longest(metres), _longest(seconds)) for metres, seconds in by_profile]

    def penalty(self, unit: tuple[int, ...]) -> int:
        """Cost of leaving all stops of a unit out."""
        return sum(self.penalties[stop] for stop in unit)

    def legs(self, vehicle: int, stops: Sequence[int]) -> tuple[list[int], list[int]]:
        """Seconds and metres of each leg of a round, from the vehicle's start to its end."""
        nodes = [self.start_node[vehicle], *stops, self.end_node[vehicle]]
        profile = self.profile[vehicle]
        seconds = self.seconds[profile, nodes[:-1], nodes[1:]]
        return seconds.tolist(), self.distances[profile, nodes[:-1], nodes[1:]].tolist()

    @cached_property
    def _load_changes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Stop x measure: aboard from the start for it, and the change at it."""
        changes = [self.rules.load_change(stop) for stop in self.stops]
        shape = self.loads.shape
        return (
            np.array([change.at_start for change in changes], dtype=np.int64).reshape(shape),
            np.array([change.change for change in changes], dtype=np.int64).reshape(shape),
        )

    def shortest_legs(self, vehicle: int, stops: Sequence[int]) -> tuple[list[int], list[int]]:
        """Seconds and metres of each leg, directly or through an outlet: no course has shorter ones."""
        nodes = np.array([self.start_node[vehicle], *stops, self.end_node[vehicle]], dtype=np.intp)
        found = []
        for table in (self.seconds[self.profile[vehicle]], self.distances[self.profile[vehicle]]):
            legs = table[nodes[:-1], nodes[1:]]
            for outlet in self.reload_nodes[vehicle] if len(stops) > 1 else ():
                legs = np.minimum(legs, table[nodes[:-1], outlet] + table[outlet, nodes[1:]])
            found.append(legs.tolist())
        return found[0], found[1]

    def load_changes(self, stops: Sequence[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Stop x measure: what is aboard from the start of its trip for each stop, and the change at it."""
        numbers = list(stops)
        at_start, change = self._load_changes
        return at_start[numbers], change[numbers]

    def loads_aboard(self, stops: Sequence[int]) -> npt.NDArray[np.int64]:
        """What is aboard at the start and after each stop without reloads: (stops + 1) x measure."""
        at_start, change = self.load_changes(stops)
        steps = np.concatenate((at_start.sum(axis=0)[None, :], change))
        return np.cumsum(steps, axis=0, dtype=np.int64)

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

    @cached_property
    def _known(self) -> dict[tuple[int, tuple[int, ...]], Course | None]:
        """Courses that took long to find, and are asked for again and again."""
        return {}

    def course(self, vehicle: int, stops: Sequence[int]) -> Course | None:
        """The cheapest way to drive a round in that order, None if it breaks a rule."""
        if self.features <= TOURS:
            return self._course(vehicle, stops)
        key = (vehicle, tuple(stops))
        if key not in self._known:
            if len(self._known) >= _COURSES_KNOWN:
                self._known.clear()
            self._known[key] = self._course(vehicle, stops)
        return self._known[key]

    def _course(self, vehicle: int, stops: Sequence[int]) -> Course | None:
        stops_max = self.vehicles[vehicle].stops_max
        if (
            not self.eligible[list(stops), vehicle].all()
            or (stops_max is not None and len(stops) > stops_max)
            or not self.rules.pairs_kept([self.stops[stop] for stop in stops])
        ):
            return None
        return course_of(self, vehicle, stops)

    def route_cost(self, vehicle: int, stops: Sequence[int]) -> int | None:
        """Cost of one round in 1 / COST_SCALE minor units, None if it breaks a rule."""
        course = self.course(vehicle, stops)
        return None if course is None else course.cost_scaled

    def part(self, stops: Sequence[int], vehicles: Sequence[int]) -> "Instance":
        """The same problem with some of the stops and vehicles only, renumbered in the given order.

        Both stops of a pair go together.
        """
        places = list(
            dict.fromkeys(
                node
                for vehicle in vehicles
                for node in (self.start_node[vehicle], self.end_node[vehicle], *self.reload_nodes[vehicle])
            )
        )
        nodes = np.array([*stops, *places], dtype=np.intp)
        number = {node: len(stops) + position for position, node in enumerate(places)}
        number |= {stop: position for position, stop in enumerate(stops)}
        distances = self.distances[:1] if Feature.PROFILES not in self.features else self.distances
        distances = distances[:, nodes[:, None], nodes[None, :]]
        return Instance(
            stops=tuple(self.stops[stop] for stop in stops),
            vehicles=tuple(self.vehicles[vehicle] for vehicle in vehicles),
            features=self.features,
            rules=self.rules,
            seconds=self.seconds[:, nodes[:, None], nodes[None, :]],
            distances=np.broadcast_to(distances, (len(self.seconds), len(nodes), len(nodes))),
            profile=[self.profile[vehicle] for vehicle in vehicles],
            start_node=[number[self.start_node[vehicle]] for vehicle in vehicles],
            end_node=[number[self.end_node[vehicle]] for vehicle in vehicles],
            reload_nodes=[tuple(number[node] for node in self.reload_nodes[vehicle]) for vehicle in vehicles],
            service_s=[self.service_s[node] for node in nodes],
            loads=self.loads[list(stops)],
            is_delivery=self.is_delivery[list(stops)],
            capacity=self.capacity[list(vehicles)],
            eligible=self.eligible[np.ix_(list(stops), list(vehicles))],
            penalties=[self.penalties[stop] for stop in stops],
            has_prizes=self.has_prizes,
            partner=[-1 if self.partner[stop] < 0 else number[self.partner[stop]] for stop in stops],
        )


def build(problem: Problem) -> Instance:
    """Number the stops and vehicles and compute all travel times.

    Takes about half a second and 100 MB for 3,000 stops, and another 36 MB for each further speed factor.
    """
    stops, vehicles = problem.stops, problem.vehicles
    places = list(
        dict.fromkeys(
            place
            for vehicle in vehicles
            for place in (vehicle.start, vehicle.end, *vehicle.reload_at)
            if place is not None
        )
    )
    number = {place: len(stops) + position for position, place in enumerate(places)}
    nowhere = len(stops) + len(places)
    stop_number = {stop.stop_id: position for position, stop in enumerate(stops)}
    partner = [-1] * len(stops)
    for pair in problem.pairs:
        first, second = stop_number[pair.pickup_id], stop_number[pair.delivery_id]
        partner[first], partner[second] = second, first
    kinds = list(dict.fromkeys((vehicle.profile, vehicle.speed_factor) for vehicle in vehicles))
    seconds, distances = tables(problem, [*(stop.point for stop in stops), *places], kinds or [(None, 1.0)])
    rules = Rules.of(problem)
    width = len(problem.measures)
    return Instance(
        stops=stops,
        vehicles=vehicles,
        features=features_of(problem),
        rules=rules,
        seconds=seconds,
        distances=distances,
        profile=[kinds.index((vehicle.profile, vehicle.speed_factor)) for vehicle in vehicles],
        start_node=[nowhere if vehicle.start is None else number[vehicle.start] for vehicle in vehicles],
        end_node=[nowhere if vehicle.end is None else number[vehicle.end] for vehicle in vehicles],
        reload_nodes=[tuple(number[place] for place in vehicle.reload_at) for vehicle in vehicles],
        service_s=[*(stop.service_s for stop in stops), *([0] * (len(places) + 1))],
        loads=np.array([stop.load for stop in stops], dtype=np.int64).reshape(len(stops), width),
        is_delivery=np.array([stop.kind is StopKind.DELIVERY for stop in stops], dtype=np.bool_),
        capacity=np.array([vehicle.capacity for vehicle in vehicles], dtype=np.int64).reshape(
            len(vehicles), width
        ),
        eligible=eligibility(problem, rules, partner),
        penalties=penalties_scaled(problem, _longest(distances)),
        has_prizes=problem.prize_per_priority_minor is not None
        or any(stop.prize_minor is not None for stop in stops),
        partner=partner,
    )


def _longest(table: IntArray) -> int:
    return int(table.max(where=table < UNREACHABLE, initial=0))
