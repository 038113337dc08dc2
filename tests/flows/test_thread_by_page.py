"""One parcel lives its whole life, and people see it on pages, whose forms are used as they are offered."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts.models import Tenant
from app.customers.models import Customer
from app.dispatch import jobs as dispatch_jobs
from app.notify.models import Notification
from app.orders import queries as orders
from app.shipments import queries as shipments
from tests.flows.books import assert_books_are_whole, available_of, debt_of
from tests.support.app import Logins
from tests.support.company import (
    CONSIGNEE_PHONE,
    PRIVATE_PHONE,
    Company,
    company,
)
from tests.support.labels import codes_by_page
from tests.support.pages import Page, visit
from tracking.numbers import is_waybill_number

NEW_PHONE = "13611112222"


@pytest.fixture(scope="module")
def carrier(tenant: Logins) -> Company:
    return company(tenant)


def test_the_thread_by_page(carrier: Company) -> None:
    shipper = register(carrier, "江城书店", NEW_PHONE)
    number = book(carrier, shipper)
    both_topologies_are_shown(carrier)
    collect(carrier, number)
    scan_at_stations(carrier, number)
    track(carrier, number)
    deliver(carrier, number)
    earned = confirm_receipt(carrier, number)
    pay_out(carrier, earned)
    case = complain(carrier, number)
    answer(carrier, number, case)
    compensate(carrier, number, case)
    one_timeline(carrier, number, case)
    by_phone(carrier, number)
    assert_books_are_whole(carrier)


def test_a_phone_that_is_known_finds_its_record(carrier: Company) -> None:
    register(carrier, "陈静", PRIVATE_PHONE)
    with carrier.work() as session:
        record = session.get_one(Customer, carrier.private_id)
        assert record.name == "陈静"
        assert session.scalar(sa.select(sa.func.count()).where(Customer.name == "陈静")) == 1


def test_five_wrong_endings_lock_the_details_but_not_the_link(carrier: Company) -> None:
    number = carrier.book()
    stranger = carrier.logins.app.test_client()
    for left in (4, 3, 2, 1, 0):
        page = visit(stranger, f"/track/{number}").submit(
            "/details#details", digits="0000", expect=422 if left else 429
        )
        assert "文三路" not in page.text
    right = CONSIGNEE_PHONE[-4:]
    page = visit(stranger, f"/track/{number}")
    if any((form.action or "").endswith("/details#details") for form in page.document.forms):
        page = page.submit("/details#details", digits=right, expect=429)
    assert "文三路" not in page.text
    assert "文三路" in visit(stranger, carrier.link(number)).text
    carrier.logins.clock.forward(minutes=61)
    opened = visit(stranger, f"/track/{number}").submit("/details#details", digits=right)
    assert "文三路" in opened.text


def test_a_link_that_was_not_made_by_us_opens_nothing(carrier: Company) -> None:
    link = carrier.link(carrier.book())
    stranger = carrier.logins.app.test_client()
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    assert stranger.get(link).status_code == 200
    assert stranger.get(forged).status_code == 404
    other_id = re.sub(r"/t/(\d+)", lambda found: f"/t/{int(found[1]) - 1}", link)
    assert stranger.get(other_id).status_code == 404


def register(carrier: Company, name: str, phone: str) -> Page:
    """1. A new shipper proves his phone by the code sent to it, and is signed in."""
    with carrier.logins.database.unit_of_work(None) as session:
        code = session.get_one(Tenant, carrier.tenant_id).code
    page = visit(carrier.logins.app.test_client(), f"/register?tenant={code}")
    page = page.submit("/register", name=name, phone=phone)
    with carrier.work() as session:
        message = session.scalars(sa.select(Notification).order_by(Notification.id.desc()).limit(1)).one()
    assert message.recipient.endswith(phone)
    wrong = "000000" if message.params["code"] != "000000" else "000001"
    password = "书店的密码有十二个字"
    page = page.submit("/register/code", code=wrong, password=password, expect=422)
    return page.submit("/register/code", code=message.params["code"], password=password)


def book(carrier: Company, shipper: Page) -> str:
    """1. The shipper sees price and promised time, books, and prints a label that scans back."""
    page = visit(shipper.client, "/book")
    form = carrier.booking_form("chengdu", "hangzhou", declared_value_minor="800", reference="SO-77")
    quote = shipper.client.post("/book/quote", data=form)
    assert "27.50" in quote.text  # 26.00 of freight, and 0.5% of 800.00 above 500.00
    assert "Arrives between 5 Mar" in quote.text
    page = page.submit("/book", **form)
    order = page.path.removeprefix("/book/")
    number = order.removeprefix("O")
    assert number in page.text
    assert is_waybill_number(number)
    label = shipper.client.get(page.link("/label.pdf"))
    assert label.mimetype == "application/pdf"
    assert codes_by_page(label.data) == [{number, f"http://127.0.0.1:8000/track/{number}"}]
    shown = visit(shipper.client, f"/shipments/{number}")
    for place in ("Chengdu gateway", "Wuhan hub", "Hangzhou hub", "Hangzhou gateway", "Hangzhou Xihu"):
        assert place in shown.text
    assert shown.text.count("(planned)") == 5
    return number


def both_topologies_are_shown(carrier: Company) -> None:
    """2. The same parcel over the hubs and point-to-point."""
    page = visit(carrier.logins.browser("agent"), "/network/route")
    page = page.submit("/network/route", origin="CTU-01", destination="HGH-01", weight_g="2300")
    assert "Point-to-point" in page.text
    assert "Wuhan hub" in page.text
    assert "132" in page.text  # 12 places, each with a line to each other


def collect(carrier: Company, number: str) -> None:
    """3. The pickup is in the day's list, planned, published; the courier takes it; the rest has a reason."""
    too_heavy = carrier.book(weight_g=150_000)
    carrier.relay()
    dispatcher = carrier.logins.browser("dispatcher")
    board = f"/dispatch?facility={carrier.facilities['CTU-01']}"
    page = visit(dispatcher, board)
    assert "2 of 2 stops have no round yet" in page.text
    page = page.submit("/dispatch/plans", seconds="5")
    assert dispatch_jobs.solve_next(carrier.logins.database, carrier.logins.clock)
    page = visit(dispatcher, board)
    assert "1 of 2 stops has no round yet" in page.text
    left = page.document.find(".//*[@id='left']")
    assert too_heavy in page.answer.text
    assert "kg" in (page.text if left is None else left.text_content())
    features = dispatcher.get(f"/dispatch.geojson?facility={carrier.facilities['CTU-01']}").json["features"]
    assert features
    courier = carrier.logins.browser("courier", carrier.couriers["CTU-01"])
    assert "No round" in visit(courier, "/run").text
    page.submit("/publish")
    run = visit(courier, "/run")
    assert "科华北路" in run.text
    stop = next(form for form in run.document.forms if "/run/stops/" in (form.action or ""))
    run.submit(stop.action, press=("what", "done"))
    carrier.relay()
    assert "1 done" in visit(dispatcher, board).text
    assert "Collected" in visit(carrier.logins.browser("agent"), f"/shipments/{number}").text


