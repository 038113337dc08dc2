"""Questions about cases and claims. `load_case` is the guarded loader; `load_claim` leads through it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, selectinload

from app.accounts.models import User
from app.accounts.roles import SCOPES, Role, Scope
from app.actor import Actor
from app.customers.models import Customer
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of
from app.servicedesk.models import Case, CaseDraft, Claim
from app.servicedesk.values import CaseCategory, CaseStatus, ClaimStatus
from app.shipments.models import Shipment

_SAME_MATTER = timedelta(days=1)
UNRESOLVED = (CaseStatus.OPEN, CaseStatus.WAITING_CUSTOMER)


class Show(enum.StrEnum):
    """Which part of the queue is looked at."""

    UNRESOLVED = "unresolved"
    OVERDUE = "overdue"
    UNOWNED = "unowned"
    MINE = "mine"
    CLAIMS = "claims"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are asked for; None does not restrict. `text` is a number, or part of subject or name."""

    show: Show = Show.UNRESOLVED
    status: CaseStatus | None = None
    category: CaseCategory | None = None
    text: str | None = None
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case in a list, with what names it."""

    case: Case
    customer_name: str
    waybill_number: str | None
    owner_name: str | None
    claim_status: ClaimStatus | None
    award_minor: int | None
    currency: str | None

    @property
    def number(self) -> str:
        """What rows are told apart by."""
        return self.case.number


@dataclass(frozen=True, slots=True)
class Related:
    """Another case about the same shipment; `repeated` when the same customer opened it within a day."""

    case: Case
    repeated: bool


def load_case(session: Session, actor: Actor, number: str) -> Case:
    """A case the asker may know of: staff all of the tenant's, a shipper those on his own record.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    case = session.scalar(
        _visible(actor)
        .where(Case.number == number)
        .options(selectinload(Case.events), selectinload(Case.claims))
    )
    if case is None:
        raise NotFoundError("no such case")
    return case


def load_claim(session: Session, actor: Actor, number: str, claim_id: int) -> Claim:
    """A claim of a case that the asker may know of.

    Raises:
        NotFoundError: there is none, or it is none of the asker's.
    """
    case = load_case(session, actor, number)
    for claim in case.claims:
        if claim.id == claim_id:
            return claim
    raise NotFoundError("no such claim")


def case_of_shipment(session: Session, shipment_id: int, number: str) -> Case:
    """A case that was opened about a shipment, for whoever holds the shipment's link.

    Raises:
        NotFoundError: there is none with this number about that shipment.
    """
    case = session.scalar(
        sa.select(Case)
        .where(Case.number == number, Case.shipment_id == shipment_id)
        .options(selectinload(Case.events), selectinload(Case.claims))
    )
    if case is None:
        raise NotFoundError("no such case")
    return case


def list_cases(
    session: Session,
    actor: Actor,
    chosen: CaseFilter,
    *,
    now: datetime,
    cursor: str | None,
    limit: int,
) -> Page[CaseRow]:
    """A page of cases: what runs out first comes first; of all cases, closed ones too, the latest first."""
    latest = (
        sa.select(Claim.case_id, Claim.status, Claim.award_minor, Claim.currency)
        .ext(distinct_on(Claim.case_id))
        .order_by(Claim.case_id, Claim.id.desc())
        .subquery()
    )
    query = (
        _visible(actor)
        .join(Customer, Customer.id == Case.customer_id)
        .outerjoin(Shipment, Shipment.id == Case.shipment_id)
        .outerjoin(User, User.id == Case.owner_id)
        .outerjoin(latest, latest.c.case_id == Case.id)
        .add_columns(
            Customer.name,
            Shipment.waybill_number,
            User.name,
            latest.c.status,
            latest.c.award_minor,
            latest.c.currency,
        )
        .where(*_conditions(actor, chosen, now))
    )
    newest_first = chosen.show is Show.ALL
    key = Case.opened_at if newest_first else Case.due_at
    if cursor is not None:
        at, case_id = decode_cursor(cursor, tuple[datetime, int])
        here, there = sa.tuple_(key, Case.id), sa.tuple_(sa.literal(at), sa.literal(case_id))
        query = query.where(here < there if newest_first else here > there)
    order = (key.desc(), Case.id.desc()) if newest_first else (key, Case.id)
    rows = [CaseRow(*row) for row in session.execute(query.order_by(*order).limit(limit + 1))]
    return page_of(
        rows, limit, lambda row: (row.case.opened_at if newest_first else row.case.due_at, row.case.id)
    )


