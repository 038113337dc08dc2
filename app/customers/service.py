"""What happens to customer records: people are recognised, records made, changed and merged.

One identity (a phone, a mail address, a card) belongs to one record of a tenant; the database holds that,
whoever writes at the same time. Two records are joined by a person who looked at both, never by a guess.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.roles import Role
from app.accounts.service import audit
from app.actor import Actor
from app.customers.identities import normal_form
from app.customers.models import Customer, CustomerAddress, CustomerIdentity, CustomerKind, IdentityKind
from app.db import outbox
from app.db.session import tenant_of
from app.errors import ConflictError, InvalidInputError

_EXPLANATION = {
    IdentityKind.PHONE: "is not a phone number; write a landline with its area code",
    IdentityKind.EMAIL: "is not a mail address",
    IdentityKind.CARD: "is not a card number",
}


def normalise(kind: IdentityKind, value: str) -> str:
    """The normal form of a phone, mail address or card number.

    Raises:
        InvalidInputError: It is not one.
    """
    normal = normal_form(kind, value)
    if normal is None:
        raise InvalidInputError(
            f"this {_EXPLANATION[kind]}", [{"detail": _EXPLANATION[kind], "pointer": f"/{kind.value}"}]
        )
    return normal


def recognise(session: Session, *, kind: IdentityKind, value: str) -> Customer | None:
    """The customer whose phone, mail address or card this is; None when nobody's.

    Raises:
        InvalidInputError: It is not a phone, mail address or card number.
    """
    customer: Customer | None = session.scalar(
        sa.select(Customer)
        .join(CustomerIdentity, CustomerIdentity.customer_id == Customer.id)
        .where(CustomerIdentity.kind == kind, CustomerIdentity.value == normalise(kind, value))
    )
    return customer


def find_or_create(
    session: Session,
    *,
    name: str,
    phone: str,
    now: datetime,
    kind: CustomerKind = CustomerKind.PERSON,
    locale: str = "zh",
) -> Customer:
    """The customer with this phone; a new record when there is none.

    The name of a known record is kept: a parcel addressed with a nickname renames nobody. Of two
    transactions that bring a new phone at once the second waits for the first and gets its record.

    Raises:
        InvalidInputError: The phone is not one, or a new record would have no name.
    """
    known = recognise(session, kind=IdentityKind.PHONE, value=phone)
    if known is not None:
        return known
    if not name.strip():
        raise InvalidInputError("the name is empty", [{"detail": "is empty", "pointer": "/name"}])
    with session.begin_nested() as savepoint:
        customer = Customer(
            tenant_id=tenant_of(session), kind=kind, name=name.strip(), locale=locale, created_at=now
        )
        session.add(customer)
        session.flush()  # the identity needs its id
        if _claim(session, customer, IdentityKind.PHONE, normalise(IdentityKind.PHONE, phone), now):
            return customer
        savepoint.rollback()
    winner = recognise(session, kind=IdentityKind.PHONE, value=phone)
    assert winner is not None, "the identity was there a moment ago, and identities are never deleted"
    return winner


def add_identity(
    session: Session, customer: Customer, *, kind: IdentityKind, value: str, now: datetime
) -> None:
    """Recognise a customer by one more phone, mail address or card; again is no harm.

    Raises:
        InvalidInputError: It is not one.
        ConflictError: It belongs to another record; `customer_id` says which.
    """
    normal = normalise(kind, value)
    if _claim(session, customer, kind, normal, now):
        return
    owner_id = session.scalar(
        sa.select(CustomerIdentity.customer_id).where(
            CustomerIdentity.kind == kind, CustomerIdentity.value == normal
        )
    )
    if owner_id != customer.id:
        raise ConflictError(f"this {kind.value} belongs to another customer", customer_id=owner_id)


def _claim(session: Session, customer: Customer, kind: IdentityKind, normal: str, now: datetime) -> bool:
    """Write an identity unless somebody has it; waits for whoever is writing the same one."""
    made = session.scalar(
        insert(CustomerIdentity)
        .values(
            tenant_id=customer.tenant_id, customer_id=customer.id, kind=kind, value=normal, created_at=now
        )
        .on_conflict_do_nothing(
            index_elements=[CustomerIdentity.tenant_id, CustomerIdentity.kind, CustomerIdentity.value]
        )
        .returning(CustomerIdentity.id)
    )
    if made is not None:
        session.expire(customer, ["identities"])
    return made is not None


def add_address(
    session: Session,
    customer: Customer,
    *,
    contact_name: str,
    phone: str,
    district_adcode: str,
    line: str,
    latitude: float,
    longitude: float,
    now: datetime,
) -> CustomerAddress:
    """Remember a place that a customer ships from or to; the same one is remembered once."""
    normal_phone = normalise(IdentityKind.PHONE, phone)
    words = {"contact_name": contact_name.strip(), "line": line.strip()}
    known: CustomerAddress | None = session.scalar(
        sa.select(CustomerAddress).filter_by(
            customer_id=customer.id, phone=normal_phone, district_adcode=district_adcode, **words
        )
    )
    if known is not None:
        return known
    address = CustomerAddress(
        tenant_id=customer.tenant_id,
        customer_id=customer.id,
        phone=normal_phone,
        district_adcode=district_adcode,
        latitude=latitude,
        longitude=longitude,
        created_at=now,
        **words,
    )
    session.add(address)
    session.flush()  # callers need the id
    session.expire(customer, ["addresses"])
    return address


def update(
    session: Session,
    actor: Actor,
    customer: Customer,
    *,
    name: str,
    kind: CustomerKind,
    contract_no: str | None,
    locale: str,
    notes: str,
    now: datetime,
) -> None:
    """Change a record's own facts; what changed is written down, old and new.

    Raises:
        InvalidInputError: The name is empty.
    """
    if not name.strip():
        raise InvalidInputError("the name is empty", [{"detail": "is empty", "pointer": "/name"}])
    values = {
        "name": name.strip(),
        "kind": kind,
        "contract_no": (contract_no or "").strip() or None,
        "locale": locale,
        "notes": notes.strip(),
    }
    changed = {
        field: [getattr(customer, field), value]
        for field, value in values.items()
        if getattr(customer, field) != value
    }
    for field, (_old, value) in changed.items():
        setattr(customer, field, value)
    if changed:
        audit(
            session,
            actor,
            "customer.changed",
            subject_kind="customer",
            subject_id=customer.id,
            details=changed,
            now=now,
        )


def merge(
    session: Session, actor: Actor, keep: Customer, drop: Customer, *, reason: str, now: datetime
) -> None:
    """Make two records of one person one: `drop`'s identities, addresses and logins become `keep`'s.

    What other rooms hold of `drop` follows by the event `customer.merged` (`keep_id`, `drop_id`). Where
    both own accounts, the money of each stays with its own party.

    Raises:
        ConflictError: They are one record already.
        InvalidInputError: No reason is given.
    """
    if not reason.strip():
        raise InvalidInputError("a reason is needed", [{"detail": "is empty", "pointer": "/reason"}])
    # Both in the order of their ids, so that two merges of the same records cannot wait for each other.
    session.scalars(
        sa.select(Customer)
        .where(Customer.id.in_([keep.id, drop.id]))
        .order_by(Customer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if keep.id == drop.id or keep.merged_into_id is not None or drop.merged_into_id is not None:
        raise ConflictError("these records are merged already")
    for table in (CustomerIdentity, CustomerAddress):
        session.execute(sa.update(table).where(table.customer_id == drop.id).values(customer_id=keep.id))
    session.execute(
        sa.update(User)
        .where(User.role == Role.SHIPPER, User.subject_id == drop.id)
        .values(subject_id=keep.id)
    )
    # Records that were merged into `drop` before lead to `keep` at once: a chain never has two links.
    session.execute(
        sa.update(Customer).where(Customer.merged_into_id == drop.id).values(merged_into_id=keep.id)
    )
    if keep.party_id is None and drop.party_id is not None:
        party_id, drop.party_id = drop.party_id, None
        session.flush()  # a party belongs to one customer: it must be free before `keep` takes it
        keep.party_id = party_id
    drop.merged_into_id = keep.id
    for customer in (keep, drop):
        session.expire(customer, ["identities", "addresses"])
    audit(
        session,
        actor,
        "customer.merged",
        subject_kind="customer",
        subject_id=keep.id,
        reason=reason.strip(),
        details={"drop_id": drop.id},
        now=now,
    )
    outbox.append(session, "customer.merged", {"keep_id": keep.id, "drop_id": drop.id}, now=now)
