"""Tenants, logins, sessions on the server, API tokens, the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.roles import Role
from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class Tenant(Identified, Base):
    """A courier company or platform that runs its business here."""

    __tablename__ = "tenant"

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    waybill_prefix: Mapped[str] = mapped_column(sa.String(2), default="WH")
    # Licensed from GS1: with one, containers are numbered by SSCC.
    gs1_company_prefix: Mapped[str | None] = mapped_column(sa.String(12))
    # A demo tenant is ready when its world has been built to the end.
    is_demo: Mapped[bool] = mapped_column(default=False)
    ready_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Installation(Base):
    """The one row of secrets that this database was born with (made by a migration, never changed).

    `waybill_key` permutes serial numbers into waybill numbers and signs tracking links. It lies in the
    database, so that numbers stay unique and links stay valid whatever happens to a process's settings.
    """

    __tablename__ = "installation"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    waybill_key: Mapped[bytes] = mapped_column(sa.LargeBinary)


class User(Identified, TenantScoped, Base):
    """A login: a person of the tenant's staff, or a shipper's or partner's own access.

    `subject_id` is the row this login stands for: a customer (shipper), a facility (hub), a courier
    (courier). It has no foreign key because those rooms lie above this one.
    """

    __tablename__ = "user_account"

    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_by_value(Role))
    password_hash: Mapped[str]
    subject_id: Mapped[int | None]
    locale: Mapped[str] = mapped_column(default="zh")
    active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]

    tokens: Mapped[list[ApiToken]] = relationship(back_populates="user")


class WebSession(Identified, TenantScoped, Base):
    """A signed-in browser. The cookie holds a random handle; only its hash is stored."""

    __tablename__ = "web_session"

    handle_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Identified, TenantScoped, Base):
    """A machine's key: shown once, stored as a hash, limited to scopes its user has."""

    __tablename__ = "api_token"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(sa.LargeBinary, unique=True)
    hint: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="tokens")


class AuditEntry(Identified, TenantScoped, Base):
    """Who did or looked at what, when and why; append-only."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_subject", "tenant_id", "subject_kind", "subject_id"),)

    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user_account.id"))
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
