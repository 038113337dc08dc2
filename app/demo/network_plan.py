"""The demo network, planned from the geography: the same seed gives the same network.

Six national hubs in a full mesh, a gateway in each of the 31 provinces on its two nearest hubs, outlets in
several hundred counties on the gateway of their province, and stores, lockers and collective points on some
of the outlets. Values only; the facilities and lanes are created through the services of `app.network`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from random import Random

from app.demo import network_sites as sites
from app.demo.geography import County, Point, counties, county
from routing.network.facility import Facility, FacilityKind, Operator, distance_m
from routing.network.hours import WorkingHours
from routing.network.network import Network
from routing.network.terms import LaneTerms
from routing.network.timetable import Departure, Lane, Mode

HUBS_PER_GATEWAY = 2
CAPITAL_DISTRICTS = 4
BIG_CITY_DISTRICTS = 8
DOUBLE_OUTLETS = 4
OTHER_PREFECTURES_MAX = 7
MONDAY_TO_SATURDAY = 0b011_1111
_POINT_SHARES = (
    (FacilityKind.STORE, "S", "便利店", "store", 40, 10),
    (FacilityKind.LOCKER, "L", "智能柜", "locker", 50, 15),
    (FacilityKind.COLLECTIVE_POINT, "C", "集中收发点", "collective point", 25, 5),
)
"""Kind, code letter, name, English name, and in how many of 100 outlets: in big cities, elsewhere."""


@dataclass(frozen=True, slots=True)
class FacilitySpec:
    """A facility to be created.

    Attributes:
        parent_code: the outlet of a store, locker or collective point; the gateway of an outlet; the
            nearest hub of a gateway; None for hubs.
    """

    code: str
    name: str
    name_en: str
    kind: FacilityKind
    latitude: float
    longitude: float
    district_adcode: str
    sort_s: int
    operator: Operator
    parent_code: str | None
    hours: WorkingHours
    sort_per_hour: int


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """A lane to be created; units and meaning as in `routing.network.Lane`."""

    from_code: str
    to_code: str
    mode: Mode
    carrier_code: str
    distance_m: int
    cost_fixed_minor: int
    cost_per_kg_minor: int
    capacity_g: int | None
    departures: tuple[Departure, ...]


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """Everything to be created, parents before children."""

    carriers: tuple[sites.CarrierSpec, ...]
    facilities: tuple[FacilitySpec, ...]
    lanes: tuple[LaneSpec, ...]

    def network(self) -> Network:
        """The plan as the engine sees it; ids count from 1 in the order of the plan."""
        ids = {spec.code: facility_id for facility_id, spec in enumerate(self.facilities, start=1)}
        lanes = (
            Lane(
                lane_id,
                ids[spec.from_code],
                ids[spec.to_code],
                spec.mode,
                spec.distance_m,
                spec.cost_fixed_minor,
                spec.cost_per_kg_minor,
                spec.capacity_g,
                spec.carrier_code,
                spec.departures,
            )
            for lane_id, spec in enumerate(self.lanes, start=1)
        )
        return Network(tuple(_facility(ids[spec.code], spec) for spec in self.facilities), tuple(lanes))


def plan_network(seed: int = 42) -> NetworkPlan:
    """Plan the demo network."""
    random = Random(seed)
    hubs = [_hub(site) for site in sites.HUBS]
    gateways = [_gateway(site, province_en, hubs) for site, province_en in sites.GATEWAYS]
    outlets = [outlet for gateway in gateways for outlet in _outlets(gateway, random)]
    points = [point for outlet in outlets for point in _points(outlet, random)]
    lanes = [*_hub_lanes(hubs, random), *_gateway_lanes(gateways, hubs, random)]
    lanes += _outlet_lanes(outlets, gateways, random)
    lanes += _point_lanes(points, outlets)
    return NetworkPlan(sites.CARRIERS, (*hubs, *gateways, *outlets, *points), tuple(lanes))


def _hub(site: sites.Site) -> FacilitySpec:
    place = county(site.county_adcode)
    names = f"{site.city}枢纽", f"{site.city_en} hub"
    return _spec(site.code, names, FacilityKind.HUB, place, place.adcode, Operator.OWN, None)


def _gateway(site: sites.Site, province_en: str, hubs: Sequence[FacilitySpec]) -> FacilitySpec:
    place = county(site.county_adcode)
    province = "" if place.province_name.startswith(site.city) else place.province_name
    names = f"{province}{site.city}分拨中心", f"{province_en} gateway ({site.city_en})"
    parent = _nearest(place, hubs)[0].code
    return _spec(site.code, names, FacilityKind.GATEWAY, place, place.adcode, Operator.OWN, parent)


def _outlets(gateway: FacilitySpec, random: Random) -> Iterator[FacilitySpec]:
    """Outlets of a province: in its capital, in its big cities, and in the seats of other prefectures."""
    by_prefecture: dict[str, list[County]] = {}
    for place in counties():
        if place.province_adcode[:2] == gateway.district_adcode[:2]:
            by_prefecture.setdefault(place.prefecture_adcode, []).append(place)
    capital = county(gateway.district_adcode).prefecture_adcode
    cities = {capital, *by_prefecture.keys() & sites.BIG_CITIES_EN.keys()}
    others = sorted(by_prefecture.keys() - cities)
    chosen = random.sample(others, min(OTHER_PREFECTURES_MAX, len(others)))
    city_en = {site.county_adcode: site.city_en for site, _ in sites.GATEWAYS}[gateway.district_adcode]
    names_en = {capital: city_en, **sites.BIG_CITIES_EN}
    for prefecture in sorted({*cities, *chosen}):
        big = prefecture in sites.BIG_CITIES_EN
        served = BIG_CITY_DISTRICTS if big else CAPITAL_DISTRICTS if prefecture in cities else 1
        for rank, place in enumerate(by_prefecture[prefecture][:served]):
            for number in range(1, 3 if big and rank < DOUBLE_OUTLETS else 2):
                city = "" if place.prefecture_name == place.name else place.prefecture_name
                names = (
                    f"{city}{place.name}{'第二' if number == 2 else ''}营业部",
                    f"{names_en.get(prefecture, 'County')} outlet {place.adcode}-{number}",
                )
                code = f"{place.adcode}-{number}"
                operator = Operator.OWN if prefecture in cities else Operator.FRANCHISE
                at = _near(place, 0.03, random)
                yield _spec(code, names, FacilityKind.OUTLET, at, place.adcode, operator, gateway.code)


def _points(outlet: FacilitySpec, random: Random) -> Iterator[FacilitySpec]:
    big = county(outlet.district_adcode).prefecture_adcode in sites.BIG_CITIES_EN
    for kind, letter, name, name_en, percent_big, percent in _POINT_SHARES:
        if random.randrange(100) < (percent_big if big else percent):
            names = f"{outlet.name}{name}", f"{outlet.name_en}, {name_en}"
            operator = Operator.OWN if kind is FacilityKind.LOCKER else Operator.PARTNER
            at = _near(outlet, 0.012, random)
            yield _spec(
                f"{outlet.code}{letter}", names, kind, at, outlet.district_adcode, operator, outlet.code
            )


def _spec(
    code: str,
    names: tuple[str, str],
    kind: FacilityKind,
    at: County | Point,
    district_adcode: str,
    operator: Operator,
    parent_code: str | None,
) -> FacilitySpec:
    return FacilitySpec(
        code,
        *names,
        kind,
        at.latitude,
        at.longitude,
        district_adcode,
        sites.SORT_S[kind],
        operator,
        parent_code,
        sites.hours_of(kind, operator, code),
        sites.SORT_PER_HOUR[kind],
    )


def _near(place: County | FacilitySpec, degrees: float, random: Random) -> Point:
    """A place up to so many degrees away; a county's point alone would put all its outlets on one spot."""
    return Point(
        round(place.latitude + random.uniform(-degrees, degrees), 5),
        round(place.longitude + random.uniform(-degrees, degrees), 5),
    )


