"""The journal of a plan's changes by hand, so that they can be taken back and made again."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, TenantScoped
from app.db.types import enum_by_value


class EditState(enum.StrEnum):
    """Whether an edit stands in its plan, and whether it can be taken back or made again."""

    APPLIED = "applied"
    UNDONE = "undone"
    CLOSED = "closed"
    """History: the plan was published since, or something else was done after it had been taken back."""


class PlanEdit(Identified, TenantScoped, Base):
    """One change of a plan by hand.

    `before` and `after` hold what it changed and nothing else: rounds by courier and unserved stops by their
    ids, as `app.dispatch.snapshot` reads and writes them; null where there was none.
    """

    __tablename__ = "plan_edit"
    __table_args__ = (sa.Index("ix_plan_edit_plan", "plan_id", "state", "id"),)

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("plan.id", ondelete="CASCADE"))
    state: Mapped[EditState] = mapped_column(enum_by_value(EditState))
    action: Mapped[str]
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("user_account.id"))
    made_at: Mapped[datetime]
    # The plan's version that the edit made.
    version: Mapped[int]
    details: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
