"""Public tracking for machines, with the same privacy as the page.

The plainest questions are answered before they come here, by `app.shipments.document_door`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import flask
import msgspec
from sqlalchemy.orm import Session

from app import i18n
from app.errors import InvalidInputError, NotFoundError
from app.security import public
from app.shipments import access, queries
from app.shipments.access import Attempt
from app.shipments.answers import opened_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import TrackMany, TrackManyQuery, TrackOut, TrackQuery
from app.shipments.documents import documents
from app.shipments.event_stream import CONTENT_TYPE, Told, retry
from app.shipments.public_door import NOT_FOUND
from app.shipments.values import parse_number
from app.web import now, public_unit_of_work, services

NUMBERS_MAX = 40

_COME_BACK_MS = 15_000


@blueprint.get("/track/<number>")
@blueprint.input(TrackQuery, location="query")
@blueprint.output(TrackOut)
@blueprint.doc(summary="Where a parcel is: city, status and time; more with the phone's last four digits")
@public
def track(number: str, query_data: TrackQuery) -> flask.typing.ResponseReturnValue:
    """One number."""
    found = _found([parse_number(number)[0]], query_data.phone_last4)
    if not found:
        raise NotFoundError(NOT_FOUND)
    (document,) = found.values()
    return flask.Response(document, content_type="application/json")


@blueprint.get("/track/<number>/events")
@blueprint.doc(summary="A stream of Server-Sent Events: the document at once, and again when it changes")
@public
def track_events(number: str) -> flask.typing.ResponseReturnValue:
    """Live updates have a process of their own (`app.live`), and who asks here is led there.

    Where there is none, a stream is told what is new and ends: the browser comes back for more by itself.
    """
    live_url = services().settings.live_url
    if live_url not in (None, services().settings.public_url):
        query = f"?{flask.request.query_string.decode()}" if flask.request.query_string else ""
        return flask.redirect(f"{live_url}/api/v1/track/{quote(number)}/events{query}", 307)
    document = documents().one(parse_number(number)[0], language=i18n.current(), now=now())
    if document is None:
        raise NotFoundError(NOT_FOUND)
    told, seen = Told.of(document), flask.request.headers.get("Last-Event-ID")
    if told.over and told.id == seen:
        return "", 204  # a browser that is told "no content" does not come again
    return flask.Response(retry(_COME_BACK_MS) + told.after(seen), content_type=CONTENT_TYPE)


@blueprint.get("/track")
@blueprint.input(TrackManyQuery, location="query")
@blueprint.output(TrackMany)
@blueprint.doc(summary="Where up to 40 parcels are")
@public
def track_many(query_data: TrackManyQuery) -> flask.typing.ResponseReturnValue:
    """Several numbers."""
    asked = list(dict.fromkeys(one.strip() for one in query_data.numbers.split(",") if one.strip()))
    if not 0 < len(asked) <= NUMBERS_MAX:
        raise InvalidInputError(
            "between one and forty numbers", [{"detail": f"holds {len(asked)}", "pointer": "/numbers"}]
        )
    numbers = list(dict.fromkeys(parse_number(one)[0] for one in asked))
    found = _found(numbers, query_data.phone_last4)
    not_found = msgspec.json.encode([one for one in numbers if one not in found])
    body = b'{"items":[%b],"not_found":%b}' % (b",".join(found.values()), not_found)
    return flask.Response(body, content_type="application/json")


def _found(numbers: list[str], digits: str | None) -> dict[str, bytes]:
    """The documents of those numbers that somebody booked, with the details where the digits open them."""
    found = documents().many(numbers, language=i18n.current(), now=now())
    if digits is not None:
        for number in found:
            with public_unit_of_work() as session:
                found[number] = _tried(session, number, digits, found[number])
    return found


def _tried(session: Session, number: str, digits: str, document: bytes) -> bytes:
    """A document after a try to open its details; a wrong try is counted."""
    shipment = queries.by_number_public(session, number)
    assert shipment is not None, "shipments are never removed"
    attempt = access.try_phone(session, shipment, digits, now=now())
    if attempt is Attempt.OPEN:
        return opened_answer(session, shipment)
    told: dict[str, Any] = msgspec.json.decode(document)
    return msgspec.json.encode(told | {"details_access": attempt.value})
