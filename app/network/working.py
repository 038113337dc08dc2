"""When a facility works, how much it sorts, and who runs it: written down, and honoured from then on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

from sqlalchemy.dialects.postgresql.ranges import MultiRange, Range
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.network.models import Facility
from app.network.revision import plan_anew, touch
from routing.network import Facility as PlaceValue
from routing.network import Operator, WorkingHours


class WorkingColumns(TypedDict):
    """Working hours as columns of a facility."""

    timezone: str
    utc_offset_minutes: int
    open_minutes: MultiRange[int]
    cutoff_minute: int
    round_minutes: list[int]


@dataclass(frozen=True, slots=True)
class Operation:
    """How a facility is run.

    Attributes:
        hours: when it works; closed dates are kept apart (`timetables.add_holidays`) and not looked at.
        sort_s: seconds from a parcel's arrival until it can leave again.
        sort_per_hour: pieces that can be sorted in an hour; None where nobody has said.
        operator: who runs it.
    """

    hours: WorkingHours
    sort_s: int
    sort_per_hour: int | None
    operator: Operator


def operation_of(facility: Facility) -> Operation:
    """How a facility is run now."""
    return Operation(
        facility.working_hours(()), facility.sort_s, facility.sort_per_hour, Operator(facility.operator)
    )


def change_operation(
    session: Session, actor: Actor, facility: Facility, operation: Operation, *, now: datetime
) -> bool:
    """Run a facility another way from now on; gives whether anything is other than it was.

    Promises that were made stay; parcels that have it ahead of them are planned anew in a moment
    (`app.shipments.replanning`).

    Raises:
        routing.network.InvalidNetworkError: a value is impossible, e.g. a cut-off before every opening.
    """
    before = operation_of(facility)
    after = replace(operation, hours=replace(operation.hours, closed_dates=frozenset()))
    # Refuses what cannot be.
    PlaceValue(
        facility.id,
        facility.code,
        facility.name,
        facility.kind,
        facility.latitude,
        facility.longitude,
        after.sort_s,
        after.operator,
        after.hours,
        after.sort_per_hour,
    )
    if after == before:
        return False
    for name, value in columns_of(after.hours, now).items():
        setattr(facility, name, value)
    facility.sort_s, facility.sort_per_hour = after.sort_s, after.sort_per_hour
    facility.operator = after.operator
    details = {"before": _told(before), "after": _told(after)}
    audit(
        session,
        actor,
        "facility.operation",
        subject_kind="facility",
        subject_id=facility.id,
        details=details,
        now=now,
    )
    touch(session)
    plan_anew(session, actor, "facility", facility.id, reason="changed hours", now=now)
    return True


def columns_of(hours: WorkingHours, now: datetime) -> WorkingColumns:
    """Working hours as columns; the offset from UTC is that of the zone at the moment."""
    offset = now.astimezone(hours.zone).utcoffset() or timedelta()
    return WorkingColumns(
        timezone=hours.timezone,
        utc_offset_minutes=offset // timedelta(minutes=1),
        open_minutes=MultiRange(Range(start, end) for start, end in hours.week),
        cutoff_minute=hours.collection_cutoff_minute,
        round_minutes=list(hours.round_minutes),
    )


def _told(operation: Operation) -> dict[str, Any]:
    """As the audit trail keeps it."""
    hours = operation.hours
    return {
        "timezone": hours.timezone,
        "open_minutes": [list(interval) for interval in hours.week],
        "cutoff_minute": hours.collection_cutoff_minute,
        "round_minutes": list(hours.round_minutes),
        "sort_s": operation.sort_s,
        "sort_per_hour": operation.sort_per_hour,
        "operator": operation.operator.value,
    }
