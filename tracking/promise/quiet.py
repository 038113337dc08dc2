"""By when a parcel is heard of again: what happens to it next, and that alone.

Until then silence says little. Of what is silent for longer only this is known: it has not happened yet. So
the distribution of its remaining time is that of all such times, cut off at what has passed (the residual
life of survival analysis: Cox and Oakes, "Analysis of Survival Data", 1984, ch. 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tracking.lateness import Seconds, at_least, quantile_s
from tracking.position import Position
from tracking.promise.arrival import legs_ahead
from tracking.promise.history import NO_HISTORY, LegHistory
from tracking.promise.last_mile import LastMile
from tracking.shipment import Leg, require_utc

_QUIET_SHARE: Final = 0.95
_SILENT_SHARE: Final = 0.8
AGING_S_MIN: Final = 900
"""An estimate of a silent parcel is not worked out anew more often than this."""


@dataclass(frozen=True, slots=True)
class Silence:
    """What not hearing of a parcel means.

    Attributes:
        ages_at: by when four of five parcels that have been silent for so long are heard of (UTC). What is
            expected of one that is still silent then is to be worked out anew: it comes later than others.
        aged: it has been silent for longer than four of five parcels are.
    """

    ages_at: datetime
    aged: bool


def silence(
    legs: Sequence[Leg],
    *,
    handover_s: int | LastMile,
    history: LegHistory | None,
    current: Position,
    now: datetime,
    awaited: bool = False,
) -> Silence:
    """Return what it means that nothing has been heard of a parcel since it came to a position.

    Args:
        legs, handover_s, history, current, awaited: as `tracking.promise.promise` takes them.
        now: in UTC.

    Raises:
        PromiseError: the position is not on the legs.
        ScanError: `now` is not UTC.
    """
    require_utc(now, "now")
    known = history or NO_HISTORY
    if awaited:
        planned_at, deviation = current.at, known.collection_deviation(current.facility_id, current.at)
    else:
        planned_at, deviation = _next(legs, handover_s, known, current)
        # What came after its vehicle had left waits for another as long as others do.
        planned_at = max(planned_at, current.at)
    usual_at = planned_at + timedelta(seconds=round(quantile_s(deviation, _SILENT_SHARE)))
    if now < usual_at:
        return Silence(usual_at, aged=False)
    rest = at_least(deviation, (now - planned_at).total_seconds())
    ages_at = planned_at + timedelta(seconds=round(quantile_s(rest, _SILENT_SHARE)))
    return Silence(max(ages_at, now + timedelta(seconds=AGING_S_MIN)), aged=True)


def heard_again_by(
    legs: Sequence[Leg], *, handover_s: int | LastMile, history: LegHistory | None, current: Position
) -> datetime | None:
    """Return by when 95 % of parcels in a position are heard of again.

    On the way that is the arrival at the end of the leg; at a facility the departure on the next leg; at the
    last facility the hand-over to the consignee. Unlike a promise it does not move while nothing is heard.

    Args:
        legs: the planned route in order; may be empty.
        handover_s: as `tracking.promise.promise` takes it.
        history: past observations, or None where there are none.
        current: where the parcel is; not one that is still awaited.

    Returns:
        The time in UTC; None where the plan does not say what comes next, because the parcel came to the
        facility after its vehicle was to leave.

    Raises:
        PromiseError: the position is not on the legs.
    """
    planned_at, deviation = _next(legs, handover_s, history or NO_HISTORY, current)
    if planned_at < current.at:
        return None
    return planned_at + timedelta(seconds=round(quantile_s(deviation, _QUIET_SHARE)))


def _next(
    legs: Sequence[Leg], handover_s: int | LastMile, known: LegHistory, current: Position
) -> tuple[datetime, Seconds]:
    """When it is planned to be heard of next, and how much later than that it may be."""
    ahead = legs_ahead(legs, current)
    if not ahead:
        planned_s = handover_s.planned_s(current.at) if isinstance(handover_s, LastMile) else handover_s
        deviation = known.handover_deviation(current.facility_id, current.at, planned_s)
        return current.at + timedelta(seconds=planned_s), deviation
    if current.departed:
        return current.at + timedelta(seconds=ahead[0].planned_s), known.transit_deviation(ahead[0])
    planned_at = ahead[0].planned_departure_at
    return planned_at, known.dwell_deviation(current.facility_id, planned_at)
