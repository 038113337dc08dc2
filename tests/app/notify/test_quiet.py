"""Quiet hours: over midnight or within a day, by the clock of the place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notify.quiet import QuietHours

MINUTES = st.integers(0, 1439)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def is_quiet(hours: QuietHours, moment: datetime) -> bool:
    """Said differently: walk from the beginning of the quiet time, minute by minute, as a person would."""
    local = moment.astimezone(timezone(timedelta(minutes=hours.offset_minutes)))
    now = local.hour * 60 + local.minute
    if hours.from_minute <= hours.to_minute:
        return hours.from_minute <= now < hours.to_minute
    return now >= hours.from_minute or now < hours.to_minute


@given(MINUTES, MINUTES, st.sampled_from([-720, -300, 0, 345, 480, 840]), MOMENTS)
def test_what_is_allowed_is_not_quiet_and_as_early_as_can_be(
    start: int, end: int, offset: int, moment: datetime
) -> None:
    hours = QuietHours(start, end, offset)
    allowed = hours.allowed_from(moment)
    assert not is_quiet(hours, allowed)
    if not is_quiet(hours, moment):
        assert allowed == moment
        return
    assert moment < allowed <= moment + timedelta(days=1)
    assert is_quiet(hours, allowed - timedelta(seconds=1)), "it could have been earlier"


def test_a_night_in_china() -> None:
    night = QuietHours(22 * 60, 8 * 60, 480)
    for written, sent in (("13:59:59", "13:59:59"), ("14:00:00", "00:00:00"), ("23:59:30", "00:00:00")):
        moment = datetime.fromisoformat(f"2026-03-02T{written}+00:00")
        expected = datetime.fromisoformat(f"2026-03-0{3 if sent < written else 2}T{sent}+00:00")
        assert night.allowed_from(moment) == expected


@pytest.mark.parametrize("minutes", [(-1, 0), (0, 1440)])
def test_a_minute_of_no_day_is_refused(minutes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="minutes of a day"):
        QuietHours(*minutes, 480)
