"""Writing an event on a case: locked, checked against the table, the clocks recomputed from all events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.queries import user_names
from app.accounts.roles import Role
from app.actor import Actor
from app.errors import ConflictError, ForbiddenError, InvalidInputError, StaleVersionError
from app.servicedesk import clock, transitions
from app.servicedesk.models import Case, CaseEvent
from app.servicedesk.values import CaseEventKind, CaseStatus, ClaimStatus

TEXT_LENGTH_MAX = 5000


def lock(session: Session, case: Case, *, version: int | None = None) -> None:
    """Lock a case until the end of the transaction and bring it up to date.

    Args:
        version: what the asker saw; None where it makes no difference, as for a customer's message.

    Raises:
        StaleVersionError: somebody wrote on it since; `changes` holds what the asker has not seen.
    """
    session.flush()  # what is pending must not be lost by the refresh
    session.refresh(case, with_for_update=True)
    session.refresh(case, attribute_names=["events", "claims"])
    if version is not None and version != case.version:
        raise StaleVersionError(
            "somebody else has written on this case since you loaded it",
            version=case.version,
            changes=_since(session, case, version),
        )


def happen(
    case: Case,
    kind: CaseEventKind,
    *,
    now: datetime,
    actor: Actor | None,
    body: str = "",
    details: dict[str, Any] | None = None,
) -> CaseEvent:
    """Write an event on a case that the caller has locked.

    Raises:
        ConflictError: it cannot happen as the case stands.
    """
    status = transitions.after(case.status, kind)
    if status is None:
        raise ConflictError(
            f"the case is {case.status.value}: {kind.value} cannot happen to it", reason="not_now"
        )
    if kind is CaseEventKind.RESOLVED and any(row.status is ClaimStatus.PROPOSED for row in case.claims):
        raise ConflictError("a claim waits for its decision; resolve the case after it", reason="claim_waits")
    if case.status is CaseStatus.CLOSED:
        case.closed_at = None
    case.status = status
    case.version += 1
    event = CaseEvent(
        tenant_id=case.tenant_id,
        sequence=case.version,
        kind=kind,
        at=now,
        user_id=None if actor is None else actor.user_id,
        body=body,
        details=details or {},
    )
    case.events.append(event)
    case.due_at, case.due_clock = clock_of(case).next_due
    return event


def clock_of(case: Case) -> clock.Clocks:
    """The clocks of a case, from all its events."""
    status = CaseStatus.OPEN
    happened = []
    for event in case.events:
        status = transitions.after(status, event.kind) or status  # OPENED is no transition of the table
        happened.append(clock.Happening(event.kind, event.at, status))
    return clock.clocks(happened)


def require_staff(actor: Actor) -> None:
    """Refuse what a customer may not do on his own case.

    Raises:
        ForbiddenError: the asker is a shipper.
    """
    if actor.role == Role.SHIPPER:
        raise ForbiddenError("this is done by the service desk")


def required_text(text: str, pointer: str) -> str:
    """What was written, without the blanks around it.

    Raises:
        InvalidInputError: nothing, or too much, was written.
    """
    words = text.strip()
    if not words:
        raise InvalidInputError("something must be written", [{"detail": "is empty", "pointer": pointer}])
    if len(words) > TEXT_LENGTH_MAX:
        detail = f"at most {TEXT_LENGTH_MAX} characters"
        raise InvalidInputError("the text is too long", [{"detail": detail, "pointer": pointer}])
    return words


def _since(session: Session, case: Case, version: int) -> list[dict[str, Any]]:
    unseen = session.scalars(
        sa.select(CaseEvent)
        .where(CaseEvent.case_id == case.id, CaseEvent.sequence > version)
        .order_by(CaseEvent.sequence)
    ).all()
    names = user_names(session, {event.user_id for event in unseen if event.user_id is not None})
    return [
        {
            "kind": event.kind.value,
            "at": event.at.isoformat(),
            "by": names.get(event.user_id or 0),
            "body": event.body,
        }
        for event in unseen
    ]
