"""What people do with webhooks: register, change, pause, resume, remove, rotate the secret, ping, replay."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.accounts.service import audit
from app.actor import Actor
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.webhooks import events, queue, signing
from app.webhooks.models import (
    EndpointState,
    MessageState,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)
from app.webhooks.values import PING, EndpointInput

ENDPOINTS_MAX = 20
"""Endpoints of one customer, or of the company itself."""
OVERLAP_HOURS, OVERLAP_HOURS_MAX = 24, 168
_KEYS_MAX = 5


def register(
    session: Session, actor: Actor, wanted: EndpointInput, *, allow_loopback: bool, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; the text of its secret is given this once.

    A shipper's is told of his own shipments, an administrator's of all of the company's.

    Raises:
        InvalidInputError: A field is wrong.
        ForbiddenError: The login is a shipper's without a customer.
        ConflictError: There are enough of them.
    """
    wanted.check(allow_loopback=allow_loopback)
    customer_id = actor.subject_id if actor.role == Role.SHIPPER else None
    if actor.role == Role.SHIPPER and customer_id is None:
        raise ForbiddenError("this login stands for no customer")
    count = session.scalar(
        sa.select(sa.func.count())
        .select_from(WebhookEndpoint)
        .where(WebhookEndpoint.customer_id.is_not_distinct_from(customer_id))
    )
    if (count or 0) >= ENDPOINTS_MAX:
        raise ConflictError(f"there may be {ENDPOINTS_MAX} endpoints; remove one first")
    endpoint = WebhookEndpoint(
        tenant_id=actor.tenant_id,
        customer_id=customer_id,
        state=EndpointState.ACTIVE,
        created_by_id=actor.user_id,
        created_at=now,
        **_columns(wanted),
    )
    session.add(endpoint)
    session.flush()  # its secret and the answer need its id
    _write_down(session, actor, "webhook.registered", endpoint, now)
    return endpoint, _add_key(session, endpoint, now)


def change(
    session: Session,
    actor: Actor,
    endpoint: WebhookEndpoint,
    wanted: EndpointInput,
    *,
    allow_loopback: bool,
    now: datetime,
) -> None:
    """Make an endpoint as it is wanted now; what waits goes to the new address.

    Raises:
        InvalidInputError: A field is wrong.
    """
    wanted.check(allow_loopback=allow_loopback)
    for name, value in _columns(wanted).items():
        setattr(endpoint, name, value)
    _write_down(session, actor, "webhook.changed", endpoint, now)


def pause(session: Session, actor: Actor, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Send nothing more; what waits has failed and can be replayed. Again is no harm."""
    _lock(session, endpoint)
    if endpoint.state is EndpointState.ACTIVE:
        endpoint.state = EndpointState.PAUSED
        queue.stop_waiting(session, endpoint.id, now)
        _write_down(session, actor, "webhook.paused", endpoint, now)


def resume(session: Session, actor: Actor, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Send again, beginning with the next event. Again is no harm."""
    _lock(session, endpoint)
    if endpoint.state is not EndpointState.ACTIVE:
        endpoint.state = EndpointState.ACTIVE
        endpoint.rest_until, endpoint.failures_running, endpoint.failing_since = None, 0, None
        _write_down(session, actor, "webhook.resumed", endpoint, now)


def remove(session: Session, actor: Actor, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    """Forget an endpoint with its secrets, messages and log.

    Raises:
        ConflictError: It is switched on; whoever pauses it first sees what is lost.
    """
    _lock(session, endpoint)
    if endpoint.state is EndpointState.ACTIVE:
        raise ConflictError("the endpoint is switched on; pause it first")
    _write_down(session, actor, "webhook.removed", endpoint, now)
    session.execute(sa.delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id))


def rotate(
    session: Session, actor: Actor, endpoint: WebhookEndpoint, *, overlap_hours: int, now: datetime
) -> str:
    """Give an endpoint a new secret; the old ones sign beside it for a while.

    Args:
        overlap_hours: How long; 0 ends them at once, as after a leak.

    Raises:
        InvalidInputError: The overlap is too long, or negative.
        ConflictError: So many secrets are in force already.
    """
    if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
        raise InvalidInputError(
            "the overlap is not possible",
            [{"detail": f"between 0 and {OVERLAP_HOURS_MAX} hours", "pointer": "/overlap_hours"}],
        )
    _lock(session, endpoint)
    ends_at = now + timedelta(hours=overlap_hours)
    session.execute(
        sa.update(WebhookSecret)
        .where(
            WebhookSecret.endpoint_id == endpoint.id,
            sa.or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > ends_at),
        )
        .values(expires_at=ends_at)
        .execution_options(synchronize_session="fetch")
    )
    session.execute(
        sa.delete(WebhookSecret).where(
            WebhookSecret.endpoint_id == endpoint.id, WebhookSecret.expires_at <= now
        )
    )
    if len(queue.keys_in_force(session, endpoint.id, now)) >= _KEYS_MAX:
        raise ConflictError(f"{_KEYS_MAX} secrets are in force; end the old ones with an overlap of 0 hours")
    _write_down(session, actor, "webhook.rotated", endpoint, now)
    return _add_key(session, endpoint, now)


