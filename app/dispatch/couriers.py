"""Couriers of an outlet: taken on, changed, no longer there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch.areas import set_territory, territory_of
from app.dispatch.breaks import CourierBreak, rows_of_breaks
from app.dispatch.models import Courier, VehicleClass
from app.dispatch.skills import clean_skills
from app.errors import ConflictError, InvalidInputError

DAY_S = 24 * 3600


def create_courier(
    session: Session,
    *,
    code: str,
    name: str,
    phone: str,
    facility_id: int,
    party_id: int,
    shift_start_s: int,
    shift_end_s: int,
    capacity_g: int,
    capacity_cm3: int,
    capacity_pieces: int,
    vehicle_class: VehicleClass = VehicleClass.VAN,
    skills: Sequence[str] = (),
    breaks: Sequence[CourierBreak] = (),
) -> Courier:
    """Take a courier on.

    Args:
        session: of the outlet's tenant.
        code: unique within the tenant.
        name: what he is called.
        phone: of his hand-held.
        facility_id: the outlet his rounds start and end at.
        party_id: whom his pay belongs to.
        shift_start_s, shift_end_s: his working day, in seconds since local midnight.
        capacity_g, capacity_cm3, capacity_pieces: what may be aboard at any moment.
        vehicle_class: what he drives.
        skills: what he can do that not everybody can.
        breaks: of each of his shifts.

    Raises:
        InvalidInputError: the shift, a capacity, a skill or a break is not possible.
        ConflictError: the code is taken.
    """
    _check(shift_start_s, shift_end_s, (capacity_g, capacity_cm3, capacity_pieces))
    if session.scalar(sa.select(sa.exists().where(Courier.code == code))):
        raise ConflictError("this courier code is taken")
    courier = Courier(
        tenant_id=tenant_of(session),
        code=code,
        name=name,
        phone=phone,
        facility_id=facility_id,
        party_id=party_id,
        shift_start_s=shift_start_s,
        shift_end_s=shift_end_s,
        capacity_g=capacity_g,
        capacity_cm3=capacity_cm3,
        capacity_pieces=capacity_pieces,
        vehicle_class=vehicle_class,
        skills=clean_skills(skills),
        breaks=rows_of_breaks(breaks),
    )
    session.add(courier)
    session.flush()  # callers need the id
    return courier


def change_courier(
    session: Session,
    actor: Actor,
    courier: Courier,
    *,
    shift_start_s: int,
    shift_end_s: int,
    capacity_g: int,
    capacity_cm3: int,
    capacity_pieces: int,
    vehicle_class: VehicleClass,
    territory: Collection[int],
    skills: Sequence[str],
    breaks: Sequence[CourierBreak],
    active: bool,
    now: datetime,
) -> None:
    """Change a courier's shift, breaks, skills, vehicle, home areas, or whether he works here.

    Older plans stay. `territory` are the ids of the areas in which he is at home; none: everywhere.

    Raises:
        InvalidInputError: the shift, a capacity, a skill, a break or an area is not possible.
    """
    _check(shift_start_s, shift_end_s, (capacity_g, capacity_cm3, capacity_pieces))
    wanted = {
        "shift_start_s": shift_start_s,
        "shift_end_s": shift_end_s,
        "capacity_g": capacity_g,
        "capacity_cm3": capacity_cm3,
        "capacity_pieces": capacity_pieces,
        "vehicle_class": vehicle_class,
        "skills": clean_skills(skills),
        "breaks": rows_of_breaks(breaks),
        "active": active,
    }
    before = {name: getattr(courier, name) for name in wanted}
    changed = {name: [before[name], value] for name, value in wanted.items() if before[name] != value}
    for name, (_before, value) in changed.items():
        setattr(courier, name, value)
    homes = set_territory(session, courier, territory)
    if homes is not None:
        changed["territory"] = [homes, territory_of(session, courier)]
    if changed:
        audit(
            session,
            actor,
            "courier.changed",
            subject_kind="courier",
            subject_id=courier.id,
            now=now,
            details=changed,
        )


def _check(shift_start_s: int, shift_end_s: int, capacities: Sequence[int]) -> None:
    wrong = []
    if not 0 <= shift_start_s < shift_end_s <= DAY_S:
        wrong.append({"detail": "a shift ends after it starts, on the same day", "pointer": "/shift_end_s"})
    if min(capacities) < 0:
        wrong.append({"detail": "a capacity is not negative", "pointer": "/capacity_g"})
    if wrong:
        raise InvalidInputError("the courier's data are not possible", wrong)
