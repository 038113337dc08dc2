"""The queue of deliveries: endpoints are taken for a while, their due messages sent, each try written down.

What is taken is the endpoint, not the message: one deliverer at a time serves it, so that a slow one costs
one thread however much waits for it, and the order of its messages is kept while all goes well. A deliverer
that dies leaves its lease behind, and when that ends another one sends the same message under the same id.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import new_secret
from app.webhooks import owners
from app.webhooks.models import (
    EndpointState,
    Failure,
    MessageState,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)
from app.webhooks.values import GIVEN_UP_AFTER, PING, rest_after, throttle_after, wait_before

_THROTTLING = (429, 502, 504)
_GONE = 410

# From endpoint to endpoint along the partial index: one probe for each that has anything waiting, however
# many messages that is and however many are done. Whoever was served longest ago comes first.
CLAIM = sa.text(
    """
    WITH RECURSIVE queued(endpoint_id) AS (
        (SELECT endpoint_id FROM webhook_message WHERE state = 'waiting' ORDER BY endpoint_id LIMIT 1)
        UNION ALL
        SELECT (SELECT message.endpoint_id FROM webhook_message AS message
                WHERE message.state = 'waiting' AND message.endpoint_id > queued.endpoint_id
                ORDER BY message.endpoint_id LIMIT 1)
        FROM queued WHERE queued.endpoint_id IS NOT NULL
    ), due AS (
        SELECT endpoint.id
        FROM queued JOIN webhook_endpoint AS endpoint ON endpoint.id = queued.endpoint_id
        WHERE endpoint.state = 'active'
          AND (endpoint.rest_until IS NULL OR endpoint.rest_until <= :now)
          AND (endpoint.leased_until IS NULL OR endpoint.leased_until <= :now)
          AND (SELECT message.due_at FROM webhook_message AS message
               WHERE message.state = 'waiting' AND message.endpoint_id = endpoint.id
               ORDER BY message.due_at LIMIT 1) <= :now
        ORDER BY endpoint.served_at NULLS FIRST, endpoint.id
        LIMIT :slots
        FOR UPDATE OF endpoint SKIP LOCKED
    )
    UPDATE webhook_endpoint AS endpoint
    SET lease = :lease, leased_until = :until, served_at = :now
    FROM due WHERE endpoint.id = due.id
    RETURNING endpoint.tenant_id, endpoint.id
    """
)

# The endpoint is locked before the message, as everybody else does.
_DELIVERED = sa.text(
    """
    WITH served AS (
        UPDATE webhook_endpoint
        SET served_at = :now, failures_running = 0, rest_until = NULL, failing_since = NULL,
            leased_until = CASE WHEN lease = :lease THEN :until ELSE leased_until END
        WHERE id = :endpoint_id AND tenant_id = :tenant_id
        RETURNING id, lease = :lease AND state = 'active' AS goes_on
    ), told AS (
        UPDATE webhook_message AS message
        SET state = 'delivered', ended_at = :now, tries = tries + 1, attempts = attempts + 1
        FROM served WHERE message.id = :message_id AND message.endpoint_id = served.id
        RETURNING message.id, message.attempts
    ), logged AS (
        INSERT INTO webhook_attempt (tenant_id, message_id, number, at, duration_ms, status)
        SELECT :tenant_id, id, attempts, :at, :duration_ms, :status FROM told
    )
    SELECT goes_on FROM served
    """
)


@dataclass(frozen=True, slots=True)
class Lease:
    """An endpoint that was taken; `token` tells this taking from every other."""

    tenant_id: int
    endpoint_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it is sent."""

    message_id: int
    message_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent to an endpoint, where, and signed with what."""

    url: str
    keys: Sequence[bytes]
    messages: Sequence[Outgoing]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a try ended: with a status, or with a failure before there was one."""

    at: datetime
    duration_ms: int
    status: int | None = None
    retry_after_s: int | None = None
    failure: Failure | None = None
    detail: str | None = None

    @property
    def delivered(self) -> bool:
        """Only 2xx is success."""
        return self.status is not None and 200 <= self.status < 300


def claim(session: Session, now: datetime, *, slots: int, lease_for: timedelta) -> list[Lease]:
    """Take up to `slots` endpoints that have something due; the session sees every tenant."""
    token = new_secret()
    rows = session.execute(
        CLAIM, {"now": now, "slots": slots, "lease": token, "until": now + lease_for}
    ).all()
    return [Lease(tenant_id, endpoint_id, token) for tenant_id, endpoint_id in rows]


