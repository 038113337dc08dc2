"""What waits to be sorted at a place that can sort so many pieces an hour, and how long.

A fluid queue with known arrivals (Newell 1982, Applications of Queueing Theory, ch. 2): pieces come in
batches, with vehicles, and are sorted one after the other at the place's rate while it is open. The pattern
repeats, so the queue is the periodic one: what is left of one period waits in the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.network.errors import InvalidNetworkError

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Queue:
    """How a place gets along with what comes to it.

    Attributes:
        pieces: of one period.
        peak_per_hour: the most that come within one clock hour.
        capacity: what can be sorted in one period.
        longest_s: from the arrival of a piece until it is through, of the one that waits longest; None where
            more comes than can be sorted, and the queue grows without end.
        mean_s: the same on average; None as well.
    """

    pieces: int
    peak_per_hour: int
    capacity: int
    longest_s: int | None
    mean_s: int | None

    @property
    def overloaded(self) -> bool:
        """Whether more comes than can be sorted."""
        return self.pieces > self.capacity


def queue(
    moments_s: NDArray[np.int64],
    pieces: NDArray[np.int64],
    *,
    per_hour: int,
    period_s: int,
    open_s: Sequence[tuple[int, int]] | None = None,
) -> Queue:
    """Let batches queue at a place, in a pattern that repeats.

    Args:
        moments_s: (b,), when each batch comes; any number of periods may lie between them.
        pieces: (b,), how many come, not negative.
        per_hour: how many pieces are sorted in an hour.
        period_s: after which the same comes again, a day or a week.
        open_s: when the place sorts, from and to within the period, in order; all of it when not given.

    Raises:
        InvalidNetworkError: nothing is sorted in an hour, or the place is never open.
    """
    opens = np.array(open_s if open_s is not None else [(0, period_s)], dtype=np.int64).reshape(-1, 2)
    lengths = opens[:, 1] - opens[:, 0]
    if per_hour < 1 or not lengths.sum() > 0:
        raise InvalidNetworkError("a place that sorts nothing has no queue")
    at_s, row = np.unique(np.asarray(moments_s) % period_s, return_inverse=True)
    batch = np.zeros(at_s.size, dtype=np.int64)
    np.add.at(batch, row, pieces)
    capacity = int(lengths.sum()) * per_hour // _HOUR_S
    by_hour = np.zeros(-(-period_s // _HOUR_S), dtype=np.int64)
    np.add.at(by_hour, at_s // _HOUR_S, batch)
    total, peak = int(batch.sum()), int(by_hour.max(initial=0))
    if total > capacity:
        return Queue(total, peak, capacity, None, None)
    if not total:
        return Queue(0, 0, capacity, 0, 0)
    # In open time the place works without a break; two periods, since the first starts with nothing left.
    worked = np.concatenate([[0], np.cumsum(lengths)])
    window = np.searchsorted(opens[:, 1], at_s, side="right")
    start = worked[window] + np.maximum(at_s - np.append(opens[:, 0], period_s)[window], 0)
    starts = np.concatenate([start, start + worked[-1]]).astype(np.float64)
    work = np.tile(batch * (_HOUR_S / per_hour), 2)
    # What is left to do when a batch comes: all work that came before it, less the time there was for it.
    slack = np.concatenate([[0.0], np.cumsum(work)[:-1]]) - starts
    left = slack - np.minimum.accumulate(slack)
    second = slice(at_s.size, None)
    through = starts[second] + left[second] - worked[-1]
    last = _clock(through + work[second], opens, worked, period_s) - at_s
    middle = _clock(through + work[second] / 2, opens, worked, period_s) - at_s
    longest = float(last[batch > 0].max())
    return Queue(total, peak, capacity, round(longest), round(float((middle * batch).sum() / total)))


def _clock(
    open_time: NDArray[np.float64], opens: NDArray[np.int64], worked: NDArray[np.int64], period_s: int
) -> NDArray[np.float64]:
    """The moments at which so much open time has gone by since the period began."""
    periods, within = np.divmod(open_time, worked[-1])
    # What ends with a period's last open second ends then, not when the next one opens.
    whole = (within == 0) & (periods > 0)
    periods, within = np.where(whole, periods - 1, periods), np.where(whole, worked[-1], within)
    window = np.maximum(np.searchsorted(worked, within, side="left") - 1, 0)
    clock: NDArray[np.float64] = periods * period_s + opens[window, 0] + within - worked[window]
    return clock