def scan_at_stations(carrier: Company, number: str) -> None:
    """4. Hub workers scan it on its way; a double scan is one, and the next place is told."""
    shipment = carrier.shipment(number)
    clock = carrier.logins.clock
    way = [leg.from_facility_id for leg in shipment.legs]
    for leg in shipment.legs:
        station = carrier.logins.browser("hub", leg.from_facility_id)
        first = leg.from_facility_id == way[0]
        scan_once(station, number, "accepted" if first else "arrived")
        clock.moment = max(clock.moment, leg.planned_departure_at)
        station = carrier.logins.browser("hub", leg.from_facility_id)
        assert "goes on to" in scan_once(station, number, "departed").text
        clock.moment = max(clock.moment, leg.planned_arrival_at)
    last = carrier.logins.browser("hub", shipment.destination_facility_id)
    assert "delivered from here" in scan_once(last, number, "arrived").text
    unknown = scan_once(last, "WH000000000000", "arrived")
    assert "WH000000000000" in unknown.text
    assert "WH000000000000" in visit(last, "/shipments/unmatched").text


def scan_once(station: object, number: str, code: str) -> Page:
    """Choose what happens here, scan, and press twice by mistake: the second is known."""
    page = visit(station, f"/scan?code={code}")
    form = page.document.xpath("//form[@method='post' or @method='POST'][contains(@action, '/scan')]")[0]
    data = dict(form.fields) | {"number": number, "client_scan_id": f"{number}-{code}-1", "device": "gun"}
    data = {name: value for name, value in data.items() if value is not None}
    once = Page(station, station.post("/scan", data=data))
    again = Page(station, station.post("/scan", data=data))
    assert once.answer.status_code == again.answer.status_code == 200
    return once


