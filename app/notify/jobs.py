"""The clock's work on messages: send what waits.

A message is marked as sent in the transaction that sent it. Should the process die in between it is sent
again, under the same key: at least once, never lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.config import Settings
from app.notify.models import Channel, Notification
from app.notify.senders import Message, Sender, SendError, senders_of

log = structlog.get_logger(__name__)

ATTEMPTS_MAX = 10
_AT_ONCE = 50
_FIRST_WAIT_S = 30
_WAIT_S_MAX = 3600


def deliver(session: Session, settings: Settings, now: datetime) -> int:
    """Send what waits on the channels that are set up; the session sees every tenant. Gives how many left."""
    return deliver_by(session, senders_of(settings), now)


def deliver_by(session: Session, senders: Mapping[Channel, Sender], now: datetime) -> int:
    """Send what waits, by the senders given; what has expired is dropped instead."""
    _drop_expired(session, now)
    waiting = session.scalars(
        sa.select(Notification)
        .where(
            Notification.sent_at.is_(None),
            Notification.dropped_at.is_(None),
            Notification.available_at <= now,
            Notification.attempts < ATTEMPTS_MAX,
            Notification.channel.in_(list(senders)),
        )
        .order_by(Notification.available_at, Notification.id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_send(notification, senders[notification.channel], now) for notification in waiting)


def _send(notification: Notification, sender: Sender, now: datetime) -> bool:
    message = Message(
        f"notification-{notification.id}", notification.recipient, notification.subject, notification.body
    )
    try:
        sender.send(message)
    except SendError as error:
        notification.attempts += 1
        notification.last_error = str(error)[:2000]
        wait_s = min(_WAIT_S_MAX, _FIRST_WAIT_S * 2 ** (notification.attempts - 1))
        notification.available_at = now + timedelta(seconds=wait_s)
        log.warning("notify.failed", notification_id=notification.id, attempts=notification.attempts)
        return False
    notification.sent_at = now
    notification.forget()
    return True


def _drop_expired(session: Session, now: datetime) -> None:
    expired = session.scalars(
        sa.select(Notification)
        .where(
            Notification.sent_at.is_(None), Notification.dropped_at.is_(None), Notification.expires_at <= now
        )
        .with_for_update(skip_locked=True)
    )
    for notification in expired:
        notification.dropped_at = now
        notification.forget()
