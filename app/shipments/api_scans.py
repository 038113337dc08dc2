"""Scans from machines: a JSON array, or one JSON object a line."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Callable
from datetime import datetime
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
from app.shipments.models import ProofKind
from app.shipments.service import BATCH_MAX, ProofInput, ScanInput
from app.web import now, unit_of_work

NDJSON = ("application/x-ndjson", "application/jsonl", "application/ndjson")


class ProofBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who received it and how that is proved; the picture in base64."""

    kind: ProofKind
    received_by: str
    content_type: str | None = None
    content_base64: str | None = None


class ScanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scan. `device_id` and `client_scan_id` together recognise it when it is sent again."""

    number: str
    code: str
    occurred_at: datetime
    device_id: str
    client_scan_id: str
    offset_minutes: int = 480
    facility_id: int | None = None
    courier_id: int | None = None
    reason: str | None = None
    corrects: str | None = None
    piece_no: int | None = None
    proof: ProofBody | None = None


_array = msgspec.json.Decoder(list[ScanBody])
_line = msgspec.json.Decoder(ScanBody)


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
    bodies = _decoded()
    if len(bodies) > BATCH_MAX:
        raise InvalidInputError(f"at most {BATCH_MAX} scans at once")
    with unit_of_work() as session:
        results = service.record_scans(session, current_actor(), [_input(body) for body in bodies], now=now())
    encoded = msgspec.json.encode({"items": results})
    return flask.Response(encoded, content_type="application/json")


def _schema() -> dict[str, Any]:
    """The body for the OpenAPI document, written out: APIFlask names only its own kinds of schema."""
    _, parts = msgspec.json.schema_components([ScanBody], ref_template="{name}")
    proof = {
        **parts["ProofBody"],
        "properties": {**parts["ProofBody"]["properties"], "kind": parts["ProofKind"]},
    }
    either = {"anyOf": [{"type": "null"}, proof], "default": None}
    scan = {**parts["ScanBody"], "properties": {**parts["ScanBody"]["properties"], "proof": either}}
    return {"type": "array", "maxItems": BATCH_MAX, "items": scan}


# Decoded by msgspec, five times as fast as a model for each of ten thousand rows; so described by hand.
vars(scans)["_spec"].update(body=_schema(), content_type=["application/json", NDJSON[0]])


def _decoded() -> list[ScanBody]:
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


def _input(body: ScanBody) -> ScanInput:
    return ScanInput(
        number=body.number,
        code=body.code,
        occurred_at=body.occurred_at,
        offset_minutes=body.offset_minutes,
        device_id=body.device_id,
        client_scan_id=body.client_scan_id,
        facility_id=body.facility_id,
        courier_id=body.courier_id,
        reason=body.reason,
        corrects=body.corrects,
        piece_no=body.piece_no,
        proof=None if body.proof is None else _proof(body.proof),
    )


def _proof(body: ProofBody) -> ProofInput:
    content = None
    if body.content_base64 is not None:
        try:
            content = base64.b64decode(body.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInputError(
                "a proof is not base64", [{"detail": str(error), "pointer": "/proof/content_base64"}]
            ) from error
    return ProofInput(body.kind, body.received_by, body.content_type, content)
