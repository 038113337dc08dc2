"""Lockers and stores: what may be left there, who may fetch it, and what happens when nobody does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.deliveries import handover, points, queries, service, waiting
from app.deliveries.codes import TRIES_MAX, Try
from app.deliveries.door_values import Paid
from app.deliveries.models import ConsentChannel, ConsentSource
from app.deliveries.point_models import DisputeKind, PointDeposit
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.network import service as network
from app.network.models import Facility
from app.notify.models import Notification
from app.orders import queries as orders
from app.servicedesk import queries as cases
from routing.network import FacilityKind, Handover
from tests.app.deliveries.conftest import Door
from tests.app.deliveries.test_instructions import point
from tracking.instructions import InstructionKind, InstructionRefusal
from tracking.pickup import OVERDUE_AFTER, REMIND_AFTER, TAKE_BACK_AFTER, Size
from tracking.shipment import Milestone, ScanCode

SMALL, LARGE = (350, 250, 100), (400, 350, 300)


@pytest.fixture(scope="module")
def locker(door: Door) -> int:
    facility_id = point(door, "WUH-L1", FacilityKind.LOCKER)
    with door.firm.work() as session:
        facility = session.get_one(Facility, facility_id)
        admin = door.firm.logins.actor(Role.ADMIN)
        for number, size in enumerate([SMALL, SMALL, LARGE, *[LARGE] * 9], start=1):
            network.set_compartment(
                session, admin, facility, code=f"A{number:02d}", size=size, now=door.firm.now
            )
    return facility_id


@pytest.fixture(scope="module")
def store(door: Door) -> int:
    return point(door, "WUH-S1", FacilityKind.STORE)


def agrees(door: Door, number: str, channel: ConsentChannel, granted: bool = True) -> None:
    with door.firm.work() as session:
        shipment = handover.parcel(session, number)
        service.record_consent(
            session, shipment, channel, granted=granted, source=ConsentSource.TRACKING_LINK, now=door.firm.now
        )


def left(door: Door, facility_id: int, **changes: object) -> str:
    """A parcel of a consignee who agrees, left at a point."""
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, **changes)
    agrees(door, number, ConsentChannel.LOCKER)
    agrees(door, number, ConsentChannel.STORE)
    leave(door, number, facility_id)
    return number


def leave(door: Door, number: str, facility_id: int, **how: object) -> int:
    with door.firm.work() as session:
        row = service.deposit(
            session,
            door.firm.logins.actor(Role.COURIER, door.firm.couriers["WUH-01"]),
            handover.parcel(session, number),
            service.Leaving(facility_id, **how),  # type: ignore[arg-type]
            now=door.firm.now,
        )
        deposit_id = row.id
    door.firm.relay()
    return deposit_id


def sent_code(door: Door, number: str) -> str:
    """The newest code that was written to the consignee."""
    with door.firm.work() as session:
        body = session.scalars(
            sa.select(Notification.body)
            .where(Notification.body.contains(number))
            .order_by(Notification.id.desc())
            .limit(1)
        ).one()
    found = re.search(r"取件码 ([0-9]{6})", body)
    assert found is not None, body
    return found[1]


def fetch(door: Door, number: str, facility_id: int, code: str, paid: Paid | None = None) -> Try:
    with door.firm.work() as session:
        became, _row = service.take_out(
            session,
            door.firm.logins.actor(Role.HUB, facility_id),
            service.Fetching(number, code, facility_id, paid),
            now=door.firm.now,
        )
    door.firm.relay()
    return became


def deposit_of(door: Door, number: str) -> PointDeposit:
    with door.firm.work() as session:
        return session.scalars(
            sa.select(PointDeposit)
            .where(PointDeposit.shipment_id == handover.parcel(session, number).id)
            .order_by(PointDeposit.id.desc())
            .limit(1)
        ).one()


def test_in_and_out_of_a_locker_with_the_code_that_was_sent(door: Door, locker: int) -> None:
    number = left(door, locker, volume_cm3=8_000)
    row = deposit_of(door, number)
    after = door.shipment(number)
    assert (after.code, after.state_facility_id) == (ScanCode.AT_LOCKER, locker)
    code = sent_code(door, number)
    assert code.encode() not in row.code_hash
    assert fetch(door, number, locker, code) is Try.RIGHT
    taken = door.shipment(number)
    assert (taken.milestone, taken.code) == (Milestone.DELIVERED, ScanCode.TAKEN_FROM_LOCKER)
    assert deposit_of(door, number).taken_at == door.firm.now
    with pytest.raises(NotFoundError):
        fetch(door, number, locker, code)


def test_the_smallest_free_compartment_is_taken_and_one_holds_one(door: Door, locker: int) -> None:
    one, other = left(door, locker, volume_cm3=8_000), left(door, locker, volume_cm3=8_000)
    with door.firm.work() as session:
        codes = [
            session.get_one(PointDeposit, deposit_of(door, number).id).compartment for number in (one, other)
        ]
        names = [compartment.code for compartment in codes if compartment is not None]
    assert len(set(names)) == 2
    third = door.parcel(ScanCode.OUT_FOR_DELIVERY, volume_cm3=8_000)
    with pytest.raises(ConflictError) as refused:
        leave(door, third, locker, compartment=names[0])
    assert refused.value.extra["why"] == "compartment_taken"


@pytest.mark.parametrize(
    ("changes", "how", "why"),
    [
        ({"volume_cm3": 90_000}, {}, "too_large"),
        ({"volume_cm3": 1_000}, {"size": Size(600, 50, 30)}, "too_large"),
        ({"volume_cm3": 20_000}, {"compartment": "A01"}, "too_large"),
        ({"cod_minor": 5_000}, {}, "cash_due"),
        ({"pieces": 2}, {}, "several_pieces"),
    ],
)
def test_what_does_not_go_into_a_locker(
    door: Door, locker: int, changes: dict[str, object], how: dict[str, object], why: str
) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, **changes)
    agrees(door, number, ConsentChannel.LOCKER)
    if "compartment" in how:
        with door.firm.work() as session:  # whoever is in it does not matter here
            session.execute(
                sa.update(PointDeposit).where(PointDeposit.taken_at.is_(None)).values(taken_at=door.firm.now)
            )
    with pytest.raises(ConflictError) as refused:
        leave(door, number, locker, **how)
    assert refused.value.extra["why"] == why
    assert door.shipment(number).milestone is Milestone.OUT_FOR_DELIVERY


def test_nothing_is_left_without_the_consignees_word(door: Door, locker: int, store: int) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    for channel, facility_id in ((ConsentChannel.LOCKER, locker), (ConsentChannel.STORE, store)):
        agrees(door, number, channel, granted=False)
        with pytest.raises(ConflictError) as refused:
            leave(door, number, facility_id)
        assert refused.value.extra["why"] == "no_consent"


def test_five_wrong_codes_lock_and_the_right_one_does_not_open_then(door: Door, locker: int) -> None:
    number = left(door, locker)
    code = sent_code(door, number)
    wrong = "000000" if code != "000000" else "111111"
    tries = [fetch(door, number, locker, wrong) for _ in range(TRIES_MAX)]
    assert tries == [*[Try.WRONG] * (TRIES_MAX - 1), Try.LOCKED]
    assert fetch(door, number, locker, code) is Try.LOCKED
    door.firm.logins.clock.forward(hours=1, seconds=1)
    assert fetch(door, number, locker, code) is Try.RIGHT


def tick(door: Door, number: str, after: timedelta) -> None:
    door.firm.logins.clock.moment = deposit_of(door, number).deposited_at + after
    with door.firm.logins.database.unit_of_work(None) as session:
        while waiting.remind(session, door.firm.now):
            pass
    door.firm.relay()


def test_reminded_overdue_and_taken_back_to_the_outlet(door: Door, locker: int) -> None:
    number = left(door, locker)
    first = sent_code(door, number)
    tick(door, number, REMIND_AFTER)
    second = sent_code(door, number)
    row = deposit_of(door, number)
    assert row.reminded_at == door.firm.now
    assert row.overdue_at is None
    courier = door.firm.logins.actor(Role.COURIER, door.firm.couriers["WUH-01"])
    with door.firm.work() as session, pytest.raises(ConflictError):
        service.take_back(session, courier, session.get_one(PointDeposit, row.id), now=door.firm.now)
    tick(door, number, OVERDUE_AFTER)
    assert door.shipment(number).code is ScanCode.PICKUP_OVERDUE
    third = sent_code(door, number)
    assert len({first, second, third}) > 1
    if first != third:
        assert fetch(door, number, locker, first) is Try.WRONG, "only the newest code opens"
    tick(door, number, TAKE_BACK_AFTER)
    assert fetch(door, number, locker, third) is Try.EXPIRED
    for _tap in range(2):
        with door.firm.work() as session:
            service.take_back(session, courier, session.get_one(PointDeposit, row.id), now=door.firm.now)
    door.firm.relay()
    after = door.shipment(number)
    assert (after.code, after.state_facility_id) == (ScanCode.AT_OUTLET, door.firm.facilities["WUH-01"])
    assert door.codes(number).count(ScanCode.AT_OUTLET) == 1
    outlet = door.firm.facilities["WUH-01"]
    assert fetch(door, number, outlet, sent_code(door, number)) is Try.RIGHT
    assert door.shipment(number).code is ScanCode.TAKEN_FROM_POINT


def test_cash_is_paid_at_the_counter_before_it_is_given(door: Door, store: int) -> None:
    number = left(door, store, cod_minor=4_200)
    code = sent_code(door, number)
    with pytest.raises(InvalidInputError):
        fetch(door, number, store, code)
    with pytest.raises(ConflictError):
        fetch(door, number, store, code, Paid(4_100))
    assert fetch(door, number, store, code, Paid(4_200)) is Try.RIGHT
    with door.firm.work() as session:
        order = orders.order_of_shipment(session, door.shipment(number).id)
        assert order is not None
        assert orders.collected_minor(session, order) == 4_200


def test_not_there_is_a_case_within_a_day(door: Door, locker: int) -> None:
    number = left(door, locker)
    assert fetch(door, number, locker, sent_code(door, number)) is Try.RIGHT
    door.firm.logins.clock.forward(hours=3)
    with door.firm.work() as session:
        shipment = handover.parcel(session, number)
        for _ in range(2):
            said = service.dispute(
                session, shipment, DisputeKind.NOT_THERE, body="柜子是空的", phone=None, now=door.firm.now
            )
        case = cases.load_case(session, door.firm.shop.agent, said)
        assert case.shipment_id == shipment.id
    row = deposit_of(door, number)
    assert (row.dispute, row.case_number) == (DisputeKind.NOT_THERE, said)
    door.firm.logins.clock.forward(hours=22)
    with door.firm.work() as session, pytest.raises(ConflictError):
        service.dispute(
            session,
            handover.parcel(session, number),
            DisputeKind.DAMAGED,
            body="x",
            phone=None,
            now=door.firm.now,
        )


def test_a_parcel_that_a_device_takes_away_waits_no_more(door: Door, locker: int) -> None:
    number = left(door, locker)
    door.scan(number, ScanCode.RETURNING, facility_id=locker)
    assert deposit_of(door, number).taken_back_at is not None
    with door.firm.work() as session:
        assert points.waiting(session, handover.parcel(session, number)) is None


def test_too_large_at_booking_and_at_a_redirection(door: Door, locker: int) -> None:
    with pytest.raises(InvalidInputError):
        door.firm.book("chengdu", "wuhan", volume_cm3=90_000, delivery_handover=Handover.LOCKER)
    number = door.parcel(ScanCode.ACCEPTED, volume_cm3=90_000)
    row = door.ask(number, InstructionKind.REDIRECT, queries.BY_LINK, facility_id=locker)
    assert row.refusal is InstructionRefusal.TOO_LARGE
