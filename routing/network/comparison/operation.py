"""How lines are run: vehicles, departures by the clock, handling, and what a transfer costs less."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from routing.network.clock import MINUTES_PER_DAY
from routing.network.comparison.demand import Floats, Ints
from routing.network.errors import InvalidNetworkError
from routing.network.terms import ROAD_LORRY, ROAD_VAN, LaneTerms

DAY_S = MINUTES_PER_DAY * 60


class Leg(IntEnum):
    """The part that a line plays on a parcel's way."""

    COLLECTION = 0
    TRANSFER = 1
    DISTRIBUTION = 2
    DIRECT = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """How a network is run, every day alike and by one clock.

    Attributes:
        vehicles: what may drive; each departure takes the kind that carries its load for the least cost, and
            as many of it as are needed.
        discount_per_mille: what a vehicle costs between two hubs, in thousandths of what it costs elsewhere
            (alpha of the hub location literature).
        ready_minute: when parcels lie at their origin, in minutes after midnight.
        place_sort_s, hub_sort_s: seconds of handling before a parcel can depart.
        hub_per_hour: parcels that a hub can sort in an hour, round the clock; None where that is no matter.
        minutes: departures of each line by the part it plays (`Leg`), in minutes after midnight.
    """

    vehicles: tuple[LaneTerms, ...] = (ROAD_VAN, ROAD_LORRY)
    discount_per_mille: int = 1000
    ready_minute: int = 18 * 60
    place_sort_s: int = 1800
    hub_sort_s: int = 3600
    hub_per_hour: int | None = None
    minutes: tuple[tuple[int, ...], ...] = ((20 * 60,), (60, 13 * 60), (4 * 60, 16 * 60), (20 * 60,))

    def __post_init__(self) -> None:
        if not self.vehicles:
            raise InvalidNetworkError("nothing drives without a vehicle")
        if not 0 <= self.discount_per_mille <= 1000:
            raise InvalidNetworkError(f"a discount of {self.discount_per_mille} is not within 0 and 1000")
        if min(self.place_sort_s, self.hub_sort_s) < 0:
            raise InvalidNetworkError("handling takes no negative time")
        if self.hub_per_hour is not None and self.hub_per_hour < 1:
            raise InvalidNetworkError(f"a hub that sorts {self.hub_per_hour} parcels an hour sorts nothing")
        if len(self.minutes) != len(Leg) or not all(self.minutes):
            raise InvalidNetworkError("every kind of line needs departures")
        for minute in (self.ready_minute, *(minute for of_kind in self.minutes for minute in of_kind)):
            if not 0 <= minute < MINUTES_PER_DAY:
                raise InvalidNetworkError(f"minute {minute} is not within a day")

    def departures(self, leg: Leg, ready_s: Ints) -> Ints:
        """The first departure at or after each moment, in seconds since the midnight before all is ready."""
        clock = np.array(sorted(self.minutes[leg]), dtype=np.int64) * 60
        days, time = np.divmod(ready_s, DAY_S)
        position = np.searchsorted(clock, time)
        wrapped = position == clock.size
        departure: Ints = (days + wrapped) * DAY_S + clock[np.where(wrapped, 0, position)]
        return departure

    def runs(self, leg: Leg, length_m: Floats, load_g: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        """What drives on each dated departure of a line.

        Args:
            leg: the part the lines play.
            length_m: (r,), great-circle length of each departure's line.
            load_g: (r,), what it carries.

        Returns:
            Number of vehicles, metres of one of them, seconds of the trip, and cost in minor units; (r,)
            each.
        """
        best: tuple[Ints, Ints, Ints, Ints] | None = None
        for terms in self.vehicles:
            count = np.maximum(1, -(-load_g // terms.capacity_g))
            metres = np.rint(length_m).astype(np.int64) * terms.detour_percent // 100
            seconds = terms.terminal_s + metres * 3600 // terms.speed_m_h
            trip = terms.cost_fixed_minor + terms.cost_per_km_minor * metres // 1000
            if leg is Leg.TRANSFER:
                trip = -(-trip * self.discount_per_mille // 1000)
            cost = count * trip + -(-terms.cost_per_kg_minor * load_g // 1000)
            found = count, metres, seconds, cost
            if best is None:
                best = found
            else:
                cheaper = cost < best[3]
                best = (
                    np.where(cheaper, count, best[0]),
                    np.where(cheaper, metres, best[1]),
                    np.where(cheaper, seconds, best[2]),
                    np.where(cheaper, cost, best[3]),
                )
        assert best is not None, "an operation has a vehicle"
        return best
