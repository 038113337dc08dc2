"""What may be forgotten is, and what a person must see is not."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from app import housekeeping
from app.config import Settings
from app.db import outbox
from app.db.jobs import JobRun, claim_slot
from app.db.outbox import OutboxEvent
from app.db.session import Database
from app.idempotency import StoredAnswer
from tests.support.app import Logins, StepClock


def test_old_rows_go_and_unhandled_events_stay(
    database: Database, tenant: Logins, clock: StepClock, settings: Settings
) -> None:
    old, young = clock() - timedelta(days=60), clock() - timedelta(hours=1)
    with database.unit_of_work(tenant.tenant_id) as session:
        for at in (old, young):
            outbox.append(session, "handled", {}, now=at)
            outbox.append(session, "stuck", {}, now=at)
            claim_slot(session, "job", at, runner="r", now=at)
            session.add(
                StoredAnswer(
                    caller="user:1",
                    key=at.isoformat(),
                    fingerprint=b"",
                    status=201,
                    content_type="application/json",
                    body=b"",
                    created_at=at,
                )
            )
        session.flush()  # the events must be there to be marked as handled
        session.execute(
            sa.update(OutboxEvent)
            .where(OutboxEvent.topic == "handled")
            .values(handled_at=OutboxEvent.created_at)
        )
    with database.unit_of_work(None) as session:
        assert housekeeping.forget_old(session, settings, clock()) == 3
    with database.unit_of_work(None) as session:
        assert sorted(session.scalars(sa.select(OutboxEvent.topic))) == ["handled", "stuck", "stuck"]
        assert session.scalars(sa.select(JobRun.slot)).all() == [young]
        assert session.scalars(sa.select(StoredAnswer.created_at)).all() == [young]
