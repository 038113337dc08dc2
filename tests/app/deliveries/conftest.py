"""A company with an agent, a shipper and parcels to Wuhan, where there are two outlets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.actor import Actor
from app.deliveries import queries, service
from app.deliveries.models import Instruction
from app.deliveries.service import Wish
from app.deliveries.values import Asking
from app.shipments import queries as shipments
from app.shipments.models import ScanRecord, Shipment
from tests.support.app import Logins
from tests.support.company import Company, company
from tracking.instructions import InstructionKind
from tracking.shipment import ScanCode


@dataclass(frozen=True)
class Door:
    """The company, and what is asked of its parcels."""

    firm: Company

    @property
    def shipper(self) -> Actor:
        return self.firm.logins.actor(Role.SHIPPER, self.firm.shipper_id)

    def parcel(self, until: ScanCode | None = ScanCode.ACCEPTED, **changes: Any) -> str:
        """Booked early in the day from Chengdu to Wuhan, and carried as far as this."""
        self.firm.logins.clock.forward(hours=24 - self.firm.now.hour)
        number = self.firm.book("chengdu", "wuhan", **changes)
        self.firm.relay()
        if until is not None:
            self.firm.deliver(number, until=until)
        return number

    def at_door_in_vain(self, **changes: Any) -> str:
        """Out for delivery once, and nobody there."""
        number = self.parcel(ScanCode.OUT_FOR_DELIVERY, **changes)
        self.scan(number, ScanCode.ATTEMPT_FAILED, reason="consignee_absent")
        return number

    def scan(self, number: str, code: ScanCode, **facts: Any) -> None:
        """One more scan a while later, heard by every room."""
        at = self.firm.now + timedelta(minutes=20)
        scan = {
            "number": number,
            "code": code.value,
            "occurred_at": at.isoformat(),
            "offset_minutes": 480,
            "device_id": "gun-9",
            "client_scan_id": f"{number}-{code}-{at.timestamp()}",
            **facts,
        }
        self.firm.record([scan])
        self.firm.relay()

    def carry(self, number: str) -> None:
        """Over every leg that is ahead of it, as planned, to its last outlet."""
        shipment = self.shipment(number)
        here, departed = shipment.state_facility_id, shipment.code is ScanCode.DEPARTED
        first = next(place for place, leg in enumerate(shipment.legs) if leg.from_facility_id == here)
        for leg in shipment.legs[first:]:
            if not departed:
                self._at(leg.planned_departure_at)
                self.scan(number, ScanCode.DEPARTED, facility_id=leg.from_facility_id)
            departed = False
            self._at(leg.planned_arrival_at)
            self.scan(number, ScanCode.ARRIVED, facility_id=leg.to_facility_id)

    def _at(self, moment: datetime) -> None:
        clock = self.firm.logins.clock
        clock.moment = max(clock.moment, moment)

    def ask(self, number: str, kind: InstructionKind, who: Asking | None = None, **wish: Any) -> Instruction:
        """Ask by service: over the link unless somebody else is named."""
        with self.firm.work() as session:
            shipment = shipments.load_shipment(session, self.firm.shop.agent, number)
            row = service.ask(
                session, shipment, Wish(kind, **wish), who or queries.BY_LINK, now=self.firm.now
            )
            session.flush()
            session.refresh(row)
            return row

    def row(self, instruction_id: int) -> Instruction:
        with self.firm.work() as session:
            return session.get_one(Instruction, instruction_id)

    def shipment(self, number: str) -> Shipment:
        return self.firm.shipment(number)

    def days(self, number: str) -> list[date]:
        """On which it could come again."""
        with self.firm.work() as session:
            shipment = shipments.load_shipment(session, self.firm.shop.agent, number)
            return service.redelivery_days(session, shipment, self.firm.now)

    def codes(self, number: str) -> list[ScanCode]:
        """What was scanned, in the order in which it counts."""
        with self.firm.work() as session:
            shipment = shipments.load_shipment(session, self.firm.shop.agent, number)
            rows = session.scalars(sa.select(ScanRecord).where(ScanRecord.shipment_id == shipment.id)).all()
            return [row.code for row in sorted(rows, key=lambda row: (row.occurred_at, row.code.rank))]


@pytest.fixture(scope="module")
def door(tenant: Logins) -> Door:
    return Door(company(tenant))
