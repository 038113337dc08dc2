"""The scan station: one big field, one big answer, and what this station scanned last."""

from __future__ import annotations

import base64
import binascii
import uuid
from datetime import datetime
from typing import Any

import flask
import msgspec
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.errors import BadRequestError, InvalidInputError
from app.network.labels import facility_name
from app.security import current_actor, requires
from app.shipments import queries, service
from app.shipments.models import ProofKind, Shipment
from app.shipments.scan_values import DELIVERED
from app.shipments.service import ProofInput, ScanInput, ScanResult
from app.shipments.station_answer import Answer
from app.shipments.station_list import last_scans_of_user
from app.shipments.words import CODES, INSTRUCTED, REASONS, REFUSALS, RESULTS
from app.web import now, unit_of_work
from tracking.instructions import InstructionKind
from tracking.numbers import container_number_in
from tracking.shipment import ScanCode

_C = ScanCode
STATION_CODES = (
    _C.ARRIVED, _C.SORTED, _C.DEPARTED, _C.OUT_FOR_DELIVERY, _C.DELIVERED, _C.ATTEMPT_FAILED, _C.COLLECTED,
    _C.ACCEPTED, _C.AT_OUTLET, _C.AT_STORE, _C.AT_LOCKER, _C.AT_COLLECTIVE_POINT, _C.DAMAGED, _C.MISSORTED,
    _C.HELD, _C.RELEASED, _C.REFUSED, _C.RETURNING, _C.RETURNED,
)  # fmt: skip
_WITH_REASON = frozenset({_C.ATTEMPT_FAILED, _C.HELD, _C.REFUSED})
_SORTING = frozenset({_C.ARRIVED, _C.SORTED, _C.DEPARTED})
_LAST = 20
_QUEUED_MAX = 500
_PICTURE = "data:image/png;base64,"


class Typed(msgspec.Struct, frozen=True):
    """One scan as the station's browser sends it, at once or when the line is back."""

    number: str
    code: str
    client_scan_id: str = ""
    device: str = ""
    occurred_at: datetime | None = None
    offset_minutes: int = 480
    facility_id: int | None = None
    reason: str | None = None
    received_by: str | None = None
    signature: str | None = None
    handed_code: str | None = None


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/scan", "scan_station", scan_station)
    blueprint.add_url_rule("/scan", "scan", scan, methods=["POST"])
    blueprint.add_url_rule("/scan/queued", "scan_queued", scan_queued, methods=["POST"])
    blueprint.add_url_rule("/scan/undo", "scan_undo", scan_undo, methods=["POST"])


@requires(Scope.SCANS_WRITE)
def scan_station() -> flask.typing.ResponseReturnValue:
    """The station; what is scanned stands in the address."""
    with unit_of_work() as session:
        return flask.render_template("shipments/station.html", **_context(session, None))


@requires(Scope.SCANS_WRITE)
def scan() -> flask.typing.ResponseReturnValue:
    """Record one scan and answer it: a part for the station's script, the whole page without one."""
    form = flask.request.form
    given = {name: value for name, value in form.items() if value and name in Typed.__struct_fields__}
    try:
        typed = msgspec.convert(given, Typed, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error)) from error
    with unit_of_work() as session:
        answer = _record(session, current_actor(), typed)
        part = flask.request.headers.get("HX-Request-Type") == "partial"
        template = "shipments/_answer.html" if part else "shipments/station.html"
        return flask.render_template(template, **_context(session, answer))


@requires(Scope.SCANS_WRITE)
def scan_queued() -> flask.typing.ResponseReturnValue:
    """Record what a station kept while the line was down; one result a scan, in their order."""
    try:
        typed = msgspec.json.decode(flask.request.get_data(), type=list[Typed])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(str(error)) from error
    if len(typed) > _QUEUED_MAX:
        raise InvalidInputError(f"at most {_QUEUED_MAX} scans at once")
    actor = current_actor()
    with unit_of_work() as session:
        scans = [_input(actor, one) for one in typed]
        results = service.record_scans(session, actor, scans, now=now())
    return flask.jsonify(
        [
            {
                "client_scan_id": one.client_scan_id,
                "number": one.number,
                "status": one.status,
                "text": None if one.reason is None else _refused(one),
            }
            for one in results
        ]
    )


@requires(Scope.SCANS_WRITE)
def scan_undo() -> flask.typing.ResponseReturnValue:
    """Declare one of the station's own scans an error."""
    form, actor = flask.request.form, current_actor()
    typed = Typed(number=form.get("number", ""), code=_C.VOIDED, device=form.get("device", ""))
    with unit_of_work() as session:
        undone = _input(actor, typed, corrects=form.get("scan_key", ""))
        (result,) = service.record_scans(session, actor, [undone], now=now())
        word, tone = RESULTS[result.status]
        taken_back = result.status == "recorded"
        answer = Answer(
            _("Taken back") if taken_back else str(word),
            "ok" if taken_back else tone,
            result.number if result.reason is None else _refused(result),
        )
        part = flask.request.headers.get("HX-Request-Type") == "partial"
        template = "shipments/_answer.html" if part else "shipments/station.html"
        return flask.render_template(template, **_context(session, answer))


