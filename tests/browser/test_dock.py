"""The dock as a hub worker sees it: bags, a scanner that is faster than the line, a line that is down."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.shipments.models import ScanRecord, Shipment
from tests.browser.look import View, Visitor, look
from tests.support.company import Company

Member = Callable[..., Visitor]


def scan(page: Page, *numbers: str) -> None:
    """As a scanner does: the number and Enter, without waiting for anything."""
    expect(page.locator("[data-scan]")).to_be_focused()
    for number in numbers:
        page.keyboard.type(number)
        page.keyboard.press("Enter")


def scans_of(firm: Company, number: str, code: str) -> int:
    with firm.work() as session:
        return session.scalars(
            sa.select(sa.func.count())
            .select_from(ScanRecord)
            .join(Shipment, Shipment.id == ScanRecord.shipment_id)
            .where(Shipment.waybill_number == number, ScanRecord.code == code)
        ).one()


def test_a_bag_from_one_hub_to_the_next(firm: Company, member: Member, view: View) -> None:
    numbers = [firm.book("chengdu", "hangzhou") for _ in range(3)]
    sender = member("hub", firm.facilities["CTU-G"])
    page = sender.open("/containers")
    look(sender, "81-no-bags")
    page.locator("#to_facility_id").select_option(str(firm.facilities["WUH-HUB"]))
    sender.press("form:has(#vehicle)")
    scan(page, *numbers[:2], "4711")
    expect(page.locator(".scan-headline")).to_have_text(view.words("Unknown number", "未知单号"))
    expect(page.locator("#scan-result tbody tr")).to_have_count(2)
    look(sender, "82-being-packed")
    page.locator("#seal_number").fill("S-2026")
    sender.press("form[action$='/seal']")
    sender.press("form[action$='/dispatch']")
    look(sender, "83-left")
    bag = page.url.rpartition("/")[2]

    receiver = member("hub", firm.facilities["WUH-HUB"])
    page = receiver.open(f"/containers/{bag}")
    receiver.press("form[action$='/receive']")
    scan(page, numbers[0], numbers[2])
    expect(page.locator(".scan-headline")).to_have_text(view.words("Surplus", "多出"))
    look(receiver, "84-at-the-dock")
    receiver.press("form[action$='/count']")
    expect(page.locator("#scan-result tbody tr").first).to_contain_text(numbers[1])
    look(receiver, "85-counted")
    receiver.press("form[action$='/break']")
    look(receiver, "86-emptied")
    receiver.open("/containers?status=broken")
    look(receiver, "87-list")
    receiver.open("/shipments/exceptions?kind=missing_from_container")
    expect(receiver.page.locator("main")).to_contain_text(numbers[1])


def test_a_scanner_that_is_faster_than_the_line_loses_nothing(firm: Company, member: Member) -> None:
    numbers = [firm.book("chengdu", "hangzhou") for _ in range(5)]
    visitor = member("hub", firm.facilities["CTU-G"])
    page = visitor.open("/scan?code=arrived")
    scan(page, *numbers)
    for number in numbers:
        expect(page.locator("#scan-result tbody")).to_contain_text(number)
    assert [scans_of(firm, number, "arrived") for number in numbers] == [1] * 5


def test_scans_wait_for_the_line_and_are_sent_once(firm: Company, member: Member, view: View) -> None:
    numbers = [firm.book("chengdu", "hangzhou") for _ in range(7)]
    visitor = member("hub", firm.facilities["CTU-G"])
    page = visitor.open("/scan?code=sorted")
    visitor.context.set_offline(True)
    scan(page, *numbers)
    expect(page.locator("[data-scan-count]")).to_have_text("7")
    expect(page.locator(".scan-headline")).to_have_text(view.words("Kept here", "已暂存"))
    assert [scans_of(firm, number, "sorted") for number in numbers] == [0] * 7
    visitor.context.set_offline(False)
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    expect(page.locator(".scan-headline")).to_have_text(view.words("Sent", "已上传"))
    for number in numbers:
        expect(page.locator("#scan-result tbody")).to_contain_text(number)
    page.reload()
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    assert [scans_of(firm, number, "sorted") for number in numbers] == [1] * 7
    visitor.complaints.clear()  # the browser tells that the line was down, as it should


def test_a_server_that_answers_and_is_not_heard_records_once(firm: Company, member: Member) -> None:
    """The answer is lost on the way back: the scan is sent again, and is the same one."""
    number = firm.book("chengdu", "hangzhou")
    visitor = member("hub", firm.facilities["CTU-G"])
    page = visitor.open("/scan?code=departed")
    lost: list[str] = []

    def lose(route) -> None:
        if not lost:
            route.fetch()
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/scan", lose)
    scan(page, number)
    expect(page.locator("[data-scan-count]")).to_have_text("1")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    visitor.complaints.clear()
    assert lost
    assert scans_of(firm, number, "departed") == 1


def test_what_was_scanned_into_one_bag_is_sent_from_the_page_of_another(
    firm: Company, member: Member
) -> None:
    number = firm.book("chengdu", "hangzhou")
    visitor = member("hub", firm.facilities["CTU-G"])
    page = visitor.open("/containers")
    visitor.press("form:has(#vehicle)")
    first = page.url
    visitor.open("/containers")
    visitor.press("form:has(#vehicle)")
    second = page.url
    page.goto(first)
    visitor.context.set_offline(True)
    scan(page, number)
    expect(page.locator("[data-scan-count]")).to_have_text("1")
    page.evaluate(
        "() => { window.addEventListener('online', (event) => event.stopImmediatePropagation(), true); }"
    )
    visitor.context.set_offline(False)
    page.goto(second)
    expect(page.locator("[data-scan-waiting]")).to_be_hidden()
    page.goto(first)
    expect(page.locator("#scan-result tbody")).to_contain_text(number)
    visitor.complaints.clear()
