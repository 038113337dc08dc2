"""What was asked about a parcel on its way, and what its consignee consented to."""

from __future__ import annotations

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value
from app.network.models import Facility
from app.shipments.models import Shipment
from routing.network import Handover
from tracking.instructions import Asker, InstructionKind, InstructionRefusal, Standing


class Access(enum.StrEnum):
    """How it was known that somebody may ask."""

    TRACKING_LINK = "tracking_link"
    LOGIN = "login"


class PriceBearer(enum.StrEnum):
    """Who bears what an instruction costs more."""

    COMPANY = "company"
    SHIPPER = "shipper"
    CONSIGNEE = "consignee"


class Instruction(Identified, TenantScoped, Base):
    """What somebody wants of a parcel that is on its way, and what became of the wish."""

    __tablename__ = "delivery_instruction"
    __table_args__ = (
        # One wish at a time, so that nobody has to guess which of two holds.
        sa.Index(
            "uq_delivery_instruction_open",
            "shipment_id",
            unique=True,
            postgresql_where=sa.text("standing IN ('asked', 'accepted')"),
        ),
        sa.Index("ix_delivery_instruction_shipment", "shipment_id", "asked_at"),
        sa.Index("ix_delivery_instruction_standing", "tenant_id", "standing", "id"),
        sa.CheckConstraint("(refusal IS NOT NULL) = (standing = 'refused')", name="refused_with_a_reason"),
        sa.CheckConstraint("window_from_s < window_to_s", name="window_in_order"),
    )

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"))
    kind: Mapped[InstructionKind] = mapped_column(enum_by_value(InstructionKind))
    standing: Mapped[Standing] = mapped_column(enum_by_value(Standing))
    asker: Mapped[Asker] = mapped_column(enum_by_value(Asker))
    access: Mapped[Access] = mapped_column(enum_by_value(Access))
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    asked_at: Mapped[datetime]
    note: Mapped[str]

    # When to come again, by the clock of the delivering outlet.
    day: Mapped[date | None] = mapped_column(sa.Date)
    window_from_s: Mapped[int | None]
    window_to_s: Mapped[int | None]
    # Where to instead, and how it is handed over there.
    handover: Mapped[Handover | None] = mapped_column(enum_by_value(Handover))
    facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"))
    district_adcode: Mapped[str | None] = mapped_column(sa.ForeignKey("district.adcode"))
    address: Mapped[str | None]
    # How it was to be handed over before; what a withdrawn hold goes back to.
    handover_before: Mapped[Handover] = mapped_column(enum_by_value(Handover, name="handover_before"))
    price_difference_minor: Mapped[int]
    # None while nobody has said that he does, and where nothing costs more.
    price_borne_by: Mapped[PriceBearer | None] = mapped_column(enum_by_value(PriceBearer))
    currency: Mapped[str] = mapped_column(sa.String(3))

    refusal: Mapped[InstructionRefusal | None] = mapped_column(enum_by_value(InstructionRefusal))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    ended_at: Mapped[datetime | None]

    shipment: Mapped[Shipment] = relationship()
    facility: Mapped[Facility | None] = relationship()


class ConsentChannel(enum.StrEnum):
    """A way of handing over that somebody other than the consignee at his door is part of."""

    DOOR = "door"
    LOCKER = "locker"
    STORE = "store"
    PROXY = "proxy"


class ConsentSource(enum.StrEnum):
    """How the consignee's word came to us."""

    TRACKING_LINK = "tracking_link"
    INSTRUCTION = "instruction"
    PHONE_CALL = "phone_call"


class DeliveryConsent(Identified, TenantScoped, Base):
    """The consignee said whether a way of handing over suits him; append-only, the latest word holds.

    Without a shipment it is his standing preference; with one it is about that parcel alone.
    """

    __tablename__ = "delivery_consent"
    __table_args__ = (sa.Index("ix_delivery_consent_customer", "customer_id", "channel", "id"),)

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customer.id"))
    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"))
    channel: Mapped[ConsentChannel] = mapped_column(enum_by_value(ConsentChannel))
    granted: Mapped[bool]
    source: Mapped[ConsentSource] = mapped_column(enum_by_value(ConsentSource))
    recorded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    recorded_at: Mapped[datetime]
