"""Why a stop is in no round: the first rule that keeps it out, from the plainest to the least plain."""

from collections.abc import Mapping

import numpy as np

from routing.pickup.costs import COST_SCALE, to_minor
from routing.pickup.engines.greedy import Rounds
from routing.pickup.gaps import NOT_POSSIBLE, Ints
from routing.pickup.instance import Instance, Sequences
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.plan import Parameter, ReasonCode, Unserved
from routing.pickup.problem import MEASURES, Stop, Vehicle


def explain(instance: Instance, sequences: Sequences, *, time_was_over: bool) -> tuple[Unserved, ...]:
    """The stops in no round, each with its reason.

    Args:
        instance: the problem.
        sequences: rounds that keep all rules.
        time_was_over: planning ended before each stop had its turn; no time is left to search for reasons.
    """
    rounds = Rounds(instance, sequences)
    unserved = rounds.unserved()
    if not unserved:
        return ()
    empty = Rounds(instance, [[] for _ in instance.vehicles])
    reasons = []
    for number in unserved:
        stop = instance.stops[number]
        reason, parameters = (
            _never(stop, instance.vehicles)
            or ((ReasonCode.TIME_LIMIT, {}) if time_was_over else None)
            or _not_even_alone(empty, number)
            or _not_beside_others(rounds, number)
        )
        reasons.append(Unserved(stop.stop_id, reason, parameters))
    return tuple(reasons)


def _never(stop: Stop, vehicles: tuple[Vehicle, ...]) -> tuple[ReasonCode, Mapping[str, Parameter]] | None:
    """No vehicle may serve it, wherever it stands."""
    if not vehicles:
        return ReasonCode.NO_VEHICLE, {}
    if not any(stop.skills <= vehicle.skills for vehicle in vehicles):
        return ReasonCode.NO_VEHICLE_WITH_SKILLS, {"skills": tuple(sorted(stop.skills))}
    allowed = [vehicle for vehicle in vehicles if vehicle.may_serve(stop)]
    if not allowed:
        asked = {stop.locked_to} if stop.locked_to is not None else stop.allowed_vehicles or frozenset()
        return ReasonCode.NO_ALLOWED_VEHICLE, {"vehicles": tuple(sorted(asked))}
    for measure, name in enumerate(MEASURES):
        excess = stop.load[measure] - max(vehicle.capacity[measure] for vehicle in allowed)
        if excess > 0:
            return ReasonCode.OVER_CAPACITY, {"measure": name, "excess": excess}
    return None


def _not_even_alone(empty: Rounds, number: int) -> tuple[ReasonCode, Mapping[str, Parameter]] | None:
    """No vehicle could serve it on a round of its own."""
    instance = empty.instance
    stop, gaps = instance.stops[number], empty.gaps
    verdict = empty.verdict(number)
    mine = instance.eligible[number][gaps["vehicle"]]
    if not mine.any():  # one vehicle could carry its weight, another its volume, none both
        return ReasonCode.OVER_CAPACITY, _least_excess(verdict.excess)
    if (verdict.cost[mine] < NOT_POSSIBLE).any():
        return None
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
    return ReasonCode.ROUNDS_FULL, {"measure": "stops", "excess": int(verdict.excess_stops[in_time].max())}


def _not_beside_others(rounds: Rounds, number: int) -> tuple[ReasonCode, Mapping[str, Parameter]]:
    """It could be served, but not beside what is served already, or not at this cost."""
    instance = rounds.instance
    verdict = rounds.verdict(number)
    mine = instance.eligible[number][rounds.gaps["vehicle"]]
    cost = int(verdict.cost[mine].min())
    if cost < NOT_POSSIBLE:
        return ReasonCode.COST_ABOVE_PRIZE, {
            "extra_cost_minor": to_minor(cost),
            "prize_minor": instance.penalties[number] // COST_SCALE,
        }
    in_time = mine & (verdict.late_s == 0)
    if not in_time.any():
        return ReasonCode.NO_TIME_LEFT, {"missing_s": int(verdict.late_s[mine].min())}
    loaded = in_time & (verdict.excess_stops == 0) & (verdict.excess_m == 0)
    if loaded.any():
        return ReasonCode.ROUNDS_FULL, _least_excess(verdict.excess[loaded])
    if (verdict.excess_stops[in_time] > 0).all():
        return ReasonCode.ROUNDS_FULL, {
            "measure": "stops",
            "excess": int(verdict.excess_stops[in_time].min()),
        }
    far = in_time & (verdict.excess_m > 0)
    return ReasonCode.ROUNDS_FULL, {"measure": "metres", "excess": int(verdict.excess_m[far].min())}


def _least_excess(excess: Ints) -> Mapping[str, Parameter]:
    """The measure and amount of the gap that comes closest, judged by its worst measure."""
    worst = excess.max(axis=1)
    row = int(worst.argmin())
    return {"measure": MEASURES[int(excess[row].argmax())], "excess": int(worst[row])}
