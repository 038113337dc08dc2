"""A customer as a party: made when money first concerns it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.customers.models import Customer
from app.parties import service as parties
from app.parties.models import PartyKind


def party_id_of(session: Session, customer: Customer, *, now: datetime) -> int:
    """The party that owns the customer's accounts."""
    if customer.party_id is None:
        session.refresh(customer, attribute_names=["party_id", "version"], with_for_update=True)
    if customer.party_id is None:
        party = parties.create_party(
            session, code=f"C{customer.id}", name=customer.name, kind=PartyKind.CUSTOMER, now=now
        )
        customer.party_id = party.id
    return customer.party_id
