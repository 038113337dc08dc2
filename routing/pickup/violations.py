"""What may be wrong with a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.pickup.plan import Parameter


class ViolationCode(StrEnum):
    """What is wrong with a plan."""

    UNKNOWN_VEHICLE = "unknown_vehicle"
    UNKNOWN_STOP = "unknown_stop"
    VEHICLE_TWICE = "vehicle_twice"
    STOP_TWICE = "stop_twice"
    STOP_MISSING = "stop_missing"
    EMPTY_ROUTE = "empty_route"
    NOT_ALLOWED = "not_allowed"
    """Skills, list of vehicles, or lock."""
    UNREACHABLE = "unreachable"
    TOO_EARLY = "too_early"
    """There before the vehicle could be."""
    OUTSIDE_WINDOW = "outside_window"
    OUTSIDE_SHIFT = "outside_shift"
    OVER_CAPACITY = "over_capacity"
    TOO_MANY_STOPS = "too_many_stops"
    TOO_FAR = "too_far"
    TOO_MUCH_DRIVING = "too_much_driving"
    TOO_LONG = "too_long"
    """The round takes more time than its vehicle may be out."""
    AREA_CLOSED = "area_closed"
    NOT_RELEASED = "not_released"
    """The round leaves, or collects, before the goods are ready."""
    PAIR_BROKEN = "pair_broken"
    """Both stops of a pair are not on one round in order, between the same reloads."""
    RIDE_TOO_LONG = "ride_too_long"
    BREAK_MISSING = "break_missing"
    """The breaks of the round are not those of the vehicle, in order."""
    BREAK_OUTSIDE_WINDOW = "break_outside_window"
    BREAK_DISTURBED = "break_disturbed"
    """A break lies over service, over another break, or over reaching a place."""
    RELOAD_NOT_POSSIBLE = "reload_not_possible"
    """Not at an outlet of the vehicle, too often, not between two stops, or over a break."""
    WRONG_VALUE = "wrong_value"
    """A time, load, distance or cost in the plan is not what follows from the rest of it."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, and where."""

    code: ViolationCode
    vehicle_id: str | None = None
    stop_id: str | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
