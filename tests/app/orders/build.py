"""Prices, terms and requests on the small world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.actor import Actor
from app.customers import service as customers
from app.orders import service as orders
from app.orders.models import Order, PaymentChannel
from app.orders.tariff import Band, Fee, Tariff
from app.shipments.models import Service
from app.shipments.service import BookingRequest, Place
from routing.network import Handover
from settlement.money import Ratio
from tests.support.app import Logins
from tests.support.world import World, small_world

TARIFF = Tariff(
    currency="CNY",
    volumetric_cm3_per_kg=6000,
    insurance=Fee(Ratio.parse("0.5%"), minimum_minor=100, free_minor=50_000),
    cod=Fee(Ratio.parse("1%"), minimum_minor=200),
    bands=(
        Band(Service.STANDARD, 300_000, 1000, 200),
        Band(Service.STANDARD, 3_000_000, 1400, 600),
        Band(Service.EXPRESS, 300_000, 1800, 500),
        Band(Service.EXPRESS, 3_000_000, 2300, 1300),
    ),
)
BODY: dict[str, Any] = {
    "currency": "CNY",
    "shortfall": "reduce",
    "shares": [
        {"kind": "percent", "party": {"role": "origin_outlet"}, "rate": "22.5%", "minimum_minor": 150},
        {"kind": "per_kg", "party": {"role": "hub"}, "rate_minor": 30, "cap_minor": 400},
        {"kind": "percent", "party": {"role": "linehaul_carrier"}, "rate": "1/3"},
        {"kind": "fixed", "party": {"role": "delivery_outlet"}, "amount_minor": 180},
        {"kind": "remainder", "party": {"role": "platform"}},
    ],
}


@dataclass(frozen=True)
class Shop:
    """A tenant that can book: the world, its people, and a paying customer."""

    logins: Logins
    world: World
    finance: Actor
    second: Actor
    agent: Actor
    customer_id: int

    @property
    def tenant_id(self) -> int:
        return self.logins.tenant_id

    @property
    def shipper(self) -> Actor:
        return self.logins.actor("shipper", self.customer_id)

    def request(self, sender: str = "chengdu", consignee: str = "hangzhou", **changes: Any) -> BookingRequest:
        values: dict[str, Any] = {
            "sender": self.place(sender, "李晓梅", "13800000001"),
            "consignee": self.place(consignee, "王建国", "13900000002"),
            "goods": "茶叶",
            "pieces": 1,
            "weight_g": 2300,
            "volume_cm3": 0,
            "service": Service.STANDARD,
            "pickup_handover": Handover.DOOR,
            "delivery_handover": Handover.DOOR,
        }
        return BookingRequest(**values | changes)

    def place(self, spot: str, name: str, phone: str) -> Place:
        found = self.world.spots[spot]
        return Place(name, phone, found.district_adcode, found.address, found.latitude, found.longitude)

    def book(
        self,
        session,
        channel: PaymentChannel = PaymentChannel.PREPAID,
        request: BookingRequest | None = None,
    ) -> Order:
        return orders.book(
            session,
            self.agent,
            request or self.request(),
            customer_id=self.customer_id,
            channel=channel,
            now=self.logins.clock(),
        )


def open_shop(logins: Logins) -> Shop:
    """Set the world up, with a tariff and approved terms."""
    now = logins.clock()
    finance, second, agent = (
        logins.actor("finance"),
        logins.actor("finance", who="b"),
        logins.actor("agent"),
    )
    with logins.database.unit_of_work(logins.tenant_id) as session:
        world = small_world(session, now=now)
        start = now - timedelta(days=1)
        orders.set_tariff(session, finance, TARIFF, effective_from=start, now=now)
        version = orders.create_terms_version(
            session, finance, name="standard", body=BODY, effective_from=start, now=now
        )
        orders.approve_terms(session, second, version, now=now)
        customer = customers.find_or_create(session, name="锦城茶业", phone="13800000001", now=now)
    return Shop(logins, world, finance, second, agent, customer.id)
