"""A shipment for whoever holds its unguessable link, for machines: the details, and the receipt."""

from __future__ import annotations

import flask

from app.security import public
from app.shipments import queries, service
from app.shipments.answers import opened_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import TrackOut
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work


@blueprint.get("/links/<token>")
@blueprint.output(TrackOut)
@blueprint.doc(summary="Where the shipment of a link is, with its details")
@public
def link(token: str) -> flask.typing.ResponseReturnValue:
    """The details for who has the link."""
    with public_unit_of_work() as session:
        body = opened_answer(session, queries.by_link(session, without_nul(token)))
    return flask.Response(body, content_type="application/json")


@blueprint.post("/links/<token>/receipt")
@blueprint.output(TrackOut)
@blueprint.doc(summary="The consignee says that it has arrived; again is no harm")
@public
def confirm(token: str) -> flask.typing.ResponseReturnValue:
    """Confirm the receipt of the shipment of a link."""
    with public_unit_of_work() as session:
        shipment = queries.by_link(session, without_nul(token))
        service.confirm_receipt(session, shipment, now=now(), by="tracking_page")
    return link(token)
