"""The dispatcher's board by its gestures: dragged, carried by keys, taken back, seen by two at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from app.accounts.roles import Role
from tests.browser.look import View, Visitor, look
from tests.support.app import StepClock
from tests.support.company import Company


@pytest.fixture(scope="module")
def planned(firm: Company) -> str:
    """An outlet's day with a published plan of some stops; gives the board's address."""
    for _ in range(6):
        firm.book("chengdu", "hangzhou")
    return f"/dispatch?facility={firm.facilities['CTU-01']}"


def plan(visitor: Visitor, url: str) -> Page:
    page = visitor.open(url)
    visitor.reload_until("tr[data-row], a.round-stop")
    if page.locator("a.round-stop").count() == 0:
        page.locator("#seconds").select_option("5")
        visitor.press("form[action$='/dispatch/plans']")
        expect(page.locator("form[action$='/publish']")).to_be_visible()
    return page


def addresses(column: Locator) -> list[str]:
    return column.locator(".round-stop").evaluate_all("rows => rows.map((row) => row.href)")


def test_a_stop_is_carried_by_keys_with_its_cost_told(
    planned: str, member: Callable[..., Visitor], view: View
) -> None:
    visitor = member(Role.DISPATCHER)
    page = plan(visitor, planned)
    look(visitor, "board")
    column = page.locator("[data-courier]:has(.round-stop)").first
    before = addresses(column)
    column.locator(".round-stop").first.focus()
    page.keyboard.press("m")
    expect(page.locator(".gap-mark")).to_contain_text(view.words("CNY", "¥"))
    page.keyboard.press("ArrowDown")
    expect(page.locator("#board-said")).to_contain_text(view.words("place 2 of", "第 2 位"))
    look(visitor, "board-carried")
    page.keyboard.press("Escape")
    expect(page.locator(".gap-mark")).to_have_count(0)
    column.locator(".round-stop").first.focus()
    page.keyboard.press("m")
    expect(page.locator(".gap-mark")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#board-said")).to_contain_text(view.words("place 2 of", "第 2 位"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert addresses(column)[:2] == [before[1], before[0]]
    with page.expect_navigation():
        page.keyboard.press("Control+z")
    assert addresses(column) == before
    with page.expect_navigation():
        page.keyboard.press("Control+Shift+z")
    assert addresses(column)[:2] == [before[1], before[0]]
    visitor.press("form[action$='/undo']")
    assert addresses(column) == before
    page.locator("a[href$='/edits']").click()
    expect(page.locator("tbody tr")).not_to_have_count(0)
    look(visitor, "board-edits")


def test_a_stop_is_dragged_and_its_cost_is_shown_before_it_is_dropped(
    planned: str, member: Callable[..., Visitor], view: View
) -> None:
    if view.width < 800:
        pytest.skip("a phone has no pointer: the dialog moves stops there")
    visitor = member(Role.DISPATCHER)
    page = plan(visitor, planned)
    column = page.locator("[data-courier]:has(.round-stop)").first
    before = addresses(column)
    first, last = column.locator(".round-stop").first, column.locator(".round-stop").last
    first.hover()
    page.mouse.down()
    box = last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 10, steps=4)
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 1, steps=4)
    expect(page.locator(".gap-mark")).to_contain_text(view.words("CNY", "¥"))
    box = last.bounding_box()  # the line with the cost may have pushed it down
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 1, steps=4)
    page.mouse.move(box["x"] + 42, box["y"] + box["height"] - 1)
    expect(column.locator(".round-stops > li").last).to_have_class(re.compile("gap-mark"))
    with page.expect_navigation():
        page.mouse.up()
    assert addresses(column) == [*before[1:], before[0]]
    visitor.press("form[action$='/undo']")
    assert addresses(column) == before


def test_the_dialog_offers_every_place_of_a_round(planned: str, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = plan(visitor, planned)
    column = page.locator("[data-courier]:has(.round-stop)").first
    before = addresses(column)
    courier = column.get_attribute("data-courier")
    column.locator(".round-stop").first.click()
    expect(page.locator("#stop-dialog")).to_be_visible()
    page.locator("#gap-courier").select_option(courier)
    expect(page.locator(".gap-list input")).to_have_count(len(before))
    look(visitor, "board-places")
    page.locator(".gap-list input:enabled").last.check()
    visitor.press("#stop-dialog form[action*='/move']")
    assert addresses(column) == [*before[1:], before[0]]
    visitor.press("form[action$='/undo']")


def test_two_at_once_overwrite_nothing(planned: str, member: Callable[..., Visitor], view: View) -> None:
    one, other = member(Role.DISPATCHER), member(Role.DISPATCHER, who="b")
    mine, theirs = plan(one, planned), plan(other, planned)
    column = "[data-courier]:has(.round-stop) >> nth=0"
    one.press(f"{column} >> form.round-lock")
    expect(mine.locator(column).locator(".icon use[href*='#lock-fill']").first).to_be_attached()
    other.press(f"{column} >> form.round-lock")
    expect(theirs.locator("h1")).to_have_text(view.words("Changed by somebody else", "已被他人更改"))
    assert [complaint[:9] for complaint in other.complaints] == ["409: POST"], "asked for above"
    other.complaints.clear()
    look(other, "board-stale")
    theirs.locator("main a.btn-plain").click()
    expect(theirs.locator(column).locator(".icon use[href*='#lock-fill']").first).to_be_attached()
    one.press("form[action$='/undo']")


def test_two_plans_are_compared_and_one_is_published(planned: str, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = plan(visitor, planned)
    page.locator("#seconds").select_option("5")
    visitor.press("form[action$='/dispatch/plans']")
    expect(page.locator("#plan-progress")).to_have_count(0)
    page.locator("a[href$='/compare']").click()
    expect(page.locator(".compare-plans section")).to_have_count(2)
    look(visitor, "board-compare")
    visitor.press(".compare-plans section:nth-child(2) form")
    expect(page.locator("form[action$='/publish']")).to_have_count(0)


def test_the_roster_of_a_day(planned: str, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open(planned)
    page.locator("a[href*='/dispatch/roster']").click()
    page.locator("a[href*='day=']").last.click()
    expect(page.locator("tbody tr")).not_to_have_count(0)
    look(visitor, "roster")
    page.locator("tbody select").first.select_option("off")
    visitor.press("form[action*='/dispatch/roster/']")
    expect(page.locator(".notice-ok")).to_be_visible()
    assert page.locator("tbody select").first.input_value() == "off"


def test_a_pickup_is_asked_for_by_phone(
    firm: Company, member: Callable[..., Visitor], clock: StepClock, view: View
) -> None:
    visitor = member(Role.AGENT)
    page = visitor.open("/pickups")
    look(visitor, "pickups-empty")
    day = (clock() + timedelta(days=1)).date().isoformat()
    visitor.fill_in(
        {"contact_name": "王芳", "contact_phone": "13600000001", "address": f"科华北路 {view.width} 号"}
    )
    page.locator("#pickup_district").fill(firm.booking_form()["sender_district"])
    page.locator("#day").fill(day)
    page.locator("#day").dispatch_event("change")
    expect(page.locator("input[name=window]")).to_have_count(6)
    with page.expect_request(lambda asked: "/pickups/windows" in asked.url and "skills=lift" in asked.url):
        page.locator("#skills").fill("lift")
        page.locator("#skills").blur()
    expect(page.locator("#window")).not_to_have_class(re.compile("htmx-request"))
    page.locator("input[name=window]:enabled").first.check()
    look(visitor, "pickups")
    held: list[Route] = []
    page.route("**/pickups/windows*", lambda route: held.append(route), times=1)
    page.locator("#pieces").fill("2")
    page.locator("#pieces").blur()
    page.locator("input[name=window]").last.check()  # while the windows of two pieces are on their way
    with page.expect_response("**/pickups/windows*"):
        held[-1].continue_()
    expect(page.locator("#window")).not_to_have_class(re.compile("htmx-request"))
    expect(page.locator("input[name=window]").last).to_be_checked()
    visitor.press("#pickup-form")
    expect(page.locator("form[action$='/cancel']")).not_to_have_count(0)
    expect(page.locator("td .sub").first).to_have_text("王芳 · lift")
    look(visitor, "pickups-asked")
