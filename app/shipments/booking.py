"""Booking: what is asked for, the way planned for it, and the shipment that is made of both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Installation, Tenant
from app.customers.identities import normal_form
from app.customers.models import IdentityKind
from app.db import outbox
from app.db.session import tenant_of
from app.errors import InvalidInputError
from app.network import queries as network
from app.network.models import Facility, Lane
from app.network.queries import compartments
from app.shipments import merging
from app.shipments.booking_request import BookingRequest, Place
from app.shipments.history import keep_first_promise, load_history
from app.shipments.hours import last_mile, ready
from app.shipments.models import ScanRecord, Shipment, ShipmentLeg
from app.shipments.outlook import Outlook, outlook
from app.shipments.scan_values import BOOKING_DEVICE
from app.shipments.values import scan_key
from app.shipments.waybills import month_of
from routing.network import FacilityKind, Handover, Itinerary, itinerary
from tracking.numbers import waybill_number
from tracking.pickup import Measured, Size
from tracking.position import Position
from tracking.promise import window
from tracking.shipment import Leg, Milestone, ScanCode
from tracking.trail import record_of

_NUMBERING = "waybill_numbering"
_CARRIERS = "lane_carriers"
_SERIALS = "reserved_serials"


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """The way planned for a request, and the time promised for it."""

    origin: Facility
    destination: Facility
    pickup_point: Facility | None
    delivery_point: Facility | None
    itinerary: Itinerary
    expected: Outlook
    promised_from_at: datetime
    promised_to_at: datetime


def plan(session: Session, request: BookingRequest, *, now: datetime) -> RoutePlan:
    """Find the outlets that serve both ends, the way between them, and when it ends.

    Raises:
        InvalidInputError: no outlet, or no point of the wished kind, is near an end.
        NoRoute: the network does not connect the two.
    """
    origin, pickup_point = _end(session, request.sender, request.pickup_handover)
    destination, delivery_point = _end(session, request.consignee, request.delivery_handover)
    for point in (pickup_point, delivery_point):
        if point is not None and point.kind is FacilityKind.LOCKER:
            _refuse_too_large(session, request, point)
    places = network.routing_network(session)
    pickup_point_id, delivery_point_id = (
        None if point is None else point.id for point in (pickup_point, delivery_point)
    )
    way = itinerary(
        places,
        origin.id,
        destination.id,
        ready(places, now, request.pickup_handover, origin.id, pickup_point_id),
        weight_g=request.weight_g,
    )
    expected = outlook(
        legs_of(way),
        Position(origin.id, way.ready_at),
        rounds=last_mile(places, request.delivery_handover, destination.id, delivery_point_id),
        history=load_history(session),
        now=now,
        awaited=True,
    )
    window_of = window(expected.promise, request.offset_minutes)
    return RoutePlan(origin, destination, pickup_point, delivery_point, way, expected, *window_of)


def book(
    session: Session,
    request: BookingRequest,
    route: RoutePlan,
    *,
    customer_id: int,
    consignee_customer_id: int,
    now: datetime,
) -> Shipment:
    """Make the shipment with its legs, its first scan and the event that tells of it.

    Flush before rows are made that refer to it, so that many can be written together.
    """
    shipment_id = _serial(session)
    number = _waybill_number(session, shipment_id)
    booked_key = scan_key(tenant_of(session), BOOKING_DEVICE, number)
    shipment = Shipment(
        id=shipment_id,
        tenant_id=tenant_of(session),
        waybill_number=number,
        customer_id=customer_id,
        consignee_customer_id=consignee_customer_id,
        booked_at=now,
        milestone=Milestone.BOOKED,
        code=ScanCode.BOOKED,
        state_since=now,
        state_scan_key=booked_key,
        trail=record_of(now, ScanCode.BOOKED, None) if request.pieces == 1 else None,
        **_as_asked(request),
        **_as_planned(route),
    )
    if request.merge is not None:
        merging.join(session, shipment, request.merge, [leg.to_facility_id for leg in route.itinerary.legs])
    shipment.legs = _legs(session, shipment, route.itinerary)
    session.add(shipment)
    keep_first_promise(session, shipment, route.expected.promise)
    session.add(
        ScanRecord(
            tenant_id=shipment.tenant_id,
            scan_key=booked_key,
            shipment_id=shipment_id,
            shipment_month=month_of(now),
            device_id=BOOKING_DEVICE,
            client_scan_id=number,
            code=ScanCode.BOOKED,
            occurred_at=now,
            offset_minutes=request.offset_minutes,
            received_at=now,
        )
    )
    outbox.append(session, "shipment.booked", {"shipment_id": shipment_id}, now=now)
    return shipment


def legs_of(way: Itinerary) -> list[Leg]:
    """An itinerary as `tracking` watches it."""
    return [
        Leg(
            leg.sequence,
            leg.from_facility_id,
            leg.to_facility_id,
            leg.mode.value,
            leg.lane_id,
            leg.departure_at,
            leg.arrival_at,
        )
        for leg in way.legs
    ]


def _as_asked(request: BookingRequest) -> dict[str, Any]:
    """What a request says, as columns."""
    return {
        **_as_end("sender", request.sender),
        **_as_end("consignee", request.consignee),
        "reference": request.reference,
        "goods": request.goods.strip(),
        "pieces": request.pieces,
        "weight_g": request.weight_g,
        "volume_cm3": request.volume_cm3,
        "service": request.service,
        "pickup_handover": request.pickup_handover,
        "delivery_handover": request.delivery_handover,
        "currency": request.currency,
        "declared_value_minor": request.declared_value_minor,
        "cod_minor": request.cod_minor,
        "booked_offset_minutes": request.offset_minutes,
    }


def _as_end(end: str, place: Place) -> dict[str, Any]:
    return {
        f"{end}_name": place.name.strip(),
        f"{end}_phone": _phone(place.phone),
        f"{end}_district_adcode": place.district_adcode,
        f"{end}_address": place.address.strip(),
        f"{end}_latitude": place.latitude,
        f"{end}_longitude": place.longitude,
    }


def _as_planned(route: RoutePlan) -> dict[str, Any]:
    """What a plan says, as columns; the first estimate is the promise."""
    return {
        "origin_facility_id": route.origin.id,
        "destination_facility_id": route.destination.id,
        "pickup_point_id": None if route.pickup_point is None else route.pickup_point.id,
        "delivery_point_id": None if route.delivery_point is None else route.delivery_point.id,
        "promised_from_at": route.promised_from_at,
        "promised_to_at": route.promised_to_at,
        "estimate_p50_at": route.expected.promise.p50_at,
        "estimate_p80_at": route.expected.promise.p80_at,
        "estimate_p95_at": route.expected.promise.p95_at,
        "estimate_ages_at": route.expected.ages_at,
    }


def _phone(typed: str) -> str:
    """In normal form where it is a phone, so that it is found however it is typed."""
    return normal_form(IdentityKind.PHONE, typed) or typed.strip()


def _end(session: Session, place: Place, handover: Handover) -> tuple[Facility, Facility | None]:
    outlet = network.serving_outlet(
        session,
        district_adcode=place.district_adcode,
        latitude=place.latitude,
        longitude=place.longitude,
    )
    if handover in (Handover.DOOR, Handover.OUTLET):
        return outlet, None
    return outlet, network.nearest_point(session, handover, place.latitude, place.longitude)


def _refuse_too_large(session: Session, request: BookingRequest, locker: Facility) -> None:
    """A parcel must not be larger than the largest compartment; where no sizes are entered, nobody knows."""
    parcel = Measured(request.volume_cm3)
    rooms = [Size(one.length_mm, one.width_mm, one.height_mm) for one in compartments(session, locker.id)]
    if rooms and not any(parcel.fits(room) for room in rooms):
        raise InvalidInputError(
            "the parcel is too large for the locker",
            [{"detail": "is more than the largest compartment holds", "pointer": "/volume_cm3"}],
        )


def reserve_numbers(session: Session, count: int) -> None:
    """Take as many serial numbers at once as the session is going to book shipments."""
    rows = session.execute(
        sa.text("SELECT nextval(pg_get_serial_sequence('shipment', 'id')) FROM generate_series(1, :count)"),
        {"count": count},
    )
    session.info.setdefault(_SERIALS, []).extend(sorted(rows.scalars(), reverse=True))


def _serial(session: Session) -> int:
    reserved: list[int] | None = session.info.get(_SERIALS)
    if not reserved:
        reserve_numbers(session, 1)
        reserved = session.info[_SERIALS]
    return reserved.pop()


def _waybill_number(session: Session, serial: int) -> str:
    """Prefix and key are asked for once a session: they never change."""
    numbering: tuple[str, bytes] | None = session.info.get(_NUMBERING)
    if numbering is None:
        tenant = session.get_one(Tenant, tenant_of(session))
        numbering = tenant.waybill_prefix, session.get_one(Installation, 1).waybill_key
        session.info[_NUMBERING] = numbering
    prefix, key = numbering
    return waybill_number(serial, prefix=prefix, key=key)


def _carriers(session: Session, lane_ids: Collection[int]) -> dict[int, int]:
    """The carrier of each lane; asked once a session, since a lane keeps its carrier."""
    known: dict[int, int] = session.info.setdefault(_CARRIERS, {})
    missing = set(lane_ids) - known.keys()
    if missing:
        rows = session.execute(sa.select(Lane.id, Lane.carrier_party_id).where(Lane.id.in_(missing)))
        known.update(dict(rows.all()))
    return known


def _legs(session: Session, shipment: Shipment, way: Itinerary) -> list[ShipmentLeg]:
    carriers = _carriers(session, [leg.lane_id for leg in way.legs])
    return [
        ShipmentLeg(
            tenant_id=shipment.tenant_id,
            shipment_id=shipment.id,
            sequence=leg.sequence,
            lane_id=leg.lane_id,
            from_facility_id=leg.from_facility_id,
            to_facility_id=leg.to_facility_id,
            carrier_party_id=carriers[leg.lane_id],
            mode=leg.mode,
            distance_m=leg.distance_m,
            planned_departure_at=leg.departure_at,
            planned_arrival_at=leg.arrival_at,
        )
        for leg in way.legs
    ]
