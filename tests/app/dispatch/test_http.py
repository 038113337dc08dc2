"""The dispatch room's doors: the board, a stop's places, the courier's phone, and the same for machines."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.dispatch import jobs
from app.dispatch.models import (
    Courier,
    Plan,
    PlanStatus,
    PlanVisit,
    StopKind,
    StopRequest,
    StopStatus,
    VehicleClass,
)
from app.shipments.models import ScanRecord
from tests.app.dispatch.conftest import TODAY, Depot


@pytest.fixture
def browser(depot: Depot):
    return depot.logins.browser("dispatcher")


def board_url(depot: Depot) -> str:
    return f"/dispatch?facility={depot.outlet_id}&day={TODAY.isoformat()}"


def planned(depot: Depot, stops: int = 6, couriers: int = 2) -> int:
    depot.hire(couriers)
    depot.book(stops)
    return depot.plan()


def first_visit(depot: Depot, plan_id: int) -> PlanVisit:
    with depot.work() as session:
        return depot.load(session, plan_id).visits[0]


def version_of(depot: Depot, plan_id: int) -> int:
    with depot.work() as session:
        return session.get_one(Plan, plan_id).version


# --- the board


def test_an_empty_company_is_told_so(depot: Depot, browser) -> None:
    page = browser.get("/dispatch")
    assert page.status_code == 200
    assert "还没有" in page.text or "No outlet has couriers yet" in page.text


def test_the_board_opens_on_what_has_no_round(depot: Depot, browser) -> None:
    depot.hire(2)
    depot.book(3)
    page = browser.get(board_url(depot) + "&lang=en")
    assert page.status_code == 200
    assert "3 of 3 stops have no round yet; 0 done. Couriers: 2." in page.text
    assert page.text.index("Stops in no round") < page.text.index(">Rounds<")
    assert browser.get("/dispatch").status_code == 200, "without an address it is the busiest outlet today"


def test_planning_from_the_board_to_the_couriers_phone(depot: Depot, browser) -> None:
    courier = depot.hire(1)[0]
    depot.book(3)
    answer = browser.post(
        "/dispatch/plans", data={"facility": depot.outlet_id, "day": TODAY.isoformat(), "seconds": 1}
    )
    assert answer.status_code == 302
    page = browser.get(answer.location + "&lang=en")
    assert "Waiting for the planner" in page.text
    poll = re.search(r'hx-get="([^"]+/progress)"', page.text)
    assert poll is not None
    waiting = browser.get(poll[1])
    assert "HX-Refresh" not in waiting.headers
    assert jobs.solve_next(depot.database, depot.clock)
    assert browser.get(poll[1]).headers["HX-Refresh"] == "true"
    page = browser.get(board_url(depot))
    assert "Every stop has a round" in page.text
    form = re.search(r'action="(/dispatch/plans/\d+/publish)"', page.text)
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert form is not None
    assert version is not None
    browser.post(form[1], data={"version": version[1]})
    run = depot.logins.browser("courier", courier.id).get("/run?lang=en")
    assert "3 stops left" in run.text


def test_a_stale_publication_says_what_happened(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    seen = version_of(depot, plan_id)
    visit = first_visit(depot, plan_id)
    url = f"/dispatch/plans/{plan_id}/stops/{visit.stop_request_id}/move"
    browser.post(url, data={"version": seen, "place": "out"})
    page = browser.post(f"/dispatch/plans/{plan_id}/publish?lang=en", data={"version": seen})
    assert page.status_code == 409
    assert "nothing of yours was changed yet" in page.text
    assert "Dispatcher A took 张伟, " in page.text
    assert "Publish this plan" in page.text
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.DRAFT
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version is not None, "it can be asked for again"
    again = browser.post(f"/dispatch/plans/{plan_id}/publish", data={"version": version[1]})
    assert again.status_code == 302
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.PUBLISHED


def test_a_failed_planning_is_shown_and_what_stood_before_stands(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    depot.publish(plan_id)
    again = depot.request()
    with depot.work() as session:
        plan = session.get_one(Plan, again)
        plan.status, plan.error = PlanStatus.FAILED, "the planner was ended by signal 9"
    page = browser.get(board_url(depot) + "&lang=en")
    assert "signal 9" in page.text
    assert page.text.count('class="round-stop ') == 6


def test_planning_can_be_stopped(depot: Depot, browser) -> None:
    depot.book(1)
    plan_id = depot.request()
    assert browser.post(f"/dispatch/plans/{plan_id}/cancel").status_code == 302
    with depot.work() as session:
        assert session.get_one(Plan, plan_id).status is PlanStatus.CANCELLED


def test_the_map_has_a_line_for_each_round_and_a_point_for_each_stop(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    with depot.work() as session:
        rounds = len(depot.load(session, plan_id).rounds)
    answer = browser.get(f"/dispatch.geojson?facility={depot.outlet_id}&day={TODAY.isoformat()}")
    assert answer.mimetype == "application/geo+json"
    shapes = [feature["geometry"]["type"] for feature in answer.json["features"]]
    assert shapes.count("LineString") == rounds
    assert shapes.count("Point") == 6 + 1


@pytest.mark.parametrize("query", ["day=yesterday", "facility=999999999"])
def test_a_board_that_is_not(depot: Depot, browser, query: str) -> None:
    assert browser.get(f"/dispatch?{query}").status_code in (400, 404)


# --- a stop


def test_a_stop_offers_its_places_and_is_moved(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    visit = first_visit(depot, plan_id)
    url = f"/dispatch/plans/{plan_id}/stops/{visit.stop_request_id}"
    page = browser.get(url + "?lang=en")
    part = browser.get(url, headers={"HX-Request-Type": "partial"})
    assert "<html" in page.text
    assert "<html" not in part.text
    place = re.search(r'value="(\d+):(\d+)"', part.text)
    assert place is not None
    costs = browser.get(url + "/costs?lang=en").json
    assert costs[place[1]]["sequence"] == int(place[2])
    assert re.fullmatch(r"[+−]¥?\d+\.\d\d(\xa0CNY)?", costs[place[1]]["cost"])
    page = browser.post(
        url + "/move",
        data={"version": version_of(depot, plan_id), "place": f"{place[1]}:{place[2]}"},
        follow_redirects=True,
    )
    assert costs[place[1]]["cost"] in page.text
    with depot.work() as session:
        moved = next(
            one for one in depot.load(session, plan_id).visits if one.stop_request_id == visit.stop_request_id
        )
        assert moved.courier_id == int(place[1])


def test_a_refused_move_says_why(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    weak = depot.hire(1, capacity_pieces=0)[0]
    visit = first_visit(depot, plan_id)
    page = browser.post(
        f"/dispatch/plans/{plan_id}/stops/{visit.stop_request_id}/move?lang=en",
        data={"version": version_of(depot, plan_id), "place": str(weak.id)},
        follow_redirects=True,
    )
    assert "The rounds are full: 1 piece over" in page.text


def test_a_stop_is_locked_and_unlocked(depot: Depot, browser) -> None:
    plan_id = planned(depot)
    visit = first_visit(depot, plan_id)
    url = f"/dispatch/plans/{plan_id}/stops/{visit.stop_request_id}"
    for locked in ("yes", "no"):
        browser.post(url + "/lock", data={"version": version_of(depot, plan_id), "locked": locked})
        assert first_visit(depot, plan_id).locked is (locked == "yes")
        other = "no" if locked == "yes" else "yes"
        assert f'name="locked" value="{other}"' in browser.get(url).text


def test_a_stop_is_put_off_to_the_next_day(depot: Depot, browser) -> None:
    stop = depot.stop(depot.book(1)[0])
    assert browser.post(f"/dispatch/stops/{stop.id}/postpone").status_code == 302
    with depot.work() as session:
        assert session.get_one(StopRequest, stop.id).day == TODAY + timedelta(days=1)


@pytest.mark.parametrize("place", ["", "x", "1:x", "-1", "1" * 40])
def test_a_move_to_nowhere_is_a_bad_request(depot: Depot, browser, place: str) -> None:
    plan_id = planned(depot, stops=1)
    stop_id = first_visit(depot, plan_id).stop_request_id
    answer = browser.post(
        f"/dispatch/plans/{plan_id}/stops/{stop_id}/move", data={"version": 1, "place": place}
    )
    assert answer.status_code == 400


# --- the courier's phone


@pytest.fixture
def phone(depot: Depot):
    """A courier's phone with a published round of a pickup and a delivery."""
    courier = depot.hire(1)[0]
    parcel = depot.book(1)[0]
    depot.publish(depot.plan())
    return depot.logins.browser("courier", courier.id), parcel, courier


