"""What makes the ingest fast and is not seen: numbers kept in the process, months apart, late estimates."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import outbox
from app.db.outbox import OutboxEvent
from app.shipments import continuing, estimates, jobs, scan_store, waybills
from app.shipments import service as shipments
from app.shipments.finding_models import ShipmentFinding
from app.shipments.findings import FOLD
from app.shipments.folding import state_of_scans
from app.shipments.models import EstimateRequest, Shipment
from app.shipments.scan_values import ScanInput
from tests.app.shipments.conftest import Desk
from tests.app.shipments.test_scanning import key_of
from tracking.position import seen_at
from tracking.shipment import ScanCode
from tracking.trail import trail_of

HOUR = timedelta(hours=1)


def partitions_of(desk: Desk, shipment: Shipment) -> set[str]:
    with desk.database.unit_of_work(None) as session:
        found = sa.text("SELECT tableoid::regclass::text FROM scan WHERE shipment_id = :id")
        return set(session.scalars(found, {"id": shipment.id}))


def test_a_number_is_asked_for_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shipment = desk.book()
    asked: list[str] = []
    plain = waybills.execute_plain

    def noted(session: Session, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        asked.append(parameters[1])
        return plain(session, statement, parameters)

    monkeypatch.setattr(waybills, "execute_plain", noted)
    for _time in range(3):
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            found = waybills.known(session, [shipment.waybill_number, "WH000000000000"])
        assert found == {shipment.waybill_number: (shipment.id, 1, date(2026, 3, 1))}
    assert [shipment.waybill_number in numbers for numbers in asked] == [True, False, False]
    assert all("WH000000000000" in numbers for numbers in asked), "it may be booked at any time"


def test_a_booking_that_is_rolled_back_leaves_no_ghost(desk: Desk) -> None:
    now = desk.logins.clock()
    with pytest.raises(ZeroDivisionError), desk.database.unit_of_work(desk.logins.tenant_id) as session:
        request = desk.request()
        shipment = shipments.book(
            session,
            request,
            shipments.plan(session, request, now=now),
            customer_id=desk.shipper_id,
            consignee_customer_id=desk.consignee_id,
            now=now,
        )
        assert waybills.known(session, [shipment.waybill_number])
        raise ZeroDivisionError
    assert desk.record(desk.scan(shipment, "collected", now)) == ["unmatched"]


def test_the_least_known_are_forgotten_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waybills, "KEPT_MAX", 3)
    numbers = [desk.book().waybill_number for _parcel in range(5)]
    for number in [*numbers, numbers[0]]:
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            assert waybills.known(session, [number]).keys() == {number}


def test_scans_lie_in_the_month_of_the_booking(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    clock = desk.logins.clock
    start = clock.moment
    try:
        clock.moment = start.replace(month=2, day=28, hour=23)
        shipment = desk.book()
        clock.moment = start
        first = desk.scan(shipment, "collected", start)
        assert desk.record(first) == ["recorded"]
        assert partitions_of(desk, shipment) == {"scan_2026_02"}
        # The same device's same scan with another time meets its first one there.
        later = desk.scan(shipment, "collected", start + HOUR, client_scan_id=first.client_scan_id)
        assert desk.record(later, first) == ["conflict", "duplicate"]
        clock.moment = start.replace(year=2031)
        beyond = desk.book()
        assert partitions_of(desk, beyond) == {"scan_other"}
        assert desk.record(desk.scan(beyond, "collected", clock.moment)) == ["recorded"]
        assert desk.again(beyond).milestone == "accepted"
    finally:
        clock.moment = start


def test_partitions_are_made_ahead_once(desk: Desk, settings: Settings) -> None:
    now = desk.logins.clock().replace(year=2028, month=11)
    with desk.database.unit_of_work(None) as session:
        assert jobs.make_partitions(session, settings, now) == 4
        assert jobs.make_partitions(session, settings, now) == 0
        assert session.scalar(sa.text("SELECT to_regclass('scan_2029_02')")) is not None
        changed = sa.text("UPDATE scan_2028_11 SET reason = 'x'")
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), session.begin_nested():
            session.execute(changed)


def test_a_batch_leaves_its_estimates_to_the_worker(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    clock = desk.logins.clock
    parcels = [desk.book() for _parcel in range(estimates.AT_ONCE_MAX + 1)]
    lives = [desk.life(parcel, until="accepted") for parcel in parcels]
    late = [scan for life in lives for scan in life]
    now = max(scan.occurred_at for scan in late) + 40 * HOUR  # nothing has gone on since
    desk.record(*late, now=now)
    before = {parcel.id: parcel.estimate_p50_at for parcel in parcels}
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        (request,) = session.scalars(sa.select(EstimateRequest)).all()
        assert sorted(request.shipment_ids) == sorted(before)
    assert all(desk.again(parcel).estimate_p50_at == before[parcel.id] for parcel in parcels)
    assert estimates.renew_waiting(desk.database, lambda: now)
    assert all(desk.again(parcel).estimate_p50_at > before[parcel.id] for parcel in parcels)
    assert not estimates.renew_waiting(desk.database, clock)


def test_a_scan_that_comes_late_is_folded_where_it_belongs(desk: Desk) -> None:
    """Continued for what comes in order, folded anew for what does not: the same end, and ready to go on."""
    shipment = desk.book()
    life = desk.life(shipment)
    assert desk.record(*life[:6]) == ["recorded"] * 6
    assert desk.record(life[8]) == ["recorded"]
    assert desk.record(*life[6:8]) == ["recorded"] * 2
    stands = desk.again(shipment)
    assert stands.state_since == life[8].occurred_at
    assert desk.record(*life[9:]) == ["recorded"] * len(life[9:])
    assert desk.again(shipment).milestone == "delivered"
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        assert len(scan_store.scans_by_shipment(session, [shipment])[shipment.id]) == 1 + len(life)


@pytest.mark.parametrize("many", [continuing.MANY, 4])
@pytest.mark.parametrize("seed", range(4))
def test_continued_or_anew_the_state_is_that_of_all_scans(
    new_desk: Callable[[], Desk], seed: int, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is heard, however it is cut into batches, late, early, doubled, of pieces, corrected."""
    monkeypatch.setattr(continuing, "MANY", many)
    random, desk = Random(seed), new_desk()
    parcels = [desk.book(pieces=random.choice([1, 1, 1, 2])) for _parcel in range(30)]
    start = desk.logins.clock()
    codes = [code.value for code in ScanCode if code is not ScanCode.VOIDED]
    waiting: list[ScanInput] = []
    for parcel in parcels:
        for _scan in range(random.randrange(12)):
            at = start + timedelta(minutes=random.randrange(0, 600, 5))  # some of one moment
            scan = desk.scan(parcel, random.choice(codes), at, random.choice([None, "CTU-01", "HGH-01"]))
            if parcel.pieces > 1 and random.random() < 0.5:
                scan = replace(scan, piece_no=random.randint(1, parcel.pieces))
            waiting += [scan] * random.choice([1, 1, 2])
            if random.random() < 0.1:
                at += timedelta(minutes=random.randrange(600))
                waiting.append(desk.scan(parcel, "voided", at, corrects=key_of(desk, scan)))
    waiting.sort(key=lambda scan: scan.occurred_at + timedelta(minutes=random.choice([0, 0, 0, 0, 300])))
    while waiting:
        batch, waiting = waiting[: (size := random.choice([1, 5, 80]))], waiting[size:]
        heard_at = start + timedelta(minutes=random.randrange(300, 900))  # some of it lies in the future
        assert "rejected" not in desk.record(*batch, now=heard_at)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        stored = scan_store.scans_by_shipment(session, parcels)
        open_findings = sa.select(ShipmentFinding.shipment_id, ShipmentFinding.finding_key).where(
            ShipmentFinding.closed_at.is_(None), ShipmentFinding.finding_key.startswith(f"{FOLD}:")
        )
        found = {tuple(row) for row in session.execute(open_findings)}
        for parcel in parcels:
            row, (state, counting) = desk.again(parcel), state_of_scans(stored[parcel.id], parcel.pieces)
            assert (row.milestone, row.code, row.state_since) == (state.milestone, state.code, state.since)
            assert (row.state_facility_id, row.state_courier_id) == (state.facility_id, state.courier_id)
            assert (row.state_scan_key, row.seen_facility_id) == (state.decided_by, seen_at(counting))
            assert (row.attempts, row.terminal) == (state.attempts, state.terminal)
            assert (row.delivered_at, row.receipt_confirmed_at) == (state.delivered_at, state.confirmed_at)
            wanted = {f"{FOLD}:{finding.key}" for finding in state.findings}
            assert {key for shipment_id, key in found if shipment_id == parcel.id} == wanted
            assert row.has_findings == bool(wanted)


