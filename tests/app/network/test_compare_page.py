"""The same demand on several topologies, as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from app.customers import service as customers
from app.db.session import Database
from tests.app.shipments.conftest import Desk
from tests.support.app import Logins
from tests.support.world import World, small_world

NAMES = (
    "Point-to-point",
    "One hub",
    "Several hubs, each place on one",
    "Several hubs, each place on two",
    "Hubs, and direct lines that pay",
)


@pytest.fixture(scope="module")
def desk(database: Database, new_tenant: Callable[[], Logins]) -> Desk:
    """A company that has sent parcels between its four cities, and two within one."""
    logins = new_tenant()
    now = logins.clock()
    with database.unit_of_work(logins.tenant_id) as session:
        world = small_world(session, now=now)
        one = customers.find_or_create(session, name="张伟", phone="13800138000", now=now)
        other = customers.find_or_create(session, name="李小梅", phone="13912345678", now=now)
    desk = Desk(database, logins, world, one.id, other.id)
    for start, end, count in (
        ("chengdu", "hangzhou", 4),
        ("hangzhou", "guangzhou", 3),
        ("wuhan", "chengdu", 2),
        ("wuhan", "wuhan", 2),
    ):
        for _ in range(count):
            desk.book(start, end)
    return desk


def page(desk: Desk, query: str = "", status: int = 200) -> str:
    answer = desk.logins.browser("dispatcher").get(f"/network/compare?lang=en{query}")
    assert answer.status_code == status
    return unescape(answer.text)


def features(text: str) -> list[dict[str, Any]]:
    found = re.search(r'id="compare-map-data">(.*?)</script>', text, re.S)
    assert found is not None
    return json.loads(found[1])["features"]  # type: ignore[no-any-return]


def test_what_was_sent_is_put_on_five_topologies(desk: Desk) -> None:
    text = page(desk, "&demand=own&days=1&parcels=1&hubs=2&discount=60")
    assert "9 parcels a day. Cheapest:" in text
    rows = re.findall(r'<th scope="row">(.*?)</th>', text)
    assert rows == [*NAMES, *NAMES]
    # Six outlets: 6 x 5 lines, 2 x 5 over one hub, 2 x 1 and 2 x 4 over two.
    assert re.findall(r'<td class="num"[^>]*>(\d+)<br>', text)[:4] == ["30", "10", "10", "18"]


def test_an_average_day_is_a_share_of_many(desk: Desk) -> None:
    assert "3 parcels a day. Cheapest:" in page(desk, "&demand=own&days=3&parcels=1&hubs=2&discount=60")


def test_the_map_shows_hubs_and_the_outlets_on_them(desk: Desk) -> None:
    found = features(page(desk, "&demand=own&days=1&parcels=1&hubs=2&discount=60"))
    points = [feature["properties"] for feature in found if feature["geometry"]["type"] == "Point"]
    assert len(points) == 2
    assert all(point["detail"].endswith("a day") and point["label"] for point in points)
    lines = [
        feature["properties"]["width"] for feature in found if feature["geometry"]["type"] == "LineString"
    ]
    assert (lines.count(1), lines.count(3)) == (4, 1)


def test_the_gravity_model_needs_no_parcels_sent(
    new_tenant: Callable[[], Logins], database: Database
) -> None:
    logins = new_tenant()
    with database.unit_of_work(logins.tenant_id) as session:
        small_world(session, now=logins.clock())
    browser = logins.browser("dispatcher")
    asked = "/network/compare?lang=en&days=9&parcels=5000&hubs=30&discount=60&demand="
    assert "Nothing was sent between two outlets" in browser.get(asked + "own").text
    # Thirty hubs are more than there are outlets: each of them is one.
    answer = browser.get(asked + "gravity")
    assert "5,000 parcels a day" in answer.text


def test_another_company_s_parcels_do_not_count(desk: Desk, new_tenant: Callable[[], Logins]) -> None:
    logins = new_tenant()
    with desk.database.unit_of_work(logins.tenant_id) as session:
        small_world(session, now=logins.clock())
    assert "Nothing was sent" in logins.browser("dispatcher").get("/network/compare?lang=en").text


def test_the_page_opens_with_what_is_usual(desk: Desk) -> None:
    text = page(desk)
    assert 'value="30"' in text
    assert "Cheapest:" in text


@pytest.mark.parametrize(
    "query", ["&hubs=0", "&days=91", "&discount=101", "&parcels=x", "&demand=guess", "&hubs=31"]
)
def test_impossible_questions_are_refused(desk: Desk, query: str) -> None:
    usual = {"demand": "own", "days": "9", "parcels": "9", "hubs": "2", "discount": "60"}
    name, value = query.removeprefix("&").split("=")
    asked = "".join(f"&{key}={text}" for key, text in {**usual, name: value}.items())
    assert "Cheapest:" not in page(desk, asked, status=422)


def test_only_staff_may_ask(tenant: Logins, world: World) -> None:
    assert tenant.browser("shipper").get("/network/compare").status_code == 403


def test_days_are_counted_back_from_now(desk: Desk) -> None:
    clock = desk.logins.clock
    asked = "&demand=own&days=1&parcels=1&hubs=2&discount=60"
    assert "Cheapest:" in page(desk, asked)
    clock.forward(hours=25)
    try:
        assert "Nothing was sent" in page(desk, asked)
    finally:
        clock.forward(hours=-25)


def test_an_overloaded_hub_is_named(desk: Desk) -> None:
    asked = "&demand=gravity&days=1&parcels=2000&hubs=2&discount=60&capacity="
    assert "Queues at the hubs" not in page(desk, asked)
    roomy = page(desk, f"{asked}5000")
    assert "Queues at the hubs" in roomy
    assert "Grows without end" not in roomy
    tight = page(desk, f"{asked}10")
    assert "Grows without end" in tight
    assert "240 are sorted" in tight
    assert "Queues at the hubs" not in page(desk, f"{asked}0", status=422)


def test_the_companys_own_centres_are_shown_beside_what_they_sort(desk: Desk) -> None:
    api, hub_id = desk.logins.api("admin"), desk.world.facilities["WUH-HUB"]
    path = f"/api/v1/network/facilities/{hub_id}/operation"
    run = api.get(path).json
    body = {name: value for name, value in run.items() if name != "facility_id"}
    assert api.get("/api/v1/network/loads").json == {"items": []}
    desk.logins.clock.forward(days=4)
    for capacity, over in ((1000, False), (1, False)):
        assert api.post(path, json=body | {"sort_per_hour": capacity}).status_code == 200
        (load,) = api.get("/api/v1/network/loads").json["items"]
        assert (load["code"], load["overloaded"], load["sort_per_hour"]) == ("WUH-HUB", over, capacity)
        assert load["pieces"] == 6
        assert load["longest_wait_s"] == load["peak_per_hour"] * 3600 // capacity or capacity == 1
    assert load["longest_wait_s"] >= 3600
    closed = {day: [] for day in body["opening_hours"]} | {"monday": ["08:00-09:00"]}
    assert api.post(path, json=body | {"sort_per_hour": 1, "opening_hours": closed}).status_code == 200
    (load,) = api.get("/api/v1/network/loads").json["items"]
    assert load["overloaded"]
    assert (load["capacity"], load["longest_wait_s"]) == (1, None)
    text = page(desk)
    assert "1 centre gets more than it can sort: Wuhan hub." in text
    assert "Overloaded" in text
