"""The rounds of a running plan: what is fixed, what may still change, and what a change makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.pickup.assemble import route_from
from routing.pickup.costs import at_stop_scaled
from routing.pickup.errors import ChangeRefusedError, ProblemError
from routing.pickup.gaps import NOT_POSSIBLE, Driven, Fleet, gaps_of_round, joined, judge
from routing.pickup.matrix import Point, at_speed
from routing.pickup.plan import Plan, ReasonCode, Route
from routing.pickup.problem import Problem, Stop, Vehicle
from routing.pickup.rules import Rules, Running
from routing.pickup.schedule import Timetable, lateness

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
        rules: of the problem.
    """

    vehicle: Vehicle
    route: Route | None
    stops: tuple[Stop, ...]
    frozen: int
    now_s: int
    rules: Rules

    @property
    def free(self) -> tuple[Stop, ...]:
        """The stops that may still move."""
        return self.stops[self.frozen :]

    @property
    def reloads(self) -> bool:
        """Whether the round returns to an outlet: such a round is planned anew, not mended."""
        return self.route is not None and bool(self.route.reloads)

    @property
    def leave_s(self) -> int:
        """Earliest moment to go on from the last fixed place."""
        if self.frozen:
            assert self.route is not None, "fixed visits belong to a round"
            return max(self.now_s, self.route.visits[self.frozen - 1].departure_s)
        return max(self.now_s, self.vehicle.shift[0])

    @property
    def breaks_taken(self) -> int:
        """Breaks before the last fixed visit."""
        if self.route is None or not self.frozen:
            return 0
        return sum(rest.after_visits < self.frozen for rest in self.route.rests)

    def places(self, free: Sequence[Stop]) -> list[Point]:
        """The last fixed place, the given stops, and the end (the last place again on an open route)."""
        first = self.stops[self.frozen - 1].point if self.frozen else self.vehicle.start
        stops = [stop.point for stop in free]
        last = self.vehicle.end
        if first is None:
            first = stops[0] if stops else last
        assert first is not None, "a vehicle has a start or an end"
        places = [first, *stops]
        return [*places, places[-1] if last is None else last]

    def legs(self, problem: Problem, free: Sequence[Stop]) -> tuple[list[int], list[int]]:
        """Seconds and metres from the last fixed place through the given stops to the end."""
        places = self.places(free)
        seconds, metres = problem.travel_of(self.vehicle).legs(places[:-1], places[1:])
        legs_s, legs_m = at_speed(seconds, self.vehicle.speed_factor).tolist(), metres.tolist()
        if self.vehicle.end is None:
            legs_s[-1] = legs_m[-1] = 0
        if self.vehicle.start is None and not self.frozen:
            legs_s[0] = legs_m[0] = 0
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
            since_s=self.route.start_s,
            stops=self.frozen,
            metres=sum(visit.distance_m_from_previous for visit in fixed),
            driving_s=0,  # `with_free` knows; what is fixed has no seconds of its own in a stored plan
            load=np.array(last.load_after, dtype=np.int64),
        )

    def times(self, travel_s: Sequence[int], free: Sequence[Stop]) -> Timetable | None:
        """When the free stops are served: a running vehicle loses no time, one that waits leaves late."""
        place = self.stops[self.frozen - 1].point if self.frozen else self.vehicle.start
        left_s = self.route.start_s if self.route is not None and self.frozen else None
        running = Running(place, self.leave_s, self.breaks_taken, left_s)
        return self.rules.timetable(self.vehicle, free, travel_s, running)

    def with_free(self, problem: Problem, free: Sequence[Stop]) -> Route | None:
        """The round with other stops after the fixed ones; None if none are left at all.

        Raises:
            ChangeRefusedError: the round would break a rule.
        """
        if not free and not self.frozen:
            return None
        if self.reloads:
            raise ChangeRefusedError("reloads", {"vehicle_id": self.vehicle.vehicle_id})
        stops = [*self.stops[: self.frozen], *free]
        fixed = self.route.visits[: self.frozen] if self.route is not None else ()
        travel_s, legs_m = self.legs(problem, free)
        times = self.times(travel_s, free)
        if fixed:
            travel_s, legs_m = self._whole_legs(problem, stops)
        self._refuse_broken_limits(problem, stops, travel_s, legs_m)
        if times is None:
            raise self._too_late(problem, free)
        whole = times
        if self.route is not None and self.frozen:
            whole = Timetable(
                self.route.start_s,
                (*(visit.arrival_s for visit in fixed), *times.arrivals),
                (*(visit.start_s for visit in fixed), *times.services),
                times.end_s,
                (
                    *((rest.after_visits, rest.start_s) for rest in self.route.rests[: self.breaks_taken]),
                    *((after + self.frozen, start_s) for after, start_s in times.rests),
                ),
            )
        for pickup, delivery, longest_s in self.rules.rides(stops):
            ready_s = whole.services[pickup] + self.rules.durations(self.vehicle.start, stops)[pickup]
            if whole.services[delivery] - ready_s > longest_s:  # the pickup is fixed
                raise ChangeRefusedError(ReasonCode.RIDE_TOO_LONG, {"ride_s_max": longest_s})
        return route_from(self.rules, self.vehicle, stops, (travel_s, legs_m), whole)

    def _whole_legs(self, problem: Problem, stops: Sequence[Stop]) -> tuple[list[int], list[int]]:
        """Seconds and metres from the vehicle's start through fixed and free stops to the end."""
        return replace(self, frozen=0).legs(problem, stops)

    def _refuse_broken_limits(
        self, problem: Problem, stops: Sequence[Stop], travel_s: Sequence[int], legs_m: Sequence[int]
    ) -> None:
        vehicle = self.vehicle
        excess: dict[str, int] = {}
        if vehicle.stops_max is not None:
            excess["stops"] = len(stops) - vehicle.stops_max
        if vehicle.distance_m_max is not None:
            excess["metres"] = sum(legs_m) - vehicle.distance_m_max
        if vehicle.driving_s_max is not None:
            excess["driving_s"] = sum(travel_s) - vehicle.driving_s_max
        loads = self.rules.levels(stops, vehicle.capacity)
        excess.update(zip(problem.measures, (loads.max(axis=0) - vehicle.capacity).tolist(), strict=True))
        if not self.rules.pairs_kept(stops):
            raise ChangeRefusedError("pair_broken", {})
        for measure, amount in excess.items():
            if amount > 0:
                raise ChangeRefusedError(ReasonCode.ROUNDS_FULL, {"measure": measure, "excess": amount})

    def _too_late(self, problem: Problem, free: Sequence[Stop]) -> ChangeRefusedError:
        """The error for a round without a timetable: where it is late first, if that is the reason."""
        travel_s, _ = self.legs(problem, free)
        place = self.stops[self.frozen - 1].point if self.frozen else self.vehicle.start
        windows = [self.rules.windows(self.vehicle, stop) for stop in free]
        closed = next((stop for stop, hours in zip(free, windows, strict=True) if not hours), None)
        if closed is not None:
            return ChangeRefusedError(ReasonCode.AREA_CLOSED, {"stop_id": closed.stop_id})
        late = lateness(
            travel_s, self.rules.durations(place, free), windows, self.leave_s, self.vehicle.latest_end_s
        )
        if late is None:
            return ChangeRefusedError(ReasonCode.NO_PLACE_BESIDE_OTHERS, {})
        position, missing_s = late
        parameters: dict[str, object] = {"missing_s": missing_s}
        if position < len(free):
            parameters["stop_id"] = free[position].stop_id
        return ChangeRefusedError(ReasonCode.NO_TIME_LEFT, parameters)