def _nearest(place: County | FacilitySpec, hubs: Iterable[FacilitySpec]) -> list[FacilitySpec]:
    return sorted(hubs, key=lambda hub: (distance_m(place, hub), hub.code))


def _hub_lanes(hubs: Sequence[FacilitySpec], random: Random) -> Iterator[LaneSpec]:
    """The full mesh: lorries everywhere, flights on long ways, trains on the corridors."""
    corridors = {*sites.RAIL_CORRIDORS, *((b, a) for a, b in sites.RAIL_CORRIDORS)}
    for origin, destination in permutations(hubs, 2):
        road = random.choice([sites.NORTH_ROAD, sites.SOUTH_ROAD])
        yield _lane(origin, destination, replace(sites.TRUNK_ROAD, carrier=road.code), random)
        if (origin.code, destination.code) in corridors:
            yield _lane(origin, destination, sites.TRUNK_RAIL, random)
        if distance_m(origin, destination) > sites.AIR_FROM_M:
            yield _lane(origin, destination, sites.TRUNK_AIR, random)


def _gateway_lanes(
    gateways: Sequence[FacilitySpec], hubs: Sequence[FacilitySpec], random: Random
) -> Iterator[LaneSpec]:
    """To each gateway's nearest hubs and back; a flight to the nearest where it is far."""
    up = replace(sites.TRUNK_ROAD, minutes_of_day=(10 * 60 + 30, 21 * 60 + 30))
    down = replace(sites.TRUNK_ROAD, minutes_of_day=(3 * 60, 10 * 60, 18 * 60))
    for gateway in gateways:
        for rank, hub in enumerate(_nearest(gateway, hubs)[:HUBS_PER_GATEWAY]):
            road = sites.NORTH_ROAD if gateway.latitude > hub.latitude else sites.SOUTH_ROAD
            yield _lane(gateway, hub, replace(up, carrier=road.code), random)
            yield _lane(hub, gateway, replace(down, carrier=road.code), random)
            if rank == 0 and distance_m(gateway, hub) > sites.AIR_FROM_M:
                yield _lane(gateway, hub, replace(sites.TRUNK_AIR, minutes_of_day=(23 * 60,)), random)
                yield _lane(hub, gateway, replace(sites.TRUNK_AIR, minutes_of_day=(6 * 60,)), random)


