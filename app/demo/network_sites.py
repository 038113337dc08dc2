"""The fixed part of the demo network: where its hubs and gateways stand, who drives, and on which terms."""

from dataclasses import dataclass

from routing.network.facility import ROAD_DETOUR_PERCENT, FacilityKind, Operator, usual_hours
from routing.network.hours import WorkingHours, weekly
from routing.network.terms import LaneTerms
from routing.network.timetable import Mode

TIMEZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Site:
    """A sorting centre: its code, the county it stands in, its city in two languages."""

    code: str
    county_adcode: str
    city: str
    city_en: str


HUBS = (
    Site("BJS-H", "110113", "北京", "Beijing"),
    Site("SHA-H", "310118", "上海", "Shanghai"),
    Site("CAN-H", "440111", "广州", "Guangzhou"),
    Site("WUH-H", "420112", "武汉", "Wuhan"),
    Site("CTU-H", "510116", "成都", "Chengdu"),
    Site("SIA-H", "610116", "西安", "Xi'an"),
)

# Codes of GB/T 2260 (alphabetic), one gateway a province.
GATEWAYS = (
    (Site("BJ-G", "110112", "北京", "Beijing"), "Beijing"),
    (Site("TJ-G", "120111", "天津", "Tianjin"), "Tianjin"),
    (Site("HE-G", "130109", "石家庄", "Shijiazhuang"), "Hebei"),
    (Site("SX-G", "140105", "太原", "Taiyuan"), "Shanxi"),
    (Site("NM-G", "150105", "呼和浩特", "Hohhot"), "Inner Mongolia"),
    (Site("LN-G", "210114", "沈阳", "Shenyang"), "Liaoning"),
    (Site("JL-G", "220103", "长春", "Changchun"), "Jilin"),
    (Site("HL-G", "230108", "哈尔滨", "Harbin"), "Heilongjiang"),
    (Site("SH-G", "310112", "上海", "Shanghai"), "Shanghai"),
    (Site("JS-G", "320115", "南京", "Nanjing"), "Jiangsu"),
    (Site("ZJ-G", "330110", "杭州", "Hangzhou"), "Zhejiang"),
    (Site("AH-G", "340111", "合肥", "Hefei"), "Anhui"),
    (Site("FJ-G", "350121", "福州", "Fuzhou"), "Fujian"),
    (Site("JX-G", "360112", "南昌", "Nanchang"), "Jiangxi"),
    (Site("SD-G", "370112", "济南", "Jinan"), "Shandong"),
    (Site("HA-G", "410122", "郑州", "Zhengzhou"), "Henan"),
    (Site("HB-G", "420116", "武汉", "Wuhan"), "Hubei"),
    (Site("HN-G", "430121", "长沙", "Changsha"), "Hunan"),
    (Site("GD-G", "440112", "广州", "Guangzhou"), "Guangdong"),
    (Site("GX-G", "450108", "南宁", "Nanning"), "Guangxi"),
    (Site("HI-G", "460106", "海口", "Haikou"), "Hainan"),
    (Site("CQ-G", "500112", "重庆", "Chongqing"), "Chongqing"),
    (Site("SC-G", "510114", "成都", "Chengdu"), "Sichuan"),
    (Site("GZ-G", "520115", "贵阳", "Guiyang"), "Guizhou"),
    (Site("YN-G", "530114", "昆明", "Kunming"), "Yunnan"),
    (Site("XZ-G", "540103", "拉萨", "Lhasa"), "Tibet"),
    (Site("SN-G", "610111", "西安", "Xi'an"), "Shaanxi"),
    (Site("GS-G", "620104", "兰州", "Lanzhou"), "Gansu"),
    (Site("QH-G", "630106", "西宁", "Xining"), "Qinghai"),
    (Site("NX-G", "640122", "银川", "Yinchuan"), "Ningxia"),
    (Site("XJ-G", "650104", "乌鲁木齐", "Urumqi"), "Xinjiang"),
)

BIG_CITIES_EN = {
    "110000": "Beijing",
    "120000": "Tianjin",
    "210200": "Dalian",
    "310000": "Shanghai",
    "320100": "Nanjing",
    "320500": "Suzhou",
    "330100": "Hangzhou",
    "330200": "Ningbo",
    "350200": "Xiamen",
    "370200": "Qingdao",
    "420100": "Wuhan",
    "440100": "Guangzhou",
    "440300": "Shenzhen",
    "441900": "Dongguan",
    "500000": "Chongqing",
    "510100": "Chengdu",
    "610100": "Xi'an",
}
"""Prefectures served with more districts than others, and with two outlets in the first of them."""

RAIL_CORRIDORS = (("BJS-H", "CAN-H"), ("BJS-H", "WUH-H"), ("SHA-H", "CTU-H"), ("CAN-H", "SIA-H"))

SORT_S = {
    FacilityKind.OUTLET: 20 * 60,
    FacilityKind.GATEWAY: 90 * 60,
    FacilityKind.HUB: 120 * 60,
    FacilityKind.STORE: 10 * 60,
    FacilityKind.LOCKER: 10 * 60,
    FacilityKind.COLLECTIVE_POINT: 10 * 60,
}

