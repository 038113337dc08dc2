"""Pickups on some days of every week: kept once, asked for some days ahead by the clock."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.service import actor_of, audit
from app.actor import Actor
from app.config import Settings
from app.db.session import tenant_of
from app.dispatch.pickup_models import PickupChannel, PickupRequest, RecurringPickup
from app.dispatch.pickups import ask_pickup
from app.dispatch.wanted import Wanted, columns, first_day, placed, refuse_window
from app.errors import AppError, ConflictError, InvalidInputError
from app.network import queries as network
from app.shipments import hours

log = structlog.get_logger(__name__)

AHEAD_DAYS = 7
_DAYS_OF_A_WEEK = 7


def begin_recurring(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    *,
    customer_id: int,
    weekdays: Collection[int],
    last_day: date | None,
    now: datetime,
) -> RecurringPickup:
    """Ask for a pickup every week; those of the next days are asked for at once.

    Args:
        session: of the asker's tenant.
        actor: who asks.
        wanted: as of a single pickup; its day is the first that counts.
        customer_id: whose goods.
        weekdays: Monday is 0.
        last_day: the last that counts; None: until it is ended.
        now: the present moment.

    Raises:
        InvalidInputError: the days or the window cannot be, or no outlet serves the place.
        NotFoundError: there is no such district.
    """
    refuse_window(wanted)
    if not weekdays or not set(weekdays) <= set(range(_DAYS_OF_A_WEEK)):
        raise InvalidInputError(
            "which days of the week", [{"detail": "one or more of 0 (Monday) to 6", "pointer": "/weekdays"}]
        )
    if last_day is not None and last_day < wanted.day:
        raise InvalidInputError(
            "the last day is before the first", [{"detail": "ends before it begins", "pointer": "/last_day"}]
        )
    recurring = RecurringPickup(
        tenant_id=tenant_of(session),
        customer_id=customer_id,
        weekdays=sorted(set(weekdays)),
        first_day=wanted.day,
        last_day=last_day,
        requested_by_id=actor.user_id,
        requested_at=now,
        **columns(wanted, placed(session, wanted)),
    )
    session.add(recurring)
    session.flush()  # its pickups name it
    audit(
        session, actor, "pickup.recurring", subject_kind="recurring_pickup", subject_id=recurring.id, now=now
    )
    ask_ahead(session, actor, recurring, now=now)
    return recurring


def end_recurring(session: Session, actor: Actor, recurring: RecurringPickup, *, now: datetime) -> None:
    """Ask for no more; what was asked for already stands until it is taken back itself.

    Raises:
        ConflictError: it has ended.
    """
    session.refresh(recurring, with_for_update=True)
    if recurring.ended_at is not None:
        raise ConflictError("this weekly pickup has ended")
    recurring.ended_at = now
    audit(session, actor, "pickup.ended", subject_kind="recurring_pickup", subject_id=recurring.id, now=now)


def ask_ahead(session: Session, actor: Actor, recurring: RecurringPickup, *, now: datetime) -> int:
    """Ask for a weekly pickup's next days, each once; days on which the outlet is closed are left out.

    Returns:
        How many were new.
    """
    outlet = hours.hours_of(network.routing_network(session), recurring.facility_id)
    first = max(recurring.first_day, first_day(outlet, now))
    asked = set(
        session.scalars(sa.select(PickupRequest.day).where(PickupRequest.recurring_id == recurring.id))
    )
    count = 0
    for day in (first + timedelta(days=ahead) for ahead in range(AHEAD_DAYS)):
        over = recurring.last_day is not None and day > recurring.last_day
        if over or day in asked or day.weekday() not in recurring.weekdays or outlet.works_from(day) != day:
            continue
        if _window_is_over(recurring, day, now.astimezone(outlet.zone)):
            continue
        done = ask_pickup(
            session,
            actor,
            _wanted(recurring, day),
            customer_id=recurring.customer_id,
            channel=PickupChannel.RECURRING,
            now=now,
            recurring_id=recurring.id,
        )
        count += done.is_new
    return count


def ask_all_ahead(session: Session, _settings: Settings, now: datetime) -> int:
    """Ask for the next days of every weekly pickup, each tenant's as his own: a job of the clock.

    One that cannot be asked for any more, because its outlet has closed for example, is logged and left.

    Returns:
        How many were new.
    """
    rows = session.execute(
        sa.select(RecurringPickup, User)
        .join(User, User.id == RecurringPickup.requested_by_id)
        .where(RecurringPickup.ended_at.is_(None))
        .order_by(RecurringPickup.tenant_id, RecurringPickup.id)
    ).all()
    count = 0
    try:
        for recurring, user in rows:
            session.info["tenant_id"] = recurring.tenant_id  # as if the session had been opened for it
            try:
                with session.begin_nested():
                    count += ask_ahead(session, actor_of(user), recurring, now=now)
            except AppError as error:
                log.warning("pickup.not_asked_ahead", recurring_id=recurring.id, error=error.detail)
    finally:
        session.info["tenant_id"] = None
    return count


def _window_is_over(recurring: RecurringPickup, day: date, local: datetime) -> bool:
    return day == local.date() and recurring.window_to_s <= local.hour * 3600 + local.minute * 60


def _wanted(recurring: RecurringPickup, day: date) -> Wanted:
    return Wanted(
        contact_name=recurring.contact_name,
        contact_phone=recurring.contact_phone,
        district_adcode=recurring.district_adcode,
        address=recurring.address,
        day=day,
        window_from_s=recurring.window_from_s,
        window_to_s=recurring.window_to_s,
        pieces=recurring.pieces,
        weight_g=recurring.weight_g,
        volume_cm3=recurring.volume_cm3,
        note=recurring.note,
        skills=recurring.skills,
        latitude=recurring.latitude,
        longitude=recurring.longitude,
    )
