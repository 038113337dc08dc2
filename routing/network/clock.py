"""Local clocks: time zones, and the moments at which they show a time."""

from datetime import date, datetime, time
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from routing.network.errors import InvalidNetworkError

MINUTES_PER_DAY = 24 * 60


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        InvalidNetworkError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidNetworkError(f"unknown time zone {name!r}") from error


def moment_s(timezone: str, day: int, minute: int) -> int:
    """The moment at which the clocks of a place show a minute of a day.

    A local time that a clock change skips is read with the offset before the change; one that occurs
    twice is read as its first occurrence.

    Args:
        timezone: IANA name.
        day: proleptic Gregorian ordinal of the local date.
        minute: after midnight, 0 to 1440; the last one is the next midnight.

    Returns:
        Seconds since 1970-01-01 UTC.
    """
    if minute == MINUTES_PER_DAY:
        day, minute = day + 1, 0
    midnight = _midnight_s(timezone, day)
    if midnight is not None:
        return midnight + minute * 60
    clock = time(*divmod(minute, 60))
    return int(datetime.combine(date.fromordinal(day), clock, zone(timezone)).timestamp())


@lru_cache(maxsize=8192)
def _midnight_s(timezone: str, day: int) -> int | None:
    """Seconds since 1970-01-01 UTC of a local midnight; None on a day in which clocks change."""
    place = zone(timezone)
    start, end = (
        int(datetime.combine(date.fromordinal(number), time(), place).timestamp())
        for number in (day, day + 1)
    )
    return start if end - start == MINUTES_PER_DAY * 60 else None
