"""A correction that is heard before what it corrects: it stands on the board, and goes when that arrives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.shipments.values import scan_key
from tests.app.shipments.conftest import Desk


def shown(desk: Desk, number: str) -> list[str]:
    """Which of the board's findings are about a parcel."""
    answer = desk.logins.api("admin").get("/api/v1/exceptions?kind=correction_unmatched")
    assert answer.status_code == 200, answer.text
    return [item["kind"] for item in answer.json["items"] if item["waybill_number"] == number]


def test_a_correction_of_an_unknown_scan_shows_until_its_target_arrives(new_desk: Any) -> None:
    desk: Desk = new_desk()
    parcel = desk.book()
    number, at = parcel.waybill_number, desk.logins.clock.forward(hours=2)
    hub = {"number": number, "device_id": "belt", "facility_id": desk.world.facilities["CTU-G"]}
    wrong = hub | {"client_scan_id": "w1", "code": "arrived", "occurred_at": at.isoformat()}
    target = scan_key(desk.logins.tenant_id, "belt", "w1")
    later = (at + timedelta(minutes=1)).isoformat()
    voids = hub | {"client_scan_id": "w2", "code": "voided", "occurred_at": later, "corrects": target}
    desk.logins.clock.forward(minutes=5)
    machine = desk.logins.api("admin")
    sent = machine.post("/api/v1/scans", json=[voids], key=None)
    assert sent.json["items"][0]["status"] == "recorded", sent.text
    assert shown(desk, number) == ["correction_unmatched"]
    page = desk.logins.browser("admin").get("/shipments/exceptions?kind=correction_unmatched&lang=en")
    assert number in page.text
    sent = machine.post("/api/v1/scans", json=[wrong], key=None)
    assert sent.json["items"][0]["status"] == "recorded", sent.text
    assert shown(desk, number) == []
    track = desk.logins.app.test_client().get(f"/api/v1/track/{number}").json
    assert track["milestone"] == "booked", "what was corrected does not count"
