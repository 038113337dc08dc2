"""How a case begins: from the tracking page, the phone, the portal or the API."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from app.actor import Actor
from app.customers.identities import normal_form
from app.customers.models import Customer, CustomerIdentity, IdentityKind
from app.db.session import tenant_of
from app.errors import InvalidInputError, NotFoundError, TooManyTriesError
from app.servicedesk import clock
from app.servicedesk.events import clock_of, required_text
from app.servicedesk.models import Case, CaseCounter, CaseEvent
from app.servicedesk.values import CaseCategory, CaseChannel, CaseEventKind, CaseStatus
from app.shipments.models import Shipment

OPEN_CASES_PER_SHIPMENT_MAX = 5
_SUBJECT_LENGTH_MAX = 200
_SUBJECT_OF_BODY_LENGTH_MAX = 60
_RETRY_AFTER_S = 3600


def open_case(
    session: Session,
    *,
    customer_id: int,
    shipment_id: int | None,
    channel: CaseChannel,
    category: CaseCategory,
    body: str,
    now: datetime,
    subject: str = "",
    actor: Actor | None = None,
    phone: str | None = None,
) -> Case:
    """Open a case on a customer's record. A second one about the same matter stands beside the first.

    Args:
        customer_id: who complains; of a merged record the one it was merged into.
        shipment_id: what it is about, one that the customer sends or receives; None for a question.
        subject: its line in lists; the beginning of the body where it is empty.
        actor: who writes it down; None for a customer on the public page. Who took the call owns the case.
        phone: where the customer wants to be called back, if that is another number.

    Raises:
        NotFoundError: there is no such customer or shipment.
        InvalidInputError: nothing was written, or the shipment is none of the customer's.
    """
    words = required_text(body, "/body")
    line = " ".join((subject.strip() or words[:_SUBJECT_OF_BODY_LENGTH_MAX]).split())[:_SUBJECT_LENGTH_MAX]
    customer = _customer(session, customer_id)
    if shipment_id is not None:
        _require_party(session, customer, shipment_id)
    case = Case(
        tenant_id=tenant_of(session),
        number=_next_number(session, now.astimezone(clock.OFFICE.zone).date()),
        customer_id=customer.id,
        shipment_id=shipment_id,
        channel=channel,
        category=category,
        status=CaseStatus.OPEN,
        subject=line,
        opened_at=now,
        owner_id=actor.user_id if actor is not None and channel is CaseChannel.PHONE else None,
        version=1,
    )
    case.events.append(
        CaseEvent(
            tenant_id=case.tenant_id,
            sequence=1,
            kind=CaseEventKind.OPENED,
            at=now,
            user_id=None if actor is None else actor.user_id,
            body=words,
            details={} if phone is None else {"phone": phone},
        )
    )
    case.due_at, case.due_clock = clock_of(case).next_due
    session.add(case)
    session.flush()  # callers need the id
    return case


def open_from_tracking_page(
    session: Session,
    shipment: Shipment,
    *,
    category: CaseCategory,
    body: str,
    phone: str | None,
    now: datetime,
) -> Case:
    """Open a case for whoever holds the shipment's link: the end whose phone it is, else the consignee.

    Sent twice, the same words open one case: while it is open, the second asker is given it.

    Raises:
        InvalidInputError: nothing was written, or the phone is not one.
        TooManyTriesError: so many cases of this shipment are open already.
    """
    # Complaints about one shipment wait for each other here, so that the count is true.
    session.execute(sa.select(Shipment.id).where(Shipment.id == shipment.id).with_for_update(key_share=True))
    waiting = session.scalars(
        sa.select(Case)
        .where(
            Case.shipment_id == shipment.id,
            Case.status.in_((CaseStatus.OPEN, CaseStatus.WAITING_CUSTOMER)),
        )
        .options(selectinload(Case.events))
    ).all()
    words = required_text(body, "/body")
    number: str | None = None
    if phone is not None and phone.strip():
        number = normal_form(IdentityKind.PHONE, phone)
        if number is None:
            raise InvalidInputError(
                "this is not a phone number", [{"detail": "is not a phone number", "pointer": "/phone"}]
            )
    customer_id = _complainant(session, shipment, number)
    for case in waiting:
        if (case.customer_id, case.category, case.events[0].body) == (customer_id, category, words):
            return case
    if len(waiting) >= OPEN_CASES_PER_SHIPMENT_MAX:
        raise TooManyTriesError(
            "several complaints about this shipment are open already; they are being answered",
            retry_after_s=_RETRY_AFTER_S,
        )
    return open_case(
        session,
        customer_id=customer_id,
        shipment_id=shipment.id,
        channel=CaseChannel.TRACKING_PAGE,
        category=category,
        body=body,
        phone=number,
        now=now,
    )


def _complainant(session: Session, shipment: Shipment, phone: str | None) -> int:
    """The link goes to the consignee; a phone that is the sender's says otherwise."""
    if phone is not None:
        known = session.scalar(
            sa.select(CustomerIdentity.customer_id).where(
                CustomerIdentity.kind == IdentityKind.PHONE, CustomerIdentity.value == phone
            )
        )
        sends = known == shipment.customer_id or phone == normal_form(
            IdentityKind.PHONE, shipment.sender_phone
        )
        if sends and known != shipment.consignee_customer_id:
            return shipment.customer_id
    return shipment.consignee_customer_id


def _customer(session: Session, customer_id: int) -> Customer:
    customer = session.scalar(sa.select(Customer).where(Customer.id == customer_id))
    if customer is not None and customer.merged_into_id is not None:
        customer = session.scalar(sa.select(Customer).where(Customer.id == customer.merged_into_id))
    if customer is None:
        raise NotFoundError("no such customer")
    return customer


def _require_party(session: Session, customer: Customer, shipment_id: int) -> None:
    ends = session.execute(
        sa.select(Shipment.customer_id, Shipment.consignee_customer_id).where(Shipment.id == shipment_id)
    ).one_or_none()
    if ends is None:
        raise NotFoundError("no such shipment")
    same_person = sa.select(Customer.id).where(
        sa.or_(Customer.id == customer.id, Customer.merged_into_id == customer.id),
        Customer.id.in_(tuple(ends)),
    )
    if session.scalar(same_person.limit(1)) is None:
        raise InvalidInputError(
            "this customer neither sends nor receives the shipment",
            [{"detail": "is none of the customer's shipments", "pointer": "/waybill_number"}],
        )


def _next_number(session: Session, day: date) -> str:
    """The next number of a local day; who opens a case at the same time waits for this one's commit."""
    counted = insert(CaseCounter).values(tenant_id=tenant_of(session), day=day, last=1)
    last = session.scalar(
        counted.on_conflict_do_update(
            index_elements=[CaseCounter.tenant_id, CaseCounter.day], set_={"last": CaseCounter.last + 1}
        ).returning(CaseCounter.last)
    )
    assert last is not None, "an upsert that always writes returns its row"
    return f"CS-{day:%Y%m%d}-{last:04d}"