def asked_at(page) -> str:
    return re.search(r'name="asked_at" value="(\d+)"', page.text)[1]


def test_a_double_tap_is_one_scan(depot: Depot, phone) -> None:
    browser, parcel, courier = phone
    stop = depot.stop(parcel)
    page = browser.get("/run?lang=en")
    assert f'href="geo:{stop.latitude},{stop.longitude}' in page.text
    data = {"asked_at": asked_at(page), "what": "done"}
    for _tap in range(2):
        assert browser.post(f"/run/stops/{stop.id}", data=data).status_code == 302
        depot.clock.forward(seconds=1)
    with depot.work() as session:
        scans = session.scalars(sa.select(ScanRecord).where(ScanRecord.code == "collected")).all()
        assert [(scan.device_id, scan.courier_id) for scan in scans] == [(f"phone-{courier.id}", courier.id)]
    assert depot.stop(parcel).status is StopStatus.DONE
    assert "Every stop of your round is done" in browser.get("/run?lang=en").text


def test_a_failed_pickup_has_a_reason(depot: Depot, phone) -> None:
    browser, parcel, _courier = phone
    stop = depot.stop(parcel)
    token = asked_at(browser.get("/run"))
    for reason in ("", "bored"):
        data = {"asked_at": token, "what": "failed", "reason": reason}
        assert browser.post(f"/run/stops/{stop.id}", data=data).status_code == 400
    data = {"asked_at": token, "what": "failed", "reason": "consignee_absent"}
    assert browser.post(f"/run/stops/{stop.id}", data=data).status_code == 302
    assert depot.stop(parcel).status is StopStatus.FAILED


