"""One of everything that a route can name, in two companies: what the access tests fill the routes with."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.containers import service as containers
from app.customers.models import CustomerIdentity
from app.deliveries import queries as deliveries_queries
from app.deliveries import service as deliveries
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import service as dispatch
from app.dispatch.areas import territory_of
from app.dispatch.day.models import Act, Outcome, StopEvent, StopPhoto
from app.dispatch.models import Courier, Plan, StopRequest
from app.dispatch.pickup_models import PickupChannel
from app.epcis import service as epcis
from app.ledger import queries as ledger
from app.network import designing, timetables
from app.network.designing import Wanted
from app.network.models import Facility, Lane
from app.orders import service as orders
from app.payouts import service as payouts
from app.servicedesk import service as servicedesk
from app.servicedesk.values import CaseCategory, CaseChannel
from app.shipments import queries as shipments
from app.shipments import service as shipments_service
from app.shipments.models import DeliveryProof
from app.webhooks import service as webhooks
from app.webhooks.models import WebhookMessage
from app.webhooks.values import EndpointInput, EventType
from tests.app.orders.build import BODY
from tests.support.company import Company
from tracking.containers import ContainerKind
from tracking.instructions import InstructionKind
from tracking.shipment import ScanCode

EPCIS_EVENT = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-03-01T09:00:00+08:00",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
}
PICTURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Things:
    """What one shipper has in one company, and the company's own things.

    `delivered` has a proof, a confirmed receipt, a case and a proposed claim; `booked` is still at home.
    """

    company: Company
    customer_id: int
    other_customer_id: int
    identity_id: int
    delivered: str
    booked: str
    proof_id: int
    case_number: str
    claim_id: int
    link_token: str
    entry_id: int
    account_id: int
    entry_key: str
    terms_id: int
    batch_number: str
    plan_id: int
    area_id: int
    stop_id: int
    pickup_id: int
    recurring_id: int
    photo_id: int
    goods: str
    endpoint_id: int
    message_key: str
    capture_id: int
    event_id: str
    finding_id: int
    container_number: str

    @property
    def packing_body(self) -> dict[str, Any]:
        """What a machine posts to pack the parcel that is at home."""
        return {"device_id": "gun", "client_event_id": "1", "numbers": [self.booked]}

    instruction_id: int
    deposit_id: int
    deposited: str
    study_id: int

    @property
    def order_number(self) -> str:
        return f"O{self.delivered}"

    @property
    def quote_body(self) -> dict[str, Any]:
        """What a machine posts to ask for a price."""
        ends = {
            name: {"district_adcode": self.company.shop.world.spots[city].district_adcode}
            for name, city in (("sender", "chengdu"), ("consignee", "hangzhou"))
        }
        return {**ends, "weight_g": 1200}

    @property
    def pickup_body(self) -> dict[str, Any]:
        """What a machine posts to ask for a pickup."""
        return {
            "contact_name": "赵敏",
            "contact_phone": "13600000009",
            "district_adcode": self.company.shop.world.spots["chengdu"].district_adcode,
            "address": "第三处 3 号",
            "day": (self.company.now.date() + timedelta(days=3)).isoformat(),
            "window_from_s": 36_000,
            "window_to_s": 43_200,
        }

    @property
    def terms_body(self) -> dict[str, Any]:
        """What a machine posts as the next version of the terms."""
        return BODY

    @property
    def epcis_event(self) -> dict[str, Any]:
        """What a partner's machine posts about a thing of its own."""
        return EPCIS_EVENT

    @property
    def epcis_document(self) -> dict[str, Any]:
        """The same in a document."""
        return epcis_document()

    @property
    def facility_id(self) -> int:
        return self.company.facilities["CTU-01"]

    @property
    def lane_id(self) -> int:
        return self.company.shop.world.lanes["CTU-01>CTU-G"]

    @property
    def courier_id(self) -> int:
        return self.company.couriers["CTU-01"]


