"""A day end to end: 300 pickups planned, dragged, locked, one more taken in, published, driven offline."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, expect

from app.accounts.roles import Role
from app.dispatch import service as dispatch
from app.dispatch.day.models import Act, Outcome, StopEvent
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from app.dispatch.pickup_models import PickupChannel
from app.dispatch.service import CourierBreak, Wanted
from app.parties import service as parties
from app.parties.models import PartyKind
from tests.browser.look import View, Visitor, is_kept, look, visit
from tests.support.app import PASSWORD, StepClock
from tests.support.company import Company

PICKUPS, COURIERS = 300, 10
DESK, PHONE = View(1440, "zh-CN"), View(390, "zh-CN")


@pytest.fixture(scope="module")
def view() -> View:
    """One day, at a desk and on a phone; the pages at other widths are other tests' matter."""
    return DESK


@dataclass(frozen=True, slots=True)
class Morning:
    """An outlet before its day: couriers, and what they are to collect."""

    facility_id: int
    couriers: tuple[int, ...]


@pytest.fixture(scope="module")
def morning(firm: Company, clock: StepClock) -> Morning:
    """300 pickups around Chengdu asked for by machines, and ten couriers with a lunch break each."""
    dice = random.Random(300)
    spot = firm.shop.world.spots["chengdu"]
    outlet_id = firm.facilities["CTU-01"]
    couriers = []
    with firm.work() as session:
        for number in range(COURIERS):
            party = parties.create_party(
                session, code=f"S{number}", name="周师傅", kind=PartyKind.COURIER, now=clock()
            )
            couriers.append(
                dispatch.create_courier(
                    session,
                    code=f"S{number:02d}",
                    name=f"周师傅{number + 1}",
                    phone="13700000000",
                    facility_id=outlet_id,
                    party_id=party.id,
                    shift_start_s=9 * 3600,
                    shift_end_s=19 * 3600,
                    capacity_g=600_000,
                    capacity_cm3=9_000_000,
                    capacity_pieces=300,
                    breaks=[CourierBreak(11 * 3600, 14 * 3600, 30, paid=False)],
                ).id
            )
        for number in range(PICKUPS):
            opens_s = dice.choice((9, 11, 13, 15)) * 3600
            wanted = Wanted(
                contact_name=f"客户{number + 1}",
                contact_phone="13800000001",
                district_adcode=spot.district_adcode,
                address=f"科华北路 {number + 1} 号",
                day=clock().date(),
                window_from_s=opens_s,
                window_to_s=opens_s + 3 * 3600,
                pieces=1,
                latitude=spot.latitude + dice.gauss(0, 0.02),
                longitude=spot.longitude + dice.gauss(0, 0.02),
            )
            dispatch.ask_pickup(
                session,
                firm.dispatcher,
                wanted,
                customer_id=firm.shipper_id,
                channel=PickupChannel.API,
                now=clock(),
            )
    return Morning(outlet_id, tuple(couriers))


@pytest.fixture
def phone(
    chromium: Browser, address: str, firm: Company, clock: StepClock
) -> Iterator[Callable[[int], Visitor]]:
    """Signs a courier in on his phone."""
    made: list[Visitor] = []

    def sign_in(courier_id: int) -> Visitor:
        visitor = visit(chromium, address, PHONE, clock)
        made.append(visitor)
        page = visitor.open("/login")
        page.locator("[name=username]").fill(firm.logins.username(Role.COURIER, courier_id))
        page.locator("[name=password]").fill(PASSWORD)
        with page.expect_navigation():
            page.get_by_role("button", name="登录").click()
        return visitor

    yield sign_in
    for visitor in made:
        visitor.context.close()
    assert [complaint for visitor in made for complaint in visitor.complaints] == []


def stop_id(row: str | None) -> int:
    """The stop that a row's address names."""
    assert row is not None, "a row has an address"
    return int(row.rsplit("/", 1)[1])


def has(firm: Company, stop: int) -> tuple[int, bool]:
    """Who has a stop in the newest plan, and whether it is locked."""
    with firm.work() as session:
        plan_id = session.scalar(
            sa.select(sa.func.max(Plan.id)).where(Plan.status.in_((PlanStatus.DRAFT, PlanStatus.PUBLISHED)))
        )
        row = session.execute(
            sa.select(PlanVisit.courier_id, PlanVisit.locked).where(
                PlanVisit.plan_id == plan_id, PlanVisit.stop_request_id == stop
            )
        ).one()
        return row.courier_id, row.locked


