"""Where a stop could be put: the gaps between neighbours on all rounds, judged at once.

Every round is summed up once as rows of a numpy table, one row a gap. Judging a stop against all gaps of a
day is then a few dozen array operations (about 0.2 ms for 3,000 gaps), whatever the number of rounds.

Time is judged in two ways. Whether a stop fits is exact: the earliest departure before the gap and the
latest arrival after it. What it costs follows from the minimal duration of the round's parts before and
after the gap, joined as in Vidal, Crainic, Gendreau and Prins (2013), "A hybrid genetic algorithm with
adaptive diversity management for a large class of vehicle routing problems with time-windows", section
4.2. It is exact where each stop has one window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import (
    COST_SCALE,
    cost_per_metre_scaled,
    cost_per_second_scaled,
    per_second_scaled,
)
from routing.pickup.parts import earliest_starts, latest_arrivals, parts, window_at
from routing.pickup.problem import MEASURES, Stop, Vehicle
from routing.pickup.rules import LoadChange

Ints: TypeAlias = npt.NDArray[np.int64]
NOT_POSSIBLE = 2**62
"""Cost of putting a stop where it does not fit."""


@lru_cache(maxsize=8)
def gap_type(measures: int) -> np.dtype[np.void]:
    """Row of a gap, for loads of so many measures; all integers."""
    return np.dtype(
        [
            ("vehicle", np.int64),
            ("position", np.int64),  # the new stop would be the one at this position of the round
            ("previous", np.int64),  # nodes on both sides
            ("next", np.int64),
            ("leg_s", np.int64),  # the leg that would be replaced
            ("leg_m", np.int64),
            ("departure_s", np.int64),  # earliest departure from the node before
            ("latest_s", np.int64),  # latest arrival at the node after
            ("before", np.int64, 3),  # `Part` up to the node before
            ("after", np.int64, 3),  # `Part` from the node after
            ("duration_s", np.int64),  # of the round as it is; zero if unused
            ("soft_s", np.int64),  # a longer duration costs more
            ("load_before", np.int64, measures),  # most that is aboard up to the gap, by measure
            ("load_here", np.int64, measures),  # what is aboard in the gap
            ("load_after", np.int64, measures),  # most that is aboard from the gap on
            ("stops_left", np.int64),  # how many more stops, metres and seconds of driving there may be
            ("metres_left", np.int64),
            ("driving_left", np.int64),
            ("fixed", np.int64),  # cost of using the vehicle at all, zero if it is in use
        ]
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """What judging needs of the vehicles, as arrays."""

    capacity: Ints
    per_second: Ints
    per_metre: Ints
    per_driving_second: Ints
    per_second_after_soft: Ints

    @staticmethod
    def of(vehicles: Sequence[Vehicle]) -> "Fleet":
        """Arrays of the vehicles' capacities and costs."""
        return Fleet(
            capacity=np.array([vehicle.capacity for vehicle in vehicles], dtype=np.int64),
            per_second=np.array([cost_per_second_scaled(vehicle) for vehicle in vehicles], dtype=np.int64),
            per_metre=np.array([cost_per_metre_scaled(vehicle) for vehicle in vehicles], dtype=np.int64),
            per_driving_second=np.array(
                [per_second_scaled(vehicle.cost_per_driving_hour) for vehicle in vehicles], dtype=np.int64
            ),
            per_second_after_soft=np.array(
                [per_second_scaled(vehicle.cost_per_hour_after_soft_max) for vehicle in vehicles],
                dtype=np.int64,
            ),
        )


