"""The cheapest timetable of a round with breaks, late starts, overtime, ride limits and traffic.

Waiting is free to choose, so the question is when to leave and after which stops to take the breaks. It is
answered exactly by dynamic programming over functions: for each place of the round and each number of breaks
taken, the least cost so far as a function of the moment. Since whoever is ready earlier may wait, these
functions never rise; each is a short list of straight pieces on whole seconds. Paying for the hours of the
round enters as a credit for leaving late, as in the forward time slack of Savelsbergh (1992), "The vehicle
routing problem with time windows: minimizing route duration".

Ride-time limits tie two moments together, which such functions cannot see. They are branched upon: where the
cheapest timetable keeps somebody's goods too long aboard, either the pickup is later or the delivery earlier.
So are limits of the round's length, and the length from which it costs more.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from routing.pickup.clockwork import Leg, Shift, Task
from routing.pickup.schedule import Timetable, earliest_start
from routing.pickup.values import HORIZON_S, Windows
from routing.pickup.waiting import Falling, at, capped_and_moved, first_at, least, served

_NODES_MAX = 200
_TIE = 4 * HORIZON_S  # more than the seconds of any round: of two equally cheap timetables the shorter wins


Ride = tuple[int, int, int]
_Group = tuple[int, int, int]
_States = list[Falling | None]


def cheapest(
    legs: Sequence[Leg], tasks: Sequence[Task], shift: Shift, rides: Sequence[Ride] = ()
) -> Timetable | None:
    """The cheapest timetable of a round; of these the shortest.

    Args:
        legs: from the start to the first stop, ..., from the last stop to the end.
        tasks: the stops.
        shift: the vehicle.
        rides: positions of pickup and delivery, and how long the goods may be aboard.

    Returns:
        None if none keeps all rules.
    """
    if not rides and shift.longest_s is None and shift.soft_s is None:
        return _without_rides(legs, tasks, shift)
    for pickup, delivery, longest_s in rides:
        quickest_s = sum(task.duration_s for task in tasks[pickup + 1 : delivery])
        quickest_s += sum(min(leg_s for *_, leg_s in leg.periods) for leg in legs[pickup + 1 : delivery + 1])
        if quickest_s > longest_s:
            return None
    return _branched(legs, tasks, shift, rides)


def time_cost(times: Timetable, tasks: Sequence[Task], shift: Shift) -> int:
    """What a timetable costs beside distance: hours, late starts and overtime; breaks count as paid."""
    late = sum(
        task.late_cost_per_s * max(0, start_s - task.due_s)
        for task, start_s in zip(tasks, times.services, strict=True)
    )
    overtime_s = max(0, times.end_s - shift.end_s)
    long_s = 0 if shift.soft_s is None else max(0, times.duration_s - shift.soft_s)
    hours = shift.cost_per_s * times.duration_s + shift.after_soft_per_s * long_s
    return hours + late + shift.overtime_cost_per_s * overtime_s


def _branched(
    legs: Sequence[Leg], tasks: Sequence[Task], shift: Shift, rides: Sequence[Ride]
) -> Timetable | None:
    order = count()
    heap: list[tuple[int, int, int, Timetable, list[Task], Shift]] = []

    def push(changed: list[Task], hours: Shift) -> None:
        times = _without_rides(legs, changed, hours)
        if times is not None:
            # Its length costs nothing here until it is branched upon, and from then on all that it costs.
            priced = shift if hours.soft_s is None else replace(shift, soft_s=None)
            cost = time_cost(times, changed, priced)
            heapq.heappush(heap, (cost, times.duration_s, next(order), times, changed, hours))

    push(list(tasks), shift)
    for _ in range(_NODES_MAX):
        if not heap:
            return None
        _, _, _, times, current, hours = heapq.heappop(heap)
        if shift.longest_s is not None and times.duration_s > shift.longest_s:
            for other in _shorter(hours, times, shift.longest_s):
                push(current, other)
            continue
        if hours.soft_s is not None and times.duration_s > hours.soft_s:
            for other in _shorter(hours, times, hours.soft_s):
                push(current, other)
            push(current, _longer(hours, times, hours.soft_s))
            continue
        for pickup, delivery, longest_s in rides:
            latest_s = times.services[delivery] - longest_s - tasks[pickup].duration_s
            if times.services[pickup] < latest_s:
                later, earlier = list(current), list(current)
                later[pickup] = _within(current[pickup], latest_s, HORIZON_S)
                earlier[pickup] = _within(current[pickup], 0, latest_s - 1)
                earlier[delivery] = _within(current[delivery], 0, times.services[delivery] - 1)
                push(later, hours)
                push(earlier, hours)
                break
        else:
            return times
    return None


def _shorter(shift: Shift, times: Timetable, longest_s: int) -> Iterator[Shift]:
    """A round that takes too long leaves later or ends earlier."""
    first_s, last_s = shift.leave_s
    latest_s = times.end_s - longest_s
    yield replace(shift, leave_s=(max(first_s, latest_s), last_s))
    yield replace(shift, leave_s=(first_s, min(last_s, latest_s - 1)), latest_end_s=times.end_s - 1)


def _longer(shift: Shift, times: Timetable, soft_s: int) -> Shift:
    """All other rounds: they leave earlier and end no earlier, so that every second of them costs more."""
    first_s, last_s = shift.leave_s
    return replace(
        shift,
        leave_s=(first_s, min(last_s, times.end_s - soft_s - 1)),
        earliest_end_s=times.end_s,
        cost_per_s=shift.cost_per_s + shift.after_soft_per_s,
        soft_s=None,
    )


def _within(task: Task, first_s: int, last_s: int) -> Task:
    windows = ((max(opens, first_s), min(closes, last_s)) for opens, closes in task.windows)
    return replace(task, windows=tuple(window for window in windows if window[0] <= window[1]))


def _without_rides(legs: Sequence[Leg], tasks: Sequence[Task], shift: Shift) -> Timetable | None:
    first_s, last_s = shift.leave_s
    price = shift.cost_per_s * _TIE + 1
    if first_s > last_s:
        return None
    leaving: _States = [[(first_s, -price * first_s, -price), (last_s, -price * last_s, 0)]]
    leaving += [None] * len(shift.breaks)
    groups = _groups(shift.breaks)
    ends = [windows[-1][1] for windows, _ in shift.breaks]
    departures = [leaving]
    for leg, task in zip(legs, tasks, strict=False):
        there = _driven(leaving, leg, groups)
        rate = task.late_cost_per_s * _TIE
        leaving = [
            None if cost is None else served(cost, task.windows, task.due_s, rate, task.duration_s)
            for cost in there
        ]
        leaving = [
            None if cost is not None and number < len(ends) and cost[0][0] > ends[number] else cost
            for number, cost in enumerate(leaving)
        ]  # whoever is later than a break's last window has not taken it in time
        if not any(leaving):
            return None
        departures.append(leaving)
    back = _driven(leaving, legs[-1], groups)[-1]
    end_s = None if back is None else _cheapest_end(back, price, shift)
    if back is None or end_s is None:
        return None
    leave_s, after = _traced(departures, legs, tasks, groups, (end_s, at(back, end_s)))
    return _forward(legs, tasks, shift, leave_s, after)


def _groups(breaks: tuple[tuple[Windows, int], ...]) -> dict[tuple[int, int], list[_Group]]:
    """For each row of breaks on one leg, by windows: latest departure, earliest service, seconds."""
    groups: dict[tuple[int, int], list[_Group]] = {
        (n, n): [(HORIZON_S, 0, 0)] for n in range(len(breaks) + 1)
    }
    for first in range(len(breaks)):
        for after in range(first + 1, len(breaks) + 1):
            windows, duration_s = breaks[after - 1]
            groups[first, after] = [
                (min(latest_s, closes - sum_s), max(ready_s, opens) + duration_s, sum_s + duration_s)
                for latest_s, ready_s, sum_s in groups[first, after - 1]
                for opens, closes in windows
                if ready_s <= closes
            ]
    return groups


def _driven(leaving: _States, leg: Leg, groups: dict[tuple[int, int], list[_Group]]) -> _States:
    """Least cost as a function of the moment at the end of a leg, by the number of breaks taken."""
    there: _States = [None] * len(leaving)
    for before, cost in enumerate(leaving):
        if cost is None:
            continue
        for after in range(before, len(leaving)):
            for first_s, last_s, ready_s, seconds in _ways(leg, groups[before, after]):
                there[after] = least(there[after], capped_and_moved(cost, first_s, last_s, seconds, ready_s))
    return there


def _ways(leg: Leg, group: list[_Group]) -> Iterator[tuple[int, int, int, int]]:
    for first_s, last_s, leg_s in leg.periods:
        for latest_s, ready_s, sum_s in group:
            if first_s <= latest_s:
                yield first_s, min(last_s, latest_s), ready_s, leg_s + sum_s
            else:  # whoever waits for an hour of less traffic may rest meanwhile
                yield 0, latest_s, max(ready_s, first_s + leg_s + sum_s), leg_s + sum_s


def _cheapest_end(back: Falling, price: int, shift: Shift) -> int | None:
    """When to end: the moment from which more waiting only costs."""
    ends = {start_s for start_s, _, _ in back} | {start_s - 1 for start_s, _, _ in back[1:]}
    first_s = max(back[0][0], shift.earliest_end_s)
    ends |= {shift.end_s, shift.latest_end_s, first_s}
    possible = [end_s for end_s in ends if first_s <= end_s <= shift.latest_end_s]
    extra = shift.overtime_cost_per_s * _TIE
    return min(
        possible,
        key=lambda end_s: (at(back, end_s) + price * end_s + extra * max(0, end_s - shift.end_s), end_s),
        default=None,
    )


def _traced(
    departures: list[_States],
    legs: Sequence[Leg],
    tasks: Sequence[Task],
    groups: dict[tuple[int, int], list[_Group]],
    end: tuple[int, int],
) -> tuple[int, list[int]]:
    """The departure that leads to the end at that cost, and after how many stops each break is taken."""
    moment_s, cost = end
    leave_s = 0
    taken = len(departures[0]) - 1
    after: list[int] = []
    for position in range(len(tasks), -1, -1):
        before = next(
            before
            for before in range(taken, -1, -1)
            if _leads_there(
                departures[position][before], legs[position], groups[before, taken], moment_s, cost
            )
        )
        after = [position] * (taken - before) + after
        taken = before
        states = departures[position][before]
        assert states is not None, "the state was found just now"
        leave_s = first_at(states, cost)
        if position:
            task = tasks[position - 1]
            moment_s = leave_s - task.duration_s
            cost -= task.late_cost_per_s * _TIE * max(0, moment_s - task.due_s)
    return leave_s, after


def _leads_there(leaving: Falling | None, leg: Leg, group: list[_Group], moment_s: int, cost: int) -> bool:
    """Tell whether one can be there by then at that cost from this state."""
    if leaving is None:
        return False
    for first_s, last_s, ready_s, seconds in _ways(leg, group):
        leave_s = min(moment_s - seconds, last_s)
        if leave_s >= max(first_s, leaving[0][0]) and moment_s >= ready_s and at(leaving, leave_s) == cost:
            return True
    return False


def _forward(
    legs: Sequence[Leg], tasks: Sequence[Task], shift: Shift, leave_s: int, after: Sequence[int]
) -> Timetable | None:
    """The timetable that leaves then, takes the breaks on those legs, and loses no time."""
    now_s = leave_s
    arrivals: list[int] = []
    services: list[int] = []
    rests: list[tuple[int, int]] = []
    for position, leg in enumerate(legs):
        there_s = leg.arrival_s(now_s)
        if there_s is None:
            return None
        left_s, arrival_s = there_s - now_s, None
        for number in (number for number, place in enumerate(after) if place == position):
            windows, duration_s = shift.breaks[number]
            rest_s = earliest_start(windows, now_s)
            if rest_s is None:
                return None
            if arrival_s is None and now_s + left_s <= rest_s:
                arrival_s = now_s + left_s
            left_s = max(0, left_s - (rest_s - now_s))
            rests.append((position, rest_s))
            now_s = rest_s + duration_s
        now_s += left_s
        if position == len(tasks):
            break
        begin_s = earliest_start(tasks[position].windows, now_s)
        if begin_s is None:
            return None
        arrivals.append(now_s if arrival_s is None else arrival_s)
        services.append(begin_s)
        now_s = begin_s + tasks[position].duration_s
    if now_s > shift.latest_end_s:
        return None
    return Timetable(leave_s, tuple(arrivals), tuple(services), now_s, tuple(rests))
