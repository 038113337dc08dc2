"""What may be forgotten: rows that only had to be remembered for a while."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.db.jobs import JobRun
from app.db.outbox import OutboxEvent
from app.idempotency import StoredAnswer

ANSWERS_KEPT = timedelta(hours=48)
EVENTS_KEPT = timedelta(days=14)
RUNS_KEPT = timedelta(days=30)


def forget_old(session: Session, _settings: Settings, now: datetime) -> int:
    """Drop stored answers, handled events and job runs past their time; the session sees every tenant.

    An event that was never handled is kept, however old: it needs a person.
    """
    past = (
        (StoredAnswer.caller, StoredAnswer.created_at < now - ANSWERS_KEPT),
        (OutboxEvent.id, OutboxEvent.handled_at < now - EVENTS_KEPT),
        (JobRun.job, JobRun.started_at < now - RUNS_KEPT),
    )
    dropped = 0
    for column, condition in past:
        dropped += len(session.execute(sa.delete(column.class_).where(condition).returning(column)).all())
    return dropped
