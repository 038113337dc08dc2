"""The clock's work on messages: send what waits.

A message is marked as sent in the transaction that sent it. Should the process die in between it is sent
again, under the same key: at least once, never lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app.config import Settings
from app.notify.models import Channel, Notification, NotificationOptOut
from app.notify.senders import Message, Sender, SendError, senders_of
from app.notify.template import PUBLIC_URL

log = structlog.get_logger(__name__)

ATTEMPTS_MAX = 10
_AT_ONCE = 50
_FIRST_WAIT_S = 30
_WAIT_S_MAX = 3600


def deliver(session: Session, settings: Settings, now: datetime) -> int:
    """Send what waits on the channels that are set up; the session sees every tenant. Gives how many left."""
    return deliver_by(session, senders_of(settings), now, public_url=settings.public_url)


def deliver_by(
    session: Session, senders: Mapping[Channel, Sender], now: datetime, *, public_url: str = ""
) -> int:
    """Send what waits, by the senders given; what has expired, or is not wanted any more, is dropped instead.

    Args:
        public_url: Where links to pages begin.
    """
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
    wanted = _wanted(session, waiting, now)
    return sum(_send(notification, senders[notification.channel], now, public_url) for notification in wanted)


def _wanted(session: Session, waiting: Sequence[Notification], now: datetime) -> list[Notification]:
    """Without the news that must be quiet still, and the news to who has opted out since it was written."""
    news = [notification for notification in waiting if notification.courtesy]
    opted_out = set()
    if news:
        rows = session.execute(
            sa.select(NotificationOptOut.tenant_id, NotificationOptOut.recipient).where(
                NotificationOptOut.recipient.in_([notification.recipient for notification in news])
            )
        )
        opted_out = {(row.tenant_id, row.recipient) for row in rows}
    found = []
    for notification in waiting:
        allowed_from = now if notification.quiet is None else notification.quiet.allowed_from(now)
        if notification.courtesy and (notification.tenant_id, notification.recipient) in opted_out:
            notification.dropped_at = now
        elif allowed_from > now:
            notification.available_at = allowed_from
        else:
            found.append(notification)
    return found


def _send(notification: Notification, sender: Sender, now: datetime, public_url: str) -> bool:
    message = Message(
        f"notification-{notification.id}",
        notification.recipient,
        notification.subject,
        notification.body.replace(PUBLIC_URL, public_url.rstrip("/")),
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
