"""What is done on a case: words between customer and desk, an owner, waiting, an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Tenant, User
from app.accounts.roles import SCOPES, Role, Scope
from app.actor import Actor
from app.customers.models import Customer, CustomerIdentity, IdentityKind
from app.db.session import tenant_of
from app.errors import AppError, ConflictError, InvalidInputError
from app.notify import service as notify
from app.notify.models import Channel
from app.notify.template import Template, Wording
from app.servicedesk import queries
from app.servicedesk.events import TEXT_LENGTH_MAX, happen, lock, require_staff, required_text
from app.servicedesk.models import Case, CaseDraft, CaseEvent
from app.servicedesk.values import CaseEventKind

_TOLD_LENGTH_MAX = 500

ANSWER_MESSAGE = Template(
    "case_answer",
    {
        "zh": Wording("关于 {number} 的答复", "{company}：关于您的投诉 {number}：{answer}"),
        "en": Wording("Answer to {number}", "{company}, about your complaint {number}: {answer}"),
    },
)


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What became of one case of several; `reason` is of the refusal: taken_already, not_now, not_found."""

    number: str
    taken: bool
    reason: str = ""


def customer_message(
    session: Session, case: Case, body: str, *, now: datetime, actor: Actor | None = None
) -> CaseEvent:
    """The customer says something; a resolved or closed case is open again."""
    words = required_text(body, "/body")
    lock(session, case)
    return happen(case, CaseEventKind.CUSTOMER_MESSAGE, now=now, actor=actor, body=words)


def reply(
    session: Session, actor: Actor, case: Case, body: str, *, now: datetime, version: int | None = None
) -> CaseEvent:
    """Answer the customer: it stands on the case and goes out to the phone or mail address known of him.

    Raises:
        StaleVersionError: somebody wrote on the case since `version`.
        ConflictError: the case is closed.
    """
    require_staff(actor)
    words = required_text(body, "/body")
    lock(session, case, version=version)
    event = happen(case, CaseEventKind.REPLY, now=now, actor=actor, body=words)
    _tell(session, case, words, now)
    drop_draft(session, actor, case)
    return event


def note(
    session: Session, actor: Actor, case: Case, body: str, *, now: datetime, version: int | None = None
) -> CaseEvent:
    """Write something down that the customer does not see."""
    require_staff(actor)
    words = required_text(body, "/body")
    lock(session, case, version=version)
    event = happen(case, CaseEventKind.NOTE, now=now, actor=actor, body=words)
    drop_draft(session, actor, case)
    return event


def assign(
    session: Session,
    actor: Actor,
    case: Case,
    owner_id: int,
    *,
    now: datetime,
    version: int | None = None,
) -> None:
    """Give a case to somebody of the desk; to whom it belongs already is no harm.

    Raises:
        InvalidInputError: that login does not write on cases.
    """
    require_staff(actor)
    desk_roles = [role for role in Role if Scope.CASES_WRITE in SCOPES[role] and role is not Role.SHIPPER]
    owner = session.scalar(sa.select(User).where(User.id == owner_id, User.active, User.role.in_(desk_roles)))
    if owner is None:
        raise InvalidInputError(
            "only somebody of the service desk can own a case",
            [{"detail": "is nobody of the service desk", "pointer": "/owner_id"}],
        )
    lock(session, case, version=version)
    if case.owner_id == owner.id:
        return
    details = {"owner_id": owner.id, "owner_name": owner.name}
    happen(case, CaseEventKind.ASSIGNED, now=now, actor=actor, details=details)
    case.owner_id = owner.id


def take_many(session: Session, actor: Actor, numbers: list[str], *, now: datetime) -> list[TakeResult]:
    """Take several cases that nobody has; each has its own result, one refusal stops no other."""
    found = []
    for number in dict.fromkeys(numbers):
        try:
            with session.begin_nested():
                case = queries.load_case(session, actor, number)
                lock(session, case)
                if case.owner_id not in (None, actor.user_id):
                    raise ConflictError("somebody else has taken it", reason="taken_already")
                assign(session, actor, case, actor.user_id, now=now)
        except AppError as error:
            found.append(TakeResult(number, False, error.extra.get("reason", "not_found")))
        else:
            found.append(TakeResult(number, True))
    return found