def _outlet_lanes(
    outlets: Sequence[FacilitySpec], gateways: Sequence[FacilitySpec], random: Random
) -> Iterator[LaneSpec]:
    """Two runs a day each way; franchises have no second one on Sundays."""
    down = replace(sites.FEEDER, minutes_of_day=(5 * 60 + 30, 16 * 60 + 30))
    by_code = {gateway.code: gateway for gateway in gateways}
    for outlet in outlets:
        gateway = by_code[str(outlet.parent_code)]
        for origin, destination, terms in ((outlet, gateway, sites.FEEDER), (gateway, outlet, down)):
            lane = _lane(origin, destination, terms, random)
            if outlet.operator is Operator.FRANCHISE:
                first, second = lane.departures
                lane = replace(lane, departures=(first, replace(second, weekdays=MONDAY_TO_SATURDAY)))
            yield lane


def _point_lanes(points: Sequence[FacilitySpec], outlets: Sequence[FacilitySpec]) -> Iterator[LaneSpec]:
    """A courier fills each point in the morning and afternoon, and empties it at noon and in the evening."""
    back = replace(sites.POINT_RUN, minutes_of_day=(12 * 60, 17 * 60 + 30))
    by_code = {outlet.code: outlet for outlet in outlets}
    for point in points:
        outlet = by_code[str(point.parent_code)]
        yield _lane(outlet, point, sites.POINT_RUN)
        yield _lane(point, outlet, back)


def _facility(facility_id: int, spec: FacilitySpec) -> Facility:
    return Facility(
        facility_id,
        spec.code,
        spec.name,
        spec.kind,
        spec.latitude,
        spec.longitude,
        spec.sort_s,
        spec.operator,
        spec.hours,
        spec.sort_per_hour,
    )


def _lane(
    origin: FacilitySpec, destination: FacilitySpec, terms: LaneTerms, random: Random | None = None
) -> LaneSpec:
    """A lane on the given terms, its departures shifted a little where vehicles would leave all at once."""
    shift = random.randrange(0, 30, 5) if random else 0
    shifted = replace(terms, minutes_of_day=tuple(minute + shift for minute in terms.minutes_of_day))
    lane = shifted.lane(1, _facility(1, origin), _facility(2, destination))
    return LaneSpec(
        from_code=origin.code,
        to_code=destination.code,
        mode=lane.mode,
        carrier_code=lane.carrier,
        distance_m=lane.distance_m,
        cost_fixed_minor=lane.cost_fixed_minor,
        cost_per_kg_minor=lane.cost_per_kg_minor,
        capacity_g=lane.capacity_g,
        departures=lane.departures,
    )
