"""A shipment for whoever holds its unguessable link, for machines: the details, and the receipt."""

from __future__ import annotations

from typing import Any

import flask
from sqlalchemy.orm import Session

from app.security import public
from app.shipments import queries, service
from app.shipments.answers import track_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import TrackOut
from app.shipments.models import Shipment
from app.shipments.phrases import facility_name, sentence_text
from app.shipments.story import story_of
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work


@blueprint.get("/links/<token>")
@blueprint.output(TrackOut)
@blueprint.doc(summary="Where the shipment of a link is, with its details")
@public
def link(token: str) -> flask.typing.ResponseReturnValue:
    """The details for who has the link."""
    with public_unit_of_work() as session:
        return flask.jsonify(_answer(session, queries.by_link(session, without_nul(token))))


@blueprint.post("/links/<token>/receipt")
@blueprint.output(TrackOut)
@blueprint.doc(summary="The consignee says that it has arrived; again is no harm")
@public
def confirm(token: str) -> flask.typing.ResponseReturnValue:
    """Confirm the receipt of the shipment of a link."""
    with public_unit_of_work() as session:
        shipment = queries.by_link(session, without_nul(token))
        service.confirm_receipt(session, shipment, now=now(), by="tracking_page")
        return flask.jsonify(_answer(session, shipment))


def _answer(session: Session, shipment: Shipment) -> dict[str, Any]:
    story = story_of(session, shipment, now=now())
    return track_answer(
        story, sentence_text(story, facility_name), access="open", proofs=queries.proofs(session, shipment)
    )
