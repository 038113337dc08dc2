"""Hub studies: asked for, searched by a worker, answered with a bound; given up and failing as they may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.network import design_jobs, designing
from app.network.models import HubStudy, StudyStatus
from tests.app.shipments.conftest import Desk
from tests.app.shipments.conftest import new_desk as new_desk

ENGLISH = {"Accept-Language": "en"}
ASKED = {
    "demand": "own", "days": "30", "hubs": "2", "discount": "60", "allocation": "single", "seconds": "2",
}  # fmt: skip
OUTLETS = ("CTU-01", "CTU-02", "WUH-01", "WUH-02", "HGH-01", "CAN-01")


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()


def work(desk: Desk, *, stopped: bool = False) -> bool:
    return design_jobs.design_next(desk.database, desk.logins.clock, lambda: stopped)


def stored(desk: Desk, study_id: int) -> HubStudy:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return designing.load_study(session, study_id)


def asked(desk: Desk, **changes: str) -> int:
    answer = desk.logins.browser("dispatcher").post("/network/design", data=ASKED | changes)
    assert answer.status_code == 302, answer.text
    return int(answer.location.rsplit("/", 1)[1])


def test_own_parcels_are_answered_with_hubs_a_bound_and_the_simple_way(desk: Desk) -> None:
    for start, end in (("chengdu", "hangzhou"), ("wuhan", "guangzhou"), ("hangzhou", "wuhan")):
        desk.book(start, end)
    study_id = asked(desk)
    path, browser = f"/network/design/{study_id}", desk.logins.browser("dispatcher")
    assert "It starts as soon as a worker is free" in browser.get(path, headers=ENGLISH).text
    assert browser.get(f"{path}/progress").status_code == 200
    assert work(desk)
    study = stored(desk, study_id)
    assert study.status is StudyStatus.DONE
    assert study.answer is not None
    assert study.answer["lower_bound"] <= study.answer["objective"] <= study.answer["greedy_objective"]
    assert set(study.answer["allocation"]) == {str(desk.world.facilities[code]) for code in OUTLETS}
    assert len(study.answer["hubs"]) == 2
    shown = browser.get(path, headers=ENGLISH).text
    assert "this is proven" in shown
    assert "Hub after hub, the simple way" in shown
    assert browser.get(f"{path}/progress").headers["HX-Refresh"] == "true"
    assert "Answered" in browser.get("/network/design", headers=ENGLISH).text
    assert not work(desk)


def test_machines_ask_too_and_gravity_needs_no_parcels(desk: Desk) -> None:
    api = desk.logins.api("dispatcher")
    body = {"gravity": True, "hubs": 2, "multiple": True, "seconds": 1}
    answer = api.post("/api/v1/network/designs", json=body)
    assert answer.status_code == 202
    assert work(desk)
    found = api.get(answer.headers["Location"]).json
    assert (found["status"], len(found["answer"]["hubs"])) == ("done", 2)
    assert all(isinstance(hubs, list) for hubs in found["answer"]["allocation"].values())
    assert api.post(f"{answer.headers['Location']}/cancel").status_code == 409
    assert api.post("/api/v1/network/designs", json={"hubs": 31}).status_code == 422
    assert desk.logins.api("hub").post("/api/v1/network/designs", json=body).status_code == 403


def test_what_cannot_be_answered_says_why(desk: Desk) -> None:
    nothing, many = asked(desk), asked(desk, hubs="20", demand="gravity")
    assert work(desk)
    assert work(desk)
    assert "nothing was sent" in (stored(desk, nothing).error or "")
    assert "20 hubs cannot be chosen among 6 outlets" in (stored(desk, many).error or "")
    browser = desk.logins.browser("dispatcher")
    assert "There is no answer: 20 hubs" in browser.get(f"/network/design/{many}", headers=ENGLISH).text
    assert browser.post("/network/design", data=ASKED | {"hubs": "0"}).status_code == 422


def test_given_up_taken_again_and_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, clock = desk.logins.browser("dispatcher"), desk.logins.clock
    study_id = asked(desk, demand="gravity")
    assert browser.post(f"/network/design/{study_id}/cancel").status_code == 302
    assert stored(desk, study_id).status is StudyStatus.CANCELLED
    assert not work(desk), "nobody wants it any more"
    # A worker that is asked to stop gives it back; the next one answers it.
    monkeypatch.setattr(design_jobs, "_TICK_S", 0.01)
    again = asked(desk, demand="gravity")
    assert work(desk, stopped=True)
    assert (stored(desk, again).status, stored(desk, again).tries) == (StudyStatus.REQUESTED, 0)
    # Workers that die leave it; after three of them it has failed.
    for _time in range(design_jobs.TRIES_MAX):
        assert design_jobs._claim(desk.database, clock()) is not None
        assert design_jobs._claim(desk.database, clock()) is None
        clock.forward(minutes=3)
    assert not work(desk)
    assert stored(desk, again).error == "the worker died 3 times"


def test_no_more_than_some_wait(desk: Desk) -> None:
    for _study in range(designing.WAITING_MAX):
        asked(desk, demand="gravity")
    browser = desk.logins.browser("dispatcher")
    assert browser.post("/network/design", data=ASKED).status_code == 409
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        for study in designing.latest_studies(session, 10):
            designing.cancel_study(session, study, now=desk.logins.clock() + timedelta(seconds=1))
