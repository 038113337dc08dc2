"""What tells about a leg, from the general to the particular: the levels of the model and their keys."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

Key = tuple[str | int, ...]


class Level(StrEnum):
    """Which legs a learned effect speaks of; each level says what the ones before it leave unexplained."""

    MODE = "mode"
    LENGTH = "length"
    ORIGIN = "origin"
    DESTINATION = "destination"
    LANE = "lane"
    CLOCK = "clock"
    WEEKDAY = "weekday"
    LANE_CLOCK = "lane_clock"
    LANE_WEEK = "lane_week"


# How many observations a level's effect needs to be believed by half. Chosen on real line-hauls inside the
# training period of benchmarks/promise.py: places differ much and lastingly, hours and weekdays little.
PSEUDO_COUNTS: Final = {
    Level.MODE: 3.0,
    Level.LENGTH: 3.0,
    Level.ORIGIN: 1.0,
    Level.DESTINATION: 1.0,
    Level.LANE: 0.5,
    Level.CLOCK: 30.0,
    Level.WEEKDAY: 200.0,
    Level.LANE_CLOCK: 4.0,
    Level.LANE_WEEK: 8.0,
}

CLOCK_BAND_H: Final = 3
LANE_BAND_H: Final = 6
HOURS_OF_WEEK: Final = 7 * 24

# Upper ends, in seconds, of the bands of planned time: short legs are mostly loading and waiting at the gate.
_LENGTHS_S: Final = (1800, 3600, 7200, 14_400, 28_800)
# Upper ends of the bands of how much is known of a lane.
_SUPPORTS: Final = (0.5, 2.5, 6.5)


@dataclass(frozen=True, slots=True)
class LegKey:
    """What is known of a leg before it departs.

    Attributes:
        hour_of_week: of the planned departure, by local clocks, from 0 on Monday at midnight; None where the
            departure is not known.
    """

    mode: str
    planned_s: int
    lane_id: int | None
    from_facility_id: int | None
    to_facility_id: int | None
    hour_of_week: int | None

    def levels(self) -> Iterator[tuple[Level, Key | None]]:
        """Every level with the key of this leg; None where the leg has none."""
        mode, lane_id, hour = self.mode, self.lane_id, self.hour_of_week
        yield Level.MODE, (mode,)
        yield Level.LENGTH, (mode, self.length_band)
        yield Level.ORIGIN, None if self.from_facility_id is None else (mode, self.from_facility_id)
        yield Level.DESTINATION, None if self.to_facility_id is None else (mode, self.to_facility_id)
        yield Level.LANE, None if lane_id is None else (lane_id,)
        if hour is None:
            return
        weekday, hour_of_day = divmod(hour, 24)
        yield Level.CLOCK, (mode, hour_of_day // CLOCK_BAND_H)
        yield Level.WEEKDAY, (mode, weekday)
        if lane_id is not None:
            yield Level.LANE_CLOCK, (lane_id, hour_of_day // LANE_BAND_H)
            yield Level.LANE_WEEK, (lane_id, weekday, hour_of_day // LANE_BAND_H)

    def shapes(self, lane_weight: float) -> tuple[Key, Key, Key, Key]:
        """The groups whose spread it shares, from all legs to those of its kind that are known as well.

        Args:
            lane_weight: how many observations there are of its lane.
        """
        mode, length = self.mode, self.length_band
        return (), (mode,), (mode, length), (mode, length, _band(lane_weight, _SUPPORTS))

    @property
    def length_band(self) -> int:
        """In which band of planned time it falls, from 0."""
        return _band(self.planned_s, _LENGTHS_S)


def hour_of_week(moment: datetime, offset_minutes: int) -> int:
    """The local hour of the week of a moment in UTC, from 0 on Monday at midnight."""
    minutes = (moment.weekday() * 24 + moment.hour) * 60 + moment.minute + offset_minutes
    return minutes // 60 % HOURS_OF_WEEK


def _band(value: float, upper_ends: tuple[float, ...]) -> int:
    return sum(value > end for end in upper_ends)
