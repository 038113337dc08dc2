"""A desk on the small world: shipments booked and carried through the services, cases opened on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.actor import Actor
from app.customers import service as customers
from app.dispatch.models import Courier
from app.orders import queries as orders
from app.parties import service as parties
from app.parties.models import PartyKind
from app.servicedesk import service
from app.servicedesk.models import Case
from app.servicedesk.values import CaseCategory, CaseChannel
from app.shipments import service as shipments
from app.shipments.models import Shipment
from tests.app.orders.build import Shop, open_shop
from tests.support.app import Logins
from tracking.shipment import ScanCode

WAY = ("CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G", "HGH-01")


@dataclass
class Desk:
    """A shop with a service desk, a courier at the destination, and the consignee's record."""

    shop: Shop
    agent: Actor
    second_agent: Actor
    finance: Actor
    admin: Actor
    consignee_id: int
    courier_id: int
    courier_party_id: int
    _serial: int = field(default=0)

    @property
    def logins(self) -> Logins:
        return self.shop.logins

    @property
    def tenant_id(self) -> int:
        return self.shop.tenant_id

    @property
    def now(self) -> datetime:
        return self.logins.clock()

    def work(self) -> Any:
        """A transaction of the tenant."""
        return self.logins.database.unit_of_work(self.tenant_id)

    def book(self, session: Session, **changes: Any) -> Shipment:
        order = self.shop.book(session, request=self.shop.request(**changes))
        return session.get_one(Shipment, order.shipment_id)

    def scan(
        self,
        session: Session,
        shipment: Shipment,
        code: ScanCode,
        at: datetime,
        *,
        facility: str | None = None,
        courier_id: int | None = None,
    ) -> str:
        """Record a scan; gives its key."""
        self._serial += 1
        (result,) = shipments.record_scans(
            session,
            self.admin,
            [
                shipments.ScanInput(
                    number=shipment.waybill_number,
                    code=code,
                    occurred_at=at,
                    offset_minutes=480,
                    device_id="test",
                    client_scan_id=f"{self._serial}",
                    facility_id=None if facility is None else self.shop.world.facilities[facility],
                    courier_id=courier_id,
                )
            ],
            now=self.now,
        )
        assert result.status == "recorded", result
        assert result.scan_key is not None
        return result.scan_key

    def carry(self, session: Session, shipment: Shipment, *, until: str = "HGH-01") -> datetime:
        """Carry a parcel from Chengdu towards Hangzhou, hour by hour; gives the time of the last scan."""
        at = shipment.booked_at
        for code in WAY:
            at += timedelta(hours=1)
            arrived = ScanCode.ACCEPTED if code == "CTU-01" else ScanCode.ARRIVED
            self.scan(session, shipment, arrived, at, facility=code)
            if code == until:
                break
            at += timedelta(hours=1)
            self.scan(session, shipment, ScanCode.DEPARTED, at, facility=code)
        return at

    def deliver(self, session: Session, shipment: Shipment) -> datetime:
        """Carry it to the outlet and bring it to the door."""
        at = self.carry(session, shipment) + timedelta(hours=1)
        self.scan(session, shipment, ScanCode.OUT_FOR_DELIVERY, at, courier_id=self.courier_id)
        at += timedelta(minutes=30)
        self.scan(session, shipment, ScanCode.DELIVERED, at, courier_id=self.courier_id)
        return at

    def complain(self, session: Session, shipment: Shipment | None, **changes: Any) -> Case:
        values: dict[str, Any] = {
            "customer_id": self.shop.customer_id,
            "shipment_id": None if shipment is None else shipment.id,
            "channel": CaseChannel.PORTAL,
            "category": CaseCategory.DAMAGED,
            "subject": "茶叶盒破损",
            "body": "外箱压扁，两盒茶叶洒出。",
            "now": self.now,
        }
        return service.open_case(session, **values | changes)


def open_desk(logins: Logins) -> Desk:
    """Set the world up, with a desk of two agents, finance, and a courier in Hangzhou."""
    shop = open_shop(logins)
    with logins.database.unit_of_work(logins.tenant_id) as session:
        consignee = customers.find_or_create(session, name="王建国", phone="13900000002", now=logins.clock())
        party = parties.create_party(
            session, code="CR-1", name="赵师傅", kind=PartyKind.COURIER, now=logins.clock()
        )
        courier = Courier(
            tenant_id=logins.tenant_id,
            code="CR-1",
            name="赵师傅",
            phone="+8613700000009",
            facility_id=shop.world.facilities["HGH-01"],
            party_id=party.id,
            shift_start_s=8 * 3600,
            shift_end_s=18 * 3600,
            capacity_g=100_000,
            capacity_cm3=1_000_000,
            capacity_pieces=100,
        )
        session.add(courier)
        session.flush()
    return Desk(
        shop,
        agent=shop.agent,
        second_agent=logins.actor("agent", who="b"),
        finance=shop.finance,
        admin=logins.actor("admin"),
        consignee_id=consignee.id,
        courier_id=courier.id,
        courier_party_id=party.id,
    )


def order_number(session: Session, shipment: Shipment) -> str:
    """The number of a shipment's order."""
    order = orders.order_of_shipment(session, shipment.id)
    assert order is not None
    return order.number
