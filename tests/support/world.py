"""A small network on real ground, made through the services, that tests of every room build upon.

Four cities. Wuhan's and Chengdu's gateways hang on the hub of Wuhan, Hangzhou's and Guangzhou's on the hub
of Hangzhou, and the hubs are joined; lorries leave several times a day both ways, so every outlet reaches
every other. Tariff, terms, couriers and customers are made by the tests that need them, with those rooms'
own services.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.network import service as network
from app.network.models import Facility
from app.parties import service as parties
from app.parties.models import PartyKind
from routing.network import EVERY_DAY, Departure, FacilityKind, Mode, Operator, road_distance_m

TIMEZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Spot:
    """An address that somebody ships from or to."""

    district_adcode: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class World:
    """What `small_world` made: ids by code."""

    tenant_id: int
    parties: Mapping[str, int]
    facilities: Mapping[str, int]
    lanes: Mapping[str, int]
    spots: Mapping[str, Spot]


# adcode, district, city, province, latitude, longitude of its seat
_CITIES_EN = {"武汉市": "Wuhan", "成都市": "Chengdu", "杭州市": "Hangzhou", "广州市": "Guangzhou"}
_DISTRICTS = (
    ("420111", "洪山区", "武汉市", "湖北省", 30.539, 114.518),
    ("420102", "江岸区", "武汉市", "湖北省", 30.640, 114.301),
    ("420112", "东西湖区", "武汉市", "湖北省", 30.687, 114.079),
    ("420116", "黄陂区", "武汉市", "湖北省", 31.014, 114.339),
    ("510107", "武侯区", "成都市", "四川省", 30.595, 104.021),
    ("510104", "锦江区", "成都市", "四川省", 30.615, 104.115),
    ("510116", "双流区", "成都市", "四川省", 30.443, 104.087),
    ("330106", "西湖区", "杭州市", "浙江省", 30.221, 120.079),
    ("330109", "萧山区", "杭州市", "浙江省", 30.070, 120.231),
    ("330110", "余杭区", "杭州市", "浙江省", 30.362, 119.955),
    ("440106", "天河区", "广州市", "广东省", 23.175, 113.364),
    ("440111", "白云区", "广州市", "广东省", 23.287, 113.327),
    ("440113", "番禺区", "广州市", "广东省", 22.975, 113.388),
)

_PARTIES = (
    ("PLATFORM", "Wheel Express", PartyKind.PLATFORM),
    ("WUH-HUB", "武汉转运中心", PartyKind.HUB),
    ("HGH-HUB", "杭州转运中心", PartyKind.HUB),
    ("TRUNK", "长江干线物流", PartyKind.CARRIER),
    ("SHUTTLE", "同城支线车队", PartyKind.CARRIER),
    ("WUH-01", "武汉洪山网点", PartyKind.OUTLET),
    ("WUH-02", "武汉江岸网点", PartyKind.OUTLET),
    ("CTU-01", "成都武侯网点", PartyKind.OUTLET),
    ("CTU-02", "成都锦江网点", PartyKind.OUTLET),
    ("HGH-01", "杭州西湖网点", PartyKind.OUTLET),
    ("CAN-01", "广州天河网点", PartyKind.OUTLET),
)

_K = FacilityKind
# code, name, English name, kind, parent, adcode, latitude, longitude, sort_s; parents first.
# Where no party has the facility's code, the facility belongs to its parent's party.
_FACILITIES = (
    ("WUH-HUB", "武汉转运中心", "Wuhan hub", _K.HUB, None, "420112", 30.690, 114.100, 5400),
    ("HGH-HUB", "杭州转运中心", "Hangzhou hub", _K.HUB, None, "330109", 30.160, 120.260, 5400),
    ("WUH-G", "武汉集散点", "Wuhan gateway", _K.GATEWAY, "WUH-HUB", "420116", 30.870, 114.370, 2700),
    ("CTU-G", "成都集散点", "Chengdu gateway", _K.GATEWAY, "WUH-HUB", "510116", 30.570, 103.930, 2700),
    ("HGH-G", "杭州集散点", "Hangzhou gateway", _K.GATEWAY, "HGH-HUB", "330110", 30.420, 120.300, 2700),
    ("CAN-G", "广州集散点", "Guangzhou gateway", _K.GATEWAY, "HGH-HUB", "440111", 23.300, 113.270, 2700),
    ("WUH-01", "武汉洪山网点", "Wuhan Hongshan", _K.OUTLET, "WUH-G", "420111", 30.500, 114.400, 1800),
    ("WUH-02", "武汉江岸网点", "Wuhan Jiang'an", _K.OUTLET, "WUH-G", "420102", 30.640, 114.310, 1800),
    ("CTU-01", "成都武侯网点", "Chengdu Wuhou", _K.OUTLET, "CTU-G", "510107", 30.620, 104.050, 1800),
    ("CTU-02", "成都锦江网点", "Chengdu Jinjiang", _K.OUTLET, "CTU-G", "510104", 30.610, 104.110, 1800),
    ("HGH-01", "杭州西湖网点", "Hangzhou Xihu", _K.OUTLET, "HGH-G", "330106", 30.270, 120.130, 1800),
    ("CAN-01", "广州天河网点", "Guangzhou Tianhe", _K.OUTLET, "CAN-G", "440106", 23.130, 113.350, 1800),
    ("CTU-S1", "武侯便利店", "Wuhou store", _K.STORE, "CTU-01", "510107", 30.630, 104.040, 600),
    ("HGH-L1", "西湖快递柜", "Xihu locker", _K.LOCKER, "HGH-01", "330106", 30.280, 120.120, 0),
    ("CAN-C1", "番禺代收点", "Panyu point", _K.COLLECTIVE_POINT, "CAN-01", "440113", 22.990, 113.360, 600),
)  # fmt: skip

# from, to (both ways are made), carrier, local hours of departure
_LANES = (
    ("WUH-HUB", "HGH-HUB", "TRUNK", (1, 9, 17, 22)),
    ("CTU-G", "WUH-HUB", "TRUNK", (2, 10, 18, 23)),
    ("WUH-G", "WUH-HUB", "TRUNK", (3, 11, 16, 21)),
    ("HGH-G", "HGH-HUB", "TRUNK", (3, 11, 16, 21)),
    ("CAN-G", "HGH-HUB", "TRUNK", (2, 10, 18, 23)),
    ("WUH-01", "WUH-G", "SHUTTLE", (6, 10, 14, 19)),
    ("WUH-02", "WUH-G", "SHUTTLE", (6, 10, 14, 19)),
    ("CTU-01", "CTU-G", "SHUTTLE", (6, 10, 14, 19)),
    ("CTU-02", "CTU-G", "SHUTTLE", (6, 10, 14, 19)),
    ("HGH-01", "HGH-G", "SHUTTLE", (6, 10, 14, 19)),
    ("CAN-01", "CAN-G", "SHUTTLE", (6, 10, 14, 19)),
)

_SPOTS = {
    "chengdu": Spot("510107", "科华北路 62 号", 30.631, 104.077),
    "wuhan": Spot("420111", "珞喻路 1037 号", 30.513, 114.411),
    "hangzhou": Spot("330106", "文三路 90 号", 30.278, 120.126),
    "guangzhou": Spot("440106", "天河路 385 号", 23.135, 113.327),
}


def small_world(session: Session, *, now: datetime) -> World:
    """Make the network for the session's tenant."""
    network.load_districts(
        session,
        [
            network.DistrictRow(
                adcode=adcode,
                name=name,
                city_name=city,
                province_name=province,
                city_name_en=_CITIES_EN[city],
                latitude=north,
                longitude=east,
            )
            for adcode, name, city, province, north, east in _DISTRICTS
        ],
    )
    party_ids = {
        code: parties.create_party(session, code=code, name=name, kind=kind, now=now).id
        for code, name, kind in _PARTIES
    }
    facilities = _facilities(session, party_ids, now)
    lanes = _lanes(session, party_ids, facilities, now)
    ids = {code: facility.id for code, facility in facilities.items()}
    return World(tenant_of(session), party_ids, ids, lanes, _SPOTS)


