"""What whoever holds a shipment's link may do: complain, read the answer, add a word."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.errors import InvalidInputError
from app.security import public
from app.servicedesk import queries, service
from app.servicedesk.case_view import conversation
from app.servicedesk.events import clock_of
from app.servicedesk.forms import PublicComplaintForm, PublicMessageForm
from app.servicedesk.values import CaseCategory
from app.shipments import queries as shipments
from app.web import now, public_unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/t/<token>/complaint", "public_complaint", complain, methods=["POST"])
    blueprint.add_url_rule("/t/<token>/complaint/<number>", "public_case", show, methods=["GET", "POST"])


@public
def complain(token: str) -> flask.typing.ResponseReturnValue:
    """Open a case about the shipment of a link; the form stands on the tracking page."""
    form = PublicComplaintForm()
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, token)
        if form.validate_on_submit():
            try:
                case = service.open_from_tracking_page(
                    session,
                    shipment,
                    category=CaseCategory(form.category.data),
                    body=form.body.data or "",
                    phone=form.phone.data,
                    now=now(),
                )
            except InvalidInputError as error:
                for problem in error.extra["errors"]:
                    field = form[problem["pointer"].strip("/")]
                    field.errors = [
                        _("This is not a phone number. Write a landline with its area code.")
                        if field is form.phone
                        else _("Please write what happened.")
                    ]
            else:
                return flask.redirect(
                    flask.url_for("servicedesk.public_case", token=token, number=case.number)
                )
        return flask.render_template(
            "servicedesk/complaint.html", form=form, token=token, number=shipment.waybill_number
        ), 422


@public
def show(token: str, number: str) -> flask.typing.ResponseReturnValue:
    """The case as its customer sees it: number, answers, and room for one more word."""
    form = PublicMessageForm()
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, token)
        case = queries.case_of_shipment(session, shipment.id, number)
        if form.validate_on_submit():
            service.customer_message(session, case, form.body.data or "", now=now())
            return flask.redirect(flask.url_for("servicedesk.public_case", token=token, number=number))
        status = 422 if form.is_submitted() else 200
        return flask.render_template(
            "servicedesk/public_case.html",
            form=form,
            token=token,
            case=case,
            clocks=clock_of(case),
            said=conversation(case, {}, staff=False),
            waybill_number=shipment.waybill_number,
        ), status
