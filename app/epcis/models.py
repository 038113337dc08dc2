"""Events as partners sent them, and the captures they came by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped


class EpcisEvent(Identified, TenantScoped, Base):
    """An event as it was received; append-only. An error declaration is another row under the same event id.

    What is asked for stands beside the body in columns of its own. `epcs` and `any_epcs` hold the event's
    EPCs, and for each that names a parcel of ours also `parcel:<number>`, so that every spelling of a number
    is found by every other; `numbers` are those numbers.
    """

    __tablename__ = "epcis_event"
    __table_args__ = (
        sa.Index(
            "uq_epcis_event_id",
            "tenant_id",
            "event_id",
            unique=True,
            postgresql_where=sa.text("declared_at IS NULL"),
        ),
        sa.Index("uq_epcis_event_content", "tenant_id", "event_id", "digest", unique=True),
        sa.Index("ix_epcis_event_time", "tenant_id", "event_time", "id"),
        sa.Index("ix_epcis_event_epcs", "epcs", postgresql_using="gin"),
        sa.Index("ix_epcis_event_any_epcs", "any_epcs", postgresql_using="gin"),
        sa.Index("ix_epcis_event_numbers", "numbers", postgresql_using="gin"),
        sa.Index("ix_epcis_event_scan_keys", "scan_keys", postgresql_using="gin"),
    )

    event_id: Mapped[str]
    digest: Mapped[str]
    # The time of its error declaration; None for the event itself.
    declared_at: Mapped[datetime | None]
    event_time: Mapped[datetime]
    biz_step: Mapped[str | None]
    biz_location: Mapped[str | None]
    epcs: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    any_epcs: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    numbers: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    # The scans that were made of it.
    scan_keys: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    body: Mapped[dict[str, Any]]
    # What its document's context had beside that of the standard.
    context: Mapped[list[Any]]
    # The device that its scans were recorded by.
    source: Mapped[str]
    capture_id: Mapped[int | None] = mapped_column(sa.ForeignKey("epcis_capture.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]


class EpcisCapture(Identified, TenantScoped, Base):
    """A document that was handed in: a job that is done at once, or waits for a worker when it is large."""

    __tablename__ = "epcis_capture"
    __table_args__ = (
        sa.Index("ix_epcis_capture_waiting", "id", postgresql_where=sa.text("finished_at IS NULL")),
        sa.CheckConstraint("behaviour IN ('rollback', 'proceed')", name="known_behaviour"),
        sa.CheckConstraint("finished_at IS NULL OR document IS NULL", name="forgets_its_document"),
    )

    behaviour: Mapped[str]
    # The document while it waits.
    document: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    given: Mapped[int]
    captured: Mapped[int] = mapped_column(default=0)
    # Known already, with the same content.
    repeated: Mapped[int] = mapped_column(default=0)
    success: Mapped[bool] = mapped_column(default=True)
    errors: Mapped[list[Any]] = mapped_column(default=list)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    scopes: Mapped[list[Any]]
    token_id: Mapped[int | None]
