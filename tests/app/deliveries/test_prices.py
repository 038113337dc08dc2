"""Who asks for what costs more may accept its price: who pays it, who shares it, and when it is too late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.deliveries import queries, service
from app.deliveries.door_models import CashCollection
from app.deliveries.models import Instruction, PriceBearer
from app.errors import ConflictError, ForbiddenError
from app.ledger import queries as ledger
from app.network import service as network
from app.orders import queries as order_queries
from app.orders import service as orders
from app.orders.models import Order, OrderStatus, PaymentChannel
from routing.network import FacilityKind
from tests.app.deliveries.conftest import Door
from tests.app.deliveries.test_instructions import far_outlet
from tests.support.pages import visit
from tracking.instructions import InstructionKind, InstructionRefusal, Standing
from tracking.shipment import Milestone, ScanCode

EXTRA = 1200
"""What the farther band of the tariff costs more, in minor units."""
ELSEWHERE = {"district_adcode": "420102", "address": "中山大道 818 号"}


def asked(door: Door, number: str, *, by_shipper: bool = False, **where: object) -> Instruction:
    """A dearer redirection that waits for an answer."""
    far = far_outlet(door)
    who = queries.asking(door.shipper) if by_shipper else None
    row = door.ask(number, InstructionKind.REDIRECT, who, **(where or {"facility_id": far}))
    assert (row.standing, row.price_difference_minor) == (Standing.ASKED, EXTRA)
    return row


def accept(door: Door, row: Instruction, *, by_shipper: bool = False) -> Instruction:
    with door.firm.work() as session:
        found = session.get_one(Instruction, row.id)
        who = queries.asking(door.shipper) if by_shipper else queries.BY_LINK
        service.accept_price(session, found, who, now=door.firm.now)
    return door.row(row.id)


def order_of(door: Door, number: str) -> Order:
    with door.firm.work() as session:
        order = order_queries.order_of_shipment(session, door.shipment(number).id)
        assert order is not None
        session.refresh(order, ["surcharges", "charges", "shares"])
        return order


def booked(door: Door, number: str) -> dict[str, int]:
    """What the entries of an order come to, by purpose; the whole ledger balances."""
    sums: dict[str, int] = {}
    with door.firm.work() as session:
        health = ledger.health(session)
        assert (health.unbalanced_entries, health.wrong_balances) == (0, 0)
        order = session.get_one(Order, order_of(door, number).id)
        for entry in order_queries.entries_of(session, order):
            for line in entry.lines:
                key = line.account.purpose.value
                sums[key] = sums.get(key, 0) + line.amount_minor
    return {purpose: minor for purpose, minor in sums.items() if minor}


def held_by_party(door: Door, number: str) -> dict[int, int]:
    sums: dict[int, int] = {}
    with door.firm.work() as session:
        order = session.get_one(Order, order_of(door, number).id)
        for entry in order_queries.entries_of(session, order):
            for line in entry.lines:
                if line.account.purpose.value == "held" and line.account.party_id is not None:
                    party_id = line.account.party_id
                    sums[party_id] = sums.get(party_id, 0) - line.amount_minor
    return {party_id: minor for party_id, minor in sums.items() if minor}


def shares(order: Order) -> dict[int, int]:
    sums: dict[int, int] = {}
    for share in order.shares:
        sums[share.party_id] = sums.get(share.party_id, 0) + share.amount_minor
    return {party_id: minor for party_id, minor in sums.items() if minor}


def kinds(door: Door, number: str) -> list[str]:
    with door.firm.work() as session:
        return [
            entry.kind
            for entry in order_queries.entries_of(session, session.get_one(Order, order_of(door, number).id))
        ]


def test_a_prepaid_shipper_is_charged_at_once_and_the_rise_is_shared(door: Door) -> None:
    number = door.parcel()
    before = order_of(door, number)
    row = accept(door, asked(door, number, by_shipper=True), by_shipper=True)
    assert (row.standing, row.price_borne_by) == (Standing.CARRIED_OUT, PriceBearer.SHIPPER)
    assert door.shipment(number).destination_facility_id == door.firm.facilities["WUH-02"]
    order = order_of(door, number)
    assert order.total_minor == order.paid_minor == before.total_minor + EXTRA
    assert order.paid_at is not None
    assert sum(charge.amount_minor for charge in order.charges) == order.total_minor
    assert sum(shares(order).values()) == order.total_minor
    assert held_by_party(door, number) == shares(order), "what is posted is what is shared"
    assert booked(door, number) == {"channel_clearing": order.total_minor, "held": -order.total_minor}
    assert kinds(door, number)[2:] == ["surcharged", "paid"]
    with door.firm.work() as session:
        found = session.get_one(Order, order.id)
        evidence = {(one.kind, one.ref) for one in order_queries.entries_of(session, found)[2].evidence}
    assert ("instruction", str(row.id)) in evidence
    assert ("order", order.number) in evidence
    assert ("shipment", number) in evidence


def test_a_monthly_account_owes_it_with_the_order_or_after(door: Door) -> None:
    unpaid, paid = (door.parcel(channel=PaymentChannel.MONTHLY_ACCOUNT) for _ in range(2))
    pay(door, [paid])
    for number in (unpaid, paid):
        accept(door, asked(door, number, by_shipper=True), by_shipper=True)
        order = order_of(door, number)
        assert order.paid_at is None
        assert booked(door, number)["customer_receivable"] == order.total_minor - order.paid_minor
    assert order_of(door, paid).paid_minor == order_of(door, paid).total_minor - EXTRA
    pay(door, [unpaid, paid])
    for number in (unpaid, paid):
        order = order_of(door, number)
        assert (order.paid_minor, order.paid_at is None) == (order.total_minor, False)
        assert booked(door, number) == {"channel_clearing": order.total_minor, "held": -order.total_minor}
        assert all(one.paid_at for one in order.surcharges)


def pay(door: Door, numbers: Iterable[str]) -> None:
    with door.firm.work() as session:
        for number in numbers:
            found = order_queries.load_order(session, door.firm.shop.finance, order_of(door, number).number)
            orders.pay(session, door.firm.shop.finance, found, now=door.firm.now)


def test_a_consignee_pays_it_at_the_door_beside_the_shippers_cash(door: Door) -> None:
    number = door.parcel(cod_minor=50_00)
    row = accept(door, asked(door, number, **ELSEWHERE))
    assert (row.standing, row.price_borne_by) == (Standing.CARRIED_OUT, PriceBearer.CONSIGNEE)
    shipment, order = door.shipment(number), order_of(door, number)
    assert (shipment.door_charge_minor, shipment.due_at_door_minor) == (EXTRA, 50_00 + EXTRA)
    assert (order.paid_at, order.total_minor - order.paid_minor) == (None, EXTRA)
    with pytest.raises(ConflictError, match="at the door"):
        pay(door, [number])
    door.carry(number)
    door.scan(number, ScanCode.OUT_FOR_DELIVERY, courier_id=door.firm.couriers["WUH-01"])
    body = {
        "number": number,
        "received_by": "李小梅",
        "device_id": "phone-7",
        "courier_id": door.firm.couriers["WUH-01"],
    }
    short = hand_over(door, body | {"paid": {"amount_minor": 50_00}, "client_id": f"{number}-1"})
    assert short == "not_paid"
    door.scan(number, ScanCode.OUT_FOR_DELIVERY, courier_id=door.firm.couriers["WUH-01"])
    full = {"paid": {"amount_minor": 50_00 + EXTRA}, "client_id": f"{number}-2"}
    assert hand_over(door, body | full) == "handed_over"
    door.firm.relay()
    order = order_of(door, number)
    assert (order.paid_minor, order.paid_at is None) == (order.total_minor, False)
    sums = booked(door, number)
    assert (sums["cod_owed"], sums["cod_payable"]) == (50_00 + EXTRA, -50_00)
    assert "customer_receivable" not in sums
    # The delivery was an error: both are owed again.
    with door.firm.work() as session:
        collected = session.scalars(
            sa.select(CashCollection).where(CashCollection.shipment_id == door.shipment(number).id)
        ).one()
        assert (collected.amount_minor, collected.charge_minor) == (50_00 + EXTRA, EXTRA)
    door.scan(number, ScanCode.VOIDED, corrects=collected.scan_key)
    order = order_of(door, number)
    assert (order.paid_at, order.total_minor - order.paid_minor) == (None, EXTRA)
    sums = booked(door, number)
    assert sums["customer_receivable"] == EXTRA
    assert "cod_owed" not in sums
    assert "cod_payable" not in sums


def hand_over(door: Door, body: dict[str, Any]) -> str:
    moment = door.firm.logins.clock.forward(minutes=1).isoformat()
    agent = door.firm.logins.api(Role.DISPATCHER)
    answer = agent.post("/api/v1/hand-overs", json=body | {"occurred_at": moment})
    assert answer.status_code < 300, answer.text
    outcome: str = answer.json["outcome"]
    return outcome


@pytest.mark.parametrize("by_shipper", [True, False])
def test_a_booking_that_is_taken_back_takes_the_rise_back(door: Door, by_shipper: bool) -> None:
    number = door.parcel(None)
    accept(door, asked(door, number, by_shipper=by_shipper), by_shipper=by_shipper)
    with door.firm.work() as session:
        found = order_queries.load_order(session, door.firm.shop.agent, order_of(door, number).number)
        orders.cancel(session, door.firm.shop.agent, found, reason="not needed", now=door.firm.now)
    assert booked(door, number) == {}


def test_what_is_out_or_settled_can_no_longer_be_accepted(door: Door) -> None:
    out, settled = door.parcel(ScanCode.DEPARTED), door.parcel()
    late, closed = asked(door, out, by_shipper=True), asked(door, settled, by_shipper=True)
    before = [order_of(door, number).total_minor for number in (out, settled)]
    door.carry(out)
    door.scan(out, ScanCode.OUT_FOR_DELIVERY, courier_id=door.firm.couriers["WUH-01"])
    with door.firm.work() as session:
        orders.release_for_shipments(
            session, {door.shipment(settled).id: "receipt_confirmed"}, now=door.firm.now
        )
    assert order_of(door, settled).status is OrderStatus.RELEASED
    row = accept(door, late, by_shipper=True)
    assert (row.standing, row.refusal) == (Standing.REFUSED, InstructionRefusal.OUT_FOR_DELIVERY)
    row = accept(door, closed, by_shipper=True)
    assert (row.standing, row.refusal) == (Standing.REFUSED, InstructionRefusal.PRICE_SETTLED)
    assert [order_of(door, number).total_minor for number in (out, settled)] == before
    assert door.shipment(settled).destination_facility_id == door.firm.facilities["WUH-01"]
    with pytest.raises(ConflictError):
        accept(door, closed, by_shipper=True)


def test_only_who_asked_accepts_and_no_locker_takes_the_cash(door: Door) -> None:
    number = door.parcel()
    row = asked(door, number, by_shipper=True)
    with pytest.raises(ForbiddenError):
        accept(door, row)
    with door.firm.work() as session:
        locker = network.create_facility(
            session,
            code="WUH-L9",
            name="快递柜",
            name_en="Locker",
            kind=FacilityKind.LOCKER,
            operator="own",
            party_id=door.firm.shop.world.parties["WUH-01"],
            parent_id=door.firm.facilities["WUH-02"],
            district_adcode="420102",
            latitude=30.6,
            longitude=114.3,
            sort_s=0,
            now=door.firm.now,
        )
        network.set_compartment(
            session,
            door.firm.dispatcher,
            locker,
            code="A1",
            size=(600, 600, 600),
            now=door.firm.now,
        )
        session.flush()
        locker_id = locker.id
    other = door.parcel()
    by_link = asked(door, other, facility_id=locker_id)
    with pytest.raises(ConflictError, match="locker takes no cash"):
        accept(door, by_link)
    assert door.row(by_link.id).standing is Standing.ASKED


def test_what_nobody_answered_ends_with_the_parcels_way(door: Door) -> None:
    number = door.parcel()
    row = asked(door, number)
    door.carry(number)
    assert door.row(row.id).standing is Standing.ASKED, "it is still on its way"
    courier_id = door.firm.couriers["WUH-01"]
    door.scan(number, ScanCode.OUT_FOR_DELIVERY, courier_id=courier_id)
    door.scan(number, ScanCode.DELIVERED, courier_id=courier_id)
    ended = door.row(row.id)
    assert (ended.standing, ended.refusal) == (Standing.REFUSED, InstructionRefusal.ENDED)
    with pytest.raises(ConflictError):
        accept(door, row)
    assert order_of(door, number).surcharges == []


def test_by_api_for_the_shipper_and_over_the_link(door: Door) -> None:
    number, other = door.parcel(), door.parcel()
    row, by_link = asked(door, number, by_shipper=True), asked(door, other, **ELSEWHERE)
    shipper = door.firm.logins.api(Role.SHIPPER, door.firm.shipper_id)
    stranger = door.firm.logins.api(Role.SHIPPER, door.firm.other_shipper_id)
    assert stranger.post(f"/api/v1/instructions/{row.id}/accept-price").status_code == 404
    answer = shipper.post(f"/api/v1/instructions/{row.id}/accept-price")
    assert (answer.json["standing"], answer.json["price_borne_by"]) == ("carried_out", "shipper"), answer.text
    client = door.firm.logins.app.test_client()
    wrong = client.post(
        f"/api/v1/links/{door.firm.link(number).removeprefix('/t/')}/instructions/{by_link.id}/accept-price"
    )
    assert wrong.status_code == 404
    path = f"/api/v1/links/{door.firm.link(other).removeprefix('/t/')}/instructions/{by_link.id}/accept-price"
    answer = client.post(path)
    assert (answer.json["standing"], answer.json["price_borne_by"]) == ("carried_out", "consignee"), (
        answer.text
    )
    assert client.post(path).status_code == 409


def test_by_page_for_the_shipper_and_over_the_link(door: Door) -> None:
    number, other = door.parcel(), door.parcel()
    row, by_link = asked(door, number, by_shipper=True), asked(door, other, **ELSEWHERE)
    browser = door.firm.logins.browser(Role.SHIPPER, door.firm.shipper_id)
    page = visit(browser, f"/shipments/{number}/instructions?lang=en")
    assert "It costs 12.00 CNY more. That is charged to you as the order is." in page.text
    after = page.submit("/accept-price")
    assert "charged to the sender" in after.text
    assert door.row(row.id).standing is Standing.CARRIED_OUT
    order = visit(browser, f"/orders/{order_of(door, number).number}?lang=en")
    assert "Redirection" in order.text
    client = door.firm.logins.app.test_client()
    page = visit(client, f"{door.firm.link(other)}/delivery?lang=en")
    assert "You pay that at the door" in page.text
    after = page.submit("/accept-price")
    assert "paid at the door" in after.text
    assert "12.00 CNY is due; in cash, by card or by QR code." in after.text
    assert door.row(by_link.id).price_borne_by is PriceBearer.CONSIGNEE
    assert door.shipment(other).milestone is not Milestone.DELIVERED
