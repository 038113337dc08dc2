"""Every order of few stops: the cheapest plan of all, proven.

Rounds grow stop by stop while they can keep the rules; each set of stops keeps its cheapest round on each
vehicle, and dynamic programming over sets shares the stops out. Worth it up to eight stops: there are 109,600
orders of eight stops and fewer, most of which break a rule early or cost too much at a glance.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from routing.pickup.costs import (
    COST_SCALE,
    cost_per_metre_scaled,
    cost_per_second_scaled,
    per_second_scaled,
)
from routing.pickup.effort import Effort
from routing.pickup.instance import Instance, Sequences
from routing.pickup.matrix import IntArray
from routing.pickup.schedule import earliest_start

STOPS_MAX = 8
_LOOKS_A_CLOCK = 256


@dataclass(frozen=True, slots=True)
class _Grown:
    """The first part of a round: what it has used up so far."""

    stops: tuple[int, ...]
    members: int
    ready_s: int
    driving_s: int
    metres: int
    service_s: int


def improve(instance: Instance, sequences: Sequences, effort: Effort) -> Sequences:
    """The cheapest rounds of all; those given if the time is over before they are found.

    Args:
        instance: the problem, with at least one vehicle and at most `STOPS_MAX` stops.
        sequences: rounds that keep all rules.
        effort: clock of the run; steps do not limit it.
    """
    best: dict[int, tuple[int, list[tuple[int, ...]]]] = {0: (0, [])}
    for vehicle in range(len(instance.vehicles)):
        rounds = _Vehicle(instance, vehicle).rounds(effort)
        if rounds is None:
            return sequences
        shared: dict[int, tuple[int, list[tuple[int, ...]]]] = {}
        for served, (cost, chosen) in best.items():
            for members, (extra, stops) in rounds.items():
                known = shared.get(served | members)
                if not served & members and (known is None or cost + extra < known[0]):
                    shared[served | members] = (cost + extra, [*chosen, stops])
        best = shared
    penalties = instance.penalties

    def total(served: int) -> int:
        left = (penalty for stop, penalty in enumerate(penalties) if not served >> stop & 1)
        return best[served][0] + sum(left)

    found = [list(stops) for stops in best[min(best, key=total)][1]]
    before, after = instance.cost(sequences), instance.cost(found)
    assert before is not None, "rounds that keep the rules"
    assert after is not None, "rounds that keep the rules"
    return found if after < before else sequences


class _Vehicle:
    """All rounds of one vehicle."""

    def __init__(self, instance: Instance, vehicle: int) -> None:
        self.instance = instance
        self.vehicle = vehicle
        self.limits = instance.vehicles[vehicle]
        profile = instance.profile[vehicle]
        self.driving = self._shortest(instance.seconds[profile]).tolist()
        self.seconds = [instance.rules.at_best(row) for row in self.driving]
        self.metres = self._shortest(instance.distances[profile]).tolist()
        self.allowed = [stop for stop in range(len(instance.stops)) if instance.eligible[stop, vehicle]]
        self.windows = [instance.rules.windows(self.limits, stop) for stop in instance.stops]
        self.paid_breaks_s = sum(rest.duration_s for rest in self.limits.breaks if rest.paid)

    def _shortest(self, table: IntArray) -> IntArray:
        """Ways from node to node, through an outlet where that is shorter."""
        for outlet in self.instance.reload_nodes[self.vehicle] if self.limits.reloads else ():
            table = np.minimum(table, table[:, outlet, None] + table[None, outlet, :])
        return table

    def rounds(self, effort: Effort) -> dict[int, tuple[int, tuple[int, ...]]] | None:
        """The cheapest cost and order of each set of stops (a bit a stop); None: the time is over."""
        best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
        stack = [_Grown((), 0, self.limits.shift[0], 0, 0, 0)]
        looks = 0
        while stack:
            looks += 1
            if looks % _LOOKS_A_CLOCK == 0 and effort.left() <= 0:
                return None
            grown = stack.pop()
            for stop in self.allowed:
                longer = None if grown.members >> stop & 1 else self._with(grown, stop)
                if longer is None:
                    continue
                stack.append(longer)
                known = best.get(longer.members)
                if known is None or self._at_least(longer) < known[0]:
                    cost = self.instance.route_cost(self.vehicle, longer.stops)
                    if cost is not None and (known is None or cost < known[0]):
                        best[longer.members] = (cost, longer.stops)
        return best

    def _with(self, grown: _Grown, stop: int) -> _Grown | None:
        """The part with one more stop, None if no round can begin like this."""
        limits, instance = self.limits, self.instance
        partner = instance.partner[stop]
        if partner >= 0 and instance.is_delivery[stop] and not grown.members >> partner & 1:
            return None
        if limits.stops_max is not None and len(grown.stops) >= limits.stops_max:
            return None
        last = grown.stops[-1] if grown.stops else instance.start_node[self.vehicle]
        place = instance.stops[last].point if grown.stops else limits.start
        value = instance.stops[stop]
        start_s = earliest_start(self.windows[stop], grown.ready_s + self.seconds[last][stop])
        if start_s is None or start_s > limits.latest_end_s:
            return None
        driving_s = grown.driving_s + self.driving[last][stop]
        metres = grown.metres + self.metres[last][stop]
        if limits.driving_s_max is not None and driving_s > limits.driving_s_max:
            return None
        if limits.distance_m_max is not None and metres > limits.distance_m_max:
            return None
        stops = (*grown.stops, stop)
        if not limits.reloads and self._overloaded(stops):
            return None
        there_already = value.point == place or (limits.reloads and value.point in limits.reload_at)
        duration_s = value.service_s + (0 if there_already else value.setup_s)
        return _Grown(
            stops,
            grown.members | 1 << stop,
            start_s + duration_s,
            driving_s,
            metres,
            grown.service_s + duration_s,
        )

    def _overloaded(self, stops: tuple[int, ...]) -> bool:
        """What is delivered later can only add to the load."""
        changes = [self.instance.rules.load_change(self.instance.stops[stop]) for stop in stops]
        begun = [sum(change.at_start for change in changes), *(change.change for change in changes)]
        return any(bool((level > self.instance.capacity[self.vehicle]).any()) for level in accumulate(begun))

    def _at_least(self, grown: _Grown) -> int:
        """A cost below that of the round that ends here."""
        limits = self.limits
        end = self.instance.end_node[self.vehicle]
        last = grown.stops[-1]
        metres = grown.metres + self.metres[last][end]
        driving_s = grown.driving_s + self.driving[last][end]
        duration_s = grown.service_s + self.paid_breaks_s + self._fastest_s(grown.stops, end)
        cost: int = (
            (limits.cost_fixed + limits.cost_per_stop * len(grown.stops)) * COST_SCALE
            + metres * cost_per_metre_scaled(limits)
            + duration_s * cost_per_second_scaled(limits)
            + per_second_scaled(limits.cost_per_driving_hour) * driving_s
            + per_second_scaled(limits.cost_per_service_hour) * grown.service_s
        )
        return cost

    def _fastest_s(self, stops: tuple[int, ...], end: int) -> int:
        nodes = [self.instance.start_node[self.vehicle], *stops, end]
        return sum(self.seconds[one][other] for one, other in pairwise(nodes))
