"""Areas of an outlet: drawn, changed, deleted; closed hours in them; who is at home where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch.area_models import Area, CourierHome
from app.dispatch.models import Courier, VehicleClass
from app.dispatch.rings import CORNERS_MAX, CORNERS_MIN, REACH_M, Corners, Fault, Found, fault_of, joined
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.network import queries as network

AREAS_MAX = 200
"""So many areas an outlet may have."""
CLOSED_MAX = 12
"""So many closed hours an area may have."""
NAME_MAX = 60
_DAY_S = 24 * 3600

FAULTS: Mapping[Fault, str] = {
    Fault.TOO_FEW: f"an area has at least {CORNERS_MIN} corners",
    Fault.TOO_MANY: f"an area has at most {CORNERS_MAX} corners",
    Fault.NO_PLACE: "corner {} is no place on earth",
    Fault.TOO_FAR: f"corner {{}} lies more than {REACH_M // 1000} km from the outlet",
    Fault.CROSSES: "the side after corner {} meets the side after corner {}",
    Fault.TOO_SMALL: "the corners lie on a line",
}


@dataclass(frozen=True, slots=True)
class ClosedHours:
    """Hours of every day, in seconds since local midnight, in which some vehicles may not begin service.

    At `to_s` it is open again; midnight at the end of the day is 86,400.

    Raises:
        InvalidInputError: nobody is meant, or the hours end before they begin.
    """

    vehicle_classes: frozenset[VehicleClass]
    from_s: int
    to_s: int

    def __post_init__(self) -> None:
        if not self.vehicle_classes:
            raise _wrong("closed hours are for some class of vehicles", "/closed")
        if not 0 <= self.from_s < self.to_s <= _DAY_S:
            raise _wrong("closed hours end after they begin, on the same day", "/closed")


class RingError(InvalidInputError):
    """The corners are no polygon; `found` says why."""

    def __init__(self, found: Found) -> None:
        super().__init__("the area is not possible", [{"detail": _told(found), "pointer": "/ring"}])
        self.found = found


def closed_of(rows: Iterable[Mapping[str, Any]]) -> tuple[ClosedHours, ...]:
    """An area's closed hours as they are stored."""
    return tuple(
        ClosedHours(frozenset(map(VehicleClass, row["vehicle_classes"])), row["from_s"], row["to_s"])
        for row in rows
    )


def load_area(session: Session, actor: Actor, area_id: int) -> Area:
    """An area, for those who plan.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    area = session.scalar(sa.select(Area).where(Area.id == area_id))
    if area is None or not actor.may(Scope.DISPATCH_READ):
        raise NotFoundError("no such area")
    return area


def areas_of(session: Session, facility_id: int) -> Sequence[Area]:
    """An outlet's areas by name."""
    return session.scalars(sa.select(Area).where(Area.facility_id == facility_id).order_by(Area.name)).all()


def homes_of(session: Session, facility_id: int) -> Mapping[int, tuple[Courier, ...]]:
    """Who is at home in each area of an outlet, by code; couriers that no longer work there too."""
    found: dict[int, list[Courier]] = {}
    for area_id, courier in session.execute(
        sa.select(CourierHome.area_id, Courier)
        .join(Courier, Courier.id == CourierHome.courier_id)
        .join(Area, Area.id == CourierHome.area_id)
        .where(Area.facility_id == facility_id)
        .order_by(Courier.code)
    ):
        found.setdefault(area_id, []).append(courier)
    return {area_id: tuple(couriers) for area_id, couriers in found.items()}


def create_area(
    session: Session,
    actor: Actor,
    *,
    facility_id: int,
    name: str,
    ring: Corners,
    closed: Sequence[ClosedHours] = (),
    now: datetime,
) -> Area:
    """Draw an area; plans made from now on go by it.

    Args:
        session: of the outlet's tenant.
        actor: who draws it.
        facility_id: the outlet.
        name: unique there.
        ring: corners (latitude, longitude) in order, in degrees (WGS 84); the last is joined to the first.
        closed: hours in which some vehicles may not begin service there.
        now: the present moment.

    Raises:
        NotFoundError: there is no such outlet.
        InvalidInputError: the name, the ring (`RingError`) or the hours are not possible.
        ConflictError: the name is taken, or the outlet has too many areas.
    """
    wanted = _checked(session, actor, facility_id, name, ring, closed)
    _refuse_taken(session, facility_id, wanted["name"])
    if (_count(session, Area.facility_id == facility_id)) >= AREAS_MAX:
        raise ConflictError(f"an outlet has at most {AREAS_MAX} areas")
    area = Area(tenant_id=tenant_of(session), facility_id=facility_id, **wanted)
    session.add(area)
    session.flush()  # the record below and callers need the id
    _record(session, actor, "area.created", area, now, {"name": area.name})
    return area


