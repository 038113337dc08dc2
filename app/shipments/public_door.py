"""`GET /api/v1/track/<number>` and `GET /track/<number>`, answered before Flask is asked.

These two paths are asked more often than all others together, and the database has made the whole answer:
routing, contexts and hooks would cost more than it. Only the plainest questions are answered here: no query,
no login, a number as it is printed. Everything else goes on to the views of the same paths, which answer
plain questions as well, and as here; tests hold them together.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import flask
import msgspec
import sqlalchemy as sa
import structlog

from app import telemetry
from app.errors import NotFoundError
from app.i18n import Language, wished
from app.problems import RETRY_AFTER_S, UNAVAILABLE, problem_body
from app.security import HEADERS_OVER_TLS, headers_of
from app.shipments.documents import documents
from app.shipments.track_page import TrackPage
from app.shipments.values import parse_number
from app.shipments.visitors import Visitors
from app.web import Services

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

NOT_FOUND: Final = "not found, or not registered yet"

_DOCUMENT_PATH: Final = re.compile(r"/api/v1/track/([A-Z]{2}[0-9]{12})")
_DOCUMENT_ROUTE: Final = "/api/v1/track/<number>"
_PAGE_PATH: Final = re.compile(r"/track/([A-Z]{2}[0-9]{12})")
_PAGE_ROUTE: Final = "/track/<number>"
_STATUS_LINES: Final = {200: "200 OK", 404: "404 NOT FOUND", 503: "503 SERVICE UNAVAILABLE"}

log = structlog.get_logger(__name__)


class PublicDoor:
    """A WSGI application around another, `others`, which it asks whatever it does not answer itself."""

    def __init__(self, app: flask.Flask, services: Services, others: WSGIApplication) -> None:
        self._app = app
        self._clock = services.clock
        self._documents = documents(app)
        self._visitors = Visitors(app)
        self._headers = tuple(headers_of(app).items())
        self._pages: dict[Language, TrackPage] = {}
        self.others = others

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        request = environ
        if request["REQUEST_METHOD"] == "GET" and not request.get("QUERY_STRING"):
            path = request["PATH_INFO"]
            if (match := _DOCUMENT_PATH.fullmatch(path)) is not None:
                if "HTTP_AUTHORIZATION" not in request:
                    return self._document(match[1], request, start_response)
            elif (match := _PAGE_PATH.fullmatch(path)) is not None:
                found = self._page(match[1], request, start_response)
                if found is not None:
                    return found
        return self.others(request, start_response)

    def _document(
        self, number: str, request: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        request_id = telemetry.request_id(request.get("HTTP_X_REQUEST_ID"))
        status, headers = 200, [("Content-Type", "application/json")]
        try:
            body = self._read(number, request)
        except sa.exc.OperationalError as error:
            log.warning("request.unavailable", error=type(error.orig).__name__, request_id=request_id)
            status = 503
            headers = [("Content-Type", "application/problem+json"), ("Retry-After", str(RETRY_AFTER_S))]
            body = self._problem(*UNAVAILABLE, request["PATH_INFO"], {"retry_after_s": RETRY_AFTER_S})
        if body is None:
            missing = NotFoundError(NOT_FOUND)
            status, headers = 404, [("Content-Type", "application/problem+json")]
            body = self._problem(404, missing.code, missing.title, missing.detail, request["PATH_INFO"])
        self._start(request, start_response, status, headers, body, request_id)
        telemetry.finished("GET", _DOCUMENT_ROUTE, status, began, request_id)
        return (body,)

    def _page(
        self, number: str, request: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """The page of a number that somebody booked, for a visitor who is nobody in particular."""
        began = time.perf_counter()
        visitor = self._visitors.known(request.get("HTTP_COOKIE", ""))
        if visitor is None:
            return None
        try:
            document = self._read(number, request)
        except sa.exc.OperationalError:
            return None  # the view says so with a page
        if document is None:
            return None
        language = _language(request)
        page = self._pages.get(language)
        if page is None:
            page = self._pages[language] = TrackPage(self._app, language)
        body = page.html(msgspec.json.decode(document), visitor.token).encode()
        request_id = telemetry.request_id(request.get("HTTP_X_REQUEST_ID"))
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Language", language.tag),
            ("Vary", "Accept-Language, Cookie"),
        ]
        if visitor.cookie is not None:
            headers.append(("Set-Cookie", visitor.cookie))
        self._start(request, start_response, 200, headers, body, request_id)
        telemetry.finished("GET", _PAGE_ROUTE, 200, began, request_id)
        return (body,)

    def _read(self, number: str, request: WSGIEnvironment) -> bytes | None:
        return self._documents.one(parse_number(number)[0], language=_language(request), now=self._clock())

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
        return f"{self._app.json.dumps(body, separators=(',', ':'))}\n".encode()

    def _start(
        self,
        request: WSGIEnvironment,
        start_response: StartResponse,
        status: int,
        headers: list[tuple[str, str]],
        body: bytes,
        request_id: str,
    ) -> None:
        headers += self._headers
        if request["wsgi.url_scheme"] == "https":
            headers += HEADERS_OVER_TLS.items()
        headers += (("Content-Length", str(len(body))), ("X-Request-Id", request_id))
        start_response(_STATUS_LINES[status], headers)


def _language(request: WSGIEnvironment) -> Language:
    return wished(request.get("HTTP_COOKIE", ""), request.get("HTTP_ACCEPT_LANGUAGE", ""))
