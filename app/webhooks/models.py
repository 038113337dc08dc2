"""Who is to be told by webhook, with what secrets, which messages there are, and every try to deliver one."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class EndpointState(enum.StrEnum):
    """Whether messages are made for an endpoint and delivered to it."""

    ACTIVE = "active"
    PAUSED = "paused"
    GONE = "gone"
    """The receiver answered 410: it wants no more."""


class MessageState(enum.StrEnum):
    """What has become of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Failure(enum.StrEnum):
    """Why a try did not succeed, without a word of what the receiver wrote."""

    STATUS = "status"
    REDIRECT = "redirect"
    TIMEOUT = "timeout"
    NAME = "name"
    ADDRESS = "address"
    CONNECTION = "connection"
    TLS = "tls"
    PROTOCOL = "protocol"


class WebhookEndpoint(Identified, TenantScoped, Base):
    """An address that is told of events: of one customer's shipments, or, without a customer, of all."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = (sa.Index("ix_webhook_endpoint_customer", "tenant_id", "customer_id"),)

    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer.id"))
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    event_types: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    # Of `shipment.state_changed` only these milestones; none means all.
    milestones: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    # Who is written to when deliveries fail for good; none: the customer, by phone or mail.
    contact_email: Mapped[str | None]
    locale: Mapped[str]
    state: Mapped[EndpointState] = mapped_column(enum_by_value(EndpointState))
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    created_at: Mapped[datetime]
    # A message was given up on and none has arrived since.
    failing_since: Mapped[datetime | None]

    # Until then nothing is sent here: it asked for a pause, or failed several times running.
    rest_until: Mapped[datetime | None]
    failures_running: Mapped[int] = mapped_column(default=0)
    # One deliverer at a time serves an endpoint; when it dies, another may after this moment.
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None]
    served_at: Mapped[datetime | None]


class WebhookSecret(Identified, TenantScoped, Base):
    """A key that an endpoint's messages are signed with; while keys overlap, with each of them."""

    __tablename__ = "webhook_secret"

    endpoint_id: Mapped[int] = mapped_column(
        sa.ForeignKey("webhook_endpoint.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class WebhookMessage(Identified, TenantScoped, Base):
    """One event for one endpoint: the bytes to send, and when they are to be tried next.

    `event_key` names the event, so that one relayed twice makes one message. `tries` is the place in the
    schedule of waits and begins anew with a replay; `attempts` counts every delivery ever tried.
    """

    __tablename__ = "webhook_message"
    __table_args__ = (
        sa.UniqueConstraint("endpoint_id", "event_key"),
        sa.Index("ix_webhook_message_listed", "endpoint_id", "id"),
        # The queue: the deliverer walks from endpoint to endpoint on it and never meets what is done.
        sa.Index(
            "ix_webhook_message_waiting",
            "endpoint_id",
            "due_at",
            "id",
            postgresql_where=sa.text("state = 'waiting'"),
        ),
        sa.Index(
            "ix_webhook_message_failed",
            "endpoint_id",
            "created_at",
            postgresql_where=sa.text("state = 'failed'"),
        ),
    )

    endpoint_id: Mapped[int] = mapped_column(sa.ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    message_key: Mapped[str] = mapped_column(unique=True)
    event_key: Mapped[str]
    event_type: Mapped[str]
    body: Mapped[str]
    state: Mapped[MessageState] = mapped_column(enum_by_value(MessageState))
    created_at: Mapped[datetime] = mapped_column(index=True)
    # When its present round of tries began: at first its making, then the last replay.
    released_at: Mapped[datetime]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]


class WebhookAttempt(Identified, TenantScoped, Base):
    """One try to deliver a message: when, how long, and how it ended; never what the receiver wrote."""

    __tablename__ = "webhook_attempt"

    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("webhook_message.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    status: Mapped[int | None]
    failure: Mapped[Failure | None] = mapped_column(enum_by_value(Failure))
    detail: Mapped[str | None]
