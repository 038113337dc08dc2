"""Opening hours and times of day as people write them: `08:00-12:00, 14:00-20:00`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from routing.network.hours import Interval

_TIME = re.compile(r"(?:([01]?\d|2[0-3]):([0-5]\d)|(24):(00))", re.ASCII)
# Dashes as keyboards and programs give them; commas and semicolons, also Chinese ones.
_DASH = re.compile(r"\s*[-\u2013\u2014~\uff5e]\s*")
_BETWEEN = re.compile(r"\s*[,;\uff0c\uff1b\u3001]\s*")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def time_of(text: str) -> int:
    """Minutes after midnight of `HH:MM`; 24:00 is the end of the day.

    Raises:
        ValueError: this is no time.
    """
    found = _TIME.fullmatch(text.strip().replace("\uff1a", ":"))
    if found is None:
        raise ValueError(f"{text.strip()!r} is no time")
    hour, minute = (int(part) for part in found.groups() if part is not None)
    return hour * 60 + minute


def times_of(text: str) -> tuple[int, ...]:
    """Times of day one after the other; none of an empty text.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(time_of(part) for part in _BETWEEN.split(text.strip()) if part)


def intervals_of(text: str) -> tuple[Interval, ...]:
    """The opening hours of a day; none of an empty text, when it is closed.

    Raises:
        ValueError: an interval is none or ends before it starts, or two overlap.
    """
    found = []
    for part in _BETWEEN.split(text.strip()):
        if not part:
            continue
        ends = _DASH.split(part)
        if len(ends) != 2:
            raise ValueError(f"{part!r} are no opening hours")
        start, end = (time_of(one) for one in ends)
        if start >= end:
            raise ValueError(f"{part!r} end before they start")
        found.append((start, end))
    found.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise ValueError(f"{text.strip()!r} overlap")
    return tuple(found)


def written(minute: int) -> str:
    """A time of day as `HH:MM`."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def times_written(minutes: Iterable[int]) -> str:
    """Times of day one after the other."""
    return ", ".join(written(minute) for minute in minutes)


def intervals_written(intervals: Sequence[Interval]) -> list[str]:
    """Opening hours of a day, as `intervals_of` reads each of them."""
    return [f"{written(start)}-{written(end)}" for start, end in intervals]
