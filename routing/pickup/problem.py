"""What is to be planned: stops, vehicles, and how they travel.

Units: seconds since the day's start for moments, seconds for lengths of time, metres, grams, cubic
centimetres, minor units of one currency for costs. A problem is checked when it is built; its errors name
the stop or vehicle.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from math import isfinite
from typing import TypeAlias

from routing.pickup.errors import ProblemError, UnknownNameError
from routing.pickup.matrix import Point, StraightLine, Travel

HORIZON_S = 10_000_000
"""No shift and no window ends later (115 days): far below the seconds that stand for "no way"."""

AMOUNT_MAX = 1_000_000_000_000
COST_MAX = 1_000_000_000

MEASURES = ("weight_g", "volume_cm3", "pieces")
"""The dimensions of a load, in the order used wherever a load is a triple."""

Windows: TypeAlias = tuple[tuple[int, int], ...]
Load: TypeAlias = tuple[int, int, int]


class StopKind(StrEnum):
    """Which way the goods go at a stop."""

    PICKUP = "pickup"
    """Taken aboard here and kept until the end of the round."""
    DELIVERY = "delivery"
    """Aboard from the start of the round until here."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where a courier collects or hands over.

    Attributes:
        stop_id: unique in the problem.
        latitude, longitude: degrees (WGS 84).
        service_s: time at the door, not counting the wait for the window.
        windows: when service may start: (earliest, latest) pairs, both inclusive, in order and apart.
            Empty: any time.
        weight_g, volume_cm3, pieces: the load.
        priority: 0 to 100. Where not all can be served, the sum of (1 + priority) of the served is made as
            large as possible. In a problem with `prize_per_priority_minor` it is the stop's prize instead.
        skills: what the vehicle (or its courier) must have.
        kind: pickup or delivery.
        allowed_vehicles: only these may serve it; None: any.
        locked_to: the dispatcher's lock: only this vehicle may serve it.
    """

    stop_id: str
    latitude: float
    longitude: float
    service_s: int = 0
    windows: Windows = ()
    weight_g: int = 0
    volume_cm3: int = 0
    pieces: int = 0
    priority: int = 0
    skills: frozenset[str] = frozenset()
    kind: StopKind = StopKind.PICKUP
    allowed_vehicles: frozenset[str] | None = None
    locked_to: str | None = None

    def __post_init__(self) -> None:
        subject = f"stop {self.stop_id!r}"
        _require(bool(self.stop_id), "a stop has an empty stop_id")
        _require(isinstance(self.kind, StopKind), f"{subject}: kind must be a StopKind, not {self.kind!r}")
        _check_point(subject, self.point)
        _check_range(subject, "service_s", self.service_s, HORIZON_S)
        for name, amount in zip(MEASURES, self.load, strict=True):
            _check_range(subject, name, amount, AMOUNT_MAX)
        _check_range(subject, "priority", self.priority, 100)
        last = -1
        for earliest, latest in self.windows:
            _check_range(subject, "a window's end", latest, HORIZON_S)
            _require(
                0 <= earliest <= latest, f"{subject}: window {earliest} to {latest} ends before it starts"
            )
            _require(earliest > last, f"{subject}: windows must be in order and apart")
            last = latest

    @property
    def point(self) -> Point:
        """Latitude and longitude."""
        return (self.latitude, self.longitude)

    @property
    def load(self) -> Load:
        """Weight, volume and pieces, in the order of `MEASURES`."""
        return (self.weight_g, self.volume_cm3, self.pieces)

    @property
    def open_windows(self) -> Windows:
        """The windows; the whole horizon where none is given."""
        return self.windows or ((0, HORIZON_S),)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A courier with a vehicle, for one shift and one round.

    Attributes:
        vehicle_id: unique in the problem.
        start, end: places where the round starts and ends; end None: it ends at the last stop (open route).
        shift: (start, end). The round may start later and end earlier; only the time between is paid.
        capacity_g, capacity_cm3, capacity_pieces: what may be aboard at any moment.
        skills: what this courier or vehicle can do.
        speed_factor: 1.25 drives a quarter faster than the travel model says. Service times stay.
        cost_fixed: minor units, paid once if the vehicle serves any stop.
        cost_per_hour: minor units for an hour between the start and the end of the round.
        cost_per_km: minor units for 1,000 metres.
        stops_max, distance_m_max: limits of the round; None: none.
    """

    vehicle_id: str
    start: Point
    end: Point | None
    shift: tuple[int, int]
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int
    skills: frozenset[str] = frozenset()
    speed_factor: float = 1.0
    cost_fixed: int = 0
    cost_per_hour: int = 0
    cost_per_km: int = 0
    stops_max: int | None = None
    distance_m_max: int | None = None

    def __post_init__(self) -> None:
        subject = f"vehicle {self.vehicle_id!r}"
        _require(bool(self.vehicle_id), "a vehicle has an empty vehicle_id")
        _check_point(subject, self.start)
        if self.end is not None:
            _check_point(subject, self.end)
        _check_range(subject, "the shift's end", self.shift[1], HORIZON_S)
        _require(0 <= self.shift[0] <= self.shift[1], f"{subject}: shift {self.shift} ends before it starts")
        for name, amount in zip(MEASURES, self.capacity, strict=True):
            _check_range(subject, f"capacity in {name}", amount, AMOUNT_MAX)
        _require(
            isfinite(self.speed_factor) and 0.01 <= self.speed_factor <= 100,
            f"{subject}: speed_factor must be between 0.01 and 100, not {self.speed_factor}",
        )
        for name in ("cost_fixed", "cost_per_hour", "cost_per_km"):
            _check_range(subject, name, getattr(self, name), COST_MAX)
        for name in ("stops_max", "distance_m_max"):
            limit = getattr(self, name)
            _require(limit is None or limit >= 0, f"{subject}: {name} must not be negative, but is {limit}")

    @property
    def capacity(self) -> Load:
        """Capacity in weight, volume and pieces, in the order of `MEASURES`."""
        return (self.capacity_g, self.capacity_cm3, self.capacity_pieces)

    def may_serve(self, stop: Stop) -> bool:
        """Tell whether skills, the list of allowed vehicles and the lock let this vehicle serve the stop."""
        return (
            stop.skills <= self.skills
            and (stop.allowed_vehicles is None or self.vehicle_id in stop.allowed_vehicles)
            and stop.locked_to in (None, self.vehicle_id)
        )


