"""Which instances PyVRP can plan, which vehicles are alike to it, and the rounds of such a kind."""

from dataclasses import dataclass
from typing import TypeAlias

from routing.pickup.features import Feature
from routing.pickup.instance import Instance

_BYTES_MAX = 600_000_000  # of all matrices of a model

Visits: TypeAlias = tuple[int, ...]


def can_plan(instance: Instance) -> bool:
    """Tell whether the engine can hold all rules of the instance in a sensible amount of memory."""
    if instance.features - {Feature.PAIRS, Feature.DURATION_LIMIT}:
        return False
    if Feature.PAIRS in instance.features and not _pairs_held(instance):
        return False
    nodes = len(instance.service_s) + 1
    profiles = len(set(profile_keys(instance)))
    return bool(instance.vehicles) and bool(instance.stops) and profiles * nodes * nodes * 16 <= _BYTES_MAX


def _pairs_held(instance: Instance) -> bool:
    """Shipments have no limit of the ride, one window at each end, and no part in a count of stops."""
    paired = [stop for stop, partner in zip(instance.stops, instance.partner, strict=True) if partner >= 0]
    return (
        all(pair.ride_s_max is None for pair in instance.rules.pair_of.values())
        and all(len(stop.open_windows) == 1 and not stop.collects for stop in paired)
        and all(vehicle.stops_max is None for vehicle in instance.vehicles)
    )


def profile_keys(instance: Instance) -> list[tuple[int, bytes]]:
    """What decides about each vehicle's matrix: its speed, and the stops it may serve."""
    return [
        (profile, instance.eligible[:, vehicle].tobytes()) for vehicle, profile in enumerate(instance.profile)
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