def _record(session: Session, actor: Actor, typed: Typed) -> Answer:
    scan_input = _input(actor, typed)
    (result,) = service.record_scans(session, actor, [scan_input], now=now())
    word, tone = RESULTS[result.status]
    if result.status == "rejected":
        return Answer(str(word), tone, _refused(result))
    if result.status == "unmatched":
        return Answer(str(word), tone, _("%(number)s is kept until it is booked.", number=result.number))
    if result.status == "conflict":
        return Answer(str(word), tone, result.number)
    if container_number_in(result.number) is not None:
        return _answer_of_container(scan_input, result)
    shipment = queries.by_number_public(session, result.number)
    assert shipment is not None, "it was found a moment ago"
    return _answer(session, actor, scan_input, shipment, result)


def _answer_of_container(scan_input: ScanInput, result: ScanResult) -> Answer:
    word, tone = RESULTS[result.status]
    if result.moved is None:
        return Answer(str(word), tone, result.number)
    text = ngettext(
        "%(number)s: %(num)s piece inside moved with it",
        "%(number)s: %(num)s pieces inside moved with it",
        result.moved,
        number=result.number,
    )
    return Answer(str(CODES[ScanCode(scan_input.code)]), tone if result.moved else "warn", text)


def _refused(result: ScanResult) -> str:
    assert result.reason is not None, "it was rejected"
    return str(REFUSALS[result.reason])


def _answer(
    session: Session, actor: Actor, scan_input: ScanInput, shipment: Shipment, result: ScanResult
) -> Answer:
    """A recorded scan: what it was, and where the parcel goes next."""
    code = ScanCode(scan_input.code)
    headline = str(CODES[code]) if result.status == "recorded" else str(RESULTS[result.status][0])
    tone = RESULTS[result.status][1]
    here = scan_input.facility_id or (actor.subject_id if actor.role == Role.HUB else None)
    instructed = _instructed(shipment, here)
    if instructed is not None:
        return instructed
    if here is None or code not in _SORTING:
        return Answer(headline, tone, shipment.waybill_number)
    legs = queries.legs_of(session, shipment)
    stops = [shipment.destination_facility_id, *(leg.to_facility_id for leg in legs)]
    places = queries.facilities(session, stops)
    number = shipment.waybill_number
    # The last one: on its way back a parcel leaves places again that it left before.
    following = next((leg for leg in reversed(legs) if leg.from_facility_id == here), None)
    if following is not None:
        place = facility_name(places[following.to_facility_id])
        return Answer(headline, tone, _("%(number)s goes on to %(place)s", number=number, place=place))
    if here == shipment.destination_facility_id:
        return Answer(headline, tone, _("%(number)s is delivered from here", number=number))
    place = facility_name(places[shipment.destination_facility_id])
    text = _("%(number)s is off its route; it belongs to %(place)s", number=number, place=place)
    return Answer(headline, "warn", text)


def _instructed(shipment: Shipment, here: int | None) -> Answer | None:
    """What whoever has the parcel in hand must do with it now, before anything else."""
    if shipment.instruction is None or shipment.terminal or shipment.instruction not in INSTRUCTED:
        return None
    held_elsewhere = here != shipment.destination_facility_id
    if shipment.instruction is InstructionKind.HOLD_AT_OUTLET and held_elsewhere:
        return None
    headline, what = INSTRUCTED[shipment.instruction]
    return Answer(str(headline), "bad", f"{shipment.waybill_number}: {what}")


def _input(actor: Actor, typed: Typed, *, corrects: str | None = None) -> ScanInput:
    # Two stations of one login are told apart by what their browsers call themselves.
    device_id = f"station:{actor.user_id}:{typed.device[:40]}"
    proof = _proof(typed) if typed.code in DELIVERED and typed.received_by else None
    return ScanInput(
        number=typed.number,
        code=typed.code,
        occurred_at=typed.occurred_at or now(),
        offset_minutes=typed.offset_minutes,
        device_id=device_id,
        client_scan_id=typed.client_scan_id or uuid.uuid4().hex,
        facility_id=typed.facility_id,
        reason=typed.reason if typed.code in _WITH_REASON else None,
        corrects=corrects,
        proof=proof,
    )


def _proof(typed: Typed) -> ProofInput | None:
    assert typed.received_by is not None, "asked by the caller"
    if typed.signature and typed.signature.startswith(_PICTURE):
        try:
            picture = base64.b64decode(typed.signature.removeprefix(_PICTURE), validate=True)
        except binascii.Error as error:
            raise BadRequestError("the signature is not a picture") from error
        return ProofInput(ProofKind.SIGNATURE, typed.received_by, "image/png", picture)
    code = (typed.handed_code or "").strip().encode()
    return ProofInput(ProofKind.CODE, typed.received_by, "text/plain" if code else None, code or None)


def _context(session: Session, answer: Answer | None) -> dict[str, Any]:
    actor, values = current_actor(), flask.request.values
    chosen = values.get("code", "")
    code = ScanCode(chosen) if chosen in STATION_CODES else ScanCode.ARRIVED
    own = actor.role in (Role.HUB, Role.COURIER) and actor.subject_id is not None
    facility_id = None if own else values.get("facility_id", type=int)
    last = last_scans_of_user(session, actor.user_id, _LAST)
    return {
        "answer": answer,
        "code": code,
        "codes": STATION_CODES,
        "facility_id": facility_id,
        "choices": [] if own else queries.open_facilities(session),
        "with_reason": code in _WITH_REASON,
        "reasons": REASONS,
        "with_proof": code in DELIVERED,
        "last": last,
        "places": queries.facilities(session, [row.facility_id for row in last]),
    }
