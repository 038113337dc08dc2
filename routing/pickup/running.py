"""The rounds of a running plan: what is fixed, what may still change, and what a change makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from routing.pickup.assemble import route_from
from routing.pickup.errors import ChangeRefusedError, ProblemError
from routing.pickup.gaps import NOT_POSSIBLE, Driven, Fleet, gaps_of_round, joined, judge
from routing.pickup.instance import aboard
from routing.pickup.matrix import Point, at_speed
from routing.pickup.plan import Plan, ReasonCode, Route
from routing.pickup.problem import MEASURES, Problem, Stop, StopKind, Vehicle
from routing.pickup.schedule import Timetable, forward, lateness, timetable

_GAPS_A_ROUND = 2  # so many of the best gaps of each round are timed exactly


@dataclass(frozen=True, slots=True)
class RunningRound:
    """One vehicle's round while the day runs.

    Attributes:
        vehicle: who drives.
        route: as planned; None if the vehicle is not in use.
        stops: all stops of the round, in order.
        frozen: so many visits from the first on are fixed, with their times.
        now_s: nothing that is not fixed happens before this.
    """

    vehicle: Vehicle
    route: Route | None
    stops: tuple[Stop, ...]
    frozen: int
    now_s: int

    @property
    def free(self) -> tuple[Stop, ...]:
        """The stops that may still move."""
        return self.stops[self.frozen :]

    @property
    def leave_s(self) -> int:
        """Earliest moment to go on from the last fixed place."""
        if self.frozen:
            assert self.route is not None, "fixed visits belong to a round"
            return max(self.now_s, self.route.visits[self.frozen - 1].departure_s)
        return max(self.now_s, self.vehicle.shift[0])

    def places(self, free: Sequence[Stop]) -> list[Point]:
        """The last fixed place, the given stops, and the end (the last place again on an open route)."""
        first = self.stops[self.frozen - 1].point if self.frozen else self.vehicle.start
        places = [first, *(stop.point for stop in free)]
        return [*places, places[-1] if self.vehicle.end is None else self.vehicle.end]

    def legs(self, problem: Problem, free: Sequence[Stop]) -> tuple[list[int], list[int]]:
        """Seconds and metres from the last fixed place through the given stops to the end."""
        places = self.places(free)
        seconds, metres = problem.travel.legs(places[:-1], places[1:])
        legs_s, legs_m = at_speed(seconds, self.vehicle.speed_factor).tolist(), metres.tolist()
        if self.vehicle.end is None:
            legs_s[-1] = legs_m[-1] = 0
        return legs_s, legs_m

    def driven(self) -> Driven | None:
        """What is fixed; None if nothing is."""
        if not self.frozen:
            return None
        assert self.route is not None, "fixed visits belong to a round"
        fixed = self.route.visits[: self.frozen]
        last = fixed[-1]
        return Driven(
            leave_s=self.leave_s,
            stops=self.frozen,
            metres=sum(visit.distance_m_from_previous for visit in fixed),
            load=np.array((last.load_after_g, last.load_after_cm3, last.load_after_pieces), dtype=np.int64),
        )

    def times(self, travel_s: Sequence[int], free: Sequence[Stop]) -> Timetable | None:
        """When the free stops are served: a running vehicle loses no time, one that waits leaves late."""
        service_s = [stop.service_s for stop in free]
        windows = [stop.open_windows for stop in free]
        schedule = forward if self.frozen else timetable
        return schedule(travel_s, service_s, windows, self.leave_s, self.vehicle.shift[1])

    def with_free(self, problem: Problem, free: Sequence[Stop]) -> Route | None:
        """The round with other stops after the fixed ones; None if none are left at all.

        Raises:
            ChangeRefusedError: the round would break a rule.
        """
        if not free and not self.frozen:
            return None
        stops = [*self.stops[: self.frozen], *free]
        fixed = self.route.visits[: self.frozen] if self.route is not None else ()
        travel_s, legs_m = self.legs(problem, free)
        legs_m = [*(visit.distance_m_from_previous for visit in fixed), *legs_m]
        self._refuse_broken_limits(stops, sum(legs_m))
        times = self.times(travel_s, free)
        if times is None:
            raise self._too_late(travel_s, free)
        whole = times
        if self.route is not None and self.frozen:
            whole = Timetable(
                self.route.start_s,
                (*(visit.arrival_s for visit in fixed), *times.arrivals),
                (*(visit.start_s for visit in fixed), *times.services),
                times.end_s,
            )
        return route_from(self.vehicle, stops, legs_m, whole)

    def _refuse_broken_limits(self, stops: Sequence[Stop], distance_m: int) -> None:
        vehicle = self.vehicle
        excess: dict[str, int] = {}
        if vehicle.stops_max is not None:
            excess["stops"] = len(stops) - vehicle.stops_max
        if vehicle.distance_m_max is not None:
            excess["metres"] = distance_m - vehicle.distance_m_max
        loads = aboard(
            np.array([stop.load for stop in stops], dtype=np.int64),
            np.array([stop.kind is StopKind.DELIVERY for stop in stops], dtype=np.bool_),
        )
        excess.update(zip(MEASURES, (loads.max(axis=0) - vehicle.capacity).tolist(), strict=True))
        for measure, amount in excess.items():
            if amount > 0:
                raise ChangeRefusedError(ReasonCode.ROUNDS_FULL, {"measure": measure, "excess": amount})

    def _too_late(self, travel_s: Sequence[int], free: Sequence[Stop]) -> ChangeRefusedError:
        late = lateness(
            travel_s,
            [stop.service_s for stop in free],
            [stop.open_windows for stop in free],
            self.leave_s,
            self.vehicle.shift[1],
        )
        assert late is not None, "a round without a timetable is late somewhere"
        position, missing_s = late
        parameters: dict[str, object] = {"missing_s": missing_s}
        if position < len(free):
            parameters["stop_id"] = free[position].stop_id
        return ChangeRefusedError(ReasonCode.NO_TIME_LEFT, parameters)


def running_round(
    problem: Problem, plan: Plan, vehicle_id: str, frozen: Mapping[str, int], now_s: int
) -> RunningRound:
    """One vehicle's round of a running plan.

    Raises:
        UnknownNameError: the problem has no such vehicle, or lacks a stop of its round.
        ProblemError: more visits are said to be fixed than there are.
    """
    vehicle = problem.vehicle(vehicle_id)
    route = plan.route_of(vehicle_id)
    stops = () if route is None else tuple(problem.stop(stop_id) for stop_id in route.stop_ids)
    count = frozen.get(vehicle_id, 0)
    if not 0 <= count <= len(stops):
        raise ProblemError(f"vehicle {vehicle_id!r}: {count} visits cannot be frozen, it has {len(stops)}")
    return RunningRound(vehicle, route, stops, count, now_s)


def best_gaps(problem: Problem, rounds: Sequence[RunningRound], stop: Stop) -> list[tuple[int, int]]:
    """Round and position of the gaps worth timing exactly."""
    pieces, before, after, factors, open_ends = [], [], [], [], []
    for number, round_ in enumerate(rounds):
        legs_s, legs_m = round_.legs(problem, round_.free)
        if (round_.free or round_.frozen) and round_.times(legs_s, round_.free) is None:
            continue  # behind its plan already
        count = len(round_.free)
        nodes = range(count + 2)
        driven = round_.driven()
        pieces.append(
            gaps_of_round(number, round_.vehicle, nodes, round_.free, legs_s, legs_m, round_.leave_s, driven)
        )
        places = round_.places(round_.free)
        before += places[:-1]
        after += places[1:]
        factors += [round_.vehicle.speed_factor] * (count + 1)
        open_ends += [*[False] * count, round_.vehicle.end is None]
    if not pieces:
        return []
    gaps = joined(pieces)
    to_s, to_m = problem.travel.legs(before, [stop.point] * len(before))
    from_s, from_m = problem.travel.legs([stop.point] * len(after), after)
    from_s, from_m = (np.where(open_ends, 0, legs) for legs in (from_s, from_m))
    speed = np.array(factors)
    fleet = Fleet.of([round_.vehicle for round_ in rounds])
    ways = (at_speed(to_s, speed), to_m, at_speed(from_s, speed), from_m)
    cost = judge(stop, gaps, fleet, *(way.astype(np.int64) for way in ways)).cost
    chosen, taken = [], [0] * len(rounds)
    for row in np.argsort(cost, kind="stable").tolist():
        number = int(gaps["vehicle"][row])
        if cost[row] >= NOT_POSSIBLE:
            break
        if taken[number] < _GAPS_A_ROUND:
            taken[number] += 1
            chosen.append((number, int(gaps["position"][row])))
    return chosen
