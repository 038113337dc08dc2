"""Quotes and bookings for machines."""

from __future__ import annotations

from typing import Any

import flask
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.errors import InvalidInputError
from app.idempotency import idempotent
from app.network.models import District
from app.orders import intake, queries, service
from app.orders.api_blueprint import blueprint
from app.orders.api_models import BookingInput, BookingOut, EndInput, PlaceInput, QuoteInput, QuoteOut
from app.orders.models import Order
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from app.shipments.service import BookingRequest, Merge, Place
from app.web import now, services, unit_of_work
from routing.network import PlannedLeg


@blueprint.post("/quotes")
@blueprint.input(QuoteInput)
@blueprint.output(QuoteOut)
@blueprint.doc(summary="Price and promised time of a parcel", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
def quote(json_data: QuoteInput) -> flask.typing.ResponseReturnValue:
    """What a parcel would cost and when it would arrive; nothing is written."""
    with unit_of_work() as session:
        request = _request(session, json_data, goods="-", reference=None)
        offer = service.quote(session, request, now=now())
        plan = offer.plan
        return flask.jsonify(
            total_minor=offer.total_minor,
            currency=offer.currency,
            charges=[
                {
                    "kind": charge.kind.value,
                    "amount_minor": charge.amount.amount_minor,
                    "details": dict(charge.details),
                }
                for charge in offer.charges
            ],
            chargeable_weight_g=offer.chargeable_weight_g,
            distance_m=offer.distance_m,
            promised_from=plan.promised_from_at.isoformat(),
            promised_to=plan.promised_to_at.isoformat(),
            legs=[_leg(leg) for leg in plan.itinerary.legs],
        )


@blueprint.post("/shipments")
@blueprint.input(BookingInput)
@blueprint.output(BookingOut, status_code=201)
@blueprint.doc(summary="Book a parcel", security=BEARER)
@requires(Scope.SHIPMENTS_BOOK)
@idempotent
def book(json_data: BookingInput) -> flask.typing.ResponseReturnValue:
    """Book a parcel: its way, its price, its split and its money, all or nothing."""
    actor = current_actor()
    with unit_of_work() as session:
        request = _request(session, json_data, goods=json_data.goods, reference=json_data.reference)
        order = service.book(
            session,
            actor,
            request,
            customer_id=_customer_id(session, json_data),
            channel=json_data.channel,
            now=now(),
        )
        shipment = shipments.load_shipment_by_id(session, actor, order.shipment_id)
        answer = flask.jsonify(_booked(session, order, shipment))
    answer.status_code = 201
    answer.headers["Location"] = f"/api/v1/shipments/{shipment.waybill_number}"
    return answer


def _request(
    session: Session, given: QuoteInput | BookingInput, *, goods: str, reference: str | None
) -> BookingRequest:
    return BookingRequest(
        sender=_place(session, given.sender, "sender"),
        consignee=_place(session, given.consignee, "consignee"),
        goods=goods,
        pieces=given.pieces,
        weight_g=given.weight_g,
        volume_cm3=given.volume_cm3,
        service=given.service,
        pickup_handover=given.pickup_handover,
        delivery_handover=given.delivery_handover,
        declared_value_minor=given.declared_value_minor,
        cod_minor=given.cod_minor,
        currency=given.currency,
        reference=reference,
        merge=_merge(given),
    )


def _merge(given: QuoteInput | BookingInput) -> Merge | None:
    """A quote does not depend on it."""
    if isinstance(given, QuoteInput) or given.merge is None:
        return None
    return Merge(given.merge.reference, given.merge.shipments, given.merge.facility_id)


def _place(session: Session, end: EndInput, name: str) -> Place:
    district = session.get(District, end.district_adcode)
    if district is None:
        raise InvalidInputError(
            "there is no such district",
            [{"detail": "is no county-level division", "pointer": f"/{name}/district_adcode"}],
        )
    if (end.latitude is None) != (end.longitude is None):
        raise InvalidInputError(
            "coordinates come in pairs",
            [{"detail": "both or neither were expected", "pointer": f"/{name}/latitude"}],
        )
    who = ("-", "-", "-")
    if isinstance(end, PlaceInput):
        who = (end.name, end.phone, end.address)
    return Place(
        name=who[0],
        phone=who[1],
        district_adcode=district.adcode,
        address=who[2],
        latitude=district.latitude if end.latitude is None else end.latitude,
        longitude=district.longitude if end.longitude is None else end.longitude,
    )


def _customer_id(session: Session, given: BookingInput) -> int:
    if given.customer_id is not None:
        return given.customer_id
    actor = current_actor()
    if actor.role != "shipper" and given.customer_phone is None:
        raise InvalidInputError(
            "who pays?", [{"detail": "customer_id or customer_phone is needed", "pointer": "/customer_id"}]
        )
    return intake.payer(
        session, actor, phone=given.customer_phone or "", name=given.customer_name or "", now=now()
    ).id


def _booked(session: Session, order: Order, shipment: Shipment) -> dict[str, Any]:
    base = services().settings.public_url.rstrip("/")
    return {
        "waybill_number": shipment.waybill_number,
        "order_number": order.number,
        "total_minor": order.total_minor,
        "currency": order.currency,
        "promised_from": shipment.promised_from_at.isoformat(),
        "promised_to": shipment.promised_to_at.isoformat(),
        "label_url": f"{base}/api/v1/shipments/{shipment.waybill_number}/label.pdf",
        "tracking_url": base + queries.tracking_path(session, shipment),
        "legs": [
            {
                "sequence": leg.sequence,
                "from_facility_id": leg.from_facility_id,
                "to_facility_id": leg.to_facility_id,
                "mode": leg.mode,
                "departure_at": leg.planned_departure_at.isoformat(),
                "arrival_at": leg.planned_arrival_at.isoformat(),
                "distance_m": leg.distance_m,
            }
            for leg in shipment.legs
        ],
    }


def _leg(leg: PlannedLeg) -> dict[str, Any]:
    return {
        "sequence": leg.sequence,
        "from_facility_id": leg.from_facility_id,
        "to_facility_id": leg.to_facility_id,
        "mode": leg.mode.value,
        "departure_at": leg.departure_at.isoformat(),
        "arrival_at": leg.arrival_at.isoformat(),
        "distance_m": leg.distance_m,
    }
