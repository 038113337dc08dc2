"""What happens to messages: written down with their cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.notify.models import Channel, Notification
from app.notify.template import Template


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
    session.add(notification)
    session.flush()  # callers keep the id beside what they tell
    return notification