def test_a_delivery_names_who_received_it(depot: Depot, phone) -> None:
    browser, parcel, _courier = phone
    depot.clock.forward(minutes=5)
    depot.scan(parcel, "collected")
    with depot.work() as session:
        stop = session.scalar(sa.select(StopRequest).where(StopRequest.shipment_id == parcel.id))
        stop.kind, stop.status = StopKind.DELIVERY, StopStatus.PLANNED  # the round now delivers it
    depot.clock.forward(minutes=5)
    token = asked_at(browser.get("/run"))
    path = f"/run/stops/{stop.id}/hand-over"
    page = browser.post(f"{path}?lang=en", data={"asked_at": token, "what": "done"})
    assert page.status_code == 422
    assert "Say who received it." in page.text
    data = {"asked_at": token, "what": "done", "received_by": "李小梅"}
    assert browser.post(f"/run/stops/{stop.id}", data=data).status_code == 400, "it has its own door"
    assert browser.post(path, data=data).status_code == 302
    assert depot.stop(parcel, StopKind.DELIVERY).status is StopStatus.DONE


def test_a_courier_cannot_scan_anothers_stop(depot: Depot, phone) -> None:
    _browser, parcel, _courier = phone
    stranger = depot.logins.browser("courier", depot.hire(1)[0].id)
    data = {"asked_at": "1", "what": "done"}
    assert stranger.post(f"/run/stops/{depot.stop(parcel).id}", data=data).status_code == 404
    assert depot.stop(parcel).status is StopStatus.PLANNED


# --- couriers


