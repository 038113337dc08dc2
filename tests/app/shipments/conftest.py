"""Shipments to test with: a small network, a shipper, and parcels booked through the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.customers import service as customers
from app.db.session import Database
from app.shipments import service as shipments
from app.shipments.models import Service, Shipment
from app.shipments.service import BookingRequest, Place, ScanInput
from routing.network import Handover
from tests.support.app import Logins
from tests.support.world import World, small_world

SENDER_PHONE, CONSIGNEE_PHONE = "13800138000", "13912345678"


@dataclass
class Desk:
    """Books and scans in one tenant."""

    database: Database
    logins: Logins
    world: World
    shipper_id: int
    consignee_id: int
    _sent: list[None] = field(default_factory=list)

    def request(self, start: str = "chengdu", end: str = "hangzhou", **changes: Any) -> BookingRequest:
        def place(name: str, phone: str, city: str) -> Place:
            spot = self.world.spots[city]
            address = f"{spot.address}3栋2单元1801室"
            return Place(name, phone, spot.district_adcode, address, spot.latitude, spot.longitude)

        values: dict[str, Any] = {
            "sender": place("张伟", SENDER_PHONE, start),
            "consignee": place("李小梅", CONSIGNEE_PHONE, end),
            "goods": "茶叶",
            "pieces": 1,
            "weight_g": 1500,
            "volume_cm3": 4000,
            "service": Service.STANDARD,
            "pickup_handover": Handover.DOOR,
            "delivery_handover": Handover.DOOR,
        }
        return BookingRequest(**(values | changes))

    def book(self, start: str = "chengdu", end: str = "hangzhou", **changes: Any) -> Shipment:
        now = self.logins.clock()
        customer_id = changes.pop("customer_id", self.shipper_id)
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            request = self.request(start, end, **changes)
            return shipments.book(
                session,
                request,
                shipments.plan(session, request, now=now),
                customer_id=customer_id,
                consignee_customer_id=self.consignee_id,
                now=now,
            )

    def scan(
        self, shipment: Shipment, code: str, at: datetime, facility: str | None = None, **more: Any
    ) -> ScanInput:
        self._sent.append(None)
        values: dict[str, Any] = {
            "number": shipment.waybill_number,
            "code": code,
            "occurred_at": at,
            "offset_minutes": 480,
            "device_id": "gun-1",
            "client_scan_id": f"s{len(self._sent)}",
            "facility_id": None if facility is None else self.world.facilities[facility],
        }
        return ScanInput(**(values | more))

    def life(self, shipment: Shipment, *, until: str = "delivered", **more: Any) -> list[ScanInput]:
        """Every scan of an ordinary life from Chengdu to Hangzhou, up to a code."""
        at = shipment.booked_at + timedelta(hours=2)
        steps = [("collected", None), ("accepted", "CTU-01")]
        way = ("CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G", "HGH-01")
        for place in way[1:]:
            steps += [("departed", way[way.index(place) - 1]), ("arrived", place)]
        steps += [("out_for_delivery", "HGH-01"), ("delivered", None)]
        found = []
        for code, place in steps:
            found.append(self.scan(shipment, code, at, place, **more))
            at += timedelta(hours=3)
            if code == until:
                break
        return found

    def record(self, *scans: ScanInput, now: datetime | None = None, actor: Any = None) -> list[str]:
        """Record as the service itself; the server's time is after all of them unless it is given."""
        moment = now or max([self.logins.clock(), *(scan.occurred_at for scan in scans)])
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            results = shipments.record_scans(session, actor, list(scans), now=moment)
        return [result.status for result in results]

    def again(self, shipment: Shipment) -> Shipment:
        with self.database.unit_of_work(self.logins.tenant_id) as session:
            return session.get_one(Shipment, shipment.id)


@pytest.fixture(scope="module")
def new_desk(database: Database, new_tenant: Callable[[], Logins]) -> Callable[[], Desk]:
    """Makes desks; each in a tenant of its own."""

    def make() -> Desk:
        logins = new_tenant()
        now = logins.clock()
        with database.unit_of_work(logins.tenant_id) as session:
            world = small_world(session, now=now)
            shipper = customers.find_or_create(session, name="张伟", phone=SENDER_PHONE, now=now)
            consignee = customers.find_or_create(session, name="李小梅", phone=CONSIGNEE_PHONE, now=now)
        return Desk(database, logins, world, shipper.id, consignee.id)

    return make


@pytest.fixture(scope="module")
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """The module's desk."""
    return new_desk()
