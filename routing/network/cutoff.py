"""Cut-offs and rounds: when a booked parcel lies ready at its outlet, and when the last mile ends.

Local wall-clock rules of one working day, which is every day. They are planned times: `tracking.promise`
adds what is known of how such plans go.
"""

from datetime import UTC, datetime, timedelta, timezone

from routing.network.errors import InvalidNetworkError
from routing.network.facility import Handover

COLLECTION_CUTOFF_HOUR = 16
"""A door pickup booked before this hour is collected the same day."""
COLLECTION_S = 3 * 3600
"""From booking to lying at the outlet, within the collecting hours."""
COUNTER_HOURS = (8, 20)
POINT_EMPTIED_HOUR = 18
"""Stores, lockers and collective points are emptied once a day."""
ROUND_HOURS = (8, 14)
"""Delivery rounds start at these hours, with what had arrived an hour before."""
ROUND_S = 4 * 3600
POINT_FILLED_S = 2 * 3600
"""From the start of a round until it has filled the points it passes."""
_LOADING = timedelta(hours=1)


def ready_at(booked_at: datetime, handover: Handover, offset_minutes: int) -> datetime:
    """When a parcel booked now lies at its origin outlet.

    Args:
        booked_at: aware.
        handover: how the shipper gives it away.
        offset_minutes: of the origin's local time from UTC.

    Raises:
        InvalidNetworkError: `booked_at` has no offset.
    """
    local = _local(booked_at, offset_minutes)
    if handover is Handover.DOOR:
        opening, cutoff = COUNTER_HOURS[0], COLLECTION_CUTOFF_HOUR
        start = local if opening <= local.hour < cutoff else _next(local, (opening,))
        return (start + timedelta(seconds=COLLECTION_S)).astimezone(UTC)
    if handover is Handover.OUTLET:
        opening, closing = COUNTER_HOURS
        return (local if opening <= local.hour < closing else _next(local, (opening,))).astimezone(UTC)
    return _next(local, (POINT_EMPTIED_HOUR,)).astimezone(UTC)


def handed_over_at(arrived_at: datetime, handover: Handover, offset_minutes: int) -> datetime:
    """When a parcel that arrives at its last outlet is with its consignee, or waits for him at a point.

    Args:
        arrived_at: aware.
        handover: how the consignee gets it.
        offset_minutes: of the destination's local time from UTC.

    Raises:
        InvalidNetworkError: `arrived_at` has no offset.
    """
    local = _local(arrived_at, offset_minutes)
    if handover is Handover.OUTLET:
        opening, closing = COUNTER_HOURS
        sorted_at = local + _LOADING
        ready = sorted_at if opening <= sorted_at.hour < closing else _next(sorted_at, (opening,))
        return ready.astimezone(UTC)
    start = _next(local + _LOADING, ROUND_HOURS)
    length_s = ROUND_S if handover is Handover.DOOR else POINT_FILLED_S
    return (start + timedelta(seconds=length_s)).astimezone(UTC)


def _local(moment: datetime, offset_minutes: int) -> datetime:
    if moment.tzinfo is None:
        raise InvalidNetworkError("a time with an offset was expected")
    return moment.astimezone(timezone(timedelta(minutes=offset_minutes)))


def _next(local: datetime, hours: tuple[int, ...]) -> datetime:
    """The first of the given full hours at or after a moment."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    for hour in hours:
        start = midnight + timedelta(hours=hour)
        if start >= local:
            return start
    return midnight + timedelta(days=1, hours=hours[0])
