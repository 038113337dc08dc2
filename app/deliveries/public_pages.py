"""What a consignee may do about his parcel, for who has the unguessable link."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.deliveries import asking_pages, cash, consent, handover, queries, service
from app.deliveries.forms import DisputeForm
from app.deliveries.models import ConsentChannel, ConsentSource, DeliveryConsent
from app.deliveries.point_models import DisputeKind
from app.errors import BadRequestError, ConflictError, InvalidInputError
from app.network.opening import opening_words
from app.security import public
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work
from tracking.pickup import OVERDUE_AFTER, may_be_disputed


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/t/<token>/delivery", "choose", choose, methods=["GET", "POST"])
    blueprint.add_url_rule(
        "/t/<token>/delivery/<int:instruction_id>/withdraw", "undo", undo, methods=["POST"]
    )
    blueprint.add_url_rule(
        "/t/<token>/delivery/<int:instruction_id>/accept-price", "agree", agree, methods=["POST"]
    )
    blueprint.add_url_rule("/t/<token>/delivery/dispute", "dispute", dispute, methods=["POST"])
    blueprint.add_url_rule("/t/<token>/delivery/consent", "set_consent", set_consent, methods=["POST"])


@public
def choose(token: str) -> flask.typing.ResponseReturnValue:
    """What may be asked about the parcel, what was asked, and what its consignee consents to."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        forms = asking_pages.forms_for(session, shipment, queries.BY_LINK, now())
        status = 200
        if flask.request.method == "POST":
            status = asking_pages.handle(session, shipment, queries.BY_LINK, forms, now())
            if status == 302:
                return flask.redirect(flask.url_for(".choose", token=token))
        return flask.render_template(
            "deliveries/choose.html",
            token=token,
            door_code=handover.door_code(session, shipment) if not shipment.terminal else None,
            cash_due=cash.due_minor(session, shipment),
            **_pickup(session, shipment),
            consents=_consents(consent.standing(session, shipment)),
            **asking_pages.context(session, shipment, queries.BY_LINK, forms),
        ), status


@public
def undo(token: str, instruction_id: int) -> flask.typing.ResponseReturnValue:
    """The consignee takes an instruction of his back."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        row = queries.instruction_of(session, shipment, instruction_id)
        service.withdraw(session, row, queries.BY_LINK, now=now())
    flask.flash(_("It is taken back."), "success")
    return flask.redirect(flask.url_for(".choose", token=token))


@public
def agree(token: str, instruction_id: int) -> flask.typing.ResponseReturnValue:
    """The consignee accepts what his instruction costs more, and pays it at his door."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        row = queries.instruction_of(session, shipment, instruction_id)
        service.accept_price(session, row, queries.BY_LINK, now=now())
        asking_pages.tell(row)
    return flask.redirect(flask.url_for(".choose", token=token))


@public
def dispute(token: str) -> flask.typing.ResponseReturnValue:
    """The consignee says that what he was to fetch is not there, or is damaged: a case is opened."""
    form = DisputeForm()
    if not form.validate_on_submit():
        flask.flash(_("Please write what happened."), "error")
        return flask.redirect(flask.url_for(".choose", token=token))
    try:
        with public_unit_of_work() as session:
            shipment = shipments.by_link(session, without_nul(token))
            number = service.dispute(
                session,
                shipment,
                DisputeKind(form.kind.data),
                body=form.body.data or "",
                phone=form.phone.data,
                now=now(),
            )
    except ConflictError:
        flask.flash(_("The time in which this could be said here has passed; write a complaint."), "error")
        return flask.redirect(flask.url_for("shipments.track_link", token=token))
    except InvalidInputError:
        flask.flash(_("This is not a phone number. Write a landline with its area code."), "error")
        return flask.redirect(flask.url_for(".choose", token=token))
    return flask.redirect(flask.url_for("servicedesk.public_case", token=token, number=number))


def _pickup(session: Session, shipment: Shipment) -> dict[str, object]:
    """Where it waits to be fetched, and whether something may be said about that."""
    found = queries.last_deposit(session, shipment)
    disputable = found is not None and found.taken_back_at is None and may_be_disputed(found.taken_at, now())
    waits = found is not None and found.taken_at is None and found.taken_back_at is None
    return {
        "pickup": found if waits else None,
        "opening": opening_words(found.facility, now()) if found is not None and waits else None,
        "fetch_within": OVERDUE_AFTER,
        "dispute_form": DisputeForm(formdata=None) if disputable else None,
    }


@public
def set_consent(token: str) -> flask.typing.ResponseReturnValue:
    """The consignee says which ways of handing over suit him, for this parcel and all others."""
    given = flask.request.form.get("channel", "")
    if given not in set(ConsentChannel):
        raise BadRequestError("the form is not one of ours")
    granted = flask.request.form.get("granted") == "yes"
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        service.record_consent(
            session,
            shipment,
            ConsentChannel(given),
            granted=granted,
            source=ConsentSource.TRACKING_LINK,
            now=now(),
        )
    flask.flash(_("Noted.") if granted else _("Noted: not in this way any more."), "success")
    return flask.redirect(flask.url_for(".choose", token=token) + "#consent")


def _consents(
    words: dict[ConsentChannel, DeliveryConsent],
) -> list[tuple[ConsentChannel, bool, object]]:
    """Each channel, whether it is agreed to, and the word it rests on."""
    return [
        (
            channel,
            words[channel].granted if channel in words else channel is ConsentChannel.DOOR,
            words.get(channel),
        )
        for channel in ConsentChannel
    ]