def test_a_large_batch_goes_on_from_what_others_have_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks its shipments up unlocked, and meets one that another sender is just writing."""
    monkeypatch.setattr(continuing, "MANY", 2)
    parcels = [desk.book(), desk.book(), desk.book()]
    first, second, third = (desk.life(parcel) for parcel in parcels)
    desk.record(first[0], second[0], third[0])
    now = max(scan.occurred_at for scan in first)
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
    with ThreadPoolExecutor(1) as pool:
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            shipments.record_scans(session, None, [second[1], second[2]], now=now)
            batch = pool.submit(desk.record, first[1], second[3], third[2], now=now)
            with desk.database.unit_of_work(None) as onlooker:
                give_up = time.monotonic() + 20
                while not onlooker.scalar(waits):
                    assert time.monotonic() < give_up, "it does not wait for the row"
                    onlooker.rollback()
                    time.sleep(0.01)
        assert batch.result(timeout=20) == ["recorded"] * 3
    assert [desk.again(parcel).code for parcel in parcels] == [first[1].code, second[3].code, third[2].code]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        stored = scan_store.scans_by_shipment(session, parcels)
    for parcel in parcels:
        state, _counting = state_of_scans(stored[parcel.id], 1)
        row = desk.again(parcel)
        assert (row.state_since, row.state_scan_key) == (state.since, state.decided_by)
        assert row.trail == trail_of(stored[parcel.id])


def test_many_events_in_one_statement(desk: Desk) -> None:
    now = desk.logins.clock()
    payloads = [{"serial": serial, "text": '引号 " and \\ slash'} for serial in range(3)]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        outbox.append_many(session, "test.many", payloads, now=now)
        outbox.append_many(session, "test.many", [], now=now)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        stored = session.scalars(sa.select(OutboxEvent).where(OutboxEvent.topic == "test.many")).all()
        assert sorted(event.payload["serial"] for event in stored) == [0, 1, 2]
        assert {event.payload["text"] for event in stored} == {payloads[0]["text"]}
        assert all((event.attempts, event.available_at) == (0, now) for event in stored)


@pytest.mark.parametrize("text", ["a,b", '"', "\\", "{}", "NULL", "", " x ", "引号"])
def test_texts_come_back_from_array_literals_as_they_went(desk: Desk, text: str) -> None:
    shipment = desk.book()
    scan = desk.scan(shipment, "held", desk.logins.clock(), reason=text or None, device_id=f"d{text}")
    assert desk.record(scan) == ["recorded"]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        stored = scan_store.scans_by_shipment(session, [shipment])[shipment.id]
    assert (scan.reason, scan.device_id) in {(one.reason, one.device_id) for one in stored}
