"""One parcel lives its whole life, and machines tell and ask: booked, planned, scanned, tracked, paid for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from app.dispatch import jobs as dispatch_jobs
from app.payouts import service as payouts
from tests.app.orders.build import BODY
from tests.flows.books import assert_books_are_whole, available_of, debt_of
from tests.support.app import Api, Logins
from tests.support.company import CONSIGNEE_PHONE, SHIPPER_PHONE, Company, company
from tests.support.labels import codes_by_page
from tracking.numbers import is_waybill_number
from tracking.shipment import ScanCode


@pytest.fixture(scope="module")
def carrier(new_tenant: Callable[[], Logins]) -> Company:
    return company(new_tenant())


def test_the_thread_by_api(carrier: Company) -> None:
    find_the_shipper(carrier)
    number = book(carrier)
    both_topologies(carrier)
    plan_the_pickup(carrier, number)
    send_scans(carrier, number)
    track(carrier, number)
    link = "/api/v1/links/" + carrier.link(number).removeprefix("/t/")
    earned = confirm_receipt(carrier, number, link)
    pay_out(carrier, earned)
    new_terms(carrier)
    case = complain_and_answer(carrier, number, link)
    compensate(carrier, number, case)
    one_timeline(carrier, number, case)
    assert_books_are_whole(carrier)


def test_a_request_sent_twice_books_once(carrier: Company) -> None:
    shipper = carrier.logins.api("shipper", carrier.shipper_id)
    body = carrier.booking_body()
    first, again = (shipper.post("/api/v1/shipments", json=body, key="same") for _time in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    changed = shipper.post("/api/v1/shipments", json=body | {"goods": "别的"}, key="same")
    assert changed.status_code == 422


def test_scans_that_cannot_be_kept_say_why_and_stop_no_others(carrier: Company) -> None:
    api = carrier.logins.api("dispatcher")
    good = carrier.life(carrier.book(), until=ScanCode.ACCEPTED)
    future = (carrier.now + timedelta(days=30)).isoformat()
    bad = [
        good[0] | {"code": "teleported", "client_scan_id": "b1"},
        good[0] | {"occurred_at": future, "client_scan_id": "b2"},
        good[0] | {"facility_id": 2**40, "client_scan_id": "b3"},
        good[0] | {"number": "WH000000000000", "client_scan_id": "b4"},
    ]
    carrier.send(api, good[:1])
    results = api.post("/api/v1/scans", json=[*bad, *good[:1]], key=None).json["items"]
    assert [result["status"] for result in results] == ["rejected"] * 3 + ["unmatched", "duplicate"]
    assert all(result["detail"] for result in results[:3])


def test_errors_are_problems(carrier: Company) -> None:
    shipper = carrier.logins.api("shipper", carrier.shipper_id)
    body = carrier.booking_body()
    body["consignee"] = body["consignee"] | {"phone": "not a phone"}
    for answer, status in (
        (shipper.post("/api/v1/shipments", json=body), 422),
        (shipper.post("/api/v1/shipments", json=body | {"weight_g": "heavy"}), 422),
        (shipper.post("/api/v1/shipments", json=carrier.booking_body(), key=None), 400),
        (shipper.post("/api/v1/shipments", data="{", content_type="application/json"), 400),
        (shipper.get("/api/v1/shipments/WH000000000000"), 404),
        (shipper.get("/api/v1/shipments?cursor=made-up"), 400),
    ):
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= answer.json.keys()
        assert answer.json["status"] == status


def test_lists_are_walked_by_cursors(carrier: Company) -> None:
    booked = {carrier.book(customer_id=carrier.other_shipper_id) for _serial in range(5)}
    shipper = carrier.logins.api("shipper", carrier.other_shipper_id)
    found: list[str] = []
    address = "/api/v1/shipments?limit=2"
    while address:
        answer = shipper.get(address)
        found += [item["waybill_number"] for item in answer.json["items"]]
        link = answer.headers.get("Link", "")
        address = link.partition(">")[0].removeprefix("<")
    assert len(found) == 5
    assert set(found) == booked


def find_the_shipper(carrier: Company) -> None:
    """1. The record is found by phone, or made."""
    agent = carrier.logins.api("agent")
    known = agent.post("/api/v1/customers", json={"name": "another name", "phone": SHIPPER_PHONE})
    assert (known.status_code, known.json["id"], known.json["name"]) == (200, carrier.shipper_id, "锦城茶业")
    new = agent.post("/api/v1/customers", json={"name": "江城书店", "phone": "13611113333"})
    assert new.status_code == 201
    assert agent.get(new.headers["Location"]).json["name"] == "江城书店"


def book(carrier: Company) -> str:
    """1. Price and promise first, then a number and labels that scan back."""
    shipper = carrier.logins.api("shipper", carrier.shipper_id)
    body = carrier.booking_body(declared_value_minor=80_000, pieces=2)
    parcel = {"weight_g": 2300, "declared_value_minor": 80_000, "pieces": 2}
    ends = {end: {"district_adcode": body[end]["district_adcode"]} for end in ("sender", "consignee")}
    quote = shipper.post("/api/v1/quotes", json=ends | parcel).json
    assert quote["total_minor"] == sum(charge["amount_minor"] for charge in quote["charges"]) == 2750
    answer = shipper.post("/api/v1/shipments", json=body)
    assert answer.status_code == 201, answer.text
    booked = answer.json
    number = str(booked["waybill_number"])
    assert is_waybill_number(number)
    assert booked["total_minor"] == quote["total_minor"]
    assert (booked["promised_from"], booked["promised_to"]) == (quote["promised_from"], quote["promised_to"])
    departures = [leg["departure_at"] for leg in booked["legs"]]
    assert len(departures) == 5
    assert departures == sorted(departures)
    label = shipper.get(f"/api/v1/shipments/{number}/label.pdf")
    address = f"http://127.0.0.1:8000/track/{number}"
    assert codes_by_page(label.data) == [{f"{number}-001", address}, {f"{number}-002", address}]
    shown = shipper.get(answer.headers["Location"]).json
    assert shown["milestone"] == "booked"
    assert [leg["planned_departure_at"] for leg in shown["legs"]] == departures
    return number


def both_topologies(carrier: Company) -> None:
    """2. The same parcel over the hubs, and as if every two places had a line."""
    api = carrier.logins.api("dispatcher")
    ways = {
        topology: api.get(
            "/api/v1/network/itineraries",
            query_string={
                "from_facility_id": carrier.facilities["CTU-01"],
                "to_facility_id": carrier.facilities["HGH-01"],
                "ready_at": "2026-03-02T09:00:00+08:00",
                "topology": topology,
            },
        ).json
        for topology in ("hub", "point_to_point")
    }
    assert [len(way["legs"]) for way in ways.values()] == [5, 1]
    assert ways["point_to_point"]["lines"] == 12 * 11
    assert ways["hub"]["lines"] < ways["point_to_point"]["lines"]


def plan_the_pickup(carrier: Company, number: str) -> None:
    """3. The day's list, the plan with what it leaves out and why, the published round."""
    too_heavy = carrier.book(weight_g=150_000)
    carrier.relay()
    api = carrier.logins.api("dispatcher")
    outlet = carrier.facilities["CTU-01"]
    stops = api.get(f"/api/v1/dispatch/stops?facility_id={outlet}&status=open").json["items"]
    stop_of = {stop["number"]: stop for stop in stops}
    assert stop_of.keys() == {number, too_heavy}
    asked = api.post(
        "/api/v1/dispatch/plans",
        json={"facility_id": outlet, "day": stop_of[number]["day"], "seconds": 5},
    )
    assert asked.status_code == 202
    assert dispatch_jobs.solve_next(carrier.logins.database, carrier.logins.clock)
    plan = api.get(asked.headers["Location"]).json
    assert plan["status"] == "draft"
    assert [visit["stop_id"] for round_ in plan["rounds"] for visit in round_["visits"]] == [
        stop_of[number]["id"]
    ]
    (unserved,) = plan["unserved"]
    assert unserved["stop_id"] == stop_of[too_heavy]["id"]
    assert "capacity" in unserved["reason"]
    published = api.post(f"/api/v1/dispatch/plans/{plan['id']}/publish", json={"version": plan["version"]})
    assert published.json["status"] == "published"
    stale = api.post(f"/api/v1/dispatch/plans/{plan['id']}/publish", json={"version": 1})
    assert stale.status_code == 409
    run = carrier.logins.api("courier", carrier.couriers["CTU-01"]).get("/api/v1/dispatch/run").json
    assert [visit["number"] for visit in run["visits"]] == [number]


