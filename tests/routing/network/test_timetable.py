import math
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import (
    HANDOVERS,
    Departure,
    Facility,
    FacilityKind,
    Handover,
    InvalidNetworkError,
    Network,
    distance_m,
    road_distance_m,
)
from routing.network.timetable import instants, trips

MONDAY = date(2026, 3, 23)


def utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_weekdays_are_local_days() -> None:
    tuesdays = Departure(0b10, 60, 3600, "Asia/Shanghai")
    assert [utc(s) for s in instants(tuesdays, MONDAY, 14)] == [
        datetime(2026, 3, 23, 17, tzinfo=UTC),
        datetime(2026, 3, 30, 17, tzinfo=UTC),
    ]


def test_a_departure_keeps_its_local_time_when_clocks_change() -> None:
    daily = Departure(127, 12 * 60, 3600, "Europe/Helsinki")
    hours = [utc(s).hour for s in instants(daily, date(2026, 3, 28), 2)]
    assert hours == [10, 9]


@given(
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Helsinki", "America/St_Johns", "Africa/Casablanca"]),
    minute=st.integers(0, 1439),
    first=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    skipped=st.sets(st.integers(0, 39), max_size=5),
)
def test_instants_are_those_of_the_calendar(zone: str, minute: int, first: date, skipped: set[int]) -> None:
    """Against walking over the dates with the standard library, over changes of clocks."""
    days = [first + timedelta(days=offset) for offset in range(40)]
    departure = Departure(0b101_1011, minute, 60, zone, frozenset(days[index] for index in skipped))
    clock = time(minute // 60, minute % 60)
    expected = [
        int(datetime.combine(day, clock, ZoneInfo(zone)).timestamp())
        for index, day in enumerate(days)
        if day.weekday() not in (2, 5) and index not in skipped
    ]
    assert instants(departure, first, 40) == expected


def test_a_trip_that_is_overtaken_is_left_out() -> None:
    slow = Departure(127, 600, 10 * 3600, "UTC")
    fast = Departure(127, 660, 3600, "UTC")
    same_time = replace(fast, duration_s=7200)
    dated = trips([slow, fast, same_time], MONDAY, 1)
    assert [utc(s).hour for s in dated.departures] == [11]
    assert [utc(s).hour for s in dated.arrivals] == [12]
    assert dated.catch(dated.departures[0]) == 0
    assert dated.catch(dated.departures[0] + 1) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekdays": 0},
        {"weekdays": 128},
        {"minute_of_day": 1440},
        {"duration_s": 0},
        {"timezone": "Mars/Phobos"},
    ],
)
def test_impossible_departures(wrong: dict[str, object]) -> None:
    fields: dict[str, object] = {"weekdays": 1, "minute_of_day": 0, "duration_s": 1, "timezone": "UTC"}
    with pytest.raises(InvalidNetworkError):
        Departure(**{**fields, **wrong})  # type: ignore[arg-type]


def test_impossible_lanes_and_facilities(small_network: Network) -> None:
    lane, facility = small_network.lanes[0], small_network.facilities[0]
    for wrong in ({"to_facility_id": lane.from_facility_id}, {"distance_m": -1}, {"capacity_g": 0}):
        with pytest.raises(InvalidNetworkError):
            replace(lane, **wrong)  # type: ignore[arg-type]
    for bad in (
        {"facility_id": 0},
        {"code": ""},
        {"latitude": math.nan},
        {"longitude": 181.0},
        {"sort_s": -1},
    ):
        with pytest.raises(InvalidNetworkError):
            replace(facility, **bad)


def test_cost_of_a_parcel_is_its_share_rounded_up(small_network: Network) -> None:
    lane = small_network.lanes[0]
    assert lane.cost_minor(1_000_000) == 60_000 + 20_000
    assert lane.cost_minor(1) == 1 + 1
    assert lane.cost_minor(500, load_g=1_000) == 30_000 + 10
    assert replace(lane, capacity_g=None).cost_minor(500) == 60_000 + 10


def test_great_circle() -> None:
    def at(latitude: float, longitude: float) -> Facility:
        return Facility(1, "x", "", FacilityKind.HUB, latitude, longitude, 0, "own")

    quarter = math.pi / 2 * 6_371_008.8
    assert distance_m(at(0, 0), at(0, 90)) == round(quarter)
    assert distance_m(at(90, 0), at(-90, 50)) == round(2 * quarter)
    assert distance_m(at(10, 179.5), at(10, -179.5)) == distance_m(at(10, 0), at(10, 1))
    assert road_distance_m(at(0, 0), at(0, 90)) == round(quarter) * 130 // 100


def test_every_handover_has_a_place() -> None:
    assert set(HANDOVERS) == set(FacilityKind)
    assert {mode for modes in HANDOVERS.values() for mode in modes} == set(Handover)
    assert all(not HANDOVERS[kind] for kind in FacilityKind if kind.sorts)
