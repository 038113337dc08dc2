"""A courier's round on his phone: the next stop large, the scans one tap away."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Role, Scope
from app.dispatch import queries, service
from app.dispatch.models import StopKind
from app.dispatch.queries import Run, RunStop
from app.dispatch.words import KINDS, STOP_STATUSES, clock
from app.errors import BadRequestError, NotFoundError
from app.security import current_actor, requires
from app.shipments import service as shipments
from app.shipments.service import ScanInput
from app.shipments.words import REASONS
from app.web import now, unit_of_work
from tracking.shipment import AttemptReason, ScanCode

_C, _R = ScanCode, AttemptReason
# What a courier says of each kind of stop where it is not done.
_FAILED = {
    StopKind.PICKUP: _C.PICKUP_FAILED,
    StopKind.DELIVERY: _C.ATTEMPT_FAILED,
    StopKind.RETURN: _C.ATTEMPT_FAILED,
}
# And where it is; what is brought to a consignee is handed over with its proof, by the room above.
_DONE = {StopKind.PICKUP: _C.COLLECTED, StopKind.RETURN: _C.RETURNED}
_AT_THE_SENDERS = (
    _R.CONSIGNEE_ABSENT,
    _R.CANNOT_CONTACT,
    _R.ADDRESS_INCOMPLETE,
    _R.BUSINESS_CLOSED,
    _R.NO_ACCESS,
)
REASONS_OF = {
    StopKind.PICKUP: _AT_THE_SENDERS,
    StopKind.RETURN: _AT_THE_SENDERS,
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
        return run_page(queries.run_of_courier(session, actor, None, now=now()))


@requires(Scope.SCANS_WRITE)
def scan(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Record a pickup, a return, or what did not work out, in the asker's round; a double tap is one scan.

    A parcel changes hands at the door of the room above this one, with its cash and proof.
    """
    actor, form = current_actor(), flask.request.form
    with unit_of_work() as session:
        run = queries.run_of_courier(session, actor, None, now=now())
        one = next((stop for stop in run.stops if stop.stop.id == stop_id), None)
        if one is None:
            raise NotFoundError("no such stop in your round")
        done = form.get("what") == "done"
        if done and one.stop.kind not in _DONE:
            raise BadRequestError("a parcel is handed over at its own door")
        if one.stop.shipment_id is None:
            reason = None if done else _reason(one.stop.kind)
            service.finish_pickup(session, actor, one.stop, collected=done, reason=reason, now=now())
            return _recorded(one)
        (result,) = shipments.record_scans(session, actor, [_scan(run, one, done=done)], now=now())
        if result.status == "rejected":
            return run_page(run, wrong=(stop_id, result.detail or _("It could not be recorded."))), 422
        # A second tap is a `conflict`, since its moment is another: the first one stays.
        # Followed now and not only when the event comes round, so that the page shows the next stop.
        service.follow_shipments(session, [one.stop.shipment_id], now=now())
        return _recorded(one)


def _recorded(one: RunStop) -> flask.typing.ResponseReturnValue:
    flask.flash(_("Recorded: %(name)s.", name=one.stop.contact_name), "success")
    return flask.redirect(flask.url_for(".run"))


def _reason(kind: StopKind) -> str:
    reason = flask.request.form.get("reason")
    if reason not in REASONS_OF[kind]:
        raise BadRequestError("the form does not say why")
    return reason


def run_page(run: Run, wrong: tuple[int, str] | None = None) -> str:
    """The page of a round; `wrong` is a stop's id and what was wrong with what was said of it."""
    return flask.render_template(
        "dispatch/run.html",
        clock=clock,
        kinds=KINDS,
        stop_statuses=STOP_STATUSES,
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
    return ScanInput(
        number=one.waybill_number,
        code=code,
        occurred_at=now(),
        offset_minutes=run.facility.utc_offset_minutes,
        device_id=f"phone-{run.courier.id}",
        # The page was asked for once, so two taps on it are one scan.
        client_scan_id=f"{one.stop.id}-{code}-{token}",
        courier_id=run.courier.id,
        reason=None if done else _reason(kind),
    )