def load(session: Session, lease: Lease, now: datetime, *, limit: int) -> Load:
    """What is due at an endpoint that was taken, the longest due first."""
    messages = session.execute(
        sa.select(WebhookMessage.id, WebhookMessage.message_key, WebhookMessage.body)
        .where(
            WebhookMessage.endpoint_id == lease.endpoint_id,
            sa.text("state = 'waiting'"),  # written out, so that the partial index answers it
            WebhookMessage.due_at <= now,
        )
        .order_by(WebhookMessage.due_at, WebhookMessage.id)
        .limit(limit)
    ).all()
    url = session.scalar(sa.select(WebhookEndpoint.url).where(WebhookEndpoint.id == lease.endpoint_id))
    return Load(
        url or "",
        keys_in_force(session, lease.endpoint_id, now),
        [Outgoing(number, key, body.encode()) for number, key, body in messages] if url else [],
    )


def keys_in_force(session: Session, endpoint_id: int, now: datetime) -> Sequence[bytes]:
    """The keys that an endpoint's messages are signed with, the newest first."""
    return session.scalars(
        sa.select(WebhookSecret.key)
        .where(
            WebhookSecret.endpoint_id == endpoint_id,
            sa.or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > now),
        )
        .order_by(WebhookSecret.id.desc())
    ).all()


def record(
    session: Session,
    lease: Lease,
    outgoing: Outgoing,
    outcome: Outcome,
    now: datetime,
    *,
    lease_for: timedelta,
    chance: random.Random,
) -> bool:
    """Write down how a try ended and what follows; True when the next message may be sent."""
    if outcome.delivered:
        goes_on = session.scalar(
            _DELIVERED,
            {
                "now": now,
                "until": now + lease_for,
                "lease": lease.token,
                "endpoint_id": lease.endpoint_id,
                "tenant_id": lease.tenant_id,
                "message_id": outgoing.message_id,
                "at": outcome.at,
                "duration_ms": outcome.duration_ms,
                "status": outcome.status,
            },
        )
        return bool(goes_on)
    endpoint = session.scalar(
        sa.select(WebhookEndpoint).where(WebhookEndpoint.id == lease.endpoint_id).with_for_update()
    )
    message = session.scalar(
        sa.select(WebhookMessage).where(WebhookMessage.id == outgoing.message_id).with_for_update()
    )
    if endpoint is not None and message is not None:
        _log(session, message, outcome)
        _follow_failure(session, endpoint, message, outcome, now, chance)
    return False


def release(session: Session, lease: Lease) -> None:
    """Give an endpoint back, so that it can be taken at once."""
    session.execute(
        sa.update(WebhookEndpoint)
        .where(WebhookEndpoint.id == lease.endpoint_id, WebhookEndpoint.lease == lease.token)
        .values(lease=None, leased_until=None)
        .execution_options(synchronize_session=False)
    )


def stop_waiting(session: Session, endpoint_id: int, now: datetime) -> None:
    """What waits for an endpoint that takes nothing has failed; it can be replayed when it takes again."""
    session.execute(
        sa.update(WebhookMessage)
        .where(WebhookMessage.endpoint_id == endpoint_id, sa.text("state = 'waiting'"))
        .values(state=MessageState.FAILED, ended_at=now)
        .execution_options(synchronize_session="fetch")
    )


def _log(session: Session, message: WebhookMessage, outcome: Outcome) -> None:
    message.tries += 1
    message.attempts += 1
    session.add(
        WebhookAttempt(
            tenant_id=message.tenant_id,
            message_id=message.id,
            number=message.attempts,
            at=outcome.at,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            failure=_failure_of(outcome),
            detail=outcome.detail,
        )
    )


def _failure_of(outcome: Outcome) -> Failure:
    if outcome.failure is not None:
        return outcome.failure
    assert outcome.status is not None, "a try ends with a status or with a failure"
    return Failure.REDIRECT if 300 <= outcome.status < 400 else Failure.STATUS


def _follow_failure(
    session: Session,
    endpoint: WebhookEndpoint,
    message: WebhookMessage,
    outcome: Outcome,
    now: datetime,
    chance: random.Random,
) -> None:
    endpoint.served_at = now
    endpoint.failures_running += 1
    rest = rest_after(endpoint.failures_running)
    if outcome.status in _THROTTLING:
        rest = throttle_after(endpoint.failures_running, outcome.retry_after_s)
    endpoint.rest_until = now + rest
    if message.state is not MessageState.WAITING:
        return  # ended meanwhile: by another deliverer, or because the endpoint was paused
    wait = wait_before(message.tries, chance) if message.event_type != PING else None
    if outcome.status == _GONE:
        endpoint.state = EndpointState.GONE
        session.flush()  # the statement below must find this message still waiting, with its counts
        stop_waiting(session, endpoint.id, now)
        owners.tell_gone(session, endpoint, now)
    elif wait is None or now - message.released_at > GIVEN_UP_AFTER:
        message.state, message.ended_at = MessageState.FAILED, now
        if message.event_type != PING:
            mark_failing(session, endpoint, now)
    else:
        message.due_at = now + max(wait, timedelta(seconds=outcome.retry_after_s or 0))


def mark_failing(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """A message was given up on: say so once, until one arrives again."""
    if endpoint.failing_since is None:
        endpoint.failing_since = now
        owners.tell_failing(session, endpoint, now)