def send_scans(carrier: Company, number: str) -> None:
    """4. In batches, shuffled, each more than once: the state is that of the order in which it happened."""
    api = carrier.logins.api("dispatcher")
    scans = carrier.life(number)
    pick = Random(5)
    batch = [*scans, *scans, *scans[::2]]
    pick.shuffle(batch)
    results = carrier.send(api, batch)
    assert sorted(result["status"] for result in results) == ["duplicate"] * (len(batch) - len(scans)) + [
        "recorded"
    ] * len(scans)
    late = pick.sample(scans, len(scans))
    assert {result["status"] for result in carrier.send(api, late)} == {"duplicate"}
    detail = shipment(api, number)
    assert detail["milestone"] == "delivered"
    assert [scan["code"] for scan in detail["scans"]] == ["booked", *(scan["code"] for scan in scans)]
    assert datetime.fromisoformat(detail["delivered_at"]) == datetime.fromisoformat(scans[-1]["occurred_at"])
    assert [proof["received_by"] for proof in detail["proofs"]] == ["王建国"]
    # Something that happened on the way and is heard only now moves nothing back.
    forgotten = scans[3] | {"code": "sorted", "client_scan_id": "forgotten"}
    assert carrier.send(api, [forgotten])[0]["status"] == "recorded"
    assert shipment(api, number)["milestone"] == "delivered"
    carrier.relay()


