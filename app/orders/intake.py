"""From a form's or a machine's fields to a booking request: who pays, and which places are meant."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.orm import Session

from app.actor import Actor
from app.customers import queries as customer_queries
from app.customers import service as customers
from app.customers.models import Customer
from app.errors import InvalidInputError
from app.network import queries as network
from app.network.models import District
from app.orders.forms import BookingForm
from app.shipments.models import Service
from app.shipments.service import BookingRequest, Merge, Place
from routing.network import Handover

_ADCODE = re.compile(r"(?:^|\s)(\d{6})$")
CURRENCY = "CNY"


def district_label(district: District) -> str:
    """A district as the suggestions write it; `district_of` reads it back."""
    names = dict.fromkeys((district.province_name, district.city_name, district.name))
    return f"{' '.join(names)} {district.adcode}"


def district_of(session: Session, text: str) -> District | None:
    """The district that somebody typed: with its code, by its own name, or by words that only one has."""
    coded = _ADCODE.search(text.strip())
    if coded is not None:
        return session.get(District, coded[1])
    found = network.search_districts(session, text, 12)
    named = [district for district in found if district.name == text.strip()]
    meant = named or found
    return meant[0] if len(meant) == 1 else None


def place(district: District, *, name: str, phone: str, address: str) -> Place:
    """An end of the way at its district's seat; the customer may say later where in it."""
    return Place(name, phone, district.adcode, address, district.latitude, district.longitude)


def request_of(form: BookingForm, sender: District, consignee: District) -> BookingRequest:
    """What a form asks for. Names that are not typed yet are dashes, which only a quote is given."""

    def text(value: str | None) -> str:
        return (value or "").strip() or "-"

    return BookingRequest(
        sender=place(
            sender,
            name=text(form.sender_name.data),
            phone=text(form.sender_phone.data),
            address=text(form.sender_address.data),
        ),
        consignee=place(
            consignee,
            name=text(form.consignee_name.data),
            phone=text(form.consignee_phone.data),
            address=text(form.consignee_address.data),
        ),
        goods=text(form.goods.data),
        pieces=form.pieces.data or 1,
        weight_g=form.weight_g.data or 1,
        volume_cm3=form.volume_cm3.data or 0,
        service=Service(form.service.data),
        pickup_handover=Handover(form.pickup_handover.data),
        delivery_handover=Handover(form.delivery_handover.data),
        declared_value_minor=form.declared_value_minor.data or 0,
        cod_minor=form.cod_minor.data or 0,
        currency=CURRENCY,
        reference=(form.reference.data or "").strip() or None,
        merge=_merge(form),
    )


def _merge(form: BookingForm) -> Merge | None:
    """At the last outlet, which is on every way; a machine may name another place."""
    reference = (form.merge_reference.data or "").strip()
    return Merge(reference, form.merge_shipments.data or 1) if reference else None


def payer(session: Session, actor: Actor, *, phone: str, name: str, now: datetime) -> Customer:
    """Who pays: a shipper himself; for an agent the customer found by phone, or made.

    Raises:
        InvalidInputError: the phone is not one, or a new customer has no name.
    """
    if actor.role == "shipper":
        return own_record(session, actor)
    return customers.find_or_create(session, name=name, phone=phone, now=now)


def own_record(session: Session, actor: Actor) -> Customer:
    """The customer record of a shipper's login.

    Raises:
        InvalidInputError: the login stands for no customer.
    """
    if actor.subject_id is None:
        raise InvalidInputError("this login stands for no customer")
    return customer_queries.load_customer(session, actor, actor.subject_id)
