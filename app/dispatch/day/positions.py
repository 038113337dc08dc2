"""Where couriers are: positions that their phones post, kept for some days, and what each is doing now."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.config import Settings
from app.db.session import tenant_of
from app.dispatch.day.models import Act, CourierLive, CourierPosition
from app.dispatch.day.round_rows import InForce, in_force
from app.dispatch.day.told import is_place
from app.dispatch.models import Courier
from app.dispatch.problem import second_of_day
from app.dispatch.queries import local_day
from app.dispatch.stored import WAITING
from app.errors import InvalidInputError
from app.network.models import Facility

BATCH_MAX = 1000
ACCURACY_MAX_M = 100_000
FRESH = timedelta(minutes=10)
"""What was posted so recently says where a courier is; older, only where he was."""
_AT_STOP_MAX = timedelta(hours=2)
_AHEAD_MAX = timedelta(minutes=5)
_BACK_MAX = timedelta(days=1)


class CourierState(enum.StrEnum):
    """What a courier is doing."""

    OFF = "off"
    ON_SHIFT = "on_shift"
    ON_THE_WAY = "on_the_way"
    AT_STOP = "at_stop"


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a phone was, by its own clock.

    Raises:
        InvalidInputError: that is no place, the accuracy is none, or the time has no offset.
    """

    at: datetime
    latitude: float
    longitude: float
    accuracy_m: int | None = None

    def __post_init__(self) -> None:
        accuracy = 0 if self.accuracy_m is None else self.accuracy_m
        if (
            not is_place(self.latitude, self.longitude)
            or self.at.tzinfo is None
            or not 0 <= accuracy <= ACCURACY_MAX_M
        ):
            raise InvalidInputError(
                "a position is none", [{"detail": "is no place at a time", "pointer": "/positions"}]
            )


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch of positions.

    Attributes:
        kept: how many were new.
        known: how many had been told before.
        refused: how many are too old, or lie ahead of now: the phone's clock is wrong.
    """

    kept: int
    known: int
    refused: int


def take(session: Session, courier: Courier, fixes: Sequence[Fix], *, now: datetime) -> Taken:
    """Keep a batch of positions; told again they are no harm.

    Raises:
        InvalidInputError: there are more than `BATCH_MAX`.
    """
    if len(fixes) > BATCH_MAX:
        raise InvalidInputError(
            f"at most {BATCH_MAX} positions at once",
            [{"detail": f"holds {len(fixes)}", "pointer": "/positions"}],
        )
    good = {fix.at.astimezone(UTC): fix for fix in fixes if now - _BACK_MAX <= fix.at <= now + _AHEAD_MAX}
    if not good:
        return Taken(0, 0, len(fixes))
    tenant_id = tenant_of(session)
    kept = session.scalars(
        insert(CourierPosition)
        .values(
            [
                {
                    "tenant_id": tenant_id,
                    "courier_id": courier.id,
                    "at": at,
                    "latitude": fix.latitude,
                    "longitude": fix.longitude,
                    "accuracy_m": fix.accuracy_m,
                    "received_at": now,
                }
                for at, fix in sorted(good.items())
            ]
        )
        .on_conflict_do_nothing()
        .returning(CourierPosition.at)
    ).all()
    last_at = max(good)
    values = {
        "position_at": last_at,
        "latitude": good[last_at].latitude,
        "longitude": good[last_at].longitude,
        "accuracy_m": good[last_at].accuracy_m,
    }
    session.execute(
        insert(CourierLive)
        .values(tenant_id=tenant_id, courier_id=courier.id, **values)
        .on_conflict_do_update(
            index_elements=[CourierLive.courier_id],
            set_=values,
            where=sa.or_(CourierLive.position_at.is_(None), CourierLive.position_at < last_at),
        )
    )
    refused = sum(not now - _BACK_MAX <= fix.at <= now + _AHEAD_MAX for fix in fixes)
    return Taken(len(kept), len(fixes) - refused - len(kept), refused)


def forget(session: Session, settings: Settings, now: datetime) -> int:
    """Drop positions past their time; the session sees every tenant."""
    dropped = session.execute(
        sa.delete(CourierPosition)
        .where(CourierPosition.received_at < now - timedelta(days=settings.positions_kept_days))
        .returning(CourierPosition.courier_id)
    )
    return len(dropped.all())


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A courier with what he is doing; `live` is None where nothing was ever heard of him.

    `left` and `stops` count the stops of his round in force today; `next_stop` is the first that waits.
    """

    courier: Courier
    state: CourierState
    live: CourierLive | None
    left: int
    stops: int
    next_stop: Row[Any] | None

    def fresh(self, now: datetime) -> bool:
        """Whether his position says where he is now."""
        return (
            self.live is not None
            and self.live.position_at is not None
            and now - self.live.position_at <= FRESH
        )


def whereabouts(
    session: Session, facility: Facility, *, now: datetime, driven: InForce | None = None
) -> list[Whereabouts]:
    """Every courier of an outlet who works there, by code.

    Args:
        session: of the outlet's tenant.
        facility: the outlet.
        now: the present moment.
        driven: today's rounds, where the caller has them already.
    """
    day = local_day(now, facility)
    if driven is None:
        driven = in_force(session, facility.id, day)
    now_s = second_of_day(now, day, facility.utc_offset_minutes)
    rows = session.execute(
        sa.select(Courier, CourierLive)
        .outerjoin(CourierLive, CourierLive.courier_id == Courier.id)
        .where(Courier.facility_id == facility.id, Courier.active)
        .order_by(Courier.code)
    ).all()
    found = []
    for courier, live in rows:
        stops = [stop for _visit, stop in driven.visits.get(courier.id, ())]
        waiting = [stop for stop in stops if stop.status in WAITING]
        begun = len(waiting) < len(stops)
        state = state_of(courier, live, left=len(waiting), begun=begun, now=now, now_s=now_s)
        found.append(
            Whereabouts(courier, state, live, len(waiting), len(stops), waiting[0] if waiting else None)
        )
    return found


def state_of(
    courier: Courier, live: CourierLive | None, *, left: int, begun: bool, now: datetime, now_s: int
) -> CourierState:
    """What a courier is doing, by his shift, what he told last, and whether anything is left of his round.

    Args:
        courier: whose shift counts.
        live: what was heard of him last.
        left: stops of his round that wait.
        begun: whether any stop of his round is behind him.
        now: the present moment.
        now_s: the same in seconds of the outlet's day.
    """
    taken_off = live is not None and live.off_until is not None and live.off_until > now
    if not courier.active or taken_off:
        return CourierState.OFF
    heard = max(filter(None, (live.position_at, live.act_at)), default=None) if live is not None else None
    recent = heard is not None and now - heard <= FRESH
    if not courier.shift_start_s <= now_s < courier.shift_end_s and not (recent and left):
        return CourierState.OFF
    arrived_at = None if live is None or live.act is not Act.ARRIVED else live.act_at
    if left and arrived_at is not None and now - arrived_at < _AT_STOP_MAX:
        return CourierState.AT_STOP
    if left and (begun or (live is not None and live.act_at is not None and recent)):
        return CourierState.ON_THE_WAY
    return CourierState.ON_SHIFT
