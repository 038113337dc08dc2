"""What is kept of every request: its id, one line in the log, its place in the counts and times.

A request is logged and counted by its route (`/track/<number>`), never by its path or query, which may hold
numbers, phones or tokens.
"""

from __future__ import annotations

import functools
import secrets
import time

import flask
import prometheus_client
import structlog

_REQUEST_ID_LENGTH_MAX = 64

_REQUESTS = prometheus_client.Counter(
    "wheelhouse_requests", "Answers by route and status", ["method", "route", "status"]
)
_SECONDS = prometheus_client.Histogram(
    "wheelhouse_request_seconds",
    "Time to answer by route",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

log = structlog.get_logger("wheelhouse.request")


def install(app: flask.Flask) -> None:
    """Give every request an id and keep its end. Must come before any hook that answers by itself."""

    def begin() -> None:
        flask.g.request_id = request_id(flask.request.headers.get("X-Request-Id"))
        flask.g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=flask.g.request_id)

    def end(response: flask.Response) -> flask.Response:
        rule = flask.request.url_rule
        response.headers["X-Request-Id"] = flask.g.request_id
        finished(
            flask.request.method,
            None if rule is None else rule.rule,
            response.status_code,
            flask.g.began,
            flask.g.request_id,
        )
        return response

    app.before_request(begin)
    app.after_request(end)


def request_id(given: str | None) -> str:
    """The id that the asker gave his request, where that can stand in a log; else a new one."""
    if given and len(given) <= _REQUEST_ID_LENGTH_MAX and given.isascii() and given.isprintable():
        return given
    return secrets.token_hex(8)


def finished(method: str, route: str | None, status: int, began: float, request_id: str) -> None:
    """Count and log an answer.

    Args:
        method: of HTTP.
        route: the rule that the path was found by; None where there is none.
        status: of HTTP.
        began: `time.perf_counter()` at the start.
        request_id: as the answer carries it.
    """
    seconds = time.perf_counter() - began
    count, duration = _measures(method, route or "none", status)
    count.inc()
    duration.observe(seconds)
    log.info(
        "request",
        method=method,
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        request_id=request_id,
    )


@functools.lru_cache(maxsize=4096)  # finding them by their labels takes longer than counting
def _measures(
    method: str, route: str, status: int
) -> tuple[prometheus_client.Counter, prometheus_client.Histogram]:
    return _REQUESTS.labels(method, route, str(status)), _SECONDS.labels(route)
