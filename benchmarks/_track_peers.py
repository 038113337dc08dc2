"""What the track document and page are held to: the least that a WSGI server and a Flask view can do.

Served by the same server as the service, as `_track_peers:bare`, `_track_peers:lean` and `_track_peers:view`.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import flask
import psycopg

_URL = os.environ.get("DATABASE_URL", "").replace("postgresql+psycopg://", "postgresql://")
_DOCUMENT = os.environ.get("TRACK_STATEMENT", "")
_PAGE_BYTES = int(os.environ.get("TRACK_PAGE_BYTES", "0"))
_MONTH = datetime.now(UTC).date().replace(day=1)
_OWN = threading.local()

# The least that somebody would write for it: the parcel, its scans with their cities, as JSON.
_LEAN = """
SELECT json_build_object(
    'waybill_number', shipment.waybill_number,
    'milestone', shipment_state.milestone, 'code', shipment_state.code,
    'promised_from', promised_from_at, 'promised_to', promised_to_at,
    'events', (
        SELECT json_agg(json_build_object(
            'code', scan.code, 'at', occurred_at, 'offset_minutes', offset_minutes, 'city', city_name
        ) ORDER BY occurred_at DESC)
        FROM scan
        LEFT JOIN facility ON facility.id = scan.facility_id
        LEFT JOIN district ON district.adcode = facility.district_adcode
        WHERE scan.shipment_id = shipment.id AND shipment_month = date_trunc('month', booked_at)::date))::text
FROM shipment JOIN shipment_state ON shipment_state.shipment_id = shipment.id WHERE waybill_number = $1
"""


def _cursor() -> psycopg.Cursor[Any]:
    """The cursor of this thread: on a connection of its own, without transactions, statements prepared."""
    cursor: psycopg.Cursor[Any] | None = getattr(_OWN, "cursor", None)
    if cursor is None:
        connection = psycopg.connect(
            _URL, autocommit=True, prepare_threshold=0, options=os.environ.get("TRACK_OPTIONS", "")
        )
        cursor = _OWN.cursor = psycopg.RawCursor(connection)
    return cursor


def _document(number: str) -> str:
    row = _cursor().execute(_DOCUMENT, (number, datetime.now(UTC), _MONTH, _MONTH)).fetchone()
    assert row is not None, "only numbers that are there are asked for"
    return str(row[2])


def _answer(body: str, start_response: Any) -> Iterable[bytes]:
    content = body.encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
    return (content,)


def bare(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI callable that runs the service's own statement and returns its text."""
    number = environ["PATH_INFO"].rpartition("/")[2]
    return _answer("" if number == "readyz" else _document(number), start_response)


def lean(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The same with the leanest statement."""
    row = _cursor().execute(_LEAN, (environ["PATH_INFO"].rpartition("/")[2],)).fetchone()
    return _answer("" if row is None else row[0], start_response)


_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ told.waybill_number }}</title></head>
<body><h1>{{ told.waybill_number }}</h1><p>{{ told.sentence }}</p>
<dl><dt>Promised</dt><dd>{{ told.promised_from }} to {{ told.promised_to }}</dd></dl>
<ol>{% for event in told.events %}<li><time datetime="{{ event.at }}">{{ event.at }}</time>
<span>{{ event.code }}</span> <span>{{ event.city }}</span>{% if event.planned %} (planned){% endif %}</li>
{% endfor %}</ol>{{ rest }}</body></html>
"""

view = flask.Flask("view")
_PAGE = view.jinja_env.from_string(_TEMPLATE)


@view.get("/track/<number>")
def page(number: str) -> str:
    """A plain page: the statement, a template, nothing else; filled up to the size of the service's."""
    told = json.loads(_document(number))
    return flask.render_template(_PAGE, told=told, rest=_rest(told))


def _rest(told: dict[str, Any]) -> str:
    kept = getattr(_OWN, "rest", None)
    if kept is None:
        plain = flask.render_template(_PAGE, told=told, rest="")
        kept = _OWN.rest = "x" * max(0, _PAGE_BYTES - len(plain.encode()))
    return str(kept)


@view.get("/readyz")
def ready() -> str:
    """It is up."""
    return "ok"
