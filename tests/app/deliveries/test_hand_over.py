"""At the door: to whom, against what, how it is proved; and what of it becomes money."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.actor import Actor
from app.deliveries import cash, handover, queries, service
from app.deliveries.door_models import CashCollection, Means, ProxyReceipt, Relation
from app.deliveries.door_values import Evidence, HandOver, Outcome, Paid
from app.deliveries.models import ConsentChannel, ConsentSource
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.dispatch.models import StopKind, StopRequest
from app.errors import ConflictError, InvalidInputError
from app.ledger import queries as ledger
from app.orders import queries as orders
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import DeliveryProof, ProofKind
from settlement.ledger import AccountKey, Purpose
from tests.app.deliveries.conftest import Door
from tests.support.pages import visit
from tracking.finding import FindingKind
from tracking.instructions import InstructionKind
from tracking.shipment import Milestone, ScanCode

DUE = 12_800
PICTURE = b"\x89PNG\r\n\x1a\n and the rest"


def courier(door: Door) -> Actor:
    return door.firm.logins.actor(Role.COURIER, door.firm.couriers["WUH-01"])


def give(door: Door, number: str, *, client_id: str = "tap-1", **changes: object) -> handover.Done:
    values: dict[str, object] = {
        "received_by": "王建国",
        "occurred_at": door.firm.now,
        "offset_minutes": 480,
        "device_id": "phone-9",
        "client_id": f"{number}-{client_id}",
    }
    with door.firm.work() as session:
        shipment = handover.parcel(session, number)
        done = service.hand_over(
            session,
            courier(door),
            shipment,
            HandOver(**values | changes),
            now=door.firm.now,  # type: ignore[arg-type]
        )
    door.firm.relay()
    return done


def balance(door: Door, purpose: Purpose, party_id: int) -> int:
    with door.firm.work() as session:
        return ledger.balance(session, AccountKey(door.firm.tenant_id, party_id, purpose, "CNY"))


def owed_by_courier(door: Door) -> int:
    return balance(door, Purpose.COD_OWED, door.firm.courier_parties["WUH-01"])


def findings(door: Door, number: str) -> set[FindingKind]:
    with door.firm.work() as session:
        rows = session.scalars(
            sa.select(ShipmentFinding.kind).where(
                ShipmentFinding.shipment_id == door.shipment(number).id, ShipmentFinding.closed_at.is_(None)
            )
        )
        return set(rows)


def test_cash_at_the_door_is_owed_by_the_courier_to_the_shipper(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    before = owed_by_courier(door)
    for _tap in range(2):  # told again by the same phone it is one fact
        done = give(door, number, paid=Paid(DUE, Means.QR))
        assert (done.outcome, done.milestone) == (Outcome.HANDED_OVER, Milestone.DELIVERED)
    assert owed_by_courier(door) - before == DUE
    with door.firm.work() as session:
        order = orders.order_of_shipment(session, door.shipment(number).id)
        assert order is not None
        entries = [entry for entry in orders.entries_of(session, order) if entry.kind == "cod_collected"]
        (entry,) = entries
        assert {item.kind for item in entry.evidence} == {"order", "shipment", "scan"}
        assert sum(line.amount_minor for line in entry.lines) == 0
        assert session.scalars(sa.select(CashCollection.means)).one() is Means.QR
    assert FindingKind.CASH_MISSING not in findings(door, number)


@pytest.mark.parametrize("amount_minor", [0, DUE - 1])
def test_what_is_not_paid_is_not_handed_over(door: Door, amount_minor: int) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    before = owed_by_courier(door)
    done = give(door, number, paid=Paid(amount_minor))
    assert (done.outcome, done.milestone) == (Outcome.NOT_PAID, Milestone.ATTEMPT_FAILED)
    assert owed_by_courier(door) == before
    assert ScanCode.DELIVERED not in door.codes(number)
    paid = give(door, number, paid=Paid(DUE))
    assert paid.outcome is Outcome.HANDED_OVER, "he came back with the money"
    assert owed_by_courier(door) - before == DUE


@pytest.mark.parametrize("paid", [None, Paid(DUE + 1)])
def test_the_amount_is_said_and_not_too_much(door: Door, paid: Paid | None) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    with pytest.raises(InvalidInputError):
        give(door, number, paid=paid)
    assert door.shipment(number).milestone is Milestone.OUT_FOR_DELIVERY


def test_a_voided_delivery_takes_the_money_back_once(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    before = owed_by_courier(door)
    done = give(door, number, paid=Paid(DUE))
    door.scan(number, ScanCode.VOIDED, corrects=done.scan_key)
    assert door.shipment(number).milestone is Milestone.OUT_FOR_DELIVERY
    assert owed_by_courier(door) == before
    with door.firm.work() as session:
        assert service.reverse_voided(session, now=door.firm.now) == 0
    door.firm.logins.clock.forward(minutes=30)
    again = give(door, number, client_id="tap-2", paid=Paid(DUE))
    assert again.outcome is Outcome.HANDED_OVER
    assert owed_by_courier(door) - before == DUE


def test_a_correction_that_changes_no_state_is_found_by_the_clock(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    before = owed_by_courier(door)
    done = give(door, number, paid=Paid(DUE))
    door.scan(number, ScanCode.DELIVERED)
    door.scan(number, ScanCode.VOIDED, corrects=done.scan_key)
    with door.firm.logins.database.unit_of_work(None) as session:
        cash.reverse_voided_everywhere(session, door.firm.now)
    door.firm.relay()
    assert owed_by_courier(door) == before


def test_a_bare_scan_of_a_parcel_with_cash_due_is_a_finding(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    door.scan(number, ScanCode.DELIVERED, courier_id=door.firm.couriers["WUH-01"])
    assert FindingKind.CASH_MISSING in findings(door, number)


def consents(door: Door, number: str, channel: ConsentChannel, granted: bool) -> None:
    with door.firm.work() as session:
        service.record_consent(
            session,
            handover.parcel(session, number),
            channel,
            granted=granted,
            source=ConsentSource.TRACKING_LINK,
            now=door.firm.now,
        )


def test_nobody_signs_for_another_without_his_word(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    consents(door, number, ConsentChannel.PROXY, False)
    with pytest.raises(ConflictError):
        give(door, number, received_by="门卫老李", relation=Relation.RECEPTION)
    consents(door, number, ConsentChannel.PROXY, True)
    done = give(door, number, received_by="门卫老李", relation=Relation.RECEPTION)
    assert done.outcome is Outcome.HANDED_OVER
    assert door.shipment(number).code is ScanCode.DELIVERED_TO_PROXY
    with door.firm.work() as session:
        receipt = session.scalars(sa.select(ProxyReceipt).where(ProxyReceipt.scan_key == done.scan_key)).one()
        assert (receipt.name, receipt.relation) == ("门卫老李", Relation.RECEPTION)
        assert receipt.consent_id
    consents(door, number, ConsentChannel.PROXY, False)


def test_a_bare_scan_of_a_proxy_without_consent_is_a_finding(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    consents(door, number, ConsentChannel.PROXY, False)
    door.scan(number, ScanCode.DELIVERED_TO_PROXY)
    assert FindingKind.WITHOUT_CONSENT in findings(door, number)


@pytest.mark.parametrize("kind", [ProofKind.SIGNATURE, ProofKind.PHOTO])
def test_a_picture_is_kept_with_the_scan(door: Door, kind: ProofKind) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    done = give(door, number, evidence=Evidence(kind, PICTURE))
    with door.firm.work() as session:
        proof = session.scalars(sa.select(DeliveryProof).where(DeliveryProof.scan_key == done.scan_key)).one()
        assert (proof.kind, proof.content_type, proof.content) == (kind, "image/png", PICTURE)


@pytest.mark.parametrize("content", [b"", b"not a picture", PICTURE + b"x" * 300_000])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInputError):
        Evidence(ProofKind.PHOTO, content)


def test_only_the_consignees_own_code_proves_and_few_tries_are_had(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    with door.firm.work() as session:
        right = handover.door_code(session, handover.parcel(session, number))
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(2):
        assert (
            give(door, number, evidence=Evidence(ProofKind.CODE, wrong.encode())).outcome
            is Outcome.WRONG_CODE
        )
    assert door.shipment(number).milestone is Milestone.OUT_FOR_DELIVERY
    assert (
        give(door, number, evidence=Evidence(ProofKind.CODE, right.encode())).outcome is Outcome.HANDED_OVER
    )
    other = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    for _ in range(5):
        give(door, other, evidence=Evidence(ProofKind.CODE, b"xxxxxx"))
    with door.firm.work() as session:
        right = handover.door_code(session, handover.parcel(session, other))
    locked = give(door, other, evidence=Evidence(ProofKind.CODE, right.encode()))
    assert locked.outcome is Outcome.CODE_LOCKED


def test_what_the_sender_has_stopped_is_not_handed_over(door: Door) -> None:
    number = door.at_door_in_vain()
    door.ask(number, InstructionKind.INTERCEPT, queries.asking(door.shipper))
    with pytest.raises(ConflictError):
        give(door, number)
    assert door.shipment(number).code is ScanCode.INTERCEPTED


def test_by_api_as_a_courier_and_seen_by_the_shipper_on_the_orders_page(door: Door) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY, cod_minor=DUE)
    phone = door.firm.logins.api(Role.COURIER, door.firm.couriers["WUH-01"])
    body = {
        "number": number,
        "received_by": "王建国",
        "occurred_at": door.firm.now.isoformat(),
        "device_id": "phone-2",
        "client_id": f"{number}-1",
        "proof": {"kind": "photo", "content_base64": base64.b64encode(PICTURE).decode()},
    }
    assert phone.post("/api/v1/hand-overs", json=body).status_code == 422, "nothing is said of the cash"
    less = phone.post("/api/v1/hand-overs", json=body | {"paid": {"amount_minor": 1}})
    assert (less.status_code, less.json["outcome"]) == (200, "not_paid")
    paid = phone.post("/api/v1/hand-overs", json=body | {"paid": {"amount_minor": DUE, "means": "card"}})
    assert (paid.json["outcome"], paid.json["milestone"]) == ("handed_over", "delivered"), paid.text
    door.firm.relay()
    shipper = door.firm.logins.browser(Role.SHIPPER, door.firm.shipper_id)
    page = visit(shipper, f"/orders/O{number}?lang=en")
    assert "128.00 CNY of 128.00 CNY collected" in page.text


def test_on_the_phones_page_the_amount_is_typed(door: Door) -> None:
    number = door.at_door_in_vain(cod_minor=DUE)
    with door.firm.work() as session:
        stop = session.scalars(
            sa.select(StopRequest).where(
                StopRequest.shipment_id == door.shipment(number).id, StopRequest.kind == StopKind.DELIVERY
            )
        ).one()
        day, outlet = stop.day, stop.facility_id
        plan = dispatch.request_plan(
            session, door.firm.dispatcher, facility_id=outlet, day=day, seconds=1, now=door.firm.now
        )
        plan_id = plan.id
    while dispatch_jobs.solve_next(door.firm.logins.database, door.firm.logins.clock):
        pass
    with door.firm.work() as session:
        found = dispatch_queries.load_plan(session, door.firm.dispatcher, plan_id)
        dispatch.publish(session, door.firm.dispatcher, found, now=door.firm.now)
    clock = door.firm.logins.clock
    clock.moment = clock.moment.replace(year=day.year, month=day.month, day=day.day, hour=2)
    door.scan(number, ScanCode.OUT_FOR_DELIVERY, courier_id=door.firm.couriers["WUH-01"])
    browser = door.firm.logins.browser(Role.COURIER, door.firm.couriers["WUH-01"])
    run = visit(browser, "/run?lang=en")
    action = next(
        form.action
        for form in run.document.forms
        if "/hand-over" in (form.action or "") and f"/{stop.id}/" in form.action
    )
    refused = run.submit(action, paid="a lot", received_by="王建国", expect=422)
    assert "128.00 is due" in refused.text
    short = run.submit(action, paid="100", received_by="王建国")
    assert "keep the parcel" in short.text
    assert door.shipment(number).milestone is Milestone.ATTEMPT_FAILED
