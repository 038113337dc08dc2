"""Which instances PyVRP can plan, which vehicles are alike to it, and the rounds of such a kind."""

from dataclasses import dataclass
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import (
    COST_SCALE,
    cost_per_metre_scaled,
    cost_per_second_scaled,
    per_second_scaled,
)
from routing.pickup.features import PRICES, Feature
from routing.pickup.instance import Instance
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.vehicles import Vehicle

_BYTES_MAX = 600_000_000  # of all matrices of a model
_COST_MAX = 2**53  # of any round that could be: far from overflow where penalties come on top

UNLIMITED = 2**63 - 1  # PyVRP's own sign for no limit

Visits: TypeAlias = tuple[int, ...]
Profile: TypeAlias = tuple[int, bytes, tuple[object, ...]]


def can_plan(instance: Instance) -> bool:
    """Tell whether the engine can hold all rules of the instance in a sensible amount of memory."""
    if not holds_rules(instance):
        return False
    nodes = len(instance.service_s) + 1
    profiles = len(set(profile_keys(instance)))
    return profiles * nodes * nodes * 16 <= _BYTES_MAX


def holds_rules(instance: Instance) -> bool:
    """Tell whether it can hold all rules, of the whole or of parts of it."""
    if instance.features - {Feature.PAIRS, Feature.DURATION_LIMIT, Feature.SOFT_DURATION} - PRICES:
        return False
    if Feature.PAIRS in instance.features and not _pairs_held(instance):
        return False
    return bool(instance.vehicles) and bool(instance.stops) and _prices_held(instance)


def _prices_held(instance: Instance) -> bool:
    """Prices of legs take the place of metres, so no limit of metres can stand beside them."""
    if not is_priced(instance):
        return True
    unlimited = all(vehicle.distance_m_max is None for vehicle in instance.vehicles)
    dearest = max((_dearest_leg(instance, vehicle) for vehicle in range(len(instance.vehicles))), default=0)
    return unlimited and dearest * (len(instance.stops) + 1) <= _COST_MAX


def _dearest_leg(instance: Instance, vehicle: int) -> int:
    """No leg costs more."""
    limits = instance.vehicles[vehicle]
    metres, seconds = instance.longest_legs[instance.profile[vehicle]]
    return (
        metres * cost_per_metre_scaled(limits)
        + seconds * per_second_scaled(limits.cost_per_driving_hour)
        + int(instance.at_stop[:, vehicle].max(initial=0))
    )


def is_priced(instance: Instance) -> bool:
    """Whether legs cost more than their metres and the hours of the round."""
    return not instance.features.isdisjoint(PRICES)


def cost_unit(instance: Instance) -> int:
    """Largest unit, in 1 / COST_SCALE minor units, in which all costs are whole: it keeps numbers small."""
    vehicles = instance.vehicles
    costs = [vehicle.cost_fixed * COST_SCALE for vehicle in vehicles]
    costs += [cost_per_metre_scaled(vehicle) for vehicle in vehicles]
    costs += [cost_per_second_scaled(vehicle) for vehicle in vehicles]
    costs += [per_second_scaled(one.cost_per_hour_after_soft_max) for one in vehicles if one.prefers_short]
    if is_priced(instance):
        costs += [per_second_scaled(vehicle.cost_per_driving_hour) for vehicle in vehicles]
        costs += np.unique(instance.at_stop).tolist()
    if instance.has_prizes:
        costs += instance.penalties
    return gcd(*costs) or 1


def leg_prices(instance: Instance, vehicle: int) -> npt.NDArray[np.int64]:
    """What each way costs a vehicle beside the hours of its round, with the stop at its end.

    Returns:
        From node, to node, in 1 / COST_SCALE minor units; ways that are none cost nothing.
    """
    limits, profile = instance.vehicles[vehicle], instance.profile[vehicle]
    metres, seconds = instance.distances[profile], instance.seconds[profile]
    real = (metres < UNREACHABLE) & (seconds < UNREACHABLE)
    prices: npt.NDArray[np.int64] = np.where(real, metres, 0).astype(np.int64) * cost_per_metre_scaled(limits)
    prices += np.where(real, seconds, 0).astype(np.int64) * per_second_scaled(limits.cost_per_driving_hour)
    prices[:, : len(instance.stops)] += instance.at_stop[:, vehicle]
    np.fill_diagonal(prices, 0)
    return prices


def _pairs_held(instance: Instance) -> bool:
    """Shipments have no limit of the ride, one window at each end, and no part in a count of stops."""
    paired = [stop for stop, partner in zip(instance.stops, instance.partner, strict=True) if partner >= 0]
    return (
        all(pair.ride_s_max is None for pair in instance.rules.pair_of.values())
        and all(len(stop.open_windows) == 1 and not stop.collects for stop in paired)
        and all(vehicle.stops_max is None for vehicle in instance.vehicles)
    )


def profile_keys(instance: Instance) -> list[Profile]:
    """What decides about each vehicle's matrices: its speed, the stops it may serve, and its prices."""
    eligible = [instance.eligible[:, vehicle].tobytes() for vehicle in range(len(instance.vehicles))]
    if not is_priced(instance):
        return [(profile, may, ()) for profile, may in zip(instance.profile, eligible, strict=True)]
    return [
        (
            profile,
            may,
            (vehicle.cost_per_km, vehicle.cost_per_driving_hour, instance.at_stop[:, number].tobytes()),
        )
        for number, (profile, may, vehicle) in enumerate(
            zip(instance.profile, eligible, instance.vehicles, strict=True)
        )
    ]


def kinds(instance: Instance) -> list[list[int]]:
    """The vehicles of each kind: a round costs the same, whoever of them drives it."""
    keys = profile_keys(instance)
    alike: dict[object, list[int]] = {}
    for number, vehicle in enumerate(instance.vehicles):
        key = (
            keys[number],
            instance.start_node[number],
            instance.end_node[number],
            vehicle.shift,
            vehicle.capacity,
            (vehicle.cost_fixed, vehicle.cost_per_hour, vehicle.cost_per_km),
            (vehicle.stops_max, vehicle.distance_m_max, vehicle.duration_s_max),
            (vehicle.duration_s_soft_max, vehicle.cost_per_hour_after_soft_max),
        )
        alike.setdefault(key, []).append(number)
    return list(alike.values())


def lengths(vehicle: Vehicle, unit: int) -> tuple[int, int, int]:
    """How long a round may be; what is longer than it should be is overtime to the engine.

    Args:
        vehicle: of the instance.
        unit: of the model's costs.

    Returns:
        Seconds before overtime, seconds of overtime at most, and what one of these costs.
    """
    most_s, soft_s = vehicle.duration_s_max, vehicle.duration_s_soft_max
    if not vehicle.prefers_short or soft_s is None or (most_s is not None and most_s <= soft_s):
        return UNLIMITED if most_s is None else most_s, 0, 0
    longest_s = vehicle.shift[1] - vehicle.shift[0] if most_s is None else most_s
    price = per_second_scaled(vehicle.cost_per_hour_after_soft_max) // unit
    return soft_s, max(0, longest_s - soft_s), price


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
