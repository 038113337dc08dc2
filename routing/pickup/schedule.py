"""When to be where on a round whose order of stops is given.

Nothing here knows stops or vehicles: a round is a row of legs, service times and windows. All values are
    seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.pickup.values import Windows


@dataclass(frozen=True, slots=True)
class Reloading:
    """A reload of a round.

    Attributes:
        after: so many stops come before it.
        outlet: number among the vehicle's outlets.
        arrival_s, start_s: when the vehicle is there, and when the reload begins.
    """

    after: int
    outlet: int
    arrival_s: int
    start_s: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """Moments of a round: leaving, each arrival and start of service, the end, breaks and reloads.

    A break is told by the number of stops before it and the moment it starts.
    """

    start_s: int
    arrivals: tuple[int, ...]
    services: tuple[int, ...]
    end_s: int
    rests: tuple[tuple[int, int], ...] = ()
    reloads: tuple[Reloading, ...] = ()

    @property
    def duration_s(self) -> int:
        """From the start to the end of the round."""
        return self.end_s - self.start_s


def earliest_start(windows: Windows, arrival_s: int) -> int | None:
    """First moment at which service may start for someone who arrives then; None: too late."""
    for opens, closes in windows:
        if arrival_s <= closes:
            return max(arrival_s, opens)
    return None


def latest_start(windows: Windows, limit_s: int) -> int | None:
    """Last moment at which service may start that is not after the limit; None: there is none."""
    for opens, closes in reversed(windows):
        if opens <= limit_s:
            return min(limit_s, closes)
    return None


def timetable(
    travel_s: Sequence[int],
    service_s: Sequence[int],
    windows: Sequence[Windows],
    leave_s: tuple[int, int],
    end_s: int,
) -> Timetable | None:
    """The shortest timetable of a round, and of these the earliest.

    Leaving later never lets one arrive earlier, so only departures matter that are the last ones for their
    moment of return. Starting with the earliest departure, each is found by going forward (when is the
    return?) and back (how late may one leave for it?); the next one to look at leaves a second later.
    Every step either ends the search or puts a stop into a later window, so there are at most as many
    steps as windows.

    Args:
        travel_s: the legs, from the start to the first stop, ..., from the last stop to the end.
        service_s: at each stop.
        windows: of each stop, in order; never empty.
        leave_s: first and last moment to leave.
        end_s: be back no later.

    Returns:
        None if no departure keeps all windows and the end.
    """
    best: Timetable | None = None
    now_s, last_s = leave_s
    while now_s <= last_s:
        run = forward(travel_s, service_s, windows, now_s, end_s)
        if run is None:
            return best
        last_leave_s = min(last_s, _latest_departure(travel_s, service_s, windows, run.end_s))
        run = forward(travel_s, service_s, windows, last_leave_s, end_s) or run
        if best is None or run.duration_s < best.duration_s:
            best = run
        if run.arrivals == run.services:  # no wait: nothing can be shorter
            return best
        now_s = last_leave_s + 1
    return best


def forward(
    travel_s: Sequence[int],
    service_s: Sequence[int],
    windows: Sequence[Windows],
    leave_s: int,
    end_s: int,
) -> Timetable | None:
    """The timetable of a round that leaves at a given moment and loses no time.

    Args:
        travel_s, service_s, windows, end_s: see `timetable`.
        leave_s: the departure.

    Returns:
        None if a window or the end would be missed.
    """
    now_s = leave_s
    arrivals, services = [], []
    for leg_s, duration_s, open_windows in zip(travel_s, service_s, windows, strict=False):
        now_s += leg_s
        begin_s = earliest_start(open_windows, now_s)
        if begin_s is None:
            return None
        arrivals.append(now_s)
        services.append(begin_s)
        now_s = begin_s + duration_s
    now_s += travel_s[-1]
    return Timetable(leave_s, tuple(arrivals), tuple(services), now_s) if now_s <= end_s else None


def lateness(
    travel_s: Sequence[int],
    service_s: Sequence[int],
    windows: Sequence[Windows],
    leave_s: int,
    end_s: int,
) -> tuple[int, int] | None:
    """Where a round that leaves then and loses no time is late first.

    Returns:
        The position of the stop, or the number of stops for the end of the round, and by how much; None if
        nowhere.
    """
    now_s = leave_s
    for position, (leg_s, open_windows) in enumerate(zip(travel_s, windows, strict=False)):
        begin_s = earliest_start(open_windows, now_s + leg_s)
        if begin_s is None:
            return position, now_s + leg_s - open_windows[-1][1]
        now_s = begin_s + service_s[position]
    late_s = now_s + travel_s[-1] - end_s
    return (len(windows), late_s) if late_s > 0 else None


def _latest_departure(
    travel_s: Sequence[int], service_s: Sequence[int], windows: Sequence[Windows], end_s: int
) -> int:
    """Latest moment to leave for being back at a moment that is known to be possible."""
    now_s = end_s
    for stop in range(len(service_s) - 1, -1, -1):
        begin_s = latest_start(windows[stop], now_s - travel_s[stop + 1] - service_s[stop])
        assert begin_s is not None, "a round that can be driven forward can be driven backward"
        now_s = begin_s
    return now_s - travel_s[0]
