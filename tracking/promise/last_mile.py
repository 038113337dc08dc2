"""From the last facility to the consignee: rounds that leave at certain hours, as a table of the day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from tracking.errors import PromiseError
from tracking.lateness import Seconds
from tracking.shipment import require_utc

_MINUTES: Final = 24 * 60
_DAY: Final = datetime(2001, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class LastMile:
    """How long the hand-over takes from each minute of the day; build it with `LastMile.of`.

    What arrives just too late for a round waits for the next one: with this a promise knows what a delay on
    the way costs at its end.

    Attributes:
        wait_s: planned seconds from an arrival to the consignee, for each minute of the day in UTC.
    """

    wait_s: Seconds

    @classmethod
    def of(cls, handed_over_at: Callable[[datetime], datetime]) -> "LastMile":
        """Ask a rule, the same every day, for each minute of one; keep the answer, it takes milliseconds.

        Args:
            handed_over_at: gives the planned hand-over of what arrives at a moment, both in UTC.

        Raises:
            PromiseError: the rule hands something over before it arrives.
        """
        arrivals = [_DAY + timedelta(minutes=minute) for minute in range(_MINUTES)]
        waits = np.array(
            [(handed_over_at(arrival) - arrival).total_seconds() for arrival in arrivals], np.float32
        )
        if waits.min() < 0:
            raise PromiseError("nothing can be handed over before it arrives")
        return cls(waits)

    def planned_s(self, arrives_at: datetime) -> int:
        """Return the planned seconds from an arrival (UTC) to the consignee."""
        require_utc(arrives_at, "arrives_at")
        return round(float(self.wait_s[arrives_at.hour * 60 + arrives_at.minute]))

    def handed_over(self, arrives_at: datetime, late_s: Seconds) -> Seconds:
        """Return, for each scenario, seconds from `arrives_at` to the hand-over.

        Args:
            arrives_at: the planned arrival, in UTC.
            late_s: how much later than that it arrives.
        """
        start = arrives_at.hour * 3600 + arrives_at.minute * 60 + arrives_at.second
        minutes = ((late_s + start) // 60).astype(np.int64) % _MINUTES
        handed_over: Seconds = late_s + self.wait_s.take(minutes)
        return handed_over
