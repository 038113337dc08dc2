"""A problem with its clock made simple: tours that an engine for tours can plan, near the problem.

Breaks shorten the shift, setup counts at every stop, late starts and overtime are given up, and traffic is
the mean of the shifts' hours. A vehicle that may reload carries as much more instead. Ride limits, closed
areas, the ways to outlets and goods that are ready late are left to the repair.
"""

from dataclasses import replace

import numpy as np

from routing.pickup.features import TOURS, Feature
from routing.pickup.instance import Instance
from routing.pickup.matrix import at_speed
from routing.pickup.problem import Stop, StopKind, Vehicle
from routing.pickup.rules import Rules
from routing.pickup.values import AMOUNT_MAX

_HOUR_S = 3600


def eased(instance: Instance, *, with_breaks: bool = False) -> Instance:
    """The instance with features of tours and limits of time only; all numbers stay what they stand for.

    Args:
        instance: the problem.
        with_breaks: keep them as they are, for an engine that knows breaks.
    """
    stops = tuple(_eased_stop(stop) for stop in instance.stops)
    pairs = {stop_id: replace(pair, ride_s_max=None) for stop_id, pair in instance.rules.pair_of.items()}
    nodes = len(instance.service_s) - len(stops)
    kept = TOURS | {Feature.DURATION_LIMIT} | ({Feature.BREAKS} if with_breaks else frozenset())
    open_at_all = np.array([bool(stop.open_windows) for stop in stops], dtype=np.bool_)
    open_at_all &= np.array([other < 0 or open_at_all[other] for other in instance.partner], dtype=np.bool_)
    vehicles = tuple(_eased_vehicle(vehicle, with_breaks) for vehicle in instance.vehicles)
    return replace(
        instance,
        stops=stops,
        vehicles=vehicles,
        features=instance.features & kept,
        eligible=instance.eligible & open_at_all[:, None],
        capacity=np.array([vehicle.capacity for vehicle in vehicles], dtype=np.int64).reshape(
            instance.capacity.shape
        ),
        rules=Rules((), (), pairs),
        seconds=at_speed(instance.seconds, _mean_speed(instance)),
        service_s=[*(stop.service_s for stop in stops), *([0] * nodes)],
    )


def _eased_stop(stop: Stop) -> Stop:
    return replace(
        stop,
        service_s=stop.service_s + stop.setup_s,
        setup_s=0,
        release_s=stop.release_s if stop.kind is StopKind.PICKUP else 0,
        requested_s=None,
        late_cost_per_hour=0,
        late_s_max=0,
    )


def _eased_vehicle(vehicle: Vehicle, with_breaks: bool) -> Vehicle:
    rest_s = 0 if with_breaks else sum(rest.duration_s for rest in vehicle.breaks)
    first_s, last_s = vehicle.shift
    trips = 1 + vehicle.reloads_max
    grams, cm3, pieces, *more = (min(AMOUNT_MAX, trips * amount) for amount in vehicle.capacity)
    return replace(
        vehicle,
        capacity_g=grams,
        capacity_cm3=cm3,
        capacity_pieces=pieces,
        more_capacity=tuple(more),
        shift=(first_s, max(first_s, last_s - rest_s)),
        breaks=vehicle.breaks if with_breaks else (),
        overtime_s_max=0,
        overtime_cost_per_hour=0,
        reloads_max=0,
    )


def _mean_speed(instance: Instance) -> float:
    speeds = instance.rules.speed_by_hour
    hours = {
        hour % len(speeds)
        for vehicle in instance.vehicles
        for hour in range(vehicle.shift[0] // _HOUR_S, vehicle.shift[1] // _HOUR_S + 1)
        if speeds
    }
    return float(np.mean([speeds[hour] for hour in hours])) if hours else 1.0
