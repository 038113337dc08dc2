"""By when a parcel is heard of again: the 95 % quantile of what happens to it next, and of that alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from tracking.lateness import quantile_s
from tracking.position import Position
from tracking.promise.arrival import legs_ahead
from tracking.promise.history import NO_HISTORY, LegHistory
from tracking.promise.last_mile import LastMile
from tracking.shipment import Leg

_SHARE: Final = 0.95


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
    known = history or NO_HISTORY
    ahead = legs_ahead(legs, current)
    if not ahead:
        planned_s = handover_s.planned_s(current.at) if isinstance(handover_s, LastMile) else handover_s
        deviation = known.handover_deviation(current.facility_id, current.at, planned_s)
        planned_at = current.at + timedelta(seconds=planned_s)
    elif current.departed:
        deviation = known.transit_deviation(ahead[0])
        planned_at = current.at + timedelta(seconds=ahead[0].planned_s)
    else:
        planned_at = ahead[0].planned_departure_at
        if current.at > planned_at:
            return None
        deviation = known.dwell_deviation(current.facility_id, planned_at)
    return planned_at + timedelta(seconds=round(quantile_s(deviation, _SHARE)))
