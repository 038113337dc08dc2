"""Scans from machines: a JSON array, or one JSON object a line."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import flask
import msgspec

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.errors import BadRequestError, InvalidInputError
from app.idempotency import HEADER, idempotent
from app.security import current_actor, requires
from app.shipments import service
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import ScanResults
from app.shipments.service import BATCH_MAX, ScanInput
from app.web import now, unit_of_work

NDJSON = ("application/x-ndjson", "application/jsonl", "application/ndjson")


_array = msgspec.json.Decoder(list[ScanInput])
_line = msgspec.json.Decoder(ScanInput)


def idempotent_if_asked(
    view: Callable[[], flask.typing.ResponseReturnValue],
) -> Callable[[], flask.typing.ResponseReturnValue]:
    """Honour an Idempotency-Key, and do without one: scans are recognised by their own ids."""
    once = idempotent(view)

    @functools.wraps(view)
    def either() -> flask.typing.ResponseReturnValue:
        return once() if HEADER in flask.request.headers else view()

    return either


@blueprint.post("/scans")
@blueprint.output(ScanResults)
@blueprint.doc(
    summary="Record scans",
    description=f"Up to {BATCH_MAX}, in any order, each as often as you like; one result a scan. "
    "An Idempotency-Key is not needed, and honoured where it is sent.",
    security=BEARER,
    operation_id="record_scans",
)
@requires(Scope.SCANS_WRITE)
@idempotent_if_asked
def scans() -> flask.typing.ResponseReturnValue:
    """Record scans; each has a result of its own."""
    given = _decoded()
    with unit_of_work() as session:
        results = service.record_scans(session, current_actor(), given, now=now())
    encoded = msgspec.json.encode({"items": results})
    return flask.Response(encoded, content_type="application/json")


def _schema() -> dict[str, Any]:
    """The body for the OpenAPI document, written out: APIFlask names only its own kinds of schema."""
    _, parts = msgspec.json.schema_components([ScanInput], ref_template="{name}")
    proof = {
        **parts["ProofInput"],
        "properties": {**parts["ProofInput"]["properties"], "kind": parts["ProofKind"]},
    }
    either = {"anyOf": [{"type": "null"}, proof], "default": None}
    scan = {**parts["ScanInput"], "properties": {**parts["ScanInput"]["properties"], "proof": either}}
    return {"type": "array", "maxItems": BATCH_MAX, "items": scan}


# Decoded by msgspec, five times as fast as a model for each of ten thousand rows; so described by hand.
vars(scans)["_spec"].update(body=_schema(), content_type=["application/json", NDJSON[0]])


def _decoded() -> list[ScanInput]:
    raw = flask.request.get_data()
    try:
        if flask.request.mimetype in NDJSON:
            return _line.decode_lines(raw)
        return _array.decode(raw)
    except msgspec.ValidationError as error:
        text, _at, path = str(error).partition(" - at `$")
        pointer = path.rstrip("`").replace("[", "/").replace("]", "").replace(".", "/")
        raise InvalidInputError(
            "the scans are not well formed", [{"detail": text, "pointer": pointer or "/"}]
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
