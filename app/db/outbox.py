"""The outbox: events written in the transaction of their cause, handed on after its commit.

A relay takes rows with `FOR UPDATE SKIP LOCKED`, so any number of relays may run. The handlers of an
event run in the transaction that marks it handled: their effect in the database happens exactly once.
A handler is given all events of its topic that follow one another, since most concern few of them, and one
question tells which. A handler that fails puts the event off with growing waits and keeps the error beside
it; after `ATTEMPTS_MAX` the event stays, counted by `/metrics`, until a person looks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.session import Database, execute_plain, tenant_of

log = structlog.get_logger(__name__)

ATTEMPTS_MAX = 12
_FIRST_WAIT_S = 2
_WAIT_S_MAX = 3600


class OutboxEvent(Identified, TenantScoped, Base):
    """One thing that happened, to be told to whoever subscribes to its topic."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        sa.Index(
            "ix_outbox_event_waiting",
            "available_at",
            "id",
            postgresql_where=sa.text("handled_at IS NULL"),
        ),
    )

    # Written with every scan and read by its place in the queue: neither index nor foreign key is worth it.
    tenant_id: Mapped[int] = mapped_column(sort_order=-1)
    topic: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Event:
    """What a handler is given."""

    event_id: int
    tenant_id: int
    topic: str
    payload: Mapping[str, Any]
    created_at: datetime


Handler = Callable[[Session, Sequence[Event], datetime], None]
"""Sees to events of one topic, in their order; again is no harm."""


def one_by_one(handle: Callable[[Session, Event, datetime], None]) -> Handler:
    """A handler that sees to each event by itself."""

    @functools.wraps(handle)
    def each(session: Session, events: Sequence[Event], now: datetime) -> None:
        for event in events:
            handle(session, event, now)

    return each


def append(session: Session, topic: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Write an event in the caller's transaction; the session must be a tenant's."""
    session.add(
        OutboxEvent(
            tenant_id=tenant_of(session), topic=topic, payload=payload, created_at=now, available_at=now
        )
    )


def append_many(
    session: Session, topic: str, payloads: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Write many events of one topic in one statement; the session must be a tenant's."""
    if not payloads:
        return
    execute_plain(
        session,
        "INSERT INTO outbox_event (tenant_id, topic, payload, created_at, available_at, attempts) "
        "SELECT %s, %s, payload, %s, %s, 0 FROM jsonb_array_elements(%s::jsonb) AS payload",
        (tenant_of(session), topic, now, now, msgspec.json.encode(payloads).decode()),
    )


def relay(
    database: Database,
    handlers: Mapping[str, Sequence[Handler]],
    clock: Callable[[], datetime],
    *,
    batch: int = 100,
) -> int:
    """Hand on up to `batch` waiting events of one tenant in one transaction; returns how many were taken.

    The batch is tried as a whole; when a handler fails, it is done over event by event with a savepoint for
    each, so that one failure undoes nothing but its own work.
    """
    try:
        return _relay(database, handlers, clock, batch, _all_at_once)
    except Exception as error:  # noqa: BLE001 - which event failed is found out and kept by the second try
        log.info("outbox.one_by_one", error=type(error).__name__)
        return _relay(database, handlers, clock, batch, _each_by_itself)


_Hand = Callable[[Session, Sequence[OutboxEvent], Mapping[str, Sequence[Handler]], datetime], None]


def _relay(
    database: Database,
    handlers: Mapping[str, Sequence[Handler]],
    clock: Callable[[], datetime],
    batch: int,
    hand_on: _Hand,
) -> int:
    now = clock()
    with database.unit_of_work(None) as session:
        waiting = (
            OutboxEvent.handled_at.is_(None),
            OutboxEvent.available_at <= now,
            OutboxEvent.attempts < ATTEMPTS_MAX,
        )
        oldest = sa.select(OutboxEvent).order_by(OutboxEvent.available_at, OutboxEvent.id)
        first = session.scalar(oldest.where(*waiting).limit(1).with_for_update(skip_locked=True))
        if first is None:
            return 0
        # From here on the session is that tenant's, and so are the handlers'.
        session.info["tenant_id"] = first.tenant_id
        rows = session.scalars(oldest.where(*waiting).limit(batch).with_for_update(skip_locked=True)).all()
        hand_on(session, rows, handlers, now)
        return len(rows)


def _all_at_once(
    session: Session,
    rows: Sequence[OutboxEvent],
    handlers: Mapping[str, Sequence[Handler]],
    now: datetime,
) -> None:
    for topic, run in groupby(rows, key=lambda row: row.topic):
        events = [_event(row) for row in run]
        for handler in handlers.get(topic, ()):
            handler(session, events, now)
    session.execute(
        sa.update(OutboxEvent)
        .where(OutboxEvent.id.in_([row.id for row in rows]))
        .values(handled_at=now)
        .execution_options(synchronize_session=False)
    )


def _each_by_itself(
    session: Session,
    rows: Sequence[OutboxEvent],
    handlers: Mapping[str, Sequence[Handler]],
    now: datetime,
) -> None:
    for row in rows:
        try:
            with session.begin_nested():
                for handler in handlers.get(row.topic, ()):
                    handler(session, [_event(row)], now)
        except Exception as error:
            row.attempts += 1
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            wait_s = min(_WAIT_S_MAX, _FIRST_WAIT_S * 2 ** (row.attempts - 1))
            row.available_at = now + timedelta(seconds=wait_s)
            log.warning(
                "outbox.failed", topic=row.topic, event_id=row.id, attempts=row.attempts, exc_info=error
            )
        else:
            row.handled_at = now


def _event(row: OutboxEvent) -> Event:
    return Event(row.id, row.tenant_id, row.topic, row.payload, row.created_at)
