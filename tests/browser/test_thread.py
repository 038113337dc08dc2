"""One parcel's life as people see it: booked, planned, tracked, delivered, paid, complained about."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import expect

from app.accounts.models import Tenant
from app.notify.models import Notification
from app.orders.models import Order
from tests.browser.look import VIEWS, View, Visitor, look
from tests.support.app import PASSWORD
from tests.support.company import CONSIGNEE_PHONE, Company
from tracking.shipment import ScanCode

Newcomer = Callable[[], Visitor]
Member = Callable[..., Visitor]

# One a view: a phone is the name of one login, whichever company it belongs to.
PHONES = {view.name: f"1351234567{number}" for number, view in enumerate(VIEWS)}


def test_somebody_registers_and_books(firm: Company, newcomer: Newcomer, view: View) -> None:
    visitor = newcomer()
    page = visitor.open(f"/register?tenant={_tenant_code(firm)}")
    look(visitor, "11-register")
    visitor.fill_in({"name": "周敏", "phone": PHONES[view.name]})
    visitor.press("main form")
    look(visitor, "12-code")
    visitor.fill_in({"code": _code_sent(firm), "password": PASSWORD})
    visitor.press("main form")
    look(visitor, "13-home-of-a-new-shipper")

    visitor.open("/book")
    form = firm.booking_form()
    page.locator("[name=consignee_district]").press_sequentially("西湖")
    expect(
        page.locator(f"#consignee-districts option[value='{form['consignee_district']}']")
    ).to_be_attached()
    visitor.fill_in(form | {"weight_g": "about two"})
    visitor.press("#booking")
    expect(page.locator("#weight_g-error")).to_be_visible()
    look(visitor, "14-book-refused")
    visitor.fill_in({"weight_g": form["weight_g"]})
    price = page.locator("#quote .sentence")
    expect(price).to_contain_text(view.words("26.00 CNY", "¥26.00"))
    look(visitor, "15-book")
    visitor.press("#booking")
    expect(page.locator("main")).to_contain_text(view.words("26.00 CNY", "¥26.00"))
    look(visitor, "16-booked")
    label = page.request.get(page.locator("a[href$='label.pdf']").get_attribute("href") or "")
    assert label.headers["content-type"] == "application/pdf"
    assert label.body().startswith(b"%PDF")
    visitor.open(page.locator("main a[href^='/shipments/WH']").last.get_attribute("href") or "")
    look(visitor, "17-shipment-of-shipper")


def test_a_dispatcher_plans_and_publishes_the_rounds(firm: Company, member: Member, view: View) -> None:
    light = firm.book("chengdu", "hangzhou")
    heavy = firm.book("chengdu", "wuhan", weight_g=150_000)  # more than any courier carries
    dispatcher = member("dispatcher")
    page = dispatcher.open(f"/dispatch?facility={firm.facilities['CTU-01']}")
    dispatcher.reload_until(f"tr:has-text('{light}')")
    look(dispatcher, "31-to-be-planned")
    page.locator("#seconds").select_option("5")
    dispatcher.press("form[action$='/dispatch/plans']")
    publish = "form[action$='/publish']"
    expect(page.locator(publish)).to_be_visible()
    expect(page.locator("tr", has_text=heavy)).to_contain_text("50 kg")
    expect(page.locator("tr", has_text=light)).to_have_count(0)
    expect(page.locator("a.round-stop")).not_to_have_count(0)
    look(dispatcher, "32-draft")
    page.locator("a.round-stop").first.click()
    expect(page.locator("#stop-dialog")).to_be_visible()
    look(dispatcher, "33-stop")
    page.locator("#stop-dialog [data-close]").click()
    dispatcher.press(publish)
    expect(page.locator(publish)).to_have_count(0)
    look(dispatcher, "34-published")

    courier = member("courier", firm.couriers["CTU-01"])
    courier.open("/run")
    look(courier, "35-round")
    courier.page.locator("[data-run-list] > li form[data-act=done] button").first.click()
    expect(courier.page.locator(".pill-ok").first).to_be_visible()
    look(courier, "36-first-stop-done")


def test_the_public_sees_the_status_and_who_proves_himself_the_rest(
    firm: Company, newcomer: Newcomer
) -> None:
    number = firm.book("chengdu", "hangzhou")
    firm.deliver(number, until=ScanCode.ARRIVED)
    parcel = firm.shipment(number)
    secrets = {parcel.consignee_name, parcel.consignee_address, parcel.sender_phone, parcel.consignee_phone}
    secrets |= {parcel.goods, parcel.sender_name, parcel.sender_address, CONSIGNEE_PHONE[-4:]}

    visitor = newcomer()
    page = visitor.open("/track")
    look(visitor, "51-track")
    visitor.fill_in({"number": number.lower()})
    visitor.press("main form")
    expect(page.locator("h1")).to_have_text(number)
    expect(page.locator("main")).to_contain_text(visitor.view.words("Hangzhou", "杭州"))
    assert not [secret for secret in secrets if secret in page.content()]
    look(visitor, "52-tracking")
    visitor.fill_in({"digits": "0000"})
    visitor.press("#details form")
    expect(page.locator("#digits-error")).to_be_visible()
    look(visitor, "53-tracking-refused")
    visitor.fill_in({"digits": CONSIGNEE_PHONE[-4:]})
    visitor.press("#details form")
    expect(page.locator("main")).to_contain_text(parcel.goods)
    assert parcel.consignee_phone not in page.content()
    look(visitor, "54-tracking-details")

    stranger = newcomer()
    stranger.open(f"/track/{number}")
    expect(stranger.page.locator("#digits")).to_be_visible()
    stranger.open(firm.link(number))
    expect(stranger.page.locator("main")).to_contain_text(parcel.goods)


def test_delivered_with_proof_confirmed_and_paid_out(
    firm: Company, newcomer: Newcomer, member: Member, view: View
) -> None:
    number = firm.book("chengdu", "hangzhou")
    firm.deliver(number, until=ScanCode.OUT_FOR_DELIVERY)
    courier = member("courier", firm.couriers["HGH-01"])
    _hand_over(courier, number)

    consignee = newcomer()
    page = consignee.open(firm.link(number))
    look(consignee, "62-delivered")
    consignee.press("form[action$='/receipt']")
    expect(page.locator(".notice-ok")).to_be_visible()
    expect(page.locator("form[action$='/receipt']")).to_have_count(0)
    look(consignee, "63-receipt-confirmed")

    finance, second = member("finance"), member("finance", who="b")
    finance.open(f"/orders/{_order_number(firm, number)}")
    look(finance, "64-order-and-its-split")
    finance.open("/orders")
    finance.fill_in({"amount_minor": "26", "reference": "ICBC-0001"})
    finance.press("form[action$='/orders/channel']")
    expect(finance.page.locator(".notice-ok")).to_be_visible()
    finance.open("/payouts/")
    finance.reload_until("main form[data-confirm]")
    look(finance, "65-can-be-paid")
    finance.press("main form[data-confirm]")
    batch = finance.page.url
    expect(finance.page.locator("form[action$='/approve']")).to_have_count(0)
    look(finance, "66-batch-prepared")
    second.open(batch)
    second.press("form[action$='/approve']")
    look(second, "67-batch-approved")
    with second.page.expect_download() as bank_file:
        second.page.locator("form[action$='/export'] button").click()
    text = bank_file.value.path().read_text("utf-8")
    assert f"62{firm.shop.world.parties['TRUNK']:014d}" in text
    second.open(batch)
    look(second, "68-batch-at-the-bank")
    second.page.locator("main a[href*='/ledger/evidence/']").click()
    look(second, "69-its-journal-entries")


def test_a_complaint_is_answered_and_compensated(
    firm: Company, newcomer: Newcomer, member: Member, view: View
) -> None:
    number = firm.book("wuhan", "guangzhou", declared_value_minor=300_00)
    firm.deliver(number)
    customer = newcomer()
    page = customer.open(firm.link(number))
    page.locator("details summary").last.click()
    form = {"category": "damaged", "body": "箱子压扁了，两个杯子碎了。", "phone": CONSIGNEE_PHONE}
    customer.fill_in(form)
    look(customer, "71-complaint")
    customer.press("form[action$='/complaint']")
    expect(page.locator("main")).to_contain_text(form["body"])
    look(customer, "72-complaint-received")
    public_case = page.url

    agent = member("agent")
    agent.open("/cases")
    look(agent, "73-queue")
    agent.page.locator("a[data-open]").first.click()
    expect(agent.page.locator("main")).to_contain_text(form["body"])
    look(agent, "74-case")
    case = agent.page.url
    agent.fill_in({"body": "非常抱歉，请把照片发给我们。"})
    agent.press("form[action$='/messages']", value="reply")
    agent.fill_in({"kind": "partly_damaged", "claimed": "80", "total_value": "300"})
    agent.press("form[action$='/claims']")
    expect(agent.page.locator("#claim form[action$='/approve']")).to_have_count(0)
    look(agent, "75-claim-proposed")
    finance = member("finance")
    finance.open(case)
    finance.press("form[action$='/approve']")
    expect(finance.page.locator("#claim")).to_contain_text(view.words("80.00 CNY", "¥80.00"))
    look(finance, "76-claim-approved")
    finance.page.locator("#claim a").click()
    look(finance, "77-entry-of-the-claim")
    customer.open(public_case)
    expect(page.locator("main")).to_contain_text("非常抱歉，请把照片发给我们。")
    look(customer, "78-answer-read")
    agent.page.locator("main dd a[href^='/customers/']").click()
    expect(agent.page.locator("main")).to_contain_text(number)
    look(agent, "79-the-customer")


def _tenant_code(firm: Company) -> str:
    with firm.work() as session:
        return session.get_one(Tenant, firm.tenant_id).code


def _code_sent(firm: Company) -> str:
    """The code in the message that waits for the phone."""
    with firm.work() as session:
        message = session.scalars(sa.select(Notification).order_by(Notification.id.desc())).first()
        assert message is not None
        code: str = message.params["code"]
        return code


def _order_number(firm: Company, number: str) -> str:
    with firm.work() as session:
        return session.scalars(
            sa.select(Order.number).where(Order.shipment_id == firm.shipment(number).id)
        ).one()


def _hand_over(courier: Visitor, number: str) -> None:
    """The consignee signs with a finger; the courier's phone tells it."""
    page = courier.open("/scan?code=delivered")
    courier.fill_in({"received_by": "王建国"})
    pad = page.locator("[data-signature]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 60, steps=5)
    page.mouse.move(box["x"] + 150, box["y"] + 20, steps=5)
    page.mouse.up()
    field = page.locator("[data-scan]")
    field.fill(number)
    field.press("Enter")
    expect(page.locator(".scan-answer-ok")).to_be_visible()
    look(courier, "61-handed-over")