@dataclass(frozen=True, slots=True)
class Driven:
    """The part of a running round that cannot be changed any more.

    Attributes:
        leave_s: when the vehicle goes on from its last fixed place.
        since_s: when it left.
        stops, metres: what it has done by then.
        load: what is aboard by then, by measure.
    """

    leave_s: int
    since_s: int
    stops: int
    metres: int
    driving_s: int
    load: Ints


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one stop suits all gaps (arrays, one entry a gap).

    Attributes:
        cost: extra cost in 1 / COST_SCALE minor units, `NOT_POSSIBLE` where it does not fit.
        late_s: how much too late something would become; zero where the time suffices.
        excess: by measure, how much would be over capacity; zero where it fits.
        excess_m, excess_stops, excess_driving_s: how far over the round's limits; zero where it fits.
    """

    cost: Ints
    late_s: Ints
    excess: Ints
    excess_m: Ints
    excess_stops: Ints
    excess_driving_s: Ints


def gaps_of_round(
    vehicle: int,
    limits: Vehicle,
    nodes: Sequence[int],
    stops: Sequence[Stop],
    travel_s: Sequence[int],
    legs_m: Sequence[int],
    levels: Ints,
    leave_s: int | None = None,
    driven: Driven | None = None,
) -> npt.NDArray[np.void]:
    """The gaps of one round that keeps all rules.

    Breaks, setup and closed hours are not seen: what fits by these gaps may still not fit by all rules.

    Args:
        vehicle: number to write into the rows.
        limits: the vehicle.
        nodes: the start, the stops, and the end.
        stops: the stops in the order of visit.
        travel_s, legs_m: the legs between the nodes.
        levels: what is aboard at the start and after each of the stops (`Rules.levels`).
        leave_s: the round leaves no earlier than this; None: than the shift's start.
        driven: what is fixed already; nodes and stops are then those that follow, and the first node is
            the last fixed place.

    Returns:
        One row a gap (number of stops + 1).
    """
    begin_s, end_s = limits.shift[0] if leave_s is None else leave_s, limits.latest_end_s
    leaving = (begin_s, end_s) if driven is None else (driven.leave_s, driven.leave_s)
    windows = [(leaving,), *(stop.open_windows for stop in stops), ((leaving[0], end_s),)]
    service_s = [0, *(stop.service_s for stop in stops), 0]
    starts = earliest_starts(travel_s, service_s, windows)
    latest = latest_arrivals(travel_s, service_s, windows)
    in_use = [window_at(open_windows, start) for open_windows, start in zip(windows, starts, strict=True)]
    before, after = parts(travel_s, service_s, in_use)
    stops_done, metres_done, driving_done = len(stops), 0, 0
    if driven is not None:
        levels = levels - levels[0] + driven.load
        stops_done, metres_done = stops_done + driven.stops, driven.metres
        driving_done = driven.driving_s
    # an unused vehicle drives no leg and takes no time: its first stop brings the whole cost
    used = bool(stops_done)
    gaps = np.empty(len(stops) + 1, dtype=gap_type(levels.shape[1]))
    gaps["vehicle"] = vehicle
    gaps["position"] = np.arange(len(stops) + 1)
    gaps["previous"] = nodes[:-1]
    gaps["next"] = nodes[1:]
    gaps["leg_s"] = travel_s if used else 0
    gaps["leg_m"] = legs_m if used else 0
    gaps["departure_s"] = [
        start + service for start, service in zip(starts[:-1], service_s[:-1], strict=True)
    ]
    gaps["latest_s"] = latest[1:]
    gaps["before"] = before[:-1]
    gaps["after"] = after[1:]
    gaps["duration_s"] = before[-1][0] if used else 0
    gaps["load_before"] = np.maximum.accumulate(levels)
    gaps["load_here"] = levels
    gaps["load_after"] = np.maximum.accumulate(levels[::-1])[::-1]
    gaps["soft_s"] = _soft_s(limits, driven)
    stops_max, metres_max, driving_max = limits.stops_max, limits.distance_m_max, limits.driving_s_max
    gaps["stops_left"] = NOT_POSSIBLE if stops_max is None else stops_max - stops_done
    metres_done += sum(legs_m) if used else 0
    gaps["metres_left"] = NOT_POSSIBLE if metres_max is None else metres_max - metres_done
    driving_done += sum(travel_s) if used else 0
    gaps["driving_left"] = NOT_POSSIBLE if driving_max is None else driving_max - driving_done
    gaps["fixed"] = 0 if used else limits.cost_fixed * COST_SCALE
    return gaps


def _soft_s(limits: Vehicle, driven: Driven | None) -> int:
    """How long what is not driven yet may last before it costs more."""
    if limits.duration_s_soft_max is None:
        return NOT_POSSIBLE
    return limits.duration_s_soft_max - (0 if driven is None else driven.leave_s - driven.since_s)


def joined(pieces: Sequence[npt.NDArray[np.void]]) -> npt.NDArray[np.void]:
    """Rows of several rounds in one table.

    The rows are joined as plain integers: numpy compares record types field by field, which took most of
        the time.
    """
    if not pieces:
        return np.empty(0, dtype=gap_type(len(MEASURES)))
    return np.concatenate([piece.view(np.int64) for piece in pieces]).view(pieces[0].dtype)


def judge(
    stop: Stop,
    change: LoadChange,
    gaps: npt.NDArray[np.void],
    fleet: Fleet,
    to_s: Ints,
    to_m: Ints,
    from_s: Ints,
    from_m: Ints,
    at_stop: Ints,
) -> Verdict:
    """Judge putting a stop into each gap. Skills and locks are the caller's.

    Args:
        stop: the stop.
        change: what it does to the load.
        gaps: rows of `gaps_of_round`, of any number of rounds.
        fleet: the vehicles which the rows' numbers mean.
        to_s, to_m: from the node before each gap to the stop.
        from_s, from_m: from the stop to the node after each gap.
        at_stop: what serving the stop costs each vehicle (a row of `costs.at_stop_scaled`).
    """
    vehicle = gaps["vehicle"]
    best_late_s = np.full(len(gaps), NOT_POSSIBLE, dtype=np.int64)
    best_duration_s = np.full(len(gaps), NOT_POSSIBLE, dtype=np.int64)
    arrival_s = gaps["departure_s"] + to_s
    for window in stop.open_windows:
        start_s = np.maximum(arrival_s, window[0])
        late_s = np.maximum(arrival_s - window[1], start_s + stop.service_s + from_s - gaps["latest_s"])
        late_s = np.maximum(late_s, 0)
        duration_s = _joined_duration(gaps, window, stop.service_s, to_s, from_s)
        best_duration_s = np.where(late_s == 0, np.minimum(best_duration_s, duration_s), best_duration_s)
        best_late_s = np.minimum(best_late_s, late_s)
    most = gaps["load_before"] + change.at_start
    if change.paired:  # what follows depends on where the other stop of the pair is
        most = np.maximum(most, gaps["load_here"] + change.change)
    else:
        most = np.maximum(most, gaps["load_after"] + (change.at_start + change.change))
    excess = np.maximum(most - fleet.capacity[vehicle], 0)
    extra_m = to_m + from_m - gaps["leg_m"]
    excess_m = np.maximum(extra_m - gaps["metres_left"], 0)
    extra_driving_s = to_s + from_s - gaps["leg_s"]
    excess_driving_s = np.maximum(extra_driving_s - gaps["driving_left"], 0)
    excess_stops = np.maximum(1 - gaps["stops_left"], 0)
    fits = (best_late_s == 0) & ~excess.any(axis=1)
    fits &= (excess_m == 0) & (excess_stops == 0) & (excess_driving_s == 0)
    extra_s = np.where(fits, best_duration_s - gaps["duration_s"], 0)
    cost = gaps["fixed"] + extra_s * fleet.per_second[vehicle] + extra_m * fleet.per_metre[vehicle]
    longer_s = np.maximum(gaps["duration_s"] + extra_s - gaps["soft_s"], 0)
    longer_s -= np.maximum(gaps["duration_s"] - gaps["soft_s"], 0)
    cost += longer_s * fleet.per_second_after_soft[vehicle]
    cost += extra_driving_s * fleet.per_driving_second[vehicle] + at_stop[vehicle]
    return Verdict(
        np.where(fits, cost, NOT_POSSIBLE), best_late_s, excess, excess_m, excess_stops, excess_driving_s
    )


def _joined_duration(
    gaps: npt.NDArray[np.void], window: tuple[int, int], service_s: int, to_s: Ints, from_s: Ints
) -> Ints:
    """Minimal duration of: part before, way, the stop, way, part after."""
    before, after = gaps["before"], gaps["after"]
    elapsed = before[:, 0] + to_s
    wait = np.maximum(window[0] - elapsed - before[:, 2], 0)
    duration = elapsed + service_s + wait
    early = np.maximum(window[0] - elapsed, before[:, 1]) - wait
    late = np.minimum(window[1] - elapsed, before[:, 2])
    late = np.maximum(late, early)
    elapsed = duration + from_s
    wait = np.maximum(after[:, 1] - elapsed - late, 0)
    total: Ints = elapsed + after[:, 0] + wait
    return total
