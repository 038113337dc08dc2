"""Errors as answers: problem+json for machines (RFC 9457), pages for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import structlog
from apiflask import APIFlask, HTTPError
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from app.errors import ENGINE_STATUSES, AppError, StaleVersionError
from app.security import MACHINES

log = structlog.get_logger(__name__)

RETRY_AFTER_S = 2
UNAVAILABLE = (
    503,
    "unavailable",
    "Not available",
    "the database does not answer just now; nothing was changed, ask again",
)
"""Status, code, title and detail of what is answered while the database is away."""


def problem(
    status: int, code: str, title: str, detail: str, extra: Mapping[str, Any] | None = None
) -> flask.Response:
    """An `application/problem+json` answer."""
    response = flask.jsonify(problem_body(status, code, title, detail, flask.request.path, extra))
    response.status_code = status
    response.mimetype = "application/problem+json"
    if extra and "retry_after_s" in extra:
        response.headers["Retry-After"] = str(extra["retry_after_s"])
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def problem_body(
    status: int, code: str, title: str, detail: str, path: str, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The problem details of RFC 9457 for the request of a path."""
    return {
        "type": f"https://wheelhouse.invalid/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        **(extra or {}),
    }


def wants_problem() -> bool:
    """Whether this request is a machine's, to be answered with problem+json."""
    return flask.request.path.startswith((*MACHINES, "/openapi", "/readyz", "/livez", "/metrics"))


def answer(
    status: int, code: str, title: str, detail: str, extra: Mapping[str, Any] | None = None
) -> flask.typing.ResponseReturnValue:
    """The error as problem+json for machines and as a page for people."""
    if wants_problem():
        return problem(status, code, title, detail, extra)
    page = status if status in (400, 403, 404, 409, 422, 429, 500, 503) else 400 if status < 500 else 500
    return flask.render_template(f"errors/{page}.html", detail=detail, extra=extra or {}), status


def register(app: flask.Flask) -> None:
    """Install the handlers for every kind of exception."""

    def on_app_error(error: AppError) -> flask.typing.ResponseReturnValue:
        if error.status == 401 and not wants_problem():
            return flask.redirect(flask.url_for("accounts.login", next=flask.request.full_path.rstrip("?")))
        return answer(error.status, error.code, error.title, error.detail, error.extra)

    def on_engine_error(error: Exception) -> flask.typing.ResponseReturnValue:
        for kind, status, code in ENGINE_STATUSES:
            if isinstance(error, kind):
                return answer(status, code, "Not possible as asked", str(error))
        raise AssertionError("registered for engine errors only") from error

    def on_stale(_error: StaleDataError) -> flask.typing.ResponseReturnValue:
        return on_app_error(StaleVersionError("somebody else saved this first; load it again"))

    def on_unstorable(error: DataError) -> flask.typing.ResponseReturnValue:
        # A zero byte in a text, a number beyond 64 bits: well-formed for HTTP, impossible for the database.
        log.warning("request.unstorable", error=type(error.orig).__name__)
        return answer(422, "invalid-input", "Invalid input", "a value is outside of what can be stored")

    def on_unavailable(error: OperationalError) -> flask.typing.ResponseReturnValue:
        # The database is gone, restarts, or ended what waited crosswise: nothing was written, ask again.
        log.warning("request.unavailable", error=type(error.orig).__name__)
        return answer(*UNAVAILABLE, {"retry_after_s": RETRY_AFTER_S})

    def on_csrf(error: CSRFError) -> flask.typing.ResponseReturnValue:
        return answer(400, "csrf", "Form expired", error.description or "the form has expired")

    def on_http(error: HTTPException) -> flask.typing.ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error.get_response()
        reply = answer(status, f"http-{status}", error.name, error.description or error.name)
        response = flask.make_response(reply)
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                response.headers[name] = value
        return response

    def on_bug(error: Exception) -> flask.typing.ResponseReturnValue:
        log.exception("request.bug", error=type(error).__name__)
        return answer(500, "internal", "Internal error", "something went wrong; the request id tells which")

    app.register_error_handler(AppError, on_app_error)
    for kind, _status, _code in ENGINE_STATUSES:
        app.register_error_handler(kind, on_engine_error)
    app.register_error_handler(StaleDataError, on_stale)
    app.register_error_handler(DataError, on_unstorable)
    app.register_error_handler(OperationalError, on_unavailable)
    app.register_error_handler(CSRFError, on_csrf)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_bug)


def describe(app: APIFlask) -> None:
    """Answer the doors' validation errors as problems, and say so in the OpenAPI document."""

    def on_validation(error: HTTPError) -> flask.Response:
        detail = error.detail if isinstance(error.detail, Mapping) else {}
        errors = [
            {"detail": message, "pointer": "/" + "/".join(path)}
            for location in detail.values()
            for path, message in _flatten(location)
        ]
        code = "invalid-input" if error.status_code == 422 else f"http-{error.status_code}"
        title = error.message or "Invalid input"
        return flask.make_response(answer(error.status_code, code, title, "see errors", {"errors": errors}))

    def add_problem(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        assert isinstance(spec, dict), "the document is asked for as JSON"
        spec["components"].setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
        for path in spec["paths"].values():
            for operation in path.values():
                if isinstance(operation, dict) and "responses" in operation:
                    operation["responses"]["default"] = _PROBLEM_RESPONSE
        return spec

    app.error_processor(on_validation)
    app.spec_processor(add_problem)


def _flatten(errors: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Nested field errors as (path, message) pairs."""
    if isinstance(errors, Mapping):
        return [
            pair for key, value in errors.items() for pair in _flatten(value, (*path, *str(key).split(".")))
        ]
    if isinstance(errors, list):
        return [(path, str(message)) for message in errors]
    return [(path, str(errors))]


_PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"detail": {"type": "string"}, "pointer": {"type": "string"}},
            },
        },
    },
}
_PROBLEM_RESPONSE: dict[str, Any] = {
    "description": "Any error, as problem details",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
