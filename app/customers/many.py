"""The customers of a whole batch, asked for and written at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.customers.models import Customer, CustomerIdentity, CustomerKind, IdentityKind
from app.customers.service import find_or_create, normalise
from app.db.session import tenant_of


def find_or_create_many(session: Session, people: Sequence[tuple[str, str, datetime]]) -> list[Customer]:
    """The customers of many phones: one question finds the known, one statement a table makes the new.

    Args:
        session: of their tenant.
        people: of each the name, the phone, and since when a new record is known.

    Raises:
        InvalidInputError: as for `find_or_create`.
    """
    phones = [normalise(IdentityKind.PHONE, phone) for _name, phone, _at in people]
    known = _by_phone(session, phones)
    new: dict[str, tuple[str, datetime]] = {}
    for (name, _phone, at), phone in zip(people, phones, strict=True):
        if phone not in known:
            new.setdefault(phone, (name, at))
    if len(new) > 1 and all(name.strip() for name, _at in new.values()):
        known |= _made(session, new)
    return [
        known.get(phone) or find_or_create(session, name=name, phone=given, now=at)
        for (name, given, at), phone in zip(people, phones, strict=True)
    ]


def _by_phone(session: Session, phones: Collection[str]) -> dict[str, Customer]:
    rows = session.execute(
        sa.select(CustomerIdentity.value, Customer)
        .join(Customer, CustomerIdentity.customer_id == Customer.id)
        .where(CustomerIdentity.kind == IdentityKind.PHONE, CustomerIdentity.value.in_(set(phones)))
    )
    return dict(rows.all())


def _made(session: Session, new: Mapping[str, tuple[str, datetime]]) -> dict[str, Customer]:
    """Records for phones that nobody had; nothing where somebody else brings one of them meanwhile.

    In the order of the phones, so that two who bring the same ones never wait for each other crosswise.
    """
    tenant_id = tenant_of(session)
    with session.begin_nested() as savepoint:
        made = {
            phone: Customer(
                tenant_id=tenant_id,
                kind=CustomerKind.PERSON,
                name=name.strip(),
                locale="zh",
                created_at=at,
            )
            for phone, (name, at) in sorted(new.items())
        }
        session.add_all(made.values())
        session.flush()  # the identities need their ids
        claimed = session.scalars(
            insert(CustomerIdentity)
            .values(
                [
                    {
                        "tenant_id": tenant_id,
                        "customer_id": customer.id,
                        "kind": IdentityKind.PHONE,
                        "value": phone,
                        "created_at": customer.created_at,
                    }
                    for phone, customer in made.items()
                ]
            )
            .on_conflict_do_nothing(
                index_elements=[CustomerIdentity.tenant_id, CustomerIdentity.kind, CustomerIdentity.value]
            )
            .returning(CustomerIdentity.id)
        ).all()
        if len(claimed) == len(made):
            for customer in made.values():
                session.expire(customer, ["identities"])
            return made
        savepoint.rollback()
    return {}