def things_of(company: Company, customer_id: int, *, other_customer_id: int, goods: str) -> Things:
    """Make them, through the services."""
    endpoint_id = _webhook(company, customer_id)
    delivered = company.book(customer_id=customer_id, goods=goods, declared_value_minor=80_000)
    scans = company.life(delivered)
    signature = {
        "kind": "signature",
        "received_by": "王建国",
        "content_type": "image/png",
        "content": PICTURE,
    }
    scans[-1]["proof"] = {**signature, "content": PICTURE}
    company.record(scans)
    company.relay()
    case_number, claim_id = _case_with_claim(company, customer_id, delivered)
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, delivered)
        shipments_service.confirm_receipt(session, shipment, now=company.now, by="agent")
    company.relay()
    batch_number = _batch(company)
    company.logins.clock.forward(hours=30 - company.now.hour)  # the next day, early enough to be collected
    booked = company.book(customer_id=customer_id, goods=goods)
    company.relay()
    plan_id, stop_id = _plan(company, booked)
    area_id = _area(company, customer_id)
    pickup_id, recurring_id = _pickups(company, customer_id)
    terms_id = _terms(company)
    deposit_id, deposited = _deposit(company, customer_id)
    instruction_id = _instruction(company, customer_id, delivered)
    capture_id, event_id = _epcis(company, delivered)
    finding_id = _finding(company, delivered)
    _holiday(company)
    study_id = _study(company)
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, delivered)
        entry = ledger.entries_with_evidence(session, "shipment", delivered)[0]
        return Things(
            company=company,
            customer_id=customer_id,
            other_customer_id=other_customer_id,
            identity_id=session.scalars(
                sa.select(CustomerIdentity.id).where(CustomerIdentity.customer_id == customer_id)
            ).one(),
            delivered=delivered,
            booked=booked,
            proof_id=session.scalars(
                sa.select(DeliveryProof.id).where(DeliveryProof.shipment_id == shipment.id)
            ).one(),
            case_number=case_number,
            claim_id=claim_id,
            link_token=company.link(delivered).removeprefix("/t/"),
            entry_id=entry.id,
            account_id=entry.lines[0].account_id,
            entry_key=entry.entry_key,
            terms_id=terms_id,
            batch_number=batch_number,
            plan_id=plan_id,
            area_id=area_id,
            capture_id=capture_id,
            event_id=event_id,
            instruction_id=instruction_id,
            deposit_id=deposit_id,
            deposited=deposited,
            stop_id=stop_id,
            pickup_id=pickup_id,
            recurring_id=recurring_id,
            photo_id=_photo(session, company, stop_id),
            finding_id=finding_id,
            study_id=study_id,
            goods=goods,
            endpoint_id=endpoint_id,
            container_number=_container(company, booked),
            message_key=session.scalars(
                sa.select(WebhookMessage.message_key)
                .where(WebhookMessage.endpoint_id == endpoint_id)
                .order_by(WebhookMessage.id)
                .limit(1)
            ).one(),
        )


def _holiday(company: Company) -> None:
    """Two days in autumn on which the first outlet and its lane rest: one for a page, one for a machine."""
    first, last = date(2026, 9, 29), date(2026, 9, 30)
    with company.work() as session:
        lane = session.get_one(Lane, company.shop.world.lanes["CTU-01>CTU-G"])
        admin = company.logins.actor(Role.ADMIN)
        outlet = session.get_one(Facility, company.shop.world.facilities["CTU-01"])
        for subject in (lane, outlet):
            timetables.add_holidays(session, admin, subject, first, last, reason="works", now=company.now)


def _study(company: Company) -> int:
    """A question for hubs that nobody has taken up yet."""
    wanted = Wanted(gravity=True, days=30, hubs=2, discount_percent=60, multiple=False, seconds=1)
    with company.work() as session:
        return designing.request_study(session, company.dispatcher, wanted, now=company.now).id


def _area(company: Company, customer_id: int) -> int:
    """An area in which somebody is at home, so that nobody who is asked to delete it does."""
    outlet = "HGH-01"
    with company.work() as session:
        area = dispatch.create_area(
            session,
            company.dispatcher,
            facility_id=company.facilities[outlet],
            name=f"西湖 {customer_id}",
            ring=[[30.20, 120.10], [30.20, 120.20], [30.30, 120.15]],
            now=company.now,
        )
        courier = session.get_one(Courier, company.couriers[outlet])
        dispatch.set_territory(session, courier, [*territory_of(session, courier), area.id])
        return area.id


def _finding(company: Company, number: str) -> int:
    """That a parcel was scanned somewhere after its delivery."""
    place_id = company.facilities["WUH-HUB"]
    scan = {"code": "arrived", "occurred_at": company.now.isoformat(), "facility_id": place_id}
    where = {
        "number": number,
        "device_id": "gun-9",
        "client_scan_id": f"{number}-astray",
        "offset_minutes": 480,
    }
    company.record([{**where, **scan}])
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        return next(row.id for row in shipments.findings(session, shipment) if row.closed_at is None)


def _webhook(company: Company, customer_id: int) -> int:
    """An endpoint of the shipper's, which what follows makes messages for."""
    wanted = EndpointInput("https://shop.example/hooks", frozenset(EventType))
    shipper = company.logins.actor(Role.SHIPPER, customer_id)
    with company.work() as session:
        endpoint, _secret = webhooks.register(session, shipper, wanted, allow_loopback=False, now=company.now)
        return endpoint.id


def _container(company: Company, number: str) -> str:
    """A bag that lies open at the home outlet, with a parcel in it."""
    actor = company.logins.actor(Role.ADMIN)
    deed = containers.Deed("gun", "open", company.now, facility_id=company.facilities["CTU-01"])
    with company.work() as session:
        bag = containers.open_container(
            session, actor, containers.ContainerInput(ContainerKind.BAG), deed, now=company.now
        )
        containers.pack(
            session, actor, bag, [number], replace(deed, client_event_id=bag.number), now=company.now
        )
        return bag.number


def epcis_document() -> dict[str, Any]:
    return {
        "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T09:00:00+08:00",
        "epcisBody": {"eventList": [EPCIS_EVENT]},
    }


