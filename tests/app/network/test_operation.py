"""A facility's hours, sorting and operator: changed by page and machine, kept, and honoured by every plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.clock import utcnow
from app.db import outbox
from app.network import queries, working
from app.network.hours_text import intervals_of, intervals_written, time_of, times_of
from app.network.models import Facility
from app.network.opening import opening_words
from app.shipments.models import ShipmentLeg
from app.subscriptions import SUBSCRIPTIONS
from routing.network import Handover, WorkingHours
from routing.network.hours import weekly
from tests.app.shipments.conftest import Desk
from tests.app.shipments.conftest import new_desk as new_desk

ENGLISH = {"Accept-Language": "en"}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BODY: dict[str, Any] = {
    "operator": "partner",
    "timezone": "Asia/Urumqi",
    "opening_hours": {day: ["09:00-12:00", "14:00-24:00"] for day in DAYS} | {"sunday": []},
    "collection_cutoff": "15:30",
    "delivery_rounds": ["09:30", "15:00"],
    "sort_s": 900,
    "sort_per_hour": 750,
}
FORM = {
    "operator": "own",
    "timezone": "Asia/Shanghai",
    **dict.fromkeys(DAYS, "08:00-20:00"),
    "cutoff": "16:00",
    "rounds": "08:00, 14:00",
    "sort_minutes": "30",
    "sort_per_hour": "",
}


@pytest.fixture(scope="module")
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()


def run_so(desk: Desk, code: str, hours: WorkingHours, *holidays: str) -> None:
    """Give a facility hours, and days of rest through the machine's door."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        row = session.get_one(Facility, desk.world.facilities[code])
        operation = replace(working.operation_of(row), hours=hours)
        working.change_operation(session, desk.logins.actor("admin"), row, operation, now=desk.logins.clock())
    for day in holidays:
        path = f"/api/v1/network/facilities/{desk.world.facilities[code]}/holidays"
        body = {"first_day": day, "reason": "feast"}
        assert desk.logins.api("admin").post(path, json=body).status_code == 200


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ()),
        (" 8:00 - 12:30 ", ((480, 750),)),
        ("14:00-20:00, 08:00-12:00", ((480, 720), (840, 1200))),
        ("00:00–24:00", ((0, 1440),)),
        ("08：00-12：00，14:00~20:00", ((480, 720), (840, 1200))),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, read: tuple[tuple[int, int], ...]) -> None:
    assert intervals_of(text) == read
    assert intervals_of(", ".join(intervals_written(read))) == read


