"""The national network as rows of a private PostgreSQL, with parcels under way on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.roles import Role
from app.actor import Actor
from app.customers.models import Customer, CustomerKind
from app.db import migrate
from app.db.session import Database, tenant_of
from app.network import service as networks
from app.network.revision import touch
from app.parties import service as parties
from app.parties.models import PartyKind
from routing.network import Facility, Itinerary, Network, usual_hours
from tracking.shipment import Milestone, ScanCode

OFFSET_MINUTES = 480
_CUSTOMER_ID = 1
_PARTY_ID = 1


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A parcel with its plan: so many legs are behind it, and it may have departed on the next one."""

    way: Itinerary
    origin_id: int
    destination_id: int
    weight_g: int
    behind: int
    departed: bool


def store_network(database: Database, network: Network, *, now: datetime) -> tuple[int, Actor]:
    """Write the network of a new tenant; gives the tenant's id and somebody who may close things."""
    migrate.upgrade(database.url)
    with database.unit_of_work(None) as session:
        tenant_id = accounts.create_tenant(session, code="bench", name="Bench", now=now).id
    with database.unit_of_work(tenant_id) as session:
        admin = accounts.create_user(
            session, username="admin", name="Admin", role=Role.ADMIN, password="for this bench", now=now
        )
        session.flush()  # the actor needs its id
        actor = accounts.actor_of(admin)
        party = parties.create_party(session, code="P", name="Platform", kind=PartyKind.PLATFORM, now=now)
        customer = Customer(tenant_id=tenant_id, kind=CustomerKind.PERSON, name="C", created_at=now)
        session.add(customer)
        session.flush()  # what follows refers to them
        assert (party.id, customer.id) == (_PARTY_ID, _CUSTOMER_ID), "the database is new"
        networks.load_districts(
            session,
            [
                networks.DistrictRow(
                    adcode=place.code,
                    name=place.name,
                    city_name="",
                    province_name="",
                    latitude=place.latitude,
                    longitude=place.longitude,
                )
                for place in network.facilities
            ],
        )
        _copy_network(session, network)
        touch(session)
    return tenant_id, actor


def _copy_network(session: Session, network: Network) -> None:
    tenant_id = tenant_of(session)
    _copy(
        session,
        "facility",
        (
            {
                "id": place.facility_id,
                "tenant_id": tenant_id,
                "code": place.code,
                "name": place.name,
                "name_en": place.name,
                "kind": place.kind.value,
                "operator": place.operator,
                "party_id": _PARTY_ID,
                "district_adcode": place.code,
                "latitude": place.latitude,
                "longitude": place.longitude,
                "sort_s": place.sort_s,
                **_hours(place),
            }
            for place in network.facilities
        ),
    )
    _copy(
        session,
        "lane",
        (
            {
                "id": lane.lane_id,
                "tenant_id": tenant_id,
                "code": str(lane.lane_id),
                "from_facility_id": lane.from_facility_id,
                "to_facility_id": lane.to_facility_id,
                "carrier_party_id": _PARTY_ID,
                "mode": lane.mode.value,
                "distance_m": lane.distance_m,
                "cost_fixed_minor": lane.cost_fixed_minor,
                "cost_per_kg_minor": lane.cost_per_kg_minor,
                "capacity_g": lane.capacity_g,
            }
            for lane in network.lanes
        ),
    )
    _copy(
        session,
        "lane_departure",
        (
            {
                "tenant_id": tenant_id,
                "lane_id": lane.lane_id,
                "weekdays": departure.weekdays,
                "minute_of_day": departure.minute_of_day,
                "duration_s": departure.duration_s,
                "timezone": departure.timezone,
            }
            for lane in network.lanes
            for departure in lane.departures
        ),
    )


def _hours(place: Facility) -> dict[str, Any]:
    """The usual hours of a place, as columns."""
    hours = usual_hours(place.kind, "Asia/Shanghai")
    return {
        "timezone": hours.timezone,
        "utc_offset_minutes": OFFSET_MINUTES,
        "open_minutes": "{" + ",".join(f"[{start},{end})" for start, end in hours.week) + "}",
        "cutoff_minute": hours.collection_cutoff_minute,
        "round_minutes": list(hours.round_minutes),
    }


