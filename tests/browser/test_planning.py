"""Exceptions, promises, a lane that rests, hubs that are searched: as those who plan work with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from apiflask import APIFlask

from app.accounts.roles import Role
from app.shipments import calibration, watching
from tests.browser.look import Visitor, look
from tests.support.app import StepClock
from tests.support.company import Company
from tracking.shipment import ScanCode


@pytest.fixture(scope="module")
def late(firm: Company, clock: StepClock, app: APIFlask) -> Company:
    """The company some days after parcels stopped moving; others came."""
    numbers = [firm.book("chengdu", end) for end in ("hangzhou", "guangzhou", "wuhan", "hangzhou", "wuhan")]
    for number in numbers[:2]:
        firm.deliver(number)
    for number, until in zip(
        numbers[2:], (ScanCode.ACCEPTED, ScanCode.ARRIVED, ScanCode.COLLECTED), strict=True
    ):
        firm.deliver(number, until=until)
    clock.forward(days=4)
    settings = app.extensions["wheelhouse"].settings
    watching.watch(firm.logins.database, settings, clock())
    with firm.logins.database.unit_of_work(None) as session:
        calibration.measure_promises(session, settings, clock() + timedelta(days=2))
    return firm


def test_marked_by_the_keyboard_and_worked_on_together(late: Company, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open("/shipments/exceptions")
    look(visitor, "exceptions")
    rows = page.locator("tr[data-row]")
    assert rows.count() >= 4
    for key in ("j", "e", "j", "e"):
        page.keyboard.press(key)
    assert page.locator("tr[data-row] input:checked").count() == 2
    page.locator("[name=body]").fill("司机在路上 / the driver is on his way")
    with page.expect_navigation():
        page.locator("button[value=note]").click()
    assert page.locator(".notice-ok li").count() == 2
    look(visitor, "exceptions-noted")
    assert page.get_by_text("司机在路上").count() >= 2
    with page.expect_navigation():
        page.locator("button[value=replan]").click()
    assert page.locator(".notice-bad").count() == 1, "nothing is marked"
    page.locator("tr[data-row] input").first.check()
    page.locator("button[value=lost]").click()
    with page.expect_navigation():
        page.locator("#confirm [data-yes]").click()
    assert page.locator(".notice-ok li").count() == 1


def test_how_promises_were_kept(late: Company, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open("/shipments/promises")
    assert page.locator("table tbody tr").count() >= 1
    page.wait_for_selector("[data-chart] canvas, [data-chart] svg")
    look(visitor, "promises")


def test_a_lane_rests(late: Company, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.ADMIN)
    lane = f"/network/lanes/{late.shop.world.lanes['WUH-HUB>HGH-HUB']}"
    page = visitor.open(lane)
    visitor.fill_in({"first_day": "2026-05-01", "last_day": "2026-05-02", "why": "劳动节 / Labour Day"})
    with page.expect_navigation():
        page.locator("form[action$=holidays] button").click()
    assert page.get_by_text("劳动节").count() == 2
    look(visitor, "lane-rests")


def test_hubs_are_searched_and_shown(late: Company, member: Callable[..., Visitor]) -> None:
    visitor = member(Role.DISPATCHER)
    page = visitor.open("/network/design")
    look(visitor, "design")
    visitor.fill_in({"hubs": "2", "seconds": "1", "demand": "gravity"})
    with page.expect_navigation():
        page.locator("main form button.btn-primary").click()
    visitor.reload_until("[data-map]")
    look(visitor, "design-answer")
