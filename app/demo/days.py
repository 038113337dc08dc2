"""The days of the demo world, told in the order of time: booked, scanned, confirmed, complained of, paid.

Everything goes through the services; scans, and what the shipper with a machine books, through the HTTP API.
The clock of the application is moved along.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from app.config import Settings
from app.containers import jobs as containers_jobs
from app.customers.many import find_or_create_many
from app.db import outbox
from app.db.session import Database
from app.deliveries import jobs as deliveries_jobs
from app.demo import doors, office, today
from app.demo.docks import Docks
from app.demo.feed import Action, Feed
from app.demo.journey import Journey
from app.demo.lockers import Lockers
from app.demo.parcels import OFFSET_MINUTES, Parcel, Sender, Story
from app.demo.rides import Rides
from app.network import queries as network
from app.orders import jobs as orders_jobs
from app.orders import service as orders
from app.orders.models import PaymentChannel
from app.shipments import calibration, estimates, history, watching
from app.shipments import queries as shipments
from app.shipments import service as shipments_service
from app.shipments.hours import hours_of, ready
from app.shipments.legs import leg_of
from app.shipments.models import Shipment
from app.shipments.scan_values import DELIVERED
from app.subscriptions import SUBSCRIPTIONS

SLOT = timedelta(hours=3)
_NIGHT, _MORNING = 0, 9
_OFFICE_HOURS = (_NIGHT, _MORNING)
_CONFIRM_PERCENT = 40

Job = Callable[[Session, Settings, datetime], object]

_ROUNDS_FOR = timedelta(hours=36)
_NIGHTLY: tuple[Job, ...] = (
    orders_jobs.release_unconfirmed,
    deliveries_jobs.remind_waiting,
    containers_jobs.settle_findings,
)
_LEARNING: tuple[Job, ...] = (history.learn_history, calibration.measure_promises)


@dataclass
class Days:
    """The world in the making, or the part of it that one of several storytellers tells.

    Args:
        storyteller: which one; the first also runs the office and the jobs of the clock.
        in_step: waits until every storyteller has come as far.
    """

    settings: Settings
    database: Database
    feed: Feed
    seed: int
    rides: Rides
    locker_stays_since: datetime
    storyteller: int = 0
    in_step: Callable[[], object] = lambda: None
    _agenda: list[tuple[datetime, int, Action]] = field(default_factory=list)
    _ticket: Iterable[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._pick = random.Random(f"days:{self.seed}:{self.storyteller}")
        self._numbers = iter(self._ticket)
        self._confirmations: list[tuple[datetime, int, str]] = []
        office_pick = random.Random(f"office:{self.seed}:{self.storyteller}")
        self.clock, self.company = self.feed.clock, self.feed.company
        self._desk = office.Office(self.company, office_pick)
        self._docks = Docks(self.company.staff["dispatcher"], self.feed.push, self.feed.codes)
        self._lockers = Lockers(self.feed, since=self.locker_stays_since, seed=self.seed)

    def run(
        self, parcels: Sequence[Parcel], start: datetime, end: datetime, progress: Callable[[int], None]
    ) -> None:
        """From `start` to `end`; `progress` hears how many parcels have been booked."""
        todo = iter(parcels)
        parcel = next(todo, None)
        booked = 0
        slot_start = start
        while slot_start < end:
            slot_end = min(slot_start + SLOT, end)
            if _hour(slot_start) in _OFFICE_HOURS:
                if self.storyteller == 0:
                    self._open_office(slot_start, end)
                # So that what the office finds, pays and plans is what stood at its hour, however fast the
                # others tell: the channel's money is what had been booked until then.
                self.in_step()
                self._renew_estimates(slot_start)
            due: list[Parcel] = []
            while parcel is not None and parcel.booked_at < slot_end:
                due.append(parcel)
                parcel = next(todo, None)
            booked += len(due)
            self._book(due)
            progress(booked)
            self._relay(slot_end)
            self.feed.tell(slot_end)
            self._relay(slot_end)
            self._confirm(slot_end)
            self._act(slot_end)
            self._relay(slot_end)
            self.in_step()
            slot_start = slot_end
        if self.storyteller == 0:
            self.clock.moment = end
            with self.database.unit_of_work(self.company.tenant_id) as session:
                today.ask_around(session, self.company, end)
            self._jobs(end, (*_LEARNING, *_NIGHTLY))
            self._renew_estimates(end)

    def _book(self, parcels: Sequence[Parcel]) -> None:
        """Those of the shipper with a machine one by one through the API, the others in one transaction."""
        for parcel in parcels:
            if parcel.sender is Sender.SMALL:
                self.clock.moment = parcel.booked_at
                number = self._book_by_api(parcel)
                with self.database.unit_of_work(self.company.tenant_id) as session:
                    shipment = shipments.load_shipment(session, self.company.staff["agent"], number)
                    self._foresee(session, parcel, shipment)
        others = [parcel for parcel in parcels if parcel.sender is not Sender.SMALL]
        with self.database.unit_of_work(self.company.tenant_id) as session:
            bookings = self._bookings(session, others)
            placed = orders.book_many(session, self.company.staff["agent"], bookings)
            for parcel, order in zip(others, placed, strict=True):
                self._foresee(session, parcel, session.get_one(Shipment, order.shipment_id))

    def _bookings(self, session: Session, parcels: Sequence[Parcel]) -> list[orders.Booking]:
        contracts = [self.company.shippers.get(parcel.sender) for parcel in parcels]
        people = [
            (parcel.request.sender.name, parcel.request.sender.phone, parcel.booked_at)
            for parcel, contract in zip(parcels, contracts, strict=True)
            if contract is None
        ]
        senders = iter(find_or_create_many(session, people))
        return [
            orders.Booking(
                parcel.request,
                next(senders).id if contract is None else contract,
                PaymentChannel.PREPAID if contract is None else PaymentChannel.MONTHLY_ACCOUNT,
                parcel.booked_at,
            )
            for parcel, contract in zip(parcels, contracts, strict=True)
        ]

    def _book_by_api(self, parcel: Parcel) -> str:
        request = parcel.request
        body = {
            "sender": asdict(request.sender),
            "consignee": asdict(request.consignee),
            "goods": request.goods,
            "pieces": request.pieces,
            "weight_g": request.weight_g,
            "volume_cm3": request.volume_cm3,
            "service": request.service,
            "pickup_handover": request.pickup_handover,
            "delivery_handover": request.delivery_handover,
            "declared_value_minor": request.declared_value_minor,
            "cod_minor": request.cod_minor,
            "channel": PaymentChannel.MONTHLY_ACCOUNT,
        }
        answer = self.feed.post("/api/v1/shipments", body, "shipper3", key=f"demo-{self.seed}-{parcel.index}")
        return str(answer["waybill_number"])

    def _foresee(self, session: Session, parcel: Parcel, shipment: Shipment) -> None:
        """Put on the agenda what will become of a parcel."""
        number = shipment.waybill_number
        places = network.routing_network(session)
        journey = Journey(
            parcel,
            [leg_of(row) for row in shipment.legs],
            ready_at=ready(
                places,
                parcel.booked_at,
                parcel.request.pickup_handover,
                shipment.origin_facility_id,
                shipment.pickup_point_id,
            ),
            origin_id=shipment.origin_facility_id,
            destination_id=shipment.destination_facility_id,
            delivery_point_id=shipment.delivery_point_id,
            last_outlet=hours_of(places, shipment.destination_facility_id),
            seed=self.seed,
            ride_of=self.rides.of,
        )
        scans = self._lockers.take(parcel, shipment, journey.scans())
        for boarding in journey.rides:
            self._docks.take(boarding, number)
        doors.agree(session, shipment, scans, now=parcel.booked_at)
        for scan in scans:
            row = self.feed.row(number, scan)
            if doors.collects(shipment, scan):
                row = doors.hand_over(row, shipment)
            self.feed.push(scan.received_at, row)
            if scan.repeated:
                self.feed.push(scan.received_at + timedelta(minutes=self._pick.randrange(1, 90)), row)
        if parcel.story is Story.CANCELLED:
            self._at(
                parcel.booked_at + timedelta(minutes=20),
                lambda session, now: self._cancel(session, number, now),
            )
        delivered = next((scan.received_at for scan in scans if scan.code in DELIVERED), None)
        if delivered is not None and self._pick.randrange(100) < _CONFIRM_PERCENT:
            confirmed_at = delivered + timedelta(hours=self._pick.expovariate(1 / 16))
            heapq.heappush(self._confirmations, (confirmed_at, next(self._numbers), number))
        for when, action in self._desk.complaint(parcel, number, scans):
            self._at(when, action)

    def _act(self, until: datetime) -> None:
        while self._agenda and self._agenda[0][0] < until:
            when, _number, action = heapq.heappop(self._agenda)
            self.clock.moment = when
            with self.database.unit_of_work(self.company.tenant_id) as session:
                action(session, when)

    def _at(self, when: datetime, action: Action) -> None:
        heapq.heappush(self._agenda, (when, next(self._numbers), action))

    def _open_office(self, slot_start: datetime, end: datetime) -> None:
        """What happens by the clock: the watch and releases at night, payouts and rounds in the morning."""
        hour = _hour(slot_start)
        self.clock.moment = slot_start
        if hour == _NIGHT:
            self._jobs(slot_start, _NIGHTLY)
        if hour == _MORNING:
            self._desk.pay_out(self.database, slot_start)
            if end - slot_start < _ROUNDS_FOR:  # who looks at the board looks at today
                self._desk.plan_rounds(self.database, slot_start)

    def _jobs(self, now: datetime, jobs: Sequence[Job]) -> None:
        watching.watch(self.database, self.settings, now)
        for job in jobs:
            with self.database.unit_of_work(None) as session:
                job(session, self.settings, now)
        self._relay(now)

    def _renew_estimates(self, now: datetime) -> None:
        """Which any number of storytellers may do at the same time."""
        self.clock.moment = now
        while estimates.renew_waiting(self.database, self.clock):
            pass

    def _relay(self, now: datetime) -> None:
        self.clock.moment = now
        while outbox.relay(self.database, SUBSCRIPTIONS, self.clock, batch=500):
            pass

    def _confirm(self, until: datetime) -> None:
        agent = self.company.staff["agent"]
        with self.database.unit_of_work(self.company.tenant_id) as session:
            while self._confirmations and self._confirmations[0][0] < until:
                now, _number, waybill = heapq.heappop(self._confirmations)
                shipment = shipments.load_shipment(session, agent, waybill)
                shipments_service.confirm_receipt(session, shipment, now=now, by="tracking_page")

    def _cancel(self, session: Session, number: str, now: datetime) -> None:
        shipment = shipments.load_shipment(session, self.company.staff["agent"], number)
        shipments_service.cancel(session, shipment, now=now)


def _hour(moment: datetime) -> int:
    """Of the place's clock."""
    return (moment + timedelta(minutes=OFFSET_MINUTES)).hour
