"""What couriers' phones tell: once, late, twice, too late, and with what cannot be made sense of."""

from __future__ import annotations

import base64
import io
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.dispatch import service as dispatch
from app.dispatch.day.links import way_link
from app.dispatch.day.models import Act, CourierLive, Outcome, StopEvent, StopPhoto
from app.dispatch.models import Courier, PlanVisit, StopKind, StopRequest, StopStatus
from app.shipments.models import ScanRecord, Shipment
from tests.app.dispatch.conftest import Depot

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def act_on(stop: StopRequest, what: str, at: datetime, **more: Any) -> dict[str, Any]:
    """An act as a phone keeps it."""
    return {
        "client_id": uuid.uuid4().hex,
        "stop_id": stop.id,
        "act": what,
        "occurred_at": at.isoformat(),
        **more,
    }


class Phone:
    """A courier's phone that talks to the machine's door."""

    def __init__(self, depot: Depot, courier: Courier) -> None:
        self.depot, self.courier = depot, courier
        self.api = depot.logins.api("courier", courier.id)

    def send(self, *acts: dict[str, Any], device: str = "phone") -> list[dict[str, Any]]:
        answer = self.api.post("/api/v1/run/acts", json={"device_id": device, "acts": acts}, key=None)
        assert answer.status_code == 200, answer.text
        return answer.json["items"]

    def stops(self) -> list[StopRequest]:
        """Of the round in force, in the order of visit."""
        with self.depot.work() as session:
            return list(
                session.scalars(
                    sa.select(StopRequest)
                    .join(PlanVisit, PlanVisit.stop_request_id == StopRequest.id)
                    .where(PlanVisit.courier_id == self.courier.id)
                    .order_by(PlanVisit.sequence)
                )
            )


@pytest.fixture
def phone(depot: Depot) -> Phone:
    courier = depot.hire(1)[0]
    depot.book(3)
    depot.publish(depot.plan())
    return Phone(depot, courier)


def events(depot: Depot) -> list[StopEvent]:
    with depot.work() as session:
        return list(session.scalars(sa.select(StopEvent).order_by(StopEvent.id)))


def test_a_stop_is_made_with_the_phones_own_times(depot: Depot, phone: Phone) -> None:
    first = phone.stops()[0]
    came, went = depot.clock() + timedelta(minutes=10), depot.clock() + timedelta(minutes=14)
    depot.clock.forward(hours=2)  # the line was down for that long
    answers = phone.send(act_on(first, "arrived", came), act_on(first, "done", went))
    assert [one["status"] for one in answers] == ["recorded", "recorded"]
    with depot.work() as session:
        scan = session.scalar(sa.select(ScanRecord).where(ScanRecord.code == "collected"))
        assert scan is not None
        assert (scan.occurred_at, scan.received_at) == (went, depot.clock())
        live = session.get_one(CourierLive, phone.courier.id)
        assert (live.act, live.act_at) == (Act.DONE, went)
    arrived, done = events(depot)
    assert (arrived.act, done.act, done.occurred_at) == (Act.ARRIVED, Act.DONE, went)
    assert done.planned_start_s is not None
    assert done.planned_travel_s is not None
    assert phone.stops()[0].status is StopStatus.DONE


def test_told_twice_it_is_done_once(depot: Depot, phone: Phone) -> None:
    first, second, _third = phone.stops()
    depot.clock.forward(minutes=30)
    acts = [act_on(first, "done", depot.clock()), act_on(second, "failed", depot.clock(), reason="no_access")]
    assert [one["status"] for one in phone.send(*acts)] == ["recorded", "recorded"]
    assert [one["status"] for one in phone.send(*acts)] == ["duplicate", "duplicate"]
    assert len(events(depot)) == 2
    other = phone.send(*acts, device="another phone")
    assert [one["status"] for one in other] == ["conflict", "conflict"], "another phone's act is another act"


def test_one_that_makes_no_sense_does_not_hold_up_the_rest(depot: Depot, phone: Phone) -> None:
    first, second, third = phone.stops()
    depot.clock.forward(minutes=30)
    moment = depot.clock()
    acts = [
        act_on(first, "failed", moment, reason="bored"),
        act_on(
            first, "failed", moment, reason="no_access", photo_base64=base64.b64encode(b"GIF89a").decode()
        ),
        act_on(second, "done", moment + timedelta(days=3)),
        act_on(second, "done", moment, hand_over={"received_by": "张伟"}),
        {**act_on(second, "done", moment), "stop_id": 2**62},
        act_on(third, "done", moment),
    ]
    statuses = [one["status"] for one in phone.send(*acts)]
    assert statuses == ["refused"] * 5 + ["recorded"]
    assert [one.act for one in events(depot)] == [Act.DONE]
    assert [stop.status for stop in phone.stops()] == [
        StopStatus.PLANNED,
        StopStatus.PLANNED,
        StopStatus.DONE,
    ]


