"""Rounds under construction: where a stop or a pair fits, and at what cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing.pickup.features import TOURS
from routing.pickup.gaps import NOT_POSSIBLE, Fleet, Ints, Verdict, gaps_of_round, joined, judge
from routing.pickup.instance import Instance, Sequences

_GAPS_ALL = 60  # where rounds have no more gaps than this, every place is timed exactly
_GAPS_TIMED = 4  # otherwise so many of those that look best
_GAPS_TRIED = 24  # and if none of them fits, up to so many


@dataclass(frozen=True, slots=True)
class Place:
    """A vehicle's round with something put in."""

    vehicle: int
    stops: list[int]


class Rounds:
    """Rounds under construction, with the gaps between their stops.

    Gaps tell at once what plain tours cost. Where a problem has more features than tours, they only tell
    where to look: the round itself, timed exactly, decides.

    Attributes:
        instance: the problem.
        sequences: the rounds; changed by `insert` and `replace` only.
        gaps: one row a gap, in the order of vehicles.
    """

    def __init__(self, instance: Instance, sequences: Sequences) -> None:
        self.instance = instance
        self.sequences = [list(stops) for stops in sequences]
        self._fleet = Fleet.of(instance.vehicles)
        self._profiles = np.array(instance.profile, dtype=np.intp)
        self._hasten = max(instance.rules.speed_by_hour, default=1.0)
        self._costs: dict[int, int] = {}
        self.gaps = joined([self._gaps(vehicle) for vehicle in range(len(instance.vehicles))])

    def unserved(self) -> list[tuple[int, ...]]:
        """Units in no round, in ascending order."""
        served = {stop for stops in self.sequences for stop in stops}
        return [unit for unit in self.instance.units if unit[0] not in served]

    def cost(self, vehicle: int) -> int:
        """Cost of a round, zero if it is empty, in 1 / COST_SCALE minor units."""
        if vehicle not in self._costs:
            stops = self.sequences[vehicle]
            cost = self.instance.route_cost(vehicle, stops) if stops else 0
            assert cost is not None, "a round that keeps the rules"
            self._costs[vehicle] = cost
        return self._costs[vehicle]

    def verdict(self, stop: int) -> Verdict:
        """Judge a stop in all gaps; vehicles that may not serve it at all are judged like the others."""
        instance, gaps = self.instance, self.gaps
        profiles = self._profiles[gaps["vehicle"]]
        previous, following = gaps["previous"], gaps["next"]
        return judge(
            instance.stops[stop],
            instance.rules.load_change(instance.stops[stop]),
            gaps,
            self._fleet,
            self._hastened(instance.seconds[profiles, previous, stop].astype(np.int64)),
            instance.distances[profiles, previous, stop].astype(np.int64),
            self._hastened(instance.seconds[profiles, stop, following].astype(np.int64)),
            instance.distances[profiles, stop, following].astype(np.int64),
            instance.at_stop[stop],
        )

    def cheapest(
        self, unit: tuple[int, ...], barred: npt.NDArray[np.bool_] | None = None
    ) -> tuple[int, Place | None]:
        """Extra cost (1 / COST_SCALE minor units) of the cheapest place for a stop or a pair, and the place.

        Args:
            unit: what is to be put in.
            barred: gaps that are passed over.
        """
        if not self.instance.eligible[unit[0]].any() or not len(self.gaps):
            return NOT_POSSIBLE, None
        cost = self._judged(unit[0], barred)
        if len(unit) == 1 and self.instance.features <= TOURS:
            row = int(cost.argmin())
            if cost[row] >= NOT_POSSIBLE:
                return NOT_POSSIBLE, None
            vehicle, position = int(self.gaps["vehicle"][row]), int(self.gaps["position"][row])
            return int(cost[row]), self._with(vehicle, unit, (position,))
        places = self._singles(unit, cost) if len(unit) == 1 else self._pairs(unit, cost, barred)
        return self._best(places, everything=len(self.gaps) <= _GAPS_ALL)

    def appended(self, unit: tuple[int, ...], vehicle: int) -> Place | None:
        """The unit at the end of a vehicle's round; None if that breaks a rule."""
        stops = [*self.sequences[vehicle], *unit]
        return Place(vehicle, stops) if self.instance.route_cost(vehicle, stops) is not None else None

    def pays(self, unit: tuple[int, ...], place: Place) -> bool:
        """Tell whether a place costs less than leaving the unit out."""
        cost = self.instance.route_cost(place.vehicle, place.stops)
        assert cost is not None, "a place that fits"
        return cost - self.cost(place.vehicle) < self.instance.penalty(unit)

    def insert(self, place: Place) -> None:
        """Give a vehicle the round of a place."""
        self.replace({place.vehicle: place.stops})

    def replace(self, stops_by_vehicle: dict[int, list[int]]) -> None:
        """Give vehicles other rounds, which keep the rules."""
        pieces, done = [], 0
        for vehicle, stops in sorted(stops_by_vehicle.items()):
            self.sequences[vehicle] = stops
            self._costs.pop(vehicle, None)
            first, last = np.searchsorted(self.gaps["vehicle"], [vehicle, vehicle + 1])
            pieces += [self.gaps[done:first], self._gaps(vehicle)]
            done = last
        self.gaps = joined([*pieces, self.gaps[done:]])

    def _judged(self, stop: int, barred: npt.NDArray[np.bool_] | None) -> Ints:
        allowed = self.instance.eligible[stop][self.gaps["vehicle"]]
        if barred is not None:
            allowed = allowed & ~barred
        return np.where(allowed, self.verdict(stop).cost, NOT_POSSIBLE)

    def _singles(self, unit: tuple[int, ...], cost: Ints) -> Iterator[Place]:
        for row in np.argsort(cost, kind="stable").tolist():
            if cost[row] >= NOT_POSSIBLE:
                return
            position = int(self.gaps["position"][row])
            yield self._with(int(self.gaps["vehicle"][row]), unit, (position,))

    def _pairs(
        self, unit: tuple[int, ...], cost: Ints, barred: npt.NDArray[np.bool_] | None
    ) -> Iterator[Place]:
        """Both stops of a pair, the places that look cheapest first."""
        second = self._judged(unit[1], barred)
        vehicles, positions = self.gaps["vehicle"], self.gaps["position"]
        rows = np.argsort(cost, kind="stable")[:_GAPS_ALL]
        everything = len(self.gaps) <= _GAPS_ALL
        if everything:  # where ways are odd, a stop may fit only together with the other one
            rows = rows[self.instance.eligible[unit[0]][vehicles[rows]]]
        else:
            rows = rows[cost[rows] < NOT_POSSIBLE]
        found = []
        for row in rows.tolist():
            found.append((int(cost[row]), row, row))
            last = int(np.searchsorted(vehicles, vehicles[row], side="right"))
            later = [other for other in range(row + 1, last) if everything or second[other] < NOT_POSSIBLE]
            found += [(int(cost[row]) + int(second[other]), row, other) for other in later]
        for _, row, other in sorted(found):
            yield self._with(int(vehicles[row]), unit, (int(positions[row]), int(positions[other])))

    def _best(self, places: Iterable[Place], *, everything: bool) -> tuple[int, Place | None]:
        best: tuple[int, Place | None] = (NOT_POSSIBLE, None)
        for tried, place in enumerate(places):
            if not everything and (tried >= _GAPS_TRIED or (tried >= _GAPS_TIMED and best[1] is not None)):
                break
            cost = self.instance.route_cost(place.vehicle, place.stops)
            if cost is not None and cost - self.cost(place.vehicle) < best[0]:
                best = (cost - self.cost(place.vehicle), place)
        return best

    def _with(self, vehicle: int, unit: tuple[int, ...], positions: tuple[int, ...]) -> Place:
        """A round with each stop of a unit before the stop that is now at its position."""
        stops = list(self.sequences[vehicle])
        for stop, position in sorted(zip(unit, positions, strict=True), key=lambda one: -one[1]):
            stops.insert(position, stop)
        if len(unit) == 2 and positions[0] == positions[1]:
            stops[positions[0] : positions[0] + 2] = unit
        return Place(vehicle, stops)

    def _hastened(self, seconds: Ints) -> Ints:
        """Travel times in the best of all hours."""
        return seconds if self._hasten == 1 else np.floor(seconds / self._hasten).astype(np.int64)

    def _gaps(self, vehicle: int) -> npt.NDArray[np.void]:
        instance, stops = self.instance, self.sequences[vehicle]
        travel_s, legs_m = instance.legs(vehicle, stops)
        levels = instance.loads_aboard(stops)
        if instance.vehicles[vehicle].reloads:  # where it reloads is known only for a whole round
            travel_s, legs_m = instance.shortest_legs(vehicle, stops)
            levels = np.zeros_like(levels)
        return gaps_of_round(
            vehicle,
            instance.vehicles[vehicle],
            [instance.start_node[vehicle], *stops, instance.end_node[vehicle]],
            [instance.stops[stop] for stop in stops],
            instance.rules.at_best(travel_s),
            legs_m,
            levels,
        )
