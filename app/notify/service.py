"""What happens to messages: written down with their cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.notify.models import Channel, Notification, NotificationOptOut
from app.notify.quiet import QuietHours
from app.notify.template import Template


@dataclass(frozen=True, slots=True)
class Courtesy:
    """That a message is news: `about` names the thing it tells of, `quiet` when nobody is to be disturbed."""

    about: str
    quiet: QuietHours


def send_later(
    session: Session,
    template: Template,
    params: Mapping[str, str],
    *,
    channel: Channel,
    recipient: str,
    locale: str,
    now: datetime,
    expires_at: datetime | None = None,
    secret: bool = False,
    courtesy: Courtesy | None = None,
) -> Notification:
    """Write a message in the caller's transaction; `jobs.deliver` sends it after the commit.

    Args:
        template: What is said; a constant of the room that says it.
        params: Values of the template's placeholders.
        channel: By what it travels.
        recipient: A mail address, or a phone number in international form (+86...).
        locale: The recipient's language, one of `template.LOCALES`.
        expires_at: When it is of no use any more, so that it is not sent late.
        secret: Its words are forgotten once it was sent or has expired.
        courtesy: Where it is news that nobody asked for: when it must be quiet, and what it is about. Unsent
            news about the same thing is dropped, since this is newer.
    """
    subject, body = template.render(locale, params)
    notification = Notification(
        tenant_id=tenant_of(session),
        channel=channel,
        recipient=recipient,
        template=template.name,
        params=dict(params),
        subject=subject,
        body=body,
        secret=secret,
        created_at=now,
        available_at=now,
        expires_at=expires_at,
    )
    if courtesy is not None:
        _as_news(session, notification, courtesy, now)
    session.add(notification)
    session.flush()  # callers keep the id beside what they tell
    return notification


def wants_news(session: Session, recipient: str) -> bool:
    """Whether a phone number or mail address has not opted out of news."""
    found = session.scalar(sa.select(NotificationOptOut.id).where(NotificationOptOut.recipient == recipient))
    return found is None


def opt_out(session: Session, recipient: str, *, now: datetime) -> None:
    """Send no more news there; again is no harm."""
    session.execute(
        insert(NotificationOptOut)
        .values(tenant_id=tenant_of(session), recipient=recipient, created_at=now)
        .on_conflict_do_nothing()
    )


def opt_in(session: Session, recipient: str) -> None:
    """Send news there again; again is no harm."""
    session.execute(sa.delete(NotificationOptOut).where(NotificationOptOut.recipient == recipient))


def _as_news(session: Session, notification: Notification, courtesy: Courtesy, now: datetime) -> None:
    session.execute(
        sa.update(Notification)
        .where(
            Notification.about == courtesy.about,
            Notification.sent_at.is_(None),
            Notification.dropped_at.is_(None),
        )
        .values(dropped_at=now)
    )
    notification.courtesy, notification.about = True, courtesy.about
    notification.quiet_from_minute = courtesy.quiet.from_minute
    notification.quiet_to_minute = courtesy.quiet.to_minute
    notification.offset_minutes = courtesy.quiet.offset_minutes
    notification.available_at = courtesy.quiet.allowed_from(now)