def shipment(api: Api, number: str) -> dict[str, Any]:
    answer = api.get(f"/api/v1/shipments/{number}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def track(carrier: Company, number: str) -> None:
    """5. City, status and time for everybody; the rest with the phone's ending; closed after five wrong."""
    stranger = carrier.logins.app.test_client()
    address = f"/api/v1/track/{number}"
    plain = stranger.get(address).json
    assert plain["milestone"] == "delivered"
    assert plain["sentence"]
    assert plain["details"] is None
    assert {event["place"] for event in plain["events"]} == {None}
    assert "Hangzhou" in {event["city"] for event in plain["events"]}
    opened = stranger.get(address, query_string={"phone_last4": CONSIGNEE_PHONE[-4:]}).json
    assert opened["details_access"] == "open"
    assert opened["details"]["consignee"]["address"].startswith("文三路")
    for expected in ("wrong", "wrong", "wrong", "wrong", "locked"):
        wrong = stranger.get(address, query_string={"phone_last4": "0000"}).json
        assert (wrong["details_access"], wrong["details"]) == (expected, None)
    right = stranger.get(address, query_string={"phone_last4": CONSIGNEE_PHONE[-4:]}).json
    assert (right["details_access"], right["details"]) == ("locked", None)
    many = stranger.get(f"/api/v1/track?numbers={number},WH000000000000").json
    assert [item["waybill_number"] for item in many["items"]] == [number]
    assert many["not_found"] == ["WH000000000000"]


def confirm_receipt(carrier: Company, number: str, link: str) -> dict[int, int]:
    """6. Whoever holds the link confirms, or an agent on the phone: held becomes available, once."""
    shipper = carrier.logins.api("shipper", carrier.shipper_id)
    assert shipper.post(f"/api/v1/shipments/{number}/receipt").status_code == 403
    agent, finance = carrier.logins.api("agent"), carrier.logins.api("finance")
    order = finance.get(f"/api/v1/orders/O{number}").json
    assert (order["status"], order["total_minor"]) == ("held", 2750)
    shares = {share["party_id"]: share["amount_minor"] for share in order["shares"]}
    before = available_of(carrier)
    consignee = carrier.logins.app.test_client()
    assert consignee.get(link).json["details"]["consignee"]["address"].startswith("文三路")
    for _time in range(2):
        assert consignee.post(f"{link}/receipt").status_code == 200
    assert consignee.post(f"{link[:-3]}AAA/receipt").status_code == 404
    again = agent.post(f"/api/v1/shipments/{number}/receipt")
    assert again.status_code == 200
    assert again.json["receipt_confirmed_at"] is not None
    carrier.relay()
    assert finance.get(f"/api/v1/orders/O{number}").json["status"] == "released"
    after = available_of(carrier)
    assert {party: after[party] - before.get(party, 0) for party in after} == shares
    entries = finance.get(f"/api/v1/ledger/entries?evidence_kind=shipment&evidence_ref={number}").json[
        "items"
    ]
    assert len([entry for entry in entries if entry["key"].endswith(":released")]) == 1
    assert all(sum(line["amount_minor"] for line in entry["lines"]) == 0 for entry in entries)
    return shares


def pay_out(carrier: Company, earned: dict[int, int]) -> None:
    """6. Prepared by one, approved by another, given to the bank, and what the bank says of each."""
    maker = carrier.logins.api("finance", who="maker")
    checker = carrier.logins.api("finance", who="checker")
    early = maker.post("/api/v1/payouts", json={"currency": "CNY"})
    assert early.status_code == 409, "the channel still has the money"
    too_much = {"amount_minor": 10**9, "reference": "bank 1"}
    assert maker.post("/api/v1/channel-settlements", json=too_much).status_code == 409
    accounts = maker.get("/api/v1/ledger/accounts?purpose=channel_clearing").json["items"]
    handed = {"amount_minor": sum(row["balance_minor"] for row in accounts), "reference": "bank 1"}
    for _time in range(2):
        settled = maker.post("/api/v1/channel-settlements", json=handed)
        assert (settled.status_code, settled.json["waiting_minor"]) == (201, 0)
    prepared = maker.post("/api/v1/payouts", json={"currency": "CNY"})
    assert prepared.status_code == 201, prepared.text
    address = f"/api/v1/payouts/{prepared.json['number']}"
    paid = {item["party_id"]: item["amount_minor"] for item in prepared.json["items"]}
    assert paid == {party: minor for party, minor in earned.items() if minor >= payouts.THRESHOLD_MINOR}
    assert maker.post(f"{address}/approve").status_code == 403
    assert maker.post(f"{address}/export").status_code == 422, "not approved yet"
    assert checker.post(f"{address}/approve").json["status"] == "approved"
    file = maker.post(f"{address}/export")
    assert file.mimetype == "text/csv"
    assert len(file.text.strip().splitlines()) == 1 + len(paid)
    assert maker.post(f"{address}/export").data == file.data
    assert maker.get(address).json["status"] == "exported"
    bounced, *others = paid
    reports = [{"party_id": party, "paid": party != bounced} for party in (bounced, *others, bounced)]
    results = maker.post(f"{address}/reports", json={"items": reports}).json["items"]
    assert [result["status"] for result in results] == ["recorded"] * len(paid) + ["refused"]
    assert maker.get(address).json["status"] == "settled"
    assert available_of(carrier)[bounced] == paid[bounced], "what bounced is available again"
    assert maker.post(f"{address}/cancel", json={"reason": "too late"}).status_code == 422
    again = maker.post("/api/v1/payouts", json={"currency": "CNY"}).json
    given_up = maker.post(f"/api/v1/payouts/{again['number']}/cancel", json={"reason": "a wrong account"})
    assert given_up.json["status"] == "cancelled"
    assert available_of(carrier)[bounced] == paid[bounced]


def new_terms(carrier: Company) -> None:
    """6. The rule that orders are split by: tried out, written by one, approved by another, read in words."""
    maker = carrier.logins.api("finance", who="maker")
    checker = carrier.logins.api("finance", who="checker")
    trial = maker.post("/api/v1/terms/trial", json={"body": BODY}).json
    assert trial["orders"] > 0
    assert sum(row["difference_minor"] for row in trial["differences"]) == 0
    later = (carrier.now + timedelta(days=60)).isoformat()
    wrong = maker.post("/api/v1/terms", json={"body": {"currency": "CNY"}, "effective_from": later})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"][:5]) == (422, "/body")
    made = maker.post("/api/v1/terms", json={"body": BODY, "effective_from": later})
    assert (made.status_code, made.json["status"]) == (201, "draft"), made.text
    assert made.json["lines"]
    address = made.headers["Location"]
    assert maker.post(f"{address}/approve").status_code == 403
    assert checker.post(f"{address}/approve").json["status"] == "approved"
    assert maker.post(f"{address}/withdraw").status_code == 409
    assert maker.get("/api/v1/terms").json["items"][0]["id"] == made.json["id"]
    assert maker.get(address).json["body"] == made.json["body"]


def complain_and_answer(carrier: Company, number: str, link: str) -> str:
    """7. By the link or by the shipper's machine; the desk answers; notes stay inside."""
    shipper, agent = carrier.logins.api("shipper", carrier.shipper_id), carrier.logins.api("agent")
    opened = shipper.post(
        "/api/v1/cases", json={"waybill_number": number, "category": "damaged", "body": "两盒茶叶洒出。"}
    )
    assert opened.status_code == 201, opened.text
    case = str(opened.json["number"])
    assert case in [item["number"] for item in agent.get("/api/v1/cases").json["items"]]
    messages = f"/api/v1/cases/{case}/messages"
    assert agent.post(messages, json={"body": "照片属实。", "internal": True}).status_code == 201
    assert agent.post(messages, json={"body": "我们将赔付。", "version": 1}).status_code == 409
    assert agent.post(messages, json={"body": "我们将赔付。"}).status_code == 201
    seen = [event["body"] for event in shipper.get(f"/api/v1/cases/{case}").json["events"]]
    assert "我们将赔付。" in seen
    assert "照片属实。" not in seen
    complain_by_link(carrier, agent, link)
    return case


def complain_by_link(carrier: Company, agent: Api, link: str) -> None:
    """7. The consignee's own complaint: opened once however often it is sent, answered, resolved, closed."""
    consignee = carrier.logins.app.test_client()
    words = {"category": "late", "body": "比承诺晚了一天。", "phone": CONSIGNEE_PHONE}
    first, again = (consignee.post(f"{link}/cases", json=words) for _time in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json["number"] == again.json["number"]
    bad = consignee.post(f"{link}/cases", json=words | {"body": "电话不对。", "phone": "123"})
    assert (bad.status_code, bad.json["errors"][0]["pointer"]) == (422, "/phone")
    case = f"/api/v1/cases/{first.json['number']}"
    assert agent.post(f"{case}/owner", json={}).json["owner_name"] is not None
    assert agent.post(f"{case}/messages", json={"body": "哪一天到的？"}).status_code == 201
    assert agent.post(f"{case}/wait", json={}).json["status"] == "waiting_customer"
    said = consignee.post(f"{first.headers['Location']}/messages", json={"body": "昨天。"})
    assert (said.status_code, said.json["status"]) == (201, "open")
    assert "哪一天到的？" in [event["body"] for event in said.json["events"]]
    assert agent.post(f"{case}/close", json={}).status_code == 409, "not resolved yet"
    stale = agent.post(f"{case}/resolve", json={"resolution": "致歉。", "version": 1})
    assert stale.status_code == 409
    assert agent.post(f"{case}/resolve", json={"resolution": "致歉。"}).json["status"] == "resolved"
    assert consignee.get(first.headers["Location"]).json["resolution"] == "致歉。"
    assert agent.post(f"{case}/close", json={}).json["status"] == "closed"


def compensate(carrier: Company, number: str, case: str) -> None:
    """7. The award is a new entry that rests on case, claim and scans, and one party bears it."""
    finance, shipper = carrier.logins.api("finance"), carrier.logins.api("shipper", carrier.shipper_id)
    agent = carrier.logins.api("agent")
    address = f"/api/v1/ledger/entries?evidence_kind=shipment&evidence_ref={number}"
    before = {entry["id"]: entry["hash"] for entry in finance.get(address).json["items"]}
    claims = f"/api/v1/cases/{case}/claims"
    assert shipper.post(claims, json={"claimed_minor": 12_000}).status_code == 403
    hasty = agent.post(claims, json={"claimed_minor": 500})
    assert hasty.status_code == 201, hasty.text
    refused = finance.post(f"{claims}/{hasty.json['claims'][0]['id']}/refuse", json={"reason": "two boxes"})
    assert refused.json["claims"][0]["status"] == "refused"
    proposed = agent.post(claims, json={"claimed_minor": 12_000}).json["claims"][-1]
    assert (proposed["status"], proposed["award_minor"]) == ("proposed", 12_000)
    assert agent.post(claims, json={"claimed_minor": 1_000}).status_code == 409, "one stands already"
    assert agent.post(f"{claims}/{proposed['id']}/approve").status_code == 403
    for _time in range(2):
        approved = finance.post(f"{claims}/{proposed['id']}/approve")
        assert approved.json["claims"][-1]["status"] == "posted"
    entries = {entry["id"]: entry for entry in finance.get(address).json["items"]}
    (new,) = entries.keys() - before.keys()
    assert before == {entry_id: entries[entry_id]["hash"] for entry_id in before}
    assert {"case", "claim", "scan", "shipment"} <= {item["kind"] for item in entries[new]["evidence"]}
    assert debt_of(carrier, carrier.courier_parties["HGH-01"]) == 12_000
    (told,) = shipper.get(f"/api/v1/cases/{case}").json["claims"]
    assert (told["award_minor"], told["status"], told["article"]) == (12_000, "posted", "27")
    assert told["bearer_party_id"] is None  # the staff's business


def one_timeline(carrier: Company, number: str, case: str) -> None:
    """8. Everything that happened with the customer, on one line, newest first."""
    agent = carrier.logins.api("agent")
    entries: list[dict[str, Any]] = []
    address = f"/api/v1/customers/{carrier.shipper_id}/timeline?limit=5"
    while address:
        answer = agent.get(address)
        entries += answer.json["items"]
        address = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    moments = [entry["at"] for entry in entries]
    assert moments == sorted(moments, reverse=True)
    told = {
        (entry["kind"], entry["what"]) for entry in entries if entry["number"] in (number, f"O{number}", case)
    }
    assert told >= {
        ("shipment", "sent"),
        ("order", "placed"),
        ("order", "paid"),
        ("order", "released"),
        ("scan", "collected"),
        ("scan", "delivered"),
        ("scan", "receipt_confirmed"),
        ("case", "opened"),
        ("case", "reply"),
        ("claim", "claim_proposed"),
        ("claim", "claim_posted"),
    }
