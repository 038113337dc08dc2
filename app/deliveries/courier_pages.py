"""The door, on the courier's phone: a parcel of his round is handed over."""

from __future__ import annotations

import base64
import binascii

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.deliveries import phone
from app.deliveries.door_models import Means, Relation
from app.deliveries.door_values import Evidence, HandOver, Outcome, Paid
from app.dispatch.day import following
from app.dispatch.models import StopKind
from app.dispatch.run_pages import run_page
from app.dispatch.runs import Run, RunStop, run_of_courier
from app.errors import BadRequestError, ConflictError, InvalidInputError, NotFoundError
from app.security import current_actor, requires
from app.shipments.models import ProofKind
from app.web import now, unit_of_work
from settlement.errors import MoneyError
from settlement.money import Money

_PICTURE = "data:image/png;base64,"
_TOKEN_LENGTH_MAX = 60


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/run/stops/<int:stop_id>/hand-over", "hand_over", hand_over, methods=["POST"])


@requires(Scope.SCANS_WRITE)
def hand_over(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Hand over the parcel of a stop of the asker's own round; a double tap is one delivery."""
    actor = current_actor()
    with unit_of_work() as session:
        run = run_of_courier(session, actor, None, now=now())
        one = next((stop for stop in run.stops if stop.stop.id == stop_id), None)
        if one is None:
            raise NotFoundError("no such stop in your round")
        if one.stop.kind is not StopKind.DELIVERY:
            raise BadRequestError("nothing is handed over at the sender's")
        try:
            given = _given(run, one)
            done = phone.hand_over_stop(session, actor, run.courier, one.stop, given, now=now())
        except InvalidInputError as error:
            return run_page(run, wrong=(stop_id, _what_is_wrong(error, one))), 422
        except ConflictError as error:
            return run_page(run, wrong=(stop_id, _why_not(error))), 409
        following.follow(session, run.facility, now=now(), courier_ids=[run.courier.id])
    if done.outcome is Outcome.HANDED_OVER:
        flask.flash(_("Recorded: %(name)s.", name=one.stop.contact_name), "success")
    elif done.outcome is Outcome.NOT_PAID:
        flask.flash(_("Not paid in full: keep the parcel. It is recorded as not handed over."), "warning")
    elif done.outcome is Outcome.WRONG_CODE:
        flask.flash(_("That is not the consignee's code."), "error")
    else:
        flask.flash(_("Too many wrong codes: take a signature or a photo."), "error")
    return flask.redirect(flask.url_for("dispatch.run"))


def _given(run: Run, one: RunStop) -> HandOver:
    form = flask.request.form
    token, relation = form.get("asked_at", ""), form.get("relation", "")
    if not token.isdecimal() or len(token) > _TOKEN_LENGTH_MAX or relation not in {"", *Relation}:
        raise BadRequestError("the form is not one of ours")
    return HandOver(
        received_by=form.get("received_by", "").strip(),
        occurred_at=now(),
        offset_minutes=run.facility.utc_offset_minutes,
        device_id=f"phone-{run.courier.id}",
        # The page was asked for once, so two taps on it are one hand-over.
        client_id=f"{one.stop.id}-{token}",
        relation=Relation(relation) if relation else None,
        evidence=_evidence(),
        paid=_paid(one) if one.due_minor else None,
        courier_id=run.courier.id,
    )


def _paid(one: RunStop) -> Paid:
    form = flask.request.form
    means = form.get("means", Means.CASH)
    if means not in set(Means):
        raise BadRequestError("the form is not one of ours")
    try:
        amount = Money.parse(form.get("paid", "").strip(), one.currency)
    except MoneyError as error:
        raise InvalidInputError(
            "the amount is not one", [{"detail": "is no amount", "pointer": "/paid"}]
        ) from error
    return Paid(amount.amount_minor, Means(means))


def _evidence() -> Evidence | None:
    """What was given of the three, the one that says most first."""
    form, photo = flask.request.form, flask.request.files.get("photo")
    code, drawn = form.get("handed_code", "").strip(), form.get("signature", "")
    if code:
        return Evidence(ProofKind.CODE, code.encode())
    if drawn.startswith(_PICTURE):
        try:
            picture = base64.b64decode(drawn.removeprefix(_PICTURE), validate=True)
        except binascii.Error as error:
            raise BadRequestError("the signature is not a picture") from error
        return Evidence(ProofKind.SIGNATURE, picture)
    content = b"" if photo is None else photo.read()
    return Evidence(ProofKind.PHOTO, content) if content else None


def _what_is_wrong(error: InvalidInputError, one: RunStop) -> str:
    pointers = {wrong["pointer"] for wrong in error.extra["errors"]}
    if "/received_by" in pointers:
        return str(_("Say who received it."))
    if "/proof" in pointers:
        return str(_("The photo cannot be used: a picture of at most 300 kB is needed."))
    if one.due_minor:
        amount = Money(one.due_minor, one.currency).decimal_text()
        return str(_("%(amount)s is due. Say what was paid, 0 for nothing.", amount=amount))
    return str(_("It could not be recorded."))


def _why_not(error: ConflictError) -> str:
    if error.extra.get("why") == "no_consent":
        return str(_("The consignee has not agreed that somebody else takes it. Hand it to him only."))
    if error.extra.get("why") == "stopped":
        return str(_("The sender has stopped this parcel. Bring it back to the outlet."))
    return str(_("It is delivered already, or its way has ended."))
