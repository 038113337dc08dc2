"""A round as its timetable needs it: legs, tasks and the shift, in plain seconds and costs."""

from dataclasses import dataclass

from routing.pickup.values import HORIZON_S, Windows


@dataclass(frozen=True, slots=True)
class Task:
    """One stop as its timetable needs it: windows and length, and the cost of a late start."""

    windows: Windows
    duration_s: int
    due_s: int = HORIZON_S
    late_cost_per_s: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """One vehicle as its timetable needs it.

    Attributes:
        leave_s: first and last moment to leave.
        end_s: end of the shift.
        latest_end_s: with overtime.
        longest_s: limit of the time from leaving to the end; None: none.
        cost_per_s, overtime_cost_per_s: in one unit with the tasks' late costs.
        breaks: windows and length of each, in order.
        soft_s: from that length of the round on, a second costs `after_soft_per_s` more; None: from none.
        earliest_end_s: who is back before then waits.
    """

    leave_s: tuple[int, int]
    end_s: int
    latest_end_s: int
    cost_per_s: int = 0
    overtime_cost_per_s: int = 0
    breaks: tuple[tuple[Windows, int], ...] = ()
    longest_s: int | None = None
    soft_s: int | None = None
    after_soft_per_s: int = 0
    earliest_end_s: int = 0


@dataclass(frozen=True, slots=True)
class Leg:
    """A way between two places: (first second, last second, travel time) of departure, in order."""

    periods: tuple[tuple[int, int, int], ...]

    def arrival_s(self, departure_s: int) -> int | None:
        """Earliest arrival of someone who is ready to leave then; None: it is too late to leave."""
        found = [
            max(departure_s, first) + leg_s for first, last, leg_s in self.periods if departure_s <= last
        ]
        return min(found, default=None)
