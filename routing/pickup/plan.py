"""What comes out: rounds with their visits, and the stops that could not be served, each with its reason.

Units as in `problem`. Plans are plain values; `checker.check` tells whether one keeps the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

Parameter: TypeAlias = int | str | tuple[str, ...]


class ReasonCode(StrEnum):
    """Why a stop is unserved. A code is translated; its parameters fill the sentence."""

    NO_VEHICLE = "no_vehicle"
    """There is no vehicle at all."""
    NO_VEHICLE_WITH_SKILLS = "no_vehicle_with_skills"
    """No vehicle has all of `skills`."""
    NO_ALLOWED_VEHICLE = "no_allowed_vehicle"
    """None of `vehicles` (allowed or locked) is there and has the skills."""
    OVER_CAPACITY = "over_capacity"
    """Too much for any vehicle even alone: `measure`, smallest `excess`."""
    UNREACHABLE = "unreachable"
    """No vehicle has a way there and on to its end."""
    WINDOW_CLOSES_BEFORE_ARRIVAL = "window_closes_before_arrival"
    """The last window closes at `closes_s`, the first vehicle could be there at `arrival_s`."""
    SHIFT_TOO_SHORT = "shift_too_short"
    """A round with this stop alone ends `missing_s` after the longest shift."""
    TOO_FAR = "too_far"
    """A round with this stop alone is `excess_m` longer than a vehicle may drive."""
    ROUNDS_FULL = "rounds_full"
    """There is time for it, but it is `excess` of `measure` over capacity (or stops, or metres)."""
    NO_TIME_LEFT = "no_time_left"
    """No round has time for it beside what it serves: it would be `missing_s` late at the least."""
    COST_ABOVE_PRIZE = "cost_above_prize"
    """Serving it costs `extra_cost_minor` more, and it is worth `prize_minor`."""
    TIME_LIMIT = "time_limit"
    """The time given for planning was over before this stop had its turn."""
    REMOVED = "removed"
    """Taken out of the plan by hand."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One stop on a round.

    Attributes:
        arrival_s, start_s, departure_s: moments; service lasts from start to departure.
        wait_s: from arrival to start.
        distance_m_from_previous: from the stop before, or from the vehicle's start.
        load_after_g, load_after_cm3, load_after_pieces: aboard when leaving.
    """

    stop_id: str
    arrival_s: int
    start_s: int
    wait_s: int
    departure_s: int
    distance_m_from_previous: int
    load_after_g: int
    load_after_cm3: int
    load_after_pieces: int


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's round; vehicles without a visit have none.

    Attributes:
        start_s, end_s: leaving the start, and reaching the end (or leaving the last stop of an open route).
        distance_m, duration_s: of the whole round, with the way back.
        cost_minor: fixed, hourly and kilometre cost together, rounded once, half up.
    """

    vehicle_id: str
    visits: tuple[Visit, ...]
    start_s: int
    end_s: int
    distance_m: int
    duration_s: int
    cost_minor: int

    @property
    def stop_ids(self) -> tuple[str, ...]:
        """The stops in the order of visit."""
        return tuple(visit.stop_id for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A stop that is in no round, and why."""

    stop_id: str
    reason: ReasonCode
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A day's rounds.

    Attributes:
        routes: one for each vehicle in use, in the problem's order of vehicles.
        unserved: the stops in no round, in the problem's order of stops.
        cost_minor, distance_m: sums over the routes.
        solver: which engines made it, for the record.
        seconds: time spent planning.
    """

    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]
    cost_minor: int
    distance_m: int
    solver: str
    seconds: float = 0.0

    def route_of(self, vehicle_id: str) -> Route | None:
        """The vehicle's round, None where it has none."""
        return next((route for route in self.routes if route.vehicle_id == vehicle_id), None)

    def place_of(self, stop_id: str) -> tuple[str, int] | None:
        """Vehicle and position (from 0) of the stop, None where it is in no round."""
        for route in self.routes:
            for position, visit in enumerate(route.visits):
                if visit.stop_id == stop_id:
                    return route.vehicle_id, position
        return None
