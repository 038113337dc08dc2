"""What the public sees, what it takes to see more, and that nothing tells a guess from a miss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.accounts.models import Installation
from app.shipments.access import TRIES_MAX
from app.shipments.models import ProofKind, Shipment
from app.shipments.service import ProofInput
from app.shipments.values import link_token, scan_key
from tests.app.shipments.conftest import Desk
from tracking.numbers import iso7064_check_digit
from tracking.shipment import Milestone

PERSONAL = (
    "李小梅",
    "张伟",
    "13800138000",
    "13912345678",
    "138****8000",
    "1801",
    "文三路",
    "杭州西湖网点",
    "茶叶",
)


def unknown_number(place: int = 0) -> str:
    digits = f"{place:011d}"
    return f"WH{digits}{iso7064_check_digit(digits)}"


def link(desk: Desk, shipment: Shipment) -> str:
    with desk.database.unit_of_work(None) as session:
        return f"/t/{link_token(shipment.id, session.get_one(Installation, 1).waybill_key)}"


@pytest.fixture
def parcel(desk: Desk) -> Shipment:
    shipment = desk.book()
    desk.record(*desk.life(shipment, until="out_for_delivery"))
    return shipment


def test_a_number_shows_city_status_and_time_only(desk: Desk, client: FlaskClient, parcel: Shipment) -> None:
    page = client.get(f"/track/{parcel.waybill_number}", headers={"Accept-Language": "zh"})
    assert page.status_code == 200
    assert "杭州市" in page.text
    assert "派送" in page.text
    for hidden in PERSONAL:
        assert hidden not in page.text
    answer = client.get(f"/api/v1/track/{parcel.waybill_number}").json
    assert answer is not None
    assert answer["details"] is None
    assert {event["place"] for event in answer["events"]} == {None}
    assert answer["vocabularies"]["aftership"] == ["OutForDelivery", "OutForDelivery_001"]


def test_the_number_is_found_however_it_is_typed(client: FlaskClient, parcel: Shipment) -> None:
    number = parcel.waybill_number
    typed = f" {number[:2].lower()} {number[2:8]}-{number[8:]} "
    answer = client.get("/track", query_string={"number": typed})
    assert answer.status_code == 302
    assert answer.location == f"/track/{number}"


def test_either_phone_opens_the_details_for_this_browser_and_number(
    desk: Desk, client: FlaskClient, app: object, parcel: Shipment
) -> None:
    other = desk.book()
    opened = client.post(f"/track/{parcel.waybill_number}/details", data={"digits": "5678"})
    assert opened.status_code == 302
    page = client.get(f"/track/{parcel.waybill_number}", headers={"Accept-Language": "zh"})
    assert "杭州西湖网点" in page.text
    assert "李**" in page.text
    for hidden in ("李小梅", "13912345678", "1801"):
        assert hidden not in page.text
    assert "李**" not in client.get(f"/track/{other.waybill_number}").text
    answer = client.get(f"/api/v1/track/{parcel.waybill_number}?phone_last4=8000").json
    assert answer is not None
    assert answer["details"]["consignee"]["name"] == "李**"


def test_five_wrong_tries_lock_the_details_for_an_hour(desk: Desk, client: FlaskClient) -> None:
    number = desk.book().waybill_number
    path = f"/track/{number}/details"
    for _ in range(TRIES_MAX - 1):
        assert client.post(path, data={"digits": "0000"}).status_code == 422
    assert client.post(path, data={"digits": "0000"}).status_code == 429
    assert client.post(path, data={"digits": "5678"}).status_code == 429
    answer = client.get(f"/api/v1/track/{number}?phone_last4=5678").json
    assert answer is not None
    assert (answer["details_access"], answer["details"]) == ("locked", None)
    assert client.get(f"/track/{number}").status_code == 200
    desk.logins.clock.forward(minutes=61)
    assert client.post(path, data={"digits": "5678"}).status_code == 302


def test_a_malformed_try_is_not_counted(desk: Desk, client: FlaskClient) -> None:
    shipment = desk.book()
    for digits in ("", "12", "12345", "abcd", "１２３４"):
        answer = client.post(f"/track/{shipment.waybill_number}/details", data={"digits": digits})
        assert answer.status_code == 422, digits
    assert desk.again(shipment).phone_tries == 0


def test_the_link_opens_the_details_and_no_other_link_does(
    desk: Desk, client: FlaskClient, parcel: Shipment
) -> None:
    path = link(desk, parcel)
    page = client.get(path, headers={"Accept-Language": "zh"})
    assert page.status_code == 200
    assert "杭州西湖网点" in page.text
    token = path.removeprefix("/t/")
    head, _, mac = token.partition("-")
    wrong = ["A" if mac[0] != "A" else "B", mac[1:]]
    answers = [
        client.get(f"/t/{forged}")
        for forged in (f"{head}-{''.join(wrong)}", f"{int(head) + 1}-{mac}", "0-x", "x", "9" * 30 + "-" + mac)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.count("\n") for answer in answers}) == 1


def test_unknown_numbers_and_other_tenants_numbers_are_answered_alike_to_a_shipper(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    """The staff's door: a stranger's shipment and none at all differ in nothing but the path they echo."""
    theirs = new_desk().book().waybill_number
    colleagues = desk.book(customer_id=desk.consignee_id).waybill_number
    api = desk.logins.api("shipper", desk.shipper_id)
    bodies = []
    for number in (theirs, colleagues, unknown_number(1)):
        for path in (f"/api/v1/shipments/{number}", f"/api/v1/shipments/{number}/label.pdf"):
            answer = api.get(path)
            assert answer.status_code == 404
            bodies.append(answer.text.replace(number, "N").replace("/label.pdf", ""))
        answer = api.post(f"/api/v1/shipments/{number}/cancel")
        assert answer.status_code == 404
    assert len(set(bodies)) == 1
    browser = desk.logins.browser("shipper", desk.shipper_id)
    pages = {browser.get(f"/shipments/{number}").text.replace(number, "N") for number in (theirs, colleagues)}
    pages |= {browser.get(f"/shipments/{unknown_number(1)}").text.replace(unknown_number(1), "N")}
    assert len({page[:2000].split("csrf-token")[0] for page in pages}) == 1


def test_unknown_and_forbidden_do_the_same_work(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    """So they take the same time, however busy the machine is: the same statements."""
    theirs = new_desk().book().waybill_number
    api = desk.logins.api("shipper", desk.shipper_id)

    def work(number: str) -> list[str]:
        statements: list[str] = []
        note = lambda *event: statements.append(event[2])  # noqa: E731 - (connection, cursor, statement, ...)
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            assert api.get(f"/api/v1/shipments/{number}").status_code == 404
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        return statements

    forbidden, unknown = work(theirs), work(unknown_number(2))
    assert forbidden
    assert forbidden == unknown


def test_an_unknown_number_is_not_found_or_not_registered_yet(client: FlaskClient) -> None:
    pages = [client.get(f"/track/{unknown_number(place)}") for place in (7, 8)]
    assert {page.status_code for page in pages} == {404}
    assert "not registered yet" in pages[0].text
    tried = client.post(f"/track/{unknown_number(7)}/details", data={"digits": "1234"})
    assert tried.status_code == 404
    assert client.get("/track/%00").status_code == 404
    assert client.get(f"/api/v1/track/{unknown_number(7)}").status_code == 404


def test_many_numbers_at_once(desk: Desk, client: FlaskClient) -> None:
    numbers = [desk.book().waybill_number for _ in range(3)]
    missing = unknown_number(9)
    answer = client.get("/api/v1/track", query_string={"numbers": ",".join([*numbers, missing, numbers[0]])})
    assert answer.json is not None
    assert [item["waybill_number"] for item in answer.json["items"]] == numbers
    assert answer.json["not_found"] == [missing]
    too_many = ",".join(unknown_number(place) for place in range(41))
    assert client.get("/api/v1/track", query_string={"numbers": too_many}).status_code == 422


def test_the_consignee_confirms_once_it_is_delivered(desk: Desk, client: FlaskClient) -> None:
    shipment = desk.book()
    path = link(desk, shipment)
    assert client.post(f"{path}/receipt").status_code == 409
    life = desk.life(shipment)
    desk.record(*life)
    desk.logins.clock.moment = max(desk.logins.clock(), life[-1].occurred_at + timedelta(hours=1))
    assert f'action="{path}/receipt"' in client.get(path).text
    for _ in range(2):
        assert client.post(f"{path}/receipt").status_code == 302
    assert desk.again(shipment).receipt_confirmed_at is not None
    assert desk.again(shipment).milestone is Milestone.DELIVERED
    assert f'action="{path}/receipt"' not in client.get(path).text


def test_the_proof_is_shown_to_the_link_only(desk: Desk, client: FlaskClient) -> None:
    shipment, other = desk.book(), desk.book()
    proof = ProofInput(ProofKind.SIGNATURE, "李小梅", "image/png", b"\x89PNG picture")
    desk.record(desk.scan(shipment, "delivered", shipment.booked_at, proof=proof))
    page = client.get(link(desk, shipment))
    assert "李**" in page.text
    address = page.text.split('<img class="img-fluid" src="')[1].split('"')[0]
    picture = client.get(address)
    assert (picture.data, picture.content_type) == (b"\x89PNG picture", "image/png")
    assert client.get(address.replace(link(desk, shipment), link(desk, other))).status_code == 404


def test_a_corrected_scan_is_not_told_to_the_public(desk: Desk, client: FlaskClient) -> None:
    shipment = desk.book()
    wrong = desk.scan(shipment, "lost", shipment.booked_at + timedelta(hours=1), "CAN-G")
    desk.record(wrong)
    key = scan_key(desk.logins.tenant_id, wrong.device_id, wrong.client_scan_id)
    desk.record(desk.scan(shipment, "voided", wrong.occurred_at, corrects=key))
    page = client.get(f"/track/{shipment.waybill_number}", headers={"Accept-Language": "zh"}).text
    assert "广州市" not in page
    assert "丢失" not in page
    codes = [event["code"] for event in client.get(f"/api/v1/track/{shipment.waybill_number}").json["events"]]
    assert "lost" not in codes
    assert "voided" not in codes
