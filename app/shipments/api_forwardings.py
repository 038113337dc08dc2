"""Other carriers' numbers of a shipment, for machines."""

from __future__ import annotations

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.shipments import forwarding, queries
from app.shipments.answers import forwarded_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import ForwardingOut
from app.web import now, unit_of_work
from tracking.carriers import NUMBER_LENGTH_MAX


class ForgetInput(ApiInput):
    """Which number of another carrier."""

    number: str = Field(min_length=1, max_length=NUMBER_LENGTH_MAX, pattern=r"^[^\x00]*$")


class ForwardingInput(ForgetInput):
    """Under which number another carrier takes it further."""

    carrier: str | None = Field(
        default=None, max_length=30, pattern=r"^[a-z0-9_]+$", description="Needed where several may be meant"
    )


class ForwardingsOut(ApiOutput):
    """All numbers of other carriers."""

    items: list[ForwardingOut]


@blueprint.get("/shipments/<number>/forwardings")
@blueprint.output(ForwardingsOut)
@blueprint.doc(summary="Under which numbers other carriers take it further", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def forwardings(number: str) -> flask.typing.ResponseReturnValue:
    """None while we carry it ourselves."""
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, current_actor(), number)
        return flask.jsonify(
            items=[forwarded_answer(one) for one in forwarding.forwardings_of(session, shipment)]
        )


@blueprint.post("/shipments/<number>/forwardings")
@blueprint.input(ForwardingInput)
@blueprint.output(ForwardingOut)
@blueprint.doc(summary="Hand it on to another carrier under its number", security=BEARER)
@requires(Scope.EXCEPTIONS_WRITE)
@idempotent
def forward(number: str, json_data: ForwardingInput) -> flask.typing.ResponseReturnValue:
    """The carrier is recognised by the number, unless it is named."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, actor, number)
        done = forwarding.forward(session, actor, shipment, json_data.number, json_data.carrier, now=now())
        return flask.jsonify(forwarded_answer(done))


@blueprint.post("/shipments/<number>/forwardings/forget")
@blueprint.input(ForgetInput)
@blueprint.output(ForwardingsOut)
@blueprint.doc(summary="Take another carrier's number back; answers what is left", security=BEARER)
@requires(Scope.EXCEPTIONS_WRITE)
@idempotent
def forget(number: str, json_data: ForgetInput) -> flask.typing.ResponseReturnValue:
    """One that is not there is no harm."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, actor, number)
        forwarding.forget(session, actor, shipment, json_data.number, now=now())
        return flask.jsonify(
            items=[forwarded_answer(one) for one in forwarding.forwardings_of(session, shipment)]
        )
