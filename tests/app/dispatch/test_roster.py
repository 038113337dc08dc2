"""Who works when: the planner, the board, offers and moves go by the day's roster; older plans stay."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.dispatch import queries
from app.dispatch.models import Courier
from app.dispatch.roster import Duty, roster, set_duty
from app.dispatch.roster_models import DayState
from app.errors import ConflictError, InvalidInputError
from tests.app.dispatch.conftest import TODAY, Depot
from tests.app.dispatch.test_edits import move, offers, sound, visits

H = 3600


def duty(depot: Depot, courier: Courier, state: DayState, start_s: int = 8 * H, end_s: int = 19 * H) -> bool:
    with depot.work() as session:
        return set_duty(
            session,
            depot.dispatcher,
            queries.load_courier(session, depot.dispatcher, courier.id),
            TODAY,
            state=state,
            shift_start_s=start_s,
            shift_end_s=end_s,
            now=depot.clock(),
        )


def today(depot: Depot) -> dict[str, Duty]:
    with depot.work() as session:
        return {one.courier.code: one for one in roster(session, depot.outlet_id, TODAY)}


def test_one_day_is_not_as_usual_and_the_others_are(depot: Depot) -> None:
    one, other = depot.hire(2)
    assert duty(depot, one, DayState.OFF)
    assert duty(depot, other, DayState.WORKS, 10 * H, 14 * H)
    assert not duty(depot, other, DayState.WORKS, 10 * H, 14 * H), "the same again changes nothing"
    found = today(depot)
    assert (found[one.code].takes_stops, found[one.code].is_usual) == (False, False)
    assert (found[other.code].shift_start_s, found[other.code].shift_end_s) == (10 * H, 14 * H)
    with depot.work() as session:
        tomorrow = roster(session, depot.outlet_id, TODAY + timedelta(days=1))
    assert all(one.is_usual and one.takes_stops for one in tomorrow)
    assert duty(depot, one, DayState.WORKS)
    assert today(depot)[one.code].takes_stops
    with pytest.raises(InvalidInputError):
        duty(depot, one, DayState.WORKS, 10 * H, 10 * H)


def test_the_planner_goes_by_the_roster(depot: Depot) -> None:
    one, other = depot.hire(2)
    depot.book(4)
    duty(depot, one, DayState.OFF)
    duty(depot, other, DayState.WORKS, 10 * H, 14 * H)
    plan_id = depot.plan()
    assert set(visits(depot, plan_id).values()) == {other.id}
    with depot.work() as session:
        (round_,) = depot.load(session, plan_id).rounds
    assert round_.start_s >= 10 * H
    assert round_.end_s <= 14 * H


def test_who_broke_down_gets_nothing_more_and_what_he_has_can_be_given_away(depot: Depot) -> None:
    one, other = depot.hire(2)
    depot.book(6)
    plan_id = depot.plan()
    stop_id, courier_id = next(iter(visits(depot, plan_id).items()))
    broken, well = (one, other) if courier_id == one.id else (other, one)
    if well.id not in visits(depot, plan_id).values():
        depot.book(1)
    duty(depot, broken, DayState.BROKEN_DOWN, 8 * H, 9 * H + 60)
    sound(depot, plan_id)  # the plan from before stays sound, also beyond the new end of his shift
    board = depot.logins.browser("dispatcher").get(f"/dispatch?facility={depot.outlet_id}&lang=en").text
    assert "Not at work any more" in board
    for mine in [stop for stop, courier in visits(depot, plan_id).items() if courier == broken.id]:
        assert {place.courier.id for place in offers(depot, plan_id, mine).places} == {well.id}
        move(depot, plan_id, mine, well.id)
    with pytest.raises(ConflictError, match="not at work"):
        move(depot, plan_id, stop_id, broken.id)
    assert set(visits(depot, plan_id).values()) == {well.id}


def test_the_roster_by_page_and_by_machine(depot: Depot) -> None:
    one, other = depot.hire(2)
    browser, api = depot.logins.browser("dispatcher"), depot.logins.api("dispatcher")
    where = f"facility={depot.outlet_id}&day={TODAY.isoformat()}"
    assert one.name in browser.get(f"/dispatch/roster?{where}").text
    form = {
        "day": TODAY.isoformat(),
        f"state-{one.id}": "off",
        f"from-{one.id}": "08:00",
        f"to-{one.id}": "19:00",
        f"state-{other.id}": "works",
        f"from-{other.id}": "12:00",
        f"to-{other.id}": "11:00",
    }
    url = f"/dispatch/roster/{depot.outlet_id}"
    refused = browser.post(f"{url}?lang=en", data=form)
    assert refused.status_code == 422
    assert "The shift ends before it starts." in refused.text
    assert 'value="12:00"' in refused.text, "nothing typed is lost"
    assert today(depot)[one.code].takes_stops, "nothing of it was saved"
    assert browser.post(url, data=form | {f"to-{other.id}": "18:00"}).status_code == 302
    listed = api.get(f"/api/v1/dispatch/roster?facility_id={depot.outlet_id}&day={TODAY.isoformat()}").json
    assert [(one["state"], one["shift_start_s"]) for one in listed["items"]] == [
        ("off", 8 * H),
        ("works", 12 * H),
    ]
    body = {"day": TODAY.isoformat(), "state": "works", "shift_start_s": 8 * H, "shift_end_s": 19 * H}
    answer = api.post(f"/api/v1/dispatch/couriers/{one.id}/duty", json=body)
    assert answer.json["state"] == "works"
    assert browser.post(url, data={"day": "soon"}).status_code == 400
