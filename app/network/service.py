"""What happens to the network: districts are loaded; facilities and lanes are made, closed, opened again.

Every write gives the tenant's network another revision (`revision`). Closing and opening again are told of by
events, since parcels on their way are planned anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NotRequired, TypedDict

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db import outbox
from app.db.session import tenant_of
from app.errors import ConflictError, InvalidInputError
from app.network import working
from app.network.models import DEFAULT_TIMEZONE, Compartment, District, Facility, Lane, LaneDeparture
from app.network.revision import plan_anew, touch
from routing.network import Departure, FacilityKind, Mode, Operator, WorkingHours, usual_hours
from routing.network import Facility as PlaceValue
from routing.network import Lane as LaneValue

_DISTRICTS_AT_ONCE = 1000
Size = tuple[int, int, int]
"""Length, width and height of a compartment in millimetres, each positive."""


class DistrictRow(TypedDict):
    """A county-level division as `load_districts` takes it; coordinates in WGS84 degrees."""

    adcode: str
    name: str
    city_name: str
    province_name: str
    city_name_en: NotRequired[str]
    province_name_en: NotRequired[str]
    latitude: float
    longitude: float


def load_districts(session: Session, rows: Iterable[DistrictRow]) -> int:
    """Store county-level divisions, replacing those of the same adcode; gives how many."""
    waiting = list(rows)
    for start in range(0, len(waiting), _DISTRICTS_AT_ONCE):
        statement = insert(District).values(waiting[start : start + _DISTRICTS_AT_ONCE])
        changed = {name: statement.excluded[name] for name in DistrictRow.__annotations__ if name != "adcode"}
        session.execute(statement.on_conflict_do_update(index_elements=[District.adcode], set_=changed))
    return len(waiting)


def create_facility(
    session: Session,
    *,
    code: str,
    name: str,
    name_en: str,
    kind: FacilityKind,
    operator: Operator,
    party_id: int,
    parent_id: int | None,
    district_adcode: str,
    latitude: float,
    longitude: float,
    sort_s: int,
    now: datetime,
    hours: WorkingHours | None = None,
    sort_per_hour: int | None = None,
) -> Facility:
    """Make a facility of the session's tenant; its code is unique within it.

    Args:
        hours: when it works, closed dates apart (`timetables.add_holidays`); what is usual for its kind in
            the time of `DEFAULT_TIMEZONE` without them.

    Raises:
        routing.network.InvalidNetworkError: A value is impossible (a coordinate, a negative time, no code).
    """
    hours = hours or usual_hours(kind, DEFAULT_TIMEZONE)
    # Refuses what cannot be.
    PlaceValue(1, code, name, kind, latitude, longitude, sort_s, operator, hours, sort_per_hour)
    facility = Facility(
        tenant_id=tenant_of(session),
        code=code,
        name=name,
        name_en=name_en,
        kind=kind,
        operator=operator,
        party_id=party_id,
        parent_id=parent_id,
        district_adcode=district_adcode,
        latitude=latitude,
        longitude=longitude,
        sort_s=sort_s,
        sort_per_hour=sort_per_hour,
        **working.columns_of(hours, now),
    )
    session.add(facility)
    session.flush()  # callers need the id
    touch(session)
    return facility


def create_lane(
    session: Session,
    *,
    code: str,
    from_facility_id: int,
    to_facility_id: int,
    carrier_party_id: int,
    mode: Mode,
    distance_m: int,
    cost_fixed_minor: int,
    cost_per_kg_minor: int,
    capacity_g: int | None,
    departures: Sequence[Departure],
    now: datetime,  # noqa: ARG001 - all that make something are told the time
) -> Lane:
    """Make a lane with its timetable; costs in `models.LANE_CURRENCY`.

    Raises:
        routing.network.InvalidNetworkError: A value is impossible (a loop, a negative cost).
    """
    LaneValue(
        1,
        from_facility_id,
        to_facility_id,
        mode,
        distance_m,
        cost_fixed_minor,
        cost_per_kg_minor,
        capacity_g,
        code,
        tuple(departures),
    )
    tenant_id = tenant_of(session)
    lane = Lane(
        tenant_id=tenant_id,
        code=code,
        from_facility_id=from_facility_id,
        to_facility_id=to_facility_id,
        carrier_party_id=carrier_party_id,
        mode=mode,
        distance_m=distance_m,
        cost_fixed_minor=cost_fixed_minor,
        cost_per_kg_minor=cost_per_kg_minor,
        capacity_g=capacity_g,
        departures=[
            LaneDeparture(
                tenant_id=tenant_id,
                weekdays=departure.weekdays,
                minute_of_day=departure.minute_of_day,
                duration_s=departure.duration_s,
                timezone=departure.timezone,
            )
            for departure in departures
        ],
    )
    session.add(lane)
    session.flush()  # callers need the id
    touch(session)
    return lane


def set_compartment(
    session: Session, actor: Actor, locker: Facility, *, code: str, size: Size, now: datetime
) -> Compartment:
    """Enter a door of a locker, or change how much lies behind it.

    Raises:
        ConflictError: the facility is no locker.
        InvalidInputError: it has no code.
    """
    if locker.kind is not FacilityKind.LOCKER:
        raise ConflictError(f"facility {locker.code} is no locker")
    code = code.strip()
    if not code:
        raise InvalidInputError("a compartment needs a code", [{"detail": "is empty", "pointer": "/code"}])
    row = session.scalar(
        sa.select(Compartment).where(Compartment.facility_id == locker.id, Compartment.code == code)
    )
    if row is None:
        row = Compartment(tenant_id=tenant_of(session), facility_id=locker.id, code=code)
        session.add(row)
    row.length_mm, row.width_mm, row.height_mm = size
    row.closed_at = None
    session.flush()  # callers need the id
    details = {"code": code, "size_mm": list(size)}
    audit(
        session, actor, "locker.compartment", subject_kind="facility", subject_id=locker.id, now=now,
        details=details,
    )  # fmt: skip
    return row


def close_facility(session: Session, actor: Actor, facility: Facility, *, reason: str, now: datetime) -> None:
    """Take a facility out of the network: nothing is routed through it until it is opened again.

    Parcels that would have passed it are planned anew in a moment (`app.shipments.replanning`).
    """
    _set_closed(session, actor, facility, closed=True, reason=reason, now=now)


def reopen_facility(
    session: Session, actor: Actor, facility: Facility, *, reason: str, now: datetime
) -> None:
    """Put a closed facility back into the network."""
    _set_closed(session, actor, facility, closed=False, reason=reason, now=now)


def close_lane(session: Session, actor: Actor, lane: Lane, *, reason: str, now: datetime) -> None:
    """Take a lane out of the network: none of its departures is planned with until it is opened again.

    Parcels that would have travelled on it are planned anew in a moment (`app.shipments.replanning`).
    """
    _set_closed(session, actor, lane, closed=True, reason=reason, now=now)


def reopen_lane(session: Session, actor: Actor, lane: Lane, *, reason: str, now: datetime) -> None:
    """Put a closed lane back into the network."""
    _set_closed(session, actor, lane, closed=False, reason=reason, now=now)


def _set_closed(
    session: Session, actor: Actor, row: Facility | Lane, *, closed: bool, reason: str, now: datetime
) -> None:
    kind: Literal["facility", "lane"] = "facility" if isinstance(row, Facility) else "lane"
    if not reason.strip():
        raise InvalidInputError("a reason is needed", [{"detail": "is empty", "pointer": "/reason"}])
    if (row.closed_at is not None) == closed:
        raise ConflictError(f"{kind} {row.code} is {'closed already' if closed else 'open'}")
    row.closed_at = now if closed else None
    action = f"{kind}.{'closed' if closed else 'reopened'}"
    audit(session, actor, action, subject_kind=kind, subject_id=row.id, reason=reason.strip(), now=now)
    touch(session)
    if closed:
        told = {"kind": kind, "subject_id": row.id, "reason": reason.strip(), "user_id": actor.user_id}
        told["asked_at"] = now.isoformat()
        outbox.append(session, "network.closed", told, now=now)
    else:
        plan_anew(session, actor, kind, row.id, reason=reason.strip(), now=now)
