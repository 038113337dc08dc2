"""Positions, estimates of running rounds, what customers are told, replay, learning, takeover."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.dispatch.day import following, learned, positions, takeover
from app.dispatch.day.models import CourierPosition, LearnedFactor, Level, Measure
from app.dispatch.day.positions import CourierState
from app.dispatch.models import Courier, PlanVisit, StopRequest, StopStatus
from app.errors import StaleVersionError
from app.network.models import Facility
from app.shipments.models import Shipment
from tests.app.dispatch.conftest import TODAY, Depot
from tests.app.dispatch.test_phone import Phone, act_on


@pytest.fixture
def phone(depot: Depot) -> Phone:
    courier = depot.hire(1)[0]
    depot.book(4)
    depot.publish(depot.plan())
    return Phone(depot, courier)


def numbers(depot: Depot, stops: list[StopRequest]) -> list[str]:
    with depot.work() as session:
        return [session.get_one(Shipment, stop.shipment_id).waybill_number for stop in stops]


def fix(at: datetime, latitude: float, longitude: float, **more: Any) -> dict[str, Any]:
    return {"at": at.isoformat(), "latitude": latitude, "longitude": longitude, **more}


def test_positions_are_kept_once_and_forgotten(depot: Depot, phone: Phone) -> None:
    moment = depot.clock()
    batch = [fix(moment - timedelta(seconds=30 * one), 30.6, 104.0 + one / 1000) for one in range(3)]
    url = "/api/v1/couriers/me/positions"
    assert phone.api.post(url, json={"positions": batch}, key=None).json == {
        "kept": 3,
        "known": 0,
        "refused": 0,
    }
    wrong = [fix(moment + timedelta(hours=1), 30.6, 104.0), fix(moment - timedelta(days=2), 30.6, 104.0)]
    assert phone.api.post(url, json={"positions": [*batch, *wrong]}, key=None).json == {
        "kept": 0,
        "known": 3,
        "refused": 2,
    }
    assert phone.api.post(url, json={"positions": [fix(moment, 91, 0)]}, key=None).status_code == 422
    stranger = depot.logins.api("dispatcher")
    assert stranger.post(url, json={"positions": batch}, key=None).status_code == 404
    found = stranger.get(f"/api/v1/dispatch/couriers?facility_id={depot.outlet_id}").json["items"]
    assert found[0]["position"]["longitude"] == 104.0, "the latest, whatever came last"
    settings = depot.logins.app.extensions["wheelhouse"].settings
    with depot.database.unit_of_work(None) as session:
        assert positions.forget(session, settings, depot.clock() + timedelta(days=2)) == 0
    with depot.database.unit_of_work(None) as session:
        assert positions.forget(session, settings, depot.clock() + timedelta(days=4)) >= 3
        assert session.scalar(sa.select(sa.func.count()).select_from(CourierPosition)) == 0


def test_a_couriers_state_follows_what_he_tells(depot: Depot, phone: Phone) -> None:
    def state() -> CourierState:
        with depot.work() as session:
            (one,) = positions.whereabouts(
                session, session.get_one(Facility, depot.outlet_id), now=depot.clock()
            )
            return one.state

    first = phone.stops()[0]
    assert state() is CourierState.ON_SHIFT
    phone.send(act_on(first, "arrived", depot.clock()))
    assert state() is CourierState.AT_STOP
    depot.clock.forward(minutes=3)
    phone.send(act_on(first, "done", depot.clock()))
    assert state() is CourierState.ON_THE_WAY
    with depot.work() as session:
        courier = session.get_one(Courier, phone.courier.id)
        takeover.take_off(
            session,
            depot.dispatcher,
            courier,
            reason="爆胎",
            until=depot.clock() + timedelta(hours=3),
            now=depot.clock(),
        )
    assert state() is CourierState.OFF
    depot.clock.forward(hours=12)
    assert state() is CourierState.OFF, "the shift is over"


def test_couriers_stand_on_the_map(depot: Depot, phone: Phone) -> None:
    body = {"positions": [fix(depot.clock(), 30.61, 104.02, accuracy_m=12)]}
    phone.api.post("/api/v1/couriers/me/positions", json=body, key=None)
    answer = depot.logins.browser("dispatcher").get(
        f"/dispatch/couriers.geojson?facility={depot.outlet_id}&lang=en"
    )
    (feature,) = answer.json["features"]
    assert feature["geometry"]["coordinates"] == [104.02, 30.61]
    assert "4 stops left" in feature["properties"]["detail"]


# --- what customers are told


def told(depot: Depot, number: str) -> dict[str, Any] | None:
    return depot.logins.app.test_client().get(f"/api/v1/track/{number}").json["round"]


def width(round_: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(round_["to"]) - datetime.fromisoformat(round_["from"])


def test_the_window_narrows_as_the_courier_comes_nearer(depot: Depot, phone: Phone) -> None:
    stops = phone.stops()
    last = numbers(depot, stops)[-1]
    assert told(depot, last) is None, "nobody has told anything yet"
    phone.send(act_on(stops[0], "arrived", depot.clock()))
    seen = [told(depot, last)]
    for stop in stops[:-1]:
        depot.clock.forward(minutes=6)
        phone.send(act_on(stop, "done", depot.clock()))
        seen.append(told(depot, last))
    assert [one["stops_away"] for one in seen if one is not None] == [3, 2, 1, 0]
    widths = [width(one) for one in seen if one is not None]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0]
    for one in seen:
        assert one is not None
        assert width(one) >= timedelta(minutes=5)
    page = depot.logins.app.test_client().get(f"/track/{last}", headers={"Accept-Language": "en"}).text
    assert "The courier collects it" in page
    assert "you are next" in page
    assert phone.courier.name not in page
    depot.clock.forward(minutes=6)
    phone.send(act_on(stops[-1], "done", depot.clock()))
    assert told(depot, last) is None


def test_both_ways_of_the_page_say_the_same(depot: Depot, phone: Phone) -> None:
    stops = phone.stops()
    phone.send(act_on(stops[0], "arrived", depot.clock()))
    number = numbers(depot, stops)[1]
    client = depot.logins.app.test_client()
    quick = client.get(f"/track/{number}", headers={"Accept-Language": "en"}).text
    whole = client.get(f"/track/{number}?x=1", headers={"Accept-Language": "en"}).text
    for page in (quick, whole):
        assert "1 stop away" in page
        assert 'data-comes="' in page
    mark = quick.split('data-comes="')[1].split('"')[0]
    assert f'data-comes="{mark}"' in whole


def test_the_map_line_and_time_alone_move_the_estimate(depot: Depot, phone: Phone) -> None:
    """A position near the stop says more than the plan; with time passing nobody comes in the past."""
    stops = phone.stops()
    phone.send(act_on(stops[0], "done", depot.clock()))
    with depot.work() as session:
        facility = session.get_one(Facility, depot.outlet_id)
        planned = following.ahead_of(session, facility, now=depot.clock())[phone.courier.id][0]
    depot.clock.forward(seconds=20)
    near = fix(depot.clock(), stops[1].latitude + 0.0005, stops[1].longitude)
    phone.api.post("/api/v1/couriers/me/positions", json={"positions": [near]}, key=None)
    with depot.work() as session:
        close = following.ahead_of(session, facility, now=depot.clock())[phone.courier.id][0]
    assert close.stop_id == planned.stop_id
    assert close.expected_s < planned.expected_s
    depot.clock.forward(hours=2)
    settings = depot.logins.app.extensions["wheelhouse"].settings
    with depot.database.unit_of_work(None) as session:
        step = following.follow_rounds(session, settings, depot.clock(), {})
    assert step.changed >= 1
    round_ = told(depot, numbers(depot, stops)[1])
    assert round_ is not None
    assert datetime.fromisoformat(round_["to"]) > depot.clock()


def test_who_is_taken_out_of_the_round_is_told_nothing_more(depot: Depot, phone: Phone) -> None:
    stops = phone.stops()
    phone.send(act_on(stops[0], "arrived", depot.clock()))
    number = numbers(depot, stops)[2]
    assert told(depot, number) is not None
    with depot.work() as session:
        session.execute(
            sa.update(StopRequest).where(StopRequest.id == stops[2].id).values(status=StopStatus.OPEN)
        )
        session.execute(sa.delete(PlanVisit).where(PlanVisit.stop_request_id == stops[2].id))
    settings = depot.logins.app.extensions["wheelhouse"].settings
    with depot.database.unit_of_work(None) as session:
        following.follow_rounds(session, settings, depot.clock(), {})
    assert told(depot, number) is None


# --- the day afterwards


def drive(depot: Depot, phone: Phone, *, door_min: float = 9, way_min: float = 11) -> None:
    for stop in phone.stops():
        depot.clock.forward(minutes=way_min)
        phone.send(act_on(stop, "arrived", depot.clock()))
        depot.clock.forward(minutes=door_min)
        phone.send(act_on(stop, "done", depot.clock()))


def test_a_day_is_replayed(depot: Depot, phone: Phone) -> None:
    stops = phone.stops()
    with depot.work() as session:
        session.get_one(StopRequest, stops[-1].id).window_to_s = 9 * 3600 + 1800
    drive(depot, phone)
    api = depot.logins.api("dispatcher")
    day = api.get(f"/api/v1/dispatch/replay?facility_id={depot.outlet_id}&day={TODAY}").json
    (round_,) = day["rounds"]
    assert (round_["stops_made"], round_["stops_late"], round_["service_s"]) == (4, 1, 540)
    first, last = round_["stops"][0], round_["stops"][-1]
    assert first["arrived_s"] == 9 * 3600 + 660
    assert first["behind_s"] == first["arrived_s"] - first["planned_arrival_s"]
    assert last["late_s"] == last["arrived_s"] - (9 * 3600 + 1800)
    browser = depot.logins.browser("dispatcher")
    page = browser.get(f"/dispatch/replay?facility={depot.outlet_id}&day={TODAY}&lang=en")
    assert "4 of 4 stops made, 1 of them late." in page.text
    address = phone.stops()[0].address
    assert f'<th scope="row">{address}' not in page.text
    opened = browser.get(
        f"/dispatch/replay?facility={depot.outlet_id}&day={TODAY}&courier={phone.courier.id}"
    )
    assert opened.text.count(f'<th scope="row">{address}') == 4
    sheet = browser.get(f"/dispatch/replay.csv?facility={depot.outlet_id}&day={TODAY}&lang=en")
    rows = sheet.text.splitlines()
    assert sheet.mimetype == "text/csv"
    assert len(rows) == 5
    assert rows[1].startswith(f"{phone.courier.code},")
    assert browser.get("/dispatch/replay?day=x").status_code == 400
    assert browser.get(f"/dispatch/now?facility={depot.outlet_id}").status_code == 200


def test_positions_tell_when_he_came_and_how_far_he_went(depot: Depot, phone: Phone) -> None:
    first = phone.stops()[0]
    moment = depot.clock()
    way = [
        fix(moment + timedelta(minutes=one), first.latitude + (5 - one) * 0.002, first.longitude)
        for one in range(1, 8)
    ]
    depot.clock.forward(minutes=9)
    phone.api.post("/api/v1/couriers/me/positions", json={"positions": way}, key=None)
    phone.send(act_on(first, "done", depot.clock()))
    api = depot.logins.api("dispatcher")
    (round_,) = api.get(f"/api/v1/dispatch/replay?facility_id={depot.outlet_id}").json["rounds"]
    stop = round_["stops"][0]
    assert (stop["by_position"], stop["arrived_s"]) == (True, 9 * 3600 + 300)
    assert 1300 < round_["driven_m"] < 1400


def test_plans_learn_what_stops_take(depot: Depot) -> None:
    """Stops that took three times as long are planned longer, in plans asked for afterwards only."""
    courier = depot.hire(1)[0]
    phone = Phone(depot, courier)
    depot.book(24)
    depot.publish(depot.plan())
    before = depot.plan()
    drive(depot, phone, door_min=9, way_min=5)
    with depot.work() as session:
        assert learned.learn(session, now=depot.clock()) > 0
        whole = session.scalar(
            sa.select(LearnedFactor).where(
                LearnedFactor.measure == Measure.SERVICE, LearnedFactor.level == Level.ALL
            )
        )
        assert whole is not None
        assert whole.samples == 24
    depot.clock.forward(minutes=1)
    depot.book(3)
    after = depot.plan(day=TODAY if depot.clock().hour < 6 else TODAY + timedelta(days=1))
    with depot.work() as session:
        set_now = learned.load_learned(session)
        stop = session.scalars(sa.select(StopRequest)).first()
        assert stop is not None
        assert 400 < set_now.service_s(stop) < 600
        assert (
            learned.load_learned(session, at=depot.load(session, before).requested_at).service_s(stop) == 180
        )
        planned = [visit.departure_s - visit.start_s for visit in depot.load(session, after).visits]
        assert all(one > 300 for one in planned)
    page = depot.logins.browser("dispatcher").get("/dispatch/learned?lang=en").text
    assert "The more samples" in page or "the more samples" in page
    items = depot.logins.api("dispatcher").get("/api/v1/dispatch/learned").json["items"]
    assert {one["measure"] for one in items} >= {"service"}


# --- a courier falls out


def test_what_is_left_goes_to_the_others(depot: Depot) -> None:
    broken, other = depot.hire(2)
    depot.book(6)
    plan_id = depot.plan()
    depot.publish(plan_id)
    with depot.work() as session:
        held = {
            courier: [
                visit.stop_request_id
                for visit in depot.load(session, plan_id).visits
                if visit.courier_id == courier
            ]
            for courier in (broken.id, other.id)
        }
    if not held[broken.id]:
        broken, other = other, broken
    browser = depot.logins.browser("dispatcher")
    page = browser.get(f"/dispatch/couriers/{broken.id}/off?lang=en")
    assert page.status_code == 200
    assert other.name in page.text
    with depot.work() as session:
        version = depot.load(session, plan_id).version
        assert takeover.preview(session, session.get_one(Courier, broken.id), now=depot.clock()).passed
    api = depot.logins.api("dispatcher")
    body = {
        "reason": "爆胎",
        "until": (depot.clock() + timedelta(hours=9)).isoformat(),
        "version": version + 1,
    }
    url = f"/api/v1/dispatch/couriers/{broken.id}/off"
    assert api.post(url, json=body).status_code == 409
    done = api.post(url, json=body | {"version": version})
    assert done.status_code == 200, done.text
    assert {one["courier_id"] for one in done.json["stops"]} == {other.id}
    with depot.work() as session:
        plan = depot.load(session, plan_id)
        assert {visit.courier_id for visit in plan.visits} == {other.id}
        assert plan.version == version + 1
        statuses = set(session.scalars(sa.select(StopRequest.status)))
        assert statuses == {StopStatus.PLANNED}
    assert api.post(f"/api/v1/dispatch/couriers/{broken.id}/back", json={}).json["stops"] == []
    again = api.post(url, json=body | {"version": None, "until": depot.clock().isoformat()})
    assert again.status_code == 422


def test_what_nobody_can_take_is_open_again(depot: Depot, phone: Phone) -> None:
    stops = phone.stops()
    phone.send(act_on(stops[0], "done", depot.clock()))
    page = depot.logins.browser("dispatcher").post(
        f"/dispatch/couriers/{phone.courier.id}/off", data={"reason": "flat tyre"}
    )
    assert page.status_code == 302
    with depot.work() as session:
        states = [session.get_one(StopRequest, stop.id).status for stop in stops]
    assert states == [StopStatus.DONE, StopStatus.OPEN, StopStatus.OPEN, StopStatus.OPEN]
    with pytest.raises(StaleVersionError), depot.work() as session:
        takeover.take_off(
            session,
            depot.dispatcher,
            session.get_one(Courier, phone.courier.id),
            reason="x",
            until=depot.clock() + timedelta(hours=1),
            version=1,
            now=depot.clock(),
        )
