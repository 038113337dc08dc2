"""What is booked in the demo world, at whatever hour it is made."""

from datetime import UTC, datetime, timedelta

import pytest

from app.demo.network_plan import plan_network
from app.demo.parcels import CHINA, first_midnight, plan_parcels
from app.demo.people import People

PLACES = plan_network(42).facilities


@pytest.mark.parametrize("days", [1, 14])
@pytest.mark.parametrize("hour", range(24))
def test_all_is_booked_before_the_world_ends(hour: int, days: int) -> None:
    end = datetime(2026, 11, 22, 16, 2, tzinfo=UTC) + timedelta(hours=hour)  # two minutes past midnight
    start = first_midnight(end, days)
    parcels = plan_parcels(PLACES, People(42), seed=42, count=40, start=start, end=end)
    assert len(parcels) == 40
    moments = [parcel.booked_at for parcel in parcels]
    assert moments == sorted(moments)
    assert start <= moments[0]
    assert moments[-1] < end
    assert start.astimezone(CHINA).hour == 0
    # Today counts from nine on, when something may have been booked.
    assert end - start < timedelta(days=days) + timedelta(hours=9)
