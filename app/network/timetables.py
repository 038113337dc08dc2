"""Days on which a lane does not run: written down, taken back, and honoured by every plan from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.actor import Actor
from app.db import outbox
from app.db.session import tenant_of
from app.errors import InvalidInputError, NotFoundError
from app.network.models import Lane, LaneHoliday
from app.network.service import touch

DAYS_AT_ONCE_MAX = 62
_YEARS = range(2000, 2100)


def holidays_of(session: Session, lane: Lane) -> Sequence[LaneHoliday]:
    """The days on which a lane does not run, in order."""
    return session.scalars(
        sa.select(LaneHoliday).where(LaneHoliday.lane_id == lane.id).order_by(LaneHoliday.day)
    ).all()


def add_holidays(
    session: Session,
    actor: Actor,
    lane: Lane,
    first_day: date,
    last_day: date | None,
    *,
    reason: str,
    now: datetime,
) -> int:
    """Let a lane rest on some days, by the clocks of its departures; gives how many days are new.

    Parcels that would have travelled on it are planned anew in a moment (`app.shipments.replanning`).

    Args:
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
    added = session.scalars(
        insert(LaneHoliday)
        .values(
            [
                {
                    "tenant_id": tenant_of(session),
                    "lane_id": lane.id,
                    "day": first_day + timedelta(days=step),
                    "reason": reason.strip(),
                }
                for step in range(count)
            ]
        )
        .on_conflict_do_nothing()
        .returning(LaneHoliday.id)
    ).all()
    if added:
        days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        _tell(session, actor, lane, "lane.rests", reason.strip(), days, now)
    return len(added)


def remove_holiday(session: Session, actor: Actor, lane: Lane, day: date, *, now: datetime) -> None:
    """Let a lane run on a day again.

    Raises:
        NotFoundError: it does not rest on that day.
    """
    holiday = session.scalar(
        sa.select(LaneHoliday).where(LaneHoliday.lane_id == lane.id, LaneHoliday.day == day)
    )
    if holiday is None:
        raise NotFoundError("the lane does not rest on this day")
    reason = holiday.reason
    session.delete(holiday)
    _tell(session, actor, lane, "lane.runs_again", reason, {"first_day": day.isoformat()}, now)


def _tell(
    session: Session, actor: Actor, lane: Lane, action: str, reason: str, days: dict[str, str], now: datetime
) -> None:
    audit(
        session, actor, action, subject_kind="lane", subject_id=lane.id, reason=reason, details=days, now=now
    )
    touch(session)
    # What has the lane ahead of it is planned anew by the timetable as it is now; what that leaves as it was
    # stays as it was.
    told = {
        "kind": "lane",
        "subject_id": lane.id,
        "reason": reason,
        "user_id": actor.user_id,
        "asked_at": now.isoformat(),
    }
    outbox.append(session, "network.reopened", told, now=now)
