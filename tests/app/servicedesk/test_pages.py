"""The desk through HTTP: every page in both languages, what is refused, and what a shipper never sees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.servicedesk import queries, service
from app.servicedesk.queries import CaseFilter, Show
from app.servicedesk.values import CaseCategory, CaseChannel, CaseStatus, ClaimStatus
from tests.app.servicedesk.build import Desk
from tests.app.servicedesk.test_claims import lost_on_the_way


@pytest.fixture(scope="module")
def delivered(desk: Desk):
    with desk.work() as session:
        parcel = desk.book(session)
        desk.deliver(session, parcel)
    return parcel


@pytest.fixture
def case(desk: Desk, delivered):
    with desk.work() as session:
        return desk.complain(session, delivered, subject="盒子破了")


@pytest.fixture(scope="module")
def agent(desk: Desk):
    return desk.logins.browser("agent")


@pytest.fixture(scope="module")
def finance(desk: Desk):
    return desk.logins.browser("finance")


@pytest.fixture(scope="module")
def shipper(desk: Desk):
    return desk.logins.browser("shipper", desk.shop.customer_id)


def load(desk: Desk, number: str):
    with desk.work() as session:
        return queries.load_case(session, desk.agent, number)


def write(client, case, act: str, body: str, version: int):
    return client.post(f"/cases/{case.number}/messages", data={"body": body, "version": version, "act": act})


def test_every_page_in_both_languages(desk: Desk, agent, finance, shipper, case):
    with desk.work() as session:
        claim = service.propose_claim(
            session,
            desk.agent,
            queries.load_case(session, desk.agent, lost(session, desk)),
            claimed_minor=1200,
            now=desk.now,
        )
        number = claim.case.number
    pages = {
        agent: (
            "/cases",
            "/cases?show=overdue&q=x&category=late&status=open",
            "/cases/new",
            f"/cases/new?customer={desk.shop.customer_id}",
            f"/cases/{case.number}",
            f"/cases/{number}",
            f"/customers/{desk.shop.customer_id}",
            f"/customers/{desk.consignee_id}?kind=case",
        ),
        finance: (f"/cases/{number}", "/cases?show=claims", f"/customers/{desk.shop.customer_id}"),
        shipper: ("/cases", "/cases/new", f"/cases/{case.number}"),
    }
    for client, addresses in pages.items():
        for address in addresses:
            for language in ("en", "zh"):
                answer = client.get(address, headers={"Accept-Language": language})
                assert answer.status_code == 200, (address, answer.text)


def lost(session, desk: Desk) -> str:
    _parcel, case, _key = lost_on_the_way(session, desk)
    return case.number


def test_an_agent_answers_notes_waits_and_resolves(desk: Desk, agent, case):
    assert write(agent, case, "note", "内部看法", case.version).status_code == 302
    assert write(agent, case, "reply_and_wait", "请发照片", 2).status_code == 302
    assert load(desk, case.number).status is CaseStatus.WAITING_CUSTOMER
    with desk.work() as session:
        service.customer_message(
            session, queries.load_case(session, desk.agent, case.number), "好", now=desk.now
        )
    version = load(desk, case.number).version
    assert write(agent, case, "resolve", "赔付 12 元", version).status_code == 302
    assert load(desk, case.number).resolution == "赔付 12 元"
    closed = agent.post(f"/cases/{case.number}/close", data={"version": version + 1})
    assert closed.status_code == 302
    assert load(desk, case.number).status is CaseStatus.CLOSED


def test_a_stale_answer_is_kept_and_shown_what_is_new(desk: Desk, agent, case):
    assert write(agent, case, "reply", "第一句", case.version).status_code == 302
    stale = write(agent, case, "reply", "第二句", case.version)
    assert stale.status_code == 409
    assert "第一句" in stale.text
    assert "第二句" in stale.text
    assert 'name="version" type="hidden" value="2"' in stale.text
    assert "第二句" in agent.get(f"/cases/{case.number}").text  # as a draft


def test_a_step_that_cannot_be_is_refused_and_the_words_are_kept(desk: Desk, agent, case):
    with desk.work() as session:
        held = queries.load_case(session, desk.agent, case.number)
        service.wait_for_customer(session, desk.agent, held, now=desk.now)
    refused = write(agent, case, "reply_and_wait", "再等等", 2)
    assert refused.status_code == 409
    assert "再等等" in refused.text
    assert load(desk, case.number).version == 2
    for path, data in (("wait", {"version": 2}), ("close", {"version": 2}), ("take", {"version": 1})):
        assert agent.post(f"/cases/{case.number}/{path}", data=data).status_code == 409
    assert agent.post(f"/cases/{case.number}/take", data={}).status_code == 422
    assert write(agent, case, "reply", "", 2).status_code == 422


def test_a_case_is_taken_and_given_away(desk: Desk, agent, case):
    assert agent.post(f"/cases/{case.number}/take", data={"version": 1}).status_code == 302
    assert load(desk, case.number).owner_id is not None
    given = agent.post(
        f"/cases/{case.number}/owner", data={"version": 2, "owner_id": desk.second_agent.user_id}
    )
    assert given.status_code == 302
    assert load(desk, case.number).owner_id == desk.second_agent.user_id
    wrong = agent.post(f"/cases/{case.number}/owner", data={"version": 3, "owner_id": desk.finance.user_id})
    assert wrong.status_code == 422


def test_taking_marked_cases_tells_of_each(desk: Desk, agent, case):
    answer = agent.post("/cases/take", data={"number": [case.number, "CS-19990101-0001"]})
    assert answer.status_code == 200
    assert "1 of 2 cases are yours now." in answer.text
    assert "there is no such case" in answer.text


def test_a_draft_is_kept_while_typing(desk: Desk, agent, case):
    kept = agent.post(f"/cases/{case.number}/draft", data={"body": "写到一半"})
    assert "Draft kept at" in kept.text
    assert "写到一半" in agent.get(f"/cases/{case.number}").text
    assert agent.post(f"/cases/{case.number}/draft", data={"body": ""}).text.strip() == ""


def test_the_claim_is_proposed_by_one_and_approved_by_another(desk: Desk, agent, finance):
    with desk.work() as session:
        number = lost(session, desk)
    path = f"/cases/{number}/claims"
    for wrong in ("", "abc", "0", "-1", "1.234"):
        assert agent.post(path, data={"version": 1, "kind": "lost", "claimed": wrong}).status_code == 422
    too_much = agent.post(path, data={"version": 1, "kind": "lost", "claimed": "300", "total_value": "200"})
    assert too_much.status_code == 422
    assert "more than the goods are worth" in too_much.text
    assert agent.post(path, data={"version": 9, "kind": "lost", "claimed": "3"}).status_code == 409
    assert agent.post(path, data={"version": 1, "kind": "lost", "claimed": "300.50"}).status_code == 302
    page = agent.get(f"/cases/{number}").text
    assert "300.50" in page
    assert "Civil Code" in page
    assert "长江干线物流" in page
    claim = load(desk, number).claims[0]
    approval = f"{path}/{claim.id}/approve"
    assert agent.post(approval).status_code == 403
    assert "data-confirm" in finance.get(f"/cases/{number}").text
    assert finance.post(approval).status_code == 302
    assert load(desk, number).claims[0].status is ClaimStatus.POSTED
    assert f"claim:{claim.id}:awarded" in finance.get(f"/cases/{number}").text


def test_a_claim_without_custody_says_so(desk: Desk, agent):
    with desk.work() as session:
        case = desk.complain(session, desk.book(session))
    answer = agent.post(f"/cases/{case.number}/claims", data={"version": 1, "kind": "lost", "claimed": "3"})
    assert answer.status_code == 422
    assert "No scan shows that we had the parcel" in answer.text


def test_a_claim_is_not_approved_with_a_reason(desk: Desk, finance):
    with desk.work() as session:
        case = queries.load_case(session, desk.agent, lost(session, desk))
        claim = service.propose_claim(session, desk.agent, case, claimed_minor=500, now=desk.now)
    path = f"/cases/{case.number}/claims/{claim.id}/refuse"
    assert finance.post(path, data={"reason": ""}).status_code == 422
    assert finance.post(path, data={"reason": "缺少发票"}).status_code == 302
    assert load(desk, case.number).claims[0].refusal == "缺少发票"


def test_a_shipper_sees_his_own_words_and_the_outcome_only(desk: Desk, shipper):
    with desk.work() as session:
        case = queries.load_case(session, desk.agent, lost(session, desk))
        service.note(session, desk.agent, case, "这个客户常常投诉", now=desk.now)
        claim = service.propose_claim(session, desk.agent, case, claimed_minor=700, now=desk.now)
    for address in (f"/cases/{case.number}", "/cases", "/cases?show=claims"):
        assert "7.00" not in shipper.get(address, headers={"Accept-Language": "en"}).text
    with desk.work() as session:
        case = queries.load_case(session, desk.agent, case.number)
        claim = case.claims[0]
        service.reply(session, desk.agent, case, "正在处理", now=desk.now)
        service.approve_claim(session, desk.finance, claim, now=desk.now)
    page = shipper.get(f"/cases/{case.number}", headers={"Accept-Language": "en"}).text
    assert "正在处理" in page
    assert "7.00" in page
    for hidden in ("这个客户常常投诉", "长江干线物流", desk.agent.name, "Because"):
        assert hidden not in page
    told = shipper.post(f"/cases/{case.number}/messages", data={"body": "谢谢", "version": 1, "act": "note"})
    assert told.status_code == 302
    assert "谢谢" in shipper.get(f"/cases/{case.number}").text
    assert shipper.post(f"/cases/{case.number}/close", data={"version": 9}).status_code == 403


def test_nobody_sees_what_is_not_his(desk: Desk, shipper, new_tenant):
    with desk.work() as session:
        of_another = desk.complain(session, None, customer_id=desk.consignee_id)
    elsewhere = new_tenant()
    for client in (shipper, elsewhere.browser("agent"), elsewhere.browser("admin")):
        assert client.get(f"/cases/{of_another.number}").status_code == 404
        assert write(client, of_another, "reply", "x", 1).status_code == 404
        assert client.post(f"/cases/{of_another.number}/claims/1/approve").status_code in (403, 404)
    assert elsewhere.browser("agent").get(f"/customers/{desk.shop.customer_id}").status_code == 404
    assert shipper.get(f"/customers/{desk.shop.customer_id}").status_code == 403
    for role in ("hub", "courier", "dispatcher"):
        assert desk.logins.browser(role).get("/cases").status_code == 403


def test_a_caller_is_recognised_or_made_and_chooses_his_shipment(desk: Desk, agent, delivered):
    known = agent.post("/cases/new", data={"phone": "138 0000 0001"})
    assert known.headers["Location"] == f"/cases/new?customer={desk.shop.customer_id}"
    unknown = agent.post("/cases/new", data={"phone": "13512345678"})
    assert unknown.status_code == 422
    assert "Ask for the name" in unknown.text
    assert agent.post("/cases/new", data={"phone": "12"}).status_code == 422
    made = agent.post("/cases/new", data={"phone": "13512345678", "name": "刘女士"})
    assert made.status_code == 302
    chosen = agent.get(known.headers["Location"])
    assert delivered.waybill_number in chosen.text
    opened = agent.post(
        known.headers["Location"],
        data={"waybill_number": delivered.waybill_number, "category": "courier", "body": "态度差"},
    )
    case = load(desk, opened.headers["Location"].rsplit("/", 1)[1])
    assert (case.channel, case.shipment_id) == (CaseChannel.PHONE, delivered.id)
    assert case.owner_id is not None


def test_a_shipper_opens_a_case_of_his_own(desk: Desk, shipper, delivered):
    data = {"waybill_number": delivered.waybill_number, "category": "price", "body": "贵了"}
    opened = shipper.post(f"/cases/new?customer={desk.consignee_id}", data=data)
    case = load(desk, opened.headers["Location"].rsplit("/", 1)[1])
    assert (case.channel, case.customer_id) == (CaseChannel.PORTAL, desk.shop.customer_id)
    assert shipper.post("/cases/new", data=data | {"body": ""}).status_code == 422


def test_the_record_leads_to_everything(desk: Desk, agent, case, delivered):
    page = agent.get(f"/customers/{desk.shop.customer_id}").text
    for link in (f"/cases/{case.number}", delivered.waybill_number, f"O{delivered.waybill_number}"):
        assert link in page
    assert "13800000001" not in page
    only_cases = agent.get(f"/customers/{desk.shop.customer_id}?kind=case").text
    assert delivered.waybill_number not in only_cases


def link_of(desk: Desk, shipment) -> str:
    from app.accounts.models import Installation
    from app.shipments.values import link_token

    with desk.logins.database.unit_of_work(None) as session:
        return link_token(shipment.id, session.get_one(Installation, 1).waybill_key)


def test_the_public_complains_and_reads_the_answer(desk: Desk, client):
    with desk.work() as session:
        parcel = desk.book(session)
    token = link_of(desk, parcel)
    path = f"/t/{token}/complaint"
    assert client.post(path, data={"category": "late", "body": ""}).status_code == 422
    assert client.post(path, data={"category": "weather", "body": "雨"}).status_code == 422
    assert client.post(path, data={"category": "late", "body": "没到", "phone": "12"}).status_code == 422
    opened = client.post(path, data={"category": "late", "body": "没到", "phone": "13900000002"})
    assert opened.status_code == 302
    address = opened.headers["Location"]
    number = address.rsplit("/", 1)[1]
    assert re.fullmatch(r"CS-\d{8}-\d{4}", number)
    case = load(desk, number)
    assert (case.channel, case.category) == (CaseChannel.TRACKING_PAGE, CaseCategory.LATE)
    assert case.customer_id == parcel.consignee_customer_id
    with desk.work() as session:
        held = queries.load_case(session, desk.agent, number)
        service.note(session, desk.agent, held, "只给自己看", now=desk.now)
        service.resolve(session, desk.agent, held, "今天送到", now=desk.now)
    page = client.get(address).text
    assert number in page
    assert "今天送到" in page
    assert "只给自己看" not in page
    assert desk.agent.name not in page
    assert client.post(address, data={"body": "还是没到"}).status_code == 302
    assert load(desk, number).status is CaseStatus.OPEN


def test_a_link_opens_its_own_shipments_cases_only(desk: Desk, client, case, new_tenant):
    with desk.work() as session:
        parcel = desk.book(session)
    token = link_of(desk, parcel)
    assert client.get(f"/t/{token}/complaint/{case.number}").status_code == 404
    assert client.post(f"/t/{token}x/complaint", data={"category": "late", "body": "x"}).status_code == 404


def test_the_sixth_open_complaint_about_a_shipment_is_too_many(desk: Desk, client):
    with desk.work() as session:
        parcel = desk.book(session)
    path = f"/t/{link_of(desk, parcel)}/complaint"
    words = [{"category": "late", "body": f"没到 {serial}"} for serial in range(6)]
    answers = [client.post(path, data=body).status_code for body in words]
    assert answers == [302] * 5 + [429]


def test_the_queue_hides_nothing_that_is_overdue(desk: Desk, case):
    later = desk.now + timedelta(days=8)
    with desk.work() as session:
        page = queries.list_cases(
            session, desk.agent, CaseFilter(Show.OVERDUE), now=later, cursor=None, limit=500
        )
    assert case.number in {row.number for row in page.rows}