def test_a_failed_stop_keeps_its_photo(depot: Depot, phone: Phone) -> None:
    first = phone.stops()[0]
    depot.clock.forward(minutes=20)
    act = act_on(
        first,
        "failed",
        depot.clock(),
        reason="business_closed",
        photo_base64=base64.b64encode(PNG).decode(),
        latitude=30.6,
        longitude=104.0,
    )
    assert phone.send(act)[0]["status"] == "recorded"
    with depot.work() as session:
        photo = session.scalar(sa.select(StopPhoto))
        assert photo is not None
        assert (photo.content_type, photo.content) == ("image/png", PNG)
    planner = depot.logins.browser("dispatcher")
    url = f"/dispatch/photos/{photo.id}"
    assert planner.get(url).data == PNG
    assert planner.get(url).mimetype == "image/png"
    assert depot.logins.browser("courier", phone.courier.id).get(url).status_code == 403
    assert phone.stops()[0].status is StopStatus.FAILED


def test_a_stop_that_was_taken_over_loses_nothing(depot: Depot, phone: Phone) -> None:
    """What happened to a parcel is recorded; that it failed does not stop the one who is on his way to it."""
    _driven_to, first, second = phone.stops()
    other = depot.hire(1)[0]
    # In force, and its first stop has another courier now, which the phone without a line does not know.
    with depot.work() as session:
        for stop in (first, second):
            visit = session.scalar(sa.select(PlanVisit).where(PlanVisit.stop_request_id == stop.id))
            assert visit is not None
            plan = depot.load(session, visit.plan_id)
            dispatch.move_stop(
                session,
                depot.dispatcher,
                plan,
                session.get_one(StopRequest, stop.id),
                courier_id=other.id if stop is first else None,
                now=depot.clock(),
            )
    depot.clock.forward(minutes=40)
    answers = phone.send(
        act_on(first, "failed", depot.clock(), reason="no_access"), act_on(second, "done", depot.clock())
    )
    assert [(one["status"], one["why"]) for one in answers] == [
        ("conflict", "other_courier"),
        ("conflict", "not_in_round"),
    ]
    assert [one.outcome for one in events(depot)] == [Outcome.CONFLICT, Outcome.CONFLICT]
    with depot.work() as session:
        codes = session.scalars(sa.select(ScanRecord.code).where(ScanRecord.code != "booked")).all()
        assert [code.value for code in codes] == ["collected"]
        assert session.get_one(StopRequest, first.id).status is StopStatus.PLANNED
        assert session.get_one(StopRequest, second.id).status is StopStatus.DONE


