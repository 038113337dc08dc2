"""Visitors of the public page who carry nothing but the protection of a form: their cookie, read and made.

It is Flask's session cookie and Flask-WTF's token in it, made by the same serializers with the same salts,
only kept from request to request. What one writes the other reads; a test goes from one to the other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

import flask
import msgspec
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from werkzeug.http import dump_cookie, parse_cookie

_FIELD: Final = "csrf_token"
_SALT: Final = "wtf-csrf-token"


class _Writer:
    """Signs as a serializer does, without making its signer anew and trying to compress what is short."""

    def __init__(self, serializer: URLSafeTimedSerializer) -> None:
        self._signer = serializer.make_signer(serializer.salt)

    def signed(self, value: str | dict[str, str]) -> str:
        signed: bytes = self._signer.sign(base64_encode(msgspec.json.encode(value)))
        return signed.decode()


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
        cookies = sessions.get_signing_serializer(app)
        assert cookies is not None, "the settings demand a secret key"
        self._cookies, self._cookie_writer = cookies, _Writer(cookies)
        self._token_writer = _Writer(URLSafeTimedSerializer(app.config["SECRET_KEY"], salt=_SALT))
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
        return Visitor(self._token_writer.signed(held[_FIELD]), None)

    def _new(self) -> Visitor:
        secret = secrets.token_hex(20)
        value = self._cookie_writer.signed({_FIELD: secret})
        return Visitor(self._token_writer.signed(secret), f"{self._name}={value}{self._attributes}")
