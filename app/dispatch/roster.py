"""Couriers' days: who works at an outlet on a day, from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.dispatch.couriers import DAY_S
from app.dispatch.models import Courier
from app.dispatch.roster_models import CourierDay, DayState
from app.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Duty:
    """A courier on a day. `is_usual` tells that nothing was said of this day."""

    courier: Courier
    state: DayState
    shift_start_s: int
    shift_end_s: int
    is_usual: bool

    @property
    def takes_stops(self) -> bool:
        """Whether stops may be given to him."""
        return self.state is DayState.WORKS


def roster(session: Session, facility_id: int, day: date) -> tuple[Duty, ...]:
    """Every courier of an outlet on a day, by code; whoever no longer works there is off."""
    rows = session.execute(
        sa.select(Courier, CourierDay)
        .outerjoin(CourierDay, sa.and_(CourierDay.courier_id == Courier.id, CourierDay.day == day))
        .where(Courier.facility_id == facility_id)
        .order_by(Courier.code)
    )
    return tuple(_duty(courier, own) for courier, own in rows)


def set_duty(
    session: Session,
    actor: Actor,
    courier: Courier,
    day: date,
    *,
    state: DayState,
    shift_start_s: int,
    shift_end_s: int,
    now: datetime,
) -> bool:
    """Say how a courier works on a day; plans made before stay, and give him nothing more where he is out.

    Args:
        session: of the courier's tenant.
        actor: who says so.
        courier: of whom.
        day: local to his outlet.
        state: whether he works.
        shift_start_s, shift_end_s: that day's shift, in seconds since local midnight.
        now: the present moment.

    Returns:
        Whether that changed anything.

    Raises:
        InvalidInputError: the shift is not possible.
    """
    if not 0 <= shift_start_s < shift_end_s <= DAY_S:
        raise InvalidInputError(
            "the shift is not possible",
            [{"detail": "a shift ends after it starts, on the same day", "pointer": "/shift_end_s"}],
        )
    own = session.scalar(
        sa.select(CourierDay).where(CourierDay.courier_id == courier.id, CourierDay.day == day)
    )
    before, wanted = _duty(courier, own), (state, shift_start_s, shift_end_s)
    if (before.state, before.shift_start_s, before.shift_end_s) == wanted:
        return False
    values = {"state": state, "shift_start_s": shift_start_s, "shift_end_s": shift_end_s}
    session.execute(
        insert(CourierDay)
        .values(tenant_id=tenant_of(session), courier_id=courier.id, day=day, **values)
        .on_conflict_do_update(index_elements=[CourierDay.courier_id, CourierDay.day], set_=values)
        .execution_options(populate_existing=True)
    )
    if own is not None:
        session.expire(own)
    details = {"day": day.isoformat(), "state": state.value, "shift_s": [shift_start_s, shift_end_s]}
    audit(
        session,
        actor,
        "courier.day",
        subject_kind="courier",
        subject_id=courier.id,
        now=now,
        details=details,
    )
    return True


def _duty(courier: Courier, own: CourierDay | None) -> Duty:
    if own is not None:
        state = own.state if courier.active else DayState.OFF
        return Duty(courier, state, own.shift_start_s, own.shift_end_s, is_usual=False)
    state = DayState.WORKS if courier.active else DayState.OFF
    return Duty(courier, state, courier.shift_start_s, courier.shift_end_s, is_usual=True)
