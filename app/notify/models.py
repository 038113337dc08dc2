"""What is to be told to whom, and whether it has been."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class Channel(enum.StrEnum):
    """By what a message travels."""

    MAIL = "mail"
    SMS = "sms"


class Notification(Identified, TenantScoped, Base):
    """One message to one recipient. It waits until it is sent, or dropped because its time has passed."""

    __tablename__ = "notification"
    __table_args__ = (
        sa.Index(
            "ix_notification_waiting",
            "available_at",
            "id",
            postgresql_where=sa.text("sent_at IS NULL AND dropped_at IS NULL"),
        ),
        sa.CheckConstraint("sent_at IS NULL OR dropped_at IS NULL", name="sent_or_dropped"),
    )

    channel: Mapped[Channel] = mapped_column(enum_by_value(Channel))
    recipient: Mapped[str]
    template: Mapped[str]
    params: Mapped[dict[str, Any]]
    subject: Mapped[str]
    body: Mapped[str]
    # A secret (a one-time code) is forgotten here as soon as it was sent or has expired.
    secret: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]

    def forget(self) -> None:
        """Drop the words of a message whose content is a secret."""
        if self.secret:
            self.params, self.body = {}, ""
