"""Visitors of the public page who carry nothing but the protection of a form: their cookie, read and made.

It is Flask's session cookie and Flask-WTF's token in it, made by the same serializers with the same salts,
only kept from request to request. What one writes the other reads; a test goes from one to the other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

import flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, Serializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from werkzeug.http import dump_cookie, parse_cookie

_FIELD: Final = "csrf_token"
_SALT: Final = "wtf-csrf-token"


class _Serializer(URLSafeTimedSerializer):
    """Writes as it stands what would be no shorter if it were compressed, without trying."""

    def dump_payload(self, obj: Any) -> bytes:
        """The object as it is signed."""
        return base64_encode(Serializer.dump_payload(self, obj))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has not signed in.

    Attributes:
        token: for the form on his page.
        cookie: to be set; None where he has one.
    """

    token: str
    cookie: str | None


class Visitors:
    """Knows the visitors of an application by their cookies."""

    def __init__(self, app: flask.Flask) -> None:
        sessions = app.session_interface
        assert isinstance(sessions, SecureCookieSessionInterface), "sessions are kept in signed cookies"
        self._cookies = _Serializer(
            app.config["SECRET_KEY"],
            salt=sessions.salt,
            serializer=sessions.serializer,
            signer_kwargs={
                "key_derivation": sessions.key_derivation,
                "digest_method": sessions.digest_method,
            },
        )
        self._tokens = _Serializer(app.config["SECRET_KEY"], salt=_SALT)
        self._name = sessions.get_cookie_name(app)
        self._max_age_s = int(app.permanent_session_lifetime.total_seconds())
        # The same attributes each time: taken from one made by Werkzeug.
        _, _, self._attributes = dump_cookie(
            self._name,
            "value",
            domain=sessions.get_cookie_domain(app),
            path=sessions.get_cookie_path(app),
            secure=sessions.get_cookie_secure(app),
            httponly=sessions.get_cookie_httponly(app),
            samesite=sessions.get_cookie_samesite(app),
        ).partition("value")

    def known(self, cookies: str) -> Visitor | None:
        """The visitor whose request carries these cookies; None where they hold more than that protection.

        Args:
            cookies: the header of the request; empty where there is none.
        """
        value = parse_cookie(cookies).get(self._name) if self._name in cookies else None
        if not value:
            return self._new()
        try:
            held = self._cookies.loads(value, max_age=self._max_age_s)
        except BadSignature:
            return self._new()
        if set(held) != {_FIELD}:
            return None
        return Visitor(self._signed(held[_FIELD]), None)

    def _new(self) -> Visitor:
        secret = secrets.token_hex(20)
        value = self._cookies.dumps({_FIELD: secret})
        assert isinstance(value, str), "the serializer of cookies writes text"
        return Visitor(self._signed(secret), f"{self._name}={value}{self._attributes}")

    def _signed(self, secret: str) -> str:
        token = self._tokens.dumps(secret)
        assert isinstance(token, str), "the serializer of tokens writes text"
        return token