SORT_PER_HOUR = {
    FacilityKind.OUTLET: 600,
    FacilityKind.GATEWAY: 6_000,
    FacilityKind.HUB: 20_000,
    FacilityKind.STORE: 120,
    FacilityKind.LOCKER: 120,
    FacilityKind.COLLECTIVE_POINT: 200,
}
"""Pieces."""

REMOTE_GATEWAYS = frozenset({"HI-G", "XZ-G", "QH-G", "NX-G"})
"""Worked from 4 to midnight, the others round the clock."""
_REMOTE = WorkingHours(TIMEZONE, weekly([[(4 * 60, 24 * 60)]] * 7))
_FRANCHISE = WorkingHours(
    TIMEZONE,
    weekly([*[[(8 * 60 + 30, 19 * 60 + 30)]] * 6, [(9 * 60, 17 * 60)]]),
    collection_cutoff_minute=15 * 60 + 30,
)
_STORE = WorkingHours(TIMEZONE, weekly([[(7 * 60, 22 * 60)]] * 7), collection_cutoff_minute=18 * 60)
_COLLECTIVE_POINT = WorkingHours(
    TIMEZONE,
    weekly([*[[(9 * 60, 12 * 60), (14 * 60, 21 * 60)]] * 5, *[[(10 * 60, 20 * 60)]] * 2]),
    collection_cutoff_minute=17 * 60 + 30,
)


def hours_of(kind: FacilityKind, operator: Operator, code: str) -> WorkingHours:
    """When a place of the demo network works."""
    if code in REMOTE_GATEWAYS:
        return _REMOTE
    if kind is FacilityKind.OUTLET and operator is Operator.FRANCHISE:
        return _FRANCHISE
    if kind is FacilityKind.STORE:
        return _STORE
    return _COLLECTIVE_POINT if kind is FacilityKind.COLLECTIVE_POINT else usual_hours(kind, TIMEZONE)


@dataclass(frozen=True, slots=True)
class CarrierSpec:
    """Who runs lanes of a mode. All are made up."""

    code: str
    name: str
    name_en: str
    mode: Mode


OWN_FLEET = CarrierSpec("OWN", "自营车队", "Own fleet", Mode.ROAD)
NORTH_ROAD = CarrierSpec("QZ", "青骓干线", "Qingzhui Line-haul", Mode.ROAD)
SOUTH_ROAD = CarrierSpec("YX", "远岫运输", "Yuanxiu Transport", Mode.ROAD)
RAIL = CarrierSpec("CG", "长轨联运", "Changgui Rail", Mode.RAIL)
AIR = CarrierSpec("YY", "云雁航空货运", "Yunyan Air Cargo", Mode.AIR)
CARRIERS = (OWN_FLEET, NORTH_ROAD, SOUTH_ROAD, RAIL, AIR)

AIR_FROM_M = 1_000_000
"""Great-circle distance from which a flight runs beside the lorries."""

# Costs in fen: what a trip and its kilometres cost, whatever is on board, and each kilogram.
POINT_RUN = LaneTerms(
    mode=Mode.ROAD,
    from_m=0,
    detour_percent=ROAD_DETOUR_PERCENT,
    speed_m_h=18_000,
    terminal_s=10 * 60,
    cost_fixed_minor=600,
    cost_per_km_minor=60,
    cost_per_kg_minor=5,
    capacity_g=200_000,
    carrier=OWN_FLEET.code,
    minutes_of_day=(9 * 60, 15 * 60),
    timezone=TIMEZONE,
)
FEEDER = LaneTerms(
    mode=Mode.ROAD,
    from_m=0,
    detour_percent=ROAD_DETOUR_PERCENT,
    speed_m_h=60_000,
    terminal_s=30 * 60,
    cost_fixed_minor=4000,
    cost_per_km_minor=260,
    cost_per_kg_minor=3,
    capacity_g=3_000_000,
    carrier=OWN_FLEET.code,
    minutes_of_day=(13 * 60, 18 * 60 + 30),
    timezone=TIMEZONE,
)
TRUNK_ROAD = LaneTerms(
    mode=Mode.ROAD,
    from_m=0,
    detour_percent=ROAD_DETOUR_PERCENT,
    speed_m_h=70_000,
    terminal_s=60 * 60,
    cost_fixed_minor=10_000,
    cost_per_km_minor=550,
    cost_per_kg_minor=2,
    capacity_g=18_000_000,
    carrier=NORTH_ROAD.code,
    minutes_of_day=(3 * 60, 15 * 60),
    timezone=TIMEZONE,
)
TRUNK_RAIL = LaneTerms(
    mode=Mode.RAIL,
    from_m=0,
    detour_percent=120,
    speed_m_h=90_000,
    terminal_s=5 * 3600,
    cost_fixed_minor=150_000,
    cost_per_km_minor=300,
    cost_per_kg_minor=4,
    capacity_g=30_000_000,
    carrier=RAIL.code,
    minutes_of_day=(20 * 60,),
    timezone=TIMEZONE,
)
TRUNK_AIR = LaneTerms(
    mode=Mode.AIR,
    from_m=AIR_FROM_M,
    detour_percent=105,
    speed_m_h=650_000,
    terminal_s=3 * 3600,
    cost_fixed_minor=2_000_000,
    cost_per_km_minor=1200,
    cost_per_kg_minor=60,
    capacity_g=15_000_000,
    carrier=AIR.code,
    minutes_of_day=(2 * 60 + 30, 13 * 60),
    timezone=TIMEZONE,
)
