"""The booking page: a form, its price as one types, and what was booked."""

from __future__ import annotations

import uuid

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.customers.models import Customer, IdentityKind
from app.errors import InvalidInputError
from app.network import queries as network
from app.network.models import District
from app.orders import intake, queries, service
from app.orders.forms import BookingForm
from app.orders.models import Order, PaymentChannel
from app.orders.wording import CHARGES
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work
from routing.network import NoRoute
from settlement.errors import NoTermsInForceError

_SUGGESTIONS = 12
_FIELD_OF_POINTER = {
    "/phone": "consignee_phone",
    "/sender/phone": "sender_phone",
    "/consignee/phone": "consignee_phone",
    "/service": "service",
    "/handover": "delivery_handover",
    "/district_adcode": "consignee_district",
}


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/book", "book", book, methods=["GET", "POST"])
    blueprint.add_url_rule("/book/quote", "quote", quote, methods=["POST"])
    blueprint.add_url_rule("/book/districts", "districts", districts)
    blueprint.add_url_rule("/book/<number>", "booked", booked)


@requires(Scope.SHIPMENTS_BOOK)
def book() -> flask.typing.ResponseReturnValue:
    """Book a parcel; a refused form keeps what was typed."""
    form = BookingForm()
    actor = current_actor()
    if actor.role == "shipper":
        del form.payer_phone, form.payer_name
    if not form.is_submitted():
        form.once.data = uuid.uuid4().hex
        if actor.role == "shipper":
            with unit_of_work() as session:
                _prefill(session, form, intake.own_record(session, actor))
        return flask.render_template("orders/book.html", form=form, offer=None)
    if form.validate():
        number = _book(form)
        if number is not None:
            return flask.redirect(flask.url_for("orders.booked", number=number))
    return flask.render_template("orders/book.html", form=form, offer=None), 422


@requires(Scope.SHIPMENTS_BOOK)
def quote() -> flask.typing.ResponseReturnValue:
    """The price and promised time of what the form holds so far."""
    form = BookingForm()
    if current_actor().role == "shipper":
        del form.payer_phone, form.payer_name
    form.validate()  # only the fields that make the price are looked at
    offer, problem = None, None
    decisive = (
        "pieces", "weight_g", "volume_cm3", "service", "pickup_handover", "delivery_handover",
        "declared_value_minor", "cod_minor",
    )  # fmt: skip
    if not any(form[name].errors for name in decisive):
        with unit_of_work() as session:
            sender = intake.district_of(session, form.sender_district.data or "")
            consignee = intake.district_of(session, form.consignee_district.data or "")
            if sender is not None and consignee is not None:
                try:
                    offer = service.quote(session, intake.request_of(form, sender, consignee), now=now())
                except (InvalidInputError, NoRoute) as error:
                    problem = _explained(error)
            session.rollback()  # a quote leaves nothing behind
    return flask.render_template("orders/_quote.html", offer=offer, problem=problem, charge_names=CHARGES)


@requires(Scope.SHIPMENTS_BOOK)
def districts() -> flask.typing.ResponseReturnValue:
    """Suggestions for a district field, as options of its datalist."""
    typed = next((value for name, value in flask.request.args.items() if name.endswith("_district")), "")[
        :100
    ]
    with unit_of_work() as session:
        labels = [
            intake.district_label(row) for row in network.search_districts(session, typed, _SUGGESTIONS)
        ]
    return flask.render_template("orders/_districts.html", labels=labels)


@requires(Scope.SHIPMENTS_BOOK)
def booked(number: str) -> flask.typing.ResponseReturnValue:
    """What was booked: the number, the label, the link for the consignee."""
    actor = current_actor()
    with unit_of_work() as session:
        order = queries.load_order(session, actor, number)
        shipment = shipments.load_shipment_by_id(session, actor, order.shipment_id)
        return flask.render_template(
            "orders/booked.html",
            order=order,
            shipment=shipment,
            tracking_path=queries.tracking_path(session, shipment),
        )


def _book(form: BookingForm) -> str | None:
    """Book what a valid form holds; gives the order's number, or None with errors at the fields."""
    actor = current_actor()
    try:
        with unit_of_work() as session:
            sender = _district(session, form, "sender_district")
            consignee = _district(session, form, "consignee_district")
            if sender is None or consignee is None:
                return None
            customer = intake.payer(
                session,
                actor,
                phone=form.payer_phone.data or "" if "payer_phone" in form else "",
                name=form.payer_name.data or "" if "payer_name" in form else "",
                now=now(),
            )
            order: Order = service.book(
                session,
                actor,
                intake.request_of(form, sender, consignee),
                customer_id=customer.id,
                channel=PaymentChannel(form.channel.data),
                now=now(),
                booking_key=form.once.data,
            )
            return order.number
    except InvalidInputError as error:
        _put_at_fields(form, error)
    except (NoRoute, NoTermsInForceError) as error:
        form.form_errors.append(_explained(error))
    return None


def _district(session: Session, form: BookingForm, name: str) -> District | None:
    field = form[name]
    found = intake.district_of(session, field.data or "")
    if found is None:
        field.errors = [_("Choose one of the districts that are suggested.")]
    return found


def _put_at_fields(form: BookingForm, error: InvalidInputError) -> None:
    placed = False
    for item in error.extra["errors"]:
        pointer = item["pointer"]
        name = _FIELD_OF_POINTER.get(pointer, pointer.strip("/").replace("/", "_"))
        if name in form:
            form[name].errors = [*form[name].errors, item["detail"]]
            placed = True
    if not placed:
        form.form_errors.append(error.detail)


def _explained(error: Exception) -> str:
    if isinstance(error, NoRoute):
        return str(_("No way leads from one district to the other at the moment."))
    if isinstance(error, NoTermsInForceError):
        return str(_("Nothing can be booked yet: finance has put no terms into force."))
    return error.detail if isinstance(error, InvalidInputError) else str(error)


def _prefill(session: Session, form: BookingForm, customer: Customer) -> None:
    """The sender from the customer's record: the newest of his addresses, else his name and phone."""
    phones = [item.value for item in customer.identities if item.kind is IdentityKind.PHONE]
    form.sender_name.data = customer.name
    form.sender_phone.data = phones[0] if phones else ""
    if customer.addresses:
        latest = max(customer.addresses, key=lambda address: address.id)
        district = session.get(District, latest.district_adcode)
        form.sender_name.data, form.sender_phone.data = latest.contact_name, latest.phone
        form.sender_address.data = latest.line
        form.sender_district.data = intake.district_label(district) if district is not None else ""
