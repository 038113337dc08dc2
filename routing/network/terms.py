"""How a lane is run when nobody has written its timetable: speed, costs and departures by its distance."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.network.clock import MINUTES_PER_DAY
from routing.network.errors import InvalidNetworkError
from routing.network.facility import ROAD_DETOUR_PERCENT, Facility, distance_m
from routing.network.timetable import EVERY_DAY, Departure, Lane, Mode

SYNTHESISED_LANE_ID = 0
"""Id of a lane that was made up for a comparison and stands in no network."""


@dataclass(frozen=True, slots=True)
class LaneTerms:
    """Terms on which lanes of one mode are run.

    Attributes:
        from_m: great-circle distance in metres from which these terms apply.
        detour_percent: travelled distance as a percentage of the great circle.
        speed_m_h: metres an hour over the whole trip, rests included.
        terminal_s: seconds for loading, unloading and, for flights, the ways to and from the runway.
        cost_fixed_minor, cost_per_km_minor: cost of a departure, whatever it carries.
        cost_per_kg_minor: cost of each kilogram carried.
        minutes_of_day: local departure times in minutes after midnight.
        weekdays: bit mask, bit 0 Monday.
    """

    mode: Mode
    from_m: int
    detour_percent: int
    speed_m_h: int
    terminal_s: int
    cost_fixed_minor: int
    cost_per_km_minor: int
    cost_per_kg_minor: int
    capacity_g: int
    carrier: str
    minutes_of_day: tuple[int, ...]
    timezone: str
    weekdays: int = EVERY_DAY

    def __post_init__(self) -> None:
        if self.detour_percent < 100 or self.speed_m_h < 1 or self.terminal_s < 1:
            raise InvalidNetworkError(f"{self.mode} terms: impossible detour, speed or terminal time")
        if not self.minutes_of_day or any(not 0 <= m < MINUTES_PER_DAY for m in self.minutes_of_day):
            raise InvalidNetworkError(f"{self.mode} terms: departure times {self.minutes_of_day} are no day")

    def lane(self, lane_id: int, origin: Facility, destination: Facility) -> Lane:
        """The lane between two facilities on these terms."""
        travelled_m = distance_m(origin, destination) * self.detour_percent // 100
        duration_s = self.terminal_s + travelled_m * 3600 // self.speed_m_h
        return Lane(
            lane_id=lane_id,
            from_facility_id=origin.facility_id,
            to_facility_id=destination.facility_id,
            mode=self.mode,
            distance_m=travelled_m,
            cost_fixed_minor=self.cost_fixed_minor + self.cost_per_km_minor * travelled_m // 1000,
            cost_per_kg_minor=self.cost_per_kg_minor,
            capacity_g=self.capacity_g,
            carrier=self.carrier,
            departures=tuple(
                Departure(self.weekdays, minute, duration_s, self.timezone) for minute in self.minutes_of_day
            ),
        )


def terms_for(origin: Facility, destination: Facility, menu: Sequence[LaneTerms]) -> LaneTerms:
    """The terms of the menu that apply between two facilities: those with the longest `from_m` reached.

    Raises:
        InvalidNetworkError: no terms of the menu apply to so short a distance.
    """
    apart_m = distance_m(origin, destination)
    fitting = [terms for terms in menu if terms.from_m <= apart_m]
    if not fitting:
        raise InvalidNetworkError(f"no terms for {apart_m} m, {origin.code} to {destination.code}")
    return max(fitting, key=lambda terms: terms.from_m)


def synthesise(lane_id: int, origin: Facility, destination: Facility, menu: Sequence[LaneTerms]) -> Lane:
    """The lane between two facilities on the terms that fit their distance."""
    return terms_for(origin, destination, menu).lane(lane_id, origin, destination)


# Costs in fen: a van at 2.60 yuan and an 18 t lorry at 5.50 yuan a kilometre, air freight by the kilogram.
ROAD_VAN = LaneTerms(
    mode=Mode.ROAD,
    from_m=0,
    detour_percent=ROAD_DETOUR_PERCENT,
    speed_m_h=65_000,
    terminal_s=1800,
    cost_fixed_minor=3000,
    cost_per_km_minor=260,
    cost_per_kg_minor=2,
    capacity_g=1_500_000,
    carrier="direct",
    minutes_of_day=(19 * 60,),
    timezone="Asia/Shanghai",
)
AIR_DIRECT = LaneTerms(
    mode=Mode.AIR,
    from_m=1_000_000,
    detour_percent=105,
    speed_m_h=650_000,
    terminal_s=4 * 3600,
    cost_fixed_minor=20_000,
    cost_per_km_minor=0,
    cost_per_kg_minor=450,
    capacity_g=15_000_000,
    carrier="direct",
    minutes_of_day=(22 * 60,),
    timezone="Asia/Shanghai",
)
ROAD_LORRY = LaneTerms(
    mode=Mode.ROAD,
    from_m=0,
    detour_percent=ROAD_DETOUR_PERCENT,
    speed_m_h=70_000,
    terminal_s=3600,
    cost_fixed_minor=8000,
    cost_per_km_minor=550,
    cost_per_kg_minor=1,
    capacity_g=18_000_000,
    carrier="line-haul",
    minutes_of_day=(60, 13 * 60),
    timezone="Asia/Shanghai",
)
DIRECT_TERMS = (ROAD_VAN,)
"""Point-to-point lanes: a van a day between every two places, however little there is to carry."""
TRUNK_TERMS = (ROAD_LORRY,)
"""Lanes between hubs: lorries twice a day."""
