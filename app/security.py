"""Who is asking, what they may do, and the headers every answer carries.

Every view says `@requires(scope)` or `@public`; the factory refuses to start with one that says
neither. A browser's cookie holds a random handle of a session row; a machine sends a bearer token.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import flask

from app.actor import Actor
from app.errors import ForbiddenError, UnauthenticatedError

P = ParamSpec("P")
R = TypeVar("R")

MACHINES = ("/api/", "/epcis/")
"""Below these paths only bearer tokens count, and errors are problem+json."""

_CONTENT_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


def requires(scope: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view be called only by somebody who has the scope."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _require(scope)
            return view(*args, **kwargs)

        guarded.access = str(scope)  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Say in so many words that a view is open to everybody."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be called by anybody who has signed in."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        current_actor()
        return view(*args, **kwargs)

    guarded.access = "signed-in"  # type: ignore[attr-defined]
    return guarded


def refuse_uninvited() -> None:
    """Ask for the login and the scope of the view before anything of the request is read.

    A machine's door checks its input in decorators that stand outside of `@requires`; without this, somebody
    who may not ask at all would be told what is wrong with his question.
    """
    view = flask.current_app.view_functions.get(flask.request.endpoint or "")
    access = None if view is None else access_of(view)
    if access == "signed-in":
        current_actor()
    elif access not in (None, "public"):
        _require(access)


def _require(scope: str) -> None:
    if not current_actor().may(scope):
        raise ForbiddenError(f"this needs the scope {scope}")


def current_actor() -> Actor:
    """Who is asking.

    Raises:
        UnauthenticatedError: Nobody has signed in.
    """
    actor = maybe_actor()
    if actor is None:
        raise UnauthenticatedError("sign in, or send a bearer token")
    return actor


def maybe_actor() -> Actor | None:
    """Who is asking, or None on a public page."""
    actor: Actor | None = flask.g.get("actor")
    return actor


def unguarded_views(app: flask.Flask) -> list[str]:
    """Endpoints that say neither `@requires` nor `@public`; must be empty."""
    return sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if access_of(view) is None and endpoint != "static"
    )


def access_of(view: Callable[..., Any]) -> str | None:
    """What a view demands: a scope, `signed-in`, `public`, or None when it does not say."""
    access: str | None = getattr(view, "access", None)
    return access


HEADERS_OVER_TLS = {"Strict-Transport-Security": "max-age=31536000"}

_HEADERS = "SECURITY_HEADERS"


def headers(live_url: str | None) -> dict[str, str]:
    """What every answer carries, unless it says otherwise itself.

    Args:
        live_url: where live updates come from, which pages may then listen to.
    """
    policy = dict(_CONTENT_SECURITY_POLICY)
    if live_url is not None:
        address = urlsplit(live_url)
        policy["connect-src"] += f" {address.scheme}://{address.netloc}"
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(self), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Pages, data, labels and bank files alike name people; what may be kept says so itself.
        "Cache-Control": "no-store",
    }


def install_headers(app: flask.Flask, live_url: str | None) -> None:
    """Let every answer carry them."""
    app.config[_HEADERS] = headers(live_url)
    app.after_request(_add_headers)


def headers_of(app: flask.Flask) -> dict[str, str]:
    """What every answer of an application carries."""
    found: dict[str, str] = app.config[_HEADERS]
    return found


def _add_headers(response: flask.Response) -> flask.Response:
    for name, value in headers_of(flask.current_app).items():
        response.headers.setdefault(name, value)
    if flask.request.is_secure:
        for name, value in HEADERS_OVER_TLS.items():
            response.headers.setdefault(name, value)
    return response