@pytest.mark.parametrize(
    "text",
    ["8-12", "08:00", "12:00-08:00", "08:00-25:00", "08:60-09:00", "08:00-10:00,09:00-11:00", "٠٨:٠٠-١٢:٠٠"],
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|no opening hours|before they start|overlap"):
        intervals_of(text)


def test_times_of_day() -> None:
    assert times_of("08:00, 14:30") == (480, 870)
    assert time_of("24:00") == 1440


def test_a_machine_changes_how_a_facility_is_run(desk: Desk) -> None:
    admin, hub = desk.logins.api("admin"), desk.logins.api("hub", desk.world.facilities["WUH-HUB"])
    facility_id = desk.world.facilities["CTU-02"]
    path = f"/api/v1/network/facilities/{facility_id}/operation"
    before = admin.get(path).json
    assert before["opening_hours"]["monday"] == ["08:00-20:00"]
    assert (before["collection_cutoff"], before["delivery_rounds"]) == ("16:00", ["08:00", "14:00"])
    assert hub.get(path).json == before
    assert hub.post(path, json=BODY).status_code == 403
    answer = admin.post(path, json=BODY)
    assert answer.status_code == 200, answer.text
    assert answer.json == BODY | {"facility_id": facility_id} == admin.get(path).json
    assert admin.post(path, json=BODY).json == answer.json
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        place = queries.routing_network(session).facility(facility_id)
        assert place.sort_per_hour == 750
        assert place.hours is not None
        assert place.hours.zone.key == "Asia/Urumqi"
        assert place.hours.intervals_by_weekday()[6] == ()
        assert session.get_one(Facility, facility_id).utc_offset_minutes == 360
        (told,) = session.scalars(
            sa.select(AuditEntry).where(
                AuditEntry.action == "facility.operation", AuditEntry.subject_id == facility_id
            )
        )
        assert told.details["before"]["operator"] == "franchise"
        assert told.details["after"]["sort_per_hour"] == 750


@pytest.mark.parametrize(
    "change",
    [
        {"operator": "somebody"},
        {"timezone": "Mars/Olympus"},
        {"opening_hours": {day: [] for day in DAYS}},
        {"opening_hours": BODY["opening_hours"] | {"monday": ["09:00-12:00", "11:00-13:00"]}},
        {"opening_hours": BODY["opening_hours"] | {"monday": ["12:00-09:00"]}},
        {"opening_hours": BODY["opening_hours"] | {"monday": ["9-12"]}},
        {"collection_cutoff": "08:00"},
        {"collection_cutoff": "00:00"},
        {"delivery_rounds": []},
        {"delivery_rounds": ["14:00", "08:00"]},
        {"sort_s": -1},
        {"sort_per_hour": 0},
    ],
)
def test_a_machine_is_told_what_cannot_be(desk: Desk, change: dict[str, Any]) -> None:
    path = f"/api/v1/network/facilities/{desk.world.facilities['HGH-01']}/operation"
    admin = desk.logins.api("admin")
    before = admin.get(path).json
    answer = admin.post(path, json=BODY | change)
    assert answer.status_code == 422
    assert answer.json["errors"]
    assert admin.get(path).json == before


def test_the_page_changes_how_a_facility_is_run_and_shows_it(desk: Desk) -> None:
    browser, facility_id = desk.logins.browser("admin"), desk.world.facilities["CTU-S1"]
    path = f"/network/facilities/{facility_id}"
    page = browser.get(f"{path}/operation", headers=ENGLISH).text
    assert page.count('value="08:00-20:00"') == 7
    assert 'value="18:00"' in page
    wanted = FORM | {
        "saturday": "10:00-12:00, 13:00-18:00",
        "sunday": "",
        "cutoff": "17:00",
        "sort_per_hour": "90",
    }
    assert browser.post(f"{path}/operation", data=wanted).status_code == 302
    shown = browser.get(path, headers=ENGLISH).text
    for words in ("10:00–12:00, 13:00–18:00", "Emptied at", "17:00", "90 pieces an hour", "Asia/Shanghai"):
        assert words in shown
    stranger = desk.logins.browser("hub", desk.world.facilities["WUH-HUB"])
    assert stranger.get(f"{path}/operation").status_code == 403
    assert stranger.post(f"{path}/operation", data=wanted).status_code == 403
    assert "Change hours" not in stranger.get(path, headers=ENGLISH).text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"monday": "8 to 20"}, "Write it like 08:00-12:00"),
        ({"monday": "08:00-12:00, 11:00-13:00"}, "Write it like 08:00-12:00"),
        ({"timezone": "Nowhere"}, "no such time zone"),
        ({"cutoff": "late"}, "Write it like 16:00"),
        ({"cutoff": "00:00"}, "after the opening"),
        ({"cutoff": "07:00"}, "after the opening"),
        ({"rounds": "14:00, 08:00"}, "in order"),
        ({"rounds": "eight"}, "Write it like 08:00, 14:00"),
        (dict.fromkeys(DAYS, ""), "open on some day"),
        ({"sort_minutes": "-1"}, "sort_minutes"),
    ],
)
def test_the_page_says_what_is_wrong_and_loses_nothing(
    desk: Desk, change: dict[str, str], fault: str
) -> None:
    browser, facility_id = desk.logins.browser("admin"), desk.world.facilities["HGH-01"]
    answer = browser.post(
        f"/network/facilities/{facility_id}/operation",
        data=FORM | {"wednesday": "09:15-17:45"} | change,
        headers=ENGLISH,
    )
    assert answer.status_code == 422
    assert fault in answer.text
    assert ("09:15-17:45" in answer.text) == ("wednesday" not in change)


