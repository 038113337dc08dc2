"""Pickups before anything is booked: asked for once, planned, made; weekly ones; windows that still fit."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.config import Settings
from app.dispatch import pickup_queries, recurring
from app.dispatch import service as dispatch
from app.dispatch.models import StopRequest, StopStatus
from app.dispatch.pickup_models import PickupChannel, PickupRequest, RecurringPickup
from app.dispatch.service import Asked, Wanted
from app.dispatch.wanted import place_key
from app.errors import ConflictError, InvalidInputError
from tests.app.dispatch.conftest import TODAY, Depot

WANTED = Wanted(
    contact_name="王芳",
    contact_phone="13600000001",
    district_adcode="510107",
    address="科华北路 62 号",
    day=TODAY,
    window_from_s=10 * 3600,
    window_to_s=12 * 3600,
    latitude=30.63,
    longitude=104.05,
)
BODY = {
    "contact_name": "王芳",
    "contact_phone": "13600000001",
    "district_adcode": "510107",
    "address": "科华北路 62 号",
    "day": TODAY.isoformat(),
    "window_from_s": 36_000,
    "window_to_s": 43_200,
}


FORM = {
    "contact_name": "王芳",
    "contact_phone": "13600000001",
    "pickup_district": "四川省 成都市 武侯区 510107",
    "address": "科华北路 62 号",
    "day": TODAY.isoformat(),
    "window": "36000-43200",
    "pieces": "2",
    "weight_kg": "3.5",
}


def ask(depot: Depot, wanted: Wanted = WANTED, customer_id: int | None = None) -> Asked:
    with depot.work() as session:
        return dispatch.ask_pickup(
            session,
            depot.logins.actor("agent"),
            wanted,
            customer_id=customer_id or depot.consignee_id,
            channel=PickupChannel.PHONE,
            now=depot.clock(),
        )


def test_a_pickup_is_planned_published_and_made_without_a_parcel(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    asked = ask(depot)
    assert asked.is_new
    assert asked.stop.facility_id == depot.outlet_id
    parcel = depot.book(1)[0]
    plan_id = depot.plan()
    with depot.work() as session:
        assert {visit.stop_request_id for visit in depot.load(session, plan_id).visits} == {
            asked.stop.id,
            depot.stop(parcel).id,
        }
    board = depot.logins.browser("dispatcher").get(f"/dispatch?facility={depot.outlet_id}")
    assert f"/stops/{asked.stop.id}" in board.text
    stop_page = depot.logins.browser("dispatcher").get(f"/dispatch/plans/{plan_id}/stops/{asked.stop.id}")
    assert f"P{asked.request.id}" in stop_page.text
    depot.publish(plan_id)
    phone = depot.logins.browser("courier", courier.id)
    token = re.search(r'name="asked_at" value="(\d+)"', phone.get("/run").text)
    assert token is not None
    bored = {"asked_at": token[1], "what": "failed", "reason": "bored"}
    assert phone.post(f"/run/stops/{asked.stop.id}", data=bored).status_code == 400
    done = {"asked_at": token[1], "what": "done"}
    for _tap in range(2):
        assert phone.post(f"/run/stops/{asked.stop.id}", data=done).status_code == 302
    with depot.work() as session:
        assert session.get_one(StopRequest, asked.stop.id).status is StopStatus.DONE
    with depot.work() as session, pytest.raises(ConflictError, match="done"):
        request = session.get_one(PickupRequest, asked.request.id)
        dispatch.cancel_pickup(session, depot.logins.actor("agent"), request, now=depot.clock())


def test_asked_twice_for_one_place_and_day_is_asked_once(depot: Depot) -> None:
    first = ask(depot)
    again = ask(depot, replace(WANTED, address="科华北路62号 ", window_to_s=14 * 3600))
    assert (again.is_new, again.stop.id) == (False, first.stop.id)
    assert ask(depot, replace(WANTED, address="科华北路 63 号")).is_new
    assert ask(depot, replace(WANTED, day=TODAY + timedelta(days=1))).is_new
    assert ask(depot, customer_id=depot.shipper_id).is_new, "another customer in the same house"
    with depot.work() as session:
        request = session.get_one(PickupRequest, first.request.id)
        dispatch.cancel_pickup(session, depot.logins.actor("agent"), request, now=depot.clock())
    assert ask(depot).is_new, "the first was taken back"


def test_a_booked_parcel_is_called_for_anyway(depot: Depot) -> None:
    parcel = depot.book(1)[0]
    stop = depot.stop(parcel)
    asked = ask(depot, replace(WANTED, address=parcel.sender_address), customer_id=depot.shipper_id)
    assert (asked.is_new, asked.request, asked.stop.id) == (False, None, stop.id)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"day": TODAY - timedelta(days=1)}, "/day"),
        ({"day": TODAY + timedelta(days=400)}, "/day"),
        ({"window_from_s": 7 * 3600, "window_to_s": 8 * 3600}, "/window_to_s"),
        ({"window_to_s": 36_000}, "/window_to_s"),
        ({"window_to_s": 90_000}, "/window_to_s"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(depot: Depot, change: dict, pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(depot, replace(WANTED, **change))
    assert [error["pointer"] for error in refused.value.extra["errors"]] == [pointer]


def test_after_the_cut_off_today_is_over(depot: Depot) -> None:
    depot.clock.forward(hours=13)  # 22:00 at the outlet
    late = replace(WANTED, window_from_s=22 * 3600, window_to_s=23 * 3600)
    with pytest.raises(InvalidInputError) as refused:
        ask(depot, late)
    assert refused.value.extra["errors"][0]["pointer"] == "/day"
    assert ask(depot, replace(late, day=TODAY + timedelta(days=1))).is_new


def test_a_weekly_pickup_is_asked_for_some_days_ahead_and_not_twice(depot: Depot, settings: Settings) -> None:
    with depot.work() as session:
        weekly = dispatch.begin_recurring(
            session,
            depot.logins.actor("agent"),
            WANTED,
            customer_id=depot.consignee_id,
            weekdays=[0, 3],
            last_day=TODAY + timedelta(days=10),
            now=depot.clock(),
        ).id

    def days() -> list[int]:
        with depot.work() as session:
            asked = sa.select(PickupRequest.day).where(PickupRequest.recurring_id == weekly)
            return sorted((day - TODAY).days for day in session.scalars(asked))

    def tick() -> None:
        with depot.database.unit_of_work(None) as session:
            recurring.ask_all_ahead(session, settings, depot.clock())

    assert days() == [0, 3]
    tick()
    assert days() == [0, 3]
    with depot.work() as session:
        one = session.scalars(
            sa.select(PickupRequest).where(
                PickupRequest.recurring_id == weekly, PickupRequest.day == TODAY + timedelta(days=3)
            )
        ).one()
        dispatch.cancel_pickup(session, depot.logins.actor("agent"), one, now=depot.clock())
    depot.clock.forward(days=2)
    tick()
    assert days() == [0, 3, 7], "what was taken back does not come again"
    depot.clock.forward(days=6)
    tick()
    assert days() == [0, 3, 7, 10], "the last day is the last"
    with depot.work() as session:
        found = pickup_queries.load_recurring(session, depot.logins.actor("agent"), weekly)
        dispatch.end_recurring(session, depot.logins.actor("agent"), found, now=depot.clock())
    with depot.work() as session:
        assert pickup_queries.recurring_pickups(session, depot.logins.actor("agent")) == []


def test_windows_fit_until_the_rounds_are_full(depot: Depot) -> None:
    def fitting() -> list[bool]:
        with depot.work() as session:
            return [one.fits for one in dispatch.windows(session, WANTED, now=depot.clock()).windows]

    assert fitting() == [True] * 6, "no plan yet"
    depot.hire(1, shift_start_s=9 * 3600, shift_end_s=13 * 3600)
    depot.book(2)
    depot.publish(depot.plan())
    with depot.work() as session:
        found = dispatch.windows(session, WANTED, now=depot.clock()).windows
    assert [one.fits for one in found] == [True, True, True, False, False, False], "the shift ends at one"
    assert all(one.from_s <= one.start_s <= one.to_s for one in found if one.start_s is not None)
    assert all((one.extra_cost_minor is None) is not one.fits for one in found)
    depot.clock.forward(hours=2)
    assert fitting()[0] is False, "over"


def test_by_machine_and_each_shipper_his_own(depot: Depot) -> None:
    mine = depot.logins.api("shipper", depot.shipper_id)
    other = depot.logins.api("shipper", depot.consignee_id, who="b")
    place = {key: BODY[key] for key in ("district_adcode", "day")}
    windows = mine.get("/api/v1/pickups/windows", query_string=place)
    assert windows.status_code == 200, windows.text
    assert len(windows.json["windows"]) == 6
    asked = mine.post("/api/v1/pickups", json=BODY)
    assert asked.status_code == 201, asked.text
    assert mine.post("/api/v1/pickups", json=BODY).status_code == 200
    assert [one["id"] for one in mine.get("/api/v1/pickups").json["items"]] == [asked.json["id"]]
    assert other.get("/api/v1/pickups").json["items"] == []
    assert other.post(f"/api/v1/pickups/{asked.json['id']}/cancel").status_code == 404
    assert mine.post(f"/api/v1/pickups/{asked.json['id']}/cancel").json["status"] == "cancelled"
    assert mine.post(f"/api/v1/pickups/{asked.json['id']}/cancel").status_code == 409
    weekly = mine.post("/api/v1/pickups/recurring", json=BODY | {"weekdays": [1]})
    assert weekly.status_code == 201, weekly.text
    assert other.post(f"/api/v1/pickups/recurring/{weekly.json['id']}/end").status_code == 404
    assert mine.post(f"/api/v1/pickups/recurring/{weekly.json['id']}/end").json["ended"] is True
    wrong = mine.post("/api/v1/pickups/recurring", json=BODY | {"weekdays": [7]})
    assert wrong.status_code == 422


def fits_of(part: str) -> int:
    """How many windows of the part of the form can be chosen."""
    return part.count('type="radio"') - part.count(" disabled")


def test_by_page_for_who_needs_a_skill(depot: Depot) -> None:
    plain, able = depot.hire(1)[0], depot.hire(1, skills=["lift"])[0]
    depot.book(3)
    depot.publish(plan_id := depot.plan())
    agent = depot.logins.browser("agent")
    form = FORM | {"skills": " Lift，LIFT "}
    page = agent.get("/pickups?lang=en").text
    assert "Couriers have: lift" in page
    assert "change from:#skills" in page
    assert 'name="skills"' in page
    assert fits_of(agent.get("/pickups/windows", query_string=form).text) > 0
    nobody = agent.get("/pickups/windows", query_string=form | {"skills": "crane"})
    assert fits_of(nobody.text) == 0
    machine = depot.logins.api("agent")
    place = {key: BODY[key] for key in ("district_adcode", "day")}
    for skills, some in (("lift", True), ("lift, crane", False)):
        answer = machine.get("/api/v1/pickups/windows", query_string=place | {"skills": skills})
        assert answer.status_code == 200, answer.text
        assert any(one["fits"] for one in answer.json["windows"]) is some
    long = form | {"skills": "x" * 41, "note": "后门进"}
    for lang, words in (("en", "At most 20 skills, each of at most 40 letters."), ("zh", "最多 20 项技能")):
        part = agent.get("/pickups/windows", query_string=long | {"lang": lang})
        assert words in part.text
        wrong = agent.post(f"/pickups?lang={lang}", data=long)
        assert wrong.status_code == 422
        assert words in wrong.text
        assert "x" * 41 in wrong.text, "nothing of what was typed is lost"
        assert "后门进" in wrong.text
    assert agent.post("/pickups", data=form).status_code == 302
    assert (
        agent.post("/pickups", data=form | {"address": "科华北路 70 号", "weekdays": ["2"]}).status_code
        == 302
    )
    with depot.work() as session:
        weekly = session.scalars(sa.select(RecurringPickup)).one()
        once, every = session.scalars(sa.select(PickupRequest).order_by(PickupRequest.id))
        stops = session.scalars(
            sa.select(StopRequest).where(StopRequest.pickup_request_id.in_((once.id, every.id)))
        )
        assert [one.skills for one in (weekly, once, every, *stops)] == [["lift"]] * 5
        stop = session.scalars(sa.select(StopRequest).where(StopRequest.pickup_request_id == once.id)).one()
        plan = depot.load(session, plan_id)
        found = dispatch.offers(session, depot.dispatcher, plan, stop, now=depot.clock())
        assert [one.courier.id for one in found.places] == [able.id]
    assert "王芳 · lift" in agent.get("/pickups").text
    assert plain.skills == []


def test_by_page_for_a_caller(depot: Depot) -> None:
    browser = depot.logins.browser("agent")
    form = FORM
    part = browser.get("/pickups/windows", query_string=form)
    assert part.text.count('type="radio"') == 6
    assert 'value="36000-43200" required checked' in part.text
    assert browser.post("/pickups", data=form).status_code == 302
    assert "科华北路 62 号" in browser.get("/pickups").text
    wrong = browser.post("/pickups?lang=en", data=form | {"day": "2026-03-01"})
    assert wrong.status_code == 422
    assert "No pickups are taken for this day" in wrong.text
    nowhere = browser.post("/pickups?lang=en", data=form | {"pickup_district": "Atlantis"})
    assert "Choose one of the districts" in nowhere.text
    assert browser.post("/pickups", data=form | {"weekdays": ["1", "4"]}).status_code == 302
    page = browser.get("/pickups?lang=en").text
    cancel = re.search(r'action="(/pickups/\d+/cancel)"', page)
    end = re.search(r'action="(/pickups/recurring/\d+/end)"', page)
    assert cancel is not None
    assert end is not None
    assert browser.post(cancel[1]).status_code == 302
    assert browser.post(end[1]).status_code == 302
    assert end[1] not in browser.get("/pickups").text


def test_addresses_are_compared_without_what_people_write_differently() -> None:
    assert place_key("科华北路　６２号， 3栋") == place_key("科华北路62号3栋")
    assert place_key("Main St. 5") == place_key("MAIN ST 5")
    assert place_key("科华北路 62 号") != place_key("科华北路 63 号")
