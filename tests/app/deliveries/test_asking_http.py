"""Instructions and consent by page and by API, for the consignee, the shipper, the staff and the hub."""

from __future__ import annotations

from app.accounts.roles import Role
from tests.app.deliveries.conftest import Door
from tests.support.pages import visit
from tracking.instructions import InstructionKind, Standing
from tracking.shipment import ScanCode


def test_the_consignee_chooses_another_day_on_his_link(door: Door) -> None:
    number = door.at_door_in_vain()
    client = door.firm.logins.app.test_client()
    page = visit(client, f"{door.firm.link(number)}/delivery")
    day = door.days(number)[1]
    asked = page.submit("/delivery", day=day.isoformat(), window="morning", note="二楼")
    assert "It is arranged." in asked.text or "已安排" in asked.text
    with door.firm.work() as session:
        from app.deliveries import queries
        from app.shipments import queries as shipments

        shipment = shipments.load_shipment(session, door.firm.shop.agent, number)
        (row,) = queries.instructions_of(session, shipment)
        assert (row.kind, row.standing, row.note) == (InstructionKind.REDELIVER, Standing.ACCEPTED, "二楼")
    taken_back = asked.submit("/withdraw")
    assert door.row(row.id).standing is Standing.WITHDRAWN
    assert taken_back.path.endswith("/delivery")


def test_his_consent_is_given_and_taken_back_on_the_link(door: Door) -> None:
    number = door.parcel()
    client = door.firm.logins.app.test_client()
    link = door.firm.link(number)
    page = visit(client, f"{link}/delivery")
    page.submit("/consent", press=None)  # the first row: the door, which is agreed to
    token = link.removeprefix("/t/")
    api = client.post(f"/api/v1/links/{token}/consents", json={"channel": "proxy", "granted": True})
    assert api.status_code == 200, api.text
    words = {one["channel"]: one for one in api.json["consents"]}
    assert (words["proxy"]["granted"], words["proxy"]["source"]) == (True, "tracking_link")
    assert (words["door"]["granted"], words["locker"]["granted"]) == (False, False)
    back = client.post(f"/api/v1/links/{token}/consents", json={"channel": "proxy", "granted": False})
    assert not {one["channel"]: one for one in back.json["consents"]}["proxy"]["granted"]
    agent = door.firm.logins.api(Role.AGENT)
    said = agent.post(f"/api/v1/shipments/{number}/consents", json={"channel": "door", "granted": True})
    assert (said.json["granted"], said.json["source"]) == (True, "phone_call")


def test_a_shipper_stops_and_releases_his_parcel_by_api(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    shipper = door.firm.logins.api(Role.SHIPPER, door.firm.shipper_id)
    other = door.firm.logins.api(Role.SHIPPER, door.firm.other_shipper_id)
    assert other.get(f"/api/v1/shipments/{number}/instructions").status_code == 404
    may = shipper.get(f"/api/v1/shipments/{number}/instructions").json
    assert "intercept" in may["possible"]
    asked = shipper.post(f"/api/v1/shipments/{number}/instructions", json={"kind": "intercept"})
    assert (asked.status_code, asked.json["standing"]) == (201, "carried_out"), asked.text
    assert other.post(f"/api/v1/instructions/{asked.json['instruction_id']}/withdraw").status_code == 404
    back = shipper.post(f"/api/v1/instructions/{asked.json['instruction_id']}/withdraw")
    assert back.json["standing"] == "withdrawn", back.text
    assert door.shipment(number).code is ScanCode.RELEASED
    open_ones = shipper.get("/api/v1/instructions?standing=withdrawn").json["items"]
    assert asked.json["instruction_id"] in [one["instruction_id"] for one in open_ones]


def test_the_consignee_asks_by_api_over_his_link(door: Door) -> None:
    number = door.parcel(ScanCode.ACCEPTED)
    client = door.firm.logins.app.test_client()
    path = f"/api/v1/links/{door.firm.link(number).removeprefix('/t/')}"
    may = client.get(f"{path}/delivery").json
    assert "intercept" not in may["possible"]
    assert len(may["redelivery_days"]) == 7
    asked = client.post(f"{path}/instructions", json={"kind": "hold_at_outlet", "note": "周末来取"})
    assert (asked.status_code, asked.json["standing"]) == (201, "accepted"), asked.text
    assert client.post(f"{path}/instructions", json={"kind": "hold_at_outlet"}).status_code == 409
    assert client.post(f"{path}/instructions", json={"kind": "intercept"}).status_code == 409
    back = client.post(f"{path}/instructions/{asked.json['instruction_id']}/withdraw")
    assert back.json["standing"] == "withdrawn", back.text
    assert client.post(f"{path}/instructions", json={"kind": "intercept"}).status_code == 403
    other = "x" if path[-1] != "x" else "y"
    assert client.get(f"{path[:-1]}{other}/delivery").status_code == 404


def test_a_wish_that_is_not_whole_names_its_fields(door: Door) -> None:
    number = door.parcel()
    agent = door.firm.logins.api(Role.AGENT)
    answer = agent.post(
        f"/api/v1/shipments/{number}/instructions", json={"kind": "redirect", "day": "2026-03-09"}
    )
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {"/district_adcode", "/address", "/day"}


def test_a_shipper_has_it_sent_back_on_the_page_and_the_hub_is_told_when_it_scans(door: Door) -> None:
    number = door.parcel(ScanCode.DEPARTED)
    browser = door.firm.logins.browser(Role.SHIPPER, door.firm.shipper_id)
    page = visit(browser, f"/shipments/{number}")
    form = visit(browser, page.link(f"/{number}/instructions"))
    form.submit("/instructions", what="return_to_sender")
    gateway = door.shipment(number).legs[0].to_facility_id
    hub = door.firm.logins.browser(Role.HUB, gateway)
    answered = hub.post("/scan?lang=en", data={"number": number, "code": "arrived"})
    assert "RETURN" in answered.text
    door.firm.relay()
    after = door.shipment(number)
    assert (after.code, after.state_facility_id) == (ScanCode.RETURNING, gateway)
    assert after.legs[-1].to_facility_id == door.firm.facilities["CTU-01"]
    assert "RETURN" in hub.post("/scan", data={"number": number, "code": "departed"}).text


def test_who_carries_parcels_does_not_turn_them(door: Door) -> None:
    number = door.parcel()
    hub = door.firm.logins.api(Role.HUB, door.firm.facilities["WUH-HUB"])
    assert hub.post(f"/api/v1/shipments/{number}/instructions", json={"kind": "intercept"}).status_code == 403
    assert hub.get("/api/v1/instructions").status_code == 200
