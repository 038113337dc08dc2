"""When parcels have been sorted: at a place that closes, only its open hours count as work."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from routing.network.hours import WorkingHours

_NEVER = 1 << 62


class OpenTime:
    """The open hours of a place on some local dates, so that work in them can be counted."""

    __slots__ = ("_ends", "_starts", "_worked")

    def __init__(self, hours: WorkingHours, first_day: date, days: int) -> None:
        windows = hours.windows(first_day, days)
        self._starts = [start for start, _ in windows]
        self._ends = [end for _, end in windows]
        # Open seconds up to the end of each window.
        self._worked = list(accumulate(end - start for start, end in windows))

    def done(self, moment: int, work_s: int) -> int:
        """When work that lies ready at a moment is done; never later for what is ready earlier.

        Args:
            moment: seconds since 1970-01-01 UTC.
            work_s: seconds of open time it takes; what takes none is done at once, open or not.

        Returns:
            Seconds since 1970-01-01 UTC, far in the future where the dates do not hold so much open time.
        """
        if not work_s:
            return moment
        current = bisect_right(self._ends, moment)
        if current == len(self._ends):
            return _NEVER
        before = self._worked[current - 1] if current else 0
        needed = before + max(0, moment - self._starts[current]) + work_s
        last = bisect_left(self._worked, needed, current)
        if last == len(self._worked):
            return _NEVER
        return self._ends[last] - (self._worked[last] - needed)


class Sorting:
    """When parcels have been sorted at the places of a network, on some local dates.

    Args:
        sort_s: by position of the place, seconds of work.
        hours: by position of the place; None where it does not close for sorting.
        first_day: local date.
        days: how many dates; what lies ready at any moment of the first half has the other half ahead of it.
    """

    __slots__ = ("_days", "_first_day", "_hours", "_known", "_sort_s")

    def __init__(
        self, sort_s: Sequence[int], hours: Sequence[WorkingHours | None], first_day: date, days: int
    ) -> None:
        self._sort_s = sort_s
        self._hours = hours
        self._first_day = first_day
        self._days = days
        self._known: dict[int, OpenTime] = {}

    def done(self, place: int, arrival: int) -> int:
        """When what arrives at a place has been sorted; moments in seconds since 1970-01-01 UTC."""
        hours = self._hours[place]
        if hours is None:
            return arrival + self._sort_s[place]
        open_time = self._known.get(place)
        if open_time is None:
            open_time = self._known[place] = OpenTime(hours, self._first_day, self._days)
        return open_time.done(arrival, self._sort_s[place])
