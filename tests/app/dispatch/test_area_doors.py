"""Areas by page and by machine: drawn, refused with the reason beside what was typed, changed, deleted."""

from __future__ import annotations

import re

from app.dispatch.models import VehicleClass
from tests.app.dispatch.conftest import Depot
from tests.app.dispatch.test_areas import EAST, WEST, draw, ring, settle

TEXT = "30.5, 104.03\n30.5， 104.10\n\n30.7 104.10\n30.7;104.03\n"
_CLOSED = {
    "name": "东区",
    "ring": TEXT,
    "closed-0-vehicle_classes": ["van", "truck"],
    "closed-0-from_time": "07:00",
    "closed-0-to_time": "09:00",
    "closed-1-vehicle_classes": ["truck"],
    "closed-1-from_time": "22:00",
    "closed-1-to_time": "00:00",
}


def listed(depot: Depot, language: str = "en") -> str:
    browser = depot.logins.browser("dispatcher")
    return browser.get(f"/dispatch/areas?facility={depot.outlet_id}&lang={language}").text


def test_an_area_is_drawn_on_the_page_shown_and_changed(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    browser = depot.logins.browser("dispatcher")
    assert "No areas yet" in listed(depot)
    new = f"/dispatch/areas/new?facility={depot.outlet_id}"
    assert browser.get(new).status_code == 200
    assert browser.post(new, data=_CLOSED).status_code == 302
    page = listed(depot)
    assert "07:00 – 09:00" in page
    assert "22:00 – 24:00" in page
    assert re.search(r"Truck,\s+Van", page)
    assert '"Polygon"' in page
    (area,) = (
        depot.logins.api("dispatcher")
        .get(f"/api/v1/dispatch/areas?facility_id={depot.outlet_id}")
        .json["items"]
    )
    assert area["ring"] == ring(EAST)
    assert [one["to_s"] for one in area["closed"]] == [9 * 3600, 24 * 3600]
    url = f"/dispatch/areas/{area['id']}"
    form = browser.get(f"{url}?lang=en").text
    assert "30.500000, 104.030000" in form
    assert 'value="00:00"' in form
    settle(depot, courier, area["id"])
    assert courier.name in browser.get(url).text
    assert courier.name in listed(depot)
    answer = browser.post(f"{url}/remove", follow_redirects=True, headers={"Accept-Language": "en"})
    assert f"At home there: {courier.name}. Give them other areas first." in answer.text
    settle(depot, courier)
    assert browser.post(f"{url}/remove").status_code == 302
    assert "No areas yet" in listed(depot)


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(depot: Depot) -> None:
    draw(depot, "西区", ring(WEST))
    browser = depot.logins.browser("dispatcher")
    new = f"/dispatch/areas/new?facility={depot.outlet_id}"
    crossed = "30.5, 104.0\n30.7, 104.1\n30.5, 104.1\n30.7, 104.0"
    wrong = {
        "Line 2 is not a latitude and a longitude.": {"ring": "30.5, 104\nChengdu"},
        "An area has at least 3 corners.": {"ring": "30.5, 104\n30.6, 104"},
        "The side after corner 1 crosses the side after corner 3.": {"ring": crossed},
        "Corner 1 is no place on earth": {"ring": "104.0, 30.5\n104.1, 30.5\n104.1, 30.6"},
        "Corner 2 lies more than 300 km from the outlet.": {"ring": "30.5, 104.0\n39.9, 116.4\n30.6, 104.1"},
        "This name is taken.": {"name": "西区"},
        "Say from when until when, and to which vehicles": {"closed-0-to_time": ""},
        "Hours over midnight are two rows.": {"closed-0-from_time": "22:00", "closed-0-to_time": "06:00"},
    }
    for words, typed in wrong.items():
        answer = browser.post(f"{new}&lang=en", data=_CLOSED | typed)
        assert answer.status_code == 422, words
        assert words in answer.text
        assert (_CLOSED | typed)["name"] in answer.text, "what was typed stands"
        assert (_CLOSED | typed)["ring"].split("\n")[0] in answer.text
        assert 'value="22:00"' in answer.text
    answer = browser.post(f"{new}&lang=zh", data=_CLOSED | {"ring": crossed})
    assert "第 1 个顶点之后的边与第 3 个顶点之后的边相交。" in answer.text
    assert browser.get("/dispatch/areas/new").status_code == 400


def test_a_couriers_vehicle_and_home_on_his_page_and_by_machine(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    east, west = draw(depot, "东区", ring(EAST)), draw(depot, "西区", ring(WEST))
    browser, api = depot.logins.browser("dispatcher"), depot.logins.api("dispatcher")
    page = f"/dispatch/couriers/{courier.id}"
    assert "东区" in browser.get(page).text
    typed = {
        "shift_start": "08:00",
        "shift_end": "19:00",
        "capacity_kg": "100",
        "capacity_litres": "900",
        "capacity_pieces": "60",
        "vehicle_class": "cargo_bike",
        "territory": [str(east), str(west)],
        "active": "y",
    }
    assert browser.post(page, data=typed | {"vehicle_class": "rocket"}).status_code == 422
    assert browser.post(page, data=typed | {"territory": ["999999999"]}).status_code == 422
    assert browser.post(page, data=typed).status_code == 302
    url = f"/api/v1/dispatch/couriers/{courier.id}"
    found = api.get(url).json
    assert (found["vehicle_class"], found["territory"]) == (VehicleClass.CARGO_BIKE, [east, west])
    assert f'value="{east}"' in browser.get(page).text
    body = {key: found[key] for key in found if key not in ("id", "code", "name", "facility_id")}
    answer = api.post(url, json=body | {"vehicle_class": "truck", "territory": [west]})
    assert (answer.json["vehicle_class"], answer.json["territory"]) == ("truck", [west])
    refused = api.post(url, json=body | {"territory": [west, 999_999_999]})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/territory"


def test_areas_by_machine(depot: Depot) -> None:
    courier = depot.hire(1)[0]
    api = depot.logins.api("dispatcher")
    body = {"facility_id": depot.outlet_id, "name": "东区", "ring": ring(EAST)}
    made = api.post("/api/v1/dispatch/areas", json=body)
    assert (made.status_code, made.json["closed"], made.json["courier_ids"]) == (201, [], [])
    url = f"/api/v1/dispatch/areas/{made.json['id']}"
    assert api.post("/api/v1/dispatch/areas", json=body).status_code == 409
    hours = {"vehicle_classes": ["van"], "from_s": 0, "to_s": 86_400}
    change = {"name": "东一区", "ring": ring(EAST)[:3], "closed": [hours]}
    assert api.post(url, json=change).json == made.json | change
    settle(depot, courier, made.json["id"])
    assert api.get(url).json["courier_ids"] == [courier.id]
    for wrong, pointer in (
        ({"closed": [hours | {"from_s": 9, "to_s": 9}]}, "/closed"),
        ({"ring": [[30.5, 104.0], [30.7, 104.1], [30.5, 104.1], [30.7, 104.0]]}, "/ring"),
    ):
        refused = api.post(url, json=change | wrong)
        assert refused.status_code == 422
        assert refused.json["errors"][0]["pointer"] == pointer
    refused = api.post(f"{url}/remove")
    assert (refused.status_code, refused.json["courier_ids"]) == (409, [courier.id])
    settle(depot, courier)
    assert api.post(f"{url}/remove").json == {"removed": made.json["id"]}
    assert api.get(url).status_code == 404
