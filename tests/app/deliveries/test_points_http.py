"""Pickup points by page and by API: the courier's batch, the counter, the cabinet, the consignee's link."""

from __future__ import annotations

from app.accounts.roles import Role
from app.deliveries import handover
from app.deliveries.models import ConsentChannel
from tests.app.deliveries.conftest import Door
from tests.app.deliveries.test_points import SMALL, agrees, deposit_of, locker, sent_code, store, tick
from tests.support.pages import visit
from tracking.pickup import OVERDUE_AFTER
from tracking.shipment import Milestone, ScanCode

__all__ = ["locker", "store"]


def test_a_couriers_batch_is_answered_row_by_row(door: Door, store: int) -> None:
    good, without, bare = (door.parcel(ScanCode.OUT_FOR_DELIVERY) for _ in range(3))
    for number in (good, bare):
        agrees(door, number, ConsentChannel.STORE)
    agrees(door, without, ConsentChannel.STORE, granted=False)
    courier = door.firm.logins.api(Role.COURIER, door.firm.couriers["WUH-01"])
    items = [{"number": number, "facility_id": store} for number in (without, "nobody's")]
    answer = courier.post("/api/v1/deposits", json={"items": items})
    assert [one["why"] for one in answer.json["items"]] == ["no_consent", "not_found"], answer.text
    agrees(door, good, ConsentChannel.STORE)
    browser = door.firm.logins.browser(Role.COURIER, door.firm.couriers["WUH-01"])
    listed = visit(browser, "/points?lang=en")
    page = visit(browser, listed.link(f"/points/{store}"))
    done = page.submit("/deposit", numbers=f"{good}\n{bare}\nnobody's")
    assert "2 left here" in done.text
    assert "Nobody booked this number" in done.text
    assert door.shipment(good).code is ScanCode.AT_STORE


def test_the_counter_gives_it_out_on_its_page(door: Door, store: int) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    agrees(door, number, ConsentChannel.STORE)
    counter = door.firm.logins.browser(Role.HUB, store)
    page = visit(counter, "/points?lang=en")
    assert page.path == f"/points/{store}", "his own at once"
    page = page.submit("/deposit", numbers=number)
    wrong = page.submit("/take-out", number=number, code="x")
    assert "wrong" in wrong.text
    assert "No such parcel" in page.submit("/take-out", number="x", code="x", expect=422).text
    door.firm.relay()
    right = page.submit("/take-out", number=number, code=sent_code(door, number))
    assert "give it out" in right.text
    assert door.shipment(number).milestone is Milestone.DELIVERED
    outlet = door.firm.facilities["WUH-01"]
    assert counter.get(f"/points/{outlet}").status_code == 404, "a counter knows its own only"


def test_a_cabinet_opens_by_compartment_and_code_and_the_consignee_disputes(door: Door, locker: int) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    agrees(door, number, ConsentChannel.LOCKER)
    cabinet = door.firm.logins.api(Role.HUB, locker)
    rooms = cabinet.get(f"/api/v1/facilities/{locker}/compartments").json["items"]
    assert {"code": "A01", "length_mm": SMALL[0], "width_mm": SMALL[1], "height_mm": SMALL[2]} in rooms
    put = cabinet.post(
        "/api/v1/deposits", json={"items": [{"number": number, "facility_id": locker, "compartment": "A12"}]}
    )
    assert put.json["items"][0]["deposit"]["compartment"] == "A12", put.text
    waits = cabinet.get(f"/api/v1/facilities/{locker}/deposits").json["items"]
    assert number in [one["waybill_number"] for one in waits]
    client = door.firm.logins.app.test_client()
    page = visit(client, f"{door.firm.link(number)}/delivery?lang=en")
    assert "A12" in page.text
    fetched = cabinet.post(
        "/api/v1/deposits/take-out",
        json={"number": "A12", "facility_id": locker, "code": sent_code(door, number)},
    )
    assert fetched.json["outcome"] == "right", fetched.text
    door.firm.relay()
    after = visit(client, f"{door.firm.link(number)}/delivery?lang=en")
    case = after.submit("/dispute", kind="damaged", body="外包装破了")
    assert "/complaint/" in case.path
    token = door.firm.link(number).removeprefix("/t/")
    said = client.post(f"/api/v1/links/{token}/dispute", json={"kind": "not_there", "body": "空的"})
    assert said.status_code == 201, said.text


def test_what_is_overdue_is_taken_back_on_the_page(door: Door, locker: int) -> None:
    number = door.parcel(ScanCode.OUT_FOR_DELIVERY)
    agrees(door, number, ConsentChannel.LOCKER)
    courier = door.firm.logins.api(Role.COURIER, door.firm.couriers["WUH-01"])
    courier.post("/api/v1/deposits", json={"items": [{"number": number, "facility_id": locker}]})
    early = deposit_of(door, number).id
    assert courier.post(f"/api/v1/deposits/{early}/take-back").status_code == 409
    tick(door, number, OVERDUE_AFTER)
    door.firm.logins.clock.forward(minutes=5)
    browser = door.firm.logins.browser(Role.COURIER, door.firm.couriers["WUH-01"])
    page = visit(browser, f"/points/{locker}?show=overdue&lang=en")
    page.submit(f"/take-back/{early}")
    with door.firm.work() as session:
        assert handover.parcel(session, number).code is ScanCode.AT_OUTLET


def test_an_admin_enters_a_compartment(door: Door, locker: int) -> None:
    admin = door.firm.logins.browser(Role.ADMIN)
    page = visit(admin, f"/points/{locker}?lang=en")
    saved = page.submit("/compartments", code="Z1", length_mm="500", width_mm="400", height_mm="300")
    assert "Z1" in saved.text
    refused = page.submit(
        "/compartments", code="Z2", length_mm="0", width_mm="400", height_mm="300", expect=422
    )
    assert "Z2" not in [row.text_content() for row in refused.document.iter("th")]
