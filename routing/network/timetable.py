"""Lanes, their weekly departures, and the expansion into dated trips."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from routing.network.clock import MINUTES_PER_DAY, moment_s, zone
from routing.network.errors import InvalidNetworkError

EVERY_DAY = 0b111_1111


class Mode(StrEnum):
    """How a lane is travelled."""

    ROAD = "road"
    RAIL = "rail"
    AIR = "air"


@dataclass(frozen=True, slots=True)
class Departure:
    """A departure that repeats weekly.

    Attributes:
        weekdays: bit mask of local weekdays, bit 0 Monday to bit 6 Sunday.
        minute_of_day: local time of departure in minutes after midnight, 0 to 1439.
        duration_s: seconds from departure to arrival, loading and unloading included.
        timezone: IANA name of the zone in which weekday and minute are meant.
        except_dates: local dates on which it does not run, holidays for example.
    """

    weekdays: int
    minute_of_day: int
    duration_s: int
    timezone: str
    except_dates: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.weekdays <= EVERY_DAY:
            raise InvalidNetworkError(f"weekdays {self.weekdays} is not a mask of 1 to {EVERY_DAY}")
        if not 0 <= self.minute_of_day < MINUTES_PER_DAY:
            raise InvalidNetworkError(f"minute_of_day {self.minute_of_day} is not within a day")
        if self.duration_s < 1:
            raise InvalidNetworkError(f"duration_s {self.duration_s} is not positive")
        zone(self.timezone)


@dataclass(frozen=True, slots=True)
class Lane:
    """A directed line-haul between two facilities.

    Attributes:
        distance_m: length as travelled, metres.
        cost_fixed_minor: cost of one departure (a vehicle's trip, a flight), in minor units of the
            network's currency, whatever it carries.
        cost_per_kg_minor: further cost of each kilogram carried, in minor units.
        capacity_g: what one departure can carry, grams; None where it has no limit of its own.
        carrier: code of who drives, flies or pulls it.
    """

    lane_id: int
    from_facility_id: int
    to_facility_id: int
    mode: Mode
    distance_m: int
    cost_fixed_minor: int
    cost_per_kg_minor: int
    capacity_g: int | None
    carrier: str
    departures: tuple[Departure, ...]

    def __post_init__(self) -> None:
        if self.from_facility_id == self.to_facility_id:
            raise InvalidNetworkError(f"lane {self.lane_id} ends where it starts")
        if min(self.distance_m, self.cost_fixed_minor, self.cost_per_kg_minor) < 0:
            raise InvalidNetworkError(f"lane {self.lane_id}: a distance or cost is negative")
        if self.capacity_g is not None and self.capacity_g < 1:
            raise InvalidNetworkError(f"lane {self.lane_id}: capacity_g {self.capacity_g} is not positive")

    def cost_minor(self, weight_g: int, load_g: int | None = None) -> int:
        """What carrying a weight costs on this lane: its share of a departure, and its kilograms.

        Args:
            weight_g: weight of the parcel.
            load_g: what the departure carries in all; a full one when not given. Where neither this nor
                a capacity is known, the weight bears the whole departure.

        Returns:
            Minor units, each of the two parts rounded up.
        """
        shared_g = max(weight_g, load_g or self.capacity_g or weight_g, 1)
        share_minor = -(-self.cost_fixed_minor * max(weight_g, 1) // shared_g)
        return share_minor + -(-self.cost_per_kg_minor * weight_g // 1000)


@dataclass(frozen=True, slots=True)
class Trips:
    """The dated departures of a lane that are worth taking, as parallel lists.

    Both lists are strictly increasing: a trip overtaken by a later one (leaves no later, arrives no
    earlier) is left out, so the first trip that can still be caught is also the first to arrive.
    Seconds since 1970-01-01 UTC.
    """

    departures: list[int]
    arrivals: list[int]

    def catch(self, ready: int) -> int | None:
        """Position of the trip that arrives first among those leaving at or after `ready`."""
        position = bisect_left(self.departures, ready)
        return position if position < len(self.departures) else None


def instants(departure: Departure, first_day: date, days: int) -> list[int]:
    """Moments at which a weekly departure leaves on `days` local dates from `first_day`.

    Returns:
        Seconds since 1970-01-01 UTC, in order of the local dates; for clock changes see `clock.moment_s`.
    """
    found = []
    for day in range(first_day.toordinal(), first_day.toordinal() + days):
        if not departure.weekdays >> (day - 1) % 7 & 1:
            continue
        if departure.except_dates and date.fromordinal(day) in departure.except_dates:
            continue
        found.append(moment_s(departure.timezone, day, departure.minute_of_day))
    return found


def trips(
    departures: Iterable[Departure], first_day: date, days: int, without: Collection[int] = ()
) -> Trips:
    """Expand weekly departures into the dated trips of `days` local dates from `first_day`.

    Args:
        departures: of one lane.
        first_day: local date.
        days: how many dates.
        without: moments of departures that are left out, seconds since 1970-01-01 UTC.
    """
    dated = sorted(
        (leaves, leaves + departure.duration_s)
        for departure in departures
        for leaves in instants(departure, first_day, days)
        if leaves not in without
    )
    kept: list[tuple[int, int]] = []
    for trip in reversed(dated):
        if kept and trip[1] >= kept[-1][1]:
            continue
        if kept and trip[0] == kept[-1][0]:
            kept.pop()
        kept.append(trip)
    kept.reverse()
    return Trips([leaves for leaves, _ in kept], [arrives for _, arrives in kept])


class DatedLanes:
    """The trips of lanes on some local dates, expanded for each lane when first asked for.

    Attributes:
        known: by lane position, what is expanded already. Searches look here first, and save a call.
    """

    def __init__(self, lanes: Sequence[Lane], first_day: date, days: int) -> None:
        self._lanes = lanes
        self._first_day = first_day
        self._days = days
        self.known: list[Trips | None] = [None] * len(lanes)

    def of(self, lane: int) -> Trips:
        """The trips of the lane at a position."""
        found = self.known[lane]
        if found is None:
            found = trips(self._lanes[lane].departures, self._first_day, self._days)
            self.known[lane] = found
        return found

    def without(self, lane: int, full: Collection[int]) -> Trips:
        """The trips of a lane but those leaving at some moments, in seconds since 1970-01-01 UTC."""
        return trips(self._lanes[lane].departures, self._first_day, self._days, full)
