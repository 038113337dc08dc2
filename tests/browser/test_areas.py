"""Areas drawn on the map: by taps, by dragging, by the keyboard, by text; and where couriers are at home."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.accounts.roles import Role
from app.dispatch import service as dispatch
from tests.browser.look import Visitor, look
from tests.support.company import Company


@pytest.fixture(scope="module")
def busy(firm: Company) -> Company:
    """The company with some stops to find one's way by, and one area beside them."""
    for _ in range(4):
        firm.book("chengdu", "hangzhou")
    firm.relay()
    with firm.work() as session:
        dispatch.create_area(
            session,
            firm.dispatcher,
            facility_id=firm.facilities["CTU-01"],
            name="高新 / Hi-tech",
            ring=[[30.55, 104.03], [30.55, 104.09], [30.59, 104.09], [30.59, 104.03]],
            now=firm.now,
        )
    return firm


def corners(page: Page) -> list[str]:
    return page.locator("[name=ring]").input_value().splitlines()


def tap(page: Page, east: float, south: float) -> None:
    """A tap at a place of the map, in parts of its width and height."""
    box = page.locator("#ring-map canvas").bounding_box()
    assert box is not None
    page.locator("#ring-map canvas").click(
        position={"x": box["width"] * east, "y": box["height"] * south}, force=True
    )


def test_an_area_is_drawn_on_the_map(busy: Company, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open(f"/dispatch/areas/new?facility={busy.facilities['CTU-01']}")
    expect(page.locator("#ring-map")).to_have_attribute("data-drawn", "yes")
    for east, south in ((0.3, 0.3), (0.6, 0.3), (0.6, 0.6), (0.3, 0.6)):
        tap(page, east, south)
    marks = page.locator(".map-corner")
    expect(marks).to_have_count(4)
    first = corners(page)
    assert len(set(first)) == 4
    tap(page, 0.45, 0.3)
    expect(marks).to_have_count(5)
    assert [corners(page)[place] for place in (0, 2, 3, 4)] == first, "on a side it goes between its ends"
    page.locator("[data-ring-undo]").click()
    assert corners(page) == first
    _drag(page, 2)
    dragged = corners(page)
    assert [one == other for one, other in zip(dragged, first, strict=True)] == [True, True, False, True]
    marks.nth(0).focus()
    page.keyboard.press("Shift+ArrowUp")
    assert float(corners(page)[0].split(",")[0]) > float(first[0].split(",")[0])
    page.keyboard.press("Delete")
    expect(marks).to_have_count(3)
    page.locator("[data-ring-undo]").click()
    expect(marks).to_have_count(4)
    marks.nth(3).click()
    expect(marks.nth(3)).to_have_attribute("aria-pressed", "true")
    page.locator("[data-ring-remove]").click()
    expect(marks).to_have_count(3)
    visitor.fill_in(
        {
            "name": "武侯 / Wuhou",
            "closed-0-from_time": "07:00",
            "closed-0-to_time": "09:00",
        }
    )
    look(visitor, "area-drawn")
    with page.expect_navigation():
        page.locator("#area-form button[type=submit]").click()
    expect(page.locator(".field-error")).to_be_visible()
    expect(marks).to_have_count(3)
    look(visitor, "area-refused")
    page.locator("[name=closed-0-vehicle_classes][value=van]").check()
    with page.expect_navigation():
        page.locator("#area-form button[type=submit]").click()
    row = page.locator("tr", has_text="武侯 / Wuhou")
    expect(row).to_contain_text("07:00 – 09:00")
    expect(row).to_contain_text(visitor.view.words("Van", "面包车"))
    expect(page.locator("#areas-map .map-label", has_text="武侯 / Wuhou")).to_be_attached()
    look(visitor, "areas")


def _drag(page: Page, number: int) -> None:
    box = page.locator(".map-corner").nth(number).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 8, steps=4)
    page.mouse.up()


def test_what_is_typed_is_drawn_and_couriers_have_homes(
    busy: Company, member: Callable[..., Visitor]
) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open(f"/dispatch/areas?facility={busy.facilities['CTU-01']}")
    with page.expect_navigation():
        page.locator("tr", has_text="Hi-tech").locator("a").click()
    expect(page.locator("#ring-map")).to_have_attribute("data-drawn", "yes")
    marks = page.locator(".map-corner")
    expect(marks).to_have_count(4)
    page.locator("[name=ring]").fill("\n".join(corners(page)[:3]))
    page.locator("[name=name]").focus()
    expect(marks).to_have_count(3)
    page.locator("[name=ring]").fill("30.55, 104.03\nnowhere")
    page.locator("[name=name]").focus()
    expect(marks).to_have_count(3)  # no drawing of what is none
    page.locator("[data-ring-undo]").click()
    expect(marks).to_have_count(4)
    assert len(corners(page)) == 4
    visitor.open(f"/dispatch/couriers/{busy.couriers['CTU-01']}")
    page.locator("label", has_text="Hi-tech").locator("[name=territory]").check()
    visitor.fill_in({"vehicle_class": "cargo_bike"})
    look(visitor, "courier-at-home")
    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()
    expect(page.locator("td", has_text=visitor.view.words("Cargo bike", "三轮车")).first).to_be_visible()
    page = visitor.open(f"/dispatch/areas?facility={busy.facilities['CTU-01']}")
    with page.expect_navigation():
        page.locator("tr", has_text="Hi-tech").locator("a").click()
    visitor.press("form[action$=remove]")
    expect(page.locator("#area-form")).to_be_visible()
    refused = visitor.view.words("Give them other areas first.", "请先给他们换别的片区。")
    expect(page.get_by_text(refused)).to_be_visible()
