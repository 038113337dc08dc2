"""The machine's door: scans in, shipments out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.shipments.models import Shipment
from app.shipments.service import ScanInput
from tests.app.shipments.conftest import Desk
from tracking.shipment import Milestone


def body(scan: ScanInput, **changes: Any) -> dict[str, Any]:
    values = {
        "number": scan.number,
        "code": scan.code,
        "occurred_at": scan.occurred_at.isoformat(),
        "offset_minutes": scan.offset_minutes,
        "device_id": scan.device_id,
        "client_scan_id": scan.client_scan_id,
        "facility_id": scan.facility_id,
    }
    return values | changes


def test_scans_come_as_an_array_or_line_by_line_each_with_its_result(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment, until="accepted")
    api = desk.logins.api("dispatcher")
    desk.logins.clock.moment = max(desk.logins.clock(), life[-1].occurred_at)
    first = api.post("/api/v1/scans", key=None, json=[body(scan) for scan in life])
    assert first.json is not None
    assert [item["status"] for item in first.json["items"]] == ["recorded", "recorded"]
    assert first.json["items"][1]["milestone"] == "accepted"
    lines = "\n".join(
        json.dumps(body(scan)) for scan in [*life, desk.scan(shipment, "nonsense", life[0].occurred_at)]
    )
    second = api.post("/api/v1/scans", key=None, data=lines, content_type="application/x-ndjson")
    assert second.json is not None
    assert [item["status"] for item in second.json["items"]] == ["duplicate", "duplicate", "rejected"]
    assert second.json["items"][2]["reason"] == "unknown_code"


def test_an_idempotency_key_is_honoured_where_it_is_sent(desk: Desk) -> None:
    scan = desk.life(desk.book(), until="collected")[0]
    api = desk.logins.api("dispatcher")
    desk.logins.clock.moment = max(desk.logins.clock(), scan.occurred_at)
    answers = [api.post("/api/v1/scans", key="k1", json=[body(scan)]) for _ in range(2)]
    assert answers[0].data == answers[1].data
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert api.post("/api/v1/scans", key="k1", json=[]).status_code == 422


@pytest.mark.parametrize(
    ("sent", "status", "pointer"),
    [
        ("[", 400, None),
        ("\xff", 400, None),
        ("{}", 422, "/"),
        ('[{"number": "WH1"}]', 422, "/0"),
        ('[{"number": 1}]', 422, "/0/number"),
        ('[{"number": "a", "surplus": 1}]', 422, "/0"),
    ],
)
def test_what_is_not_scans_is_named(desk: Desk, sent: str, status: int, pointer: str | None) -> None:
    api = desk.logins.api("dispatcher")
    answer = api.post("/api/v1/scans", key=None, data=sent.encode("latin-1"), content_type="application/json")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    if pointer is not None:
        assert answer.json is not None
        assert answer.json["errors"][0]["pointer"] == pointer


def test_scans_need_the_scope_and_at_most_ten_thousand(desk: Desk) -> None:
    assert desk.logins.api("agent").post("/api/v1/scans", json=[]).status_code == 403
    scan = body(desk.life(desk.book(), until="collected")[0])
    answer = desk.logins.api("dispatcher").post("/api/v1/scans", key=None, json=[scan] * 10_001)
    assert answer.status_code == 422


def test_a_list_is_walked_page_by_page_without_gaps(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    booked = []
    for _ in range(7):
        booked.append(desk.book().waybill_number)
        desk.logins.clock.forward(seconds=1)
    same_moment = [desk.book().waybill_number for _ in range(3)]
    api = desk.logins.api("dispatcher")
    walked, path, pages = [], "/api/v1/shipments?limit=4", 0
    while path:
        answer = api.get(path)
        assert answer.json is not None
        walked += [item["waybill_number"] for item in answer.json["items"]]
        path = answer.headers["Link"].split(">")[0].removeprefix("<") if "Link" in answer.headers else ""
        pages += 1
    assert walked == [*reversed(booked + same_moment)]
    assert pages == 3
    assert api.get("/api/v1/shipments?cursor=nonsense").status_code == 400


def test_filters_find_what_they_say(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    early = desk.book(reference="SO-1")
    desk.logins.clock.forward(days=2)
    failed, plain = desk.book("chengdu", "guangzhou", reference="SO-2"), desk.book()
    desk.record(desk.scan(failed, "damaged", desk.logins.clock(), "CTU-G"))
    api = desk.logins.api("dispatcher")

    def found(**query: Any) -> set[str]:
        answer = api.get("/api/v1/shipments", query_string=query)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return {item["waybill_number"] for item in answer.json["items"]}

    everything = {early.waybill_number, failed.waybill_number, plain.waybill_number}
    assert found() == everything
    assert found(problems="true") == {failed.waybill_number}
    assert found(milestone="booked") == everything - {failed.waybill_number}
    assert found(text="SO-1") == {early.waybill_number}
    assert found(text=early.waybill_number.lower()) == {early.waybill_number}
    assert found(text="139 1234 5678") == everything
    assert found(text="13912345679") == set()
    assert found(from_day="2026-03-04") == everything - {early.waybill_number}
    assert found(to_day="2026-03-02") == {early.waybill_number}
    assert found(facility_id=desk.world.facilities["CAN-01"]) == {failed.waybill_number}
    assert found(facility_id=desk.world.facilities["CTU-G"]) == {failed.waybill_number}


def test_one_shipment_has_its_way_its_scans_and_what_was_corrected(desk: Desk) -> None:
    shipment = desk.book(cod_minor=5000)
    life = desk.life(shipment, until="accepted")
    desk.record(*life)
    path = f"/api/v1/shipments/{shipment.waybill_number}"
    key = desk.logins.api("dispatcher").get(path).json["scans"][-1]["scan_key"]
    desk.record(desk.scan(shipment, "voided", life[-1].occurred_at + timedelta(minutes=1), corrects=key))
    answer = desk.logins.api("dispatcher").get(path).json
    assert [leg["sequence"] for leg in answer["legs"]] == [1, 2, 3, 4, 5]
    assert [(scan["code"], scan["corrected"]) for scan in answer["scans"]] == [
        ("booked", False), ("collected", False), ("accepted", True), ("voided", False),
    ]  # fmt: skip
    assert answer["milestone"] == "accepted"
    assert answer["cod_minor"] == 5000
    assert answer["sender"]["phone"] == "138******00"


def test_a_shipper_sees_and_cancels_his_own_only(desk: Desk) -> None:
    own, other = desk.book(), desk.book(customer_id=desk.consignee_id)
    api = desk.logins.api("shipper", desk.shipper_id)
    assert api.get(f"/api/v1/shipments/{own.waybill_number}").status_code == 200
    numbers = {item["waybill_number"] for item in api.get("/api/v1/shipments?limit=500").json["items"]}
    assert own.waybill_number in numbers
    assert other.waybill_number not in numbers
    assert api.post(f"/api/v1/shipments/{own.waybill_number}/cancel").json["milestone"] == "cancelled"
    assert api.post(f"/api/v1/shipments/{other.waybill_number}/cancel").status_code == 404
    assert api.post(f"/api/v1/shipments/{own.waybill_number}/cancel", key=None).status_code == 400
    assert desk.again(own).milestone is Milestone.CANCELLED


def test_receipt_is_confirmed_by_the_agent_and_never_by_the_shipper(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life)
    desk.logins.clock.moment = max(desk.logins.clock(), life[-1].occurred_at)
    path = f"/api/v1/shipments/{shipment.waybill_number}/receipt"
    assert desk.logins.api("shipper", desk.shipper_id).post(path).status_code == 403
    assert desk.logins.api("hub").post(path).status_code == 403
    answer = desk.logins.api("agent").post(path)
    assert answer.json is not None
    assert answer.json["receipt_confirmed_at"] is not None


def test_a_label_is_a_pdf(desk: Desk) -> None:
    shipment: Shipment = desk.book(pieces=2)
    answer = desk.logins.api("dispatcher").get(f"/api/v1/shipments/{shipment.waybill_number}/label.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
