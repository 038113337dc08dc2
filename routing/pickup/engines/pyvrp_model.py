"""An instance as PyVRP sees it, and rounds on their way to it and back.

The model holds every rule of an instance, so rounds that keep the rules are always a start:

- vehicles that are alike are one vehicle type; those with another speed or other stops they may serve have
  a matrix of their own, in which the way to a forbidden stop is longer than any shift;
- a stop with several windows is one client for each window, of which one is visited;
- the limit of stops is one more load, of which each stop has one piece;
- a stop that may be left out has a prize.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pyvrp import Client, ClientGroup, Depot, Location, ProblemData, Route, Solution, VehicleType

from routing.pickup.costs import COST_SCALE, cost_per_metre_scaled, cost_per_second_scaled
from routing.pickup.instance import Instance, Sequences
from routing.pickup.matrix import UNREACHABLE

_BYTES_MAX = 600_000_000  # of all matrices of a model
_PRIZE_MAX = 2**44
_FAR = 2**63 - 1  # PyVRP's own sign for no limit

Visits: TypeAlias = tuple[int, ...]


def can_plan(instance: Instance) -> bool:
    """Tell whether the engine can hold all rules of the instance in a sensible amount of memory."""
    if instance.features:
        return False
    nodes = len(instance.service_s) + 1
    profiles = len(set(_profile_keys(instance)))
    return bool(instance.vehicles) and bool(instance.stops) and profiles * nodes * nodes * 16 <= _BYTES_MAX


def _profile_keys(instance: Instance) -> list[tuple[int, bytes]]:
    """What decides about a vehicle's matrix: its speed, and the stops it may serve."""
    return [
        (profile, instance.eligible[:, vehicle].tobytes()) for vehicle, profile in enumerate(instance.profile)
    ]


def kinds(instance: Instance) -> list[list[int]]:
    """The vehicles of each kind: a round costs the same, whoever of them drives it."""
    keys = _profile_keys(instance)
    alike: dict[object, list[int]] = {}
    for number, vehicle in enumerate(instance.vehicles):
        key = (
            keys[number],
            instance.start_node[number],
            instance.end_node[number],
            vehicle.shift,
            vehicle.capacity,
            (vehicle.cost_fixed, vehicle.cost_per_hour, vehicle.cost_per_km),
            (vehicle.stops_max, vehicle.distance_m_max),
        )
        alike.setdefault(key, []).append(number)
    return list(alike.values())


@dataclass(frozen=True, slots=True)
class Column:
    """A round that keeps the rules, of any vehicle of a kind.

    Attributes:
        kind: number of the kind of vehicle, in the order of `kinds`.
        stops: in the order of visit.
        cost_scaled: in 1 / COST_SCALE minor units.
    """

    kind: int
    stops: Visits
    cost_scaled: int


