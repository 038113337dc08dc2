"""Questions about news for consignees; everything is the asker's own or the company's."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.actor import Actor
from app.errors import ForbiddenError, NotFoundError
from app.notices.models import NoticeWording, QuietTime
from app.notices.wording import MILESTONES, NoticeInput, proposed
from app.notify.quiet import QuietHours
from tracking.shipment import Milestone

# Ten in the evening to eight in the morning, until the company says otherwise.
QUIET_FROM_MINUTE, QUIET_TO_MINUTE = 22 * 60, 8 * 60


def milestone_of(name: str) -> Milestone:
    """A milestone that a consignee can be told of.

    Raises:
        NotFoundError: It is none of them.
    """
    for milestone in MILESTONES:
        if milestone == name:
            return milestone
    raise NotFoundError("no such milestone")


def whose(actor: Actor) -> int | None:
    """For whose parcels the asker writes: a shipper's own, or None for the company's.

    Raises:
        ForbiddenError: The login is a shipper's without a customer.
    """
    if actor.role != Role.SHIPPER:
        return None
    if actor.subject_id is None:
        raise ForbiddenError("this login stands for no customer")
    return actor.subject_id


def own(session: Session, actor: Actor, milestone: Milestone) -> NoticeWording | None:
    """The asker's own words for a milestone."""
    return session.scalar(
        sa.select(NoticeWording).where(
            NoticeWording.customer_id.is_not_distinct_from(whose(actor)),
            NoticeWording.milestone == milestone,
        )
    )


def in_force(
    session: Session, customer_id: int | sa.ScalarSelect[int] | None, milestone: Milestone
) -> NoticeWording | None:
    """The words that hold for a shipper's parcels: his own before the company's."""
    return session.scalar(
        sa.select(NoticeWording)
        .where(
            NoticeWording.milestone == milestone,
            sa.or_(NoticeWording.customer_id.is_(None), NoticeWording.customer_id == customer_id),
        )
        .order_by(NoticeWording.customer_id.is_(None))
        .limit(1)
    )


def told_at_all(session: Session, milestones: Collection[str]) -> frozenset[Milestone]:
    """Those of some milestones of which anybody wants news told."""
    return frozenset(
        session.scalars(
            sa.select(NoticeWording.milestone)
            .where(NoticeWording.milestone.in_(milestones), NoticeWording.enabled)
            .distinct()
        )
    )


def shown(session: Session, actor: Actor, milestone: Milestone) -> tuple[NoticeInput, bool]:
    """What holds for the asker's parcels, and whether the words are his own; else what is proposed."""
    found = in_force(session, whose(actor), milestone)
    if found is None:
        return proposed(milestone), False
    return as_input(found), found.customer_id == whose(actor)


def as_input(row: NoticeWording) -> NoticeInput:
    """Stored words as the value they were made of."""
    return NoticeInput(row.enabled, row.channel, row.subject_zh, row.body_zh, row.subject_en, row.body_en)


def quiet_minutes(session: Session) -> tuple[int, int]:
    """From and to which minute of the day the company keeps quiet."""
    row = session.scalar(sa.select(QuietTime))
    return (QUIET_FROM_MINUTE, QUIET_TO_MINUTE) if row is None else (row.from_minute, row.to_minute)


def quiet_hours(session: Session, offset_minutes: int) -> QuietHours:
    """The company's quiet hours, by the clock of a place."""
    return QuietHours(*quiet_minutes(session), offset_minutes)