def test_a_day_from_the_first_plan_to_the_last_sync(
    morning: Morning,
    member: Callable[..., Visitor],
    phone: Callable[[int], Visitor],
    firm: Company,
    clock: StepClock,
) -> None:
    desk = member(Role.DISPATCHER)
    page = desk.open(f"/dispatch?facility={morning.facility_id}")
    planned(desk, page)
    look(desk, "story-planned")
    dragged, courier_id = drag(desk, page)
    assert has(firm, dragged)[0] == courier_id, "the stop is where it was dropped"
    locked = lock(desk, page)
    assert has(firm, locked)[1]
    new = take_in(member(Role.AGENT), desk, page, firm, clock)
    holder, _locked = has(firm, new)
    look(desk, "story-taken-in")
    desk.press("form[action$='/publish']")
    expect(page.locator("form[action$='/publish']")).to_have_count(0)
    with firm.work() as session:
        waiting = session.scalars(
            sa.select(StopRequest.status).where(StopRequest.day == clock().date())
        ).all()
    assert waiting == [StopStatus.PLANNED] * (PICKUPS + 1), "every stop has a round"
    work_offline(phone(holder), firm)
    desk.open(f"/dispatch?facility={morning.facility_id}")
    assert page.locator(".round-stop.is-done").count() == 2
    assert page.locator(".round-stop.is-failed").count() == 1
    look(desk, "story-driven")


def planned(desk: Visitor, page: Page) -> None:
    """The dispatcher asks for the rounds and watches them come."""
    page.locator("#seconds").select_option("10")
    desk.press("form[action$='/dispatch/plans']")
    expect(page.locator("#plan-progress")).to_be_visible()
    expect(page.locator("form[action$='/publish']")).to_be_visible(timeout=60_000)
    assert page.locator("a.round-stop").count() == PICKUPS
    assert page.locator(".round:has(use[href*='#cup-hot'])").count() >= 3, "lunch breaks are planned"


