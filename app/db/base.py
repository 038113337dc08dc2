"""The declarative base, the naming convention and the tenant mixin of every table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.types import UtcDateTime

# Names of constraints are part of the schema: a migration can only change what it can name.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all mapped classes: text without length, 64-bit integers, UTC times, JSONB."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {
        int: sa.BigInteger,
        str: sa.Text,
        datetime: UtcDateTime,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class Identified:
    """A 64-bit surrogate key given by the database."""

    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True, sort_order=-2)


class TenantScoped:
    """A row that belongs to one tenant; sessions filter by it (see `app.db.session`)."""

    tenant_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tenant.id", ondelete="RESTRICT"), index=True, sort_order=-1
    )
