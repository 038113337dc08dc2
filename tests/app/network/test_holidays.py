"""A lane rests on some days: no plan uses it then, and what had it ahead is planned anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.clock import utcnow
from app.db import outbox
from app.network import overview, queries
from app.network.models import Lane
from app.shipments.models import ShipmentLeg
from app.subscriptions import SUBSCRIPTIONS
from routing.network import itinerary
from tests.app.shipments.conftest import Desk
from tests.app.shipments.conftest import new_desk as new_desk

ENGLISH = {"Accept-Language": "en"}
TRUNK = "WUH-HUB>HGH-HUB"


def test_no_plan_uses_a_lane_on_a_day_of_rest(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    admin = desk.logins.api("admin")
    lane_id = desk.world.lanes[TRUNK]
    places = desk.world.facilities
    ready = datetime(2026, 3, 10, 1, 0, tzinfo=UTC)

    def trunk_day() -> str:
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            network = queries.routing_network(session)
            way = itinerary(network, places["CTU-01"], places["HGH-01"], ready, weight_g=1000)
        (leg,) = [leg for leg in way.legs if leg.lane_id == lane_id]
        return (leg.departure_at + timedelta(hours=8)).date().isoformat()

    day = trunk_day()
    path = f"/api/v1/network/lanes/{lane_id}/holidays"
    assert admin.get(path).json == {"items": []}
    body = {"first_day": day, "reason": "the road is closed"}
    assert admin.post(path, json=body).json["items"] == [{"day": day, "reason": "the road is closed"}]
    assert admin.post(path, json=body).json["items"] == [{"day": day, "reason": "the road is closed"}]
    assert trunk_day() > day
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        lane = session.get_one(Lane, lane_id)
        assert overview.trips_on(lane, datetime.fromisoformat(day).date()) == []
        assert session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "lane.rests")).one()
    assert admin.post(f"{path}/remove", json={"day": day}).json == {"items": []}
    assert admin.post(f"{path}/remove", json={"day": day}).status_code == 404
    assert trunk_day() == day


def test_parcels_that_had_the_lane_ahead_are_planned_anew(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    parcel = desk.book()
    lane_id = desk.world.lanes[TRUNK]

    def departs_at() -> datetime:
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            return session.scalars(
                sa.select(ShipmentLeg.planned_departure_at).where(
                    ShipmentLeg.shipment_id == parcel.id, ShipmentLeg.lane_id == lane_id
                )
            ).one()

    before = departs_at()
    day = (before + timedelta(hours=8)).date()
    answer = desk.logins.browser("admin").post(
        f"/network/lanes/{lane_id}/holidays",
        data={"first_day": day.isoformat(), "last_day": day.isoformat(), "why": "feast"},
    )
    assert answer.status_code == 302
    while outbox.relay(desk.database, SUBSCRIPTIONS, utcnow):
        pass
    assert (departs_at() + timedelta(hours=8)).date() > day


def test_the_page_shows_what_is_to_come_and_refuses_what_are_no_days(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    browser, lane_id = desk.logins.browser("admin"), desk.world.lanes[TRUNK]
    path = f"/network/lanes/{lane_id}"
    for days in (
        {"first_day": "2026-05-02", "last_day": "2026-05-01", "why": "x"},
        {"first_day": "2026-05-02", "last_day": "2027-05-01", "why": "x"},
        {"first_day": "nonsense", "why": "x"},
        {"first_day": "2026-05-02", "why": " "},
        {"first_day": "1800-05-02", "why": "x"},
    ):
        assert browser.post(f"{path}/holidays", data=days).status_code == 422, days
    three = {"first_day": "2026-05-01", "last_day": "2026-05-03", "why": "Labour Day"}
    assert browser.post(f"{path}/holidays", data=three).status_code == 302
    page = browser.get(path, headers=ENGLISH).text
    assert page.count("Labour Day") == 3
    assert browser.post(f"{path}/holidays/2026-05-02/remove").status_code == 302
    assert browser.get(path, headers=ENGLISH).text.count("Labour Day") == 2
    assert browser.post(f"{path}/holidays/2026-05-02/remove").status_code == 404
    assert browser.post(f"{path}/holidays/someday/remove").status_code == 404
    assert desk.logins.browser("hub").post(f"{path}/holidays", data=three).status_code == 403
    assert "Let it rest" not in desk.logins.browser("hub").get(path, headers=ENGLISH).text
