"""The board: what stands is found, explained and worked on, many at once and each with its own result."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.config import Settings
from app.exceptions.wording import explained
from app.shipments import watching
from app.shipments.finding_models import ShipmentFinding
from app.shipments.models import Shipment
from tests.app.shipments.conftest import Desk
from tests.support.app import Api
from tracking.finding import FindingKind

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def world(new_desk: Callable[[], Desk], settings: Settings) -> tuple[Desk, dict[str, Shipment]]:
    """One parcel that is late, one off its way, one stuck, one that is well."""
    desk = new_desk()
    parcels = {name: desk.book() for name in ("late", "astray", "stuck", "well")}
    for name, parcel in parcels.items():
        life = desk.life(parcel)
        if name == "astray":
            desk.record(*life[:3], desk.scan(parcel, "arrived", life[3].occurred_at, "CAN-G"))
        else:
            desk.record(*life[:4])
    now = parcels["late"].promised_to_at + timedelta(hours=5)
    fresh = [parcels["well"], parcels["astray"]]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        for parcel in fresh:
            session.get_one(Shipment, parcel.id).promised_to_at = now + timedelta(days=9)
        row = session.get_one(Shipment, parcels["well"].id)
        row.quiet_until_at = row.estimate_ages_at = now + timedelta(days=5)
        row.estimate_p50_at = row.estimate_p80_at = row.estimate_p95_at = now + timedelta(days=8)
        session.get_one(Shipment, parcels["stuck"].id).promised_to_at = now + timedelta(days=9)
    desk.logins.clock.moment = now
    watching.watch(desk.database, settings, now)
    return desk, parcels


def ids(desk: Desk, parcel: Shipment) -> dict[FindingKind, int]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        rows = session.scalars(
            sa.select(ShipmentFinding).where(
                ShipmentFinding.shipment_id == parcel.id, ShipmentFinding.closed_at.is_(None)
            )
        ).all()
    return {row.kind: row.id for row in rows}


def do(api: Api, action: str, findings: list[int], **fields: object) -> list[dict[str, object]]:
    answer = api.post(
        "/api/v1/exceptions/actions", json={"action": action, "finding_ids": findings, **fields}
    )
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json["items"]
    return items


@pytest.fixture
def browser(world: tuple[Desk, dict[str, Shipment]]) -> FlaskClient:
    return world[0].logins.browser("admin")


def test_the_board_tells_why(world: tuple[Desk, dict[str, Shipment]], browser: FlaskClient) -> None:
    desk, parcels = world
    page = browser.get("/shipments/exceptions", headers=ENGLISH).text
    assert parcels["well"].waybill_number not in page
    assert "so 5 h 0 min late" in page
    assert "Scanned at Guangzhou gateway, which is not on its way to Hangzhou Xihu" in page
    assert "Nothing heard for" in page
    answer = desk.logins.api("admin").get("/api/v1/exceptions?kind=misrouted", headers=ENGLISH).json
    (item,) = answer["items"]
    assert item["waybill_number"] == parcels["astray"].waybill_number
    assert item["facility_id"] == desk.world.facilities["CAN-G"]
    assert item["sentence"].startswith("Scanned at")
    shown = desk.logins.api("admin").get(f"/api/v1/exceptions/{item['id']}").json
    assert shown["notes"] == []


def test_every_kind_has_a_sentence_whatever_its_details(world: tuple[Desk, dict[str, Shipment]]) -> None:
    """Another room's finding of the same kind may hold other facts, or none."""
    desk, parcels = world
    with desk.logins.app.test_request_context(), desk.database.unit_of_work(desk.logins.tenant_id) as session:
        shipment = session.get_one(Shipment, parcels["late"].id)
        now = desk.logins.clock()
        for kind in FindingKind:
            for details in ({}, {"facility_id": 10**9, "code": "none", "quiet_s": "x"}):
                row = ShipmentFinding(kind=kind, details=details, opened_at=now, shipment_id=shipment.id)
                sentence = explained(row, shipment, {}, now)
                assert sentence, kind
                assert "%(" not in sentence
                assert "  " not in sentence


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("kind=late", {"late"}),
        ("kind=misrouted", {"astray"}),
        ("place=can-g", {"astray"}),
        ("place=CAN-G&kind=late", set()),
        ("age=168", set()),
        ("whose=nobody", {"late", "astray", "stuck"}),
        ("whose=mine", set()),
        ("show=aside", set()),
    ],
)
def test_the_address_narrows(
    world: tuple[Desk, dict[str, Shipment]], browser: FlaskClient, query: str, seen: set[str]
) -> None:
    desk, parcels = world
    if query == "age=168":
        desk.logins.clock.forward(minutes=0)
    for door in ("/shipments/exceptions", "/shipments/exceptions.csv"):
        text = browser.get(f"{door}?{query}").text
        assert {name for name, parcel in parcels.items() if parcel.waybill_number in text} == seen


