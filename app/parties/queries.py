"""Questions about parties."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import tenant_of
from app.errors import NotFoundError
from app.parties.models import Party, PartyKind


def by_ids(session: Session, party_ids: Iterable[int]) -> dict[int, Party]:
    """Parties by id, for lists that name them."""
    wanted = set(party_ids)
    if not wanted:
        return {}
    return {party.id: party for party in session.scalars(sa.select(Party).where(Party.id.in_(wanted)))}


def platform(session: Session) -> Party:
    """The tenant's own party.

    Raises:
        NotFoundError: The tenant has not been set up yet.
    """
    party = session.scalar(sa.select(Party).where(Party.kind == PartyKind.PLATFORM))
    if party is None:
        raise NotFoundError("the tenant has no platform party")
    return party


def platform_id(session: Session) -> int:
    """The id of the tenant's own party; asked once a session.

    Raises:
        NotFoundError: The tenant has not been set up yet.
    """
    key = f"parties.platform_id.{tenant_of(session)}"
    if key not in session.info:
        session.info[key] = platform(session).id
    found: int = session.info[key]
    return found
