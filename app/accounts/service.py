"""What happens to logins: made, signed in and out, tokens given and revoked, acts written down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts.models import ApiToken, AuditEntry, Tenant, User, WebSession
from app.accounts.roles import SCOPES, Role
from app.actor import Actor, new_secret, secret_hash
from app.db.session import execute_plain, tenant_of
from app.errors import ConflictError, InvalidInputError, TooManyTriesError, UnauthenticatedError

PASSWORD_LENGTH_MIN = 10
_FAILED_LOGINS_MAX = 5
_LOCK = timedelta(minutes=15)
_TOKEN_PREFIX = "wh_"  # noqa: S105 - marks our tokens for secret scanners; not a secret

# argon2id with the library's defaults (RFC 9106, low-memory profile).
_hasher = PasswordHasher()
# Verified when the user does not exist, so that both answers take the same time.
_nobody_hash = _hasher.hash(new_secret())


def create_tenant(session: Session, *, code: str, name: str, now: datetime, is_demo: bool = False) -> Tenant:
    """Make a tenant; the session must not be bound to another."""
    tenant = Tenant(code=code, name=name, created_at=now, is_demo=is_demo)
    session.add(tenant)
    session.flush()  # the tenant's rows need its id
    return tenant


def create_user(
    session: Session,
    *,
    username: str,
    name: str,
    role: Role,
    password: str,
    now: datetime,
    subject_id: int | None = None,
    locale: str = "zh",
) -> User:
    """Make a login of the session's tenant.

    Raises:
        InvalidInputError: The password is too short.
        ConflictError: The username is taken.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        raise InvalidInputError(
            "the password is too short",
            [{"detail": f"at least {PASSWORD_LENGTH_MIN} characters", "pointer": "/password"}],
        )
    user = User(
        tenant_id=tenant_of(session),
        username=username.strip().lower(),
        name=name,
        role=role,
        password_hash=_hasher.hash(password),
        subject_id=subject_id,
        locale=locale,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:  # another company's login may have the name, which no query here sees
        raise ConflictError("this username is taken") from error
    return user


def check_password(session: Session, username: str, password: str, *, now: datetime) -> User | None:
    """The user whose password this is; None when it is wrong or there is no such user.

    Five wrong passwords lock the login for 15 minutes. The failure is counted in the session, so the
    caller must commit it.

    Raises:
        TooManyTriesError: The login is locked.
    """
    user = session.scalar(
        sa.select(User).where(User.username == username.strip().lower(), User.active).with_for_update()
    )
    if user is not None and user.locked_until is not None and user.locked_until > now:
        raise TooManyTriesError(
            "this login is locked for a while after too many wrong passwords",
            retry_after_s=int((user.locked_until - now).total_seconds()) + 1,
        )
    try:
        _hasher.verify(user.password_hash if user is not None else _nobody_hash, password)
    except VerificationError:
        if user is not None:
            user.failed_logins += 1
            if user.failed_logins >= _FAILED_LOGINS_MAX:
                user.locked_until = now + _LOCK
                user.failed_logins = 0
        return None
    if user is None:
        return None
    user.failed_logins = 0
    user.locked_until = None
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    return user


def open_session(session: Session, user: User, *, now: datetime, hours: int) -> str:
    """Sign a user in; gives the handle for the cookie."""
    handle = new_secret()
    session.add(
        WebSession(
            tenant_id=user.tenant_id,
            handle_hash=secret_hash(handle),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    return handle


def close_session(session: Session, handle: str) -> None:
    """Sign out: the handle is worth nothing from now on."""
    session.execute(sa.delete(WebSession).where(WebSession.handle_hash == secret_hash(handle)))


def drop_expired_sessions(session: Session, *, now: datetime) -> int:
    """Remove sessions past their time; gives how many."""
    rows = session.execute(sa.delete(WebSession).where(WebSession.expires_at <= now).returning(WebSession.id))
    return len(rows.all())


def create_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: frozenset[str],
    now: datetime,
    days: int | None = 365,
) -> tuple[ApiToken, str]:
    """Give a machine a key; the text is shown this once.

    Raises:
        InvalidInputError: A scope is asked for that the asker does not have, or the name is empty.
    """
    if not name.strip():
        raise InvalidInputError("the token needs a name", [{"detail": "is empty", "pointer": "/name"}])
    beyond = sorted(scopes - actor.scopes)
    if beyond or not scopes:
        raise InvalidInputError(
            "the scopes are not yours to give",
            [{"detail": f"not allowed: {', '.join(beyond) or 'none chosen'}", "pointer": "/scopes"}],
        )
    secret = _TOKEN_PREFIX + new_secret()
    token = ApiToken(
        tenant_id=actor.tenant_id,
        user_id=actor.user_id,
        name=name.strip(),
        token_hash=secret_hash(secret),
        hint=secret[:7],
        scopes=sorted(scopes),
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    session.add(token)
    session.flush()  # the answer names the token's id
    return token, secret


def revoke_token(token: ApiToken, *, now: datetime) -> None:
    """End a token at once."""
    token.revoked_at = token.revoked_at or now


def actor_of_session(session: Session, handle: str, *, now: datetime) -> Actor:
    """Who is signed in by a cookie's handle.

    Raises:
        UnauthenticatedError: The handle is unknown, expired, or its user is no longer active.
    """
    row = session.execute(
        sa.select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(WebSession.handle_hash == secret_hash(handle), WebSession.expires_at > now, User.active)
    ).one_or_none()
    if row is None:
        raise UnauthenticatedError("the session has ended; sign in again")
    return actor_of(row.User)


def actor_of_token(session: Session, secret: str, *, now: datetime) -> Actor:
    """Whose machine sends a bearer token; the token's scopes never exceed its user's present role.

    Raises:
        UnauthenticatedError: The token is unknown, expired or revoked.
    """
    rows = execute_plain(session, _WHO_ASKS, (secret_hash(secret), now))
    if not rows:
        raise UnauthenticatedError("the token is not valid")
    [(token_id, scopes, used_at, user_id, tenant_id, name, role, subject_id)] = rows
    # One write a minute is enough to see that a token is alive.
    if used_at is None or now - used_at > timedelta(minutes=1):
        session.execute(sa.update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))
    return Actor(
        user_id=user_id,
        tenant_id=tenant_id,
        name=name,
        role=role,
        scopes=frozenset(scopes) & SCOPES[Role(role)],
        subject_id=subject_id,
        token_id=token_id,
    )


# Asked before anything that a machine sends is read, many times a second: the ORM would cost more than it.
_WHO_ASKS = """
SELECT token.id, token.scopes, token.used_at, login.id, login.tenant_id, login.name, login.role,
    login.subject_id
FROM api_token AS token
JOIN user_account AS login ON login.id = token.user_id
WHERE token.token_hash = %s AND token.revoked_at IS NULL
    AND (token.expires_at IS NULL OR token.expires_at > %s) AND login.active
"""


def audit(
    session: Session,
    actor: Actor | None,
    action: str,
    *,
    subject_kind: str,
    subject_id: int | None,
    now: datetime,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write down who did what; in the same transaction as the deed."""
    session.add(
        AuditEntry(
            tenant_id=tenant_of(session),
            user_id=None if actor is None else actor.user_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            reason=reason,
            details=details or {},
            at=now,
        )
    )


def actor_of(user: User, scopes: frozenset[str] | None = None, token_id: int | None = None) -> Actor:
    """A user as services take him; with every scope of his role unless a token limits them."""
    return Actor(
        user_id=user.id,
        tenant_id=user.tenant_id,
        name=user.name,
        role=user.role,
        scopes=frozenset(str(scope) for scope in (SCOPES[user.role] if scopes is None else scopes)),
        subject_id=user.subject_id,
        token_id=token_id,
    )
