"""Cheapest insertion: the engine that always gives a plan, and quickly.

Stops are taken in the order of a sweep around the vehicles' starts, each into the cheapest gap of all
rounds. It is the start of every other engine, and the last word where time is short.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from routing.pickup.effort import Effort
from routing.pickup.gaps import NOT_POSSIBLE, Fleet, Verdict, gaps_of_round, joined, judge
from routing.pickup.instance import Instance, Sequences


class Rounds:
    """Rounds under construction, with the gaps between their stops.

    Attributes:
        instance: the problem.
        sequences: the rounds; changed by `insert` only.
        gaps: one row a gap, in the order of vehicles.
    """

    def __init__(self, instance: Instance, sequences: Sequences) -> None:
        self.instance = instance
        self.sequences = [list(stops) for stops in sequences]
        self._fleet = Fleet.of(instance.vehicles)
        self._profiles = np.array(instance.profile, dtype=np.intp)
        self.gaps = joined([self._gaps(vehicle) for vehicle in range(len(instance.vehicles))])

    def unserved(self) -> list[int]:
        """Stops in no round, in ascending order."""
        served = {stop for stops in self.sequences for stop in stops}
        return [stop for stop in range(len(self.instance.stops)) if stop not in served]

    def verdict(self, stop: int) -> Verdict:
        """Judge a stop in all gaps; vehicles that may not serve it at all are judged like the others."""
        instance, gaps = self.instance, self.gaps
        profiles = self._profiles[gaps["vehicle"]]
        previous, following = gaps["previous"], gaps["next"]
        return judge(
            instance.stops[stop],
            gaps,
            self._fleet,
            instance.seconds[profiles, previous, stop].astype(np.int64),
            instance.metres[previous, stop].astype(np.int64),
            instance.seconds[profiles, stop, following].astype(np.int64),
            instance.metres[stop, following].astype(np.int64),
        )

    def cheapest(self, stop: int) -> tuple[int, int]:
        """Extra cost (1 / COST_SCALE minor units) and row of the cheapest gap (`NOT_POSSIBLE`: none)."""
        if not self.instance.eligible[stop].any():
            return NOT_POSSIBLE, -1
        cost = np.where(
            self.instance.eligible[stop][self.gaps["vehicle"]], self.verdict(stop).cost, NOT_POSSIBLE
        )
        row = int(cost.argmin())
        return int(cost[row]), row

    def insert(self, stop: int, row: int) -> None:
        """Put a stop into the gap of that row."""
        vehicle = int(self.gaps["vehicle"][row])
        self.sequences[vehicle].insert(int(self.gaps["position"][row]), stop)
        first, last = np.searchsorted(self.gaps["vehicle"], [vehicle, vehicle + 1])
        self.gaps = joined([self.gaps[:first], self._gaps(vehicle), self.gaps[last:]])

    def _gaps(self, vehicle: int) -> npt.NDArray[np.void]:
        instance, stops = self.instance, self.sequences[vehicle]
        travel_s, legs_m = instance.legs(vehicle, stops)
        return gaps_of_round(
            vehicle,
            instance.vehicles[vehicle],
            [instance.start_node[vehicle], *stops, instance.end_node[vehicle]],
            [instance.stops[stop] for stop in stops],
            travel_s,
            legs_m,
        )


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
    urgent = sorted(sweep, key=lambda stop: (-instance.stops[stop].priority, choices[stop]))
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
        for stop in rounds.unserved():
            if effort.left() <= 0:
                break
            cost, row = rounds.cheapest(stop)
            # the cost of a gap may be off where stops have several windows: the round itself decides
            if cost < instance.penalties[stop] and _pays(rounds, stop, row):
                rounds.insert(stop, row)
        sequences = without_unprofitable(instance, rounds.sequences)
        if effort.left() <= 0 or _known_cost(instance, sequences) >= before:
            return sequences


def without_unprofitable(instance: Instance, sequences: Sequences) -> Sequences:
    """The rounds without stops that cost more than leaving them out.

    Without prizes leaving out is dearer than any round, and the rounds come back as they are.
    """
    return [_profitable(instance, vehicle, stops) for vehicle, stops in enumerate(sequences)]


def _profitable(instance: Instance, vehicle: int, stops: list[int]) -> list[int]:
    cost = instance.route_cost(vehicle, stops) if stops else 0
    while stops and cost is not None and cost >= min(instance.penalties[stop] for stop in stops):
        gains = []
        for position, stop in enumerate(stops):
            rest = [*stops[:position], *stops[position + 1 :]]
            rest_cost = instance.route_cost(vehicle, rest) if rest else 0
            if rest_cost is not None:
                gains.append((cost - rest_cost - instance.penalties[stop], -position, rest_cost, rest))
        gain, _, rest_cost, rest = max(gains, default=(0, 0, 0, stops))
        if gain <= 0:
            break
        stops, cost = rest, rest_cost
    worth = sum(instance.penalties[stop] for stop in stops)
    return [] if cost is not None and cost > worth else stops


def _pays(rounds: Rounds, stop: int, row: int) -> bool:
    instance = rounds.instance
    vehicle, position = int(rounds.gaps["vehicle"][row]), int(rounds.gaps["position"][row])
    old = rounds.sequences[vehicle]
    new_cost = instance.route_cost(vehicle, [*old[:position], stop, *old[position:]])
    old_cost = instance.route_cost(vehicle, old) if old else 0
    assert new_cost is not None, "a gap that fits"
    assert old_cost is not None, "a round that keeps the rules"
    return new_cost - old_cost < instance.penalties[stop]


def _insert_all(instance: Instance, order: Iterable[int], effort: Effort) -> Rounds:
    rounds = Rounds(instance, [[] for _ in instance.vehicles])
    for stop in order:
        if effort.left() <= 0:
            break
        cost, row = rounds.cheapest(stop)
        if cost < NOT_POSSIBLE:
            rounds.insert(stop, row)
    return rounds


def _sweep(instance: Instance, seed: int) -> list[int]:
    """Stops by direction from the middle of the vehicles' starts; the seed chooses where to begin."""
    if not instance.vehicles or not instance.stops:
        return []
    places = np.array([stop.point for stop in instance.stops])
    middle = np.array([vehicle.start for vehicle in instance.vehicles]).mean(axis=0)
    north, east = (places - middle).T
    angle = np.arctan2(north, east * np.cos(np.radians(middle[0]))) / (2 * np.pi)
    begin = np.random.default_rng(seed).random()
    order: list[int] = np.argsort((angle - begin) % 1.0, kind="stable").tolist()
    return order


def _known_cost(instance: Instance, sequences: Sequences) -> int:
    cost = instance.cost(sequences)
    assert cost is not None, "rounds that keep the rules"
    return cost
