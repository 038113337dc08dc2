"""An instance as PyVRP sees it, and rounds on their way to it and back.

The model holds every rule of an instance, so rounds that keep the rules are always a start:

- vehicles that are alike are one vehicle type; those with another speed or other stops they may serve have
  a matrix of their own, in which the way to a forbidden stop is longer than any shift;
- a stop with several windows is one client for each window, of which one is visited;
- a pair is a shipment, whose goods are aboard between its two stops;
- where legs cost more than metres and hours, their prices stand in the place of metres;
- the limit of stops is one more load, of which each stop has one piece;
- a stop that may be left out has a prize.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyvrp import (
    Activity,
    ActivityType,
    Client,
    ClientGroup,
    Depot,
    Location,
    ProblemData,
    Route,
    Shipment,
    Solution,
    VehicleType,
)

from routing.pickup.costs import (
    COST_SCALE,
    cost_per_metre_scaled,
    cost_per_second_scaled,
)
from routing.pickup.engines.pyvrp_kinds import (
    UNLIMITED,
    Column,
    Profile,
    Visits,
    cost_unit,
    is_priced,
    kinds,
    leg_prices,
    lengths,
    profile_keys,
)
from routing.pickup.instance import Instance, Sequences
from routing.pickup.matrix import UNREACHABLE

_TOO_LONG_SHIFTS = 2  # as ways that are not to be driven are made
_PRIZE_MAX = 2**44


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
        self.priced = is_priced(instance)
        self.unit = cost_unit(instance)
        self.stop_of: list[int] = []  # the stop of each client
        self.first: dict[int, int] = {}  # the first client of each stop
        self.shipments: list[tuple[int, int]] = []  # both stops of each
        self.data = self._data(None if cost_scaled is None else self._prizes(cost_scaled))

    def solution(self, sequences: Sequences) -> Solution:
        """PyVRP's form of rounds that keep the rules."""
        routes = [
            Route(self.data, self._activities(vehicle, sequences[vehicle]), kind)
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
        found = []
        for activity in route:
            if activity.is_client():
                found.append(self.stop_of[activity.idx])
            elif activity.is_shipment():
                found.append(self.shipments[activity.idx][activity.is_delivery()])
        return tuple(found)

    def column(self, route: Route) -> Column:
        """A route that keeps the rules, with its cost."""
        cost = route.distance_cost() + route.duration_cost() + route.fixed_vehicle_cost()
        return Column(route.vehicle_type(), self.visits(route), cost * self.unit)

    def _activities(self, vehicle: int, stops: Sequence[int]) -> list[Activity]:
        """What is done at each stop: where there are several windows, it is the client of the window used."""
        used = dict.fromkeys(stops, 0)
        if any(len(self.instance.stops[stop].windows) > 1 for stop in stops):
            course = self.instance.course(vehicle, stops)
            assert course is not None, "rounds that keep the rules"
            for stop, start_s in zip(stops, course.times.services, strict=True):
                windows = self.instance.stops[stop].open_windows
                used[stop] = next(number for number, (_, closes) in enumerate(windows) if start_s <= closes)
        steps = {
            stop: Activity(kind, number)
            for number, shipment in enumerate(self.shipments)
            for stop, kind in zip(shipment, (ActivityType.PICKUP, ActivityType.DELIVERY), strict=True)
            if stop in used
        }
        return [
            steps[stop] if stop in steps else Activity(ActivityType.CLIENT, self.first[stop] + used[stop])
            for stop in stops
        ]

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
        matrices: dict[Profile, int] = {}
        metres: Any = instance.metres.astype(np.int64)  # PyVRP's own types are not those of NumPy
        np.fill_diagonal(metres, 0)
        durations: list[Any] = []
        distances: list[Any] = []
        profiles = profile_keys(instance)
        for vehicles in self.kinds:
            key = profiles[vehicles[0]]
            if key not in matrices:
                matrices[key] = len(durations)
                durations.append(self._durations(vehicles[0]))
                prices: Any = leg_prices(instance, vehicles[0]) // self.unit if self.priced else metres
                distances.append(prices)
        return ProblemData(
            locations=[Location(0, 0)] * len(metres),
            clients=clients,
            depots=[Depot(node) for node in places],
            vehicle_types=[
                self._vehicle_type(vehicles, depot, matrices[profiles[vehicles[0]]])
                for vehicles in self.kinds
            ],
            distance_matrices=distances,
            duration_matrices=durations,
            groups=groups,
            shipments=self._shipments(prizes),
        )

    def _shipments(self, prizes: list[int] | None) -> list[Shipment]:
        instance, measures = self.instance, self._measures()
        loads = self._loads()[:, measures].tolist()
        served = set(self.stops)
        self.shipments = [
            (unit[0], unit[1]) for unit in instance.units if len(unit) == 2 and unit[0] in served
        ]
        shipments = []
        for pickup, delivery in self.shipments:
            (opens, closes), (later, latest) = (
                instance.stops[stop].open_windows[0] for stop in (pickup, delivery)
            )
            shipments.append(
                Shipment(
                    pickup_location=pickup,
                    delivery_location=delivery,
                    pickup_tw_early=opens,
                    pickup_tw_late=closes,
                    pickup_service_duration=instance.service_s[pickup],
                    delivery_tw_early=later,
                    delivery_tw_late=latest,
                    delivery_service_duration=instance.service_s[delivery],
                    amount=loads[pickup],
                    prize=0 if prizes is None else prizes[pickup] + prizes[delivery],
                    required=prizes is None,
                )
            )
        return shipments

    def _durations(self, vehicle: int) -> npt.NDArray[np.int64]:
        seconds: npt.NDArray[np.int64] = self.instance.seconds[self.instance.profile[vehicle]].astype(
            np.int64
        )
        forbidden = np.flatnonzero(~self.instance.eligible[:, vehicle])
        seconds[forbidden, :] = seconds[:, forbidden] = UNREACHABLE
        np.fill_diagonal(seconds, 0)
        # Longer than any shift is long enough. Much longer, times its penalty, would be too much for 64 bits,
        # and a local search that reckons with such costs may never end.
        shifts = (limits.shift for limits in self.instance.vehicles)
        return np.minimum(seconds, _TOO_LONG_SHIFTS * (max(last - first for first, last in shifts) + 1))

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
            if instance.partner[stop] >= 0:
                continue
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
        usual_s, longer_s, longer_price = lengths(vehicle, self.unit)
        return VehicleType(
            num_available=len(vehicles),
            capacity=self._capacity()[number, self._measures()].tolist(),
            start_depot=depot[self.instance.start_node[number]],
            end_depot=depot[self.instance.end_node[number]],
            fixed_cost=vehicle.cost_fixed * COST_SCALE // self.unit,
            tw_early=vehicle.shift[0],
            tw_late=vehicle.shift[1],
            unit_distance_cost=1 if self.priced else cost_per_metre_scaled(vehicle) // self.unit,
            unit_duration_cost=cost_per_second_scaled(vehicle) // self.unit,
            profile=profile,
            max_distance=UNLIMITED if vehicle.distance_m_max is None else vehicle.distance_m_max,
            shift_duration=usual_s,
            max_overtime=longer_s,
            unit_overtime_cost=longer_price,
        )
