"""The customer's record: nothing is missing on the line of time, and 3,000 shipments are no burden."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.customers.models import Customer
from app.servicedesk import queries, record, service
from app.servicedesk.timeline import KEY_MOMENTS, EntryKind, timeline
from app.shipments import service as shipments
from app.shipments.models import ScanRecord, Shipment, ShipmentBooking
from settlement.ledger import Purpose
from tests.app.servicedesk.build import Desk
from tracking.shipment import ScanCode


def whole(session, ids, *, limit: int = 500, **options) -> list:
    entries, cursor = [], None
    while True:
        page = timeline(session, ids, cursor=cursor, limit=limit, **options)
        entries += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return entries


@pytest.fixture(scope="module")
def life(desk: Desk):
    """One parcel's whole life: delivered, wrongly scanned once, complained about, compensated."""
    with desk.work() as session:
        parcel = desk.book(session)
        at = desk.deliver(session, parcel)
        wrong = desk.scan(session, parcel, ScanCode.REFUSED, at + timedelta(hours=1), facility="HGH-01")
        shipments.record_scans(
            session,
            desk.admin,
            [
                shipments.ScanInput(
                    number=parcel.waybill_number,
                    code=ScanCode.VOIDED,
                    occurred_at=at + timedelta(hours=2),
                    offset_minutes=480,
                    device_id="test",
                    client_scan_id="void",
                    corrects=wrong,
                )
            ],
            now=desk.now,
        )
        case = desk.complain(session, parcel)
        service.reply(session, desk.agent, case, "在查", now=desk.now)
        service.note(session, desk.agent, case, "内部", now=desk.now)
        claim = service.propose_claim(session, desk.agent, case, claimed_minor=5000, now=desk.now)
        service.approve_claim(session, desk.finance, claim, now=desk.now)
    with desk.work() as session:
        case = queries.load_case(session, desk.agent, case.number)
        service.resolve(session, desk.agent, case, "已赔付", now=desk.now)
    return parcel, case


def test_everything_of_both_ends_stands_on_one_line(desk: Desk, life):
    parcel, case = life
    with desk.work() as session:
        of_sender = whole(session, {desk.shop.customer_id})
        of_consignee = whole(session, {desk.consignee_id})
    assert [(entry.kind, entry.what) for entry in of_sender if entry.number == case.number] == [
        (EntryKind.CASE, "resolved"),
        (EntryKind.CASE, "reply"),
        (EntryKind.CASE, "opened"),
        (EntryKind.CLAIM, "claim_proposed"),
        (EntryKind.CLAIM, "claim_posted"),
    ]
    of_parcel = {(entry.kind, entry.what) for entry in of_sender if entry.number == parcel.waybill_number}
    assert of_parcel == {(EntryKind.SHIPMENT, "sent"), (EntryKind.SCAN, "delivered")}
    assert {entry.what for entry in of_sender if entry.kind is EntryKind.ORDER} == {"placed", "paid"}
    assert {(entry.kind, entry.what) for entry in of_consignee} == {
        (EntryKind.SHIPMENT, "received"),
        (EntryKind.SCAN, "delivered"),
    }
    times = [entry.at for entry in of_sender]
    assert times == sorted(times, reverse=True)


def test_a_page_continues_where_the_last_one_ended(desk: Desk, life):
    with desk.work() as session:
        at_once = whole(session, {desk.shop.customer_id})
        assert whole(session, {desk.shop.customer_id}, limit=2) == at_once
    assert len({(entry.at, entry.what, entry.ref_id) for entry in at_once}) == len(at_once)


@pytest.mark.parametrize("kind", EntryKind)
def test_one_kind_alone(desk: Desk, life, kind):
    with desk.work() as session:
        everything = whole(session, {desk.shop.customer_id})
        alone = whole(session, {desk.shop.customer_id}, kinds={kind})
    assert alone == [entry for entry in everything if entry.kind is kind]
    assert alone


def test_no_kind_is_nothing(desk: Desk):
    with desk.work() as session:
        assert timeline(session, {desk.shop.customer_id}, kinds=(), cursor=None, limit=5).rows == []


def test_money_and_activity_add_up(desk: Desk, life):
    with desk.work() as session:
        customer = session.get_one(Customer, desk.shop.customer_id)
        (summary,) = record.money(session, {customer.id})
        activity = record.activity(session, {customer.id}, now=desk.now + timedelta(days=1))
        balances = record.balances(session, customer)
    assert (summary.orders, summary.ordered_minor) == (1, 2600)
    assert (summary.held_minor, summary.unpaid_minor, summary.awarded_minor) == (2600, 0, 5000)
    assert (activity.sent_30, activity.sent_90, activity.received_90) == (1, 1, 0)
    assert activity.spent_90 == [("CNY", 2600)]
    (lane,) = activity.lanes
    assert (lane.origin.city_name, lane.destination.city_name, lane.shipments) == ("成都市", "杭州市", 1)
    assert balances == {(Purpose.AVAILABLE, "CNY"): 5000}