def wait_for_customer(
    session: Session, actor: Actor, case: Case, *, now: datetime, version: int | None = None
) -> None:
    """The customer has to say something first: our clock stands still, the law's does not."""
    require_staff(actor)
    lock(session, case, version=version)
    happen(case, CaseEventKind.WAITING, now=now, actor=actor)


def resolve(
    session: Session,
    actor: Actor,
    case: Case,
    resolution: str,
    *,
    now: datetime,
    version: int | None = None,
) -> None:
    """Tell the customer the outcome; without one no case is resolved.

    Raises:
        InvalidInputError: the outcome is empty.
        ConflictError: a claim waits for its decision, or the case is resolved already.
        StaleVersionError: somebody wrote on the case since `version`.
    """
    require_staff(actor)
    words = required_text(resolution, "/resolution")
    lock(session, case, version=version)
    happen(case, CaseEventKind.RESOLVED, now=now, actor=actor, body=words)
    case.resolution = words
    _tell(session, case, words, now)
    drop_draft(session, actor, case)


def close(session: Session, actor: Actor, case: Case, *, now: datetime, version: int | None = None) -> None:
    """Put a resolved case away.

    Raises:
        ConflictError: it is not resolved.
    """
    require_staff(actor)
    lock(session, case, version=version)
    happen(case, CaseEventKind.CLOSED, now=now, actor=actor)
    case.closed_at = now


def save_draft(session: Session, actor: Actor, case: Case, body: str, *, now: datetime) -> None:
    """Keep what somebody has begun to write; an empty text forgets it."""
    if not body.strip():
        drop_draft(session, actor, case)
        return
    draft = session.get(CaseDraft, (case.id, actor.user_id))
    if draft is None:
        draft = CaseDraft(tenant_id=case.tenant_id, case_id=case.id, user_id=actor.user_id)
        session.add(draft)
    draft.body, draft.saved_at = body[:TEXT_LENGTH_MAX], now


def drop_draft(session: Session, actor: Actor, case: Case) -> None:
    """Forget what somebody had begun to write: it was sent, or emptied."""
    session.execute(
        sa.delete(CaseDraft).where(CaseDraft.case_id == case.id, CaseDraft.user_id == actor.user_id)
    )


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: the cases of the dropped one stand on the kept one."""
    session.execute(sa.update(Case).where(Case.customer_id == drop_id).values(customer_id=keep_id))


def _tell(session: Session, case: Case, words: str, now: datetime) -> None:
    """Send an answer out; a customer without phone and mail address reads it where he opened the case."""
    reached = session.execute(
        sa.select(CustomerIdentity.kind, CustomerIdentity.value)
        .where(
            CustomerIdentity.customer_id == case.customer_id,
            CustomerIdentity.kind.in_((IdentityKind.PHONE, IdentityKind.EMAIL)),
        )
        .order_by((CustomerIdentity.kind == IdentityKind.PHONE).desc(), CustomerIdentity.id)
        .limit(1)
    ).one_or_none()
    recipient: str | None = case.events[0].details.get("phone")
    kind = IdentityKind.PHONE
    if recipient is None and reached is not None:
        kind, recipient = reached
    if recipient is None:
        return
    notify.send_later(
        session,
        ANSWER_MESSAGE,
        {
            "company": session.get_one(Tenant, tenant_of(session)).name,
            "number": case.number,
            "answer": words if len(words) <= _TOLD_LENGTH_MAX else words[: _TOLD_LENGTH_MAX - 1] + "…",
        },
        channel=Channel.SMS if kind is IdentityKind.PHONE else Channel.MAIL,
        recipient=recipient,
        locale=session.get_one(Customer, case.customer_id).locale,
        now=now,
    )