@dataclass(frozen=True)
class Problem:
    """Stops, vehicles and travel of one planning day.

    Attributes:
        stops, vehicles: each with unique ids; either may be empty.
        travel: source of travel times; a `matrix.Table` must hold every place.
        prize_per_priority_minor: None (usual): every stop is to be served if that is possible at all,
            whatever it costs. Otherwise stops are optional: serving one is worth `priority` times this
            many minor units, and a stop that costs more than its prize is left out.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    travel: Travel = field(default_factory=StraightLine)
    prize_per_priority_minor: int | None = None

    def __post_init__(self) -> None:
        _check_unique("stop", (stop.stop_id for stop in self.stops))
        _check_unique("vehicle", (vehicle.vehicle_id for vehicle in self.vehicles))
        if self.prize_per_priority_minor is not None:
            _check_range("problem", "prize_per_priority_minor", self.prize_per_priority_minor, COST_MAX)
        known = {vehicle.vehicle_id for vehicle in self.vehicles}
        for stop in self.stops:
            _check_covered(self.travel, "stop", stop.stop_id, stop.point)
            if stop.locked_to is not None and stop.locked_to not in known:
                raise ProblemError(f"stop {stop.stop_id!r}: locked to unknown vehicle {stop.locked_to!r}")
        for vehicle in self.vehicles:
            for place in (vehicle.start, vehicle.end):
                if place is not None:
                    _check_covered(self.travel, "vehicle", vehicle.vehicle_id, place)

    @cached_property
    def stop_by_id(self) -> dict[str, Stop]:
        """Stops by their id."""
        return {stop.stop_id: stop for stop in self.stops}

    @cached_property
    def vehicle_by_id(self) -> dict[str, Vehicle]:
        """Vehicles by their id."""
        return {vehicle.vehicle_id: vehicle for vehicle in self.vehicles}

    def stop(self, stop_id: str) -> Stop:
        """The stop of that id.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self.stop_by_id[stop_id]
        except KeyError:
            raise UnknownNameError(f"no stop {stop_id!r} in the problem") from None

    def vehicle(self, vehicle_id: str) -> Vehicle:
        """The vehicle of that id.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self.vehicle_by_id[vehicle_id]
        except KeyError:
            raise UnknownNameError(f"no vehicle {vehicle_id!r} in the problem") from None

    def with_stop(self, stop: Stop) -> "Problem":
        """This problem with one more stop, or with the stop of the same id replaced."""
        others = tuple(other for other in self.stops if other.stop_id != stop.stop_id)
        return replace(self, stops=(*others, stop))

    def without_stop(self, stop_id: str) -> "Problem":
        """This problem without the stop.

        Raises:
            UnknownNameError: there is no such stop.
        """
        self.stop(stop_id)
        return replace(self, stops=tuple(stop for stop in self.stops if stop.stop_id != stop_id))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ProblemError(message)


def _check_range(subject: str, name: str, value: int, largest: int) -> None:
    _require(
        isinstance(value, int) and 0 <= value <= largest,
        f"{subject}: {name} must be a whole number from 0 to {largest}, not {value!r}",
    )


def _check_point(subject: str, point: Point) -> None:
    latitude, longitude = point
    # written so that NaN fails too
    _require(-90 <= latitude <= 90, f"{subject}: latitude {latitude} is not between -90 and 90")
    _require(-180 <= longitude <= 180, f"{subject}: longitude {longitude} is not between -180 and 180")


def _check_unique(subject: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise ProblemError(f"{subject} {name!r} stands twice in the problem")
        seen.add(name)


def _check_covered(travel: Travel, kind: str, name: str, point: Point) -> None:
    if not travel.covers(point):
        raise ProblemError(f"{kind} {name!r}: the travel table does not hold its place {point}")
