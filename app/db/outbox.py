"""The outbox: events written in the transaction of their cause, handed on after its commit.

A relay takes rows with `FOR UPDATE SKIP LOCKED`, so any number of relays may run. The handlers of an
event run in the transaction that marks it handled: their effect in the database happens exactly once.
A handler that fails puts the event off with growing waits and keeps the error beside it; after
`ATTEMPTS_MAX` the event stays, counted by `/metrics`, until a person looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.session import Database, tenant_of

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


Handler = Callable[[Session, Event, datetime], None]


def append(session: Session, topic: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Write an event in the caller's transaction; the session must be a tenant's."""
    session.add(
        OutboxEvent(
            tenant_id=tenant_of(session), topic=topic, payload=payload, created_at=now, available_at=now
        )
    )


def relay(
    database: Database,
    handlers: Mapping[str, Sequence[Handler]],
    clock: Callable[[], datetime],
    *,
    batch: int = 100,
) -> int:
    """Hand on up to `batch` waiting events, each in a transaction of its own; returns how many were taken."""
    taken = 0
    while taken < batch and _relay_one(database, handlers, clock):
        taken += 1
    return taken


def _relay_one(
    database: Database, handlers: Mapping[str, Sequence[Handler]], clock: Callable[[], datetime]
) -> bool:
    now = clock()
    with database.unit_of_work(None) as session:
        row = session.scalar(
            sa.select(OutboxEvent)
            .where(
                OutboxEvent.handled_at.is_(None),
                OutboxEvent.available_at <= now,
                OutboxEvent.attempts < ATTEMPTS_MAX,
            )
            .order_by(OutboxEvent.available_at, OutboxEvent.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return False
        event = Event(row.id, row.tenant_id, row.topic, row.payload, row.created_at)
        # From here on the handlers see only the tenant of the event.
        session.info["tenant_id"] = row.tenant_id
        try:
            with session.begin_nested():
                for handler in handlers.get(row.topic, ()):
                    handler(session, event, now)
                row.handled_at = now
        except Exception as error:  # noqa: BLE001 - any failure of a handler is kept and tried again
            session.refresh(row)
            row.attempts += 1
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            wait_s = min(_WAIT_S_MAX, _FIRST_WAIT_S * 2 ** (row.attempts - 1))
            row.available_at = now + timedelta(seconds=wait_s)
            log.warning(
                "outbox.failed",
                topic=row.topic,
                event_id=row.id,
                attempts=row.attempts,
                error=type(error).__name__,
            )
    return True
