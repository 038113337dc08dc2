"""Public tracking: city, status and time for all; the details for who knows the phone or has the link."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.models import Installation
from app.network.labels import facility_name
from app.network.opening import opening_words
from app.security import public
from app.shipments import access, queries, service
from app.shipments.access import Attempt
from app.shipments.forms import ComplaintForm, PhoneForm, ReceiptForm, TrackForm
from app.shipments.forwarding import forwardings_of
from app.shipments.models import DeliveryProof, Shipment
from app.shipments.phrases import city_of, courier_words, sentence_text, timeline_rows, window_text
from app.shipments.pieces import merged_with, pieces_of
from app.shipments.story import story_of
from app.shipments.track_page import comes_mark, live_address
from app.shipments.values import link_token, parse_number, without_nul
from app.shipments.words import MILESTONES
from app.web import now, public_unit_of_work
from tracking.numbers import is_waybill_number
from tracking.shipment import Milestone

_SESSION_KEY = "tracked"
_REMEMBERED_MAX = 20
_COMPLAINT = "servicedesk.public_complaint"


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/track", "track", track)
    blueprint.add_url_rule("/track/<number>", "track_number", track_number)
    blueprint.add_url_rule("/track/<number>/details", "track_details", track_details, methods=["POST"])
    blueprint.add_url_rule("/t/<token>", "track_link", track_link)
    blueprint.add_url_rule("/t/<token>/receipt", "confirm_receipt", confirm_receipt, methods=["POST"])
    blueprint.add_url_rule("/t/<token>/proof/<int:proof_id>", "public_proof", public_proof)


@public
def track() -> flask.typing.ResponseReturnValue:
    """One big field."""
    form = TrackForm(flask.request.args)
    typed = flask.request.args.get("number")
    if typed is not None and form.validate():
        number, _piece_no = parse_number(typed)
        if number and "/" not in number:
            return flask.redirect(flask.url_for("shipments.track_number", number=number))
    return flask.render_template("shipments/track.html", form=form), 200 if typed is None else 422


@public
def track_number(number: str) -> flask.typing.ResponseReturnValue:
    """What everybody may know of a number, and the details for a browser that has proved itself."""
    with public_unit_of_work() as session:
        shipment = queries.by_number_public(session, number)
        if shipment is None:
            return _unknown(number)
        opened = shipment.waybill_number in flask.session.get(_SESSION_KEY, [])
        return _page(session, shipment, opened=opened, form=PhoneForm())


@public
def track_details(number: str) -> flask.typing.ResponseReturnValue:
    """Open the details by the last four digits of a phone; a wrong try is counted."""
    form = PhoneForm()
    with public_unit_of_work() as session:
        shipment = queries.by_number_public(session, number)
        if shipment is None:
            return _unknown(number)
        if not form.validate_on_submit():
            return _page(session, shipment, opened=False, form=form), 422
        attempt = access.try_phone(session, shipment, (form.digits.data or "").strip(), now=now())
        if attempt is Attempt.OPEN:
            _remember(shipment.waybill_number)
            return flask.redirect(flask.url_for("shipments.track_number", number=shipment.waybill_number))
        message, status = _("These are not the last four digits of either phone."), 422
        if attempt is Attempt.LOCKED:
            message, status = _("Too many wrong tries. The details stay closed for an hour."), 429
        form.digits.errors = [message]
        return _page(session, shipment, opened=False, form=form), status


@public
def track_link(token: str) -> flask.typing.ResponseReturnValue:
    """The details for who has the unguessable link."""
    with public_unit_of_work() as session:
        return _page(session, queries.by_link(session, without_nul(token)), opened=True, form=PhoneForm())


@public
def confirm_receipt(token: str) -> flask.typing.ResponseReturnValue:
    """The consignee says that it has arrived."""
    with public_unit_of_work() as session:
        shipment = queries.by_link(session, without_nul(token))
        service.confirm_receipt(session, shipment, now=now(), by="tracking_page")
    flask.flash(_("Thank you. The receipt is confirmed."), "success")
    return flask.redirect(flask.url_for("shipments.track_link", token=token))


@public
def public_proof(token: str, proof_id: int) -> flask.typing.ResponseReturnValue:
    """The picture that proves a delivery, for who has the link."""
    with public_unit_of_work() as session:
        shipment = queries.by_link(session, without_nul(token))
        return proof_response(queries.proof(session, shipment, proof_id))


def proof_response(proof: DeliveryProof) -> flask.Response:
    """A proof's picture, as nothing but a picture."""
    return flask.Response(
        proof.content or b"",
        content_type=proof.content_type or "application/octet-stream",
        headers={"Cache-Control": "private, no-store", "Content-Disposition": "inline"},
    )


def _unknown(number: str) -> flask.typing.ResponseReturnValue:
    """One answer for a number that nobody booked, and for one that is only not registered yet."""
    plain, _piece_no = parse_number(number)
    page = flask.render_template(
        "shipments/unknown.html", form=TrackForm(), number=plain, well_formed=is_waybill_number(plain)
    )
    return page, 404


def _page(session: Session, shipment: Shipment, *, opened: bool, form: PhoneForm) -> str:
    story = story_of(session, shipment, now=now())
    place = facility_name if opened else city_of
    offset = shipment.booked_offset_minutes
    token = link_token(shipment.id, session.get_one(Installation, 1).waybill_key) if opened else None
    delivered = shipment.milestone is Milestone.DELIVERED
    fetch = queries.waits_at(session, shipment) if opened else None
    adcodes = [shipment.sender_district_adcode, shipment.consignee_district_adcode]
    return flask.render_template(
        "shipments/tracking.html",
        shipment=shipment,
        number=shipment.waybill_number,
        stands=MILESTONES[shipment.milestone],
        sentence=sentence_text(story, place),
        events=timeline_rows(story, place, detailed=opened),
        promised=None if story.state.terminal else window_text(story.promised, offset),
        expected=window_text(story.expected, offset) if story.expected and story.differs else None,
        unheard=story.unheard,
        comes=None if story.comes is None else courier_words(story.comes, shipment.milestone, offset),
        comes_mark=None if story.comes is None else comes_mark(story.comes.to_at, story.comes.stops_away),
        live=None if story.state.terminal else live_address(shipment.waybill_number),
        opened=opened,
        fetch=fetch,
        opening=None if fetch is None else opening_words(fetch, now()),
        token=token,
        form=form,
        districts=queries.districts(session, adcodes),
        proofs=queries.proofs(session, shipment) if opened else [],
        pieces=pieces_of(session, shipment) if opened else [],
        merged=merged_with(session, shipment) if opened else None,
        forwardings=forwardings_of(session, shipment) if opened else [],
        place=place,
        may_confirm=opened and delivered and shipment.receipt_confirmed_at is None,
        receipt_form=ReceiptForm(formdata=None),
        complaint_form=ComplaintForm(formdata=None) if opened and _takes_complaints() else None,
    )


def _takes_complaints() -> bool:
    return _COMPLAINT in flask.current_app.view_functions


def _remember(number: str) -> None:
    kept = [one for one in flask.session.get(_SESSION_KEY, []) if one != number]
    flask.session[_SESSION_KEY] = [*kept, number][-_REMEMBERED_MAX:]
