"""Quiet hours: when nobody is to be disturbed by news, by the clock of the place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one minute of the day (included) to another (excluded), over midnight where the second is less.

    Args:
        from_minute: Minutes after midnight; equal to `to_minute` when it is never quiet.
        to_minute: Minutes after midnight.
        offset_minutes: East of UTC, of the clock that counts.

    Raises:
        ValueError: A minute is none of a day.
    """

    from_minute: int
    to_minute: int
    offset_minutes: int

    def __post_init__(self) -> None:
        if not (0 <= self.from_minute < _DAY_MINUTES and 0 <= self.to_minute < _DAY_MINUTES):
            raise ValueError(f"quiet hours are minutes of a day, 0 to {_DAY_MINUTES - 1}")

    def allowed_from(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours that it lies in."""
        local = moment.astimezone(timezone(timedelta(minutes=self.offset_minutes)))
        minute = local.hour * 60 + local.minute
        length = (self.to_minute - self.from_minute) % _DAY_MINUTES
        if (minute - self.from_minute) % _DAY_MINUTES >= length:
            return moment
        wait = (self.to_minute - minute) % _DAY_MINUTES
        return moment.replace(second=0, microsecond=0) + timedelta(minutes=wait)