def ping(session: Session, endpoint: WebhookEndpoint, *, now: datetime) -> WebhookMessage:
    """Send a test message, tried once and at once, also to an endpoint that rests.

    Raises:
        ConflictError: The endpoint is paused or gone.
    """
    _wake(session, endpoint)
    event_key = f"ping:{events.new_message_key()}"
    events.add_messages(
        session,
        endpoint.tenant_id,
        [endpoint.id],
        event_type=PING,
        event_key=event_key,
        body=events.document(PING, now, {"endpoint_id": endpoint.id}),
        now=now,
    )
    return session.scalars(
        sa.select(WebhookMessage).where(
            WebhookMessage.endpoint_id == endpoint.id, WebhookMessage.event_key == event_key
        )
    ).one()


def replay(session: Session, endpoint: WebhookEndpoint, message: WebhookMessage, *, now: datetime) -> None:
    """Send a message again under its id, delivered or not, with all its tries before it.

    Raises:
        ConflictError: It waits anyway, or the endpoint is paused or gone.
    """
    _wake(session, endpoint)
    session.refresh(message, with_for_update=True)
    if message.state is MessageState.WAITING:
        raise ConflictError("this message waits to be sent anyway")
    message.state, message.ended_at, message.tries = MessageState.WAITING, None, 0
    message.released_at = message.due_at = now


def replay_failed(session: Session, endpoint: WebhookEndpoint, *, since: datetime, now: datetime) -> int:
    """Send again everything that failed and was made at or after a moment; gives how many messages.

    Raises:
        ConflictError: The endpoint is paused or gone.
    """
    _wake(session, endpoint)
    rows = session.execute(
        sa.update(WebhookMessage)
        .where(
            WebhookMessage.endpoint_id == endpoint.id,
            sa.text("state = 'failed'"),  # written out, so that the partial index answers it
            WebhookMessage.created_at >= since,
        )
        .values(state=MessageState.WAITING, ended_at=None, tries=0, released_at=now, due_at=now)
        .returning(WebhookMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(rows.all())


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: the endpoints of the dropped one are the kept one's."""
    session.execute(
        sa.update(WebhookEndpoint).where(WebhookEndpoint.customer_id == drop_id).values(customer_id=keep_id)
    )


def _columns(wanted: EndpointInput) -> dict[str, Any]:
    return {
        "url": wanted.url,
        "description": wanted.description.strip(),
        "event_types": sorted(wanted.event_types),
        "milestones": sorted(wanted.milestones),
        "contact_email": wanted.contact_email,
        "locale": wanted.locale,
    }


def _add_key(session: Session, endpoint: WebhookEndpoint, now: datetime) -> str:
    key = signing.new_key()
    session.add(WebhookSecret(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, key=key, created_at=now))
    return signing.secret_text(key)


def _write_down(
    session: Session, actor: Actor, action: str, endpoint: WebhookEndpoint, now: datetime
) -> None:
    audit(
        session,
        actor,
        action,
        subject_kind="webhook_endpoint",
        subject_id=endpoint.id,
        now=now,
        details={"url": endpoint.url},
    )


def _lock(session: Session, endpoint: WebhookEndpoint) -> None:
    """Wait for whoever is changing the endpoint, and look at it again."""
    session.flush()  # the look drops what this session has changed and not written yet
    session.refresh(endpoint, with_for_update=True)


def _wake(session: Session, endpoint: WebhookEndpoint) -> None:
    """Somebody wants something sent now: an endpoint that rests is tried again at once.

    Raises:
        ConflictError: It is paused or gone.
    """
    _lock(session, endpoint)
    if endpoint.state is not EndpointState.ACTIVE:
        raise ConflictError("the endpoint is switched off; switch it on first")
    endpoint.rest_until = None
