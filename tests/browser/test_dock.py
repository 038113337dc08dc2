"""The dock as a hub worker sees it: a bag from its opening to its breaking."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.look import View, Visitor, look
from tests.support.company import Company

Member = Callable[..., Visitor]


def scan(page: Page, *numbers: str) -> None:
    """As a scanner does: the number and Enter, without waiting for anything."""
    expect(page.locator("[data-scan]")).to_be_focused()
    for number in numbers:
        page.keyboard.type(number)
        page.keyboard.press("Enter")


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
