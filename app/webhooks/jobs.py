"""The clock's work on webhooks: give up what has waited too long, forget what is long past."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.webhooks import queue
from app.webhooks.models import EndpointState, MessageState, WebhookEndpoint, WebhookMessage
from app.webhooks.values import GIVEN_UP_AFTER

MESSAGES_KEPT = timedelta(days=30)
# Rows of one run: it comes again within the hour, and no run holds its locks for long.
_AT_ONCE = 20_000


def tidy(session: Session, _settings: Settings, now: datetime) -> int:
    """Give up messages that could not be delivered in days, drop old ones; the session sees every tenant."""
    return _give_up(session, now) + _drop(session, now)


def _give_up(session: Session, now: datetime) -> int:
    """An endpoint that rests between its failures has more waiting than it will ever be tried for."""
    endpoints = session.scalars(
        sa.select(WebhookEndpoint)
        .where(WebhookEndpoint.failures_running > 0, WebhookEndpoint.state == EndpointState.ACTIVE)
        .order_by(WebhookEndpoint.id)
        .with_for_update(skip_locked=True)
    ).all()
    given_up = 0
    for endpoint in endpoints:
        rows = session.execute(
            sa.update(WebhookMessage)
            .where(
                WebhookMessage.endpoint_id == endpoint.id,
                sa.text("state = 'waiting'"),
                WebhookMessage.released_at < now - GIVEN_UP_AFTER,
            )
            .values(state=MessageState.FAILED, ended_at=now)
            .returning(WebhookMessage.id)
            .execution_options(synchronize_session=False)
        ).all()
        given_up += len(rows)
        if rows:
            session.info["tenant_id"] = endpoint.tenant_id
            queue.mark_failing(session, endpoint, now)
            session.flush()  # the next endpoint may be another tenant's
            session.info["tenant_id"] = None
    return given_up


def _drop(session: Session, now: datetime) -> int:
    old = (
        sa.select(WebhookMessage.id)
        .where(
            WebhookMessage.created_at < now - MESSAGES_KEPT,
            WebhookMessage.state != MessageState.WAITING,
        )
        .order_by(WebhookMessage.created_at)
        .limit(_AT_ONCE)
    )
    rows = session.execute(
        sa.delete(WebhookMessage)
        .where(WebhookMessage.id.in_(old.scalar_subquery()))
        .returning(WebhookMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(rows.all())
