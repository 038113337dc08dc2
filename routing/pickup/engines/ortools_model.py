"""The routing model of OR-Tools for an instance: costs, time, loads, limits, breaks and pairs.

All callbacks are matrices and vectors on the C++ side.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp

from routing.pickup.costs import (
    COST_SCALE,
    cost_per_metre_scaled,
    cost_per_second_scaled,
    per_second_scaled,
)
from routing.pickup.features import Feature
from routing.pickup.instance import Instance

UNLIMITED = 2**50


class Model:
    """The routing model of an instance. Stops no vehicle may serve are left out."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.stops = [stop for stop in range(len(instance.stops)) if instance.eligible[stop].any()]
        places = list(dict.fromkeys([*instance.start_node, *instance.end_node]))
        self.nodes = np.array([*self.stops, *places], dtype=np.intp)
        number = {node: len(self.stops) + position for position, node in enumerate(places)}
        self.vehicles = len(instance.vehicles)
        self.manager = pywrapcp.RoutingIndexManager(
            len(self.nodes),
            self.vehicles,
            [number[node] for node in instance.start_node],
            [number[node] for node in instance.end_node],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.index = [self.manager.NodeToIndex(node) for node in range(len(self.stops))]
        self._add_costs()
        self._add_time()
        self._add_loads()
        self._add_limits()
        self._add_stops()

    def _metres(self) -> list[Any]:
        """Distances by profile; one table where they are the same for all."""
        distances = self.instance.distances
        differ = Feature.PROFILES in self.instance.features
        return [self._table(table) for table in (distances if differ else distances[:1])]

    def _table(self, table: Any) -> Any:
        values = table[np.ix_(self.nodes, self.nodes)].astype(np.int64)
        values[len(self.stops) :, len(self.stops) :] = 0  # an unused vehicle stands still
        return values

    def _add_costs(self) -> None:
        metres = self._metres()
        by_price: dict[tuple[object, ...], int] = {}
        for vehicle, limits in enumerate(self.instance.vehicles):
            price = cost_per_metre_scaled(limits)
            driving = per_second_scaled(limits.cost_per_driving_hour)
            served = self.instance.at_stop[self.stops, vehicle]
            profile = self.instance.profile[vehicle]
            key = (price, driving, served.tobytes(), profile if driving or len(metres) > 1 else 0)
            if key not in by_price:
                at_stop = np.zeros(len(self.nodes), dtype=np.int64)
                at_stop[: len(self.stops)] = served
                cost = metres[profile % len(metres)] * price + at_stop[:, None]
                cost += self._table(self.instance.seconds[profile]) * driving
                by_price[key] = self.routing.RegisterTransitMatrix(cost.tolist())
            self.routing.SetArcCostEvaluatorOfVehicle(by_price[key], vehicle)
            self.routing.SetFixedCostOfVehicle(limits.cost_fixed * COST_SCALE, vehicle)

    def _add_time(self) -> None:
        instance = self.instance
        service_s = np.array(instance.service_s, dtype=np.int64)[self.nodes]
        transits = []
        for table in instance.seconds:
            seconds = table[np.ix_(self.nodes, self.nodes)] + service_s[:, None]
            seconds[len(self.stops) :, len(self.stops) :] = 0
            transits.append(self.routing.RegisterTransitMatrix(seconds.tolist()))
        # a stop may open after all shifts: its moment needs a range even though no vehicle will be there
        opening_s = (instance.stops[stop].open_windows[0][0] for stop in self.stops)
        horizon_s = max(*(vehicle.shift[1] for vehicle in instance.vehicles), *opening_s, 0)
        self.routing.AddDimensionWithVehicleTransits(
            [transits[profile] for profile in instance.profile], horizon_s, horizon_s, False, "time"
        )
        time = self.routing.GetDimensionOrDie("time")
        for vehicle, limits in enumerate(instance.vehicles):
            time.CumulVar(self.routing.Start(vehicle)).SetRange(*limits.shift)
            time.CumulVar(self.routing.End(vehicle)).SetRange(*limits.shift)
            time.SetSpanCostCoefficientForVehicle(cost_per_second_scaled(limits), vehicle)
            if limits.prefers_short:
                price = per_second_scaled(limits.cost_per_hour_after_soft_max)
                bound = pywrapcp.BoundCost(limits.duration_s_soft_max, price)
                time.SetSoftSpanUpperBoundForVehicle(bound, vehicle)
            if limits.duration_s_max is not None:
                time.SetSpanUpperBoundForVehicle(limits.duration_s_max, vehicle)
        self._add_breaks(time)
        for stop, index in zip(self.stops, self.index, strict=True):
            windows = instance.stops[stop].open_windows
            moment = time.CumulVar(index)
            moment.SetRange(windows[0][0], min(windows[-1][1], horizon_s))
            for (_, closes), (opens, _) in pairwise(windows):
                moment.RemoveInterval(closes + 1, opens - 1)

    def _add_breaks(self, time: Any) -> None:
        """Breaks lie between stops, in order; of several windows only the whole span counts."""
        if not any(vehicle.breaks for vehicle in self.instance.vehicles):
            return
        solver = self.routing.solver()
        service_s = [0] * self.routing.Size()
        for stop, index in zip(self.stops, self.index, strict=True):
            service_s[index] = self.instance.service_s[stop]
        for number, vehicle in enumerate(self.instance.vehicles):
            breaks = [
                solver.FixedDurationIntervalVar(
                    rest.windows[0][0], rest.windows[-1][1], rest.duration_s, False, rest.break_id
                )
                for rest in vehicle.breaks
            ]
            if breaks:
                time.SetBreakIntervalsOfVehicle(breaks, number, service_s)

    def _add_loads(self) -> None:
        """One dimension a measure that can be exceeded at all.

        Goods of one kind only are added up from zero. Where pickups and deliveries meet, the load starts at
        what is delivered on the round: a second dimension adds that up, and both are tied together.
        """
        instance = self.instance
        changes = [instance.rules.load_change(instance.stops[stop]) for stop in self.stops]
        for measure in range(instance.capacity.shape[1]):
            name = f"load {measure}"
            change = np.array([one.change[measure] for one in changes], dtype=np.int64)
            loaded = np.array([one.at_start[measure] for one in changes], dtype=np.int64)
            capacity = instance.capacity[:, measure].tolist()
            if np.maximum(change, 0).sum() + loaded.sum() <= min(capacity):
                continue
            if not loaded.any() and (change >= 0).all():
                self._add_sum(change, capacity, name, from_zero=True)
                continue
            if (change == -loaded).all():
                self._add_sum(loaded, capacity, name, from_zero=True)
                continue
            aboard = self._add_sum(change, capacity, name, from_zero=not loaded.any())
            if not loaded.any():
                continue
            delivered = self._add_sum(loaded, capacity, f"{name} delivered", from_zero=True)
            for vehicle in range(self.vehicles):
                start, end = self.routing.Start(vehicle), self.routing.End(vehicle)
                self.routing.solver().Add(aboard.CumulVar(start) == delivered.CumulVar(end))

    def _add_limits(self) -> None:
        vehicles = self.instance.vehicles
        if any(vehicle.stops_max is not None for vehicle in vehicles):
            most = [
                len(self.stops) if vehicle.stops_max is None else vehicle.stops_max for vehicle in vehicles
            ]
            self._add_sum(np.ones(len(self.stops), dtype=np.int64), most, "stops", from_zero=True)
        if any(vehicle.distance_m_max is not None for vehicle in vehicles):
            tables = [self.routing.RegisterTransitMatrix(table.tolist()) for table in self._metres()]
            furthest = [
                UNLIMITED if vehicle.distance_m_max is None else vehicle.distance_m_max
                for vehicle in vehicles
            ]
            self.routing.AddDimensionWithVehicleTransitAndCapacity(
                [tables[profile % len(tables)] for profile in self.instance.profile],
                0,
                furthest,
                True,
                "metres",
            )
        if any(vehicle.driving_s_max is not None for vehicle in vehicles):
            tables = [
                self.routing.RegisterTransitMatrix(self._table(table).tolist())
                for table in self.instance.seconds
            ]
            longest = [
                UNLIMITED if vehicle.driving_s_max is None else vehicle.driving_s_max for vehicle in vehicles
            ]
            self.routing.AddDimensionWithVehicleTransitAndCapacity(
                [tables[profile] for profile in self.instance.profile], 0, longest, True, "driving"
            )

    def _add_sum(self, amounts: Any, most: list[int], name: str, *, from_zero: bool) -> Any:
        by_node = [*amounts.tolist(), *([0] * (len(self.nodes) - len(self.stops)))]
        transit = self.routing.RegisterUnaryTransitVector(by_node)
        self.routing.AddDimensionWithVehicleCapacity(transit, 0, most, from_zero, name)
        return self.routing.GetDimensionOrDie(name)

    def _add_stops(self) -> None:
        for stop, index in zip(self.stops, self.index, strict=True):
            self.routing.AddDisjunction([index], self.instance.penalties[stop])
            eligible = self.instance.eligible[stop]
            if not eligible.all():
                self.routing.VehicleVar(index).SetValues([-1, *np.flatnonzero(eligible).tolist()])
        if Feature.PAIRS in self.instance.features:
            self._add_pairs()

    def _add_pairs(self) -> None:
        """Both stops on one vehicle, the pickup first, or neither."""
        solver, time = self.routing.solver(), self.routing.GetDimensionOrDie("time")
        position = {stop: number for number, stop in enumerate(self.stops)}
        for unit in self.instance.units:
            if len(unit) == 2 and unit[0] in position:
                first, second = (self.index[position[stop]] for stop in unit)
                self.routing.AddPickupAndDelivery(first, second)
                solver.Add(self.routing.VehicleVar(first) == self.routing.VehicleVar(second))
                solver.Add(self.routing.ActiveVar(first) == self.routing.ActiveVar(second))
                solver.Add(time.CumulVar(first) <= time.CumulVar(second))
