"""What happened at the door beside the scan: cash that was paid, who signed for another, tries of a code."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class Means(enum.StrEnum):
    """By what the consignee paid the courier."""

    CASH = "cash"
    CARD = "card"
    QR = "qr"


class Relation(enum.StrEnum):
    """Who signs for the consignee."""

    FAMILY = "family"
    NEIGHBOUR = "neighbour"
    COLLEAGUE = "colleague"
    RECEPTION = "reception"
    OTHER = "other"


class CashCollection(Identified, TenantScoped, Base):
    """What was paid at a delivery, by the scan that delivered; told to the ledger by `cod.collected`.

    `charge_minor` is the part of it that pays the carriage; the rest is cash for the shipper.
    """

    __tablename__ = "cash_collection"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="something_was_paid"),
        sa.CheckConstraint("charge_minor BETWEEN 0 AND amount_minor", name="charge_is_part_of_it"),
        # Paid once, until a voided scan says that it was not.
        sa.Index(
            "uq_cash_collection_standing",
            "shipment_id",
            unique=True,
            postgresql_where=sa.text("reversed_at IS NULL"),
        ),
    )

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    scan_key: Mapped[str] = mapped_column(unique=True)
    courier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("courier.id"))
    facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    amount_minor: Mapped[int]
    charge_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(sa.String(3))
    means: Mapped[Means] = mapped_column(enum_by_value(Means))
    collected_at: Mapped[datetime]
    reversed_at: Mapped[datetime | None]


class ProxyReceipt(Identified, TenantScoped, Base):
    """Who signed for the consignee, in what relation to him, and the consent that rests upon."""

    __tablename__ = "proxy_receipt"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)
    scan_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    relation: Mapped[Relation] = mapped_column(enum_by_value(Relation))
    consent_id: Mapped[int] = mapped_column(sa.ForeignKey("delivery_consent.id"))


class DoorCode(TenantScoped, Base):
    """How often the code of a shipment was given wrongly; the code itself is computed, not stored."""

    __tablename__ = "door_code"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), primary_key=True)
    tries: Mapped[int] = mapped_column(default=0)
