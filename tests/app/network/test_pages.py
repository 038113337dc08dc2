"""The network's pages and its machine's door, through HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.db.session import Database
from tests.support.app import Logins
from tests.support.world import World, small_world

READY = "2026-03-02T09:00"


def test_the_page_says_how_large_the_network_is(tenant: Logins, world: World) -> None:
    page = tenant.browser("dispatcher").get("/network?lang=en").text
    assert "15 facilities and 22 lanes, all of them open." in page
    assert page.count("data-open") == 15


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("kind=hub", {"HGH-HUB", "WUH-HUB"}),
        ("province=四川省&kind=outlet", {"CTU-01", "CTU-02"}),
        ("q=panyu", {"CAN-C1"}),
        ("q=锦江", {"CTU-02"}),
        ("state=closed", set()),
        ("q=%25", set()),
    ],
)
def test_the_address_filters_the_list(tenant: Logins, world: World, query: str, codes: set[str]) -> None:
    page = tenant.browser("hub").get(f"/network?{query}").text
    assert set(re.findall(r"data-open>([A-Z0-9-]+)<", page)) == codes


def test_a_kind_that_does_not_exist_is_refused(tenant: Logins, world: World) -> None:
    assert tenant.browser("hub").get("/network?kind=castle").status_code == 422


def test_the_map_holds_every_facility_and_each_pair_of_lanes_once(tenant: Logins, world: World) -> None:
    browser = tenant.browser("dispatcher")
    answer = browser.get("/network.geojson")
    assert answer.mimetype == "application/geo+json"
    features = answer.json["features"]
    assert [feature["geometry"]["type"] for feature in features].count("Point") == 15
    lines = [feature for feature in features if feature["geometry"]["type"] == "LineString"]
    assert len(lines) == 11
    assert {line["properties"]["detail"] for line in lines} == {"56 departures a week"}
    again = browser.get("/network.geojson", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    other_language = browser.get("/network.geojson", headers={"Accept-Language": "zh"})
    assert other_language.headers["ETag"] != answer.headers["ETag"]


def test_a_facility_shows_its_lanes_and_todays_departures(tenant: Logins, world: World) -> None:
    page = tenant.browser("hub").get(f"/network/facilities/{world.facilities['CTU-01']}").text
    assert "Chengdu gateway" in page
    assert [time for time in ("06:00", "10:00", "14:00", "19:00") if f">{time}</time>" in page] == [
        "06:00",
        "10:00",
        "14:00",
        "19:00",
    ]
    assert "Close it" not in page


def test_a_lane_shows_its_timetable(tenant: Logins, world: World) -> None:
    page = tenant.browser("hub").get(f"/network/lanes/{world.lanes['WUH-HUB>HGH-HUB']}").text
    assert "Every day" in page
    assert "01:00" in page
    assert "22:00" in page


def route(start: str, end: str, **more: str) -> str:
    query = {"origin": start, "destination": end, "ready": READY, "weight_g": "1200", **more}
    return "/network/route?" + "&".join(f"{name}={quote(value)}" for name, value in query.items())


def test_a_route_stands_beside_the_direct_one(tenant: Logins, world: World) -> None:
    page = tenant.browser("dispatcher").get(route("CTU-01", "杭州西湖网点")).text
    assert "Over the hub network" in page
    assert "22 lines join the places" in page
    # Twelve places have lanes: two hubs, four gateways, six outlets.
    assert "132 lines join the places" in page
    for place in ("Chengdu Wuhou", "Chengdu gateway", "Wuhan hub", "Hangzhou hub", "Hangzhou gateway"):
        assert f'<th scope="row">{place}</th>' in page


def test_an_ambiguous_place_is_a_list_to_choose_from(tenant: Logins, world: World) -> None:
    answer = tenant.browser("dispatcher").get(route("成都", "CAN-01"))
    assert answer.status_code == 422
    assert "This may be several places" in answer.text
    links = re.findall(r'href="(/network/route[^"]+)"', answer.text)
    assert any("origin=CTU-02" in link for link in links)
    assert any("origin=510116" in link for link in links)
    chosen = next(link for link in links if "origin=510116" in link).replace("&amp;", "&")
    assert "Over the hub network" in tenant.browser("dispatcher").get(chosen).text


@pytest.mark.parametrize(
    ("start", "more", "said"),
    [
        ("nowhere", {}, "No facility and no district has this name."),
        ("999999", {}, "No facility and no district has this name."),
        ("CTU-01", {"ready": "9999-12-31T23:00"}, "This is not a date of this century."),
        ("CTU-01", {"weight_g": "0"}, "between 1 and"),
        ("CTU-01", {"weight_g": "99000000"}, "The parcel is too heavy for every way between them."),
    ],
)
def test_what_cannot_be_routed_says_why(
    tenant: Logins, world: World, start: str, more: dict[str, str], said: str
) -> None:
    answer = tenant.browser("dispatcher").get(route(start, "CAN-01", **more))
    assert said in answer.text


def test_the_empty_form_is_filled_in_with_now(tenant: Logins, world: World) -> None:
    answer = tenant.browser("dispatcher").get("/network/route?origin=CTU-01")
    assert answer.status_code == 200
    assert 'value="CTU-01"' in answer.text
    assert 'value="2026-03-02T09:00"' in answer.text


def test_an_administrator_closes_and_reopens_with_a_reason(
    new_tenant: Callable[[], Logins], database: Database
) -> None:
    tenant = new_tenant()
    with database.unit_of_work(tenant.tenant_id) as session:
        world = small_world(session, now=tenant.clock())
    hub = f"/network/facilities/{world.facilities['WUH-HUB']}"
    lane = f"/network/lanes/{world.lanes['HGH-G>HGH-HUB']}"
    admin = tenant.browser("admin")
    assert tenant.browser("dispatcher").post(f"{hub}/close", data={"reason": "x"}).status_code == 403
    assert admin.post(f"{hub}/close", data={"reason": ""}).status_code == 422
    assert admin.post(f"{hub}/close", data={"reason": "Flood"}).status_code == 302
    assert admin.post(f"{hub}/close", data={"reason": "Flood"}).status_code == 409
    assert admin.post(f"{lane}/close", data={"reason": "Works"}).status_code == 302
    assert "Closed now: 1 of the facilities, 1 of the lanes." in admin.get("/network").text
    page = admin.get(route("CTU-01", "HGH-01")).text
    assert "No open lanes lead from one to the other." in page
    tones = {feature["properties"].get("tone") for feature in admin.get("/network.geojson").json["features"]}
    assert tones == {None, "bad"}
    assert admin.post(f"{hub}/reopen", data={"reason": "Dry"}).status_code == 302
    with database.unit_of_work(tenant.tenant_id) as session:
        entries = session.execute(
            sa.select(AuditEntry.action, AuditEntry.reason).order_by(AuditEntry.id)
        ).all()
    assert [tuple(entry) for entry in entries] == [
        ("facility.closed", "Flood"),
        ("lane.closed", "Works"),
        ("facility.reopened", "Dry"),
    ]


def test_a_shipper_sees_neither_network_nor_another_tenants(
    tenant: Logins, new_tenant: Callable[[], Logins], world: World
) -> None:
    assert tenant.browser("shipper").get("/network").status_code == 403
    stranger = new_tenant()
    for path in (
        f"/network/facilities/{world.facilities['WUH-HUB']}",
        f"/network/lanes/{world.lanes['CTU-01>CTU-G']}",
    ):
        assert stranger.browser("admin").get(path).status_code == 404


def test_districts_for_address_entry_need_a_login_only(tenant: Logins, world: World) -> None:
    items = tenant.browser("shipper").get("/districts?q=武侯").json["items"]
    assert [item["adcode"] for item in items] == ["510107"]
    assert tenant.api("shipper").get("/api/v1/districts?q=武侯").json["items"] == items
    assert tenant.api("shipper").get("/api/v1/districts").status_code == 422


def test_machines_list_facilities_page_by_page(tenant: Logins, world: World) -> None:
    api = tenant.api("hub")
    codes: list[str] = []
    path: str | None = "/api/v1/network/facilities?limit=4"
    while path is not None:
        answer = api.get(path)
        codes += [item["code"] for item in answer.json["items"]]
        link = answer.headers.get("Link")
        path = re.match(r"<([^>]+)>", link)[1] if link else None
    assert codes == sorted(world.facilities)
    assert api.get("/api/v1/network/facilities?kind=castle").status_code == 422
    assert api.get("/api/v1/network/facilities?cursor=rubbish").status_code == 400


def itinerary(world: World, **more: object) -> str:
    query = {
        "from_facility_id": world.facilities["CTU-01"],
        "to_facility_id": world.facilities["HGH-01"],
        "ready_at": "2026-03-02T09:00:00+08:00",
        **more,
    }
    return "/api/v1/network/itineraries?" + "&".join(f"{k}={quote(str(v))}" for k, v in query.items())


def test_machines_get_itineraries_on_both_topologies(tenant: Logins, world: World) -> None:
    api = tenant.api("dispatcher")
    hub = api.get(itinerary(world)).json
    assert [leg["sequence"] for leg in hub["legs"]] == [1, 2, 3, 4, 5]
    assert hub["legs"][0]["departure_at"] >= "2026-03-02T01:30"
    assert hub["distance_m"] == sum(leg["distance_m"] for leg in hub["legs"])
    assert hub["cost_minor"] == sum(leg["cost_minor"] for leg in hub["legs"])
    direct = api.get(itinerary(world, topology="point_to_point")).json
    assert [leg["lane_id"] for leg in direct["legs"]] == [None]
    assert (hub["lines"], direct["lines"]) == (22, 132)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"to_facility_id": 10**12}, 404),
        ({"to_facility_id": 10**30}, 422),
        ({"ready_at": "2026-03-02T09:00:00"}, 422),
        ({"ready_at": "9999-12-31T23:00:00Z"}, 422),
        ({"weight_g": 0}, 422),
        ({"weight_g": 90_000_000}, 422),
        ({"colour": "red"}, 422),
    ],
)
def test_bad_questions_of_machines_are_refused(
    tenant: Logins, world: World, more: dict[str, object], status: int
) -> None:
    answer = tenant.api("dispatcher").get(itinerary(world, **more))
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
