"""The shipment with its folded state, its planned legs, and every scan that was ever heard."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from routing.network import Handover, Mode
from tracking.instructions import InstructionKind
from tracking.shipment import Milestone, ScanCode


class ProofKind(enum.StrEnum):
    """How a delivery is proved."""

    SIGNATURE = "signature"
    PHOTO = "photo"
    CODE = "code"


class Service(enum.StrEnum):
    """How fast a parcel is meant to travel."""

    STANDARD = "standard"
    EXPRESS = "express"


class ShipmentBooking(Identified, TenantScoped, Base):
    """What one shipper sends to one consignee under one waybill number, as it was booked and promised.

    The id is drawn first (`nextval`), since the waybill number is its keyed permutation.
    """

    __tablename__ = "shipment"
    __table_args__: tuple[Any, ...] = (
        sa.Index("ix_shipment_customer_booked", "tenant_id", "customer_id", "booked_at"),
        sa.Index("ix_shipment_consignee", "tenant_id", "consignee_customer_id", "booked_at"),
        sa.Index("ix_shipment_booked", "tenant_id", "booked_at", "id"),
        sa.Index("ix_shipment_reference", "tenant_id", "reference"),
        sa.Index("ix_shipment_sender_phone", "tenant_id", "sender_phone"),
        sa.Index("ix_shipment_consignee_phone", "tenant_id", "consignee_phone"),
        sa.CheckConstraint("pieces > 0 AND weight_g > 0", name="has_goods"),
        sa.CheckConstraint(
            "declared_value_minor >= 0 AND cod_minor >= 0 AND door_charge_minor >= 0",
            name="money_not_negative",
        ),
        {"postgresql_with": {"fillfactor": 85}},
    )

    waybill_number: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    consignee_customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    reference: Mapped[str | None]

    sender_name: Mapped[str]
    sender_phone: Mapped[str]
    sender_district_adcode: Mapped[str] = mapped_column(sa.ForeignKey("district.adcode"))
    sender_address: Mapped[str]
    sender_latitude: Mapped[float] = mapped_column(sa.Double)
    sender_longitude: Mapped[float] = mapped_column(sa.Double)
    consignee_name: Mapped[str]
    consignee_phone: Mapped[str]
    consignee_district_adcode: Mapped[str] = mapped_column(sa.ForeignKey("district.adcode"))
    consignee_address: Mapped[str]
    consignee_latitude: Mapped[float] = mapped_column(sa.Double)
    consignee_longitude: Mapped[float] = mapped_column(sa.Double)

    goods: Mapped[str]
    pieces: Mapped[int]
    weight_g: Mapped[int]
    volume_cm3: Mapped[int]
    service: Mapped[Service] = mapped_column(enum_by_value(Service))
    pickup_handover: Mapped[Handover] = mapped_column(enum_by_value(Handover, name="pickup_handover"))
    delivery_handover: Mapped[Handover] = mapped_column(enum_by_value(Handover, name="delivery_handover"))
    currency: Mapped[str] = mapped_column(sa.String(3))
    declared_value_minor: Mapped[int]
    cod_minor: Mapped[int]
    # What the consignee has accepted to pay at his door of the carriage itself, beside that.
    door_charge_minor: Mapped[int] = mapped_column(default=0)

    origin_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    # The store, locker or collective point where the parcel changes hands, if it is one.
    pickup_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    delivery_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    booked_at: Mapped[datetime]
    booked_offset_minutes: Mapped[int]
    # The first promise is what the customer was told; the estimate moves with every scan.
    promised_from_at: Mapped[datetime]
    promised_to_at: Mapped[datetime]
    estimate_p50_at: Mapped[datetime]
    estimate_p80_at: Mapped[datetime]
    estimate_p95_at: Mapped[datetime]
    # From when on it no longer holds if nothing has been heard; None until something was heard or it aged.
    estimate_ages_at: Mapped[datetime | None]
    # It was made knowing that nothing had been heard for longer than is usual.
    estimate_aged: Mapped[bool] = mapped_column(default=False)
    # By when it is heard of again, as far as that can be told; counts while it is later than `state_since`.
    quiet_until_at: Mapped[datetime | None]

    # Five wrong phone endings lock the details of a number (see docs: privacy).
    phone_tries: Mapped[int] = mapped_column(default=0)
    phone_locked_until: Mapped[datetime | None]


class Shipment(ShipmentBooking):
    """A booked shipment with the state that its scans fold to.

    The state lies in a narrow table of its own, since every scan writes a new version of it: a row of a
    hundred bytes costs a third of what one with all names and addresses does. What a scan changes stands in
    no index but for the ends of a parcel's life, so that the new version stays on its page (PostgreSQL's
    heap-only tuples) and costs no index entry.
    """

    __tablename__ = "shipment_state"
    __table_args__ = (
        sa.Index("ix_shipment_state_open", "shipment_id", postgresql_where=sa.text("NOT terminal")),
        sa.Index(
            "ix_shipment_state_unconfirmed",
            "delivered_at",
            postgresql_where=sa.text("delivered_at IS NOT NULL AND receipt_confirmed_at IS NULL"),
        ),
        sa.Index(
            "ix_shipment_state_merge",
            "merge_group_id",
            postgresql_where=sa.text("merge_group_id IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 45}},
    )

    shipment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True
    )
    # Where it is bound for, which a redirection changes; a scan there is told to others.
    destination_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    # What it is merged with on its way, if with anything: those wait for its scans.
    merge_group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("merge_group.id"))
    milestone: Mapped[Milestone] = mapped_column(enum_by_value(Milestone))
    code: Mapped[ScanCode] = mapped_column(enum_by_value(ScanCode))
    state_since: Mapped[datetime]
    state_facility_id: Mapped[int | None]
    state_courier_id: Mapped[int | None]
    # The scan that decided the state, and the facility that saw the parcel last, whatever has come since.
    state_scan_key: Mapped[str] = mapped_column(default="")
    seen_facility_id: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    terminal: Mapped[bool] = mapped_column(default=False)
    # Whether the fold found something odd; saves looking for findings to close at every scan.
    has_findings: Mapped[bool] = mapped_column(default=False)
    # What whoever scans it must know at once; the wish itself lies in `app.deliveries`.
    instruction: Mapped[InstructionKind | None] = mapped_column(enum_by_value(InstructionKind))
    delivered_at: Mapped[datetime | None]
    receipt_confirmed_at: Mapped[datetime | None]
    # While a courier is on his round: when he comes, and after how many other stops where these are few.
    round_from_at: Mapped[datetime | None]
    round_to_at: Mapped[datetime | None]
    stops_away: Mapped[int | None] = mapped_column(sa.SmallInteger)
    # All scans at their smallest (`tracking.trail`): the state goes on from it. None where only the fold over
    # whole scans tells the state: several pieces, a correction among them, or too many.
    trail: Mapped[bytes | None]

    @property
    def due_at_door_minor(self) -> int:
        """All that is to be collected from the consignee, in minor units."""
        return self.cod_minor + self.door_charge_minor

    legs: Mapped[list[ShipmentLeg]] = relationship(
        back_populates="shipment", order_by="ShipmentLeg.sequence", cascade="all, delete-orphan"
    )
    scans: Mapped[list[ScanRecord]] = relationship(
        back_populates="shipment",
        primaryjoin=lambda: orm.foreign(ScanRecord.shipment_id) == Shipment.id,
        order_by="ScanRecord.occurred_at, ScanRecord.scan_key",
    )


class ShipmentLeg(Identified, TenantScoped, Base):
    """A planned line-haul of a shipment's itinerary."""

    __tablename__ = "shipment_leg"
    __table_args__ = (sa.UniqueConstraint("shipment_id", "sequence"),)

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    lane_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lane.id"))
    from_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    to_facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    carrier_party_id: Mapped[int] = mapped_column(sa.ForeignKey("party.id"))
    mode: Mapped[Mode] = mapped_column(enum_by_value(Mode))
    distance_m: Mapped[int]
    planned_departure_at: Mapped[datetime]
    planned_arrival_at: Mapped[datetime]

    shipment: Mapped[Shipment] = relationship(back_populates="legs")


