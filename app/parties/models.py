"""Parties: the owners of ledger accounts."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class PartyKind(enum.StrEnum):
    """What a party is to the platform."""

    PLATFORM = "platform"
    OUTLET = "outlet"
    HUB = "hub"
    CARRIER = "carrier"
    COURIER = "courier"
    CUSTOMER = "customer"


class Party(Identified, TenantScoped, Base):
    """An organisation or person that money can belong to."""

    __tablename__ = "party"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "code"),)

    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[PartyKind] = mapped_column(enum_by_value(PartyKind))
    created_at: Mapped[datetime]
