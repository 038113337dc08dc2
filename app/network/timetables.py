"""Days on which a lane does not run or a facility does not work: written down, taken back, and honoured by
every plan from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import InvalidInputError, NotFoundError
from app.network.models import Facility, FacilityHoliday, Lane, LaneHoliday
from app.network.revision import plan_anew, touch

DAYS_AT_ONCE_MAX = 62
_YEARS = range(2000, 2100)


def holidays_of(session: Session, subject: Lane | Facility) -> Sequence[LaneHoliday | FacilityHoliday]:
    """The days on which a lane does not run or a facility does not work, in order."""
    if isinstance(subject, Lane):
        return session.scalars(
            sa.select(LaneHoliday).where(LaneHoliday.lane_id == subject.id).order_by(LaneHoliday.day)
        ).all()
    return session.scalars(
        sa.select(FacilityHoliday)
        .where(FacilityHoliday.facility_id == subject.id)
        .order_by(FacilityHoliday.day)
    ).all()


def add_holidays(
    session: Session,
    actor: Actor,
    subject: Lane | Facility,
    first_day: date,
    last_day: date | None,
    *,
    reason: str,
    now: datetime,
) -> int:
    """Let a lane or facility rest on some days, by its own clocks; gives how many days are new.

    Parcels that have it ahead of them are planned anew in a moment (`app.shipments.replanning`).

    Args:
        subject: a lane, by the clocks of its departures, or a facility.
        last_day: the last one; the first alone where it is None.
        reason: what is told with each day.

    Raises:
        InvalidInputError: no reason is given, or the days are none, too many or of another century.
    """
    last_day = last_day or first_day
    count = (last_day - first_day).days + 1
    if not reason.strip():
        raise InvalidInputError("a reason is needed", [{"detail": "is empty", "pointer": "/reason"}])
    if not 1 <= count <= DAYS_AT_ONCE_MAX:
        detail = f"must be 0 to {DAYS_AT_ONCE_MAX - 1} days after the first"
        raise InvalidInputError("these are not days", [{"detail": detail, "pointer": "/last_day"}])
    if first_day.year not in _YEARS or last_day.year not in _YEARS:
        raise InvalidInputError(
            "not of this century", [{"detail": "must lie between 2000 and 2099", "pointer": "/first_day"}]
        )
    table, of_subject = (
        (LaneHoliday, {"lane_id": subject.id})
        if isinstance(subject, Lane)
        else (FacilityHoliday, {"facility_id": subject.id})
    )
    added = session.scalars(
        insert(table)
        .values(
            [
                {
                    "tenant_id": tenant_of(session),
                    **of_subject,
                    "day": first_day + timedelta(days=step),
                    "reason": reason.strip(),
                }
                for step in range(count)
            ]
        )
        .on_conflict_do_nothing()
        .returning(table.id)
    ).all()
    if added:
        days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        _tell(session, actor, subject, "rests", reason.strip(), days, now)
    return len(added)


def remove_holiday(
    session: Session, actor: Actor, subject: Lane | Facility, day: date, *, now: datetime
) -> None:
    """Let a lane run, or a facility work, on a day again.

    Raises:
        NotFoundError: it does not rest on that day.
    """
    holiday = next((one for one in holidays_of(session, subject) if one.day == day), None)
    if holiday is None:
        raise NotFoundError(f"the {_kind(subject)} does not rest on this day")
    reason = holiday.reason
    session.delete(holiday)
    _tell(session, actor, subject, "runs_again", reason, {"first_day": day.isoformat()}, now)


def _kind(subject: Lane | Facility) -> Literal["facility", "lane"]:
    return "lane" if isinstance(subject, Lane) else "facility"


def _tell(
    session: Session,
    actor: Actor,
    subject: Lane | Facility,
    action: str,
    reason: str,
    days: dict[str, str],
    now: datetime,
) -> None:
    kind = _kind(subject)
    audit(
        session,
        actor,
        f"{kind}.{action}",
        subject_kind=kind,
        subject_id=subject.id,
        reason=reason,
        details=days,
        now=now,
    )
    touch(session)
    plan_anew(session, actor, kind, subject.id, reason=reason, now=now)
