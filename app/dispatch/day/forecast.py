"""When a courier is at each of his remaining stops, and how sure that is. No database, no clock.

The plan says how long each way and each stop takes; what the courier did today says by how much he is faster
or slower than that; what is left unexplained is the spread. Along the round the spreads of ways and stops add
up as variances, so a stop near by has a narrow window and one far ahead a wide one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

# The 90th percentile of the normal distribution: a window from p10 to p90 holds four of five arrivals.
_Z90: Final = 1.2815515655446004

SPREAD_TRAVEL: Final = 0.45
SPREAD_SERVICE: Final = 0.75
"""Standard deviations, as parts of the planned time, where nothing has been learned yet."""

_PRIOR_TRAVEL_S: Final = 3600
_PRIOR_SERVICE_S: Final = 1200
"""So much of a round has to be driven before today's own pace counts as much as the plan."""
_PACE_MIN, _PACE_MAX = 0.5, 3.0

# What an estimate is never surer than, however near the stop is: parking, a lift, a traffic light.
_SPREAD_MIN_S: Final = 150


@dataclass(frozen=True, slots=True)
class Ahead:
    """A stop that is still to be made, in the order of the round.

    Attributes:
        stop_id: the stop request.
        travel_s: planned seconds of the way from the place before.
        service_s: planned seconds at the door.
        opens_s: service does not start before, in seconds of the day.
    """

    stop_id: int
    travel_s: int
    service_s: int
    opens_s: int

    def __post_init__(self) -> None:
        if min(self.travel_s, self.service_s) < 0:
            raise ValueError(f"stop {self.stop_id}: a way and a stop take no negative time")


@dataclass(frozen=True, slots=True)
class Here:
    """Where the courier is in his round.

    Attributes:
        now_s: the present moment, in seconds of the day.
        leaves_s: not before this he goes on towards the first stop ahead (his shift, the end of the stop that
            he is at, as far as planned).
        way_left_s: planned seconds of what is left of the way to the first stop ahead; None: all of it.
        at_stop_since_s: since when he is at the first stop ahead; None: he is not there yet.
    """

    now_s: int
    leaves_s: int
    way_left_s: int | None = None
    at_stop_since_s: int | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How reality relates to the plan: factors of the times, and standard deviations as parts of them."""

    travel: float = 1.0
    service: float = 1.0
    spread_travel: float = SPREAD_TRAVEL
    spread_service: float = SPREAD_SERVICE


@dataclass(frozen=True, slots=True)
class Coming:
    """When a stop is reached: the middle, and the bounds that hold four of five such arrivals."""

    stop_id: int
    from_s: int
    expected_s: int
    to_s: int


def pace_of(
    driven: Sequence[tuple[int, int]],
    served: Sequence[tuple[int, int]],
    *,
    spread_travel: float | None = None,
    spread_service: float | None = None,
) -> Pace:
    """The pace of a day so far, drawn towards the plan while little has been driven.

    Args:
        driven: (planned, actual) seconds of each way of today.
        served: (planned, actual) seconds of each stop of today.
        spread_travel, spread_service: learned standard deviations; None where nothing has been learned.
    """
    return Pace(
        _drawn(driven, _PRIOR_TRAVEL_S),
        _drawn(served, _PRIOR_SERVICE_S),
        SPREAD_TRAVEL if spread_travel is None else spread_travel,
        SPREAD_SERVICE if spread_service is None else spread_service,
    )


def forecast(here: Here, ahead: Sequence[Ahead], pace: Pace) -> list[Coming]:
    """When each remaining stop is reached.

    Args:
        here: where the courier is.
        ahead: his remaining stops in order.
        pace: how he relates to the plan today.
    """
    coming: list[Coming] = []
    at, variance = float(here.leaves_s), 0.0
    for place, stop in enumerate(ahead):
        travel_s = float(stop.travel_s)
        if place == 0 and here.at_stop_since_s is not None:
            at, travel_s = float(here.at_stop_since_s), 0.0
        elif place == 0 and here.way_left_s is not None:
            at, travel_s = float(here.now_s), float(here.way_left_s)
        arrives = at + travel_s * pace.travel
        variance += (travel_s * pace.travel * pace.spread_travel) ** 2
        there = place == 0 and here.at_stop_since_s is not None
        # He who has not come yet does not come in the past; why he is overdue nobody has said, so how long he
        # still takes is as unsure as he is late.
        overdue_s = max(0.0, here.now_s - arrives) if place == 0 and here.at_stop_since_s is None else 0.0
        variance += overdue_s**2
        reached = arrives if there else max(arrives, float(here.now_s))
        margin = 0.0 if there else _Z90 * sqrt(variance + _SPREAD_MIN_S**2)
        coming.append(
            Coming(
                stop.stop_id,
                int(reached - margin) if there else max(int(reached - margin), here.now_s),
                int(reached),
                int(reached + margin),
            )
        )
        service_s = stop.service_s * pace.service
        variance += (service_s * pace.spread_service) ** 2
        # While he waits for a window to open, what went before does not matter; the spread is kept all the
        # same, since he may also be late for it.
        at = max(max(reached, stop.opens_s) + service_s, float(here.now_s))
    return coming


def _drawn(pairs: Sequence[tuple[int, int]], prior_s: int) -> float:
    planned = sum(pair[0] for pair in pairs)
    actual = sum(pair[1] for pair in pairs)
    return min(max((actual + prior_s) / (planned + prior_s), _PACE_MIN), _PACE_MAX)