class Model:
    """PyVRP's data of an instance, and the way to and fro.

    Stops no vehicle may serve are left out.

    Args:
        instance: with at least one vehicle and one stop.
        cost_scaled: of a plan that leaves some stops out; None: every stop is to be served. Where stops are
            not paid for by prizes, no stop may be worth less than the whole plan.
    """

    def __init__(self, instance: Instance, cost_scaled: int | None) -> None:
        self.instance = instance
        self.kinds = kinds(instance)
        self.stops = [stop for stop in range(len(instance.stops)) if instance.eligible[stop].any()]
        self.unit = self._cost_unit()
        self.stop_of: list[int] = []  # the stop of each client
        self.first: dict[int, int] = {}  # the first client of each stop
        self.data = self._data(None if cost_scaled is None else self._prizes(cost_scaled))

    def solution(self, sequences: Sequences) -> Solution:
        """PyVRP's form of rounds that keep the rules."""
        routes = [
            Route(self.data, self._clients(vehicle, sequences[vehicle]), kind)
            for kind, vehicles in enumerate(self.kinds)
            for vehicle in vehicles
            if sequences[vehicle]
        ]
        return Solution(self.data, routes)

    def sequences(self, solution: Solution) -> Sequences:
        """Our form of rounds."""
        free = [list(reversed(vehicles)) for vehicles in self.kinds]
        sequences: Sequences = [[] for _ in self.instance.vehicles]
        for route in solution.routes():
            stops = self.visits(route)
            if stops:
                sequences[free[route.vehicle_type()].pop()] = list(stops)
        return sequences

    def visits(self, route: Route) -> Visits:
        """The stops of a route."""
        return tuple(self.stop_of[activity.idx] for activity in route if activity.is_client())

    def column(self, route: Route) -> Column:
        """A route that keeps the rules, with its cost."""
        cost = route.distance_cost() + route.duration_cost() + route.fixed_vehicle_cost()
        return Column(route.vehicle_type(), self.visits(route), cost * self.unit)

    def _clients(self, vehicle: int, stops: Sequence[int]) -> list[int]:
        """The client of each stop of a round: where there are several windows, that of the window used."""
        if all(len(self.instance.stops[stop].windows) <= 1 for stop in stops):
            return [self.first[stop] for stop in stops]
        travel_s, _ = self.instance.legs(vehicle, stops)
        times = self.instance.timetable(vehicle, stops, travel_s)
        assert times is not None, "rounds that keep the rules"
        return [
            self.first[stop]
            + next(
                number
                for number, (_, closes) in enumerate(self.instance.stops[stop].open_windows)
                if start_s <= closes
            )
            for stop, start_s in zip(stops, times.services, strict=True)
        ]

    def _cost_unit(self) -> int:
        """Largest unit in which all costs are whole: keeps PyVRP's numbers small."""
        costs = [vehicle.cost_fixed * COST_SCALE for vehicle in self.instance.vehicles]
        costs += [cost_per_metre_scaled(vehicle) for vehicle in self.instance.vehicles]
        costs += [cost_per_second_scaled(vehicle) for vehicle in self.instance.vehicles]
        if self.instance.has_prizes:
            costs += self.instance.penalties
        return gcd(*costs) or 1

    def _prizes(self, cost_scaled: int) -> list[int]:
        penalties = self.instance.penalties
        if self.instance.has_prizes:
            return [penalty // self.unit for penalty in penalties]
        least = min((penalties[stop] for stop in self.stops), default=1)
        worth = cost_scaled // self.unit + 1
        return [min(_PRIZE_MAX, worth * penalty // least) for penalty in penalties]

    def _data(self, prizes: list[int] | None) -> ProblemData:
        """Nodes keep their numbers: first the stops, then the places of vehicles."""
        instance = self.instance
        places = list(dict.fromkeys([*instance.start_node, *instance.end_node]))
        depot = {node: number for number, node in enumerate(places)}
        clients, groups = self._clients_and_groups(prizes)
        matrices: dict[tuple[int, bytes], int] = {}
        metres: Any = instance.metres.astype(np.int64)  # PyVRP's own types are not those of NumPy
        np.fill_diagonal(metres, 0)
        durations: list[Any] = []
        profiles = _profile_keys(instance)
        for vehicles in self.kinds:
            key = profiles[vehicles[0]]
            if key not in matrices:
                matrices[key] = len(durations)
                durations.append(self._durations(vehicles[0]))
        return ProblemData(
            locations=[Location(0, 0)] * len(metres),
            clients=clients,
            depots=[Depot(node) for node in places],
            vehicle_types=[
                self._vehicle_type(vehicles, depot, matrices[profiles[vehicles[0]]])
                for vehicles in self.kinds
            ],
            distance_matrices=[metres] * len(durations),
            duration_matrices=durations,
            groups=groups,
        )

    def _durations(self, vehicle: int) -> npt.NDArray[np.int64]:
        seconds: npt.NDArray[np.int64] = self.instance.seconds[self.instance.profile[vehicle]].astype(
            np.int64
        )
        forbidden = np.flatnonzero(~self.instance.eligible[:, vehicle])
        seconds[forbidden, :] = seconds[:, forbidden] = UNREACHABLE
        np.fill_diagonal(seconds, 0)
        return seconds

    def _loads(self) -> npt.NDArray[np.int64]:
        """Stop x measure, with the count of stops last."""
        count = np.ones((len(self.instance.stops), 1), dtype=np.int64)
        return np.concatenate((self.instance.loads, count), axis=1)

    def _capacity(self) -> npt.NDArray[np.int64]:
        """Vehicle x measure, with the limit of stops last."""
        limits = [
            len(self.instance.stops) if vehicle.stops_max is None else vehicle.stops_max
            for vehicle in self.instance.vehicles
        ]
        return np.concatenate((self.instance.capacity, np.array(limits, dtype=np.int64)[:, None]), axis=1)

    def _measures(self) -> list[int]:
        """Measures that can be exceeded at all."""
        most = self._loads()[self.stops].sum(axis=0)
        return [int(measure) for measure in np.flatnonzero(most > self._capacity().min(axis=0))]

    def _clients_and_groups(self, prizes: list[int] | None) -> tuple[list[Client], list[ClientGroup]]:
        instance = self.instance
        clients: list[Client] = []
        groups: list[ClientGroup] = []
        measures = self._measures()
        loads = self._loads()[:, measures].tolist()
        counted = instance.loads.shape[1]
        for stop in self.stops:
            self.first[stop] = len(clients)
            windows = instance.stops[stop].open_windows
            group = len(groups) if len(windows) > 1 else None
            delivered = [
                load if instance.is_delivery[stop] and measure != counted else 0
                for measure, load in zip(measures, loads[stop], strict=True)
            ]
            for opens, closes in windows:
                self.stop_of.append(stop)
                clients.append(
                    Client(
                        location=stop,
                        delivery=delivered,
                        pickup=[load - down for load, down in zip(loads[stop], delivered, strict=True)],
                        service_duration=instance.service_s[stop],
                        tw_early=opens,
                        tw_late=closes,
                        prize=0 if prizes is None else prizes[stop],
                        required=prizes is None and group is None,
                        group=group,
                    )
                )
            if group is not None:
                alternatives = list(range(self.first[stop], len(clients)))
                groups.append(ClientGroup(alternatives, required=prizes is None))
        return clients, groups

    def _vehicle_type(self, vehicles: list[int], depot: dict[int, int], profile: int) -> VehicleType:
        number = vehicles[0]
        vehicle = self.instance.vehicles[number]
        return VehicleType(
            num_available=len(vehicles),
            capacity=self._capacity()[number, self._measures()].tolist(),
            start_depot=depot[self.instance.start_node[number]],
            end_depot=depot[self.instance.end_node[number]],
            fixed_cost=vehicle.cost_fixed * COST_SCALE // self.unit,
            tw_early=vehicle.shift[0],
            tw_late=vehicle.shift[1],
            unit_distance_cost=cost_per_metre_scaled(vehicle) // self.unit,
            unit_duration_cost=cost_per_second_scaled(vehicle) // self.unit,
            profile=profile,
            max_distance=_FAR if vehicle.distance_m_max is None else vehicle.distance_m_max,
        )
