"""How a request gets its actor: by the cookie's session row, or by a bearer token."""

from __future__ import annotations

import flask

from app.accounts import service
from app.errors import UnauthenticatedError
from app.security import MACHINES
from app.web import now, public_unit_of_work

SESSION_HANDLE = "handle"


def identify() -> None:
    """Find out who is asking, before the view; leaves `flask.g.actor` as an Actor or None.

    Machines' doors take bearer tokens only, so a page of another site can never use a cookie there;
    pages take the cookie only.
    """
    flask.g.actor = None
    if flask.request.endpoint in (None, "static"):
        return
    if flask.request.path.startswith(MACHINES):
        header = flask.request.headers.get("Authorization", "")
        scheme, _, secret = header.partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            with public_unit_of_work() as session:
                flask.g.actor = service.actor_of_token(session, secret.strip(), now=now())
        return
    handle = flask.session.get(SESSION_HANDLE)
    if handle is None:
        return
    with public_unit_of_work() as session:
        try:
            flask.g.actor = service.actor_of_session(session, handle, now=now())
        except UnauthenticatedError:
            flask.session.pop(SESSION_HANDLE, None)
