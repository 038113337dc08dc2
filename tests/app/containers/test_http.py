"""Containers over HTTP: every act by machine and by page, and the labels."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.app.containers.conftest import Dock
from tests.support.app import Api
from tests.support.labels import codes_by_page

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def machine(dock: Dock) -> Api:
    return dock.desk.logins.api("dispatcher")


@pytest.fixture(scope="module")
def hub(dock: Dock) -> FlaskClient:
    return dock.desk.logins.browser("hub", dock.desk.world.facilities["CTU-G"])


@pytest.fixture(scope="module")
def far_hub(dock: Dock) -> FlaskClient:
    return dock.desk.logins.browser("hub", dock.desk.world.facilities["WUH-HUB"])


def scanned(browser: FlaskClient, number: str, thing: str, code: str, **fields: str) -> str:
    answer = browser.post(
        f"/containers/{number}/scan",
        data={"number": thing, "code": code, **fields},
        headers={"HX-Request-Type": "partial", **ENGLISH},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_bags_life_by_machine(dock: Dock, machine: Api) -> None:
    places = dock.desk.world.facilities
    parcels = [dock.desk.book() for _ in range(3)]
    numbers = [one.waybill_number for one in parcels]
    opening = {"kind": "bag", "facility_id": places["CTU-G"], "to_facility_id": places["WUH-HUB"]}
    opened = machine.post("/api/v1/containers", json=opening)
    assert opened.status_code == 201, opened.text
    number = opened.json["number"]
    path = f"/api/v1/containers/{number}"
    assert opened.headers["Location"] == path

    things = {"device_id": "gun", "client_event_id": number, "numbers": [*numbers[:2], "NOTHING-1"]}
    packed = machine.post(f"{path}/pack", json=things, key=None)
    assert [row["status"] for row in packed.json["items"]] == ["packed", "packed", "unknown"]
    assert packed.json["container"]["expected"] == 2
    sealed = machine.post(f"{path}/seal", json={"seal_number": "S-77"})
    assert (sealed.json["status"], sealed.json["seal_number"]) == ("sealed", "S-77")
    assert machine.post(f"{path}/seal", json={}).status_code == 409
    assert machine.post(f"{path}/dispatch", json={"vehicle": "川A12345"}).json["moved"] == 2

    at = dock.desk.logins.clock.forward(minutes=5).isoformat()
    gun = {"occurred_at": at, "device_id": "belt", "client_scan_id": f"{number} in"}
    outer = gun | {"number": number, "code": "arrived", "facility_id": places["WUH-HUB"]}
    results = machine.post("/api/v1/scans", json=[outer]).json["items"]
    assert (results[0]["status"], results[0]["moved"]) == ("recorded", 2)
    received = machine.post(f"{path}/receive", json={})
    assert (received.json["moved"], received.json["container"]["status"]) == (0, "received")

    check = {"device_id": "dock", "client_event_id": number, "numbers": [numbers[0], numbers[2]]}
    compared = machine.post(f"{path}/check", json=check | {"complete": True}, key=None).json
    assert [row["status"] for row in compared["items"]] == ["matched", "surplus"]
    assert compared["comparison"] == {
        "expected": 2,
        "matched": 1,
        "missing": [numbers[1]],
        "surplus": [numbers[2]],
    }
    assert machine.get(f"{path}/comparison").json == compared["comparison"]
    items = machine.get(f"{path}/items?limit=1")
    assert items.json["items"][0]["number"] == numbers[1]
    rest = machine.get(f"{path}/items?cursor={items.json['next_cursor']}")
    assert [one["number"] for one in rest.json["items"]] == [numbers[2], numbers[0]]
    broken = machine.post(f"{path}/break", json={})
    assert broken.json["container"]["status"] == "broken"
    assert dock.findings(parcels[1]) == {"missing_from_container"}
    assert machine.get(f"/api/v1/containers?number={number}").json["items"][0]["missing"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "box"},
        {"kind": "bag"},
        {"kind": "bag", "facility_id": 10**9},
        {"kind": "trip", "lane_id": 10**9},
    ],
)
def test_what_cannot_be_opened(machine: Api, body: dict[str, object]) -> None:
    assert machine.post("/api/v1/containers", json=body).status_code == 422


def test_a_machine_without_the_scope_is_kept_out(dock: Dock) -> None:
    shipper = dock.desk.logins.api("shipper", dock.desk.shipper_id)
    assert shipper.get(f"/api/v1/containers/{dock.open()}").status_code == 403


def test_a_bags_life_by_page(dock: Dock, hub: FlaskClient, far_hub: FlaskClient) -> None:
    parcels = [dock.desk.book() for _ in range(3)]
    numbers = [one.waybill_number for one in parcels]
    to = dock.desk.world.facilities["WUH-HUB"]
    opened = hub.post("/containers", data={"kind": "bag", "to_facility_id": str(to)})
    assert opened.status_code == 302, opened.text
    path = opened.headers["Location"]
    number = path.rpartition("/")[2]
    assert "Packed" in scanned(hub, number, numbers[0], "pack")
    assert "1 thing inside" in scanned(hub, number, numbers[0], "pack", client_scan_id="x")
    assert "Unknown number" in scanned(hub, number, "4711", "pack")
    kept = [
        {"number": numbers[1], "code": "pack", "client_scan_id": "k1", "device": "tablet"},
        {"number": "4711", "code": "pack", "client_scan_id": "k2", "device": "tablet"},
    ]
    for _again in range(2):
        answers = hub.post(f"{path}/queued", json=kept, headers=ENGLISH).json
        assert [one["status"] for one in answers] == ["recorded", "rejected"]
    assert answers[1]["text"] == "Unknown number"
    assert hub.post(f"{path}/queued", json={"no": "list"}).status_code == 400

    for act, words in (("seal", "Sealed."), ("dispatch", "It left with 2 pieces.")):
        answer = hub.post(
            f"{path}/{act}", data={"seal_number": "S-5"}, follow_redirects=True, headers=ENGLISH
        )
        assert words in answer.text
    twice = hub.post(f"{path}/dispatch", follow_redirects=True, headers=ENGLISH)
    assert "somebody was quicker" in twice.text
    assert "2 pieces arrived" in far_hub.post(f"{path}/receive", follow_redirects=True, headers=ENGLISH).text
    assert "Surplus" in scanned(far_hub, number, numbers[2], "check")
    assert "1 of 2 seen" in scanned(far_hub, number, numbers[0], "check")
    page = far_hub.get(path, headers=ENGLISH).text
    assert page.index(numbers[1]) < page.index(numbers[2]) < page.index(numbers[0]), "missing first"
    assert "1 piece is missing" in far_hub.post(f"{path}/count", follow_redirects=True, headers=ENGLISH).text
    assert "on its own again" in far_hub.post(f"{path}/break", follow_redirects=True, headers=ENGLISH).text
    assert number not in far_hub.get("/containers").text
    assert number in far_hub.get("/containers?status=broken").text
    exceptions = far_hub.get("/shipments/exceptions?kind=missing_from_container").text
    assert numbers[1] in exceptions


def test_a_form_that_is_refused_says_why(dock: Dock) -> None:
    browser = dock.desk.logins.browser("dispatcher")
    nowhere = browser.post("/containers", data={"kind": "bag"}, headers=ENGLISH)
    assert nowhere.status_code == 422
    assert "Say where it is opened." in nowhere.text


def test_the_station_moves_a_bag_and_takes_it_back(dock: Dock, hub: FlaskClient) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    answer = hub.post(
        "/scan",
        data={"number": bag, "code": "departed"},
        headers={"HX-Request-Type": "partial", **ENGLISH},
    )
    assert "1 piece inside moved with it" in answer.text
    assert answer.text.count(bag) == 3, "the answer, its row and what takes it back"
    key = answer.text.partition('name="scan_key" value="')[2].partition('"')[0]
    undone = hub.post("/scan/undo", data={"number": bag, "scan_key": key}, headers=ENGLISH)
    assert "Taken back" in undone.text
    assert dock.desk.again(parcel).code == "booked"


def test_labels_and_lists_scan_back(dock: Dock, hub: FlaskClient, machine: Api) -> None:
    parcels = [dock.desk.book() for _ in range(3)]
    bag = dock.open()
    dock.pack(bag, *(one.waybill_number for one in parcels))
    label = hub.get(f"/containers/{bag}/label.pdf")
    assert codes_by_page(label.data) == [{bag}]
    assert machine.get(f"/api/v1/containers/{bag}/label.pdf").data == label.data
    contents = machine.get(f"/api/v1/containers/{bag}/list.pdf")
    assert codes_by_page(contents.data) == [{bag}]
    zpl = machine.get(f"/api/v1/containers/{bag}/label.zpl")
    assert zpl.mimetype == "application/zpl"
    assert f"^FD{bag}^FS" in zpl.text
    number = parcels[0].waybill_number
    for path in (f"/shipments/{number}/label.zpl", f"/containers/{bag}/label.zpl"):
        assert hub.get(path).text.startswith("^XA")
