"""JSON logs with a request id and no personal data.

A request is logged by its route (`/track/<number>`), never by its path or query, which may hold
numbers, phones or tokens.
"""

from __future__ import annotations

import logging
import secrets
import sys
import time

import flask
import structlog
from structlog.typing import Processor

_REQUEST_ID_LENGTH_MAX = 64

log = structlog.get_logger("wheelhouse.request")


def configure(level: str) -> None:
    """Send structlog and the standard library's logging to stderr as JSON lines."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, root.level))


def install(app: flask.Flask) -> None:
    """Give every request an id and log its end."""

    def begin() -> None:
        given = flask.request.headers.get("X-Request-Id", "")
        usable = 0 < len(given) <= _REQUEST_ID_LENGTH_MAX and given.isascii() and given.isprintable()
        flask.g.request_id = given if usable else secrets.token_hex(8)
        flask.g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=flask.g.request_id)

    def end(response: flask.Response) -> flask.Response:
        rule = flask.request.url_rule
        response.headers["X-Request-Id"] = flask.g.request_id
        log.info(
            "request",
            method=flask.request.method,
            route=rule.rule if rule is not None else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - flask.g.began) * 1000, 1),
        )
        return response

    app.before_request(begin)
    app.after_request(end)
