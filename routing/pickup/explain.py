"""Why a stop is in no round: the first rule that keeps it out, from the plainest to the least plain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from routing.pickup.costs import COST_SCALE, to_minor
from routing.pickup.engines.rounds import Rounds
from routing.pickup.gaps import NOT_POSSIBLE, Ints
from routing.pickup.instance import Instance, Sequences
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.plan import Parameter, ReasonCode, Unserved
from routing.pickup.problem import MEASURES, Stop, Vehicle

_Reason: TypeAlias = tuple[ReasonCode, Mapping[str, Parameter]]


def explain(
    instance: Instance,
    sequences: Sequences,
    *,
    time_was_over: bool,
    measures: tuple[str, ...] = MEASURES,
) -> tuple[Unserved, ...]:
    """The stops in no round, each with its reason.

    Args:
        instance: the problem.
        sequences: rounds that keep all rules.
        time_was_over: planning ended before each stop had its turn; no time is left to search for reasons.
        measures: names of the dimensions of loads.
    """
    rounds = Rounds(instance, sequences)
    unserved = sorted(stop for unit in rounds.unserved() for stop in unit)
    if not unserved:
        return ()
    alone = _Alone(Rounds(instance, [[] for _ in instance.vehicles]), measures)
    reasons = []
    for number in unserved:
        stop = instance.stops[number]
        reason, parameters = (
            _never(stop, instance.vehicles, measures)
            or ((ReasonCode.TIME_LIMIT, {}) if time_was_over else None)
            or alone.reason(number)
            or _not_beside_others(rounds, number, measures)
        )
        reasons.append(Unserved(stop.stop_id, reason, parameters))
    return tuple(reasons)


def _never(stop: Stop, vehicles: tuple[Vehicle, ...], measures: tuple[str, ...]) -> _Reason | None:
    """No vehicle may serve it, wherever it stands."""
    if not vehicles:
        return ReasonCode.NO_VEHICLE, {}
    if not any(stop.skills <= vehicle.skills for vehicle in vehicles):
        return ReasonCode.NO_VEHICLE_WITH_SKILLS, {"skills": tuple(sorted(stop.skills))}
    allowed = [vehicle for vehicle in vehicles if vehicle.may_serve(stop)]
    if not allowed:
        asked = {stop.locked_to} if stop.locked_to is not None else stop.allowed_vehicles or frozenset()
        return ReasonCode.NO_ALLOWED_VEHICLE, {"vehicles": tuple(sorted(asked))}
    if not stop.open_windows:
        closes_s = stop.windows[-1][1] if stop.windows else 0
        return ReasonCode.GOODS_READY_TOO_LATE, {"release_s": stop.release_s, "closes_s": closes_s}
    for measure, name in enumerate(measures):
        largest = max(stop.load[measure], stop.collects[measure] if stop.collects else 0)
        excess = largest - max(vehicle.capacity[measure] for vehicle in allowed)
        if excess > 0:
            return ReasonCode.OVER_CAPACITY, {"measure": name, "excess": excess}
    return None


class _Alone:
    """Why a stop could not be served by any vehicle, on a round of its own."""

    def __init__(self, empty: Rounds, measures: tuple[str, ...]) -> None:
        self.empty = empty
        self.measures = measures

    def reason(self, number: int) -> _Reason | None:
        """None if some vehicle could serve it (with the other stop of its pair)."""
        instance, gaps = self.empty.instance, self.empty.gaps
        stop, verdict = instance.stops[number], self.empty.verdict(number)
        mine = instance.eligible[number][gaps["vehicle"]]
        if not mine.any():  # one vehicle could carry its weight, another its volume, none both
            if not instance.eligible[number].any() and stop.area is not None and self._carried(number):
                return ReasonCode.AREA_CLOSED, {"area": stop.area}
            if instance.partner[number] >= 0 and self._carried(number):
                return ReasonCode.PARTNER_UNSERVED, {"stop_id": self._partner(number).stop_id}
            return ReasonCode.OVER_CAPACITY, _least_excess(verdict.excess, self.measures)
        if (verdict.cost[mine] < NOT_POSSIBLE).any():
            return self._timed(number)
        profiles = np.array(instance.profile, dtype=np.intp)[gaps["vehicle"]]
        to_s = instance.seconds[profiles, gaps["previous"], number].astype(np.int64)
        from_s = instance.seconds[profiles, number, gaps["next"]].astype(np.int64)
        there = mine & (to_s < UNREACHABLE) & (from_s < UNREACHABLE)
        if not there.any():
            return ReasonCode.UNREACHABLE, {}
        arrival_s = int((gaps["departure_s"] + to_s)[there].min())
        closes_s = stop.open_windows[-1][1]
        if arrival_s > closes_s:
            return ReasonCode.WINDOW_CLOSES_BEFORE_ARRIVAL, {"arrival_s": arrival_s, "closes_s": closes_s}
        late_s = verdict.late_s[there]
        if (late_s > 0).all():
            return ReasonCode.SHIFT_TOO_SHORT, {"missing_s": int(late_s.min())}
        in_time = there & (verdict.late_s == 0)
        excess_m = int(verdict.excess_m[in_time].min())
        if excess_m > 0:
            return ReasonCode.TOO_FAR, {"excess_m": excess_m}
        excess_s = int(verdict.excess_driving_s[in_time].min())
        if excess_s > 0:
            return ReasonCode.TOO_MUCH_DRIVING, {"excess_s": excess_s}
        return ReasonCode.ROUNDS_FULL, {
            "measure": "stops",
            "excess": int(verdict.excess_stops[in_time].max()),
        }

    def _partner(self, number: int) -> Stop:
        return self.empty.instance.stops[self.empty.instance.partner[number]]

    def _carried(self, number: int) -> bool:
        """Tell whether some vehicle that may serve the stop can carry it."""
        stop = self.empty.instance.stops[number]
        most = np.maximum(np.array(stop.load), np.array(stop.collects or 0))
        return any(
            vehicle.may_serve(stop) and bool((most <= vehicle.capacity).all())
            for vehicle in self.empty.instance.vehicles
        )

    def _timed(self, number: int) -> _Reason | None:
        """The gaps look good, but do all rules of time hold?"""
        instance = self.empty.instance
        unit = instance.units[instance.unit_of[number]]
        if not instance.features or self.empty.cheapest(unit)[1] is not None:
            return None
        if len(unit) == 2:
            other = self.empty.verdict(instance.partner[number])
            both = instance.eligible[number][self.empty.gaps["vehicle"]]
            pair = instance.rules.pair_of[instance.stops[number].stop_id]
            if not (other.cost[both] < NOT_POSSIBLE).any():
                return ReasonCode.PARTNER_UNSERVED, {"stop_id": self._partner(number).stop_id}
            if pair.ride_s_max is not None and self._without(unit, rides=True):
                return ReasonCode.RIDE_TOO_LONG, {"ride_s_max": pair.ride_s_max}
        if self._without(unit, durations=True):
            return ReasonCode.ROUND_TOO_LONG, {}
        if self._without(unit, breaks=True):
            return ReasonCode.NO_TIME_WITH_BREAKS, {}
        return ReasonCode.NO_PLACE_BESIDE_OTHERS, {}

    def _without(
        self, unit: tuple[int, ...], *, rides: bool = False, breaks: bool = False, durations: bool = False
    ) -> bool:
        """Tell whether the unit could be served without limits of rides or rounds, or without breaks."""
        instance = self.empty.instance
        rules, vehicles = instance.rules, instance.vehicles
        if rides:
            pairs = {stop_id: replace(pair, ride_s_max=None) for stop_id, pair in rules.pair_of.items()}
            rules = replace(rules, pair_of=pairs)
        if durations:
            vehicles = tuple(replace(vehicle, duration_s_max=None) for vehicle in vehicles)
        if breaks:
            vehicles = tuple(replace(vehicle, breaks=()) for vehicle in vehicles)
        eased = replace(instance, rules=rules, vehicles=vehicles)
        return Rounds(eased, [[] for _ in vehicles]).cheapest(unit)[1] is not None


def _not_beside_others(rounds: Rounds, number: int, measures: tuple[str, ...]) -> _Reason:
    """It could be served, but not beside what is served already, or not at this cost."""
    instance = rounds.instance
    verdict = rounds.verdict(number)
    mine = instance.eligible[number][rounds.gaps["vehicle"]]
    unit = instance.units[instance.unit_of[number]]
    cost, place = rounds.cheapest(unit)
    if place is not None:
        return ReasonCode.COST_ABOVE_PRIZE, {
            "extra_cost_minor": to_minor(cost),
            "prize_minor": instance.penalty(unit) // COST_SCALE,
        }
    if (verdict.cost[mine] < NOT_POSSIBLE).any():
        return ReasonCode.NO_PLACE_BESIDE_OTHERS, {}
    in_time = mine & (verdict.late_s == 0)
    if not in_time.any():
        return ReasonCode.NO_TIME_LEFT, {"missing_s": int(verdict.late_s[mine].min())}
    loaded = in_time & (verdict.excess_stops == 0) & (verdict.excess_m == 0)
    loaded &= verdict.excess_driving_s == 0
    if loaded.any():
        return ReasonCode.ROUNDS_FULL, _least_excess(verdict.excess[loaded], measures)
    if (verdict.excess_stops[in_time] > 0).all():
        return ReasonCode.ROUNDS_FULL, {
            "measure": "stops",
            "excess": int(verdict.excess_stops[in_time].min()),
        }
    far = in_time & (verdict.excess_m > 0)
    if not far.any():
        driven = in_time & (verdict.excess_driving_s > 0)
        excess_s = int(verdict.excess_driving_s[driven].min(initial=0))
        return ReasonCode.ROUNDS_FULL, {"measure": "driving_s", "excess": excess_s}
    return ReasonCode.ROUNDS_FULL, {"measure": "metres", "excess": int(verdict.excess_m[far].min())}


def _least_excess(excess: Ints, measures: tuple[str, ...]) -> Mapping[str, Parameter]:
    """The measure and amount of the gap that comes closest, judged by its worst measure."""
    worst = excess.max(axis=1)
    row = int(worst.argmin())
    return {"measure": measures[int(excess[row].argmax())], "excess": int(worst[row])}
