"""Cut-offs and rounds, at their boundaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network.cutoff import handed_over_at, ready_at
from routing.network.errors import InvalidNetworkError
from routing.network.facility import Handover

CHINA = timezone(timedelta(hours=8))


def local(text: str) -> datetime:
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
def test_ready_at(handover: Handover, booked: str, expected: str) -> None:
    assert ready_at(local(booked), handover, 480) == local(expected)


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
def test_handed_over_at(handover: Handover, arrived: str, expected: str) -> None:
    assert handed_over_at(local(arrived), handover, 480) == local(expected)


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(Handover), st.integers(-720, 840))
def test_nothing_is_ready_before_it_is_there_and_never_later_than_a_day_and_a_half(
    moment: datetime, handover: Handover, offset_minutes: int
) -> None:
    if not datetime(1901, 1, 1, tzinfo=UTC) < moment < datetime(9900, 1, 1, tzinfo=UTC):
        return
    for rule in (ready_at, handed_over_at):
        assert timedelta(0) <= rule(moment, handover, offset_minutes) - moment <= timedelta(hours=36)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(InvalidNetworkError):
        ready_at(datetime(2026, 3, 2), Handover.DOOR, 480)  # noqa: DTZ001 - naive on purpose
