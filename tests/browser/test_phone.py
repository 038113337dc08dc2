"""The courier's page without a line: it opens, keeps what is done, and sends it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.accounts.roles import Role
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.dispatch.day.models import Act, Outcome, StopEvent
from app.dispatch.models import PlanStatus, PlanVisit, StopRequest
from app.shipments import service as shipments
from app.shipments.models import Shipment
from routing.network import Handover
from tests.browser.look import View, Visitor, is_kept, look
from tests.support.company import Company


@pytest.fixture(scope="module")
def round_(firm: Company) -> list[int]:
    """A published round of seven pickups for the courier of Chengdu; ids of its stops in order of visit."""
    for _one in range(7):
        firm.book("chengdu", "hangzhou", pickup_handover=Handover.DOOR)
    firm.relay()
    with firm.work() as session:
        stop = session.scalars(sa.select(StopRequest)).first()
        assert stop is not None
        day = stop.day
        firm.logins.clock.moment = firm.logins.clock.moment.replace(
            year=day.year, month=day.month, day=day.day, hour=1
        )
        plan_id = dispatch.request_plan(
            session, firm.dispatcher, facility_id=stop.facility_id, day=day, seconds=1, now=firm.now
        ).id
    while True:
        dispatch_jobs.solve_next(firm.logins.database, firm.logins.clock)
        with firm.work() as session:
            plan = dispatch_queries.load_plan(session, firm.dispatcher, plan_id)
            if plan.status is PlanStatus.DRAFT:
                dispatch.publish(session, firm.dispatcher, plan, now=firm.now)
                return [visit.stop_request_id for visit in plan.visits]


def first(page: Page) -> int:
    return int(page.locator("[data-run-list] > li").first.get_attribute("data-run-stop") or 0)


def told(firm: Company) -> list[tuple[int, Act, Outcome]]:
    with firm.work() as session:
        rows = session.scalars(sa.select(StopEvent).order_by(StopEvent.occurred_at, StopEvent.id))
        return [(row.stop_request_id, row.act, row.outcome) for row in rows]


def test_a_round_worked_without_a_line(
    round_: list[int], member: Callable[..., Visitor], firm: Company, view: View
) -> None:
    visitor = member(Role.COURIER, firm.couriers["CTU-01"])
    page = visitor.open("/run")
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    look(visitor, "phone-round")
    assert is_kept(page, "run")
    assert first(page) == round_[0]

    visitor.context.set_offline(True)
    page.locator("form[data-act=arrived] button").first.click()
    expect(page.locator("[data-run-waiting]")).to_be_visible()
    page.locator("[data-run-list] > li form[data-act=done] button").first.click()
    expect(page.locator("[data-run-count]")).to_have_text("2")
    assert first(page) == round_[1], "the next stop comes up at once"

    page.reload()  # from what the phone keeps
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    assert first(page) == round_[1], "what was done is known after the page was opened anew"
    nxt = page.locator("[data-run-list] > li").first
    nxt.locator("details summary").last.click()
    nxt.locator("select[name=reason]").select_option("no_access")
    nxt.locator("form[data-act=failed] button").click()
    expect(page.locator("[data-run-count]")).to_have_text("3")
    # While he is away the third stop is taken out of his round.
    with firm.work() as session:
        visit = session.scalar(sa.select(PlanVisit).where(PlanVisit.stop_request_id == round_[2]))
        assert visit is not None
        plan = dispatch_queries.load_plan(session, firm.dispatcher, visit.plan_id)
        stop = session.get_one(StopRequest, round_[2])
        dispatch.move_stop(session, firm.dispatcher, plan, stop, courier_id=None, now=firm.now)
    page.locator("[data-run-list] > li form[data-act=done] button").first.click()
    expect(page.locator("[data-run-count]")).to_have_text("4")
    assert told(firm) == []
    look(visitor, "phone-kept")

    visitor.context.set_offline(False)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-run-waiting]")).to_be_hidden(timeout=30_000)
    expect(page.locator("[data-run-told] li")).to_have_count(1)
    look(visitor, "phone-told")
    assert told(firm) == [
        (round_[0], Act.ARRIVED, Outcome.RECORDED),
        (round_[0], Act.DONE, Outcome.RECORDED),
        (round_[1], Act.FAILED, Outcome.RECORDED),
        (round_[2], Act.DONE, Outcome.CONFLICT),
    ]
    page.locator("[data-run-told] button").click()
    expect(page.locator("[data-run-told] li")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-run-told] li")).to_have_count(0)
    assert first(page) == round_[3]
    assert len(told(firm)) == 4, "sent once"


def cancel(firm: Company, stop_id: int) -> None:
    """The sender takes his booking back, and every room hears of it."""
    with firm.work() as session:
        shipment = session.get_one(Shipment, session.get_one(StopRequest, stop_id).shipment_id)
        shipments.cancel(session, shipment, now=firm.now)
    firm.relay()


def come_back(page: Page) -> None:
    """The courier looks at his phone again, and it has asked what is new."""
    with page.expect_response("**/run/version"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_what_is_cancelled_goes_from_the_phone_and_is_told(
    round_: list[int], member: Callable[..., Visitor], firm: Company, view: View
) -> None:
    visitor = member(Role.COURIER, firm.couriers["CTU-01"])
    page = visitor.open("/run")
    expect(page.locator("[data-run]")).to_have_attribute("data-ready", "yes")
    driving_to, later, after = round_[3], round_[4], round_[5]
    assert first(page) == driving_to
    here = page.locator("[data-run-list] > li").first
    here.locator("details summary").last.click()
    here.locator("select[name=reason]").select_option("no_access")

    cancel(firm, later)
    come_back(page)
    notice = page.locator(f"[data-told-gone='{later}']")
    expect(notice).to_contain_text(view.words("Cancelled, do not go there", "已取消，不用去了"))
    expect(page.locator(f"[data-run-list] [data-run-stop='{later}']")).to_have_count(0)
    expect(here.locator("select[name=reason]")).to_have_value("no_access")
    expect(here.locator("select[name=reason]")).to_be_visible()
    assert page.locator("[data-run-cancelled] > li").count() == 1
    notice.locator("button").click()
    expect(notice).to_have_count(0)

    cancel(firm, driving_to)
    come_back(page)
    expect(page.locator(f"[data-told-gone='{driving_to}']")).to_be_visible()
    assert first(page) == after, "the next stop comes up"
    expect(page.locator("[data-run-list] > li form[data-act=done] button").first).to_be_visible()
    look(visitor, "phone-cancelled")
    page.reload()
    expect(page.locator("[data-run-told] li")).to_have_count(1)  # what was read stays read
    expect(page.locator("[data-run-cancelled] > li")).to_have_count(2)
    cancel(firm, round_[6])
    come_back(page)
    expect(page.locator("[data-run-told] li")).to_have_count(2)
    with page.expect_response("**/run/acts"):
        page.locator("[data-run-list] > li form[data-act=done] button").first.click()
    expect(page.locator("[data-run-list] > li")).to_have_count(0)
    expect(page.locator("[data-run-empty]")).to_be_visible()
    assert (after, Act.DONE, Outcome.RECORDED) in told(firm), "new rows work as those before"


def test_the_dispatchers_day(round_: list[int], member: Callable[..., Visitor], firm: Company) -> None:
    firm.logins.clock.forward(minutes=50)
    planner = member(Role.DISPATCHER)
    planner.open(f"/dispatch/now?facility={firm.facilities['CTU-01']}")
    look(planner, "day-now")
    planner.open(f"/dispatch/replay?facility={firm.facilities['CTU-01']}")
    look(planner, "day-replay")
    planner.open("/dispatch/learned")
    look(planner, "day-learned")
    planner.open(f"/dispatch/couriers/{firm.couriers['CTU-01']}/off")
    look(planner, "day-off")
    assert firm.now - firm.logins.clock.moment < timedelta(seconds=1)
    assert round_