def test_a_delivery_is_handed_over_from_the_queue(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    parcel = depot.book(1)[0]
    depot.publish(depot.plan())
    phone = Phone(depot, courier)
    depot.clock.forward(minutes=5)
    depot.scan(parcel, "collected")
    with depot.work() as session:
        stop = session.scalar(sa.select(StopRequest).where(StopRequest.shipment_id == parcel.id))
        assert stop is not None
        stop.kind, stop.status = StopKind.DELIVERY, StopStatus.PLANNED  # the round now delivers it
    depot.clock.forward(minutes=5)
    proof = {"kind": "photo", "content_base64": base64.b64encode(PNG).decode()}
    plain = act_on(stop, "done", depot.clock())
    handed = act_on(stop, "done", depot.clock(), hand_over={"received_by": "李小梅", "proof": proof})
    again = act_on(stop, "done", depot.clock(), hand_over={"received_by": "李小梅"})
    assert [one["status"] for one in phone.send(plain)] == ["refused"], "it has its own door"
    assert [one["status"] for one in phone.send(handed)] == ["recorded"]
    assert [one["status"] for one in phone.send(handed)] == ["duplicate"]
    assert [(one["status"], one["why"]) for one in phone.send(again)] == [("refused", "finished")]
    with depot.work() as session:
        assert session.get_one(Shipment, parcel.id).milestone == "delivered"


def test_what_was_not_paid_was_not_handed_over(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    parcel = depot.book(1, cod_minor=5000)[0]
    depot.publish(depot.plan())
    phone = Phone(depot, courier)
    depot.scan(parcel, "collected", at=depot.clock() + timedelta(seconds=30))
    with depot.work() as session:
        stop = session.scalar(sa.select(StopRequest).where(StopRequest.shipment_id == parcel.id))
        assert stop is not None
        stop.kind, stop.status = StopKind.DELIVERY, StopStatus.PLANNED
    depot.clock.forward(minutes=9)
    given = {"received_by": "李小梅", "paid": {"amount_minor": 0}}
    (answer,) = phone.send(act_on(stop, "done", depot.clock(), hand_over=given))
    assert (answer["status"], answer["why"]) == ("recorded", "not_paid")
    (event,) = events(depot)
    assert (event.act, event.reason) == (Act.FAILED, "cash_not_paid")


def test_the_page_sends_with_its_token_and_is_told_in_its_language(depot: Depot, phone: Phone) -> None:
    first, second, _third = phone.stops()
    browser = depot.logins.browser("courier", phone.courier.id)
    depot.clock.forward(minutes=20)
    body = {"device_id": "phone", "acts": [act_on(first, "done", depot.clock())]}
    answer = browser.post("/run/acts?lang=en", json=body)
    assert [(one["status"], one["text"]) for one in answer.json] == [("recorded", None)]
    body["acts"] = [act_on(first, "done", depot.clock()), act_on(second, "failed", depot.clock(), reason="x")]
    texts = [one["text"] for one in browser.post("/run/acts?lang=en", json=body).json]
    assert texts == [
        "This stop was finished before. What you told is kept.",
        "It could not be recorded.",
    ]
    assert browser.post("/run/acts", json={"acts": []}).status_code == 400
    assert browser.post("/run/acts", data="no json").status_code == 400


def test_the_page_holds_the_whole_round_and_the_next_stop_first(depot: Depot, phone: Phone) -> None:
    first, *others = phone.stops()
    browser = depot.logins.browser("courier", phone.courier.id)
    page = browser.get("/run?lang=en").text
    shown = [int(one) for one in re.findall(r'data-run-stop="(\d+)"', page)]
    assert shown == [first.id, *(stop.id for stop in others)]
    assert page.count("<details open>") == 1
    assert 'href="tel:' in page
    assert "Agreed: " in page
    worker = browser.get("/run/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == "/run"
    assert worker.mimetype == "text/javascript"
    token = re.search(r'name="asked_at" value="(\d+)"', page)
    assert token is not None
    answer = browser.post(f"/run/stops/{first.id}", data={"asked_at": token[1], "what": "arrived"})
    assert answer.status_code == 302
    assert [one.act for one in events(depot)] == [Act.ARRIVED]
    assert browser.post(f"/run/stops/{first.id}", data={"asked_at": "1", "what": "slept"}).status_code == 400


def test_without_scripts_a_photo_that_is_none_is_told(depot: Depot, phone: Phone) -> None:
    first = phone.stops()[0]
    browser = depot.logins.browser("courier", phone.courier.id)
    data = {
        "asked_at": "1",
        "what": "failed",
        "reason": "no_access",
        "photo": (io.BytesIO(b"GIF89a"), "a.gif"),
    }
    page = browser.post(f"/run/stops/{first.id}?lang=en", data=data)
    assert page.status_code == 422
    assert "a picture of at most 300 kB" in page.text
    assert events(depot) == []


@pytest.mark.parametrize("role", ["dispatcher", "hub", "admin"])
def test_only_a_courier_has_a_round(depot: Depot, phone: Phone, role: str) -> None:
    api = depot.logins.api(role, depot.outlet_id if role == "hub" else None)
    body = {"device_id": "phone", "acts": [act_on(phone.stops()[0], "done", depot.clock())]}
    assert api.post("/api/v1/run/acts", json=body, key=None).status_code == 404
    assert events(depot) == []


def test_another_outlets_stop_is_none_of_his(depot: Depot, phone: Phone) -> None:
    stranger = depot.hire(1, facility_id=depot.world.facilities["HGH-01"])[0]
    (answer,) = Phone(depot, stranger).send(act_on(phone.stops()[0], "done", depot.clock()))
    assert (answer["status"], answer["why"]) == ("refused", "not-found")


def test_what_was_told_cannot_be_changed(depot: Depot, phone: Phone) -> None:
    phone.send(act_on(phone.stops()[0], "arrived", depot.clock()))
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), depot.work() as session:
        session.execute(sa.update(StopEvent).values(reason="x"))


def test_the_way_is_shown_by_what_was_set() -> None:
    assert way_link("geo", 30.5, 104.0, "路1号") == "geo:30.5,104.0?q=30.5,104.0"
    amap = way_link("amap", 30.5, 104.0, "路1号")
    assert amap.startswith("https://uri.amap.com/navigation?to=104.0,30.5,%E8%B7%AF1")
    assert "coordinate=wgs84" in amap
    assert "destination=30.5,104.0" in way_link("google", 30.5, 104.0, "路1号")