def test_what_cannot_be_understood_is_said(browser: FlaskClient) -> None:
    for query in ("kind=nonsense", "age=5", "whose=x", "show=x", "place=NOWHERE", "customer=0"):
        assert browser.get(f"/shipments/exceptions?{query}").status_code == 422, query


def test_pages_go_on_where_the_last_one_ended(world: tuple[Desk, dict[str, Shipment]]) -> None:
    desk, _parcels = world
    api = desk.logins.api("dispatcher")
    found: list[int] = []
    cursor = ""
    for _page in range(20):
        page = api.get(f"/api/v1/exceptions?limit=1{cursor}").json
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(found) == len(set(found))
    counts = api.get("/api/v1/exceptions/counts").json["items"]
    assert len(found) == sum(one["count"] for one in counts)


def test_each_row_has_its_own_result(
    world: tuple[Desk, dict[str, Shipment]], new_desk: Callable[[], Desk]
) -> None:
    desk, parcels = world
    late = ids(desk, parcels["late"])[FindingKind.LATE]
    astray = ids(desk, parcels["astray"])[FindingKind.MISROUTED]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        closed = ShipmentFinding(
            shipment_id=parcels["well"].id,
            finding_key="fold:settled",
            kind=FindingKind.FOUND_AGAIN,
            details={},
            opened_at=desk.logins.clock(),
            closed_at=desk.logins.clock(),
        )
        session.add(closed)
        session.flush()  # its id is asked for
        closed_id = closed.id
    api = desk.logins.api("dispatcher")
    foreign = new_desk().logins.api("dispatcher")
    results = do(api, "note", [late, closed_id, 10**12, astray], body="rang the driver")
    assert [(row["outcome"], row["done"]) for row in results] == [
        ("noted", True),
        ("closed", False),
        ("not_found", False),
        ("noted", True),
    ]
    assert [row["outcome"] for row in do(foreign, "note", [late], body="x")] == ["not_found"]
    page = desk.logins.browser("admin").get("/shipments/exceptions", headers=ENGLISH).text
    assert "rang the driver" in page


def test_assigned_acknowledged_and_put_aside(world: tuple[Desk, dict[str, Shipment]]) -> None:
    desk, parcels = world
    clock = desk.logins.clock
    finding = ids(desk, parcels["stuck"])[FindingKind.STUCK]
    api, actor = desk.logins.api("dispatcher"), desk.logins.actor("dispatcher")
    agent = desk.logins.actor("agent")
    assert do(api, "assign", [finding], assignee_id=agent.user_id)[0]["outcome"] == "assigned"
    shown = api.get(f"/api/v1/exceptions/{finding}").json
    assert shown["assignee_id"] == agent.user_id
    assert do(api, "assign", [finding])[0]["outcome"] == "unassigned"
    assert do(api, "acknowledge", [finding])[0]["done"]
    shown = api.get(f"/api/v1/exceptions/{finding}").json
    assert (shown["assignee_id"], bool(shown["acknowledged_at"])) == (actor.user_id, True)
    until = clock() + timedelta(hours=4)
    assert do(api, "snooze", [finding], until=until.isoformat())[0]["outcome"] == "put_aside"
    due = {item["id"] for item in api.get("/api/v1/exceptions").json["items"]}
    aside = {item["id"] for item in api.get("/api/v1/exceptions?show=aside").json["items"]}
    assert finding in aside - due
    assert do(api, "snooze", [finding])[0]["outcome"] == "taken_up"
    nobody = {"action": "assign", "finding_ids": [finding], "assignee_id": 10**12}
    assert api.post("/api/v1/exceptions/actions", json=nobody).status_code == 422
    past = {"action": "snooze", "finding_ids": [finding], "until": clock().isoformat()}
    assert api.post("/api/v1/exceptions/actions", json=past).status_code == 422


