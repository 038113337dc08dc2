"""The public document at `GET /api/v1/track/<number>`, answered before Flask is asked.

This one path is asked more often than all others together, and its answer is a text that the database made:
routing, contexts and hooks would cost more than it. Only the plainest question is answered here: no query, no
login, a number of letters and digits. Everything else goes on to the view of the same path, which answers
plain questions as well, byte for byte as here; a test holds them together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import flask
import sqlalchemy as sa
import structlog

from app import telemetry
from app.errors import NotFoundError
from app.i18n import wished
from app.problems import RETRY_AFTER_S, UNAVAILABLE, problem_body
from app.security import HEADERS, HEADERS_OVER_TLS
from app.shipments.documents import documents
from app.shipments.values import parse_number
from app.web import Services

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ROUTE: Final = "/api/v1/track/<number>"
NOT_FOUND: Final = "not found, or not registered yet"

_PATH: Final = re.compile(r"/api/v1/track/([A-Za-z0-9]{1,32})")
_HEADERS: Final = tuple(HEADERS.items())
_HEADERS_OVER_TLS: Final = (*_HEADERS, *HEADERS_OVER_TLS.items())
_STATUS_LINES: Final = {200: "200 OK", 404: "404 NOT FOUND", 503: "503 SERVICE UNAVAILABLE"}

log = structlog.get_logger(__name__)


class DocumentDoor:
    """A WSGI application around another, which it asks whatever it does not answer itself."""

    def __init__(self, app: flask.Flask, services: Services, others: WSGIApplication) -> None:
        self._json = app.json
        self._documents = documents(app)
        self._clock = services.clock
        self._others = others

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        if (
            environ["REQUEST_METHOD"] == "GET"
            and not environ.get("QUERY_STRING")
            and "HTTP_AUTHORIZATION" not in environ
            and (match := _PATH.fullmatch(environ["PATH_INFO"])) is not None
        ):
            return self._answer(match[1], environ, start_response)
        return self._others(environ, start_response)

    def _answer(
        self, number: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        request_id = telemetry.request_id(environ.get("HTTP_X_REQUEST_ID"))
        language = wished(environ.get("HTTP_COOKIE", ""), environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        status, kind = 200, "application/json"
        more: tuple[tuple[str, str], ...] = ()
        try:
            body = self._documents.one(parse_number(number)[0], language=language, now=self._clock())
        except sa.exc.OperationalError as error:
            log.warning("request.unavailable", error=type(error.orig).__name__, request_id=request_id)
            status, kind, more = 503, "application/problem+json", (("Retry-After", str(RETRY_AFTER_S)),)
            body = self._problem(*UNAVAILABLE, environ["PATH_INFO"], {"retry_after_s": RETRY_AFTER_S})
        if body is None:
            status, kind = 404, "application/problem+json"
            missing = NotFoundError(NOT_FOUND)
            body = self._problem(404, missing.code, missing.title, missing.detail, environ["PATH_INFO"])
        over_tls = environ["wsgi.url_scheme"] == "https"
        start_response(
            _STATUS_LINES[status],
            [
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                *more,
                *(_HEADERS_OVER_TLS if over_tls else _HEADERS),
                ("X-Request-Id", request_id),
            ],
        )
        telemetry.finished("GET", ROUTE, status, began, request_id)
        return (body,)

    def _problem(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        path: str,
        extra: dict[str, Any] | None = None,
    ) -> bytes:
        body = problem_body(status, code, title, detail, path, extra)
        return f"{self._json.dumps(body)}\n".encode()
