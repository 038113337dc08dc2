"""The consignee's own door for machines: who has the unguessable link says what should happen."""

from __future__ import annotations

import flask

from app.deliveries import queries, service
from app.deliveries.answers import delivery_answer, instruction_answer
from app.deliveries.api_blueprint import blueprint
from app.deliveries.api_models import ConsentIn, DeliveryOut, InstructionOut, WishIn
from app.deliveries.models import ConsentSource
from app.security import public
from app.shipments import queries as shipments
from app.shipments.values import without_nul
from app.web import now, public_unit_of_work


@blueprint.get("/links/<token>/delivery")
@blueprint.output(DeliveryOut)
@blueprint.doc(summary="What the consignee of a link may ask, what was asked, and what he consents to")
@public
def link_delivery(token: str) -> flask.typing.ResponseReturnValue:
    """What may be asked where the parcel stands now."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        return flask.jsonify(delivery_answer(session, shipment, queries.BY_LINK, now()))


@blueprint.post("/links/<token>/instructions")
@blueprint.input(WishIn)
@blueprint.output(InstructionOut, status_code=201)
@blueprint.doc(summary="The consignee of a link asks for something about his parcel")
@public
def link_ask(token: str, json_data: WishIn) -> flask.typing.ResponseReturnValue:
    """Redeliver, redirect or hold; one wish is open at a time, so the same again is refused."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        row = service.ask(session, shipment, json_data.wish(), queries.BY_LINK, now=now())
        return instruction_answer(row), 201


@blueprint.post("/links/<token>/instructions/<int:instruction_id>/withdraw")
@blueprint.output(InstructionOut)
@blueprint.doc(summary="The consignee of a link takes an instruction of his back")
@public
def link_withdraw(token: str, instruction_id: int) -> flask.typing.ResponseReturnValue:
    """Only what he asked himself."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        row = queries.instruction_of(session, shipment, instruction_id)
        service.withdraw(session, row, queries.BY_LINK, now=now())
        return flask.jsonify(instruction_answer(row))


@blueprint.post("/links/<token>/instructions/<int:instruction_id>/accept-price")
@blueprint.output(InstructionOut)
@blueprint.doc(
    summary="The consignee of a link accepts what his instruction costs more",
    description="It is collected at the door. What can no longer be done is answered with `standing` "
    "`refused` and its reason.",
)
@public
def link_accept_price(token: str, instruction_id: int) -> flask.typing.ResponseReturnValue:
    """Only of what he asked himself."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        row = queries.instruction_of(session, shipment, instruction_id)
        service.accept_price(session, row, queries.BY_LINK, now=now())
        return flask.jsonify(instruction_answer(row))


@blueprint.post("/links/<token>/consents")
@blueprint.input(ConsentIn)
@blueprint.output(DeliveryOut)
@blueprint.doc(summary="The consignee of a link says which ways of handing over suit him; again is no harm")
@public
def link_consent(token: str, json_data: ConsentIn) -> flask.typing.ResponseReturnValue:
    """It holds for all his parcels, until he says otherwise."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, without_nul(token))
        service.record_consent(
            session,
            shipment,
            json_data.channel,
            granted=json_data.granted,
            source=ConsentSource.TRACKING_LINK,
            now=now(),
        )
        return flask.jsonify(delivery_answer(session, shipment, queries.BY_LINK, now()))