def _epcis(company: Company, number: str) -> tuple[int, str]:
    """A capture, and the event id of a scan of a parcel."""
    base = "http://127.0.0.1:8000/"
    actor = company.logins.actor(Role.ADMIN)
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        capture = epcis.accept(
            session,
            actor,
            json.dumps(epcis_document()).encode(),
            epcis.Behaviour.ROLLBACK,
            base=base,
            now=company.now,
        )
        return capture.id, f"{base}scan/{shipments.scans_of(session, shipment)[0].scan_key}"


def _case_with_claim(company: Company, customer_id: int, number: str) -> tuple[str, int]:
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        case = servicedesk.open_case(
            session,
            customer_id=customer_id,
            shipment_id=shipment.id,
            channel=CaseChannel.PORTAL,
            category=CaseCategory.DAMAGED,
            subject=shipment.goods,
            body="外箱压扁。",
            now=company.now,
        )
        claim = servicedesk.propose_claim(
            session, company.shop.agent, case, claimed_minor=20_000, now=company.now
        )
        return case.number, claim.id


def _batch(company: Company) -> str:
    company.settle_channel()
    with company.work() as session:
        return payouts.prepare_batch(session, company.shop.finance, currency="CNY", now=company.now).number


def _plan(company: Company, number: str) -> tuple[int, int]:
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        stop = session.scalars(sa.select(StopRequest).where(StopRequest.shipment_id == shipment.id)).one()
        stop_id = stop.id
        plan_id = dispatch.request_plan(
            session,
            company.dispatcher,
            facility_id=stop.facility_id,
            day=stop.day,
            seconds=1,
            now=company.now,
        ).id
    while dispatch_jobs.solve_next(company.logins.database, company.logins.clock):
        pass
    with company.work() as session:
        assert session.get_one(Plan, plan_id).status == "draft"
    return plan_id, stop_id


def _pickups(company: Company, customer_id: int) -> tuple[int, int]:
    """A pickup asked for once, and one of every week elsewhere."""
    spot = company.shop.world.spots["chengdu"]
    wanted = dispatch.Wanted(
        contact_name="赵敏",
        contact_phone="13600000009",
        district_adcode=spot.district_adcode,
        address=spot.address,
        day=company.now.date() + timedelta(days=2),
        window_from_s=9 * 3600,
        window_to_s=11 * 3600,
    )
    with company.work() as session:
        asked = dispatch.ask_pickup(
            session,
            company.shop.agent,
            wanted,
            customer_id=customer_id,
            channel=PickupChannel.PHONE,
            now=company.now,
        )
        weekly = dispatch.begin_recurring(
            session,
            company.shop.agent,
            replace(wanted, address="另一处 1 号"),
            customer_id=customer_id,
            weekdays=[2],
            last_day=None,
            now=company.now,
        )
        assert asked.request is not None, "nobody asked before"
        return asked.request.id, weekly.id


def _photo(session: Session, company: Company, stop_id: int) -> int:
    """What a courier found at a door."""
    stop = session.get_one(StopRequest, stop_id)
    event = StopEvent(
        tenant_id=stop.tenant_id,
        device_id="phone",
        client_id=f"photo {stop_id}",
        stop_request_id=stop_id,
        courier_id=company.couriers["CTU-01"],
        facility_id=stop.facility_id,
        day=stop.day,
        act=Act.ARRIVED,
        outcome=Outcome.RECORDED,
        occurred_at=company.now,
        received_at=company.now,
        offset_minutes=480,
    )
    session.add(event)
    session.flush()  # the photo needs its id
    photo = StopPhoto(
        tenant_id=stop.tenant_id, stop_event_id=event.id, content_type="image/png", content=b"\x89PNG"
    )
    session.add(photo)
    session.flush()  # its id is asked for
    return photo.id


def _instruction(company: Company, customer_id: int, number: str) -> int:
    """An instruction of the shipper's that came too late, and is kept with its reason."""
    asking = deliveries_queries.asking(company.logins.actor(Role.SHIPPER, customer_id))
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        wish = deliveries.Wish(InstructionKind.INTERCEPT)
        return deliveries.ask(session, shipment, wish, asking, now=company.now).id


def _deposit(company: Company, customer_id: int) -> tuple[int, str]:
    """A parcel that waits at the counter of the outlet, with the word of its consignee."""
    number = company.book("chengdu", "wuhan", customer_id=customer_id)
    company.deliver(number, until=ScanCode.ACCEPTED)
    with company.work() as session:
        shipment = shipments.load_shipment(session, company.shop.agent, number)
        left = deliveries.Leaving(company.facilities["CTU-01"])
        return deliveries.deposit(session, company.dispatcher, shipment, left, now=company.now).id, number


def _terms(company: Company) -> int:
    with company.work() as session:
        return orders.create_terms_version(
            session,
            company.shop.finance,
            name="standard",
            body=BODY,
            effective_from=company.now + timedelta(days=30),
            now=company.now,
        ).id
