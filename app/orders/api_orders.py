"""Orders and their money for machines: listed, read, paid, taken back; what a payment channel handed over."""

from __future__ import annotations

from typing import Any

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, page_answer
from app.idempotency import idempotent
from app.orders import queries, service
from app.orders.api_blueprint import blueprint
from app.orders.api_models import (
    ChannelSettlement,
    ChannelSettlementOut,
    OrderDetail,
    OrderOut,
    OrderPage,
    OrderQuery,
    ReasonInput,
)
from app.orders.models import Order
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work
from settlement.money import Money


@blueprint.get("/orders")
@blueprint.input(OrderQuery, location="query")
@blueprint.output(OrderPage)
@blueprint.doc(summary="Orders, newest first", security=BEARER)
@requires(Scope.ORDERS_READ)
def orders(query_data: OrderQuery) -> flask.typing.ResponseReturnValue:
    """The orders that the asker may know of."""
    chosen = queries.OrderFilter(
        status=query_data.status,
        channel=query_data.channel,
        customer_id=query_data.customer_id,
        unpaid=query_data.unpaid,
        from_day=query_data.from_day,
        to_day=query_data.to_day,
        offset_minutes=query_data.offset_minutes,
    )
    with unit_of_work() as session:
        page = queries.list_orders(
            session, current_actor(), chosen, cursor=query_data.cursor, limit=query_data.limit
        )
        return page_answer([_order(row.order, row.waybill_number) for row in page.rows], page.next_cursor)


@blueprint.get("/orders/<number>")
@blueprint.output(OrderDetail)
@blueprint.doc(summary="An order with its charges and, for staff of the ledger, its shares", security=BEARER)
@requires(Scope.ORDERS_READ)
def order(number: str) -> flask.typing.ResponseReturnValue:
    """An order; who earns what of it is told to those who may read the ledger."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_order(session, actor, number)
        shipment = shipments.load_shipment_by_id(session, actor, found.shipment_id)
        body = _order(found, shipment.waybill_number)
        body["charges"] = [
            {"kind": charge.kind.value, "amount_minor": charge.amount_minor, "details": charge.details}
            for charge in found.charges
        ]
        if actor.may(Scope.LEDGER_READ):
            body["shares"] = [
                {
                    "party_id": share.party_id,
                    "role": share.role,
                    "amount_minor": share.amount_minor,
                    "reasons": share.reasons,
                }
                for share in found.shares
            ]
            body["entries"] = [entry.id for entry in queries.entries_of(session, found)]
        return flask.jsonify(body)


@blueprint.post("/orders/<number>/pay")
@blueprint.output(OrderOut)
@blueprint.doc(
    summary="Record that the payer of a monthly account has paid; again is no harm", security=BEARER
)
@requires(Scope.PAYOUTS_PREPARE)
@idempotent
def pay(number: str) -> flask.typing.ResponseReturnValue:
    """The payer of a monthly account has paid the order."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_order(session, actor, number)
        service.pay(session, actor, found, now=now())
        shipment = shipments.load_shipment_by_id(session, actor, found.shipment_id)
        return flask.jsonify(_order(found, shipment.waybill_number))


@blueprint.post("/orders/<number>/cancel")
@blueprint.input(ReasonInput)
@blueprint.output(OrderOut)
@blueprint.doc(
    summary="Take an order back before the parcel is collected; its money is reversed", security=BEARER
)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def cancel(number: str, json_data: ReasonInput) -> flask.typing.ResponseReturnValue:
    """Take an order back, with the reason that stands on it."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_order(session, actor, number)
        service.cancel(session, actor, found, reason=json_data.reason, now=now())
        shipment = shipments.load_shipment_by_id(session, actor, found.shipment_id)
        return flask.jsonify(_order(found, shipment.waybill_number))


@blueprint.post("/channel-settlements")
@blueprint.input(ChannelSettlement)
@blueprint.output(ChannelSettlementOut, status_code=201)
@blueprint.doc(summary="Record what a payment channel handed to the custody account", security=BEARER)
@requires(Scope.PAYOUTS_PREPARE)
@idempotent
def settle_channel(json_data: ChannelSettlement) -> flask.typing.ResponseReturnValue:
    """What the channel confirmed is in custody now; the same reference is recorded once."""
    amount = Money(json_data.amount_minor, json_data.currency)
    with unit_of_work() as session:
        service.settle_channel(
            session, current_actor(), amount=amount, reference=json_data.reference, now=now()
        )
        waiting_minor = queries.clearing_minor(session, json_data.currency)
    return flask.jsonify(**json_data.model_dump(), waiting_minor=waiting_minor), 201


def _order(row: Order, waybill_number: str) -> dict[str, Any]:
    return {
        "number": row.number,
        "waybill_number": waybill_number,
        "customer_id": row.customer_id,
        "status": row.status.value,
        "channel": row.channel.value,
        "total_minor": row.total_minor,
        "currency": row.currency,
        "placed_at": row.placed_at.isoformat(),
        "paid_at": None if row.paid_at is None else row.paid_at.isoformat(),
        "released_at": None if row.released_at is None else row.released_at.isoformat(),
    }
