"""A day's plans side by side; a search that is ended early; what would help a stop in no round."""

from __future__ import annotations

import sys
import threading

import pytest

from app.dispatch import jobs, solver
from app.dispatch import service as dispatch
from app.dispatch.help_words import _HELP
from app.dispatch.models import Plan, PlanStatus
from app.errors import ConflictError
from routing import pickup
from routing.pickup import ReasonCode
from tests.app.dispatch.conftest import TODAY, Depot
from tests.app.dispatch.test_edits import move, offers, visits

# A planner that has a plan at once and searches until it is told that it is enough.
ENDLESS = """
import sys, time
from app.dispatch import solver_process
from routing.pickup import Options, Progress, solve

def searching(problem, options):
    plan = solve(problem, Options(seconds=1, seed=options.seed))
    started = time.monotonic()
    while options.progress(Progress(time.monotonic() - started, plan.cost_minor, len(plan.unserved))):
        assert time.monotonic() - started < 60, "nobody said it was enough"
        time.sleep(0.05)
    return plan

solver_process.solve = searching
sys.exit(solver_process.main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
"""


def two_plans(depot: Depot) -> tuple[int, int, int]:
    """The same day twice; in the second one stop is with another courier. Gives both and the stop."""
    depot.hire(3)
    depot.book(6)
    one, other = depot.plan(), depot.plan()
    stop_id = next(iter(visits(depot, other)))
    move(depot, other, stop_id, offers(depot, other, stop_id).places[-1].courier.id)
    return one, other, stop_id


def test_two_plans_differ_by_what_was_moved(depot: Depot) -> None:
    one, other, stop_id = two_plans(depot)
    with depot.work() as session:
        found = dispatch.compare(session, session.get_one(Plan, one), session.get_one(Plan, other))
        moved = [shifted.stop.id for shifted in found.shifted if shifted.changes_courier]
        itself = dispatch.compare(session, session.get_one(Plan, one), session.get_one(Plan, one))
        plans = dispatch.plans_of_day(session, depot.outlet_id, TODAY)
    assert moved == [stop_id]
    assert found.changes_courier == 1
    assert (found.one.visits, found.other.visits, found.other.unserved) == (6, 6, 0)
    assert found.other.plan.cost_minor > found.one.plan.cost_minor
    assert itself.shifted == ()
    assert [summary.plan.id for summary in plans] == [other, one]


def test_a_stop_that_only_one_plan_makes_is_told(depot: Depot) -> None:
    one, other, stop_id = two_plans(depot)
    move(depot, other, stop_id, None)
    with depot.work() as session:
        found = dispatch.compare(session, session.get_one(Plan, one), session.get_one(Plan, other))
    shifted = next(shifted for shifted in found.shifted if shifted.stop.id == stop_id)
    assert shifted.one_courier is not None
    assert (shifted.other_courier, shifted.other_start_s) == (None, None)
    assert (found.other.visits, found.other.unserved) == (5, 1)


def test_plans_of_two_days_are_not_compared(depot: Depot) -> None:
    depot.hire(1)
    depot.book(1)
    one = depot.plan()
    failed = depot.request()
    with depot.work() as session:
        row = session.get_one(Plan, failed)
        row.status = PlanStatus.FAILED
        session.flush()
        with pytest.raises(ConflictError, match="not made"):
            dispatch.compare(session, session.get_one(Plan, one), row)
        row.day = TODAY.replace(day=TODAY.day + 1)
        with pytest.raises(ConflictError, match="one outlet and day"):
            dispatch.compare(session, session.get_one(Plan, one), row)


def test_the_chosen_plan_is_published_though_a_newer_one_is_there(depot: Depot) -> None:
    one, other, _stop_id = two_plans(depot)
    browser = depot.logins.browser("dispatcher")
    page = browser.get(f"/dispatch/plans/{one}/compare?lang=en").text
    assert f"Plan {one} is cheaper by" in page
    assert page.count("/publish") == 2
    depot.clock.forward(minutes=1)
    depot.publish(one)
    board = browser.get(f"/dispatch?facility={depot.outlet_id}&day={TODAY.isoformat()}").text
    assert f"/dispatch/plans/{one}/edits" in board, "the plan in force is shown"
    shown = browser.get(f"/dispatch?facility={depot.outlet_id}&day={TODAY.isoformat()}&plan={other}").text
    assert f"/dispatch/plans/{other}/edits" in shown
    missing = f"/dispatch?facility={depot.outlet_id}&day=2026-03-03&plan={other}"
    assert browser.get(missing).status_code == 404


def test_plans_are_compared_by_machine(depot: Depot) -> None:
    one, other, stop_id = two_plans(depot)
    api = depot.logins.api("dispatcher")
    listed = api.get(f"/api/v1/dispatch/plans?facility_id={depot.outlet_id}&day={TODAY.isoformat()}").json
    assert [plan["id"] for plan in listed["items"]] == [other, one]
    found = api.get(f"/api/v1/dispatch/plans/{one}/compare?other_id={other}").json
    assert found["changes_courier"] == 1
    assert found["shifted"][0]["stop_id"] == stop_id
    assert api.get(f"/api/v1/dispatch/plans/{one}/compare?other_id=999999").status_code == 404
    assert api.post(f"/api/v1/dispatch/plans/{one}/enough").status_code == 409


def test_one_plan_alone_says_how_to_get_another(depot: Depot) -> None:
    depot.hire(1)
    depot.book(1)
    page = depot.logins.browser("dispatcher").get(f"/dispatch/plans/{depot.plan()}/compare?lang=en")
    assert "Nothing to compare with" in page.text


def test_a_search_is_ended_with_the_best_plan_so_far(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    depot.hire(1)
    depot.book(3)
    endless = (sys.executable, "-c", ENDLESS)
    real = solver.solve
    monkeypatch.setattr(solver, "solve", lambda problem, **more: real(problem, **more, command=endless))
    plan_id = depot.request(seconds=300)
    worker = threading.Thread(target=jobs.solve_next, args=(depot.database, depot.clock))
    worker.start()
    browser = depot.logins.browser("dispatcher")
    for _ in range(400):
        with depot.work() as session:
            seen = session.get_one(Plan, plan_id)
            if len(seen.curve) > 1:
                break
        threading.Event().wait(0.05)
    progress = browser.get(f"/dispatch/plans/{plan_id}/progress?lang=en").text
    assert "curve-line" in progress
    assert browser.post(f"/dispatch/plans/{plan_id}/enough").status_code == 302
    worker.join(timeout=20)
    assert not worker.is_alive()
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert plan.status is PlanStatus.DRAFT
        assert len(plan.visits) == 3
        assert plan.curve[-1][1] == plan.cost_minor


def test_a_long_curve_is_kept_by_its_ends() -> None:
    curve = [pickup.Progress(number / 10, 10_000 - number, 0) for number in range(5_000)]
    points = jobs._points(curve)
    assert len(points) <= jobs.CURVE_POINTS_MAX + 1
    assert points[0] == [0.0, 10_000, 0]
    assert points[-1] == [499.9, 5_001, 0]


def test_every_reason_says_what_would_help() -> None:
    assert set(_HELP) == set(ReasonCode)
