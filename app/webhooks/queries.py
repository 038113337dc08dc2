"""Questions about webhooks; `load_endpoint` and `load_message` guard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.customers.models import Customer
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of
from app.webhooks.models import (
    MessageState,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookMessage,
    WebhookSecret,
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages of an endpoint wait, and how many failed."""

    waiting: int = 0
    failed: int = 0


def load_endpoint(session: Session, actor: Actor, endpoint_id: int) -> WebhookEndpoint:
    """An endpoint, if the asker may know of it: a shipper of his customer's, an administrator of all.

    Raises:
        NotFoundError: There is none, or it is none of the asker's; one answer for both.
    """
    endpoint = session.scalar(
        sa.select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id, _visible(actor))
    )
    if endpoint is None:
        raise NotFoundError("no such webhook")
    return endpoint


def load_message(session: Session, endpoint: WebhookEndpoint, message_key: str) -> WebhookMessage:
    """A message of an endpoint that was loaded for the asker.

    Raises:
        NotFoundError: The endpoint has no such message.
    """
    message = session.scalar(
        sa.select(WebhookMessage).where(
            WebhookMessage.message_key == message_key, WebhookMessage.endpoint_id == endpoint.id
        )
    )
    if message is None:
        raise NotFoundError("no such message")
    return message


def endpoints(session: Session, actor: Actor, cursor: str | None, limit: int) -> Page[WebhookEndpoint]:
    """The endpoints that the asker may know of, the newest first."""
    statement = sa.select(WebhookEndpoint).where(_visible(actor))
    if cursor is not None:
        (before,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(WebhookEndpoint.id < before)
    rows = session.scalars(statement.order_by(WebhookEndpoint.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.id,))


def messages(
    session: Session,
    endpoint: WebhookEndpoint,
    *,
    state: MessageState | None = None,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int,
) -> Page[WebhookMessage]:
    """An endpoint's messages, the newest first."""
    statement = sa.select(WebhookMessage).where(WebhookMessage.endpoint_id == endpoint.id)
    if state is not None:
        statement = statement.where(_is(state))
    if since is not None:
        statement = statement.where(WebhookMessage.created_at >= since)
    if cursor is not None:
        (before,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(WebhookMessage.id < before)
    rows = session.scalars(statement.order_by(WebhookMessage.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda row: (row.id,))


def attempts(session: Session, message: WebhookMessage) -> Sequence[WebhookAttempt]:
    """Every try to deliver a message, the latest first."""
    return session.scalars(
        sa.select(WebhookAttempt)
        .where(WebhookAttempt.message_id == message.id)
        .order_by(WebhookAttempt.number.desc())
    ).all()


def last_attempts(session: Session, message_ids: Collection[int]) -> dict[int, WebhookAttempt]:
    """The latest try of each of some messages, by message."""
    rows = session.scalars(
        sa.select(WebhookAttempt)
        .join(WebhookMessage, WebhookMessage.id == WebhookAttempt.message_id)
        .where(WebhookAttempt.message_id.in_(message_ids), WebhookAttempt.number == WebhookMessage.attempts)
    )
    return {attempt.message_id: attempt for attempt in rows}


def tallies(session: Session, endpoint_ids: Collection[int]) -> dict[int, Tally]:
    """How many messages wait and how many failed, by endpoint."""
    waiting = _counts(session, endpoint_ids, MessageState.WAITING)
    failed = _counts(session, endpoint_ids, MessageState.FAILED)
    return {one: Tally(waiting.get(one, 0), failed.get(one, 0)) for one in endpoint_ids}


def customer_names(session: Session, endpoints: Sequence[WebhookEndpoint]) -> dict[int, str]:
    """Whose the endpoints are that are not the company's own, by customer."""
    wanted = {row.customer_id for row in endpoints if row.customer_id is not None}
    rows = session.execute(sa.select(Customer.id, Customer.name).where(Customer.id.in_(wanted)))
    return dict(rows.all())


def secrets_of(session: Session, endpoint: WebhookEndpoint, now: datetime) -> Sequence[WebhookSecret]:
    """The secrets in force, the newest first: when they were made and when they end."""
    return session.scalars(
        sa.select(WebhookSecret)
        .where(
            WebhookSecret.endpoint_id == endpoint.id,
            sa.or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > now),
        )
        .order_by(WebhookSecret.id.desc())
    ).all()


def _counts(session: Session, endpoint_ids: Collection[int], state: MessageState) -> dict[int, int]:
    rows = session.execute(
        sa.select(WebhookMessage.endpoint_id, sa.func.count())
        .where(WebhookMessage.endpoint_id.in_(endpoint_ids), _is(state))
        .group_by(WebhookMessage.endpoint_id)
    )
    return dict(rows.all())


def _is(state: MessageState) -> sa.ColumnElement[bool]:
    """The state written out, not as a parameter, so that the partial indexes can answer."""
    return WebhookMessage.state == sa.literal_column(f"'{state.value}'")


def _visible(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.role == Role.SHIPPER:
        return WebhookEndpoint.customer_id == actor.subject_id
    return sa.true() if actor.may(Scope.WEBHOOKS_WRITE) else sa.false()
