"""The room's pages and its machine's door, through HTTP."""

from __future__ import annotations

import json
import re
from copy import deepcopy

import pytest

from app.orders.models import PaymentChannel
from tests.app.orders.build import BODY, Shop

BOOKING = {
    "sender": {
        "name": "李晓梅",
        "phone": "13800000001",
        "district_adcode": "510107",
        "address": "科华北路 62 号",
    },
    "consignee": {
        "name": "王建国",
        "phone": "13900000002",
        "district_adcode": "330106",
        "address": "文三路 90 号",
    },
    "goods": "茶叶",
    "weight_g": 2300,
}
FORM = {
    "once": "f1",
    "payer_phone": "13700000009",
    "payer_name": "新客户",
    "sender_name": "李晓梅",
    "sender_phone": "13800000001",
    "sender_district": "四川省 成都市 武侯区 510107",
    "sender_address": "科华北路 62 号",
    "consignee_name": "王建国",
    "consignee_phone": "13900000002",
    "consignee_district": "西湖区",
    "consignee_address": "文三路 90 号",
    "goods": "茶叶",
    "pieces": "1",
    "weight_g": "2.3",
    "volume_cm3": "",
    "service": "standard",
    "pickup_handover": "door",
    "delivery_handover": "door",
    "declared_value_minor": "",
    "cod_minor": "",
    "channel": "prepaid",
    "reference": "",
}


@pytest.fixture(scope="module")
def number(database, shop: Shop) -> str:
    with database.unit_of_work(shop.tenant_id) as session:
        return shop.book(session, PaymentChannel.MONTHLY_ACCOUNT).number


def test_a_machine_quotes_and_books(shop: Shop):
    api = shop.logins.api("shipper", shop.customer_id)
    quoted = api.post(
        "/api/v1/quotes",
        json={k: BOOKING[k] for k in ("weight_g",)}
        | {end: {"district_adcode": BOOKING[end]["district_adcode"]} for end in ("sender", "consignee")},
    )
    assert quoted.status_code == 200, quoted.text
    answer = api.post("/api/v1/shipments", json=BOOKING)
    assert answer.status_code == 201, answer.text
    body = answer.json
    assert body["total_minor"] == quoted.json["total_minor"] == 2600
    assert answer.headers["Location"] == f"/api/v1/shipments/{body['waybill_number']}"
    assert [leg["sequence"] for leg in body["legs"]] == list(range(1, len(body["legs"]) + 1))
    assert body["label_url"].endswith(f"{body['waybill_number']}/label.pdf")
    assert "/t/" in body["tracking_url"]
    own = api.get(f"/api/v1/orders/{body['order_number']}").json
    assert own["charges"][0]["amount_minor"] == 2600
    assert own.get("shares") is None
    full = shop.logins.api("finance").get(f"/api/v1/orders/{body['order_number']}").json
    assert sum(share["amount_minor"] for share in full["shares"]) == 2600
    listed = api.get("/api/v1/orders?limit=1").json
    assert listed["items"][0]["number"] == body["order_number"]


def test_a_request_sent_twice_books_once(shop: Shop):
    api = shop.logins.api("shipper", shop.customer_id)
    first = api.post("/api/v1/shipments", json=BOOKING, key="once-only")
    again = api.post("/api/v1/shipments", json=BOOKING, key="once-only")
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.post("/api/v1/shipments", json=BOOKING, key=None).status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"weight_g": 0}, 422),
        ({"unknown": 1}, 422),
        ({"currency": "USD"}, 422),
        ({"consignee": BOOKING["consignee"] | {"district_adcode": "999999"}}, 422),
        ({"consignee": BOOKING["consignee"] | {"phone": "12345"}}, 422),
        ({"customer_id": 999_999}, 404),
    ],
)
def test_a_wrong_booking_says_what_is_wrong(shop: Shop, change, status):
    answer = shop.logins.api("shipper", shop.customer_id).post("/api/v1/shipments", json=BOOKING | change)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_an_agent_names_who_pays(shop: Shop):
    api = shop.logins.api("agent")
    assert api.post("/api/v1/shipments", json=BOOKING).status_code == 422
    answer = api.post("/api/v1/shipments", json=BOOKING | {"customer_phone": "13800000001"})
    order = api.get(f"/api/v1/orders/{answer.json['order_number']}").json
    assert order["customer_id"] == shop.customer_id


def test_the_journal_by_machine(shop: Shop, number: str):
    api = shop.logins.api("finance")
    found = api.get(f"/api/v1/ledger/entries?evidence_kind=order&evidence_ref={number}").json["items"]
    assert [entry["kind"] for entry in found] == ["order_placed_split_held"]
    assert sum(line["amount_minor"] for line in found[0]["lines"]) == 0
    accounts = api.get("/api/v1/ledger/accounts?purpose=held").json["items"]
    assert {row["purpose"] for row in accounts} == {"held"}
    assert shop.logins.api("agent").get("/api/v1/ledger/entries").status_code == 403


