"""Instructions for who works with shipments: those of one parcel, and all that are open."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.deliveries import asking_pages, consent, queries, service
from app.deliveries.forms import InstructionFilterForm, PlainForm
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/instructions", "index", index)
    blueprint.add_url_rule(
        "/shipments/<number>/instructions", "shipment", shipment_page, methods=["GET", "POST"]
    )
    blueprint.add_url_rule(
        "/instructions/<int:instruction_id>/withdraw", "withdraw", withdraw, methods=["POST"]
    )
    blueprint.add_url_rule(
        "/instructions/<int:instruction_id>/accept-price", "accept_price", accept_price, methods=["POST"]
    )
    blueprint.add_url_rule("/instructions/<int:instruction_id>/decide", "decide", decide, methods=["POST"])


@requires(Scope.SHIPMENTS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """What was asked about parcels on their way; what waits for an answer first."""
    form, actor = InstructionFilterForm(flask.request.args), current_actor()
    status = 200 if form.validate() else 422
    with unit_of_work() as session:
        page = queries.list_instructions(
            session,
            actor,
            standings=form.standings() if status == 200 else [],
            kind=form.chosen_kind() if status == 200 else None,
            cursor=flask.request.args.get("cursor"),
            limit=LIMIT_DEFAULT,
        )
        return flask.render_template(
            "deliveries/index.html",
            form=form,
            page=page,
            waiting=queries.waiting_for_the_staff(session, actor),
            may_decide=actor.may(Scope.CUSTOMERS_WRITE),
            plain_form=PlainForm(formdata=None),
        ), status


@requires(Scope.SHIPMENTS_BOOK)
def shipment_page(number: str) -> flask.typing.ResponseReturnValue:
    """What may be asked about a parcel by its sender or the staff, and what was asked."""
    actor = current_actor()
    asking = queries.asking(actor)
    with unit_of_work() as session:
        shipment = shipments.load_shipment(session, actor, number)
        forms = asking_pages.forms_for(session, shipment, asking, now())
        status = 200
        if flask.request.method == "POST":
            status = asking_pages.handle(session, shipment, asking, forms, now())
            if status == 302:
                return flask.redirect(flask.url_for(".shipment", number=number))
        return flask.render_template(
            "deliveries/shipment.html",
            consents=consent.standing(session, shipment),
            **asking_pages.context(session, shipment, asking, forms),
        ), status


@requires(Scope.SHIPMENTS_BOOK)
def withdraw(instruction_id: int) -> flask.typing.ResponseReturnValue:
    """Take an instruction back."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.withdraw(session, row, queries.asking(actor), now=now())
        number = row.shipment.waybill_number
    flask.flash(_("It is taken back."), "success")
    return flask.redirect(flask.url_for(".shipment", number=number))


@requires(Scope.SHIPMENTS_BOOK)
def accept_price(instruction_id: int) -> flask.typing.ResponseReturnValue:
    """The shipper accepts what his instruction costs more."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.accept_price(session, row, queries.asking(actor), now=now())
        asking_pages.tell(row)
        number = row.shipment.waybill_number
    return flask.redirect(flask.url_for(".shipment", number=number))


@requires(Scope.CUSTOMERS_WRITE)
def decide(instruction_id: int) -> flask.typing.ResponseReturnValue:
    """Say whether the company bears what a redirection costs more."""
    actor, accepted = current_actor(), flask.request.form.get("accepted") == "yes"
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.decide(session, actor, row, accepted=accepted, now=now())
    flask.flash(_("Accepted.") if accepted else _("Refused."), "success")
    return flask.redirect(flask.url_for(".index"))