def test_a_customer_that_money_never_concerned_has_no_balances(desk: Desk):
    with desk.work() as session:
        consignee = session.get_one(Customer, desk.consignee_id)
        assert record.balances(session, consignee) == {}
        assert record.money(session, {consignee.id}) == []


def test_open_matters_are_unresolved_cases_and_parcels_in_trouble(desk: Desk):
    with desk.work() as session:
        parcel = desk.book(session)
        at = desk.carry(session, parcel, until="CTU-01") + timedelta(hours=1)
        desk.scan(session, parcel, ScanCode.DAMAGED, at, facility="CTU-01")
        case = desk.complain(session, parcel)
        matters = record.open_matters(session, {desk.shop.customer_id})
    assert [found.number for found in matters.cases] == [case.number]
    assert [found.waybill_number for found in matters.shipments] == [parcel.waybill_number]


def test_records_merged_into_one_are_one(desk: Desk):
    with desk.work() as session:
        keep = session.get_one(Customer, desk.consignee_id)
        other = Customer(
            tenant_id=desk.tenant_id,
            kind=keep.kind,
            name="王建国（旧）",
            created_at=desk.now,
            merged_into_id=keep.id,
        )
        session.add(other)
        session.flush()
        assert record.all_ids(session, keep) == {keep.id, other.id}


SHIPMENTS = 3000
_COPY_SHIPMENTS = """
INSERT INTO shipment ({columns})
SELECT {values} FROM shipment, generate_series(1, :count) AS number WHERE shipment.id = :id
"""
_COPY_STATES = """
INSERT INTO shipment_state ({columns})
SELECT {values} FROM shipment, shipment_state WHERE shipment.customer_id = :customer_id
    AND shipment_state.shipment_id = :id
"""
_COPY_SCANS = """
INSERT INTO scan (tenant_id, scan_key, shipment_id, shipment_month, device_id, client_scan_id, code,
    occurred_at, offset_minutes, received_at, facility_id)
SELECT shipment.tenant_id, shipment.id || '-' || step, shipment.id,
    date_trunc('month', shipment.booked_at AT TIME ZONE 'UTC')::date, 'size', shipment.id || '-' || step,
    CASE step WHEN 1 THEN 'collected' WHEN 12 THEN 'delivered' ELSE 'arrived' END,
    shipment.booked_at + step * interval '1 hour', 480, shipment.booked_at + step * interval '1 hour', NULL
FROM shipment, generate_series(1, 12) AS step WHERE shipment.customer_id = :customer_id
"""


@pytest.fixture
def heavy(desk: Desk) -> int:
    """A customer with 3,000 shipments over a year, half sent and half received by itself, 12 scans each."""
    with desk.work() as session:
        customer = Customer(
            tenant_id=desk.tenant_id, kind="company", name="大客户", created_at=desk.now, version=1
        )
        session.add(customer)
        session.flush()
        pattern = desk.book(session)
        columns = [column.name for column in ShipmentBooking.__table__.columns if column.name != "id"]
        changed = {
            "waybill_number": "'ZZ' || number",
            "customer_id": f"{customer.id}",
            "consignee_customer_id": f"CASE number % 2 WHEN 0 THEN {customer.id} "
            "ELSE shipment.consignee_customer_id END",
            "booked_at": "shipment.booked_at - number * interval '3 hours'",
        }
        values = ", ".join(changed.get(name, f"shipment.{name}") for name in columns)
        session.execute(
            sa.text(_COPY_SHIPMENTS.format(columns=", ".join(columns), values=values)),
            {"count": SHIPMENTS, "id": pattern.id},
        )
        columns = [column.name for column in Shipment.__table__.columns]
        values = ", ".join("shipment.id" if name == "shipment_id" else name for name in columns)
        session.execute(
            sa.text(_COPY_STATES.format(columns=", ".join(columns), values=values)),
            {"customer_id": customer.id, "id": pattern.id},
        )
        session.execute(sa.text(_COPY_SCANS), {"customer_id": customer.id})
        session.execute(sa.text("ANALYZE shipment, scan"))
        return customer.id


def test_three_thousand_shipments_are_no_burden(desk: Desk, heavy: int):
    agent = desk.logins.browser("agent")
    agent.get(f"/customers/{heavy}")  # templates are compiled by the first
    taken: list[float] = []
    # What else runs on the machine makes some requests slow; what the page itself needs shows in the best.
    while len(taken) < 20 and min(taken, default=1) >= 0.3:
        start = time.perf_counter()
        answer = agent.get(f"/customers/{heavy}")
        taken.append(time.perf_counter() - start)
        assert answer.status_code == 200, answer.text
    assert min(taken) < 0.3, taken
    with desk.work() as session:
        scans = session.scalar(
            sa.select(sa.func.count())
            .select_from(ScanRecord)
            .join(Shipment, Shipment.id == ScanRecord.shipment_id)
            .where(Shipment.customer_id == heavy, ScanRecord.code.in_(KEY_MOMENTS))
        )
        entries = whole(session, {heavy})
    assert scans == 2 * SHIPMENTS
    # Each is sent, half of them are received too, and both key moments of each come once.
    assert len(entries) == SHIPMENTS + SHIPMENTS // 2 + 2 * SHIPMENTS
