"""A scanner that is faster than the line, a line that is down: nothing is lost, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Route, expect

from app.shipments.models import ScanRecord, Shipment
from tests.browser.look import VIEWS, View, Visitor
from tests.browser.test_dock import scan
from tests.support.company import Company

Member = Callable[..., Visitor]


@pytest.fixture(scope="module")
def view() -> View:
    """What a script keeps does not depend on the width of the window."""
    return VIEWS[0]


def scans_of(firm: Company, number: str, code: str) -> int:
    with firm.work() as session:
        return session.scalars(
            sa.select(sa.func.count())
            .select_from(ScanRecord)
            .join(Shipment, Shipment.id == ScanRecord.shipment_id)
            .where(Shipment.waybill_number == number, ScanRecord.code == code)
        ).one()


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


def test_a_server_that_answers_and_is_not_heard_records_once(firm: Company, member: Member) -> None:
    """The answer is lost on the way back: the scan is sent again, and is the same one."""
    number = firm.book("chengdu", "hangzhou")
    visitor = member("hub", firm.facilities["CTU-G"])
    page = visitor.open("/scan?code=departed")
    lost: list[str] = []

    def lose(route: Route) -> None:
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
