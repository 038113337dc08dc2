"""Questions about messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.notify.models import Channel, Notification


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages of a channel that have not left: how many, since when, and what the last failure said."""

    channel: Channel
    count: int
    oldest_at: datetime
    last_error: str | None


def waiting(session: Session) -> Sequence[Waiting]:
    """What waits to be sent, by channel; a session that sees every tenant counts them all."""
    rows = session.execute(
        sa.select(
            Notification.channel,
            sa.func.count(),
            sa.func.min(Notification.created_at),
            sa.func.max(Notification.last_error),
        )
        .where(Notification.sent_at.is_(None), Notification.dropped_at.is_(None))
        .group_by(Notification.channel)
        .order_by(Notification.channel)
    )
    return [Waiting(*row) for row in rows]