def change_area(
    session: Session,
    actor: Actor,
    area: Area,
    *,
    name: str,
    ring: Corners,
    closed: Sequence[ClosedHours],
    now: datetime,
) -> bool:
    """Change an area; plans made before stay as they are.

    Returns:
        Whether that changed anything.

    Raises:
        InvalidInputError: the name, the ring (`RingError`) or the hours are not possible.
        ConflictError: the name is taken.
    """
    wanted = _checked(session, actor, area.facility_id, name, ring, closed)
    before = {"name": area.name, "ring": area.ring, "closed": area.closed}
    changed = {key: [before[key], value] for key, value in wanted.items() if before[key] != value}
    if "name" in changed:
        _refuse_taken(session, area.facility_id, wanted["name"])
    if not changed:
        return False
    area.name, area.ring, area.closed = wanted["name"], wanted["ring"], wanted["closed"]
    _record(session, actor, "area.changed", area, now, changed)
    return True


def delete_area(session: Session, actor: Actor, area: Area, *, now: datetime) -> None:
    """Delete an area in which nobody is at home.

    Whoever lost his only home area would be at home everywhere: that is said at the courier, not here.

    Raises:
        ConflictError: somebody is; says who.
    """
    session.refresh(area, with_for_update=True)  # nobody is given it as his home meanwhile
    at_home = session.scalars(
        sa.select(Courier)
        .join(CourierHome, CourierHome.courier_id == Courier.id)
        .where(CourierHome.area_id == area.id)
        .order_by(Courier.code)
    ).all()
    if at_home:
        raise ConflictError(
            "couriers are at home in this area: give them others first",
            courier_ids=[courier.id for courier in at_home],
        )
    _record(session, actor, "area.deleted", area, now, {"name": area.name, "ring": area.ring})
    session.delete(area)


def territory_of(session: Session, courier: Courier) -> list[int]:
    """The ids of the areas in which a courier is at home, in their order; empty: everywhere."""
    return list(
        session.scalars(
            sa.select(CourierHome.area_id)
            .where(CourierHome.courier_id == courier.id)
            .order_by(CourierHome.area_id)
        )
    )


def set_territory(session: Session, courier: Courier, area_ids: Collection[int]) -> list[int] | None:
    """Say in which areas a courier is at home; none: everywhere.

    Returns:
        The areas before, where they are others now; None where nothing was different.

    Raises:
        InvalidInputError: one of them is no area of his outlet.
    """
    before, wanted = territory_of(session, courier), sorted(set(area_ids))
    if before == wanted:
        return None
    # Locked, so that none of them is deleted meanwhile.
    known = session.scalars(
        sa.select(Area.id)
        .where(Area.id.in_(wanted), Area.facility_id == courier.facility_id)
        .order_by(Area.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    if len(known) != len(wanted):
        raise _wrong("an area of another outlet, or none at all", "/territory")
    gone = set(before) - set(wanted)
    session.execute(
        sa.delete(CourierHome).where(CourierHome.courier_id == courier.id, CourierHome.area_id.in_(gone))
    )
    session.add_all(
        CourierHome(tenant_id=courier.tenant_id, courier_id=courier.id, area_id=area_id)
        for area_id in wanted
        if area_id not in before
    )
    session.flush()  # whoever asks next reads them from the database
    return before


class _Wanted(TypedDict):
    name: str
    ring: list[list[float]]
    closed: list[dict[str, Any]]


def _checked(
    session: Session,
    actor: Actor,
    facility_id: int,
    name: str,
    ring: Corners,
    closed: Sequence[ClosedHours],
) -> _Wanted:
    outlet = network.load_facility(session, actor, facility_id)
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= NAME_MAX:
        raise _wrong(f"a name has 1 to {NAME_MAX} letters", "/name")
    if len(closed) > CLOSED_MAX:
        raise _wrong(f"an area has at most {CLOSED_MAX} closed hours", "/closed")
    corners = joined(ring)
    found = fault_of(corners, (outlet.latitude, outlet.longitude))
    if found is not None:
        raise RingError(found)
    hours = sorted(closed, key=lambda one: (one.from_s, one.to_s, sorted(one.vehicle_classes)))
    rows = [
        {"vehicle_classes": sorted(one.vehicle_classes), "from_s": one.from_s, "to_s": one.to_s}
        for one in dict.fromkeys(hours)
    ]
    return {"name": clean, "ring": corners, "closed": rows}


def _refuse_taken(session: Session, facility_id: int, name: str) -> None:
    if _count(session, Area.facility_id == facility_id, Area.name == name):
        raise ConflictError("this name is taken", reason="name_taken")


def _count(session: Session, *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count(Area.id)).where(*conditions)) or 0


def _record(
    session: Session, actor: Actor, action: str, area: Area, now: datetime, details: dict[str, Any]
) -> None:
    audit(session, actor, action, subject_kind="area", subject_id=area.id, now=now, details=details)


def _told(found: Found) -> str:
    return FAULTS[found.fault].format(*found.corners)


def _wrong(detail: str, pointer: str) -> InvalidInputError:
    return InvalidInputError("the area is not possible", [{"detail": detail, "pointer": pointer}])
