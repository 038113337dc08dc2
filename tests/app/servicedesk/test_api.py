"""The machine's door: cases opened once, listed page by page, answered; another's stay unknown."""

from __future__ import annotations

import pytest

from app.servicedesk import queries, service
from tests.app.servicedesk.build import Desk
from tests.app.servicedesk.test_claims import lost_on_the_way


@pytest.fixture(scope="module")
def agent(desk: Desk):
    return desk.logins.api("agent")


@pytest.fixture(scope="module")
def shipper(desk: Desk):
    return desk.logins.api("shipper", desk.shop.customer_id)


@pytest.fixture(scope="module")
def parcel(desk: Desk):
    with desk.work() as session:
        return desk.book(session)


def body(parcel, **changes) -> dict:
    return {"waybill_number": parcel.waybill_number, "category": "late", "body": "还没到"} | changes


def test_a_case_sent_twice_is_opened_once(desk: Desk, shipper, parcel):
    first = shipper.post("/api/v1/cases", key="one", json=body(parcel))
    again = shipper.post("/api/v1/cases", key="one", json=body(parcel))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["number"] == again.json["number"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == f"/api/v1/cases/{first.json['number']}"
    assert first.json["customer_id"] == desk.shop.customer_id
    assert first.json["channel"] == "api"
    assert shipper.post("/api/v1/cases", key=None, json=body(parcel)).status_code == 400


def test_staff_say_who_complains_or_it_is_the_sender(desk: Desk, agent, parcel):
    named = agent.post("/api/v1/cases", json=body(parcel, customer_id=desk.consignee_id))
    assert named.json["customer_id"] == desk.consignee_id
    assert agent.post("/api/v1/cases", json=body(parcel)).json["customer_id"] == desk.shop.customer_id
    nobody = agent.post("/api/v1/cases", json={"category": "price", "body": "贵"})
    assert nobody.status_code == 422
    assert nobody.json["errors"][0]["pointer"] == "/customer_id"


@pytest.mark.parametrize(
    "wrong",
    [{"category": "weather"}, {"body": ""}, {"extra": 1}, {"waybill_number": 5}, {"body": "x" * 5001}],
)
def test_wrong_input_is_named(shipper, parcel, wrong):
    answer = shipper.post("/api/v1/cases", json=body(parcel, **wrong))
    assert answer.status_code == 422
    assert answer.json["errors"]


def test_cases_come_page_by_page(shipper, parcel):
    for _ in range(3):
        shipper.post("/api/v1/cases", json=body(parcel))
    whole = shipper.get("/api/v1/cases?limit=500").json["items"]
    numbers, path = [], "/api/v1/cases?limit=2"
    while path:
        answer = shipper.get(path)
        numbers += [row["number"] for row in answer.json["items"]]
        cursor = answer.json["next_cursor"]
        path = f"/api/v1/cases?limit=2&cursor={cursor}" if cursor else ""
    assert numbers == [row["number"] for row in whole]
    assert shipper.get("/api/v1/cases?cursor=zzz").status_code == 400
    assert shipper.get("/api/v1/cases?show=everything").status_code == 422


def test_both_sides_write_and_only_one_sees_the_notes(agent, shipper, parcel):
    number = shipper.post("/api/v1/cases", json=body(parcel)).json["number"]
    path = f"/api/v1/cases/{number}/messages"
    assert agent.post(path, json={"body": "只给自己", "internal": True}).status_code == 201
    assert agent.post(path, json={"body": "在查", "version": 2}).status_code == 201
    stale = agent.post(path, json={"body": "晚了", "version": 2})
    assert stale.status_code == 409
    assert [change["body"] for change in stale.json["changes"]] == ["在查"]
    seen = shipper.post(path, json={"body": "谢谢", "internal": True})
    assert [event["kind"] for event in seen.json["events"]] == ["opened", "reply", "customer_message"]
    assert {event["by"] for event in seen.json["events"]} == {None}
    assert len(agent.get(f"/api/v1/cases/{number}").json["events"]) == 4


def test_a_shipper_is_told_of_awards_without_the_bearer(desk: Desk, agent, shipper):
    with desk.work() as session:
        _parcel, case, _key = lost_on_the_way(session, desk)
        claim = service.propose_claim(session, desk.agent, case, claimed_minor=900, now=desk.now)
    path = f"/api/v1/cases/{case.number}"
    assert shipper.get(path).json["claims"] == []
    assert agent.get(path).json["claims"][0]["bearer_party_id"] == desk.shop.world.parties["TRUNK"]
    with desk.work() as session:
        mine = queries.load_claim(session, desk.finance, case.number, claim.id)
        service.approve_claim(session, desk.finance, mine, now=desk.now)
    (told,) = shipper.get(path).json["claims"]
    assert (told["award_minor"], told["status"]) == (900, "posted")
    assert (told["bearer_party_id"], told["evidence"]) == (None, [])


def test_the_line_of_time(desk: Desk, agent, shipper, parcel):
    path = f"/api/v1/customers/{desk.shop.customer_id}/timeline"
    entries = agent.get(f"{path}?limit=500").json["items"]
    assert {entry["kind"] for entry in entries} >= {"shipment", "order", "case", "claim"}
    alone = agent.get(f"{path}?kind=order&limit=1")
    assert alone.json["items"][0]["kind"] == "order"
    assert 'rel="next"' in alone.headers["Link"]
    assert shipper.get(path).status_code == 403


def test_what_is_another_customers_or_tenants_does_not_exist(desk: Desk, agent, shipper, parcel, new_tenant):
    of_another = agent.post("/api/v1/cases", json=body(parcel, customer_id=desk.consignee_id)).json["number"]
    elsewhere = new_tenant().api("agent")
    for machine in (shipper, elsewhere):
        assert machine.get(f"/api/v1/cases/{of_another}").status_code == 404
        assert machine.post(f"/api/v1/cases/{of_another}/messages", json={"body": "x"}).status_code == 404
    assert elsewhere.get(f"/api/v1/customers/{desk.shop.customer_id}/timeline").status_code == 404
    assert elsewhere.post("/api/v1/cases", json=body(parcel)).status_code == 404
    assert desk.logins.api("hub").get("/api/v1/cases").status_code == 403
