"""Instructions for machines of shippers and the staff."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, page_answer
from app.deliveries import queries, service
from app.deliveries.answers import consents_answer, delivery_answer, instruction_answer
from app.deliveries.api_blueprint import blueprint
from app.deliveries.api_models import (
    ConsentIn,
    ConsentOut,
    DecisionIn,
    DeliveryOut,
    InstructionOut,
    InstructionPage,
    InstructionQuery,
    WishIn,
)
from app.deliveries.models import ConsentSource
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work


@blueprint.get("/instructions")
@blueprint.input(InstructionQuery, location="query")
@blueprint.output(InstructionPage)
@blueprint.doc(
    summary="Instructions about parcels on their way; what waits for an answer first", security=BEARER
)
@requires(Scope.SHIPMENTS_READ)
def instructions(query_data: InstructionQuery) -> flask.typing.ResponseReturnValue:
    """Those of the shipments that the asker may know of."""
    with unit_of_work() as session:
        page = queries.list_instructions(
            session,
            current_actor(),
            standings=[] if query_data.standing is None else [query_data.standing],
            kind=query_data.kind,
            cursor=query_data.cursor,
            limit=query_data.limit,
        )
        return page_answer([instruction_answer(row) for row in page.rows], page.next_cursor)


@blueprint.get("/shipments/<number>/instructions")
@blueprint.output(DeliveryOut)
@blueprint.doc(summary="What may be asked about a parcel on its way, and what was", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
def possible(number: str) -> flask.typing.ResponseReturnValue:
    """What may be asked where the parcel stands now."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = shipments.load_shipment(session, actor, number)
        return flask.jsonify(delivery_answer(session, shipment, queries.asking(actor), now()))


@blueprint.post("/shipments/<number>/instructions")
@blueprint.input(WishIn)
@blueprint.output(InstructionOut, status_code=201)
@blueprint.doc(
    summary="Ask for something about a parcel on its way",
    description="A wish that cannot be met is kept too: `standing` is `refused`, and `refusal` says why. "
    "A redirection that costs more stays `asked` until who asked accepts its price, or the staff bear it.",
    security=BEARER,
)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def ask(number: str, json_data: WishIn) -> flask.typing.ResponseReturnValue:
    """Redeliver, redirect, hold, intercept or send back."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = shipments.load_shipment(session, actor, number)
        row = service.ask(session, shipment, json_data.wish(), queries.asking(actor), now=now())
        return flask.jsonify(instruction_answer(row)), 201


@blueprint.post("/instructions/<int:instruction_id>/withdraw")
@blueprint.output(InstructionOut)
@blueprint.doc(summary="Take an instruction back; an intercepted parcel is released", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def withdraw(instruction_id: int) -> flask.typing.ResponseReturnValue:
    """Who asked takes it back, or the staff do."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.withdraw(session, row, queries.asking(actor), now=now())
        return flask.jsonify(instruction_answer(row))


@blueprint.post("/instructions/<int:instruction_id>/accept-price")
@blueprint.output(InstructionOut)
@blueprint.doc(
    summary="Accept what an own instruction costs more",
    description="It is added to the order: a prepaid one is charged at once, a monthly account owes it. What "
    "can no longer be done is answered with `standing` `refused` and its reason.",
    security=BEARER,
)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def accept_price(instruction_id: int) -> flask.typing.ResponseReturnValue:
    """The shipper accepts the price of his wish."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.accept_price(session, row, queries.asking(actor), now=now())
        return flask.jsonify(instruction_answer(row))


@blueprint.post("/instructions/<int:instruction_id>/decide")
@blueprint.input(DecisionIn)
@blueprint.output(InstructionOut)
@blueprint.doc(summary="Say whether the company bears what a redirection costs more", security=BEARER)
@requires(Scope.CUSTOMERS_WRITE)
@idempotent
def decide(instruction_id: int, json_data: DecisionIn) -> flask.typing.ResponseReturnValue:
    """The staff answer what waits for them."""
    actor = current_actor()
    with unit_of_work() as session:
        row = queries.load_instruction(session, actor, instruction_id)
        service.decide(session, actor, row, accepted=json_data.accepted, now=now())
        return flask.jsonify(instruction_answer(row))


@blueprint.post("/shipments/<number>/consents")
@blueprint.input(ConsentIn)
@blueprint.output(ConsentOut)
@blueprint.doc(
    summary="Write down what the consignee says of a way of handing over, on the phone", security=BEARER
)
@requires(Scope.CUSTOMERS_WRITE)
@idempotent
def record_consent(number: str, json_data: ConsentIn) -> flask.typing.ResponseReturnValue:
    """An agent takes down the consignee's word; it holds for all his parcels."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = shipments.load_shipment(session, actor, number)
        service.record_consent(
            session,
            shipment,
            json_data.channel,
            granted=json_data.granted,
            source=ConsentSource.PHONE_CALL,
            actor=actor,
            now=now(),
        )
        (answer,) = [
            one for one in consents_answer(session, shipment) if one["channel"] == json_data.channel.value
        ]
        return flask.jsonify(answer)