def counts(session: Session, actor: Actor, *, now: datetime) -> dict[Show, int]:
    """How many cases stand in each part of the queue; all of them are not counted."""
    shown = [show for show in Show if show is not Show.ALL]
    columns = [
        sa.func.count().filter(sa.and_(sa.true(), *_conditions(actor, CaseFilter(show), now)))
        for show in shown
    ]
    row = session.execute(
        _visible(actor).with_only_columns(*columns).where(Case.status.in_(UNRESOLVED))
    ).one()
    return dict(zip(shown, row, strict=True))


def related(session: Session, actor: Actor, case: Case) -> Sequence[Related]:
    """Other cases about the same shipment, the latest first."""
    if case.shipment_id is None:
        return []
    others = session.scalars(
        _visible(actor)
        .where(Case.shipment_id == case.shipment_id, Case.id != case.id)
        .order_by(Case.opened_at.desc(), Case.id.desc())
    )
    return [
        Related(
            other,
            other.customer_id == case.customer_id and abs(other.opened_at - case.opened_at) <= _SAME_MATTER,
        )
        for other in others
    ]


def draft(session: Session, actor: Actor, case: Case) -> CaseDraft | None:
    """What the asker has begun to write on a case."""
    return session.scalar(
        sa.select(CaseDraft).where(CaseDraft.case_id == case.id, CaseDraft.user_id == actor.user_id)
    )


def desk(session: Session) -> Sequence[User]:
    """Everybody who can own a case."""
    roles = [role for role in Role if Scope.CASES_WRITE in SCOPES[role] and role is not Role.SHIPPER]
    return session.scalars(
        sa.select(User).where(User.active, User.role.in_(roles)).order_by(User.name, User.id)
    ).all()


def _visible(actor: Actor) -> sa.Select[Case]:
    query = sa.select(Case).where(Case.tenant_id == actor.tenant_id)
    if actor.role == Role.SHIPPER:
        return query.where(Case.customer_id == actor.subject_id)
    return query if actor.may(Scope.CASES_READ) else query.where(sa.false())


def _conditions(actor: Actor, chosen: CaseFilter, now: datetime) -> list[sa.ColumnElement[bool]]:
    proposed = sa.exists().where(Claim.case_id == Case.id, Claim.status == ClaimStatus.PROPOSED)
    unresolved = Case.status.in_(UNRESOLVED)
    is_open = Case.status == CaseStatus.OPEN
    parts: dict[Show, list[sa.ColumnElement[bool]]] = {
        Show.UNRESOLVED: [unresolved],
        Show.OVERDUE: [is_open, Case.due_at < now],
        Show.UNOWNED: [is_open, Case.owner_id.is_(None)],
        Show.MINE: [is_open, Case.owner_id == actor.user_id],
        Show.CLAIMS: [unresolved, proposed],
        Show.ALL: [],
    }
    found = parts[chosen.show]
    if chosen.status is not None:
        found.append(Case.status == chosen.status)
    if chosen.category is not None:
        found.append(Case.category == chosen.category)
    if chosen.customer_id is not None:
        found.append(Case.customer_id == chosen.customer_id)
    if chosen.text is not None and chosen.text.strip():
        text = chosen.text.strip()
        found.append(
            sa.or_(
                Case.number == text.upper(),
                Case.subject.icontains(text, autoescape=True),
                Case.customer_id.in_(
                    sa.select(Customer.id).where(Customer.name.icontains(text, autoescape=True))
                ),
                Case.shipment_id.in_(
                    sa.select(Shipment.id).where(Shipment.waybill_number == text.replace(" ", "").upper())
                ),
            )
        )
    return found
