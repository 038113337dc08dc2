"""A facility's hours as an administrator sees and changes them, and the page of the company."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from app.accounts.roles import Role
from tests.browser.look import View, Visitor, look
from tests.support.company import Company


def test_hours_are_changed_and_mistakes_are_shown(
    firm: Company, member: Callable[..., Visitor], view: View
) -> None:
    visitor = member(Role.ADMIN)
    path = f"/network/facilities/{firm.facilities['CTU-01']}"
    page = visitor.open(f"{path}/operation")
    look(visitor, "operation")
    page.locator("[name=sunday]").fill("9 to 5")
    with page.expect_navigation():
        page.get_by_role("button", name=view.words("Save", "保存")).click()
    expect(page.locator("#sunday-error")).to_be_visible()
    look(visitor, "operation-wrong")
    page.locator("[name=sunday]").fill("09:00-12:00, 14:00-17:00")
    page.locator("[name=sort_per_hour]").fill("600")
    with page.expect_navigation():
        page.get_by_role("button", name=view.words("Save", "保存")).click()
    expect(page.get_by_text("09:00–12:00, 14:00–17:00")).to_be_visible()
    look(visitor, "facility")
    visitor.open("/company")
    look(visitor, "company")
    visitor.open("/network/compare?demand=gravity&days=1&parcels=20000&hubs=2&discount=60&capacity=300")
    look(visitor, "queues")