def track(carrier: Company, number: str) -> None:
    """5. Anybody sees city, status and time; the phone's ending, or the link, opens the rest."""
    stranger = carrier.logins.app.test_client()
    page = visit(stranger, "/track").submit("/track", number=f" {number.lower()} ")
    assert page.path == f"/track/{number}"
    assert "Arrives" in page.text
    assert "Hangzhou" in page.text
    for private in ("文三路", "李", "Hangzhou Xihu", "茶叶"):
        assert private not in page.text
    page.submit("/details#details", digits="9999", expect=422)
    opened = page.submit("/details#details", digits=CONSIGNEE_PHONE[-4:])
    assert "文三路" in opened.text
    assert "Hangzhou Xihu" in opened.text
    assert CONSIGNEE_PHONE not in opened.answer.text
    assert visit(stranger, "/track/WH000000000000", expect=404)


def deliver(carrier: Company, number: str) -> None:
    """6. Delivered with a proof, on the round that was planned for it."""
    carrier.relay()
    clock = carrier.logins.clock
    with carrier.work() as session:
        shipment = shipments.load_shipment(session, carrier.shop.agent, number)
        local_hour = (clock() + timedelta(hours=8)).hour
        assert shipment.milestone == "in_transit"
    clock.forward(hours=(24 - local_hour + 8) % 24 or 24)  # to the next morning at eight
    dispatcher = carrier.logins.browser("dispatcher")
    outlet = carrier.facilities["HGH-01"]
    courier = carrier.logins.browser("courier", carrier.couriers["HGH-01"])
    scan_once(courier, number, "out_for_delivery")
    carrier.relay()
    page = visit(dispatcher, f"/dispatch?facility={outlet}")
    page.submit("/dispatch/plans", seconds="5")
    assert dispatch_jobs.solve_next(carrier.logins.database, clock)
    visit(dispatcher, f"/dispatch?facility={outlet}").submit("/publish")
    run = visit(courier, "/run")
    run.submit("/hand-over", received_by=" ", expect=422)
    run.submit("/hand-over", received_by="王建国")
    carrier.relay()
    assert "Delivered" in visit(carrier.logins.browser("agent"), f"/shipments/{number}").text


def confirm_receipt(carrier: Company, number: str) -> dict[int, int]:
    """6. The consignee confirms on his link: what was held becomes available; gives whose and how much."""
    finance = carrier.logins.browser("finance")
    before = available_of(carrier)
    assert "Held" in visit(finance, f"/orders/O{number}").text
    page = visit(carrier.logins.app.test_client(), carrier.link(number)).submit("/receipt")
    assert "Thank you" in page.answer.text
    assert not any((form.action or "").endswith("/receipt") for form in page.document.forms)
    assert available_of(carrier) == before  # not before the event is handed on
    carrier.relay()
    assert "Released" in visit(finance, f"/orders/O{number}").text
    with carrier.work() as session:
        order = orders.load_order(session, carrier.shop.agent, f"O{number}")
        shares: dict[int, int] = {}
        for share in order.shares:
            shares[share.party_id] = shares.get(share.party_id, 0) + share.amount_minor
        assert sum(shares.values()) == order.total_minor == 2750
    after = available_of(carrier)
    assert {party: after[party] - before.get(party, 0) for party in after} == shares
    return shares


def pay_out(carrier: Company, earned: dict[int, int]) -> None:
    """6. One person prepares the batch, another approves it, and the file goes to the bank."""
    maker = carrier.logins.browser("finance", who="maker")
    channel = visit(maker, "/orders").submit("/orders/channel", amount_minor="27.50", reference="BANK-1")
    assert "in custody now" in channel.answer.text
    page = visit(maker, "/payouts/").submit("/payouts/")
    number = page.path.removeprefix("/payouts/")
    assert maker.post(f"/payouts/{number}/approve").status_code == 403
    assert maker.post(f"/payouts/{number}/export").status_code in (409, 422)
    checker = carrier.logins.browser("finance", who="checker")
    visit(checker, f"/payouts/{number}").submit("/approve")
    small = {party: minor for party, minor in earned.items() if minor < 100}
    assert available_of(carrier) == small  # not worth a transfer yet
    file = maker.post(f"/payouts/{number}/export")
    assert file.mimetype == "text/csv"
    assert len(file.text.strip().splitlines()) == 1 + len(earned) - len(small)
    page = visit(maker, f"/payouts/{number}")
    items = page.document.xpath("//input[@name='item']/@value")
    maker.post(f"/payouts/{number}/settle", data={"item": items, "outcome": "paid"})
    assert "Settled" in visit(maker, f"/payouts/{number}").text