def running_round(
    problem: Problem,
    plan: Plan,
    vehicle_id: str,
    frozen: Mapping[str, int],
    now_s: int,
    rules: Rules | None = None,
) -> RunningRound:
    """One vehicle's round of a running plan.

    Args:
        problem, plan, vehicle_id: which.
        frozen, now_s: see `insertion`.
        rules: of the problem, where the caller has them already.

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
    return RunningRound(vehicle, route, stops, count, now_s, Rules.of(problem) if rules is None else rules)


def best_gaps(problem: Problem, rounds: Sequence[RunningRound], stop: Stop) -> list[tuple[int, int]]:
    """Round and position of the gaps worth timing exactly."""
    pieces = []
    ways: list[tuple[list[int], list[int], list[int], list[int]]] = []
    for number, round_ in enumerate(rounds):
        legs_s, legs_m = round_.legs(problem, round_.free)
        if (round_.free or round_.frozen) and round_.times(legs_s, round_.free) is None:
            continue  # behind its plan already
        gaps = gaps_of_round(
            number,
            round_.vehicle,
            range(len(round_.free) + 2),
            round_.free,
            round_.rules.at_best(legs_s),
            legs_m,
            round_.rules.levels(round_.free, round_.vehicle.capacity),
            round_.leave_s,
            round_.driven(),
        )
        pieces.append(gaps)
        ways.append(_ways(problem, round_, stop))
    if not pieces:
        return []
    gaps = joined(pieces)
    fleet = Fleet.of([round_.vehicle for round_ in rounds])
    to_s, to_m, from_s, from_m = (
        np.array([value for way in ways for value in way[part]], dtype=np.int64) for part in range(4)
    )
    change = rounds[0].rules.load_change(stop)
    at_stop = at_stop_scaled([stop], [round_.vehicle for round_ in rounds])[0]
    cost = judge(stop, change, gaps, fleet, to_s, to_m, from_s, from_m, at_stop).cost
    chosen, taken = [], [0] * len(rounds)
    for row in np.argsort(cost, kind="stable").tolist():
        number = int(gaps["vehicle"][row])
        if cost[row] >= NOT_POSSIBLE:
            break
        if taken[number] < _GAPS_A_ROUND:
            taken[number] += 1
            chosen.append((number, int(gaps["position"][row])))
    return chosen


def _ways(
    problem: Problem, round_: RunningRound, stop: Stop
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Seconds and metres from each place of a round to the stop, and from the stop to the place after it."""
    places = round_.places(round_.free)
    vehicle = round_.vehicle
    gaps = [stop.point] * (len(places) - 1)
    travel = problem.travel_of(vehicle)
    to_s, to_m = travel.legs(places[:-1], gaps)
    from_s, from_m = travel.legs(gaps, places[1:])
    there_s, back_s = (
        round_.rules.at_best(at_speed(legs, vehicle.speed_factor).tolist()) for legs in (to_s, from_s)
    )
    there_m, back_m = to_m.tolist(), from_m.tolist()
    if vehicle.end is None:
        back_s[-1] = back_m[-1] = 0
    if vehicle.start is None and not round_.frozen:
        there_s[0] = there_m[0] = 0
    return there_s, there_m, back_s, back_m