def store_parcels(session: Session, network: Network, parcels: Sequence[UnderWay], *, now: datetime) -> None:
    """Write shipments that were booked a day before, with their legs; their ids count from 1."""
    booked_at = now - timedelta(days=1)
    _copy(session, "shipment", _shipments(tenant_of(session), network, parcels, booked_at))
    _copy(session, "shipment_state", _states(parcels, booked_at))
    _copy(session, "shipment_leg", _legs(tenant_of(session), parcels))
    session.connection().exec_driver_sql("ANALYZE")


def _shipments(
    tenant_id: int, network: Network, parcels: Sequence[UnderWay], booked_at: datetime
) -> Iterator[dict[str, Any]]:
    for number, parcel in enumerate(parcels, start=1):
        ends: dict[str, Any] = {}
        for end, place_id in (("sender", parcel.origin_id), ("consignee", parcel.destination_id)):
            place = network.facility(place_id)
            ends |= {
                f"{end}_name": "N",
                f"{end}_phone": f"1380000{number:06d}",
                f"{end}_district_adcode": place.code,
                f"{end}_address": "A",
                f"{end}_latitude": place.latitude,
                f"{end}_longitude": place.longitude,
            }
        yield {
            "id": number,
            "tenant_id": tenant_id,
            "waybill_number": f"B{number:09d}",
            "customer_id": _CUSTOMER_ID,
            "consignee_customer_id": _CUSTOMER_ID,
            **ends,
            "goods": "G",
            "pieces": 1,
            "weight_g": parcel.weight_g,
            "volume_cm3": 1000,
            "service": "standard",
            "pickup_handover": "outlet",
            "delivery_handover": "door",
            "currency": "CNY",
            "declared_value_minor": 0,
            **dict.fromkeys(("cod_minor", "door_charge_minor"), 0),
            "origin_facility_id": parcel.origin_id,
            "booked_at": booked_at,
            "booked_offset_minutes": OFFSET_MINUTES,
            **dict.fromkeys(
                (
                    "promised_from_at",
                    "promised_to_at",
                    "estimate_p50_at",
                    "estimate_p80_at",
                    "estimate_p95_at",
                ),
                parcel.way.arrival_at,
            ),
            "estimate_aged": False,
            "phone_tries": 0,
        }


def _states(parcels: Sequence[UnderWay], booked_at: datetime) -> Iterator[dict[str, Any]]:
    for number, parcel in enumerate(parcels, start=1):
        yield {
            "shipment_id": number,
            "destination_facility_id": parcel.destination_id,
            **_state(parcel, booked_at),
            "attempts": 0,
            **dict.fromkeys(("terminal", "has_findings"), False),
            "state_scan_key": "",
        }


def _state(parcel: UnderWay, booked_at: datetime) -> dict[str, Any]:
    if not parcel.behind and not parcel.departed:
        return {
            "milestone": Milestone.BOOKED.value,
            "code": ScanCode.BOOKED.value,
            "state_since": booked_at,
            "state_facility_id": None,
        }
    leg = parcel.way.legs[parcel.behind if parcel.departed else parcel.behind - 1]
    return {
        "milestone": Milestone.IN_TRANSIT.value,
        "code": (ScanCode.DEPARTED if parcel.departed else ScanCode.ARRIVED).value,
        "state_since": leg.departure_at if parcel.departed else leg.arrival_at,
        "state_facility_id": leg.from_facility_id if parcel.departed else leg.to_facility_id,
    }


def _legs(tenant_id: int, parcels: Sequence[UnderWay]) -> Iterator[dict[str, Any]]:
    for number, parcel in enumerate(parcels, start=1):
        for leg in parcel.way.legs:
            yield {
                "tenant_id": tenant_id,
                "shipment_id": number,
                "sequence": leg.sequence,
                "lane_id": leg.lane_id,
                "from_facility_id": leg.from_facility_id,
                "to_facility_id": leg.to_facility_id,
                "carrier_party_id": _PARTY_ID,
                "mode": leg.mode.value,
                "distance_m": leg.distance_m,
                "planned_departure_at": leg.departure_at,
                "planned_arrival_at": leg.arrival_at,
            }


def _copy(session: Session, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows that all have the same columns."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    waiting = iter(rows)
    first = next(waiting)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(first)}) FROM STDIN") as copy,
    ):
        copy.write_row(tuple(first.values()))
        for row in waiting:
            copy.write_row(tuple(row.values()))