def test_what_is_promised_keeps_to_the_hours_of_both_outlets(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    desk.logins.clock.moment = datetime(2026, 3, 2, 1, tzinfo=UTC)  # a Monday, nine in China
    usual = desk.book()
    week = weekly([[(480, 1200)]] * 7)
    run_so(desk, "HGH-01", WorkingHours("Asia/Shanghai", week, round_minutes=(1080,)))
    evening = desk.book()
    assert usual.promised_to_at != evening.promised_to_at
    assert (evening.estimate_p50_at + timedelta(hours=8)).hour >= 21
    run_so(desk, "HGH-01", WorkingHours("Asia/Shanghai", week), "2026-03-04", "2026-03-05")
    assert (desk.book().estimate_p50_at + timedelta(hours=8)).date().isoformat() == "2026-03-06"
    early = WorkingHours("Asia/Shanghai", week, collection_cutoff_minute=500)
    run_so(desk, "CTU-01", early)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        first = sa.select(ShipmentLeg.planned_departure_at).where(ShipmentLeg.sequence == 1)
        late = desk.book()
        leaves = session.scalars(first.where(ShipmentLeg.shipment_id == late.id)).one()
        left = session.scalars(first.where(ShipmentLeg.shipment_id == usual.id)).one()
    assert leaves - left >= timedelta(hours=16)


def test_parcels_on_their_way_are_planned_by_the_hours_of_a_hub(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    parcel = desk.book()

    def leaves_hub() -> datetime:
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            hub_id = desk.world.facilities["HGH-HUB"]
            return session.scalars(
                sa.select(ShipmentLeg.planned_departure_at).where(
                    ShipmentLeg.shipment_id == parcel.id, ShipmentLeg.from_facility_id == hub_id
                )
            ).one()

    before = leaves_hub()
    day = (before + timedelta(hours=8)).date()
    run_so(
        desk,
        "HGH-HUB",
        WorkingHours("Asia/Shanghai"),
        *((day + timedelta(days=step)).isoformat() for step in (-1, 0)),
    )
    while outbox.relay(desk.database, SUBSCRIPTIONS, utcnow):
        pass
    assert (leaves_hub() + timedelta(hours=8)).date() > day


def test_a_facility_rests_and_works_again_by_its_page(desk: Desk) -> None:
    browser, facility_id = desk.logins.browser("admin"), desk.world.facilities["CAN-01"]
    path = f"/network/facilities/{facility_id}"
    days = {"first_day": "2026-10-01", "last_day": "2026-10-03", "why": "National Day"}
    assert browser.post(f"{path}/holidays", data=days | {"why": " "}).status_code == 422
    assert browser.post(f"{path}/holidays", data=days).status_code == 302
    assert browser.get(path, headers=ENGLISH).text.count("National Day") == 3
    assert browser.post(f"{path}/holidays/2026-10-02/remove").status_code == 302
    api = desk.logins.api("admin")
    machine = f"/api/v1{path}/holidays"
    assert [one["day"] for one in api.get(machine).json["items"]] == ["2026-10-01", "2026-10-03"]
    assert api.post(f"{machine}/remove", json={"day": "2026-10-02"}).status_code == 404
    assert api.post(f"{machine}/remove", json={"day": "2026-10-03"}).json["items"] == [
        {"day": "2026-10-01", "reason": "National Day"}
    ]


def test_another_company_sees_and_changes_nothing(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    other = new_desk().logins
    path = f"/network/facilities/{desk.world.facilities['HGH-01']}"
    for page in (path, f"{path}/operation"):
        assert other.browser("admin").get(page).status_code == 404
    assert other.browser("admin").post(f"{path}/operation", data=FORM).status_code == 404
    assert other.api("admin").get(f"/api/v1{path}/operation").status_code == 404
    assert other.api("admin").post(f"/api/v1{path}/operation", json=BODY).status_code == 404
    day = {"first_day": "2026-10-01", "reason": "x"}
    assert other.api("admin").post(f"/api/v1{path}/holidays", json=day).status_code == 404


def test_the_consignee_is_told_until_when_he_can_fetch_it(new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    run_so(desk, "HGH-01", WorkingHours("Asia/Shanghai", weekly([[(480, 1200)]] * 7)))
    parcel = desk.book(delivery_handover=Handover.OUTLET)
    desk.record(*desk.life(parcel, until="arrived")[:3])
    desk.logins.clock.moment = datetime(2026, 3, 9, 4, tzinfo=UTC)
    desk.record(desk.scan(parcel, "at_outlet", desk.logins.clock() - timedelta(hours=1), "HGH-01"))
    browser = desk.logins.browser("admin")
    digits = {"digits": "5678"}
    page = f"/track/{parcel.waybill_number}"
    assert "Open until" not in browser.get(page, headers=ENGLISH).text
    opened = browser.post(f"{page}/details", data=digits, headers=ENGLISH, follow_redirects=True).text
    assert "Fetch it here" in opened
    assert "Open until 20:00" in opened
    told = desk.logins.api("admin").get(f"/api/v1/track/{parcel.waybill_number}?phone_last4=5678").json
    assert told["details"]["fetch_at"] == {
        "name": "杭州西湖网点",
        "open_until": "2026-03-09T12:00:00+00:00",
        "opens_at": "2026-03-10T00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("2026-03-09T12:00", "Open until 20:00"),
        ("2026-03-09T21:00", "Closed now; opens"),
        ("2026-03-09T07:00", "Closed now; opens 08:00"),
        ("2026-03-14T12:00", "Open until 24:00"),
        ("2026-03-13T12:00", "Closed now; opens"),
    ],
)
def test_opening_words(desk: Desk, local: str, words: str) -> None:
    week = weekly([*[[(480, 1200)]] * 5, [(480, 1440)], []])
    run_so(desk, "CAN-C1", WorkingHours("Asia/Shanghai", week), "2026-03-13")
    moment = datetime.fromisoformat(f"{local}+08:00")
    app = desk.logins.browser("admin").application
    with (
        app.test_request_context(headers=ENGLISH),
        desk.database.unit_of_work(desk.logins.tenant_id) as session,
    ):
        place = session.get_one(Facility, desk.world.facilities["CAN-C1"])
        locker = session.get_one(Facility, desk.world.facilities["HGH-L1"])
        assert opening_words(place, moment).startswith(words)
        assert opening_words(locker, moment) == "Open round the clock"


def test_the_database_refuses_hours_that_cannot_be(desk: Desk) -> None:
    for change in (
        "open_minutes = '{}'",
        "open_minutes = '{[0,10081)}'",
        "cutoff_minute = 0",
        "round_minutes = '{}'",
        "round_minutes = '{1440}'",
        "sort_per_hour = 0",
        "operator = 'somebody'",
    ):
        with pytest.raises(sa.exc.IntegrityError), desk.database.unit_of_work(None) as session:
            session.execute(sa.text(f"UPDATE facility SET {change}"))
