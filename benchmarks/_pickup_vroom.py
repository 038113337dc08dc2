"""VROOM as a contender: an instance told to it as its users would, and its rounds told back."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

try:
    import vroom
except ImportError:  # `make bench` installs it where there is a package
    vroom = None

from routing.pickup.features import Feature
from routing.pickup.instance import Instance, Sequences

EXPLORATION = 5  # the most it offers
_KNOWN = frozenset({Feature.BREAKS, Feature.PAIRS})  # of those that these questions ask for


def can_plan(instance: Instance) -> bool:
    """Tell whether VROOM is there, and knows all that the instance asks for."""
    return vroom is not None and instance.features <= _KNOWN


def plan(instance: Instance, seconds: float, threads: int) -> Sequences | None:
    """VROOM's rounds.

    Hours are paid on the road alone there, also where the instance pays the whole shift: waiting is not
    seen. What the rounds cost is for the caller to count.

    Args:
        instance: one it `can_plan`.
        seconds: when it is told to stop.
        threads: how many it may use.

    Returns:
        None if it leaves a stop out.
    """
    told = _input(instance)
    found = told.solve(EXPLORATION, threads, timeout=timedelta(seconds=seconds))
    table = found.routes
    sequences: Sequences = [[] for _ in instance.vehicles]
    served = table[table["type"].isin(("job", "pickup", "delivery"))]
    for vehicle, stop in zip(served["vehicle_id"].tolist(), served["id"].tolist(), strict=True):
        sequences[int(vehicle)].append(int(stop))
    return sequences if sum(map(len, sequences)) == len(instance.stops) else None


def _input(instance: Instance) -> vroom.Input:
    told = vroom.Input()
    for profile in range(len(instance.seconds)):
        told.set_durations_matrix(f"{profile}", instance.seconds[profile].astype(np.uint32))
        told.set_distances_matrix(f"{profile}", instance.distances[profile].astype(np.uint32))
    number = {skill: n for n, skill in enumerate(sorted({s for stop in instance.stops for s in stop.skills}))}
    closes = max(vehicle.shift[1] for vehicle in instance.vehicles)

    def step(stop: int) -> dict[str, object]:
        one = instance.stops[stop]
        windows = one.windows or ((0, closes),)
        return {
            "id": stop,
            "location": stop,
            "default_service": one.service_s,
            "time_windows": [vroom.TimeWindow(*window) for window in windows],
        }

    for stop, (one, partner) in enumerate(zip(instance.stops, instance.partner, strict=True)):
        skills = {number[skill] for skill in one.skills}
        if partner < 0:
            goods = {"delivery" if instance.is_delivery[stop] else "pickup": one.load}
            told.add_job(vroom.Job(**step(stop), **goods, skills=skills))
        elif not instance.is_delivery[stop]:
            ends = (vroom.ShipmentStep(**step(stop)), vroom.ShipmentStep(**step(partner)))
            told.add_shipment(*ends, amount=vroom.Amount(one.load), skills=skills)
    for vehicle, van in enumerate(instance.vehicles):
        rests = [
            vroom.Break(n, [vroom.TimeWindow(*window) for window in rest.windows], rest.duration_s)
            for n, rest in enumerate(van.breaks)
        ]
        told.add_vehicle(
            vroom.Vehicle(
                vehicle,
                start=instance.start_node[vehicle],
                end=instance.end_node[vehicle],
                profile=f"{instance.profile[vehicle]}",
                capacity=van.capacity,
                skills={number[skill] for skill in van.skills if skill in number},
                time_window=vroom.TimeWindow(*van.shift),
                breaks=rests,
                costs=vroom.VehicleCosts(van.cost_fixed, van.cost_per_hour, van.cost_per_km),
                **({} if van.stops_max is None else {"max_tasks": van.stops_max}),
                **({} if van.distance_m_max is None else {"max_distance": van.distance_m_max}),
            )
        )
    return told
