"""A small courier company at work, made through the services: flows, access and browser tests start from it.

On the small world it has a tariff, terms that a second person approved, couriers, bank accounts, two shippers
with a contract, and a private customer. Its helpers book by service, write what a machine or a form would
send, and tell the scans of a parcel's ordinary life along its own planned legs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.actor import Actor
from app.customers import service as customers
from app.customers.models import CustomerKind
from app.db import outbox
from app.dispatch import service as dispatch
from app.ledger import queries as ledger
from app.network.models import District
from app.orders import service as orders
from app.orders.intake import district_label
from app.orders.models import PaymentChannel
from app.orders.queries import tracking_path
from app.parties import service as parties
from app.parties.models import PartyKind
from app.payouts import service as payouts
from app.shipments import queries as shipments
from app.shipments import service as shipments_service
from app.shipments.models import ProofKind, Shipment
from app.shipments.service import ProofInput, ScanInput
from app.subscriptions import SUBSCRIPTIONS
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from tests.app.orders.build import Shop, open_shop
from tests.support.app import Api, Logins
from tracking.shipment import ScanCode

OFFSET_MINUTES = 480
# The outlet of each city, and its courier.
OUTLETS = {"chengdu": "CTU-01", "wuhan": "WUH-01", "hangzhou": "HGH-01", "guangzhou": "CAN-01"}
SHIPPER_PHONE, OTHER_SHIPPER_PHONE, PRIVATE_PHONE = "13800000001", "13800000011", "13700000021"
CONSIGNEE_PHONE = "13900000002"
STEP = timedelta(minutes=40)


@dataclass(frozen=True, slots=True)
class Company:
    """A company that can book, carry, deliver, answer and pay; ids by name."""

    shop: Shop
    dispatcher: Actor
    shipper_id: int
    other_shipper_id: int
    private_id: int
    couriers: Mapping[str, int]
    courier_parties: Mapping[str, int]

    @property
    def logins(self) -> Logins:
        return self.shop.logins

    @property
    def tenant_id(self) -> int:
        return self.logins.tenant_id

    @property
    def facilities(self) -> Mapping[str, int]:
        return self.shop.world.facilities

    @property
    def now(self) -> datetime:
        return self.logins.clock()

    def work(self) -> AbstractContextManager[Session]:
        """A transaction of the tenant."""
        return self.logins.database.unit_of_work(self.tenant_id)

    def relay(self) -> int:
        """Hand on every event that waits; gives how many there were."""
        handed_on = 0
        while taken := outbox.relay(self.logins.database, SUBSCRIPTIONS, self.logins.clock):
            handed_on += taken
        return handed_on

    def settle_channel(self) -> None:
        """The payment channel hands over all that it has confirmed, as its statement of the day would say."""
        with self.work() as session:
            clearing = AccountKey(self.tenant_id, None, Purpose.CHANNEL_CLEARING, "CNY")
            waiting_minor = ledger.balance(session, clearing)
            assert waiting_minor > 0, "no payment waits at the channel"
            orders.settle_channel(
                session,
                self.shop.finance,
                amount=Money(waiting_minor, "CNY"),
                reference=f"channel-{self.now:%Y%m%d%H%M%S}",
                now=self.now,
            )

    def book(
        self,
        start: str = "chengdu",
        end: str = "hangzhou",
        *,
        customer_id: int | None = None,
        channel: PaymentChannel = PaymentChannel.PREPAID,
        **changes: Any,
    ) -> str:
        """Book by service, for the first shipper unless another is named; gives the waybill number."""
        with self.work() as session:
            order = orders.book(
                session,
                self.shop.agent,
                self.shop.request(start, end, **changes),
                customer_id=customer_id or self.shipper_id,
                channel=channel,
                now=self.now,
            )
            return session.get_one(Shipment, order.shipment_id).waybill_number

    def booking_body(self, start: str = "chengdu", end: str = "hangzhou", **changes: Any) -> dict[str, Any]:
        """What a machine posts to book the same parcel."""
        body = asdict(self.shop.request(start, end))
        del body["offset_minutes"]
        return body | {"channel": PaymentChannel.PREPAID} | changes

    def booking_form(self, start: str = "chengdu", end: str = "hangzhou", **changes: Any) -> dict[str, Any]:
        """What a shipper types on the booking page for the same parcel; `once` is the page's own."""
        request = self.shop.request(start, end)
        form: dict[str, Any] = {
            "goods": request.goods,
            "pieces": "1",
            "weight_g": "2.3",
            "service": request.service.value,
            "pickup_handover": request.pickup_handover.value,
            "delivery_handover": request.delivery_handover.value,
            "channel": PaymentChannel.PREPAID.value,
        }
        for name, place in (("sender", request.sender), ("consignee", request.consignee)):
            form |= {
                f"{name}_name": place.name,
                f"{name}_phone": place.phone,
                f"{name}_district": self.district(place.district_adcode),
                f"{name}_address": place.address,
            }
        return form | changes

    def district(self, adcode: str) -> str:
        """A district as the suggestions of an address field write it."""
        with self.work() as session:
            return district_label(session.get_one(District, adcode))

    def shipment(self, number: str) -> Shipment:
        """A shipment as it stands, for a look; with its legs."""
        with self.work() as session:
            found = shipments.load_shipment(session, self.shop.agent, number)
            session.refresh(found, ["legs"])
            return found

    def link(self, number: str) -> str:
        """The path of the unguessable tracking page."""

        with self.work() as session:
            return tracking_path(session, shipments.load_shipment(session, self.shop.agent, number))

    def life(self, number: str, *, until: ScanCode = ScanCode.DELIVERED) -> list[dict[str, Any]]:
        """The scans of an ordinary life along the planned legs, in order, as a machine posts them."""
        shipment = self.shipment(number)
        outlet = {facility_id: code for code, facility_id in self.facilities.items()}
        start, end = (
            outlet[facility_id]
            for facility_id in (shipment.origin_facility_id, shipment.destination_facility_id)
        )
        at = max(self.now, shipment.booked_at) + STEP
        steps: list[tuple[ScanCode, datetime, dict[str, Any]]] = [
            (ScanCode.COLLECTED, at, {"courier_id": self.couriers[start]}),
            (ScanCode.ACCEPTED, at + STEP, {"facility_id": shipment.origin_facility_id}),
        ]
        at += STEP
        for leg in shipment.legs:
            at = max(at + STEP, leg.planned_departure_at)
            steps.append((ScanCode.DEPARTED, at, {"facility_id": leg.from_facility_id}))
            at = max(at + STEP, leg.planned_arrival_at)
            steps.append((ScanCode.ARRIVED, at, {"facility_id": leg.to_facility_id}))
        by_courier = {"courier_id": self.couriers[end]}
        steps.append((ScanCode.OUT_FOR_DELIVERY, at + STEP, by_courier))
        proof = {"kind": "code", "received_by": shipment.consignee_name}
        steps.append((ScanCode.DELIVERED, at + 2 * STEP, {**by_courier, "proof": proof}))
        last = [code for code, _at, _facts in steps].index(until)
        return [
            {
                "number": number,
                "code": code.value,
                "occurred_at": at.isoformat(),
                "offset_minutes": OFFSET_MINUTES,
                "device_id": f"phone-{facts['courier_id']}" if "courier_id" in facts else "gun-1",
                "client_scan_id": f"{number}-{place}",
                **facts,
            }
            for place, (code, at, facts) in enumerate(steps[: last + 1])
        ]

    def send(self, api: Api, scans: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Post scans as a machine, once the last of them has happened; gives what became of each."""
        self._wait_for(scans)
        answer = api.post("/api/v1/scans", json=list(scans), key=None)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json["items"]
        return results

    def record(self, scans: Sequence[Mapping[str, Any]]) -> None:
        """Record scans by service, once the last of them has happened."""
        self._wait_for(scans)
        with self.work() as session:
            results = shipments_service.record_scans(
                session, self.dispatcher, [_scan_input(scan) for scan in scans], now=self.now
            )
        assert {result.status for result in results} <= {"recorded", "duplicate"}, results

    def deliver(self, number: str, *, until: ScanCode = ScanCode.DELIVERED) -> None:
        """Carry a parcel to its consignee, or as far as `until`, and let every room hear of it."""
        self.record(self.life(number, until=until))
        self.relay()

    def _wait_for(self, scans: Sequence[Mapping[str, Any]]) -> None:
        latest = max(datetime.fromisoformat(scan["occurred_at"]) for scan in scans)
        clock = self.logins.clock
        clock.moment = max(clock.moment, latest + timedelta(minutes=1))


def company(logins: Logins) -> Company:
    """Open the company in the tenant of these logins."""
    shop = open_shop(logins)
    now = logins.clock()
    with logins.database.unit_of_work(logins.tenant_id) as session:
        other = customers.find_or_create(
            session, name="粤星电子", phone=OTHER_SHIPPER_PHONE, kind=CustomerKind.COMPANY, now=now
        )
        private = customers.find_or_create(session, name="陈静", phone=PRIVATE_PHONE, now=now)
        couriers, courier_parties = _couriers(session, shop, now)
        _bank_accounts(session, [*shop.world.parties.values(), *courier_parties.values()])
    dispatcher = logins.actor("dispatcher")
    return Company(shop, dispatcher, shop.customer_id, other.id, private.id, couriers, courier_parties)


def _couriers(session: Session, shop: Shop, now: datetime) -> tuple[dict[str, int], dict[str, int]]:
    """One courier an outlet, by the outlet's code, and whom their pay belongs to."""
    made: dict[str, int] = {}
    paid: dict[str, int] = {}
    for number, outlet in enumerate(OUTLETS.values(), start=1):
        name = f"{'赵钱孙李'[number - 1]}师傅"
        party = parties.create_party(session, code=f"K-{outlet}", name=name, kind=PartyKind.COURIER, now=now)
        paid[outlet] = party.id
        made[outlet] = dispatch.create_courier(
            session,
            code=f"K-{outlet}",
            name=name,
            phone=f"1360000000{number}",
            facility_id=shop.world.facilities[outlet],
            party_id=party.id,
            shift_start_s=8 * 3600,
            shift_end_s=18 * 3600,
            capacity_g=100_000,
            capacity_cm3=1_000_000,
            capacity_pieces=60,
        ).id
    return made, paid


def _bank_accounts(session: Session, party_ids: Iterable[int]) -> None:
    for party_id in party_ids:
        payouts.set_bank_account(
            session,
            party_id=party_id,
            holder=f"结算户 {party_id}",
            account_number=f"62{party_id:014d}",
            bank_name="中国工商银行",
            cnaps_code="102100099996",
        )


def _scan_input(scan: Mapping[str, Any]) -> ScanInput:
    values = dict(scan)
    values["occurred_at"] = datetime.fromisoformat(values["occurred_at"])
    proof = values.pop("proof", None)
    if proof is not None:
        values["proof"] = ProofInput(**{**proof, "kind": ProofKind(proof["kind"])})
    return ScanInput(**values)