class ScanRecord(TenantScoped, Base):
    """One event heard from a device; append-only. A correction is another scan that names this one.

    In partitions by the month in which its shipment was booked: the scans of a parcel lie together, age
    together, and a scan that is sent again with another time meets its first one. The key is a digest of
    tenant, device and the device's own id, so its uniqueness is theirs. Rows are written by
    `app.shipments.scan_store` alone, many a second; what they refer to has been looked up by then, and the
    foreign keys that would look again, row by row, are left out.
    """

    __tablename__ = "scan"
    __table_args__ = (
        sa.Index("ix_scan_shipment", "shipment_id"),
        sa.Index("ix_scan_user", "user_id", "received_at", postgresql_where=sa.text("user_id IS NOT NULL")),
        sa.Index("ix_scan_corrects", "corrects", postgresql_where=sa.text("corrects IS NOT NULL")),
        sa.Index(
            "ix_scan_container",
            "container_id",
            "occurred_at",
            postgresql_where=sa.text("container_id IS NOT NULL"),
        ),
        {"postgresql_partition_by": "RANGE (shipment_month)"},
    )

    tenant_id: Mapped[int] = mapped_column(sort_order=-1)
    shipment_month: Mapped[date] = mapped_column(primary_key=True)
    scan_key: Mapped[str] = mapped_column(primary_key=True)
    shipment_id: Mapped[int]
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
    # Which piece of a shipment of several; none where it speaks of all of them.
    piece_no: Mapped[int | None]
    # Of a scan that was made of the outside of a container: its key follows from that scan's.
    container_id: Mapped[int | None]

    shipment: Mapped[Shipment] = relationship(
        back_populates="scans", primaryjoin=lambda: orm.foreign(ScanRecord.shipment_id) == Shipment.id
    )


class EstimateRequest(Identified, TenantScoped, Base):
    """Shipments that moved and whose estimate is to be renewed; the row goes when that is done."""

    __tablename__ = "estimate_request"

    shipment_ids: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.BigInteger))
    asked_at: Mapped[datetime]


class UnmatchedScan(Identified, TenantScoped, Base):
    """A scan of a number nobody booked: kept, shown to the hub, never lost."""

    __tablename__ = "unmatched_scan"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "device_id", "client_scan_id"),)

    device_id: Mapped[str]
    client_scan_id: Mapped[str]
    number: Mapped[str]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class DeliveryProof(Identified, TenantScoped, Base):
    """Who received a shipment and how that is proved."""

    __tablename__ = "delivery_proof"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    scan_key: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[ProofKind] = mapped_column(enum_by_value(ProofKind))
    received_by: Mapped[str]
    content_type: Mapped[str | None]
    content: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    at: Mapped[datetime]
