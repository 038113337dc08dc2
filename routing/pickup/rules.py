"""What the rules of a problem mean for one round: windows as a vehicle sees them, setup, pairs, traffic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from routing.pickup.clockwork import Leg, Shift, Task
from routing.pickup.costs import per_second_scaled
from routing.pickup.matrix import UNREACHABLE, Point
from routing.pickup.schedule import Timetable, timetable
from routing.pickup.stops import Stop, StopKind
from routing.pickup.timing import cheapest
from routing.pickup.values import Load, Windows
from routing.pickup.vehicles import Vehicle

if TYPE_CHECKING:
    from routing.pickup.problem import Pair, Problem, Restriction

_HOUR_S = 3600


@dataclass(frozen=True, slots=True, eq=False)
class LoadChange:
    """What a stop does to the load, by measure.

    Attributes:
        at_start: aboard from the start of the round for it.
        change: at the stop.
        paired: the change is undone at the other stop of its pair.
    """

    at_start: npt.NDArray[np.int64]
    change: npt.NDArray[np.int64]
    paired: bool


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The rules of a problem that concern more than one stop or vehicle alone.

    Attributes:
        restrictions, speed_by_hour: see `Problem`.
        pair_of: the pair of each stop that has one, by its id.
    """

    restrictions: "tuple[Restriction, ...]"
    speed_by_hour: tuple[float, ...]
    pair_of: "Mapping[str, Pair]"
    _windows: dict[tuple[str, str], Windows] = field(default_factory=dict, repr=False)
    _changes: dict[str, LoadChange] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(problem: "Problem") -> "Rules":
        """The rules of a problem."""
        pair_of = {stop_id: pair for pair in problem.pairs for stop_id in (pair.pickup_id, pair.delivery_id)}
        return Rules(problem.restrictions, problem.speed_by_hour, pair_of)

    def load_change(self, stop: Stop) -> LoadChange:
        """What the stop does to the load of a round."""
        known = self._changes.get(stop.stop_id)
        if known is None:
            load = np.array(stop.load, dtype=np.int64)
            paired = stop.stop_id in self.pair_of
            brought = stop.kind is StopKind.DELIVERY
            at_start = load if brought and not paired else np.zeros_like(load)
            change = -load if brought else load
            if stop.collects:
                change = change + np.array(stop.collects, dtype=np.int64)
            known = self._changes[stop.stop_id] = LoadChange(at_start, change, paired)
        return known

    def levels(self, stops: Sequence[Stop], capacity: Load) -> npt.NDArray[np.int64]:
        """What is aboard at the start of a round and after each stop: (number of stops + 1) x measure.

        Args:
            stops: in the order of visit.
            capacity: of the vehicle; only its length counts.
        """
        levels = np.zeros((len(stops) + 1, len(capacity)), dtype=np.int64)
        for position, stop in enumerate(stops):
            change = self.load_change(stop)
            levels[0] += change.at_start
            levels[position + 1] = change.change
        return np.cumsum(levels, axis=0, dtype=np.int64)

    def windows(self, vehicle: Vehicle, stop: Stop) -> Windows:
        """When this vehicle may start service at the stop; empty: never."""
        key = (vehicle.vehicle_class, stop.stop_id)
        known = self._windows.get(key)
        if known is None:
            known = stop.open_windows
            for restriction in self.restrictions:
                if stop.area == restriction.area and vehicle.vehicle_class in restriction.vehicle_classes:
                    known = without(known, restriction.windows)
            self._windows[key] = known
        return known

    def durations(
        self, start: Point | None, stops: Sequence[Stop], outlets: Mapping[int, Point] | None = None
    ) -> list[int]:
        """Seconds at each stop: service, and setup where the place before it is another one.

        Args:
            start: place before the first stop.
            stops: in the order of visit.
            outlets: where a reload lies before a stop, by the stop's position.
        """
        places = [start, *(stop.point for stop in stops)]
        for position, outlet in (outlets or {}).items():
            places[position] = outlet
        return [
            stop.service_s + (stop.setup_s if before != stop.point else 0)
            for stop, before in zip(stops, places, strict=False)
        ]

    def leave_s(self, vehicle: Vehicle, stops: Sequence[Stop]) -> int:
        """Earliest departure: the shift has begun, and what is loaded at the start is ready."""
        return max(vehicle.shift[0], *(self.loaded_s(stop) for stop in stops), 0)

    def loaded_s(self, stop: Stop) -> int:
        """When what is loaded for the stop at the start of its trip is ready; zero: nothing is loaded."""
        loaded = stop.kind is StopKind.DELIVERY and stop.stop_id not in self.pair_of
        return stop.release_s if loaded else 0

    def pairs_kept(self, stops: Sequence[Stop]) -> bool:
        """Tell whether each pair is in the round with both stops, and in order."""
        if not self.pair_of:
            return True
        position = {stop.stop_id: number for number, stop in enumerate(stops)}
        missing = len(stops)
        return all(
            position.get(pair.pickup_id, missing) < position.get(pair.delivery_id, -1)
            for pair in (self.pair_of[stop.stop_id] for stop in stops if stop.stop_id in self.pair_of)
        )

    def rides(self, stops: Sequence[Stop]) -> list[tuple[int, int, int]]:
        """Positions of both stops of each pair with a ride-time limit, and the limit."""
        position = {stop.stop_id: number for number, stop in enumerate(stops)}
        return [
            (position[pair.pickup_id], position[pair.delivery_id], pair.ride_s_max)
            for pair in (
                self.pair_of[stop.stop_id]
                for stop in stops
                if stop.kind is StopKind.PICKUP and stop.stop_id in self.pair_of
            )
            if pair.ride_s_max is not None and pair.delivery_id in position
        ]

    def periods(self, vehicle: Vehicle) -> list[tuple[int, int, float]]:
        """First second, last second and speed factor of the hours of a shift, alike hours together."""
        if not self.speed_by_hour:
            return [(0, vehicle.latest_end_s, 1.0)]
        hours = range(vehicle.shift[0] // _HOUR_S, vehicle.latest_end_s // _HOUR_S + 1)
        periods: list[tuple[int, int, float]] = []
        for hour in hours:
            factor = self.speed_by_hour[hour % len(self.speed_by_hour)]
            first = hour * _HOUR_S
            if periods and periods[-1][2] == factor:
                first = periods.pop()[0]
            periods.append((first, (hour + 1) * _HOUR_S - 1, factor))
        return periods

    def timetable(
        self,
        vehicle: Vehicle,
        stops: Sequence[Stop],
        travel_s: Sequence[int],
        running: "Running | None" = None,
        loaded: Sequence[Stop] | None = None,
    ) -> Timetable | None:
        """The cheapest timetable of a round, and of these the shortest and earliest.

        Args:
            vehicle: who drives.
            stops: in the order of visit.
            travel_s: the legs before traffic, from the start to the end of the round.
            running: where the vehicle is, if it has left already; None: at its start.
            loaded: the stops whose goods are loaded at the start; None: all that are delivered to.

        Returns:
            None if none keeps all rules of time.
        """
        place, taken = vehicle.start, 0
        first_s = self.leave_s(vehicle, stops if loaded is None else loaded)
        last_s = latest_end_s = vehicle.latest_end_s
        longest_s, soft_s = vehicle.duration_s_max, vehicle.duration_s_soft_max
        if running is not None:
            place, first_s, taken = running.place, max(first_s, running.leave_s), running.breaks_taken
            last_s = first_s if running.has_left else last_s
            if longest_s is not None and running.left_s is not None:
                latest_end_s, longest_s = min(latest_end_s, running.left_s + longest_s), None
            if soft_s is not None and running.left_s is not None:
                soft_s -= first_s - running.left_s
        windows = [self.windows(vehicle, stop) for stop in stops]
        durations = self.durations(place, stops)
        if not all(windows):
            return None
        if not self.is_timed(vehicle, stops):
            end_s = min(vehicle.shift[1], latest_end_s)
            times = timetable(travel_s, durations, windows, (first_s, last_s), end_s)
            # it is the shortest of all
            return times if times is None or longest_s is None or times.duration_s <= longest_s else None
        periods = self.periods(vehicle)
        legs = [
            Leg(tuple((first, last, in_traffic(leg_s, factor)) for first, last, factor in periods))
            for leg_s in travel_s
        ]
        tasks = [
            Task(open_windows, duration_s, stop.due_s, per_second_scaled(stop.late_cost_per_hour))
            for stop, open_windows, duration_s in zip(stops, windows, durations, strict=True)
        ]
        shift = Shift(
            leave_s=(first_s, last_s),
            end_s=vehicle.shift[1],
            latest_end_s=latest_end_s,
            longest_s=longest_s,
            cost_per_s=per_second_scaled(vehicle.cost_per_hour),
            overtime_cost_per_s=per_second_scaled(vehicle.overtime_cost_per_hour),
            breaks=tuple((rest.windows, rest.duration_s) for rest in vehicle.breaks[taken:]),
            soft_s=soft_s if vehicle.prefers_short else None,
            after_soft_per_s=per_second_scaled(vehicle.cost_per_hour_after_soft_max),
        )
        return cheapest(legs, tasks, shift, self.rides(stops))

    def at_best(self, travel_s: Sequence[int]) -> list[int]:
        """Legs in the fastest hour of the day: no leg takes less."""
        best = max(self.speed_by_hour, default=1.0)
        return list(travel_s) if best == 1 else [int(leg_s / best) for leg_s in travel_s]

    def is_timed(self, vehicle: Vehicle, stops: Sequence[Stop]) -> bool:
        """Tell whether the round's timetable needs more than windows and a shift (`timing`)."""
        return (
            bool(vehicle.breaks or vehicle.overtime_s_max or self.speed_by_hour)
            or any(stop.late_cost_per_hour for stop in stops)
            or any(
                self.pair_of[stop.stop_id].ride_s_max is not None
                for stop in stops
                if stop.stop_id in self.pair_of
            )
        )


@dataclass(frozen=True, slots=True)
class Running:
    """Where a vehicle stands, when it can go on, how many breaks it has had, and when it left if it has."""

    place: Point | None
    leave_s: int
    breaks_taken: int = 0
    left_s: int | None = None

    @property
    def has_left(self) -> bool:
        """Tell whether the round has begun."""
        return self.left_s is not None


def without(windows: Windows, closed: Windows) -> Windows:
    """Windows less the closed hours; both with their ends included."""
    for first, last in closed:
        left = [
            part
            for opens, closes in windows
            for part in ((opens, min(closes, first - 1)), (max(opens, last + 1), closes))
            if part[0] <= part[1]
        ]
        windows = tuple(dict.fromkeys(left))
    return windows


def in_traffic(leg_s: int, factor: float) -> int:
    """A leg's seconds in an hour of that speed factor."""
    return leg_s if factor == 1 or leg_s >= UNREACHABLE else round(leg_s / factor)
