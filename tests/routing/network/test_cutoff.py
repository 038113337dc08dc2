"""Cut-offs and rounds, at their boundaries, by each place's own hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import FacilityKind, InvalidNetworkError, WorkingHours, usual_hours
from routing.network.cutoff import REACH_DAYS, handed_over_at, next_round, ready_at
from routing.network.facility import Handover
from routing.network.hours import weekly

ZONE = "Asia/Shanghai"
CHINA = timezone(timedelta(hours=8))
OUTLET = usual_hours(FacilityKind.OUTLET, ZONE)
STORE = usual_hours(FacilityKind.STORE, ZONE)
LOCKER = usual_hours(FacilityKind.LOCKER, ZONE)
POINTS = {
    Handover.STORE: STORE,
    Handover.LOCKER: LOCKER,
    Handover.COLLECTIVE_POINT: usual_hours(FacilityKind.COLLECTIVE_POINT, ZONE),
}


def local(text: str) -> datetime:
    """A moment of March 2026; the 2nd is a Monday."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("handover", "booked", "expected"),
    [
        (Handover.DOOR, "02T09:00", "02T12:00"),
        (Handover.DOOR, "02T15:59", "02T18:59"),
        (Handover.DOOR, "02T16:00", "03T11:00"),
        (Handover.DOOR, "02T03:00", "02T11:00"),
        (Handover.OUTLET, "02T19:59", "02T19:59"),
        (Handover.OUTLET, "02T20:00", "03T08:00"),
        (Handover.LOCKER, "02T18:00", "02T18:00"),
        (Handover.STORE, "02T18:01", "03T18:00"),
    ],
)
def test_ready_at_by_the_usual_hours(handover: Handover, booked: str, expected: str) -> None:
    assert ready_at(local(booked), handover, OUTLET, POINTS.get(handover)) == local(expected)


@pytest.mark.parametrize(
    ("handover", "arrived", "expected"),
    [
        (Handover.DOOR, "02T07:00", "02T12:00"),
        (Handover.DOOR, "02T07:01", "02T18:00"),
        (Handover.DOOR, "02T13:01", "03T12:00"),
        (Handover.LOCKER, "02T06:00", "02T10:00"),
        (Handover.OUTLET, "02T21:00", "03T08:00"),
        (Handover.OUTLET, "02T10:30", "02T11:30"),
    ],
)
def test_handed_over_at_by_the_usual_hours(handover: Handover, arrived: str, expected: str) -> None:
    assert handed_over_at(local(arrived), handover, OUTLET, POINTS.get(handover)) == local(expected)


# Weekdays 9 to 12 and 14 to 18, Saturdays from 17 on, Sundays and the 4th closed; collected until 15.
SHORT = WorkingHours(
    ZONE,
    weekly([*[[(540, 720), (840, 1080)]] * 5, [(1020, 1200)], []]),
    frozenset([date(2026, 3, 4)]),
    collection_cutoff_minute=15 * 60,
    round_minutes=(10 * 60,),
)


@pytest.mark.parametrize(
    ("handover", "booked", "expected"),
    [
        (Handover.DOOR, "02T12:30", "02T15:30"),  # couriers collect over lunch
        (Handover.DOOR, "02T15:00", "03T12:00"),
        (Handover.DOOR, "03T15:00", "05T12:00"),  # not on the closed 4th
        (Handover.DOOR, "06T15:00", "09T12:00"),  # Saturday opens after the cut-off
        (Handover.OUTLET, "02T12:30", "02T14:00"),
        (Handover.OUTLET, "07T20:00", "09T09:00"),
        (Handover.LOCKER, "03T18:01", "05T18:00"),  # nobody of the outlet comes on the 4th
        (Handover.LOCKER, "07T18:01", "09T18:00"),
    ],
)
def test_ready_at_by_an_outlets_own_hours(handover: Handover, booked: str, expected: str) -> None:
    assert ready_at(local(booked), handover, SHORT, POINTS.get(handover)) == local(expected)


@pytest.mark.parametrize(
    ("handover", "point", "arrived", "expected"),
    [
        (Handover.DOOR, None, "02T09:00", "02T14:00"),
        (Handover.DOOR, None, "03T09:01", "05T14:00"),
        (Handover.DOOR, None, "07T09:01", "09T14:00"),
        (Handover.OUTLET, None, "02T11:00", "02T14:00"),
        (Handover.LOCKER, LOCKER, "02T09:00", "02T12:00"),
        (Handover.STORE, SHORT, "02T09:00", "02T14:00"),  # the round comes by while the store is at lunch
        (Handover.STORE, replace(STORE, closed_dates=frozenset([date(2026, 3, 2)])), "02T09:00", "03T08:00"),
    ],
)
def test_handed_over_at_by_the_hours_of_outlet_and_point(
    handover: Handover, point: WorkingHours | None, arrived: str, expected: str
) -> None:
    assert handed_over_at(local(arrived), handover, SHORT, point) == local(expected)


def test_rounds_start_by_the_clocks_of_the_place_when_these_change() -> None:
    helsinki = usual_hours(FacilityKind.OUTLET, "Europe/Helsinki")
    saturday, sunday = (datetime(2026, 3, day, 5, tzinfo=ZoneInfo("Europe/Helsinki")) for day in (28, 29))
    assert next_round(helsinki, saturday) == datetime(2026, 3, 28, 6, tzinfo=UTC)
    assert next_round(helsinki, sunday) == datetime(2026, 3, 29, 5, tzinfo=UTC)


def test_a_place_that_stays_closed_is_planned_with_at_the_end_of_the_calendar() -> None:
    year = frozenset(date(2026, 3, 1) + timedelta(days=step) for step in range(365))
    closed = replace(OUTLET, closed_dates=year)
    for rule in (ready_at, handed_over_at):
        for handover in Handover:
            wait = rule(local("02T09:00"), handover, closed, POINTS.get(handover)) - local("02T09:00")
            assert timedelta(days=REACH_DAYS) <= wait <= timedelta(days=REACH_DAYS + 30)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(Handover),
    st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Pacific/Marquesas"]),
)
def test_nothing_is_ready_before_it_is_there_and_never_later_than_a_day_and_a_half(
    moment: datetime, handover: Handover, zone: str
) -> None:
    outlet, point = usual_hours(FacilityKind.OUTLET, zone), usual_hours(FacilityKind.LOCKER, zone)
    for rule in (ready_at, handed_over_at):
        assert timedelta(0) <= rule(moment, handover, outlet, point) - moment <= timedelta(hours=37)


@given(
    st.lists(st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC)), min_size=2),  # noqa: DTZ001
    st.sampled_from(Handover),
)
def test_what_comes_earlier_is_handed_over_no_later(moments: list[datetime], handover: Handover) -> None:
    for rule in (ready_at, handed_over_at):
        done = [rule(moment, handover, SHORT, POINTS.get(handover)) for moment in sorted(moments)]
        assert done == sorted(done)


def test_a_naive_time_is_refused() -> None:
    for rule in (ready_at, handed_over_at):
        with pytest.raises(InvalidNetworkError, match="offset"):
            rule(datetime(2026, 3, 2), Handover.DOOR, OUTLET)  # noqa: DTZ001 - naive on purpose
