"""Where a round with a given order of stops may be parted by reloads.

A trip is what lies between two reloads. It fits if everything that is aboard at any moment of it does; a pair
may not be parted.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from routing.pickup.costs import cost_per_metre_scaled, cost_per_second_scaled, per_second_scaled
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.schedule import earliest_start

if TYPE_CHECKING:
    from routing.pickup.instance import Instance

_State = tuple[int, int, tuple[tuple[int, int], ...]]
"""What a part of a round has come to, the moment it is over, and its reloads."""


def limits_of(instance: "Instance", vehicle: int, stops: Sequence[int]) -> tuple[list[int], list[bool]]:
    """How many stops a trip that begins with each stop may have, and before which stops a reload may lie."""
    at_start, change = instance.load_changes(stops)
    capacity = instance.capacity[vehicle]
    longest = []
    for first in range(len(stops)):
        most = np.maximum.accumulate(np.maximum(np.cumsum(change[first:], axis=0), 0), axis=0)
        fits = (np.cumsum(at_start[first:], axis=0) + most <= capacity).all(axis=1)
        longest.append(len(fits) if fits.all() else int(fits.argmin()))
    may_part = [True] * len(stops)
    position = {stop: number for number, stop in enumerate(stops)}
    for number, stop in enumerate(stops):
        partner = position.get(instance.partner[stop], number)
        for between in range(number + 1, partner + 1):
            may_part[between] = False
    return longest, may_part


def splits(
    instance: "Instance", vehicle: int, stops: Sequence[int], longest: Sequence[int], may_part: Sequence[bool]
) -> Iterator[tuple[tuple[int, int], ...]]:
    """Good choices of reloads: for each number of them the one of least money, and that which ends first.

    They are found with the clock made simple; whether they keep all rules is for the caller to see.
    """
    known = set()
    for by_time in (False, True):
        for reloads in _Split(instance, vehicle, stops, by_time=by_time).best(longest, may_part):
            if reloads not in known:
                known.add(reloads)
                yield reloads


class _Split:
    """Dynamic programming over the trips of one round."""

    def __init__(self, instance: "Instance", vehicle: int, stops: Sequence[int], *, by_time: bool) -> None:
        limits = instance.vehicles[vehicle]
        profile = instance.profile[vehicle]
        outlets = list(instance.reload_nodes[vehicle])
        nodes = list(stops)
        seconds, metres = instance.seconds[profile], instance.distances[profile]
        self.by_time = by_time
        self.direct_s = [0, *seconds[nodes[:-1], nodes[1:]].tolist()]
        self.direct_m = [0, *metres[nodes[:-1], nodes[1:]].tolist()]
        via_s = seconds[np.ix_(nodes, outlets)][:-1] + seconds[np.ix_(outlets, nodes)].T[1:] + limits.reload_s
        via_m = metres[np.ix_(nodes, outlets)][:-1] + metres[np.ix_(outlets, nodes)].T[1:]
        second = cost_per_second_scaled(limits) + per_second_scaled(limits.cost_per_driving_hour)
        price = via_s.astype(np.int64) * max(second, 1) + via_m.astype(np.int64) * cost_per_metre_scaled(
            limits
        )
        nearest = (via_s if by_time else price).argmin(axis=1)
        rows = np.arange(len(nodes) - 1)
        self.outlet = [0, *nearest.tolist()]
        self.via_s = [0, *via_s[rows, nearest].tolist()]
        self.via_cost = [0, *price[rows, nearest].tolist()]
        self.direct_cost = [
            leg_s * max(second, 1) + leg_m * cost_per_metre_scaled(limits)
            for leg_s, leg_m in zip(self.direct_s, self.direct_m, strict=True)
        ]
        self.service_s = [instance.service_s[stop] for stop in nodes]
        self.windows = [instance.rules.windows(limits, instance.stops[stop]) for stop in nodes]
        start = instance.start_node[vehicle]
        self.begin_s = limits.shift[0] + int(seconds[start, nodes[0]])
        self.reloads_max = limits.reloads_max

    def best(self, longest: Sequence[int], may_part: Sequence[bool]) -> Iterator[tuple[tuple[int, int], ...]]:
        """For each number of reloads the best choice, if there is one."""
        count = len(self.service_s)
        begun: dict[int, _State] = {0: (0, self.begin_s, ())}  # by the first stop of a trip that is to begin
        for _ in range(self.reloads_max + 1):
            ended: dict[int, _State] = {}
            for first, (cost, arrival_s, reloads) in sorted(begun.items()):
                now_s: int | None = arrival_s
                for stop in range(first, min(count, first + longest[first])):
                    if stop > first:
                        assert now_s is not None, "the trip goes on"
                        cost, now_s = cost + self.direct_cost[stop], now_s + self.direct_s[stop]
                    now_s = earliest_start(self.windows[stop], now_s) if now_s is not None else None
                    if now_s is None or now_s >= UNREACHABLE:
                        break
                    now_s += self.service_s[stop]
                    self._keep(ended, stop + 1, (cost, now_s, reloads))
            if count in ended:
                yield ended[count][2]
            begun = {
                end: (
                    cost + self.via_cost[end],
                    now_s + self.via_s[end],
                    (*reloads, (end, self.outlet[end])),
                )
                for end, (cost, now_s, reloads) in ended.items()
                if end < count and may_part[end] and self.via_s[end] < UNREACHABLE
            }

    def _keep(self, ended: dict[int, _State], end: int, state: _State) -> None:
        known = ended.get(end)
        order = (1, 0) if self.by_time else (0, 1)
        if known is None or [state[one] for one in order] < [known[one] for one in order]:
            ended[end] = state
