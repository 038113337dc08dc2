"""Pages of the orders room: the list, an order's money, and the doors of booking and terms."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.orders import booking_pages, queries, service, terms_pages
from app.orders.forms import ChannelForm, OrderFilterForm, ReasonForm
from app.orders.intake import CURRENCY
from app.orders.models import Order, OrderStatus, PaymentChannel
from app.orders.waterfall import waterfall
from app.orders.wording import CHANNELS, CHARGES, RELEASES, ROLES, SERVICES, STATUSES, line_text
from app.pagination import LIMIT_DEFAULT
from app.parties import queries as parties
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work
from settlement.money import Money

blueprint = APIBlueprint("orders", __name__, enable_openapi=False)
booking_pages.register(blueprint)
terms_pages.register(blueprint)


@blueprint.get("/orders")
@requires(Scope.ORDERS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """The orders, what needs a person first; the filters are in the address."""
    form = OrderFilterForm(flask.request.args)
    status = 200 if form.validate() else 422
    with unit_of_work() as session:
        return _list_page(session, form, ChannelForm(formdata=None), filtered=status == 200), status


def _list_page(
    session: Session, form: OrderFilterForm, channel_form: ChannelForm, *, filtered: bool = True
) -> str:
    """The list; the form of the payment channel above it may hold what was refused."""
    actor = current_actor()
    chosen = queries.OrderFilter()
    if filtered:
        chosen = queries.OrderFilter(
            status=OrderStatus(form.status.data) if form.status.data else None,
            channel=PaymentChannel(form.channel.data) if form.channel.data else None,
            customer_id=flask.request.args.get("customer", type=int),
            unpaid=bool(form.unpaid.data),
            from_day=form.from_day.data,
            to_day=form.to_day.data,
        )
    page = queries.list_orders(
        session, actor, chosen, cursor=flask.request.args.get("cursor"), limit=LIMIT_DEFAULT
    )
    may_settle = actor.may(Scope.PAYOUTS_PREPARE)
    return flask.render_template(
        "orders/index.html",
        form=form,
        page=page,
        standing=queries.standing(session, actor, CURRENCY),
        clearing_minor=queries.clearing_minor(session, CURRENCY) if may_settle else None,
        channel_form=channel_form,
        currency=CURRENCY,
    )


@blueprint.get("/orders/<number>")
@requires(Scope.ORDERS_READ)
def show(number: str) -> flask.typing.ResponseReturnValue:
    """The way of an order's money: price, shares with their reasons, journal entries."""
    with unit_of_work() as session:
        return _order_page(session, queries.load_order(session, current_actor(), number), ReasonForm())


@blueprint.post("/orders/<number>/cancel")
@requires(Scope.SHIPMENTS_BOOK)
def cancel(number: str) -> flask.typing.ResponseReturnValue:
    """Take a booking back before the parcel is collected."""
    form = ReasonForm()
    with unit_of_work() as session:
        order = queries.load_order(session, current_actor(), number)
        if not form.validate():
            return _order_page(session, order, form), 422
        service.cancel(session, current_actor(), order, reason=form.reason.data or "", now=now())
    flask.flash(_("The order is cancelled and its money is reversed."), "success")
    return flask.redirect(flask.url_for("orders.show", number=number))


@blueprint.post("/orders/<number>/pay")
@requires(Scope.PAYOUTS_PREPARE)
def pay(number: str) -> flask.typing.ResponseReturnValue:
    """The payer of a monthly account has paid the order."""
    with unit_of_work() as session:
        order = queries.load_order(session, current_actor(), number)
        service.pay(session, current_actor(), order, now=now())
    flask.flash(_("The order is recorded as paid."), "success")
    return flask.redirect(flask.url_for("orders.show", number=number))


@blueprint.post("/orders/channel")
@requires(Scope.PAYOUTS_PREPARE)
def settle_channel() -> flask.typing.ResponseReturnValue:
    """The payment channel has handed over what it confirmed."""
    form = ChannelForm()
    with unit_of_work() as session:
        if not form.validate():
            return _list_page(session, OrderFilterForm(formdata=None), form), 422
        service.settle_channel(
            session,
            current_actor(),
            amount=Money(form.amount_minor.data or 0, CURRENCY),
            reference=form.reference.data or "",
            now=now(),
        )
    flask.flash(_("The money is in custody now."), "success")
    return flask.redirect(flask.url_for("orders.index"))


@blueprint.app_context_processor
def _names() -> dict[str, Any]:
    return {
        "order_status": STATUSES.__getitem__,
        "channel_name": CHANNELS.__getitem__,
        "charge_name": CHARGES.__getitem__,
        "service_name": SERVICES.__getitem__,
    }


def _order_page(session: Session, order: Order, form: ReasonForm) -> str:
    """A shipper sees what he pays; what others earn of it is the business of the staff who see the ledger."""
    actor = current_actor()
    shipment = shipments.load_shipment_by_id(session, actor, order.shipment_id)
    shares: list[dict[str, Any]] = []
    entries = []
    if actor.may(Scope.LEDGER_READ):
        owners = parties.by_ids(session, [share.party_id for share in order.shares])
        shares = [
            {
                "party": owners[share.party_id],
                "role": ROLES[share.role] if share.role is not None else "",
                "amount_minor": share.amount_minor,
                "reasons": [
                    line_text(reason["key"], reason["params"], owners, order.currency)
                    for reason in share.reasons
                    if reason["key"] != "split.amount"
                ],
            }
            for share in order.shares
        ]
        entries = queries.entries_of(session, order)
    return flask.render_template(
        "orders/show.html",
        order=order,
        shipment=shipment,
        owed_minor=service.owed_minor(order),
        shares=shares,
        entries=entries,
        collected_minor=queries.collected_minor(session, order) if shipment.cod_minor else 0,
        chart_options=waterfall(order.total_minor, order.currency, shares) if shares else None,
        release_reason=RELEASES.get(order.release_reason or "", order.release_reason),
        form=form,
    )
