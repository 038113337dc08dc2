"""Queues at sorting centres, against sorting piece by piece."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import InvalidNetworkError
from routing.network.queueing import queue

HOUR, DAY = 3600, 86_400
DAYTIME = ((6 * HOUR, 12 * HOUR), (13 * HOUR, 22 * HOUR))


def piece_by_piece(
    batches: list[tuple[int, int]], per_hour: int, open_s: tuple[tuple[int, int], ...], days: int
) -> dict[int, list[int]]:
    """When each piece of the last day but one is through, minute by minute, one piece after the other."""
    waiting: list[tuple[int, int]] = []
    for day in range(days):
        for at, count in sorted(batches):
            waiting += [(day, day * DAY + at)] * count
    step = HOUR // per_hour
    free, delays = 0, {}
    for day, came in waiting:
        moment, left = max(free, came), step
        while left:
            in_day = moment % DAY
            room = next((end - in_day for start, end in open_s if start <= in_day < end), 0)
            if room:
                worked = min(room, left)
                moment, left = moment + worked, left - worked
            else:
                moment += min([start - in_day for start, _ in open_s if start > in_day] or [DAY - in_day])
        free = moment
        delays.setdefault(day, []).append(moment - came)
    return delays


@given(
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 15)), min_size=1, max_size=6),
    st.sampled_from([4, 6, 12]),
    st.sampled_from([((0, DAY),), DAYTIME]),
)
def test_the_longest_wait_is_that_of_the_last_piece(
    hours: list[tuple[int, int]], per_hour: int, open_s: tuple[tuple[int, int], ...]
) -> None:
    batches = [(hour * HOUR, count) for hour, count in hours]
    moments, counts = np.array(batches, dtype=np.int64).T
    found = queue(moments, counts, per_hour=per_hour, period_s=DAY, open_s=open_s)
    assert found.pieces == counts.sum()
    assert found.overloaded == (found.pieces > sum(end - start for start, end in open_s) * per_hour / HOUR)
    if found.overloaded:
        assert found.longest_s is found.mean_s is None
    elif found.pieces:
        # With less than it can do, what is left over is the same on every later day.
        exact = piece_by_piece(batches, per_hour, open_s, 4)[2]
        assert found.longest_s is not None
        assert abs(found.longest_s - max(exact)) <= 1
        assert found.mean_s is not None
        assert found.mean_s <= found.longest_s


def test_peaks_are_counted_by_the_hour_over_all_days() -> None:
    moments = np.array([HOUR, HOUR + 1800, DAY + HOUR, 5 * HOUR])
    found = queue(moments, np.array([10, 20, 30, 5]), per_hour=60, period_s=DAY)
    assert (found.pieces, found.peak_per_hour, found.capacity) == (65, 60, 1440)
    assert found.longest_s == 2400  # forty at one; those after them wait half an hour at most


def test_a_place_that_sorts_nothing_is_refused() -> None:
    one = np.array([1])
    for wrong in ({"per_hour": 0, "period_s": DAY}, {"per_hour": 1, "period_s": DAY, "open_s": []}):
        with pytest.raises(InvalidNetworkError):
            queue(one, one, **wrong)
    none = np.array([], dtype=np.int64)
    assert queue(none, none, per_hour=1, period_s=DAY).longest_s == 0
