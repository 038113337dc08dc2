"""Scans go in once, and mean the same in whatever order they come."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from app.accounts.roles import Role
from app.db.outbox import OutboxEvent
from app.errors import ConflictError, ForbiddenError
from app.shipments import continuing, queries, service
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import DeliveryProof, ProofKind, ScanRecord, Shipment, UnmatchedScan
from app.shipments.service import ProofInput, ScanInput
from app.shipments.values import label_number, scan_key
from tests.app.shipments.conftest import Desk
from tracking.shipment import Milestone, ScanCode

STATE = (
    "milestone", "code", "state_since", "state_facility_id", "state_courier_id", "attempts", "terminal",
    "delivered_at", "receipt_confirmed_at", "has_findings",
)  # fmt: skip


def state(shipment: Shipment) -> dict[str, Any]:
    return {name: getattr(shipment, name) for name in STATE}


def key_of(desk: Desk, scan: ScanInput) -> str:
    return scan_key(desk.logins.tenant_id, scan.device_id, scan.client_scan_id)


def findings_of(desk: Desk, shipment: Shipment) -> set[tuple[str, bool]]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return {(row.kind, row.closed_at is None) for row in queries.findings(session, shipment)}


def stories(desk: Desk, rng: random.Random, count: int) -> list[tuple[Shipment, list[ScanInput]]]:
    """Shipments with odd lives: cut short, damaged, returned, corrected, scanned after delivery."""
    found = []
    for number in range(count):
        shipment = desk.book()
        life = desk.life(shipment)
        at = life[-1].occurred_at
        match number % 5:
            case 0:
                life = life[: rng.randrange(1, len(life))]
            case 1:
                life.append(desk.scan(shipment, "arrived", at + timedelta(hours=1), "WUH-HUB"))
            case 2:
                life.insert(5, desk.scan(shipment, "damaged", life[4].occurred_at, "WUH-HUB"))
                life[-1:] = [
                    desk.scan(shipment, "attempt_failed", at, reason="consignee_absent"),
                    desk.scan(shipment, "returning", at + timedelta(hours=2), "HGH-01"),
                    desk.scan(shipment, "returned", at + timedelta(days=3)),
                ]
            case 3:
                wrong = desk.scan(shipment, "delivered", at - timedelta(hours=9))
                key = key_of(desk, wrong)
                life += [wrong, desk.scan(shipment, "voided", at + timedelta(hours=4), corrects=key)]
        found.append((shipment, life))
    return found


def test_shuffled_and_repeated_scans_fold_to_the_same_states(new_desk: Any) -> None:
    desk = new_desk()
    rng = random.Random(7)
    told = stories(desk, rng, 60)
    late = max(scan.occurred_at for _, life in told for scan in life)
    for _, life in told:
        for scan in life:
            assert desk.record(scan, now=late) == ["recorded"]
    expected = {shipment.id: state(desk.again(shipment)) for shipment, _ in told}
    notes = {shipment.id: findings_of(desk, shipment) for shipment, _ in told}

    copies = [desk.book() for _ in told]
    twin = {shipment.waybill_number: copy for (shipment, _), copy in zip(told, copies, strict=True)}

    def of_twin(scan: ScanInput) -> ScanInput:
        def other(one: ScanInput) -> ScanInput:
            return replace(one, number=twin[one.number].waybill_number, device_id="gun-2")

        if scan.corrects is None:
            return other(scan)
        life = next(life for shipment, life in told if shipment.waybill_number == scan.number)
        wrong = next(one for one in life if key_of(desk, one) == scan.corrects)
        return replace(other(scan), corrects=key_of(desk, other(wrong)))

    scans = [of_twin(scan) for _, life in told for scan in life]
    sent = scans + rng.sample(scans, len(scans) // 2)
    rng.shuffle(sent)
    while sent:
        batch = sent[: rng.randrange(1, 80)]
        sent = sent[len(batch) :]
        assert set(desk.record(*batch, now=late)) <= {"recorded", "duplicate"}
    for (shipment, _), copy in zip(told, copies, strict=True):
        assert state(desk.again(copy)) == expected[shipment.id]
        opened = {kind for kind, is_open in findings_of(desk, copy) if is_open}
        assert opened == {kind for kind, is_open in notes[shipment.id] if is_open}
    milestones = {values["milestone"] for values in expected.values()}
    assert {Milestone.DELIVERED, Milestone.RETURNED, Milestone.IN_TRANSIT} <= milestones


def test_a_repeated_scan_is_a_duplicate_and_another_under_its_id_a_conflict(desk: Desk) -> None:
    shipment = desk.book()
    scan = desk.life(shipment, until="collected")[0]
    assert desk.record(scan, scan) == ["recorded", "duplicate"]
    assert desk.record(scan) == ["duplicate"]
    assert desk.record(replace(scan, code="lost")) == ["conflict"]
    assert desk.record(replace(scan, number=desk.book().waybill_number)) == ["conflict"]
    assert desk.again(shipment).milestone == Milestone.ACCEPTED


def test_a_scan_twice_in_a_batch_with_other_content_is_a_conflict(desk: Desk) -> None:
    scan = desk.life(desk.book(), until="collected")[0]
    assert desk.record(scan, replace(scan, code="lost")) == ["recorded", "conflict"]


def test_a_batch_answers_each_scan_in_its_place(desk: Desk) -> None:
    shipment = desk.book()
    good = desk.life(shipment, until="collected")[0]
    bad = desk.scan(shipment, "teleported", good.occurred_at)
    unknown = replace(desk.scan(shipment, "arrived", good.occurred_at, "WUH-HUB"), number="WH000000000000")
    assert desk.record(bad, good, unknown, good) == ["rejected", "recorded", "unmatched", "duplicate"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "voided"}, "names the scan"),
        ({"offset_minutes": 900}, "offset_minutes"),
        ({"facility_id": 2**70}, "no facility"),
        ({"facility_id": 0}, "no facility"),
        ({"courier_id": 2**70}, "no courier"),
        ({"client_scan_id": ""}, "must not be empty"),
        ({"client_scan_id": "x" * 201}, "longer"),
        ({"device_id": "a\0b"}, "NUL"),
        ({"number": " "}, "number"),
        ({"piece_no": 0}, "from 1"),
        ({"piece_no": 2}, "no piece 2"),
        ({"proof": ProofInput(ProofKind.CODE, "李")}, "only a delivery"),
        ({"code": "delivered", "proof": ProofInput(ProofKind.CODE, " ")}, "nobody"),
        (
            {"code": "delivered", "proof": ProofInput(ProofKind.PHOTO, "李", "text/html", b"<script>")},
            "picture",
        ),
        (
            {"code": "delivered", "proof": ProofInput(ProofKind.PHOTO, "李", "image/png", b"x" * 300_001)},
            "larger",
        ),
    ],
)
def test_what_cannot_be_is_rejected_with_its_reason(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    scan = replace(desk.life(desk.book(), until="collected")[0], **changes)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        (result,) = service.record_scans(session, None, [scan], now=scan.occurred_at)
    assert result.status == "rejected"
    assert result.detail is not None
    assert reason in result.detail


def test_a_clock_that_is_days_wrong_is_rejected_and_minutes_are_a_finding(desk: Desk) -> None:
    shipment = desk.book()
    scan = desk.life(shipment, until="collected")[0]
    assert desk.record(scan, now=scan.occurred_at - timedelta(days=3)) == ["rejected"]
    assert desk.record(scan, now=scan.occurred_at - timedelta(minutes=20)) == ["recorded"]
    assert findings_of(desk, shipment) == {("from_the_future", True)}


def test_an_error_declaration_takes_a_delivery_back_and_closes_what_it_caused(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment, until="out_for_delivery")
    desk.record(*life)
    wrong = desk.scan(shipment, "delivered", life[-1].occurred_at - timedelta(hours=5))
    assert desk.record(wrong) == ["recorded"]
    assert desk.again(shipment).milestone == Milestone.DELIVERED
    assert ("out_of_sequence", True) in findings_of(desk, shipment)
    desk.record(desk.scan(shipment, "voided", life[-1].occurred_at, corrects=key_of(desk, wrong)))
    after = desk.again(shipment)
    assert (after.milestone, after.delivered_at, after.terminal) == (Milestone.OUT_FOR_DELIVERY, None, False)
    assert {is_open for _kind, is_open in findings_of(desk, shipment)} == {False}


@pytest.mark.parametrize("device_id", ["booking", "receipt", "cancel"])
def test_a_device_can_not_undo_what_the_service_recorded(desk: Desk, device_id: str) -> None:
    shipment = desk.book()
    own = scan_key(desk.logins.tenant_id, device_id, shipment.waybill_number)
    actor = desk.logins.actor(Role.DISPATCHER)
    at = shipment.booked_at
    assert desk.record(desk.scan(shipment, "voided", at, corrects=own), actor=actor) == ["rejected"]
    assert desk.record(desk.scan(shipment, "held", at, device_id=device_id), actor=actor) == ["rejected"]
    assert desk.record(desk.scan(shipment, "receipt_confirmed", at), actor=actor) == ["rejected"]
    assert desk.again(shipment).milestone == Milestone.BOOKED


def test_a_hub_scans_and_corrects_at_its_own_facility_only(desk: Desk) -> None:
    shipment = desk.book()
    at = shipment.booked_at
    wuhan, hangzhou = desk.world.facilities["WUH-HUB"], desk.world.facilities["HGH-HUB"]
    worker = desk.logins.actor(Role.HUB, wuhan)
    other = desk.logins.actor(Role.HUB, hangzhou)
    first = desk.scan(shipment, "arrived", at)
    assert desk.record(first, actor=worker) == ["recorded"]
    assert desk.again(shipment).state_facility_id == wuhan
    assert desk.record(desk.scan(shipment, "arrived", at, "HGH-HUB"), actor=worker) == ["rejected"]
    correction = desk.scan(shipment, "voided", at, corrects=key_of(desk, first))
    assert desk.record(correction, actor=other) == ["rejected"]
    assert desk.record(correction, actor=worker) == ["recorded"]
    assert desk.again(shipment).milestone == Milestone.BOOKED


def test_who_may_not_scan_is_refused_and_others_tenants_numbers_are_unknown(
    desk: Desk, new_desk: Any
) -> None:
    scan = desk.life(desk.book(), until="collected")[0]
    with pytest.raises(ForbiddenError):
        desk.record(scan, actor=desk.logins.actor(Role.SHIPPER, desk.shipper_id))
    stranger = new_desk()
    assert stranger.record(replace(scan, facility_id=None)) == ["unmatched"]
    assert stranger.record(replace(scan, facility_id=desk.world.facilities["CTU-01"])) == ["rejected"]


def test_unmatched_scans_are_kept_whole_and_recorded_once_the_number_is_booked(new_desk: Any) -> None:
    desk = new_desk()
    shipment = desk.book()
    proof = ProofInput(ProofKind.PHOTO, "李小梅", "image/png", b"\x89PNG")
    scan = desk.scan(shipment, "delivered", shipment.booked_at, proof=proof)
    early = replace(scan, number="WH123")
    assert desk.record(early) == ["unmatched"]
    assert desk.record(early) == ["unmatched"]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        assert service.retry_unmatched(session, now=scan.occurred_at) == 0
        session.execute(sa.update(UnmatchedScan).values(number=shipment.waybill_number))
        assert service.retry_unmatched(session, now=scan.occurred_at) == 1
        assert service.retry_unmatched(session, now=scan.occurred_at) == 0
        assert session.scalars(sa.select(DeliveryProof.content)).all() == [b"\x89PNG"]
    assert desk.again(shipment).milestone == Milestone.DELIVERED


def test_pieces_arrive_one_by_one_and_the_last_one_decides(desk: Desk) -> None:
    shipment = desk.book(pieces=3)
    at = shipment.booked_at + timedelta(hours=1)

    def scan(code: str, piece_no: int, hours: int) -> ScanInput:
        barcode = label_number(shipment.waybill_number, piece_no, 3)
        return replace(desk.scan(shipment, code, at + timedelta(hours=hours)), number=barcode)

    desk.record(scan("collected", 1, 0))
    assert desk.again(shipment).milestone == Milestone.BOOKED
    with desk.database.unit_of_work(desk.logins.tenant_id) as session, pytest.raises(ConflictError):
        service.cancel(session, session.get_one(Shipment, shipment.id), now=at)
    desk.record(scan("collected", 2, 0), scan("collected", 3, 1), desk.scan(shipment, "out_for_delivery", at))
    desk.record(scan("delivered", 2, 5), scan("delivered", 1, 3))
    assert desk.again(shipment).milestone != Milestone.DELIVERED
    desk.record(scan("delivered", 3, 4))
    after = desk.again(shipment)
    assert (after.milestone, after.delivered_at) == (Milestone.DELIVERED, at + timedelta(hours=5))


def test_every_change_of_milestone_is_told_once(desk: Desk) -> None:
    shipment = desk.book()
    desk.record(*desk.life(shipment))
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        events = session.scalars(
            sa.select(OutboxEvent)
            .where(OutboxEvent.payload["shipment_id"].as_integer() == shipment.id)
            .order_by(OutboxEvent.id)
        ).all()
    assert [event.topic for event in events] == ["shipment.booked", "shipment.state_changed"]
    assert events[1].payload["milestone"] == "delivered"


def test_receipt_is_confirmed_once_and_only_after_delivery(desk: Desk) -> None:
    shipment = desk.book()
    now = desk.logins.clock()
    with desk.database.unit_of_work(desk.logins.tenant_id) as session, pytest.raises(ConflictError):
        service.confirm_receipt(session, session.get_one(Shipment, shipment.id), now=now, by="agent")
    life = desk.life(shipment)
    desk.record(*life)
    late = life[-1].occurred_at + timedelta(hours=1)
    for by in ("tracking_page", "agent"):
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            service.confirm_receipt(session, session.get_one(Shipment, shipment.id), now=late, by=by)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        told = session.scalars(
            sa.select(OutboxEvent.payload).where(OutboxEvent.topic == "shipment.receipt_confirmed")
        ).all()
    assert [payload for payload in told if payload["shipment_id"] == shipment.id] == [
        {"shipment_id": shipment.id, "reason": "receipt_confirmed"}
    ]
    assert desk.again(shipment).receipt_confirmed_at == late


def test_a_booking_is_cancelled_until_it_is_collected(desk: Desk) -> None:
    shipment, collected = desk.book(), desk.book()
    desk.record(*desk.life(collected, until="collected"))
    now = desk.logins.clock()
    for _ in range(2):
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            service.cancel(session, session.get_one(Shipment, shipment.id), now=now)
    assert desk.again(shipment).milestone == Milestone.CANCELLED
    with desk.database.unit_of_work(desk.logins.tenant_id) as session, pytest.raises(ConflictError):
        service.cancel(session, session.get_one(Shipment, collected.id), now=now)


def test_the_estimate_follows_the_parcel_and_the_promise_stays(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment, until="out_for_delivery")
    slow = [replace(scan, occurred_at=scan.occurred_at + timedelta(days=2)) for scan in life]
    desk.record(*slow)
    after = desk.again(shipment)
    assert after.promised_to_at == shipment.promised_to_at
    assert after.estimate_p50_at > shipment.estimate_p95_at
    assert after.estimate_p50_at <= after.estimate_p80_at <= after.estimate_p95_at


@pytest.mark.parametrize("many", [continuing.MANY, 20])
def test_senders_that_share_shipments_neither_block_nor_lose(
    new_desk: Any, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuing, "MANY", many)
    desk = new_desk()
    parcels = [desk.book() for _ in range(25)]
    lives = [desk.life(parcel) for parcel in parcels]
    scans = [scan for life in lives for scan in life]
    late = max(scan.occurred_at for scan in scans)

    def send(seed: int) -> None:
        mine = list(scans)
        rng = random.Random(seed)
        rng.shuffle(mine)
        while mine:
            batch, mine = mine[: (size := rng.choice([8, 40, 80]))], mine[size:]
            assert set(desk.record(*batch, now=late)) <= {"recorded", "duplicate"}

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(send, seed) for seed in range(4)]:
            future.result(timeout=120)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(ScanRecord))
        odd = session.scalar(
            sa.select(sa.func.count()).select_from(ShipmentFinding).where(ShipmentFinding.closed_at.is_(None))
        )
    assert count == len(scans) + len(parcels)
    assert odd == 0
    for parcel, life in zip(parcels, lives, strict=True):
        after = desk.again(parcel)
        assert (after.code, after.delivered_at) == (ScanCode.DELIVERED, life[-1].occurred_at)
