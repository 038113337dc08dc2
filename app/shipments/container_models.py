"""Bags, manifests and trips as rows, what is in them, and the scans of their outsides.

They stand with the shipments because a scan of an outside is a scan of every shipment inside, in the same
transaction; what people do with containers is a room of its own (`app.containers`).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from tracking.container_states import ContainerStatus
from tracking.containers import ContainerKind, PackingAction
from tracking.shipment import ScanCode


class Container(Identified, TenantScoped, Base):
    """A bag, a list of what is handed over, or a vehicle's journey.

    The id is drawn first (`nextval`), since the number is made of it. The times are those of the devices.
    """

    __tablename__ = "container"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "number"),
        sa.Index("ix_container_under_way", "tenant_id", "id", postgresql_where=sa.text("status <> 'broken'")),
        sa.CheckConstraint("from_facility_id <> to_facility_id", name="leads_somewhere"),
    )

    kind: Mapped[ContainerKind] = mapped_column(enum_by_value(ContainerKind))
    number: Mapped[str]
    status: Mapped[ContainerStatus] = mapped_column(enum_by_value(ContainerStatus))
    from_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    # None where it roams.
    to_facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    # Of a trip: the line-haul it is, and when that leaves.
    lane_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lane.id"))
    departs_at: Mapped[datetime | None]
    vehicle: Mapped[str | None]
    seal_number: Mapped[str | None]
    opened_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    received_facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    # When somebody said that all of it has been scanned: from here on what is missing is missing.
    counted_at: Mapped[datetime | None]
    broken_at: Mapped[datetime | None]


class ContainerItem(Identified, TenantScoped, Base):
    """A piece or a container in a container, kept in step with the packing events.

    What is taken out before the container is received loses its row. What is received keeps it, so that the
    dock's comparison stands when the container is long broken: `checked_at` says that it was seen there,
    `surplus` that nobody had packed it.
    """

    __tablename__ = "container_item"
    __table_args__ = (
        # A thing is in one container at a time.
        sa.Index(
            "uq_container_item_piece",
            "shipment_id",
            "piece_no",
            unique=True,
            postgresql_where=sa.text("shipment_id IS NOT NULL AND released_at IS NULL AND NOT surplus"),
        ),
        sa.Index(
            "uq_container_item_child",
            "child_id",
            unique=True,
            postgresql_where=sa.text("child_id IS NOT NULL AND released_at IS NULL AND NOT surplus"),
        ),
        # And listed once in each.
        sa.Index(
            "uq_container_item_listed",
            "container_id",
            "shipment_id",
            "piece_no",
            "child_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(
            "(shipment_id IS NULL) = (piece_no IS NULL) AND (shipment_id IS NULL) <> (child_id IS NULL)",
            name="is_piece_or_container",
        ),
        sa.CheckConstraint("child_id <> container_id", name="not_in_itself"),
    )

    container_id: Mapped[int] = mapped_column(sa.ForeignKey("container.id"))
    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"))
    piece_no: Mapped[int | None]
    child_id: Mapped[int | None] = mapped_column(sa.ForeignKey("container.id"))
    packed_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    surplus: Mapped[bool] = mapped_column(default=False)


class PackingRecord(Identified, TenantScoped, Base):
    """What a device put into a container, took out or saw at the dock, at one moment; append-only.

    The key is a digest of tenant, device and the device's own id, as that of a scan is.
    """

    __tablename__ = "packing_event"
    __table_args__ = (
        sa.Index("ix_packing_event_container", "container_id", "occurred_at"),
        sa.Index("ix_packing_event_shipments", "shipment_ids", postgresql_using="gin"),
    )

    event_key: Mapped[str] = mapped_column(unique=True)
    container_id: Mapped[int] = mapped_column(sa.ForeignKey("container.id"))
    action: Mapped[PackingAction] = mapped_column(enum_by_value(PackingAction))
    device_id: Mapped[str]
    client_event_id: Mapped[str]
    occurred_at: Mapped[datetime]
    offset_minutes: Mapped[int]
    received_at: Mapped[datetime]
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    # Side by side: the n-th piece is of the n-th shipment.
    shipment_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    piece_nos: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    child_ids: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))


class ContainerScan(TenantScoped, Base):
    """A scan of a container's outside; append-only. What it meant for those inside are scans of their own."""

    __tablename__ = "container_scan"
    __table_args__ = (
        sa.Index("ix_container_scan_container", "container_id", "occurred_at"),
        sa.Index("ix_container_scan_user", "user_id", "received_at"),
        sa.Index("ix_container_scan_corrects", "corrects", postgresql_where=sa.text("corrects IS NOT NULL")),
    )

    scan_key: Mapped[str] = mapped_column(primary_key=True)
    container_id: Mapped[int] = mapped_column(sa.ForeignKey("container.id"))
    device_id: Mapped[str]
    client_scan_id: Mapped[str]
    code: Mapped[ScanCode] = mapped_column(enum_by_value(ScanCode))
    occurred_at: Mapped[datetime]
    offset_minutes: Mapped[int]
    received_at: Mapped[datetime]
    facility_id: Mapped[int | None]
    courier_id: Mapped[int | None]
    user_id: Mapped[int | None]
    reason: Mapped[str | None]
    corrects: Mapped[str | None]
