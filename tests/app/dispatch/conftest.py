"""Outlets with couriers and parcels, made through the services; each depot in a tenant of its own."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.customers import service as customers
from app.db.session import Database
from app.dispatch import jobs, queries
from app.dispatch import service as dispatch
from app.dispatch.models import Courier, Plan, PlanStatus, StopKind, StopRequest
from app.parties import service as parties
from app.parties.models import PartyKind
from app.shipments import service as shipments
from app.shipments.models import Service, Shipment
from app.shipments.service import BookingRequest, Place, ScanInput
from routing.network import Handover
from tests.support.app import Logins, StepClock
from tests.support.world import World, small_world

TODAY = date(2026, 3, 2)


@dataclass
class Depot:
    """The outlet of Chengdu Wuhou and what goes on around it."""

    database: Database
    logins: Logins
    clock: StepClock
    world: World
    shipper_id: int
    consignee_id: int
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def tenant_id(self) -> int:
        return self.logins.tenant_id

    @cached_property
    def dispatcher(self) -> Actor:
        return self.logins.actor("dispatcher")

    @property
    def outlet_id(self) -> int:
        return self.world.facilities["CTU-01"]

    @contextmanager
    def work(self) -> Iterator[Session]:
        with self.database.unit_of_work(self.tenant_id) as session:
            yield session

    def hire(self, count: int = 1, **changes: Any) -> list[Courier]:
        """Couriers of the outlet."""
        values: dict[str, Any] = {
            "facility_id": self.outlet_id,
            "shift_start_s": 8 * 3600,
            "shift_end_s": 19 * 3600,
            "capacity_g": 600_000,
            "capacity_cm3": 5_000_000,
            "capacity_pieces": 300,
        }
        found = []
        with self.work() as session:
            for _ in range(count):
                number = next(self._numbers)
                party = parties.create_party(
                    session, code=f"K{number}", name="陈师傅", kind=PartyKind.COURIER, now=self.clock()
                )
                found.append(
                    dispatch.create_courier(
                        session,
                        code=f"C{number:03d}",
                        name=f"陈师傅{number}",
                        phone="13700000000",
                        party_id=party.id,
                        **(values | changes),
                    )
                )
        return found

    def book(
        self, count: int = 1, *, start: str = "chengdu", end: str = "hangzhou", **changes: Any
    ) -> list[Shipment]:
        """Parcels between scattered addresses; their pickups are asked for as the relay does."""
        scatter = random.Random(next(self._numbers))

        def place(name: str, phone: str, city: str) -> Place:
            spot = self.world.spots[city]
            north, east = scatter.uniform(-0.03, 0.03), scatter.uniform(-0.03, 0.03)
            return Place(
                name,
                phone,
                spot.district_adcode,
                spot.address,
                self.centre(city)[0] + north,
                self.centre(city)[1] + east,
            )

        values: dict[str, Any] = {
            "goods": "茶叶",
            "pieces": 1,
            "weight_g": 1500,
            "volume_cm3": 4000,
            "service": Service.STANDARD,
            "pickup_handover": Handover.DOOR,
            "delivery_handover": Handover.DOOR,
        }
        booked = []
        with self.work() as session:
            for _ in range(count):
                request = BookingRequest(
                    sender=place("张伟", "13800138000", start),
                    consignee=place("李小梅", "13912345678", end),
                    **(values | changes),
                )
                shipment = shipments.book(
                    session,
                    request,
                    shipments.plan(session, request, now=self.clock()),
                    customer_id=self.shipper_id,
                    consignee_customer_id=self.consignee_id,
                    now=self.clock(),
                )
                session.flush()  # as the relay sees it: written
                dispatch.request_pickups(session, [shipment.id], now=self.clock())
                booked.append(shipment)
        return booked

    def centre(self, city: str) -> tuple[float, float]:
        """Around the outlet in Chengdu, so that its parcels are its own."""
        if city == "chengdu":
            return (30.62, 104.03)
        spot = self.world.spots[city]
        return (spot.latitude, spot.longitude)

    def scan(
        self,
        shipment: Shipment,
        code: str,
        facility: str | None = None,
        at: datetime | None = None,
        **more: Any,
    ) -> None:
        """Record a scan as the service does and let dispatch follow it."""
        values: dict[str, Any] = {
            "number": shipment.waybill_number,
            "code": code,
            "occurred_at": at or self.clock(),
            "offset_minutes": 480,
            "device_id": "gun",
            "client_scan_id": str(next(self._numbers)),
            "facility_id": None if facility is None else self.world.facilities[facility],
        }
        with self.work() as session:
            result = shipments.record_scans(session, None, [ScanInput(**(values | more))], now=self.clock())
            assert result[0].status == "recorded", result
            dispatch.follow_shipments(session, [shipment.id], now=self.clock())

    def stop(self, shipment: Shipment, kind: StopKind = StopKind.PICKUP) -> StopRequest | None:
        with self.work() as session:
            return session.scalar(
                sa.select(StopRequest).where(StopRequest.shipment_id == shipment.id, StopRequest.kind == kind)
            )

    def request(self, *, day: date = TODAY, seconds: int = 1, even: bool = False) -> int:
        """Ask for the outlet's plan."""
        with self.work() as session:
            return dispatch.request_plan(
                session,
                self.dispatcher,
                facility_id=self.outlet_id,
                day=day,
                seconds=seconds,
                even=even,
                now=self.clock(),
            ).id

    def plan(self, *, day: date = TODAY, seconds: int = 1, even: bool = False) -> int:
        """Ask for the outlet's plan and have it made."""
        plan_id = self.request(day=day, seconds=seconds, even=even)
        while jobs.solve_next(self.database, self.clock):
            pass
        return plan_id

    def load(self, session: Session, plan_id: int) -> Plan:
        return queries.load_plan(session, self.dispatcher, plan_id)

    def publish(self, plan_id: int, **more: Any) -> int:
        with self.work() as session:
            plan = self.load(session, plan_id)
            return dispatch.publish(session, self.dispatcher, plan, now=self.clock(), **more)


@pytest.fixture(scope="module")
def new_depot(database: Database, new_tenant: Callable[[], Logins], clock: StepClock) -> Callable[[], Depot]:
    def make() -> Depot:
        logins = new_tenant()
        with database.unit_of_work(logins.tenant_id) as session:
            world = small_world(session, now=clock())
            shipper = customers.find_or_create(session, name="张伟", phone="13800138000", now=clock())
            consignee = customers.find_or_create(session, name="李小梅", phone="13912345678", now=clock())
        return Depot(database, logins, clock, world, shipper.id, consignee.id)

    return make


@pytest.fixture
def depot(new_depot: Callable[[], Depot], clock: StepClock, database: Database) -> Depot:
    """A depot of the test's own; its day begins at nine, and no plan of another test waits for the worker."""
    clock.moment = StepClock().moment
    with database.unit_of_work(None) as session:
        session.execute(
            sa.update(Plan)
            .where(Plan.status.in_((PlanStatus.REQUESTED, PlanStatus.SOLVING)))
            .values(status=PlanStatus.CANCELLED)
        )
    return new_depot()
