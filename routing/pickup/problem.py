"""What is to be planned: stops, vehicles, and how they travel.

Units: seconds since the day's start for moments, seconds for lengths of time, metres, grams, cubic
centimetres, minor units of one currency for costs. A problem is checked when it is built; its errors name
the stop or vehicle.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite

from routing.pickup.errors import ProblemError, UnknownNameError
from routing.pickup.matrix import StraightLine, Travel
from routing.pickup.stops import Stop, StopKind
from routing.pickup.values import (
    AMOUNT_MAX,
    COST_MAX,
    HORIZON_S,
    MEASURES,
    Load,
    Windows,
    check_covered,
    check_limit,
    check_range,
    check_unique,
    check_windows,
    require,
)
from routing.pickup.vehicles import Break, Vehicle

__all__ = [
    "AMOUNT_MAX",
    "COST_MAX",
    "HORIZON_S",
    "MEASURES",
    "Break",
    "Load",
    "Pair",
    "Problem",
    "Restriction",
    "Stop",
    "StopKind",
    "Vehicle",
    "Windows",
]

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Pair:
    """Goods collected at one stop and handed over at another by the same vehicle, on the same round.

    Both stops have the same load; either both are served or neither.

    Attributes:
        pickup_id, delivery_id: a pickup and a delivery.
        ride_s_max: service at the delivery starts at most so long after the departure from the pickup; None:
            any time.
    """

    pickup_id: str
    delivery_id: str
    ride_s_max: int | None = None

    def __post_init__(self) -> None:
        check_limit(f"pair {self.pickup_id!r}, {self.delivery_id!r}", "ride_s_max", self.ride_s_max)


@dataclass(frozen=True, slots=True)
class Restriction:
    """Hours in which some classes of vehicles may not begin service in an area.

    Attributes:
        area: of stops (`Stop.area`).
        vehicle_classes: which vehicles it is for.
        windows: the hours (both ends included) that are closed to them.
    """

    area: str
    vehicle_classes: frozenset[str]
    windows: Windows

    def __post_init__(self) -> None:
        require(bool(self.area), "a restriction has an empty area")
        check_windows(f"restriction of {self.area!r}", self.windows)


@dataclass(frozen=True)
class Problem:
    """Stops, vehicles and travel of one planning day.

    Attributes:
        stops, vehicles: each with unique ids; either may be empty.
        travel: source of travel times; a `matrix.Table` must hold every place.
        prize_per_priority_minor: None (usual): every stop is to be served if that is possible at all,
            whatever it costs. Otherwise stops are optional: serving one is worth `priority` times this
            many minor units, and a stop that costs more than its prize is left out.
        pairs: stops that belong together.
        restrictions: hours in which areas are closed to classes of vehicles.
        speed_by_hour: 24 factors, one for each hour of the day, by which everybody is faster (above 1) or
            slower than the travel model says; empty: no difference. A leg takes the factor of the hour it
            begins in, and whoever would gain by it waits for the next hour: nobody overtakes by leaving
            later.
        more_measures: names of further dimensions of loads, beside `MEASURES`.
        profiles: travel models of vehicles that name one, by name.
    """

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    travel: Travel = field(default_factory=StraightLine)
    prize_per_priority_minor: int | None = None
    pairs: tuple[Pair, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    speed_by_hour: tuple[float, ...] = ()
    more_measures: tuple[str, ...] = ()
    profiles: Mapping[str, Travel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_unique("stop", (stop.stop_id for stop in self.stops))
        check_unique("vehicle", (vehicle.vehicle_id for vehicle in self.vehicles))
        check_unique("measure", self.measures)
        if self.prize_per_priority_minor is not None:
            check_range("problem", "prize_per_priority_minor", self.prize_per_priority_minor, COST_MAX)
        require(
            len(self.speed_by_hour) in (0, HOURS_A_DAY)
            and all(isfinite(factor) and 0.01 <= factor <= 100 for factor in self.speed_by_hour),
            f"problem: speed_by_hour must be {HOURS_A_DAY} factors between 0.01 and 100",
        )
        for vehicle in self.vehicles:
            known = vehicle.profile is None or vehicle.profile in self.profiles
            require(known, f"vehicle {vehicle.vehicle_id!r}: unknown profile {vehicle.profile!r}")
        self._check_stops()
        self._check_vehicles()
        self._check_pairs()

    def _check_vehicles(self) -> None:
        for vehicle in self.vehicles:
            subject = f"vehicle {vehicle.vehicle_id!r}"
            require(
                len(vehicle.capacity) == len(self.measures),
                f"{subject}: more_capacity must have {len(self.more_measures)} numbers, one for each of the "
                f"problem's more_measures, not {len(vehicle.more_capacity)}",
            )
            for place in (vehicle.start, vehicle.end, *vehicle.reload_at):
                if place is not None:
                    check_covered(self.travel_of(vehicle), "vehicle", vehicle.vehicle_id, place)

    def _check_stops(self) -> None:
        known = {vehicle.vehicle_id for vehicle in self.vehicles}
        travels = {id(travel): travel for travel in map(self.travel_of, self.vehicles)}
        for stop in self.stops:
            subject = f"stop {stop.stop_id!r}"
            for travel in travels.values() or (self.travel,):
                check_covered(travel, "stop", stop.stop_id, stop.point)
            if stop.locked_to is not None and stop.locked_to not in known:
                raise ProblemError(f"{subject}: locked to unknown vehicle {stop.locked_to!r}")
            require(
                len(stop.load) == len(self.measures),
                f"{subject}: more_amounts must have {len(self.more_measures)} numbers, one for each of the "
                f"problem's more_measures, not {len(stop.more_amounts)}",
            )
            require(
                len(stop.collects) in (0, len(self.measures)),
                f"{subject}: collects must have {len(self.measures)} numbers, not {len(stop.collects)}",
            )

    def _check_pairs(self) -> None:
        paired: set[str] = set()
        for pair in self.pairs:
            subject = f"pair {pair.pickup_id!r}, {pair.delivery_id!r}"
            ends = []
            for stop_id, kind in ((pair.pickup_id, StopKind.PICKUP), (pair.delivery_id, StopKind.DELIVERY)):
                stop = self.stop_by_id.get(stop_id)
                if stop is None:
                    raise ProblemError(f"{subject}: no stop {stop_id!r} in the problem")
                require(stop.kind is kind, f"{subject}: stop {stop_id!r} must be a {kind}")
                require(stop_id not in paired, f"{subject}: stop {stop_id!r} is in two pairs")
                paired.add(stop_id)
                ends.append(stop)
            require(ends[0].load == ends[1].load, f"{subject}: its stops must have the same load")

    @cached_property
    def stop_by_id(self) -> dict[str, Stop]:
        """Stops by their id."""
        return {stop.stop_id: stop for stop in self.stops}

    @cached_property
    def vehicle_by_id(self) -> dict[str, Vehicle]:
        """Vehicles by their id."""
        return {vehicle.vehicle_id: vehicle for vehicle in self.vehicles}

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of all dimensions of a load."""
        return (*MEASURES, *self.more_measures)

    def travel_of(self, vehicle: Vehicle) -> Travel:
        """The vehicle's travel model."""
        return self.travel if vehicle.profile is None else self.profiles[vehicle.profile]

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
            ProblemError: it belongs to a pair.
        """
        self.stop(stop_id)
        return replace(self, stops=tuple(stop for stop in self.stops if stop.stop_id != stop_id))