def test_a_couriers_shift_is_changed_and_a_wrong_one_is_not(depot: Depot, browser) -> None:
    courier = depot.hire(1)[0]
    assert courier.code in browser.get(f"/dispatch/couriers?facility={depot.outlet_id}").text
    data = {
        "shift_start": "10:00",
        "shift_end": "09:00",
        "capacity_kg": "120",
        "capacity_litres": "900",
        "capacity_pieces": "40",
        "vehicle_class": "cargo_bike",
        "active": "y",
    }
    url = f"/dispatch/couriers/{courier.id}"
    page = browser.post(url + "?lang=en", data=data)
    assert page.status_code == 422
    assert "The shift ends before it starts." in page.text
    assert 'value="10:00"' in page.text
    assert browser.post(url, data={**data, "shift_end": "18:30"}).status_code == 302
    with depot.work() as session:
        saved = session.get_one(Courier, courier.id)
        assert (saved.shift_start_s, saved.shift_end_s) == (36_000, 66_600)
        assert (saved.capacity_g, saved.capacity_cm3, saved.capacity_pieces) == (120_000, 900_000, 40)
        assert saved.vehicle_class is VehicleClass.CARGO_BIKE


# --- machines


def test_a_machine_plans_publishes_and_moves(depot: Depot) -> None:
    depot.hire(2)
    depot.book(5)
    api = depot.logins.api("dispatcher")
    body = {"facility_id": depot.outlet_id, "day": TODAY.isoformat(), "seconds": 1}
    asked = api.post("/api/v1/dispatch/plans", json=body, key="once")
    assert asked.status_code == 202, asked.text
    assert asked.json["status"] == "requested"
    again = api.post("/api/v1/dispatch/plans", json=body, key="once")
    assert again.json == asked.json
    assert api.post("/api/v1/dispatch/plans", json=body).status_code == 409
    jobs.solve_next(depot.database, depot.clock)
    plan = api.get(asked.headers["Location"]).json
    assert plan["status"] == "draft"
    visits = [visit for round_ in plan["rounds"] for visit in round_["visits"]]
    assert len(visits) == 5
    stop_id = visits[0]["stop_id"]
    url = f"/api/v1/dispatch/plans/{plan['id']}"
    offers = api.get(f"{url}/stops/{stop_id}/offers").json
    place = offers["offers"][0]
    moved = api.post(
        f"{url}/moves",
        json={
            "version": plan["version"],
            "stop_id": stop_id,
            "courier_id": place["courier_id"],
            "sequence": place["sequence"],
        },
    )
    assert moved.status_code == 200, moved.text
    assert moved.json["extra_cost_minor"] == place["extra_cost_minor"]
    stale = api.post(f"{url}/publish", json={"version": plan["version"]})
    assert stale.status_code == 409
    assert stale.json["changes"][0]["action"] == "plan.stop_moved"
    published = api.post(f"{url}/publish", json={"version": moved.json["version"]})
    assert published.json["status"] == "published"
    listed = api.get(f"/api/v1/dispatch/stops?facility_id={depot.outlet_id}&status=planned&limit=3").json
    assert len(listed["items"]) == 3
    assert listed["next_cursor"]


def test_a_courier_reads_his_round_by_machine(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    depot.book(2)
    depot.publish(depot.plan())
    run = depot.logins.api("courier", courier.id).get("/api/v1/dispatch/run").json
    assert (run["courier_id"], run["left"], len(run["visits"])) == (courier.id, 2, 2)
    assert run["visits"][0]["start_s"] <= run["visits"][1]["start_s"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/dispatch/stops",
        "/api/v1/dispatch/plans/1",
        "/dispatch",
        "/dispatch/couriers",
        "/dispatch.geojson",
    ],
)
@pytest.mark.parametrize("role", ["shipper", "hub", "courier", "agent", "finance"])
def test_the_room_is_closed_to_others(depot: Depot, role: str, path: str) -> None:
    subject = 1 if role in ("shipper", "hub", "courier") else None
    door = depot.logins.api(role, subject) if path.startswith("/api") else depot.logins.browser(role, subject)
    assert door.get(path).status_code == 403


# --- size


def test_a_board_of_three_hundred_stops_is_quick(depot: Depot, browser) -> None:
    depot.hire(12)
    depot.book(300)
    depot.plan(seconds=2)
    browser.get(board_url(depot))
    started = time.perf_counter()
    page = browser.get(board_url(depot))
    seconds = time.perf_counter() - started
    assert page.text.count('class="round-stop ') + page.text.count('draggable="true" data-open') == 300
    assert seconds < 1, f"{seconds:.2f} s"