def complain(carrier: Company, number: str) -> str:
    """7. The consignee complains on his tracking page; gives the case's number."""
    page = visit(carrier.logins.app.test_client(), carrier.link(number)).submit(
        "/complaint", category="damaged", body="外箱压扁，两盒茶叶洒出。", phone=CONSIGNEE_PHONE
    )
    found = re.search(r"CS-\d{8}-\d{4}", page.text)
    assert found is not None
    return found[0]


def answer(carrier: Company, number: str, case: str) -> None:
    """7. The agent sees it beside shipment, scans and money, and answers; the customer reads it."""
    agent = carrier.logins.browser("agent")
    assert case in visit(agent, "/cases").answer.text
    page = visit(agent, f"/cases/{case}")
    for beside in (number, "Out for delivery", f"O{number}", "27.50", "外箱压扁"):
        assert beside in page.text
    page = page.submit("/take")
    page = page.submit("/messages", press=("act", "note"), body="看过照片，属实。")
    page.submit("/messages", press=("act", "reply"), body="非常抱歉，我们将按保价赔付。")
    public = visit(carrier.logins.app.test_client(), f"{carrier.link(number)}/complaint/{case}")
    assert "将按保价赔付" in public.text
    assert "看过照片" not in public.text
    public.submit(f"/complaint/{case}", body="谢谢，请尽快。")
    assert "请尽快" in visit(agent, f"/cases/{case}").text


def compensate(carrier: Company, number: str, case: str) -> None:
    """7. One proposes by law and scans, another approves; a new entry, and the bearer pays."""
    agent, finance = carrier.logins.browser("agent"), carrier.logins.browser("finance")
    entries = visit(finance, f"/ledger/evidence/shipment/{number}").text
    page = visit(agent, f"/cases/{case}")
    page = page.submit("/claims", kind="partly_damaged", claimed="120.00")
    assert "Article 27" in page.text
    assert "孙师傅" in page.text  # who had it last
    claims = [form.action for form in visit(finance, f"/cases/{case}").document.forms if form.action]
    approve = next(action for action in claims if action.endswith("/approve"))
    assert agent.post(approve).status_code == 403
    visit(finance, f"/cases/{case}").submit("/approve")
    after = visit(finance, f"/ledger/evidence/shipment/{number}").text
    assert len(after) > len(entries)
    assert after.count("120.00") > entries.count("120.00")
    debt = debt_of(carrier, carrier.courier_parties["HGH-01"])
    assert debt == 12_000  # it has nothing available yet, so it owes
    page = visit(agent, f"/cases/{case}")
    page.submit("/messages", press=("act", "resolve"), body="已赔付 120 元。")


def one_timeline(carrier: Company, number: str, case: str) -> None:
    """8. The customer's page tells all of it on one line."""
    agent = carrier.logins.browser("agent")
    with carrier.work() as session:
        shipment = shipments.load_shipment(session, carrier.shop.agent, number)
        shipper_id, consignee_id = shipment.customer_id, shipment.consignee_customer_id
    sender = visit(agent, f"/customers/{shipper_id}").text
    for moment in ("Sends a parcel", "Collected from sender", "Delivered", "Receipt confirmed", "released"):
        assert moment in sender
    consignee = visit(agent, f"/customers/{consignee_id}").text
    for moment in ("Delivered", "Case opened", case, "120.00", number):
        assert moment in consignee


def by_phone(carrier: Company, number: str) -> None:
    """7. Another caller: the agent finds the record by phone, and opens a case from his shipments."""
    agent = carrier.logins.browser("agent")
    page = visit(agent, "/cases/new").submit("/cases/new", phone=NEW_PHONE)
    page = page.submit("/cases/new", waybill_number=number, category="courier", body="快递员没有提前打电话。")
    assert re.search(r"/cases/CS-\d{8}-\d{4}$", page.path)
    assert number in page.text
    assert "江城书店" in page.text
