"""The doors that GS1 EPCIS 2.0 names: capture, events. Their errors carry the standard's types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

import flask
from apiflask import APIBlueprint
from werkzeug.exceptions import UnsupportedMediaType

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.epcis import documents, queries, service
from app.epcis.api_models import DOCUMENT_SCHEMA, EVENT_SCHEMA, CaptureOut, EventsQuery
from app.epcis.models import EpcisCapture
from app.epcis.queries import Told
from app.epcis.recording import Behaviour
from app.security import current_actor, requires
from app.web import now, services, unit_of_work

blueprint = APIBlueprint("epcis_api", __name__, url_prefix="/epcis", tag="EPCIS")

BEHAVIOUR = "GS1-Capture-Error-Behaviour"
JSON_TYPES = ("application/json", "application/ld+json")
BYTES_MAX = 16 * 1024 * 1024


@blueprint.post("/capture")
@blueprint.output(CaptureOut, status_code=202)
@blueprint.doc(
    summary="Capture a document of events",
    description="An EPCISDocument or EPCISQueryDocument; `Location` is where its capture is told. With the "
    f"header `{BEHAVIOUR}: rollback` (as without it) all events are kept or none; with `proceed` each for "
    "itself.",
    security=BEARER,
    operation_id="epcis_capture",
)
@requires(Scope.SCANS_WRITE)
def capture() -> flask.typing.ResponseReturnValue:
    """Take a document in; a small one is captured when this answers."""
    behaviour = _behaviour()
    raw = _body()
    with unit_of_work() as session:
        job = service.accept(session, current_actor(), raw, behaviour, base=_base(), now=now())
        response = flask.jsonify(_capture_answer(job))
    response.status_code = 202
    response.headers["Location"] = f"/epcis/capture/{job.id}"
    response.headers[BEHAVIOUR] = behaviour.value
    return response


@blueprint.get("/capture/<int:capture_id>")
@blueprint.output(CaptureOut)
@blueprint.doc(summary="How a capture stands", security=BEARER, operation_id="epcis_capture_job")
@requires(Scope.SCANS_WRITE)
def capture_job(capture_id: int) -> flask.typing.ResponseReturnValue:
    """A capture with what was refused."""
    with unit_of_work() as session:
        return flask.jsonify(_capture_answer(queries.load_capture(session, capture_id)))


@blueprint.post("/events")
@blueprint.doc(
    summary="Capture one event",
    description="409 when its eventID is known; an error declaration uses that of the event it declares.",
    security=BEARER,
    operation_id="epcis_capture_event",
    responses={201: "The event as it is kept"},
)
@requires(Scope.SCANS_WRITE)
def capture_event() -> flask.typing.ResponseReturnValue:
    """Capture an event that stands alone."""
    raw = _body()
    with unit_of_work() as session:
        captured = service.capture_one(session, current_actor(), raw, base=_base(), now=now())
    response = flask.jsonify(captured.body)
    response.status_code = 201
    response.headers["Location"] = f"/epcis/events/{quote(captured.event_id, safe='')}"
    return response


@blueprint.get("/events")
@blueprint.input(EventsQuery, location="query")
@blueprint.doc(
    summary="Events, the earliest first",
    description="What partners sent, and where parcels of ours are asked for, our own scans as events. "
    "The `Link` header has the next page.",
    security=BEARER,
    operation_id="epcis_events",
    responses={200: "An EPCISQueryDocument"},
)
@requires(Scope.SHIPMENTS_READ)
def events(query_data: EventsQuery) -> flask.typing.ResponseReturnValue:
    """Events that the asker may know of."""
    with unit_of_work() as session:
        page = queries.list_events(
            session,
            current_actor(),
            query_data.filters(),
            query_data.next_page_token,
            query_data.per_page,
            base=_base(),
        )
        response = _document(page.rows)
    if page.next_cursor is not None:
        arguments = {**flask.request.args.to_dict(), "nextPageToken": page.next_cursor}
        response.headers["Link"] = f'</epcis/events?{urlencode(arguments)}>; rel="next"'
    return response


@blueprint.get("/events/<path:event_id>")
@blueprint.doc(
    summary="An event with its error declarations",
    security=BEARER,
    operation_id="epcis_event",
    responses={200: "An EPCISQueryDocument"},
)
@requires(Scope.SHIPMENTS_READ)
def event(event_id: str) -> flask.typing.ResponseReturnValue:
    """One event."""
    with unit_of_work() as session:
        return _document(queries.load_event(session, current_actor(), event_id, base=_base()))


@blueprint.after_request
def versions(response: flask.Response) -> flask.Response:
    """Say which versions of the standards are spoken, and how much is taken at once."""
    response.headers["GS1-EPCIS-Version"] = "2.0.0"
    response.headers["GS1-CBV-Version"] = "2.0.0"
    if flask.request.method == "POST":
        response.headers["GS1-EPCIS-Capture-File-Size-Limit"] = str(BYTES_MAX)
    return response


# The bodies are checked event by event and kept as they came, so they are described by hand.
vars(capture)["_spec"].update(body=DOCUMENT_SCHEMA, content_type=list(JSON_TYPES))
vars(capture_event)["_spec"].update(body=EVENT_SCHEMA, content_type=list(JSON_TYPES))


def _base() -> str:
    return services().settings.public_url.rstrip("/") + "/"


def _body() -> bytes:
    if flask.request.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType(f"send {' or '.join(JSON_TYPES)}")
    return flask.request.get_data()


def _behaviour() -> Behaviour:
    asked = flask.request.headers.get(BEHAVIOUR, Behaviour.ROLLBACK.value).strip().lower()
    if asked not in set(Behaviour):
        raise documents.invalid(f"{BEHAVIOUR} must be one of {', '.join(Behaviour)}")
    return Behaviour(asked)


def _document(told: Iterable[Told]) -> flask.Response:
    document = documents.query_document(((one.body, one.context) for one in told), created_at=now())
    return flask.jsonify(document)


def _capture_answer(job: EpcisCapture) -> dict[str, Any]:
    return {
        "captureID": str(job.id),
        "createdAt": job.created_at.isoformat(),
        "finishedAt": None if job.finished_at is None else job.finished_at.isoformat(),
        "running": job.finished_at is None,
        "success": job.success,
        "captureErrorBehaviour": job.behaviour,
        "errors": job.errors,
        "given": job.given,
        "captured": job.captured,
        "repeated": job.repeated,
    }
