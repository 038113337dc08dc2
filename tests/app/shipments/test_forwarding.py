"""A shipment handed on to another carrier: recognised by the number, told to who may see the details."""

from __future__ import annotations

import pytest

from app.shipments.models import Shipment
from tests.app.shipments.conftest import CONSIGNEE_PHONE, Desk

ENGLISH = {"Accept-Language": "en"}
UPS, TWO_CARRIERS, WRONG = "1Z5R89390357567127", "287809468872", "1Z1111111111111111"


@pytest.fixture
def underway(desk: Desk) -> Shipment:
    shipment = desk.book()
    desk.record(*desk.life(shipment, until="accepted"))
    return desk.again(shipment)


def test_a_number_is_recognised_kept_and_linked(desk: Desk, underway: Shipment) -> None:
    page, number = f"/shipments/{underway.waybill_number}", "1z 5r8 939 0357567127"
    browser = desk.logins.browser("dispatcher")
    assert browser.post(f"{page}/forwarding", data={"number": number}).status_code == 302
    assert browser.post(f"{page}/forwarding", data={"number": UPS}).status_code == 302
    shown = browser.get(page, headers=ENGLISH).text
    assert "UPS takes it further." in shown
    assert shown.count(f'<span class="text-nowrap">{UPS}</span>') == 1
    assert f"trackNums={UPS}" in shown
    for reader in (desk.logins.browser("hub", desk.world.facilities["WUH-HUB"]), browser):
        assert UPS in reader.get(page).text
    assert browser.post(f"{page}/forwarding/forget", data={"number": UPS}).status_code == 302
    assert UPS not in browser.get(page).text


def test_what_is_no_number_or_of_several_carriers_is_said_at_its_field(
    desk: Desk, underway: Shipment
) -> None:
    page = f"/shipments/{underway.waybill_number}"
    browser = desk.logins.browser("agent")
    refused = browser.post(f"{page}/forwarding", data={"number": WRONG}, headers=ENGLISH)
    assert refused.status_code == 422
    assert "its check digit is wrong" in refused.text
    assert f'value="{WRONG}"' in refused.text
    several = browser.post(f"{page}/forwarding", data={"number": TWO_CARRIERS}, headers=ENGLISH)
    assert several.status_code == 422
    assert "may be of FedEx, Purolator" in several.text
    chosen = {"number": TWO_CARRIERS, "carrier": "purolator"}
    assert browser.post(f"{page}/forwarding", data=chosen).status_code == 302
    assert "purolator.com" in browser.get(page).text


def test_only_what_is_on_its_way_is_handed_on(desk: Desk) -> None:
    shipment = desk.book()
    browser, page = desk.logins.browser("dispatcher"), f"/shipments/{shipment.waybill_number}"
    assert "Hand it on" not in browser.get(page, headers=ENGLISH).text
    refused = browser.post(f"{page}/forwarding", data={"number": UPS}, headers=ENGLISH)
    assert refused.status_code == 422
    answer = desk.logins.api("dispatcher").post(
        f"/api/v1{page}/forwardings", key="booked", json={"number": UPS}
    )
    assert answer.status_code == 409


def test_machines_hand_on_read_and_take_back(desk: Desk, underway: Shipment) -> None:
    api, path = desk.logins.api("dispatcher"), f"/api/v1/shipments/{underway.waybill_number}/forwardings"
    wrong = api.post(path, key="wrong", json={"number": WRONG})
    assert wrong.status_code == 422
    assert wrong.json is not None
    assert wrong.json["errors"][0]["pointer"] == "/number"
    several = api.post(path, key="several", json={"number": TWO_CARRIERS})
    assert several.json is not None
    assert several.json["errors"][0]["pointer"] == "/carrier"
    done = api.post(path, key="right", json={"number": UPS})
    assert done.status_code == 200, done.text
    listed = api.get(path).json
    assert listed is not None
    assert [(one["carrier"], one["number"]) for one in listed["items"]] == [("ups", UPS)]
    left = api.post(f"{path}/forget", key="back", json={"number": UPS}).json
    assert left is not None
    assert left["items"] == []


def test_everybody_else_learns_it_with_the_details_only(desk: Desk, underway: Shipment) -> None:
    number = underway.waybill_number
    desk.logins.api("agent").post(
        f"/api/v1/shipments/{number}/forwardings", key="public", json={"number": UPS}
    )
    stranger = desk.logins.app.test_client()
    assert UPS not in stranger.get(f"/track/{number}").text
    assert UPS not in stranger.get(f"/api/v1/track/{number}").text
    stranger.post(f"/track/{number}/details", data={"digits": CONSIGNEE_PHONE[-4:]})
    assert f"trackNums={UPS}" in stranger.get(f"/track/{number}").text
    told = stranger.get(f"/api/v1/track/{number}?phone_last4={CONSIGNEE_PHONE[-4:]}").json
    assert told is not None
    assert [one["carrier_name"] for one in told["details"]["forwardings"]] == ["UPS"]
