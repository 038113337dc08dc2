"""Pages of the staff and of shippers, and the scan station."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.config import Settings
from app.shipments import watching
from app.shipments.exporting import csv_line
from app.shipments.models import DeliveryProof, ProofKind, ScanRecord
from tests.app.shipments.conftest import Desk
from tracking.shipment import Milestone

ENGLISH = {"Accept-Language": "en"}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def hub(desk: Desk) -> FlaskClient:
    return desk.logins.browser("hub", desk.world.facilities["WUH-HUB"])


def scanned(browser: FlaskClient, **fields: str) -> str:
    answer = browser.post(
        "/scan", data=fields, headers={"HX-Request-Type": "partial", "Accept-Language": "en"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_list_opens_on_problems_and_filters_from_the_address(desk: Desk) -> None:
    troubled, fine = desk.book(reference="SO-77"), desk.book()
    desk.record(desk.scan(troubled, "damaged", troubled.booked_at, "CTU-G"))
    browser = desk.logins.browser("dispatcher")
    first = browser.get("/shipments", headers=ENGLISH).text
    assert first.index("Waiting longest for somebody") < first.index(troubled.waybill_number)
    assert fine.waybill_number in first
    narrowed = browser.get("/shipments?show=problems").text
    assert troubled.waybill_number in narrowed
    assert fine.waybill_number not in narrowed
    found = browser.get("/shipments?text=SO-77").text
    assert fine.waybill_number not in found
    assert browser.get("/shipments?milestone=nonsense").status_code == 422
    assert browser.get("/shipments?from_day=nonsense").status_code == 422


def test_a_shipment_tells_its_sentence_way_findings_and_links(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment, until="departed")
    desk.record(*life)
    late = shipment.promised_to_at + timedelta(hours=3)
    desk.logins.clock.moment = max(desk.logins.clock(), late)
    watching.watch(desk.database, settings, desk.logins.clock())
    page = desk.logins.browser("admin").get(f"/shipments/{shipment.waybill_number}", headers=ENGLISH)
    assert page.status_code == 200
    assert "on the way from Chengdu Wuhou since" in page.text
    assert "The promised time has passed" in page.text
    assert f"/shipments/{shipment.waybill_number}/label.pdf" in page.text
    assert "1801" not in page.text
    shipper = desk.logins.browser("shipper", desk.shipper_id).get(f"/shipments/{shipment.waybill_number}")
    assert shipper.status_code == 200
    assert "The promised time has passed" not in shipper.text


def test_the_list_as_csv_runs_nothing(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    shipment = desk.book(reference='=HYPERLINK("http://x")')
    answer = desk.logins.browser("dispatcher").get("/shipments.csv", headers=ENGLISH)
    assert answer.data.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    line = dict(zip(header, row, strict=True))
    assert line["Waybill"] == shipment.waybill_number
    assert line["Reference"] == '\'=HYPERLINK("http://x")'
    assert line["Consignee"] == "李**"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_becomes_text(cell: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_line([cell, -5]), newline=""))
    assert row == [f"'{cell}", "-5"]


def test_a_shipper_cancels_before_collection_and_not_after(desk: Desk) -> None:
    shipment, collected = desk.book(), desk.book()
    desk.record(*desk.life(collected, until="collected"))
    browser = desk.logins.browser("shipper", desk.shipper_id)
    for one in (shipment, collected):
        assert browser.post(f"/shipments/{one.waybill_number}/cancel").status_code == 302
    assert desk.again(shipment).milestone is Milestone.CANCELLED
    assert desk.again(collected).milestone is Milestone.ACCEPTED


def test_the_station_answers_with_the_next_place_and_marks_what_is_astray(
    desk: Desk, hub: FlaskClient
) -> None:
    onward, astray = desk.book(), desk.book("hangzhou", "guangzhou")
    assert "goes on to Hangzhou hub" in scanned(hub, number=onward.waybill_number, code="arrived")
    assert desk.again(onward).state_facility_id == desk.world.facilities["WUH-HUB"]
    answer = scanned(hub, number=astray.waybill_number, code="arrived")
    assert "is off its route; it belongs to Guangzhou Tianhe" in answer
    assert "scan-answer-warn" in answer
    assert "scan-answer-bad" in scanned(hub, number=onward.waybill_number, code="nonsense")
    assert "scan-answer-warn" in scanned(hub, number="WH0", code="arrived")
    assert hub.get("/scan?code=nonsense").status_code == 200


def test_a_resent_scan_is_heard_before_and_a_wrong_one_is_taken_back(desk: Desk, hub: FlaskClient) -> None:
    shipment = desk.book()
    fields = {"number": shipment.waybill_number, "code": "arrived", "client_scan_id": "c1", "device": "gun"}
    assert "scan-answer-ok" in scanned(hub, **fields)
    assert "Heard before" in scanned(hub, **fields)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        key = session.scalar(sa.select(ScanRecord.scan_key).where(ScanRecord.client_scan_id == "c1"))
    undone = hub.post(
        "/scan/undo", data={"number": shipment.waybill_number, "scan_key": key, "code": "arrived"}
    )
    assert undone.status_code == 200
    assert desk.again(shipment).milestone is Milestone.BOOKED


def test_kept_scans_are_recorded_when_the_line_is_back(desk: Desk, hub: FlaskClient) -> None:
    shipment = desk.book()
    at = desk.logins.clock()
    kept = [
        {"number": shipment.waybill_number, "code": code, "client_scan_id": code, "device": "gun-9",
         "occurred_at": (at + timedelta(minutes=place)).isoformat(), "offset_minutes": 480}
        for place, code in enumerate(["arrived", "sorted", "nonsense"])
    ]  # fmt: skip
    for expected in (["recorded", "recorded", "rejected"], ["duplicate", "duplicate", "rejected"]):
        answer = hub.post("/scan/queued", json=kept)
        assert answer.json is not None
        assert [one["status"] for one in answer.json] == expected
    assert desk.again(shipment).code.value == "sorted"
    assert hub.post("/scan/queued", data="{").status_code == 400
    assert hub.post("/scan/queued", json=[{"number": 1}]).status_code == 400


def test_a_delivery_keeps_its_signature_or_its_code(desk: Desk, hub: FlaskClient) -> None:
    signed, coded = desk.book(), desk.book()
    common = {"code": "delivered", "received_by": "李小梅"}
    scanned(hub, number=signed.waybill_number, signature=PIXEL, **common)
    scanned(hub, number=coded.waybill_number, handed_code="482913", **common)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        kept = {
            row.shipment_id: (row.kind, row.content_type, (row.content or b"")[:6])
            for row in session.scalars(sa.select(DeliveryProof))
        }
    assert kept[signed.id] == (ProofKind.SIGNATURE, "image/png", b"\x89PNG\r\n")
    assert kept[coded.id] == (ProofKind.CODE, "text/plain", b"482913")
    bad = {"number": signed.waybill_number, "signature": "data:image/png;base64,%%%", **common}
    assert hub.post("/scan", data=bad).status_code == 400


def test_unknown_numbers_are_listed_and_looked_up_again(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    shipment = desk.book()
    desk.record(desk.scan(shipment, "arrived", shipment.booked_at, "WUH-HUB", number="WH404"))
    browser = desk.logins.browser("hub", desk.world.facilities["WUH-HUB"])
    assert "WH404" in browser.get("/shipments/unmatched").text
    assert browser.post("/shipments/unmatched/retry").status_code == 302
    assert "WH404" in browser.get("/shipments/unmatched").text
    assert desk.logins.browser("agent").get("/shipments/unmatched").status_code == 403
