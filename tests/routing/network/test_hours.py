"""Opening hours: how they are given, when a place is open, and what work is done meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import (
    Closure,
    Facility,
    FacilityKind,
    InvalidNetworkError,
    Network,
    PlannedHop,
    Underway,
    WorkingHours,
    itinerary,
    replan,
    usual_hours,
)
from routing.network.hours import MINUTES_PER_WEEK, ROUND_THE_CLOCK, weekly
from routing.network.sorting import OpenTime

ZONE = "Asia/Shanghai"
MONDAY = date(2026, 3, 2)
NIGHTS = WorkingHours(ZONE, weekly([[(0, 360), (1320, 1440)]] * 7))
"""From 22 to 6 every night."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """By the clocks of China, in March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"week": ()}, "never opens"),
        ({"week": ((600, 600),)}, "within a week"),
        ({"week": ((600, MINUTES_PER_WEEK + 1),)}, "within a week"),
        ({"week": ((600, 700), (700, 800))}, "overlap or are not in order"),
        ({"collection_cutoff_minute": 0}, "cut-off"),
        ({"round_minutes": ()}, "rounds"),
        ({"round_minutes": (480, 480)}, "rising"),
        ({"round_minutes": (1440,)}, "within a day"),
    ],
)
def test_hours_that_cannot_be_are_refused(change: dict[str, object], fault: str) -> None:
    with pytest.raises(InvalidNetworkError, match=fault):
        replace(WorkingHours(ZONE), **change)


@pytest.mark.parametrize("day", [[(600, 500)], [(0, 1441)], [(600, 720), (700, 800)]])
def test_days_that_cannot_be_are_refused(day: list[tuple[int, int]]) -> None:
    with pytest.raises(InvalidNetworkError):
        weekly([day, [], [], [], [], [], []])


def test_days_become_a_week_and_days_again() -> None:
    days = [[(840, 1080), (540, 720)], [(0, 1440)], [(0, 60)], [], [], [], [(1380, 1440)]]
    hours = WorkingHours(ZONE, weekly(days))
    assert hours.week == ((540, 720), (840, 1080), (1440, 2940), (10020, 10080))
    assert [list(of_day) for of_day in hours.intervals_by_weekday()] == [sorted(of_day) for of_day in days]
    assert weekly([[(0, 1440)]] * 7) == ROUND_THE_CLOCK


def test_windows_go_on_after_midnight_and_end_with_a_closed_day() -> None:
    found = replace(NIGHTS, closed_dates=frozenset([date(2026, 3, 4)])).windows(MONDAY, 4)
    nights = [
        (at(2, 0), at(2, 6)),
        (at(2, 22), at(3, 6)),
        (at(3, 22), at(4, 0)),
        (at(5, 0), at(5, 6)),
        (at(5, 22), at(6, 0)),
    ]
    assert found == tuple((seconds(start), seconds(end)) for start, end in nights)


def test_open_until_and_opens_next() -> None:
    assert NIGHTS.open_until(at(2, 23)) == at(3, 6)
    assert NIGHTS.open_until(at(3, 6)) is None
    assert NIGHTS.opens_next(at(3, 6)) == at(3, 22)
    store = usual_hours(FacilityKind.STORE, ZONE)
    assert store.open_until(at(2, 19, 59)) == at(2, 20)
    assert store.works_from(MONDAY) == MONDAY
    closed = replace(store, closed_dates=frozenset(MONDAY + timedelta(days=step) for step in range(30)))
    assert closed.opens_next(at(2, 9)) is None
    assert closed.works_from(MONDAY) == date(2026, 4, 1)


@given(
    st.integers(0, 9 * 86_400),
    st.integers(0, 20 * 3600),
    st.lists(st.integers(0, 6), max_size=3),
)
def test_work_is_counted_as_minute_by_minute(offset_s: int, work_s: int, closed: list[int]) -> None:
    hours = replace(NIGHTS, closed_dates=frozenset(MONDAY + timedelta(days=step) for step in closed))
    windows = hours.windows(MONDAY, 28)
    start = seconds(at(2, 0)) + offset_s
    done = OpenTime(hours, MONDAY, 28).done(start, work_s)
    worked = sum(max(0, min(end, done) - max(begin, start)) for begin, end in windows)
    assert worked == work_s
    assert done == start or any(begin < done <= end for begin, end in windows) or not work_s


def test_what_the_dates_do_not_hold_is_never_done() -> None:
    assert OpenTime(NIGHTS, MONDAY, 2).done(seconds(at(2, 0)), 24 * 3600) > seconds(at(31, 0))
    assert OpenTime(NIGHTS, MONDAY, 2).done(seconds(at(20, 0)), 1) > seconds(at(31, 0))


def with_hours(network: Network, facility_id: int, hours: WorkingHours) -> Network:
    return Network(
        tuple(
            replace(one, hours=hours) if one.facility_id == facility_id else one for one in network.facilities
        ),
        network.lanes,
    )


def test_a_hub_sorts_only_while_it_is_open(small_network: Network) -> None:
    """It comes to the fast hub at 1; that is worked from 3 to 5:30, too late for the lorry at 2."""
    ready = at(2, 10)
    usual = itinerary(small_network, 1, 2, ready, weight_g=1000)
    assert [leg.to_facility_id for leg in usual.legs] == [3, 5, 4, 2]
    late = with_hours(small_network, 5, WorkingHours(ZONE, weekly([[(180, 330)]] * 7)))
    way = itinerary(late, 1, 2, ready, weight_g=1000)
    assert [leg.to_facility_id for leg in way.legs] == [3, 6, 4, 2]
    # An outlet's hours are its customers'; parcels are worked on before and after.
    assert itinerary(with_hours(small_network, 1, NIGHTS), 1, 2, ready, weight_g=1000) == usual


def test_a_parcel_sorted_before_the_hub_closed_may_leave_at_night(small_network: Network) -> None:
    """Hub 5 works from 20 to 24; its lorry to 4 leaves at 2, when nobody sorts."""
    network = with_hours(small_network, 5, WorkingHours(ZONE, weekly([[(1200, 1440)]] * 7)))
    legs = (PlannedHop(99, 5, 4, at(9, 0)), PlannedHop(34, 4, 2, at(9, 9)))
    lying = Underway(legs, 2, 1000, 5, since=at(2, 20))
    hit = Closure(lane_ids=frozenset([99]))
    for parcel, leaves in (
        (lying, at(3, 2)),
        (replace(lying, since=at(2, 23, 45)), at(4, 2)),
        (replace(lying, since=at(2, 23, 45), handled=True), at(3, 2)),
        (replace(lying, since=at(2, 20) - timedelta(days=40)), at(3, 2)),
    ):
        (found,) = replan(network, [parcel], hit, now=at(3, 1))
        assert found is not None
        assert found.way.legs[0].departure_at == leaves


def test_capacity_and_operator_are_checked() -> None:
    place = Facility(1, "H", "", FacilityKind.HUB, 30.0, 110.0, 0, "own")
    with pytest.raises(InvalidNetworkError, match="sorts nothing"):
        replace(place, sort_per_hour=0)
    late = WorkingHours(ZONE, weekly([[(1020, 1200)]] * 7), collection_cutoff_minute=960)
    assert replace(place, hours=late).hours == late
    with pytest.raises(InvalidNetworkError, match="before every day"):
        replace(place, hours=late, kind=FacilityKind.OUTLET)
    with pytest.raises(InvalidNetworkError, match="operator"):
        replace(place, operator="somebody")
