"""The journal of a plan by page and by machine: undo, redo, locks, every place of a round, news of others."""

from __future__ import annotations

import re

import pytest

from app.dispatch.models import PlanVisit
from tests.app.dispatch.conftest import TODAY, Depot
from tests.app.dispatch.test_edits import move, visits


@pytest.fixture
def plan_id(depot: Depot) -> int:
    depot.hire(2)
    depot.book(5)
    return depot.plan()


def board(depot: Depot, browser) -> str:
    return browser.get(f"/dispatch?facility={depot.outlet_id}&day={TODAY.isoformat()}").text


def press(browser, page: str, key: str):
    """Press the board's undo or redo as its form stands."""
    form = re.search(
        rf'action="([^"]+/{key})"><input[^>]+><input type="hidden" name="version" value="(\d+)">', page
    )
    assert form is not None, page
    return browser.post(form[1], data={"version": form[2]})


def test_undo_and_redo_from_the_board(depot: Depot, plan_id: int) -> None:
    browser = depot.logins.browser("dispatcher")
    before = visits(depot, plan_id)
    page = board(depot, browser)
    assert page.count("disabled") >= 2, "nothing to take back yet"
    stop_id = next(iter(before))
    move(depot, plan_id, stop_id, None)
    page = board(depot, browser)
    assert re.search(r'data-key="undo" title="Dispatcher A [^"]+"', page) or "Dispatcher A" in page
    assert press(browser, page, "undo").status_code == 302
    assert visits(depot, plan_id) == before
    assert press(browser, page, "undo").status_code == 409, "the page is from before"
    assert press(browser, board(depot, browser), "redo").status_code == 302
    assert stop_id not in visits(depot, plan_id)
    journal = browser.get(f"/dispatch/plans/{plan_id}/edits?lang=en").text
    assert "Dispatcher A took 张伟, " in journal
    assert "Stands" in journal


def test_who_looks_at_an_older_version_is_told(depot: Depot, plan_id: int) -> None:
    browser = depot.logins.browser("dispatcher", who="b")
    poll = re.search(r'hx-get="([^"]+/news\?version=\d+)"', board(depot, browser))
    assert poll is not None
    assert browser.get(poll[1]).status_code == 204
    move(depot, plan_id, next(iter(visits(depot, plan_id))), None)
    news = browser.get(poll[1] + "&lang=en")
    assert news.status_code == 200
    assert "Dispatcher A" in news.text
    assert browser.get(poll[1].split("?")[0]).status_code == 400


def test_a_round_is_locked_from_its_column(depot: Depot, plan_id: int) -> None:
    browser = depot.logins.browser("dispatcher")
    page = board(depot, browser)
    form = re.search(r'action="([^"]+/rounds/(\d+)/lock)".+?name="version" value="(\d+)"', page, re.DOTALL)
    assert form is not None
    assert browser.post(form[1], data={"version": form[3], "locked": "yes"}).status_code == 302
    with depot.work() as session:
        mine = session.query(PlanVisit).filter_by(plan_id=plan_id, courier_id=int(form[2])).all()
        assert mine
        assert all(visit.locked for visit in mine)
    stale = browser.post(form[1] + "?lang=en", data={"version": form[3], "locked": "no"})
    assert stale.status_code == 409
    assert "locked the whole round of" in stale.text


def test_every_place_of_a_round_is_shown_with_its_cost(depot: Depot, plan_id: int) -> None:
    browser = depot.logins.browser("dispatcher")
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    url = f"/dispatch/plans/{plan_id}/stops/{stop_id}"
    told = browser.get(f"{url}/costs?courier={courier_id}").json
    part = browser.get(f"{url}/gaps?courier={courier_id}&lang=en").text
    assert len(told) == part.count('type="radio"') == list(visits(depot, plan_id).values()).count(courier_id)
    assert any("cost" in one for one in told)
    assert browser.get(f"{url}/gaps").status_code == 400
    assert browser.get(f"{url}/gaps?courier=999999").status_code == 404


def test_one_round_alone_for_a_large_board(depot: Depot, plan_id: int) -> None:
    browser = depot.logins.browser("dispatcher")
    courier_id = next(iter(visits(depot, plan_id).values()))
    url = f"/dispatch/plans/{plan_id}/rounds/{courier_id}"
    part = browser.get(url, headers={"HX-Request-Type": "partial"}).text
    assert part.count("data-stop") == list(visits(depot, plan_id).values()).count(courier_id)
    assert "<html" not in part
    assert "<html" in browser.get(url).text


def test_by_machine(depot: Depot, plan_id: int) -> None:
    api = depot.logins.api("dispatcher")
    url = f"/api/v1/dispatch/plans/{plan_id}"
    version = api.get(url).json["version"]
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    locked = api.post(f"{url}/stops/{stop_id}/lock", json={"version": version, "locked": True})
    assert locked.json == {"plan_id": plan_id, "version": version + 1, "stops": 1}
    stale = api.post(f"{url}/undo", json={"version": version})
    assert stale.status_code == 409
    assert stale.json["changes"][0]["stop"]
    undone = api.post(f"{url}/undo", json={"version": version + 1})
    assert [edit["state"] for edit in undone.json["items"]] == ["undone"]
    again = api.post(f"{url}/redo", json={"version": undone.json["version"]})
    assert [edit["state"] for edit in again.json["items"]] == ["applied"]
    round_ = api.post(
        f"{url}/rounds/{courier_id}/lock", json={"version": again.json["version"], "locked": False}
    )
    assert round_.json["stops"] == 1
    assert len(api.get(f"{url}/edits").json["items"]) == 2
    gaps = api.get(f"{url}/stops/{stop_id}/gaps?courier_id={courier_id}").json["gaps"]
    assert [gap["sequence"] for gap in gaps] == list(range(len(gaps)))
    assert any(gap["extra_cost_minor"] == 0 for gap in gaps), "where it is now"