def drag(desk: Visitor, page: Page) -> tuple[int, int]:
    """A stop is given to a courier who has room for it, at his cheapest place, out of sight; gives both."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": 4000, "height": 4000})  # whoever it is, both are seen
    row = page.locator("[data-courier] .round-stop").first
    row.scroll_into_view_if_needed()
    stop = stop_id(row.get_attribute("href"))
    offers = page.evaluate("async (path) => (await fetch(path)).json()", f"{row.get_attribute('href')}/costs")
    driving = page.locator("[data-courier]:has(.round-stop)").evaluate_all(
        "columns => columns.map((column) => column.dataset.courier)"
    )
    # Long rounds scroll in their columns: the place that is furthest down in one is out of sight.
    courier_id = max((one for one in driving if one in offers), key=lambda one: offers[one]["sequence"])
    offer = offers[courier_id]
    other = page.locator(f"[data-courier='{courier_id}']")
    row.hover()
    page.mouse.down()
    places = other.locator(".round-stop")
    last = offer["sequence"] >= places.count()
    place = places.last if last else places.nth(offer["sequence"])
    free = other.locator(".gap-mark:not(.is-refused)").filter(has_text=offer["cost"])
    rest_at_foot_until_seen(page, other.locator(".round-stops"), place)
    for _moment in range(40):  # as a hand does: there, a little back, and there again until the cost is shown
        target = place.bounding_box()
        assert target is not None
        x, y = target["x"] + 60, target["y"] + (target["height"] - 3 if last else 3)
        page.mouse.move(x, y - 60, steps=3)
        page.mouse.move(x, y, steps=3)
        page.mouse.move(x + 1, y)  # a hand is never quite still
        page.wait_for_timeout(250)
        if free.count():
            break
    expect(free).to_be_visible()
    page.mouse.move(x + 2, y)
    with page.expect_navigation():
        page.mouse.up()
    expect(page.locator(".notice-ok")).to_be_visible()
    page.set_viewport_size(size)
    return stop, int(courier_id)


def rest_at_foot_until_seen(page: Page, rows: Locator, place: Locator) -> None:
    """Hold what is dragged at the lower edge of a round until its rows have scrolled up to a place."""
    at_end = "rows => rows.scrollTop + rows.clientHeight >= rows.scrollHeight - 1"
    for moment in range(200):
        seen, target = rows.bounding_box(), place.bounding_box()
        assert seen is not None
        assert target is not None
        foot = seen["y"] + seen["height"]
        if target["y"] + target["height"] < foot - 60 or rows.evaluate(at_end):
            return
        page.mouse.move(seen["x"] + 60 + moment % 2, foot - 5)
        page.wait_for_timeout(50)
    raise AssertionError("the round does not scroll")


def lock(desk: Visitor, page: Page) -> int:
    """A stop is tied to its courier in its dialog."""
    row = page.locator("[data-courier]:has(.round-stop)").nth(2).locator(".round-stop").first
    stop = stop_id(row.get_attribute("href"))
    row.click()
    expect(page.locator("#stop-dialog")).to_be_visible()
    desk.press("#stop-dialog form[action*='/lock']")
    expect(page.locator(f"a.round-stop[href$='/{stop}'] use[href*='#lock-fill']")).to_be_attached()
    return stop


def take_in(agent: Visitor, desk: Visitor, page: Page, firm: Company, clock: StepClock) -> int:
    """Somebody calls; the agent asks for the pickup in a window that fits; the dispatcher takes an offer."""
    asking = agent.open("/pickups")
    agent.fill_in({"contact_name": "王芳", "contact_phone": "13600000001", "address": "人民南路 9 号"})
    asking.locator("#pickup_district").fill(firm.booking_form()["sender_district"])
    asking.locator("#day").fill(clock().date().isoformat())
    asking.locator("#day").dispatch_event("change")
    expect(asking.locator("input[name=window]")).to_have_count(6)
    expect(asking.locator("#window")).to_contain_text("¥")
    asking.locator("input[name=window]:enabled").last.check()
    agent.press("#pickup-form")
    expect(asking.locator(".notice-ok")).to_be_visible()
    page.reload()
    give = page.locator("tr:has-text('人民南路') a[data-stop]")
    stop = stop_id(give.get_attribute("href"))
    give.click()
    expect(page.locator("#stop-dialog .place-list input")).not_to_have_count(0)
    assert page.locator("#stop-dialog fieldset > .place-list").first.locator("li").count() == 3, "best three"
    page.locator("#stop-dialog .place-list input").first.check()
    desk.press("#stop-dialog form[action*='/move']")
    expect(page.locator(f"a.round-stop[href$='/{stop}']")).to_be_attached()
    return stop


def work_offline(courier: Visitor, firm: Company) -> None:
    """Three stops without a line, one of them failed; the line comes back, and each is told once."""
    page = courier.open("/run")
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    look(courier, "story-phone")
    assert is_kept(page, "run")
    courier.context.set_offline(True)
    made = []
    for number, act in enumerate((Act.DONE, Act.FAILED, Act.DONE)):
        nxt = page.locator("[data-run-list] > li").first
        made.append((int(nxt.get_attribute("data-run-stop") or 0), act))
        if act is Act.FAILED:
            nxt.locator("details summary").last.click()
            nxt.locator("select[name=reason]").select_option("no_access")
        nxt.locator(f"form[data-act={act.value}] button").click()
        expect(page.locator("[data-run-count]")).to_have_text(str(number + 1))
    assert told(firm) == [], "nothing has left the phone"
    page.reload()
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    expect(page.locator("[data-run-behind] > li")).to_have_count(3)
    courier.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-run-waiting]")).to_be_hidden()
    page.evaluate("window.dispatchEvent(new Event('online'))")  # and again: nothing is left to send
    page.reload()
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    expect(page.locator("[data-run-behind] > li")).to_have_count(3)
    look(courier, "story-phone-synced")
    assert told(firm) == [(stop, act, Outcome.RECORDED) for stop, act in made], "each once, none doubled"


def told(firm: Company) -> list[tuple[int, Act, Outcome]]:
    """What phones have told, in the order of time."""
    with firm.work() as session:
        rows = session.scalars(sa.select(StopEvent).order_by(StopEvent.occurred_at, StopEvent.id))
        return [(row.stop_request_id, row.act, row.outcome) for row in rows]
