"""What happens to parties: they are made."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.parties.models import Party, PartyKind


def create_party(session: Session, *, code: str, name: str, kind: PartyKind, now: datetime) -> Party:
    """Make a party; its code is unique within the tenant."""
    party = Party(tenant_id=tenant_of(session), code=code, name=name, kind=kind, created_at=now)
    session.add(party)
    session.flush()  # callers need the id
    return party