def test_the_price_follows_the_form(shop: Shop):
    browser = shop.logins.browser("agent")
    assert "26.00" in browser.post("/book/quote", data=FORM).text
    assert "26.00" not in browser.post("/book/quote", data=FORM | {"consignee_district": ""}).text
    options = browser.get("/book/districts?consignee_district=西湖").text
    assert "330106" in options


def test_a_form_books_once_and_keeps_what_was_typed(shop: Shop):
    browser = shop.logins.browser("agent")
    refused = browser.post("/book", data=FORM | {"consignee_phone": "12345", "goods": "绿茶"})
    assert refused.status_code == 422
    assert "绿茶" in refused.text
    assert 'id="consignee_phone-error"' in refused.text
    nowhere = browser.post("/book", data=FORM | {"consignee_district": "Atlantis"})
    assert nowhere.status_code == 422
    assert 'id="consignee_district-error"' in nowhere.text
    first = browser.post("/book", data=FORM)
    again = browser.post("/book", data=FORM)
    assert first.status_code == 302
    assert first.location == again.location
    page = browser.get(first.location)
    assert page.status_code == 200
    assert re.search(r"/t/[\w-]+", page.text)


def test_a_shipper_books_for_himself(shop: Shop):
    browser = shop.logins.browser("shipper", shop.customer_id)
    page = browser.get("/book")
    assert "payer_phone" not in page.text
    assert "锦城茶业" in page.text
    answer = browser.post("/book", data=FORM | {"once": "f2"})
    number = answer.location.rsplit("/", 1)[1]
    own = browser.get(f"/orders/{number}")
    assert own.status_code == 200
    assert "汉" not in own.text.split("<main")[1]  # not a word of Wuhan's hub or any other party's share
    stranger = shop.logins.browser("shipper", shop.customer_id + 1)
    assert stranger.get(f"/orders/{number}").status_code == 404


def test_finance_sees_the_way_of_the_money(shop: Shop, number: str):
    browser = shop.logins.browser("finance")
    index = browser.get("/orders?unpaid=1")
    assert number in index.text
    page = browser.get(f"/orders/{number}?lang=en")
    assert "Line-haul carrier" in page.text
    assert re.search(r"rule 3, part of the price: ≈\d+\.\d\d", page.text)
    for path in ("/ledger/", "/ledger/accounts", f"/ledger/evidence/order/{number}", "/ledger/?kind=paid"):
        assert browser.get(path).status_code == 200, path
    entry = re.search(r"/ledger/entries/\d+", page.text)
    account = re.search(r"/ledger/accounts/\d+", browser.get(entry[0]).text)
    assert browser.get(account[0]).status_code == 200
    assert browser.get("/ledger/?kind=nothing").status_code == 422
    assert browser.get("/ledger/evidence/order/none").status_code == 404
    assert browser.post(f"/orders/{number}/pay").status_code == 302
    assert number not in browser.get("/orders?unpaid=1").text


def test_terms_are_written_tried_and_approved_by_two(shop: Shop):
    writer, approver = shop.logins.browser("finance"), shop.logins.browser("finance", who="b")
    body = deepcopy(BODY)
    body["shares"][0]["rate"] = "25%"
    tried = writer.post("/terms/try?lang=en", data={"body": json.dumps(body)})
    assert "Origin outlet: 25% of the price" in tried.text
    assert "成都武侯网点" in tried.text
    wrong = writer.post("/terms/new", data={"effective_from": "2026-03-05T00:00", "body": '{"shares": 1.5}'})
    assert wrong.status_code == 422
    assert 'id="body-error"' in wrong.text
    saved = writer.post("/terms/new", data={"effective_from": "2026-03-05T00:00", "body": json.dumps(body)})
    assert saved.status_code == 302, saved.text
    assert writer.post(f"{saved.location}/approve").status_code == 403
    assert approver.post(f"{saved.location}/approve").status_code == 302
    page = approver.get(f"{saved.location}?lang=en")
    assert "Approved" in page.text
    assert approver.get("/terms").status_code == 200


def test_a_channel_form_says_at_the_field_what_is_wrong(shop: Shop):
    browser = shop.logins.browser("finance")
    refused = browser.post("/orders/channel", data={"amount_minor": "a lot", "reference": "BANK-9"})
    assert refused.status_code == 422
    assert 'id="amount_minor-error"' in refused.text
    assert 'value="BANK-9"' in refused.text
