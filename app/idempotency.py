"""Idempotency-Key (IETF draft-07): the same request sent twice has one effect and one answer.

The key, the effect and the stored answer are one transaction. While the first request runs, an
advisory lock makes a second one with the same key answer 409; a crash leaves nothing behind, so a
retry starts clean. A failed request (4xx, 5xx) stores nothing and may be sent again with the same key.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import ParamSpec

import flask
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Base, TenantScoped
from app.errors import BadRequestError, ConflictError, InvalidInputError
from app.security import current_actor
from app.web import now, services

P = ParamSpec("P")

HEADER = "Idempotency-Key"
_LENGTH_MAX = 255


class StoredAnswer(TenantScoped, Base):
    """The answer that was given to a key, kept for at least 24 hours."""

    __tablename__ = "idempotency_key"

    caller: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(sa.LargeBinary)
    status: Mapped[int]
    content_type: Mapped[str]
    location: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


def parse_key(header: str | None) -> str:
    """The key in a header: a quoted structured-field string, or the bare text.

    Raises:
        BadRequestError: There is none, or it is empty, too long, or holds what it may not.
    """
    if header is None:
        raise BadRequestError(f"this request needs the header {HEADER}")
    text = header.strip()
    if len(text) >= 2 and text[0] == '"' and text[-1] == '"':
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if not text or len(text) > _LENGTH_MAX or any(not 0x20 <= ord(char) < 0x7F for char in text):
        raise BadRequestError(f"{HEADER} must have 1 to {_LENGTH_MAX} printable ASCII characters")
    return text


def idempotent(
    view: Callable[P, flask.typing.ResponseReturnValue],
) -> Callable[P, flask.typing.ResponseReturnValue]:
    """Make a POST view need an Idempotency-Key and answer a repeated one from store."""

    @functools.wraps(view)
    def once(*args: P.args, **kwargs: P.kwargs) -> flask.typing.ResponseReturnValue:
        actor = current_actor()
        key = parse_key(flask.request.headers.get(HEADER))
        fingerprint = hashlib.sha256(
            b"\n".join(
                (flask.request.method.encode(), flask.request.full_path.encode(), flask.request.get_data())
            )
        ).digest()
        with services().database.unit_of_work(actor.tenant_id) as session:
            _lock(session, actor.caller, key)
            stored = session.get(StoredAnswer, (actor.caller, key))
            if stored is not None:
                return _replay(stored, fingerprint)
            flask.g.idempotent_session = session
            try:
                response = flask.make_response(view(*args, **kwargs))
            finally:
                flask.g.pop("idempotent_session", None)
            if response.status_code < 400:
                session.add(_to_store(actor.caller, key, fingerprint, response))
            else:
                session.rollback()
        return response

    once.needs_idempotency_key = True  # type: ignore[attr-defined]
    return once


def _lock(session: Session, caller: str, key: str) -> None:
    digest = hashlib.sha256(f"{caller}\n{key}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    if not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(number))):
        raise ConflictError("a request with this Idempotency-Key is still running")


def _replay(stored: StoredAnswer, fingerprint: bytes) -> flask.Response:
    if stored.fingerprint != fingerprint:
        raise InvalidInputError("this Idempotency-Key was used with another request")
    response = flask.Response(stored.body, status=stored.status, content_type=stored.content_type)
    if stored.location is not None:
        response.headers["Location"] = stored.location
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _to_store(caller: str, key: str, fingerprint: bytes, response: flask.Response) -> StoredAnswer:
    return StoredAnswer(
        caller=caller,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        content_type=response.content_type or "application/json",
        location=response.headers.get("Location"),
        body=response.get_data(),
        created_at=now(),
    )
