"""Ruin and recreate: stops near each other are taken out and put back where they are cheapest.

For problems with more features than tours: each round is timed exactly, whatever its rules. After Schrimpf,
Schneider, Stamm-Wilbrandt and Dueck (2000), "Record breaking optimization results using the ruin and recreate
principle", and Christiaens and Vanden Berghe (2020), "Slack induction by string removals for vehicle routing
problems": neighbouring strings are removed, gaps are passed over now and then, and dearer plans are accepted
within a limit that falls.
"""

import numpy as np

from routing.pickup.costs import to_minor
from routing.pickup.effort import Effort
from routing.pickup.engines.rounds import Rounds
from routing.pickup.instance import Instance, Sequences

_REMOVED_MEAN = 10
_STRING_MAX = 10
_NEIGHBOURS = 60
_BLINK = 0.02
_WARM, _COLD = 0.02, 0.0002  # accepted above the present plan, as a share of its cost a unit


def improve(
    instance: Instance, sequences: Sequences, effort: Effort, seconds: float, steps: int | None
) -> Sequences:
    """Search for cheaper rounds.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: of the whole run, for its reports and its stop.
        seconds: how long to search; without meaning under a step limit.
        steps: how many plans to make; None: the clock counts.

    Returns:
        The best rounds found; those given if none is better.
    """
    search = _Search(instance, sequences, effort.seed)
    begun = effort.elapsed()
    done = 0
    while not effort.stopped:
        share = done / max(1, steps) if steps is not None else (effort.elapsed() - begun) / max(seconds, 1e-9)
        if share >= 1 or not len(search.units):
            break
        if search.step(share):
            effort.report(to_minor(search.best_rounds_cost), len(instance.stops) - search.best_served)
        done += 1
    return search.best


class _Search:
    """The present plan, the best plan, and who is near to whom."""

    def __init__(self, instance: Instance, sequences: Sequences, seed: int) -> None:
        self.instance = instance
        self.random = np.random.default_rng(seed)
        self.units = [
            number for number, unit in enumerate(instance.units) if instance.eligible[unit[0]].any()
        ]
        self.rounds = Rounds(instance, sequences)
        self.cost = self._cost_of(self.rounds)
        self.best = [list(stops) for stops in sequences]
        self.best_cost = self.cost
        self._note_best()
        self.near = self._neighbours()

    def step(self, share: float) -> bool:
        """Make one plan out of the present one; tell whether it is the best so far.

        Args:
            share: of the search that is over, 0 to 1.
        """
        before = {vehicle: list(stops) for vehicle, stops in enumerate(self.rounds.sequences)}
        absent = self.rounds.unserved()
        removed = self._ruined()
        self._recreate([*removed, *(unit for unit in absent if self.random.random() < 0.5)])
        cost = self._cost_of(self.rounds)
        warmth = _WARM * (_COLD / _WARM) ** share
        rounds_cost = sum(self.rounds.cost(vehicle) for vehicle in before)
        limit = self.cost - int(warmth * rounds_cost * np.log(max(self.random.random(), 1e-12)) / 10)
        if cost > limit:
            changed = {
                vehicle: stops for vehicle, stops in before.items() if stops != self.rounds.sequences[vehicle]
            }
            self.rounds.replace(changed)
            return False
        self.cost = cost
        if cost < self.best_cost:
            self.best = [list(stops) for stops in self.rounds.sequences]
            self.best_cost = cost
            self._note_best()
            return True
        return False

    def _note_best(self) -> None:
        self.best_served = sum(len(stops) for stops in self.best)
        self.best_rounds_cost = sum(self.rounds.cost(vehicle) for vehicle in range(len(self.best)))

    def _cost_of(self, rounds: Rounds) -> int:
        lost = sum(self.instance.penalty(unit) for unit in rounds.unserved())
        return lost + sum(rounds.cost(vehicle) for vehicle in range(len(rounds.sequences)))

    def _ruined(self) -> list[tuple[int, ...]]:
        """Take strings of neighbouring rounds out."""
        instance = self.instance
        vehicle_of = {stop: vehicle for vehicle, stops in enumerate(self.rounds.sequences) for stop in stops}
        wanted = int(self.random.integers(1, 2 * _REMOVED_MEAN))
        seed = self.units[int(self.random.integers(len(self.units)))]
        gone: set[int] = set()
        ruined: set[int] = set()
        whole = self.random.random() < 0.1
        for number in self.near[seed]:
            if len(gone) >= wanted:
                break
            stop = instance.units[number][0]
            vehicle = vehicle_of.get(stop)
            if vehicle is None or vehicle in ruined or number in gone:
                continue
            ruined.add(vehicle)
            stops = self.rounds.sequences[vehicle]
            longest = len(stops) if whole else min(_STRING_MAX, len(stops), wanted)
            length = longest if whole else int(self.random.integers(1, longest + 1))
            first = stops.index(stop) - int(self.random.integers(length))
            first = min(max(first, 0), len(stops) - length)
            gone.update(instance.unit_of[one] for one in stops[first : first + length])
        taken = {stop for number in gone for stop in instance.units[number]}
        changed = {
            vehicle: [stop for stop in self.rounds.sequences[vehicle] if stop not in taken]
            for vehicle in {vehicle_of[stop] for stop in taken}
        }
        broken = [
            vehicle
            for vehicle, stops in changed.items()
            if stops and instance.route_cost(vehicle, stops) is None
        ]
        for vehicle in broken:  # without the triangle inequality a shorter round may take longer
            gone.update(instance.unit_of[stop] for stop in changed[vehicle])
            changed[vehicle] = []
        self.rounds.replace(changed)
        return [instance.units[number] for number in sorted(gone)]

    def _recreate(self, units: list[tuple[int, ...]]) -> None:
        instance = self.instance
        order = int(self.random.integers(4))
        shuffled = [units[number] for number in self.random.permutation(len(units))]
        if order == 1:  # large ones first
            shuffled.sort(key=lambda unit: -int(instance.loads[unit[0]].sum()))
        elif order == 2:  # those with few vehicles and the dearest to leave out first
            shuffled.sort(key=lambda unit: (int(instance.eligible[unit[0]].sum()), -instance.penalty(unit)))
        elif order == 3:  # those with little choice of time first
            shuffled.sort(key=lambda unit: sum(w[1] - w[0] for w in instance.stops[unit[0]].open_windows))
        for unit in shuffled:
            barred = self.random.random(len(self.rounds.gaps)) < _BLINK
            cost, place = self.rounds.cheapest(unit, barred)
            if place is not None and cost < instance.penalty(unit):
                self.rounds.insert(place)

    def _neighbours(self) -> dict[int, list[int]]:
        """For each unit the nearest ones by travel time both ways, itself first."""
        instance = self.instance
        firsts = np.array([instance.units[number][0] for number in self.units], dtype=np.intp)
        found = {}
        for row, number in enumerate(self.units):
            there = instance.seconds[0, firsts[row], firsts].astype(np.int64)
            away = there + instance.seconds[0, firsts, firsts[row]]
            away[row] = -1
            order = np.argsort(away, kind="stable")[:_NEIGHBOURS]
            found[number] = [self.units[other] for other in order.tolist()]
        return found