def test_planned_anew_from_where_it_is_and_then_settled(
    world: tuple[Desk, dict[str, Shipment]], settings: Settings
) -> None:
    desk, parcels = world
    finding = ids(desk, parcels["astray"])[FindingKind.MISROUTED]
    stuck = ids(desk, parcels["stuck"])[FindingKind.STUCK]
    agent = desk.logins.api("agent")
    body = {"action": "replan", "finding_ids": [finding]}
    assert agent.post("/api/v1/exceptions/actions", json=body).status_code == 403
    results = do(desk.logins.api("dispatcher"), "replan", [finding, stuck], body="asked by the hub")
    assert (results[0]["finding_id"], results[0]["outcome"], results[0]["done"]) == (
        finding,
        "replanned",
        True,
    )
    assert results[1]["outcome"] in ("replanned", "unchanged")
    watching.watch(desk.database, settings, desk.logins.clock())
    assert FindingKind.MISROUTED not in ids(desk, parcels["astray"])


def test_a_case_is_opened_once_a_shipment(world: tuple[Desk, dict[str, Shipment]]) -> None:
    desk, parcels = world
    late = ids(desk, parcels["late"])
    api = desk.logins.api("agent")
    results = do(api, "open_case", list(late.values()), body="the consignee rang")
    assert {row["outcome"] for row in results} == {"case_opened"}
    assert len({row["reference"] for row in results}) == 1
    shown = api.get(f"/api/v1/cases/{results[0]['reference']}").json
    assert shown["waybill_number"] == parcels["late"].waybill_number
    empty = {"action": "open_case", "finding_ids": list(late.values()), "body": " "}
    assert api.post("/api/v1/exceptions/actions", json=empty).status_code == 422


def test_the_page_works_on_what_is_marked(
    world: tuple[Desk, dict[str, Shipment]], browser: FlaskClient
) -> None:
    desk, parcels = world
    late = ids(desk, parcels["late"])[FindingKind.LATE]
    form = {"finding": [str(late), str(10**12)], "do": "note", "body": "seen", "hours": "24"}
    page = browser.post("/shipments/exceptions?kind=late", data=form, headers=ENGLISH)
    assert page.status_code == 200
    assert "1 of 2 done" in page.text
    assert "there is no such finding" in page.text
    for wrong, why in (
        ({"do": "note", "body": "x", "hours": "24"}, "Mark at least one row first"),
        ({"do": "note", "finding": str(late), "hours": "24"}, "Write down what it is about first"),
        ({"do": "found", "finding": str(late), "hours": "24"}, "Say at which place"),
        ({"do": "found", "found_at": "X", "finding": str(late), "hours": "24"}, "Say at which place"),
        ({"do": "dance", "finding": str(late), "hours": "24"}, "That cannot be done"),
    ):
        answer = browser.post("/shipments/exceptions", data=wrong, headers=ENGLISH)
        assert (answer.status_code, why in answer.text) == (422, True), wrong
    for action in ("assign", "acknowledge", "snooze", "replan"):
        form = {"finding": str(late), "do": action, "hours": ""}
        assert browser.post("/shipments/exceptions", data=form).status_code == 200, action


def test_the_csv_opens_in_a_spreadsheet(
    world: tuple[Desk, dict[str, Shipment]], browser: FlaskClient
) -> None:
    desk, parcels = world
    text = browser.get("/shipments/exceptions.csv?kind=late", headers=ENGLISH).text
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Waybill", "What", "Why"]
    assert [row[0] for row in rows[1:]] == [parcels["late"].waybill_number]
    assert desk.logins.browser("shipper", desk.shipper_id).get("/shipments/exceptions").status_code == 403


def test_lost_and_found_are_scans(world: tuple[Desk, dict[str, Shipment]], settings: Settings) -> None:
    desk, parcels = world
    api = desk.logins.api("dispatcher")
    late = ids(desk, parcels["late"])[FindingKind.LATE]
    nowhere = {"action": "found", "finding_ids": [late]}
    assert api.post("/api/v1/exceptions/actions", json=nowhere).status_code == 422
    place_id = desk.world.facilities["WUH-HUB"]
    elsewhere = desk.logins.api("hub", desk.world.facilities["CTU-01"])
    assert do(elsewhere, "found", [late], facility_id=place_id)[0]["outcome"] == "not_yours"
    assert do(api, "found", [late], facility_id=place_id)[0]["done"]
    assert desk.again(parcels["late"]).state_facility_id == place_id
    desk.logins.clock.forward(minutes=1)
    every = list(ids(desk, parcels["late"]).values())
    assert {row["outcome"] for row in do(api, "lost", every)} == {"recorded"}
    assert desk.again(parcels["late"]).milestone == "lost"
    assert ids(desk, parcels["late"]) == {}, "it has ended, and its findings with it"
