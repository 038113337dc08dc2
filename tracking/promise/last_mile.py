"""From the last facility to the consignee, by the hours of the places that have a part in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from routing.network import Handover, WorkingHours
from routing.network.cutoff import handed_over_at, handing_over
from tracking.lateness import Seconds
from tracking.shipment import require_utc


@dataclass(frozen=True, slots=True)
class LastMile:
    """When what arrives at its last outlet is handed over, by the rule of `routing.network.cutoff`.

    What arrives just too late for a round waits for the next one, over closed days too: with this a promise
    knows what a delay on the way costs at its end.

    Attributes:
        handover: how the consignee gets it.
        outlet: hours of the last outlet.
        point: hours of the store, locker or collective point that it goes to.
    """

    handover: Handover
    outlet: WorkingHours
    point: WorkingHours | None = None

    def planned_s(self, arrives_at: datetime) -> int:
        """Return the planned seconds from an arrival (UTC) to the consignee."""
        require_utc(arrives_at, "arrives_at")
        ends = handed_over_at(arrives_at, self.handover, self.outlet, self.point)
        return round((ends - arrives_at).total_seconds())

    def handed_over(self, arrives_at: datetime, late_s: Seconds) -> Seconds:
        """Return, for each scenario, seconds from `arrives_at` to the hand-over.

        Args:
            arrives_at: the planned arrival, in UTC.
            late_s: how much later than that it arrives.
        """
        # Whole seconds: half of one more or less makes no difference to when something is expected.
        start = int(arrives_at.timestamp())
        rule = handing_over(arrives_at + _seconds(late_s.min()), self.handover, self.outlet, self.point)
        moments = np.asarray(late_s, np.float64) + start
        for gate in rule.gates:
            moments += gate.delay_s
            opens, closes = (np.frombuffer(column, np.int64) for column in (gate.opens, gate.closes))
            position = np.searchsorted(closes, np.floor(moments).astype(np.int64))
            moments = np.maximum(moments, opens[position])
        handed_over: Seconds = (moments + (rule.ends_s - start)).astype(np.float32)
        return handed_over


def _seconds(late_s: float) -> timedelta:
    return timedelta(seconds=float(late_s))
