"""Changing a plan while it runs: a new stop, a cancelled one, one dragged elsewhere. Each takes milliseconds.

`frozen` says for each vehicle how many of its visits are fixed (vehicles that are not named have none):
those done, the one being served, and the one being driven to. Fixed visits keep place and times. `now_s`
is the present in seconds since the day's start: nothing else is planned before it.

Goods to be delivered are loaded at the start of a round, so a delivery cannot join a round with fixed visits.
A round that returns to an outlet on its way is not mended: it is planned anew (`solve`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.pickup.assemble import plan_of
from routing.pickup.errors import ChangeRefusedError, UnknownNameError
from routing.pickup.plan import Plan, ReasonCode, Route, Unserved
from routing.pickup.problem import Problem, Stop, StopKind
from routing.pickup.rules import Rules
from routing.pickup.running import RunningRound, best_gaps, running_round


@dataclass(frozen=True, slots=True)
class Delay:
    """A visit that starts later than before; a negative number of seconds means earlier."""

    stop_id: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A place for a stop in a running plan.

    Attributes:
        stop: the stop it is for.
        vehicle_id, position: whose round, and which visit of it (from 0, fixed ones counted) it would be.
        extra_cost_minor, extra_distance_m: how much the plan's cost and distance grow.
        arrival_s, start_s: when the vehicle would be there, and when service would start.
        delays: visits of that round whose start moves.
    """

    stop: Stop
    vehicle_id: str
    position: int
    extra_cost_minor: int
    extra_distance_m: int
    arrival_s: int
    start_s: int
    delays: tuple[Delay, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A plan after a change, and what the change costs."""

    plan: Plan
    extra_cost_minor: int
    extra_distance_m: int
    delays: tuple[Delay, ...]


def offers(
    problem: Problem,
    plan: Plan,
    stop: Stop,
    *,
    frozen: Mapping[str, int],
    now_s: int,
    limit: int = 3,
) -> tuple[Offer, ...]:
    """The cheapest places for a stop that is in no round, at most one on each vehicle.

    Args:
        problem: of the plan; it may or may not hold the stop already.
        plan: the running plan.
        stop: what is to be put in.
        frozen, now_s: see above.
        limit: how many offers.

    Returns:
        Offers by rising cost; empty if no round can take the stop.

    Raises:
        UnknownNameError: the plan does not belong to the problem.
        ProblemError: the stop lies outside the travel table, or `frozen` is not possible.
    """
    problem = problem.with_stop(stop)
    rules = Rules.of(problem)
    rounds = [
        round_
        for round_ in (
            running_round(problem, plan, vehicle.vehicle_id, frozen, now_s, rules)
            for vehicle in problem.vehicles
        )
        if _may_join(round_, stop) and not round_.reloads
    ]
    found = []
    for number, position in best_gaps(problem, rounds, stop):
        round_ = rounds[number]
        free = [*round_.free[:position], stop, *round_.free[position:]]
        try:
            route = round_.with_free(problem, free)
        except ChangeRefusedError:
            continue  # the round is behind its plan already: it takes nothing more
        assert route is not None, "a round with a stop"
        found.append(_offer(round_, route, stop, round_.frozen + position))
    best: dict[str, Offer] = {}
    for offer in sorted(
        found, key=lambda offer: (offer.extra_cost_minor, offer.extra_distance_m, offer.start_s)
    ):
        best.setdefault(offer.vehicle_id, offer)
    return tuple(best.values())[:limit]


def apply(problem: Problem, plan: Plan, offer: Offer, *, frozen: Mapping[str, int], now_s: int) -> Plan:
    """The plan with an offer taken; it belongs to `problem.with_stop(offer.stop)`.

    Args:
        problem, plan, frozen, now_s: as they are now; they may have changed since the offer was made.
        offer: one of `offers`.

    Raises:
        ChangeRefusedError: the place is not possible any more.
    """
    changed = problem.with_stop(offer.stop)
    round_ = running_round(changed, plan, offer.vehicle_id, frozen, now_s)
    if plan.place_of(offer.stop.stop_id) is not None:
        raise ChangeRefusedError("already_planned", {"stop_id": offer.stop.stop_id})
    route = _inserted(changed, round_, offer.stop, offer.position)
    return _with_routes(changed, plan, {offer.vehicle_id: route}, unserved=_others(plan, offer.stop.stop_id))


def remove(
    problem: Problem,
    plan: Plan,
    stop_id: str,
    *,
    frozen: Mapping[str, int],
    now_s: int,
    cancelled: bool = False,
) -> Change:
    """Take a stop out of its round.

    Args:
        problem, plan, frozen, now_s: see above.
        stop_id: which.
        cancelled: the stop is gone for good, and the plan belongs to `problem.without_stop(stop_id)`.
            Otherwise it is listed as unserved.

    Raises:
        UnknownNameError: the stop is neither in a round nor unserved.
        ChangeRefusedError: the visit is fixed, or the rest of the round has no way without it.
    """
    unserved = _others(plan, stop_id)
    listed = () if cancelled else (Unserved(stop_id, ReasonCode.REMOVED),)
    place = plan.place_of(stop_id)
    if place is None:
        if len(unserved) == len(plan.unserved):
            raise UnknownNameError(f"no stop {stop_id!r} in the plan")
        return Change(_with_routes(problem, plan, {}, unserved=(*unserved, *listed)), 0, 0, ())
    vehicle_id, _ = place
    round_ = running_round(problem, plan, vehicle_id, frozen, now_s)
    _refuse_frozen(round_, stop_id)
    route = round_.with_free(problem, [stop for stop in round_.free if stop.stop_id != stop_id])
    changed = _with_routes(problem, plan, {vehicle_id: route}, unserved=(*unserved, *listed))
    return _change(plan, changed, _delays(round_.route, route))


def move(
    problem: Problem,
    plan: Plan,
    stop_id: str,
    vehicle_id: str,
    position: int,
    *,
    frozen: Mapping[str, int],
    now_s: int,
    rules: Rules | None = None,
) -> Change:
    """Put a stop at a place somebody chose, out of its present round or from the unserved.

    Args:
        problem, plan, frozen, now_s: see above.
        stop_id: which stop.
        vehicle_id: whose round.
        position: which visit of that round it becomes (from 0, fixed ones counted, the stop itself taken
            out before).
        rules: of the problem, where the caller has them already: they remember what they worked out.

    Raises:
        UnknownNameError: there is no such stop or vehicle.
        ChangeRefusedError: the visit or the place is fixed, or a round would break a rule; it says which.
    """
    rules = Rules.of(problem) if rules is None else rules
    stop = problem.stop(stop_id)
    place = plan.place_of(stop_id)
    if place is None:
        target = running_round(problem, plan, vehicle_id, frozen, now_s, rules)
        route = _inserted(problem, target, stop, position)
        changed = _with_routes(problem, plan, {vehicle_id: route}, unserved=_others(plan, stop_id))
        return _change(plan, changed, _delays(target.route, route))
    source = running_round(problem, plan, place[0], frozen, now_s, rules)
    _refuse_frozen(source, stop_id)
    rest = tuple(other for other in source.free if other.stop_id != stop_id)
    if place[0] == vehicle_id:
        _refuse_position(source, position, len(rest))
        at = position - source.frozen
        reordered = source.with_free(problem, [*rest[:at], stop, *rest[at:]])
        changed = _with_routes(problem, plan, {vehicle_id: reordered}, unserved=plan.unserved)
        return _change(plan, changed, _delays(source.route, reordered))
    target = running_round(problem, plan, vehicle_id, frozen, now_s, rules)
    routes: dict[str, Route | None] = {
        place[0]: source.with_free(problem, rest),
        vehicle_id: _inserted(problem, target, stop, position),
    }
    changed = _with_routes(problem, plan, routes, unserved=plan.unserved)
    delays = (*_delays(source.route, routes[place[0]]), *_delays(target.route, routes[vehicle_id]))
    return _change(plan, changed, delays)


def _may_join(round_: RunningRound, stop: Stop) -> bool:
    loaded = stop.kind is StopKind.DELIVERY and round_.frozen > 0
    return round_.vehicle.may_serve(stop) and not loaded


def _inserted(problem: Problem, round_: RunningRound, stop: Stop, position: int) -> Route:
    """The round with the stop at a position.

    Raises:
        ChangeRefusedError: that would break a rule.
    """
    if not round_.vehicle.may_serve(stop):
        vehicle = (round_.vehicle.vehicle_id,)
        raise ChangeRefusedError(ReasonCode.NO_ALLOWED_VEHICLE, {"vehicles": vehicle})
    _refuse_position(round_, position, len(round_.free))
    if not _may_join(round_, stop):
        raise ChangeRefusedError("already_loaded", {"vehicle_id": round_.vehicle.vehicle_id})
    at = position - round_.frozen
    route = round_.with_free(problem, [*round_.free[:at], stop, *round_.free[at:]])
    assert route is not None, "a round with a stop"
    return route


def _refuse_frozen(round_: RunningRound, stop_id: str) -> None:
    if stop_id in (stop.stop_id for stop in round_.stops[: round_.frozen]):
        raise ChangeRefusedError("frozen", {"stop_id": stop_id})


def _refuse_position(round_: RunningRound, position: int, free: int) -> None:
    first, last = round_.frozen, round_.frozen + free
    if position < first:
        raise ChangeRefusedError("frozen", {"position": position, "first": first})
    if position > last:
        raise ChangeRefusedError("no_such_position", {"position": position, "last": last})


def _offer(round_: RunningRound, route: Route, stop: Stop, position: int) -> Offer:
    old = round_.route
    return Offer(
        stop=stop,
        vehicle_id=route.vehicle_id,
        position=position,
        extra_cost_minor=route.cost_minor - (old.cost_minor if old else 0),
        extra_distance_m=route.distance_m - (old.distance_m if old else 0),
        arrival_s=route.visits[position].arrival_s,
        start_s=route.visits[position].start_s,
        delays=_delays(old, route),
    )


def _delays(old: Route | None, new: Route | None) -> tuple[Delay, ...]:
    if old is None or new is None:
        return ()
    before = {visit.stop_id: visit.start_s for visit in old.visits}
    return tuple(
        Delay(visit.stop_id, visit.start_s - before[visit.stop_id])
        for visit in new.visits
        if visit.stop_id in before and visit.start_s != before[visit.stop_id]
    )


def _others(plan: Plan, stop_id: str) -> tuple[Unserved, ...]:
    return tuple(unserved for unserved in plan.unserved if unserved.stop_id != stop_id)


def _with_routes(
    problem: Problem, plan: Plan, routes: Mapping[str, Route | None], *, unserved: Iterable[Unserved]
) -> Plan:
    """The plan with some vehicles' rounds replaced, in the problem's order of vehicles and stops."""
    by_vehicle: dict[str, Route | None] = {**{route.vehicle_id: route for route in plan.routes}, **routes}
    in_order = (by_vehicle.get(vehicle.vehicle_id) for vehicle in problem.vehicles)
    listed = {entry.stop_id: entry for entry in unserved}
    known = (listed[stop.stop_id] for stop in problem.stops if stop.stop_id in listed)
    return plan_of(
        tuple(route for route in in_order if route is not None), tuple(known), plan.solver, plan.seconds
    )


def _change(old: Plan, new: Plan, delays: tuple[Delay, ...]) -> Change:
    return Change(new, new.cost_minor - old.cost_minor, new.distance_m - old.distance_m, delays)