def _facilities(session: Session, party_ids: Mapping[str, int], now: datetime) -> dict[str, Facility]:
    made: dict[str, Facility] = {}
    for code, name, name_en, kind, parent, adcode, latitude, longitude, sort_s in _FACILITIES:
        belongs_to = party_ids[code] if code in party_ids else made[str(parent)].party_id
        made[code] = network.create_facility(
            session,
            code=code,
            name=name,
            name_en=name_en,
            kind=kind,
            operator=Operator.FRANCHISE if kind is FacilityKind.OUTLET else Operator.OWN,
            party_id=belongs_to,
            parent_id=made[parent].id if parent else None,
            district_adcode=adcode,
            latitude=latitude,
            longitude=longitude,
            sort_s=sort_s,
            now=now,
        )
    return made


def _lanes(
    session: Session, party_ids: Mapping[str, int], facilities: Mapping[str, Facility], now: datetime
) -> dict[str, int]:
    lane_ids: dict[str, int] = {}
    for one, other, carrier, hours in _LANES:
        for start, end in ((one, other), (other, one)):
            distance_m = road_distance_m(facilities[start], facilities[end])
            duration_s = 1800 + distance_m * 3600 // 75_000
            trunk = carrier == "TRUNK"
            lane = network.create_lane(
                session,
                code=f"{start}>{end}",
                from_facility_id=facilities[start].id,
                to_facility_id=facilities[end].id,
                carrier_party_id=party_ids[carrier],
                mode=Mode.ROAD,
                distance_m=distance_m,
                cost_fixed_minor=8000 + distance_m // 1000 * (550 if trunk else 260),
                cost_per_kg_minor=1 if trunk else 2,
                capacity_g=18_000_000 if trunk else 1_500_000,
                departures=[Departure(EVERY_DAY, hour * 60, duration_s, TIMEZONE) for hour in hours],
                now=now,
            )
            lane_ids[lane.code] = lane.id
    return lane_ids
