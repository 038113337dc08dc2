"""Questions about customers; the guarded loader is here."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.customers.identities import normal_form
from app.customers.models import Customer, CustomerIdentity, IdentityKind
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of


def load_customer(session: Session, actor: Actor, customer_id: int) -> Customer:
    """A customer the asker may know of; of a merged record the one that it was merged into.

    Staff with `customers:read` know all of the tenant, a shipper himself.

    Raises:
        NotFoundError: There is none, or it is none of the asker's.
    """
    customer = session.scalar(sa.select(Customer).where(Customer.id == customer_id))
    if customer is not None and customer.merged_into_id is not None:
        customer = session.scalar(sa.select(Customer).where(Customer.id == customer.merged_into_id))
    if customer is None or not _may_know(actor, customer.id):
        raise NotFoundError("no such customer")
    return customer


def load_identity(session: Session, actor: Actor, customer_id: int, identity_id: int) -> CustomerIdentity:
    """One identity of a customer the asker may know of.

    Raises:
        NotFoundError: There is none, or it is none of the asker's.
    """
    customer = load_customer(session, actor, customer_id)
    identity = session.scalar(
        sa.select(CustomerIdentity).where(
            CustomerIdentity.id == identity_id, CustomerIdentity.customer_id == customer.id
        )
    )
    if identity is None:
        raise NotFoundError("no such identity")
    return identity


def search(session: Session, actor: Actor, text: str, limit: int) -> Sequence[Customer]:
    """Customers whose phone, mail, card or contract number this is, or whose name holds it.

    An exact identity comes first. Several hits are a list to choose from: nothing here picks one.
    """
    wanted = text.strip()
    if not wanted:
        return []
    forms = [(kind, normal_form(kind, wanted)) for kind in IdentityKind]
    exact = Customer.id.in_(
        sa.select(CustomerIdentity.customer_id).where(
            sa.or_(
                *(
                    sa.and_(CustomerIdentity.kind == kind, CustomerIdentity.value == normal)
                    for kind, normal in forms
                    if normal is not None
                ),
                sa.false(),
            )
        )
    )
    named = sa.or_(Customer.name.icontains(wanted, autoescape=True), Customer.contract_no == wanted)
    return session.scalars(
        _visible(actor)
        .where(sa.or_(exact, named))
        .order_by(exact.desc(), (Customer.name == wanted).desc(), Customer.id.desc())
        .limit(limit)
    ).all()


def newest(session: Session, actor: Actor, cursor: str | None, limit: int) -> Page[Customer]:
    """Customers in the order they became known, newest first."""
    statement = _visible(actor)
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, tuple[int])
        statement = statement.where(Customer.id < last_id)
    rows = session.scalars(statement.order_by(Customer.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, lambda customer: (customer.id,))


def count(session: Session, actor: Actor) -> int:
    """How many customers the asker may know of."""
    visible = _visible(actor).with_only_columns(Customer.id).options().subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(visible)) or 0


def _visible(actor: Actor) -> sa.Select[Customer]:
    statement = (
        sa.select(Customer)
        .options(selectinload(Customer.identities))
        .where(Customer.merged_into_id.is_(None))
    )
    if actor.may(Scope.CUSTOMERS_READ):
        return statement
    if actor.role == Role.SHIPPER:
        return statement.where(Customer.id == actor.subject_id)
    return statement.where(sa.false())


def _may_know(actor: Actor, customer_id: int) -> bool:
    if actor.may(Scope.CUSTOMERS_READ):
        return True
    return actor.role == Role.SHIPPER and actor.subject_id == customer_id
