"""Cheapest insertion: the engine that always gives a plan, and quickly.

Stops are taken in the order of a sweep around the vehicles' starts, each into the cheapest place of all
rounds, both stops of a pair together. It is the start of every other engine, and the last word where time is
short.
"""

from collections.abc import Iterable

import numpy as np

from routing.pickup.effort import Effort
from routing.pickup.engines.rounds import Rounds
from routing.pickup.instance import Instance, Sequences


def construct(instance: Instance, effort: Effort) -> Sequences:
    """Plan all rounds from nothing.

    Where the first order of stops leaves some out, a second try takes the stops with few vehicles and high
    priority first, and the better of both is kept.

    Returns:
        Rounds that keep all rules. Stops may be missing: those that fit nowhere, or whose turn had not
        come when the time was over.
    """
    sweep = _sweep(instance, effort.seed)
    first = _insert_all(instance, sweep, effort)
    if not first.unserved() or effort.over():
        return without_unprofitable(instance, first.sequences)
    choices = instance.eligible.sum(axis=1)
    urgent = sorted(
        sweep,
        key=lambda unit: (-max(instance.stops[stop].priority for stop in unit), choices[unit[0]]),
    )
    tries = [first.sequences, _insert_all(instance, urgent, effort).sequences]
    return min(
        (without_unprofitable(instance, sequences) for sequences in tries),
        key=lambda one: _known_cost(instance, one),
    )


def complete(instance: Instance, sequences: Sequences, effort: Effort) -> Sequences:
    """Put in what still fits and pays, take out what does not pay, until nothing changes.

    Every round of changes lowers cost plus penalties, so this ends.
    """
    while True:
        rounds = Rounds(instance, sequences)
        before = _known_cost(instance, sequences)
        for unit in rounds.unserved():
            if effort.left() <= 0:
                break
            cost, place = rounds.cheapest(unit)
            # the cost of a gap may be off where stops have several windows: the round itself decides
            if place is not None and cost < instance.penalty(unit) and rounds.pays(unit, place):
                rounds.insert(place)
        sequences = without_unprofitable(instance, rounds.sequences)
        if effort.left() <= 0 or _known_cost(instance, sequences) >= before:
            return sequences


def repaired(instance: Instance, sequences: Sequences, effort: Effort) -> Sequences:
    """Rounds that keep all rules, as near as may be to rounds that need not.

    From a round that breaks a rule its units are put, in their order, into a new one; what does not fit there
    goes wherever it is cheapest.
    """
    kept = [
        stops if not stops or instance.route_cost(vehicle, stops) is not None else []
        for vehicle, stops in enumerate(sequences)
    ]
    rounds = Rounds(instance, kept)
    for vehicle, stops in enumerate(sequences):
        if kept[vehicle] or not stops:
            continue
        for unit in dict.fromkeys(instance.units[instance.unit_of[stop]] for stop in stops):
            place = rounds.appended(unit, vehicle)
            if place is not None:
                rounds.insert(place)
    return complete(instance, rounds.sequences, effort)


def without_unprofitable(instance: Instance, sequences: Sequences) -> Sequences:
    """The rounds without stops that cost more than leaving them out.

    Without prizes leaving out is dearer than any round, and the rounds come back as they are.
    """
    return [_profitable(instance, vehicle, stops) for vehicle, stops in enumerate(sequences)]


def _profitable(instance: Instance, vehicle: int, stops: list[int]) -> list[int]:
    cost = instance.route_cost(vehicle, stops) if stops else 0
    while stops and cost is not None and cost >= min(instance.penalties[stop] for stop in stops):
        gains = []
        for number in dict.fromkeys(instance.unit_of[stop] for stop in stops):
            unit = instance.units[number]
            rest = [stop for stop in stops if stop not in unit]
            rest_cost = instance.route_cost(vehicle, rest) if rest else 0
            if rest_cost is not None:
                gains.append((cost - rest_cost - instance.penalty(unit), -number, rest_cost, rest))
        gain, _, rest_cost, rest = max(gains, default=(0, 0, 0, stops))
        if gain <= 0:
            break
        stops, cost = rest, rest_cost
    worth = sum(instance.penalties[stop] for stop in stops)
    return [] if cost is not None and cost > worth else stops


def _insert_all(instance: Instance, order: Iterable[tuple[int, ...]], effort: Effort) -> Rounds:
    rounds = Rounds(instance, [[] for _ in instance.vehicles])
    for unit in order:
        if effort.left() <= 0:
            break
        _, place = rounds.cheapest(unit)
        if place is not None:
            rounds.insert(place)
    return rounds


def _sweep(instance: Instance, seed: int) -> list[tuple[int, ...]]:
    """Units by direction from the middle of the vehicles' starts; the seed chooses where to begin."""
    if not instance.vehicles or not instance.stops:
        return []
    places = np.array([instance.stops[unit[0]].point for unit in instance.units])
    bases = [vehicle.start or vehicle.end for vehicle in instance.vehicles]
    middle = np.array(bases, dtype=np.float64).mean(axis=0)
    north, east = (places - middle).T
    angle = np.arctan2(north, east * np.cos(np.radians(middle[0]))) / (2 * np.pi)
    begin = np.random.default_rng(seed).random()
    order = np.argsort((angle - begin) % 1.0, kind="stable").tolist()
    return [instance.units[number] for number in order]


def _known_cost(instance: Instance, sequences: Sequences) -> int:
    cost = instance.cost(sequences)
    assert cost is not None, "rounds that keep the rules"
    return cost
