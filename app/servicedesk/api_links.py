"""Complaints by whoever holds a shipment's link, for machines: opened, read, written on; as on the page."""

from __future__ import annotations

import flask

from app.security import public
from app.servicedesk import queries, service
from app.servicedesk.answers import detail_answer
from app.servicedesk.api_blueprint import blueprint
from app.servicedesk.api_models import CaseDetail, LinkCaseIn, LinkMessageIn
from app.shipments import queries as shipments
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work


@blueprint.post("/links/<token>/cases")
@blueprint.input(LinkCaseIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Complain about the shipment of a link; the same words again open nothing new")
@public
def complain(token: str, json_data: LinkCaseIn) -> flask.typing.ResponseReturnValue:
    """Open a case about the shipment of a link."""
    with public_unit_of_work() as session:
        case = service.open_from_tracking_page(
            session,
            shipments.by_link(session, without_nul(token)),
            category=json_data.category,
            body=json_data.body,
            phone=json_data.phone,
            now=now(),
        )
        location = flask.url_for(".link_case", token=token, number=case.number)
        return detail_answer(session, case, staff=False), 201, {"Location": location}


@blueprint.get("/links/<token>/cases/<number>")
@blueprint.output(CaseDetail)
@blueprint.doc(summary="A case about the shipment of a link, as its customer sees it")
@public
def link_case(token: str, number: str) -> flask.typing.ResponseReturnValue:
    """The case as its customer sees it."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        return detail_answer(session, queries.case_of_shipment(session, shipment.id, number), staff=False)


@blueprint.post("/links/<token>/cases/<number>/messages")
@blueprint.input(LinkMessageIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Add a word to a case about the shipment of a link")
@public
def link_message(token: str, number: str, json_data: LinkMessageIn) -> flask.typing.ResponseReturnValue:
    """Say something as the customer."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        case = queries.case_of_shipment(session, shipment.id, number)
        service.customer_message(session, case, json_data.body, now=now())
        return detail_answer(session, case, staff=False), 201
