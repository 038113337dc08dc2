"""Questions about logins and tokens."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import ApiToken, Tenant, User
from app.actor import Actor
from app.errors import NotFoundError


def own_tokens(session: Session, actor: Actor) -> Sequence[ApiToken]:
    """The asker's own tokens, newest first."""
    return session.scalars(
        sa.select(ApiToken).where(ApiToken.user_id == actor.user_id).order_by(ApiToken.id.desc())
    ).all()


def own_token(session: Session, actor: Actor, token_id: int) -> ApiToken:
    """One of the asker's own tokens.

    Raises:
        NotFoundError: There is none, or it is another's.
    """
    token = session.scalar(
        sa.select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == actor.user_id)
    )
    if token is None:
        raise NotFoundError("no such token")
    return token


def user_names(session: Session, user_ids: set[int]) -> dict[int, str]:
    """Names of users by id, for lists that show who did something."""
    if not user_ids:
        return {}
    return {
        row.id: row.name
        for row in session.execute(sa.select(User.id, User.name).where(User.id.in_(user_ids)))
    }


def tenants(session: Session) -> Sequence[Tenant]:
    """Every tenant, oldest first."""
    return session.scalars(sa.select(Tenant).order_by(Tenant.id)).all()


def demo_logins(session: Session) -> Sequence[User]:
    """One login for each role of the demo world, in the order they were made."""
    rows = session.scalars(
        sa.select(User)
        .join(Tenant, Tenant.id == User.tenant_id)
        .where(Tenant.is_demo, User.active)
        .order_by(User.id)
    ).all()
    first: dict[str, User] = {}
    for user in rows:
        first.setdefault(user.role, user)
    return list(first.values())
