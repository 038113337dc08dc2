"""When a place works: opening hours, cut-off, rounds and closed days, by its own clocks.

At a sorting centre they say when parcels are sorted. At a place for customers they say when these may come;
what its staff do before and after they settle among themselves, and its lanes have timetables of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from routing.network.clock import MINUTES_PER_DAY, moment_s, zone
from routing.network.errors import InvalidNetworkError

DAYS_PER_WEEK = 7
MINUTES_PER_WEEK = DAYS_PER_WEEK * MINUTES_PER_DAY
COLLECTION_CUTOFF_MINUTE = 16 * 60
"""A door pickup booked before it is collected the same day, unless an outlet has a time of its own."""
ROUND_MINUTES = (8 * 60, 14 * 60)
"""Delivery rounds start at these times, unless an outlet has its own."""

Interval = tuple[int, int]
"""From and to, in minutes; the second is the first minute that no longer counts."""
Window = tuple[int, int]
"""From and to, in seconds since 1970-01-01 UTC."""


def weekly(days: Sequence[Iterable[Interval]]) -> tuple[Interval, ...]:
    """Opening hours in minutes of the week, given day by day.

    Args:
        days: for Monday to Sunday, intervals in minutes after midnight, 0 to 1440, in any order.

    Raises:
        InvalidNetworkError: there are not seven days, or the intervals of a day overlap or cannot be.
    """
    if len(days) != DAYS_PER_WEEK:
        raise InvalidNetworkError(f"a week has seven days, not {len(days)}")
    found: list[Interval] = []
    for number, of_day in enumerate(days):
        midnight = number * MINUTES_PER_DAY
        for start, end in sorted(of_day):
            if not 0 <= start < end <= MINUTES_PER_DAY:
                raise InvalidNetworkError(f"opening hours from minute {start} to {end} are none of a day")
            if found and midnight + start < found[-1][1]:
                raise InvalidNetworkError("opening hours of one day overlap")
            found.append((midnight + start, midnight + end))
    return _joined(found)


ROUND_THE_CLOCK = ((0, MINUTES_PER_WEEK),)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a place works.

    Attributes:
        timezone: IANA name of the zone by whose clocks all of this is meant.
        week: opening hours in minutes after Monday's midnight, in order, each from and to; they neither touch
            nor overlap. Hours that go on after midnight are one interval.
        closed_dates: local dates on which it does not work, holidays for example.
        collection_cutoff_minute: in minutes after midnight. At an outlet, until when a door pickup that is
            booked is collected the same day; at a point, when it is emptied.
        round_minutes: when an outlet's delivery rounds start, in minutes after midnight, rising; on every day
            on which it opens.
    """

    timezone: str
    week: tuple[Interval, ...] = ROUND_THE_CLOCK
    closed_dates: frozenset[date] = frozenset()
    collection_cutoff_minute: int = COLLECTION_CUTOFF_MINUTE
    round_minutes: tuple[int, ...] = ROUND_MINUTES

    def __post_init__(self) -> None:
        zone(self.timezone)
        if not self.week:
            raise InvalidNetworkError("a place that never opens has no opening hours")
        if any(not 0 <= start < end <= MINUTES_PER_WEEK for start, end in self.week):
            raise InvalidNetworkError("opening hours are not within a week")
        if any(end >= start for (_, end), (start, _) in pairwise(self.week)):
            raise InvalidNetworkError("opening hours overlap or are not in order")
        if not 0 < self.collection_cutoff_minute <= MINUTES_PER_DAY:
            raise InvalidNetworkError(
                f"a cut-off at minute {self.collection_cutoff_minute} is not within a day"
            )
        rounds = self.round_minutes
        if not rounds or any(not 0 <= minute < MINUTES_PER_DAY for minute in rounds):
            raise InvalidNetworkError("rounds need times within a day")
        if any(later <= earlier for earlier, later in pairwise(rounds)):
            raise InvalidNetworkError("the times of rounds are not rising")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return zone(self.timezone)

    @property
    def never_closes(self) -> bool:
        """Whether it works round the clock on every day."""
        return self.week == ROUND_THE_CLOCK and not self.closed_dates

    @property
    def collects(self) -> bool:
        """Whether it opens before its cut-off on some weekday, so that a parcel can be collected at all."""
        return any(
            of_day[0][0] < self.collection_cutoff_minute for of_day in _by_weekday(self.week) if of_day
        )

    def intervals_by_weekday(self) -> tuple[tuple[Interval, ...], ...]:
        """For Monday to Sunday the opening hours in minutes after midnight; 1440 is the end of a day."""
        return _by_weekday(self.week)

    def intervals_on(self, day: date) -> tuple[Interval, ...]:
        """The opening hours of a local date; none on a closed one."""
        return () if day in self.closed_dates else _by_weekday(self.week)[day.weekday()]

    def windows(self, first_day: date, days: int) -> tuple[Window, ...]:
        """When it is open on `days` local dates from `first_day`, in order; what touches is joined."""
        return _windows(self, first_day.toordinal(), days)

    def works_from(self, day: date) -> date:
        """The first date at or after a local one on which it opens; the date itself if none is in a year."""
        for number in range(day.toordinal(), day.toordinal() + 366):
            if self.intervals_on(date.fromordinal(number)):
                return date.fromordinal(number)
        return day

    def open_until(self, moment: datetime) -> datetime | None:
        """When it closes, of a moment at which it is open; None of one at which it is not.

        Where it does not close within the week to come, the end of that week.
        """
        now = moment.timestamp()
        for start, end in self._next_week(moment):
            if start <= now < end:
                return datetime.fromtimestamp(end, UTC)
        return None

    def opens_next(self, moment: datetime) -> datetime | None:
        """When it next opens after a moment; None where it does not within a week."""
        now = moment.timestamp()
        for start, _ in self._next_week(moment):
            if start > now:
                return datetime.fromtimestamp(start, UTC)
        return None

    def _next_week(self, moment: datetime) -> tuple[Window, ...]:
        today = moment.astimezone(self.zone).date()
        return self.windows(date.fromordinal(today.toordinal() - 1), DAYS_PER_WEEK + 2)


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Intervals in order, those that touch made into one."""
    found: list[Interval] = []
    for start, end in intervals:
        if found and found[-1][1] >= start:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)


@lru_cache(maxsize=1024)
def _by_weekday(week: tuple[Interval, ...]) -> tuple[tuple[Interval, ...], ...]:
    days = []
    for midnight in range(0, MINUTES_PER_WEEK, MINUTES_PER_DAY):
        cut = [(max(start - midnight, 0), min(end - midnight, MINUTES_PER_DAY)) for start, end in week]
        days.append(tuple((start, end) for start, end in cut if start < end))
    return tuple(days)


@lru_cache(maxsize=4096)
def _windows(hours: WorkingHours, first_day: int, days: int) -> tuple[Window, ...]:
    moments = (
        (moment_s(hours.timezone, day, start), moment_s(hours.timezone, day, end))
        for day in range(first_day, first_day + days)
        for start, end in hours.intervals_on(date.fromordinal(day))
    )
    # Hours that a clock change swallows last no time.
    return _joined((start, end) for start, end in moments if start < end)


COUNTER_HOURS = weekly([[(8 * 60, 20 * 60)]] * DAYS_PER_WEEK)
"""When customers may come, unless a place has hours of its own."""
