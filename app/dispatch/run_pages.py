"""A courier's round on his phone: the next stop large, the scans one tap away."""

from __future__ import annotations

import base64
import binascii

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Role, Scope
from app.dispatch import queries, service
from app.dispatch.models import StopKind
from app.dispatch.queries import Run, RunStop
from app.errors import BadRequestError, NotFoundError
from app.security import current_actor, requires
from app.shipments import service as shipments
from app.shipments.models import ProofKind
from app.shipments.service import ProofInput, ScanInput
from app.shipments.words import REASONS
from app.web import now, unit_of_work
from tracking.shipment import AttemptReason, ScanCode

_C, _R = ScanCode, AttemptReason
# What a courier says of each kind of stop: it is done, or it is not.
_DONE = {StopKind.PICKUP: _C.COLLECTED, StopKind.DELIVERY: _C.DELIVERED}
_FAILED = {StopKind.PICKUP: _C.PICKUP_FAILED, StopKind.DELIVERY: _C.ATTEMPT_FAILED}
REASONS_OF = {
    StopKind.PICKUP: (
        _R.CONSIGNEE_ABSENT,
        _R.CANNOT_CONTACT,
        _R.ADDRESS_INCOMPLETE,
        _R.BUSINESS_CLOSED,
        _R.NO_ACCESS,
    ),
    StopKind.DELIVERY: (
        _R.CONSIGNEE_ABSENT,
        _R.CANNOT_CONTACT,
        _R.ADDRESS_INCOMPLETE,
        _R.PHONE_WRONG,
        _R.POSTPONED_BY_CONSIGNEE,
        _R.BUSINESS_CLOSED,
        _R.NO_ACCESS,
        _R.CASH_NOT_PAID,
    ),
}
_PICTURE = "data:image/png;base64,"
_ID_LENGTH_MAX = 60


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/run", "run", show)
    blueprint.add_url_rule("/run/stops/<int:stop_id>", "run_scan", scan, methods=["POST"])


@requires(Scope.RUNS_READ)
def show() -> flask.typing.ResponseReturnValue:
    """The asker's round today; who plans is shown the board."""
    actor = current_actor()
    if actor.role != Role.COURIER:
        return flask.redirect(flask.url_for(".board"))
    with unit_of_work() as session:
        run = queries.run_of_courier(session, actor, None, now=now())
        return _page(run)


@requires(Scope.SCANS_WRITE)
def scan(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Record what became of a stop of the asker's own round; a double tap is one scan."""
    actor, form = current_actor(), flask.request.form
    with unit_of_work() as session:
        run = queries.run_of_courier(session, actor, None, now=now())
        one = next((stop for stop in run.stops if stop.stop.id == stop_id), None)
        if one is None:
            raise NotFoundError("no such stop in your round")
        done = form.get("what") == "done"
        if done and one.stop.kind is StopKind.DELIVERY and not form.get("received_by", "").strip():
            return _page(run, wrong=(stop_id, _("Say who received it."))), 422
        (result,) = shipments.record_scans(session, actor, [_scan(run, one, done=done)], now=now())
        if result.status == "rejected":
            return _page(run, wrong=(stop_id, result.detail or _("It could not be recorded."))), 422
        # A second tap is a `conflict`, since its moment is another: the first one stays.
        # Followed now and not only when the event comes round, so that the page shows the next stop.
        service.follow_shipment(session, shipment_id=one.stop.shipment_id, now=now())
    flask.flash(_("Recorded: %(name)s.", name=one.stop.contact_name), "success")
    return flask.redirect(flask.url_for(".run"))


def _page(run: Run, wrong: tuple[int, str] | None = None) -> str:
    return flask.render_template(
        "dispatch/run.html",
        run=run,
        reasons={kind: [(reason, REASONS[reason]) for reason in known] for kind, known in REASONS_OF.items()},
        wrong=wrong,
        asked_at=int(now().timestamp()),
    )


def _scan(run: Run, one: RunStop, *, done: bool) -> ScanInput:
    form, kind = flask.request.form, one.stop.kind
    token = form.get("asked_at", "")
    if not token.isdecimal() or len(token) > _ID_LENGTH_MAX:
        raise BadRequestError("the form is not one of ours")
    code = (_DONE if done else _FAILED)[kind]
    reason = form.get("reason")
    if not done and reason not in REASONS_OF[kind]:
        raise BadRequestError("the form does not say why")
    return ScanInput(
        number=one.waybill_number,
        code=code,
        occurred_at=now(),
        offset_minutes=run.facility.utc_offset_minutes,
        device_id=f"phone-{run.courier.id}",
        # The page was asked for once, so two taps on it are one scan.
        client_scan_id=f"{one.stop.id}-{code}-{token}",
        courier_id=run.courier.id,
        reason=None if done else reason,
        proof=_proof() if done and kind is StopKind.DELIVERY else None,
    )


def _proof() -> ProofInput:
    form = flask.request.form
    name, picture = form["received_by"].strip(), form.get("signature", "")
    if picture.startswith(_PICTURE):
        try:
            drawn = base64.b64decode(picture.removeprefix(_PICTURE), validate=True)
        except binascii.Error as error:
            raise BadRequestError("the signature is not a picture") from error
        return ProofInput(ProofKind.SIGNATURE, name, "image/png", drawn)
    code = form.get("handed_code", "").strip().encode()
    return ProofInput(ProofKind.CODE, name, "text/plain" if code else None, code or None)
