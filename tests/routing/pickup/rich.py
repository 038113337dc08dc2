"""Random problems in which all features meet, and their cheapest plan by trying everything.

The oracle shares no code with the planner: it tries every order on every vehicle, every place for the breaks,
every choice of reloads and every second of departure, and drives each round forward.
"""

from bisect import bisect_left
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, pairwise, product
from typing import Any

import numpy as np

from routing.pickup import Problem, Stop, StopKind, Table, Vehicle
from routing.pickup.problem import Break, Pair, Restriction

PLACES = tuple((31.0 + row / 100, 121.0 + column / 100) for row in range(3) for column in range(3))
SCALE = 18_000
TOO_LONG = 10**15


def random_problem(seed: int, *, stops_max: int = 8, vehicles_max: int = 2, latest: int = 90) -> Problem:
    """A problem of up to so many stops on nine places, all moments within a minute or two."""
    random = np.random.default_rng(seed)

    def chance(share: float) -> bool:
        return bool(random.random() < share)

    def number(low: int, high: int) -> int:
        return int(random.integers(low, high + 1))

    def windows(count_max: int, last: int) -> tuple[tuple[int, int], ...]:
        marks = sorted((base + random.choice(last, size=2 * number(0, count_max), replace=False)).tolist())
        return tuple(zip(marks[::2], marks[1::2], strict=True))

    # Where every order is tried, the largest are rare: they take as long as all others together.
    count = 1 + int(random.binomial(stops_max - 1, 0.5)) if stops_max <= 8 else number(1, stops_max)
    fleet = number(1, vehicles_max)

    def reloading() -> dict[str, Any]:
        if not chance(0.3):
            return {}
        outlets = tuple(PLACES[number(0, 8)] for _ in range(number(1, 2)))
        often = 1 if len(outlets) > 1 else number(1, 2)
        return {"reload_at": outlets, "reload_s": number(0, 4), "reloads_max": often}

    names = [f"vehicle {vehicle}" for vehicle in range(fleet)]
    more = ("crates",) if chance(0.3) else ()
    traffic = (*random.choice([0.5, 0.8, 1.0, 2.0], size=2).tolist(), *[1.0] * 22) if chance(0.3) else ()
    base = 3600 - latest // 2 if traffic else 0  # the hour changes in the middle of the day
    paired = 2 * number(0, count // 2) if chance(0.5) else 0
    stops = []
    for index in range(count):
        in_pair = index < paired
        kind = StopKind(
            ["pickup", "delivery"][index % 2] if in_pair else random.choice(["pickup", "delivery"])
        )
        load = number(0, 6) if not (in_pair and index % 2) else stops[-1].weight_g
        open_ = windows(2, latest)
        late = bool(open_) and chance(0.3)
        place = PLACES[number(0, 8)]
        stops.append(
            Stop(
                f"stop {index}",
                *place,
                service_s=number(0, 5),
                windows=open_,
                weight_g=load,
                priority=int(random.choice([0, 0, 10, 100])),
                skills=frozenset({"cold"}) if chance(0.15) else frozenset(),
                kind=kind,
                allowed_vehicles=frozenset({names[0]}) if chance(0.1) else None,
                release_s=base + number(0, latest // 3) if chance(0.15) else 0,
                requested_s=base + number(0, latest) if late and chance(0.3) else None,
                late_cost_per_hour=number(1, 5) * 1800 if late else 0,
                late_s_max=number(0, 30) if late else 0,
                setup_s=number(1, 4) if chance(0.3) else 0,
                area="old town" if chance(0.3) else None,
                more_amounts=(load,) * len(more),
                collects=(number(0, 4), 0, 0, *([0] * len(more)))
                if kind is StopKind.DELIVERY and chance(0.2)
                else (),
                prize_minor=number(0, 150) if chance(0.1) else None,
                district=str(random.choice(["east", "west"])) if chance(0.8) else None,
            )
        )
    pairs = tuple(
        Pair(f"stop {first}", f"stop {first + 1}", number(3, 40) if chance(0.5) else None)
        for first in range(0, paired, 2)
    )
    size = len(PLACES)
    seconds = random.integers(0, 9, (size, size), dtype=np.int32)
    metres = random.integers(0, 20, (size, size), dtype=np.int32)
    np.fill_diagonal(seconds, 0)
    np.fill_diagonal(metres, 0)
    seconds[(random.random((size, size)) < 0.05) & ~np.eye(size, dtype=bool)] = -1
    vehicles = []
    for name in names:
        begin = base + number(0, latest // 3)
        end = number(min(begin + 20, base + latest), base + latest)
        overtime = number(0, 20) if chance(0.3) else 0
        breaks = []
        outlet = reloading()
        for rest in range(number(0, 1 if outlet else 2) if chance(0.5) else 0):
            opens = number(begin, end)
            breaks.append(
                Break(f"rest {rest}", ((opens, opens + number(0, 20)),), number(0, 6), paid=chance(0.5))
            )
        start = None if chance(0.1) else PLACES[number(0, 8)]
        vehicles.append(
            Vehicle(
                name,
                start=start,
                end=PLACES[number(0, 8)] if start is None or chance(0.7) else None,
                shift=(begin, end),
                capacity_g=number(5, 20),
                capacity_cm3=10,
                capacity_pieces=10,
                skills=frozenset({"cold"}) if chance(0.6) else frozenset(),
                speed_factor=float(random.choice([1.0, 1.0, 0.5, 2.0])),
                cost_fixed=int(random.choice([0, 50])),
                cost_per_hour=int(random.choice([0, 3600, 36_000])),
                cost_per_km=int(random.choice([0, 1000, 7000])),
                stops_max=int(random.integers(1, 6)) if chance(0.2) else None,
                distance_m_max=number(20, 80) if chance(0.2) else None,
                breaks=tuple(breaks),
                overtime_s_max=overtime,
                overtime_cost_per_hour=number(0, 4) * 3600,
                cost_per_stop=number(0, 3),
                cost_per_driving_hour=int(random.choice([0, 0, 3600])),
                cost_per_service_hour=int(random.choice([0, 0, 3600])),
                driving_s_max=number(10, 40) if chance(0.2) else None,
                more_capacity=(number(5, 20),) * len(more),
                vehicle_class=str(random.choice(["van", "bicycle"])),
                profile="bicycle" if chance(0.2) else None,
                duration_s_max=number(15, 70) if chance(0.2) else None,
                territory=frozenset({"east"}) if chance(0.3) else frozenset(),
                cost_per_strange_stop=number(0, 40),
                duration_s_soft_max=number(5, 60) if chance(0.3) else None,
                cost_per_hour_after_soft_max=number(0, 4) * 3600,
                **outlet,
            )
        )
    return Problem(
        stops=tuple(stops),
        vehicles=tuple(vehicles),
        travel=Table(PLACES, seconds, metres),
        prize_per_priority_minor=int(random.choice([0, 3])) if chance(0.2) else None,
        pairs=pairs,
        restrictions=(Restriction("old town", frozenset({"van"}), windows(1, latest)),),
        speed_by_hour=traffic,
        more_measures=more,
        profiles={"bicycle": Table(PLACES, random.integers(0, 12, (size, size), dtype=np.int32), metres)},
    )


def objective(problem: Problem, plan_routes: dict[str, int], unserved: list[str]) -> tuple[int, int]:
    """Lost weight of priorities (nothing, where prizes are money) and cost in 1/18,000 minor units."""
    lost = [problem.stop(stop_id) for stop_id in unserved]
    cost = sum(plan_routes.values())
    cost += SCALE * sum(stop.prize_minor for stop in lost if stop.prize_minor is not None)
    weighed = [stop.priority for stop in lost if stop.prize_minor is None]
    if problem.prize_per_priority_minor is not None:
        return 0, cost + sum(weighed) * problem.prize_per_priority_minor * SCALE
    return sum(1 + priority for priority in weighed), cost


def cheapest(problem: Problem) -> tuple[int, int]:
    """The best objective of all plans."""
    reached: dict[int, int] = {0: 0}
    for vehicle in problem.vehicles:
        rounds = _rounds(problem, vehicle)
        combined: dict[int, int] = {}
        for served, cost in reached.items():
            for more, extra in rounds.items():
                if not served & more:
                    total = cost + extra
                    if total < combined.get(served | more, total + 1):
                        combined[served | more] = total
        reached = combined
    names = [stop.stop_id for stop in problem.stops]
    return min(
        objective(problem, {"all": cost}, [name for bit, name in enumerate(names) if not served >> bit & 1])
        for served, cost in reached.items()
    )


def _rounds(problem: Problem, vehicle: Vehicle) -> dict[int, int]:
    """Cheapest cost of each set of stops on the vehicle; rounds are grown stop by stop while they may be."""
    best = {0: 0}
    allowed = [
        index
        for index, stop in enumerate(problem.stops)
        if stop.skills <= vehicle.skills
        and (stop.allowed_vehicles is None or vehicle.vehicle_id in stop.allowed_vehicles)
    ]
    partner = {}
    index_of = {stop.stop_id: index for index, stop in enumerate(problem.stops)}
    for pair in problem.pairs:
        partner[index_of[pair.delivery_id]] = index_of[pair.pickup_id]
    stack: list[tuple[int, ...]] = [(index,) for index in allowed if index not in partner]
    while stack:
        order = stack.pop()
        if vehicle.stops_max is not None and len(order) > vehicle.stops_max:
            continue
        if _earliest_end(problem, vehicle, order) is None:
            continue
        stack += [
            (*order, index)
            for index in allowed
            if index not in order and (index not in partner or partner[index] in order)
        ]
        if all((delivery in order) == (pickup in order) for delivery, pickup in partner.items()):
            key = sum(1 << index for index in order)
            cost = round_cost(problem, vehicle, order, best.get(key))
            if cost is not None and cost < best.get(key, cost + 1):
                best[key] = cost
    return best


def _earliest_end(problem: Problem, vehicle: Vehicle, order: tuple[int, ...]) -> int | None:
    """When the last stop can be left at the earliest, breaks and loads apart; None: the round cannot grow."""
    legs_s = _shortest_legs_s(problem, vehicle, order)
    now = vehicle.shift[0]
    place = vehicle.start
    for index, leg in zip(order, legs_s, strict=False):
        stop = problem.stops[index]
        there = _there(problem, now, leg)
        starts = _starts(problem, vehicle, stop)
        found = bisect_left(starts, there)
        if found == len(starts):
            return None
        there_already = stop.point == place or stop.point in vehicle.reload_at
        now = starts[found] + stop.service_s + (0 if there_already else stop.setup_s)
        place = stop.point
    return now if now <= vehicle.shift[1] + vehicle.overtime_s_max else None


def _shortest_legs_s(problem: Problem, vehicle: Vehicle, order: tuple[int, ...]) -> list[int]:
    """Seconds of each leg, directly or through an outlet, whichever is less."""
    points = [problem.stops[index].point for index in order]
    legs_s, _ = _legs_between(problem, vehicle, points)
    for outlet in vehicle.reload_at:
        for number, (before, after) in enumerate(pairwise(points), start=1):
            there, _ = _legs_between(problem, vehicle, [before, outlet, after])
            legs_s[number] = min(legs_s[number], sum(there[1:3]))
    return legs_s


def _legs_between(
    problem: Problem, vehicle: Vehicle, points: list[tuple[float, float]]
) -> tuple[list[int], list[int]]:
    table = problem.profiles[vehicle.profile] if vehicle.profile else problem.travel
    places = [vehicle.start, *points, vehicle.end]
    ways = [_way(table, vehicle.speed_factor, before, after) for before, after in pairwise(places)]
    return [leg_s for leg_s, _ in ways], [leg_m for _, leg_m in ways]


@lru_cache(maxsize=10_000)
def _way(
    table: Table, speed: float, before: tuple[float, float] | None, after: tuple[float, float] | None
) -> tuple[int, int]:
    if before is None or after is None:
        return 0, 0
    seconds, metres = table.legs([before], [after])
    no_way = int(seconds[0]) >= 10**8
    return 10**8 if no_way else round(int(seconds[0]) / speed), int(metres[0])


def _there(problem: Problem, now: int, leg: int) -> int:
    """Earliest arrival of who begins the leg now, or waits until the hour changes."""
    if not problem.speed_by_hour or leg >= 10**8:
        return now + leg
    factors = problem.speed_by_hour
    latest = 3600 if now < 3600 else now  # later nothing changes
    return min(begin + round(leg / factors[begin // 3600]) for begin in (now, latest))


def _starts(problem: Problem, vehicle: Vehicle, stop: Stop) -> tuple[int, ...]:
    return _starts_cached(
        stop.windows,
        stop.late_s_max,
        stop.release_s if stop.kind is StopKind.PICKUP else 0,
        tuple(
            window
            for rule in problem.restrictions
            if rule.area == stop.area and vehicle.vehicle_class in rule.vehicle_classes
            for window in rule.windows
        ),
    )


@lru_cache(maxsize=10_000)
def _starts_cached(
    windows: tuple[tuple[int, int], ...], late: int, release: int, closed: tuple[tuple[int, int], ...]
) -> tuple[int, ...]:
    """Every second at which service may start."""
    spans = list(windows) or [(0, 3900)]
    spans[-1] = (spans[-1][0], spans[-1][1] + late)
    return tuple(
        second
        for opens, closes in spans
        for second in range(max(opens, release), closes + 1)
        if not any(first <= second <= last for first, last in closed)
    )


def round_cost(
    problem: Problem, vehicle: Vehicle, order: tuple[int, ...], known: int | None = None
) -> int | None:
    """Cheapest cost of a round in that order, wherever it reloads; None if it breaks a rule.

    What cannot be below a cost that is known is left out.
    """
    best: int | None = None
    for count in range(min(vehicle.reloads_max, len(order) - 1) + 1):
        for gaps in combinations(range(1, len(order)), count):
            for outlets in product(vehicle.reload_at, repeat=count):
                cost = _cost_with(problem, vehicle, order, list(zip(gaps, outlets, strict=True)), known)
                if cost is not None and (known is None or cost < known):
                    best = known = cost
    return best


def _cost_with(
    problem: Problem,
    vehicle: Vehicle,
    order: tuple[int, ...],
    reloads: list[tuple[int, tuple[float, float]]],
    known: int | None,
) -> int | None:
    """Cheapest cost of a round that reloads before those positions, at those outlets."""
    marks = [0, *(gap for gap, _ in reloads), len(order)]
    trips = [[problem.stops[index] for index in order[first:last]] for first, last in pairwise(marks)]
    ready = [_ready(problem, vehicle, trip) for trip in trips]
    stops = list(trips[0])
    starts = [_starts(problem, vehicle, stop) for stop in stops]
    for number, ((_, outlet), trip) in enumerate(zip(reloads, trips[1:], strict=True), start=1):
        if ready[number] is not None:
            stops += [Stop(f"outlet {number}", *outlet, service_s=vehicle.reload_s), *trip]
            starts += [tuple(range(ready[number], 4200)), *(_starts(problem, vehicle, one) for one in trip)]
    legs_s, legs_m = _legs_between(problem, vehicle, [stop.point for stop in stops])
    if (
        None in ready
        or (vehicle.distance_m_max is not None and sum(legs_m) > vehicle.distance_m_max)
        or (vehicle.driving_s_max is not None and sum(legs_s) > vehicle.driving_s_max)
    ):
        return None
    place, durations = vehicle.start, []
    for stop in stops:
        durations.append(stop.service_s + (0 if stop.point == place else stop.setup_s))
        place = stop.point
    once = vehicle.cost_fixed + vehicle.cost_per_stop * len(order)
    if vehicle.territory:
        districts = [problem.stops[index].district for index in order]
        strange = sum(district not in {None, *vehicle.territory} for district in districts)
        once += vehicle.cost_per_strange_stop * strange
    served_s = sum(durations) - vehicle.reload_s * len(reloads)
    hourly = vehicle.cost_per_driving_hour * sum(legs_s) + vehicle.cost_per_service_hour * served_s
    beside_time = once * SCALE + 5 * hourly + 18 * vehicle.cost_per_km * sum(legs_m)
    paid_s = sum(rest.duration_s for rest in vehicle.breaks if rest.paid) + sum(durations)
    paid_s += sum(round(leg_s / max(problem.speed_by_hour, default=1)) for leg_s in legs_s)
    if known is not None and beside_time + 5 * vehicle.cost_per_hour * paid_s >= known:
        return None
    # who leaves later is nowhere earlier: where nothing but that is paid for, the first departure will do
    any_leave = bool(vehicle.cost_per_hour) or vehicle.duration_s_max is not None
    any_leave |= vehicle.duration_s_soft_max is not None
    times = []
    for taken in combinations_with_replacement(range(len(stops) + 1), len(vehicle.breaks)):
        for leave in range(max(vehicle.shift[0], ready[0]), vehicle.shift[1] + vehicle.overtime_s_max + 1):
            cost = _driven(problem, vehicle, stops, starts, durations, legs_s, taken, leave)
            if cost is None:
                break  # nor will any later departure do
            times.append(cost)
            if not any_leave:
                break
    best = min(times, default=TOO_LONG)
    return best + beside_time if best < TOO_LONG else None


def _ready(problem: Problem, vehicle: Vehicle, trip: list[Stop]) -> int | None:
    """When everything the trip brings is ready; None: it parts a pair or is too much for the vehicle."""
    paired = {stop_id for pair in problem.pairs for stop_id in (pair.pickup_id, pair.delivery_id)}
    ids = {stop.stop_id for stop in trip}
    if any((pair.pickup_id in ids) != (pair.delivery_id in ids) for pair in problem.pairs):
        return None
    loaded = [stop for stop in trip if stop.kind is StopKind.DELIVERY and stop.stop_id not in paired]
    for measure, capacity in enumerate(vehicle.capacity):
        level = sum(stop.load[measure] for stop in loaded)
        levels = [level]
        for stop in trip:
            level += stop.load[measure] if stop.kind is StopKind.PICKUP else -stop.load[measure]
            level += stop.collects[measure] if stop.collects else 0
            levels.append(level)
        if max(levels) > capacity:
            return None
    return max((stop.release_s for stop in loaded), default=0)


def _driven(
    problem: Problem,
    vehicle: Vehicle,
    stops: list[Stop],
    possible: list[tuple[int, ...]],
    durations: list[int],
    legs_s: list[int],
    taken: tuple[int, ...],
    leave: int,
) -> int | None:
    """Cost of the time of a round that leaves then and loses no time; pickups wait for their ride limits."""
    limits = {pair.pickup_id: (pair.delivery_id, pair.ride_s_max) for pair in problem.pairs}
    earliest = dict.fromkeys((stop.stop_id for stop in stops), 0)
    while True:
        done = _forward(problem, vehicle, stops, possible, durations, legs_s, taken, leave, earliest)
        if done is None:
            return None
        starts, end = done
        begin = dict(zip((stop.stop_id for stop in stops), starts, strict=True))
        moved = False
        for stop, duration in zip(stops, durations, strict=True):
            delivery, most = limits.get(stop.stop_id, (None, None))
            if most is not None and begin[delivery] - duration - most > begin[stop.stop_id]:
                earliest[stop.stop_id] = begin[delivery] - duration - most
                moved = True
        if not moved:
            break
    if vehicle.duration_s_max is not None and end - leave > vehicle.duration_s_max:
        return TOO_LONG
    unpaid = sum(rest.duration_s for rest in vehicle.breaks if not rest.paid)
    cost = vehicle.cost_per_hour * (end - leave - unpaid)
    cost += vehicle.overtime_cost_per_hour * max(0, end - vehicle.shift[1])
    if vehicle.duration_s_soft_max is not None:
        cost += vehicle.cost_per_hour_after_soft_max * max(0, end - leave - vehicle.duration_s_soft_max)
    for stop, start in zip(stops, starts, strict=True):
        if stop.late_cost_per_hour:
            due = stop.windows[-1][1] if stop.requested_s is None else stop.requested_s
            cost += stop.late_cost_per_hour * max(0, start - due)
    return 5 * cost


def _forward(
    problem: Problem,
    vehicle: Vehicle,
    stops: list[Stop],
    possible: list[tuple[int, ...]],
    durations: list[int],
    legs_s: list[int],
    taken: tuple[int, ...],
    leave: int,
    earliest: dict[str, int],
) -> tuple[list[int], int] | None:
    now, starts = leave, []
    for position, leg in enumerate(legs_s):
        ready = _there(problem, now, leg)
        for rest, place in zip(vehicle.breaks, taken, strict=True):
            if place == position:
                begin = next((max(now, first) for first, last in rest.windows if now <= last), None)
                if begin is None:
                    return None
                ready += rest.duration_s
                now = begin + rest.duration_s
        now = max(now, ready)
        if position == len(stops):
            break
        stop = stops[position]
        found = bisect_left(possible[position], max(now, earliest[stop.stop_id]))
        if found == len(possible[position]):
            return None
        starts.append(possible[position][found])
        now = starts[-1] + durations[position]
    return (starts, now) if now <= vehicle.shift[1] + vehicle.overtime_s_max else None
