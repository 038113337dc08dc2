"""What comes out: rounds with their visits, and the stops that could not be served, each with its reason.

Units as in `problem`. Plans are plain values; `checker.check` tells whether one keeps the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from routing.pickup.matrix import Point

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
    GOODS_READY_TOO_LATE = "goods_ready_too_late"
    """The goods are ready at `release_s`, the last window closes at `closes_s`."""
    AREA_CLOSED = "area_closed"
    """`area` is closed to all vehicles that could serve it, whenever it could be served."""
    TOO_MUCH_DRIVING = "too_much_driving"
    """A round with this stop alone is `excess_s` longer on the road than a vehicle may be."""
    ROUND_TOO_LONG = "round_too_long"
    """A round with this stop alone takes more time than a vehicle may be out."""
    NO_TIME_WITH_BREAKS = "no_time_with_breaks"
    """A round with this stop alone leaves no time for the breaks."""
    RIDE_TOO_LONG = "ride_too_long"
    """From the pickup to the delivery it takes longer than the goods may be aboard: `ride_s_max`."""
    PARTNER_UNSERVED = "partner_unserved"
    """The other stop of its pair, `stop_id`, cannot be served by the same vehicle."""
    NO_PLACE_BESIDE_OTHERS = "no_place_beside_others"
    """It has time and room alone, but not beside what is served, with breaks, pairs and hours kept."""
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
        distance_m_from_previous: from the stop before, or from the vehicle's start; through the outlet where
            a reload lies between.
        load_after_g, load_after_cm3, load_after_pieces: aboard when leaving.
        setup_s: spent before service because the vehicle comes from another place; part of the time from
            start to departure.
        late_s: how much after the stop's `due_s` service starts.
        load_after_more: aboard when leaving, in the problem's further measures.
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
    setup_s: int = 0
    late_s: int = 0
    load_after_more: tuple[int, ...] = ()

    @property
    def load_after(self) -> tuple[int, ...]:
        """What is aboard when leaving, in all measures."""
        return (self.load_after_g, self.load_after_cm3, self.load_after_pieces, *self.load_after_more)


@dataclass(frozen=True, slots=True)
class Rest:
    """A break on a round.

    Attributes:
        break_id: of the vehicle.
        after_visits: so many visits of the round come before it.
        start_s, end_s: moments.
    """

    break_id: str
    after_visits: int
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Reload:
    """A return to an outlet on a round: what was collected is handed over, what is delivered next is loaded.

    Attributes:
        place: latitude and longitude of the outlet.
        after_visits: so many visits of the round come before it.
        arrival_s, start_s, end_s: moments; between arrival and start the vehicle waits for goods.
    """

    place: Point
    after_visits: int
    arrival_s: int
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's round; vehicles without a visit have none.

    Attributes:
        start_s, end_s: leaving the start, and reaching the end (or leaving the last stop of an open route).
        distance_m, duration_s: of the whole round, with the way back.
        cost_minor: all costs of the vehicle and of late starts together, rounded once, half up.
        rests: its breaks, in order.
        driving_s: on the road, by the travel model at the vehicle's speed (before traffic).
        reloads: its returns to an outlet, in order.
    """

    vehicle_id: str
    visits: tuple[Visit, ...]
    start_s: int
    end_s: int
    distance_m: int
    duration_s: int
    cost_minor: int
    rests: tuple[Rest, ...] = ()
    driving_s: int | None = None
    reloads: tuple[Reload, ...] = ()

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
