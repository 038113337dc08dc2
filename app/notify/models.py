"""What is to be told to whom, and whether it has been."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.notify.quiet import QuietHours


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
        sa.Index(
            "ix_notification_about",
            "tenant_id",
            "about",
            postgresql_where=sa.text("about IS NOT NULL AND sent_at IS NULL AND dropped_at IS NULL"),
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
    # News that nobody asked for: it keeps quiet hours, by the clock of `offset_minutes`, and stays away from
    # who has opted out. What it is about names the thing whose later news makes it stale.
    courtesy: Mapped[bool] = mapped_column(default=False)
    about: Mapped[str | None]
    quiet_from_minute: Mapped[int | None]
    quiet_to_minute: Mapped[int | None]
    offset_minutes: Mapped[int | None]

    @property
    def quiet(self) -> QuietHours | None:
        """When it may not be sent; None where it always may."""
        if self.quiet_from_minute is None or self.quiet_to_minute is None or self.offset_minutes is None:
            return None
        return QuietHours(self.quiet_from_minute, self.quiet_to_minute, self.offset_minutes)

    def forget(self) -> None:
        """Drop the words of a message whose content is a secret."""
        if self.secret:
            self.params, self.body = {}, ""


class NotificationOptOut(Identified, TenantScoped, Base):
    """A phone number or mail address that wants no news from a company; codes and answers still come."""

    __tablename__ = "notification_opt_out"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "recipient"),)

    recipient: Mapped[str]
    created_at: Mapped[datetime]
