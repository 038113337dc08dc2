"""The document that the database makes says what the story says, field by field, whatever has happened."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from apiflask import APIFlask

from app import i18n
from app.i18n import CHINESE, ENGLISH, Language
from app.network.labels import city_name, facility_name
from app.shipments.documents import Documents, documents
from app.shipments.models import Shipment
from app.shipments.phrases import city_of, sentence_text
from app.shipments.rounds import CourierComes, tell_rounds
from app.shipments.scan_values import ScanInput
from app.shipments.story import Event, Story, story_of
from app.shipments.values import scan_key
from tests.app.shipments.conftest import Desk
from tracking.mappings import foreign
from tracking.shipment import AttemptReason, Milestone, ScanCode

PLACES = ("CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G", "HGH-01", None)
REASONS = (None, "", "consignee_absent", "cash_not_paid", 'the dog, so they say: "100%" <b>', "agent")


def as_story_tells(story: Story, *, places: bool) -> dict[str, Any]:
    """The document, worked out from the story that pages are made of."""
    shipment, state = story.shipment, story.state
    words = foreign(state.milestone, state.code, state.reason)
    shown = [one for one in story.events if not one.corrected and one.code is not ScanCode.VOIDED]

    def event(one: Event) -> dict[str, Any]:
        facility = None if one.facility_id is None else story.facilities[one.facility_id]
        return {
            "code": one.code.value,
            "at": one.at,
            "offset_minutes": one.offset_minutes,
            "city": None if facility is None else city_name(facility.district),
            "place": facility.name if facility is not None and places else None,
            "planned": one.planned,
        }

    return {
        "waybill_number": shipment.waybill_number,
        "milestone": state.milestone.value,
        "code": None if state.code is None else state.code.value,
        "sentence": sentence_text(story, facility_name if places else city_of),
        "offset_minutes": shipment.booked_offset_minutes,
        "promised_from": story.promised[0],
        "promised_to": story.promised[1],
        "expected_from": None if story.expected is None else story.expected[0],
        "expected_to": None if story.expected is None else story.expected[1],
        "expected_without_news": story.unheard,
        "round": None
        if story.comes is None
        else {
            "from": story.comes.from_at,
            "to": story.comes.to_at,
            "stops_away": story.comes.stops_away,
        },
        "events": [event(one) for one in shown],
        "vocabularies": {
            "aftership": list(words.aftership),
            "easypost": list(words.easypost),
            "shipengine": list(words.shipengine),
            "17track": list(words.seventeentrack),
            **({} if words.kdniao is None else {"kdniao": [words.kdniao]}),
        },
        "details_access": "not_asked",
        "details": None,
    }


def read(document: bytes | None) -> dict[str, Any]:
    """A document with its times as times."""
    assert document is not None
    told: dict[str, Any] = json.loads(document)
    for name in ("promised_from", "promised_to", "expected_from", "expected_to"):
        told[name] = None if told[name] is None else datetime.fromisoformat(told[name])
    for end in ("from", "to"):
        if told["round"] is not None:
            told["round"][end] = datetime.fromisoformat(told["round"][end])
    for event in told["events"]:
        event["at"] = datetime.fromisoformat(event["at"])
    return told


def told_both_ways(
    app: APIFlask, desk: Desk, shipment: Shipment, language: Language, *, now: datetime, places: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    with (
        app.app_context(),
        i18n.in_language(language.code),
        desk.database.unit_of_work(desk.logins.tenant_id) as session,
    ):
        story = story_of(session, session.get_one(Shipment, shipment.id), now=now)
        expected = as_story_tells(story, places=places)
    found = documents(app).one(shipment.waybill_number, language=language, now=now, places=places)
    return read(found), expected


def random_scans(desk: Desk, shipment: Shipment, random: Random) -> list[ScanInput]:
    """Some scans of any kind: late, twice at one moment, for one piece, corrected, with any reason."""
    codes = [code for code in ScanCode if code is not ScanCode.VOIDED]
    scans: list[ScanInput] = []
    at = shipment.booked_at
    for _ in range(random.randrange(9)):
        at += timedelta(minutes=random.choice((0, 0, 45, 600)), microseconds=random.choice((0, 120_000)))
        scans.append(
            desk.scan(
                shipment,
                random.choice(codes).value,
                at + timedelta(days=random.choice((0, 0, 0, -1))),
                random.choice(PLACES),
                reason=random.choice(REASONS),
                offset_minutes=random.choice((480, 480, -150)),
                piece_no=random.choice((None, random.randrange(1, shipment.pieces + 1))),
            )
        )
    for wrong in random.sample(scans, min(len(scans), random.choice((0, 0, 1, 2)))):
        key = scan_key(desk.logins.tenant_id, wrong.device_id, wrong.client_scan_id)
        code = random.choice(("voided", wrong.code))
        scans.append(
            desk.scan(shipment, code, wrong.occurred_at, random.choice(PLACES), corrects=key, reason="agent")
        )
    return scans


def test_a_document_says_what_the_story_says(app: APIFlask, desk: Desk) -> None:
    random = Random(7)
    milestones = set()
    for place in range(120):
        shipment = desk.book(
            *random.choice((("chengdu", "hangzhou"), ("chengdu", "chengdu"))), pieces=random.choice((1, 1, 3))
        )
        scans = desk.life(shipment)[: random.randrange(14)] if place % 3 == 0 else []
        scans += random_scans(desk, shipment, random)
        random.shuffle(scans)
        for scan in scans:
            desk.record(scan, now=shipment.booked_at + timedelta(days=9) if place % 5 else None)
        now = shipment.booked_at + timedelta(hours=random.choice((0, 30, 100, 400)))
        language = random.choice((ENGLISH, CHINESE))
        found, expected = told_both_ways(
            app, desk, shipment, language, now=now, places=random.choice((False, True))
        )
        assert found == expected, scans
        milestones.add(found["milestone"])
    assert milestones == {one.value for one in Milestone} - {"pending"}


@pytest.mark.parametrize("reason", [*AttemptReason, "something else", None])
def test_reasons_have_words_of_their_own(app: APIFlask, desk: Desk, reason: str | None) -> None:
    shipment = desk.book()
    at = shipment.booked_at + timedelta(hours=5)
    desk.record(desk.scan(shipment, "attempt_failed", at, "HGH-01", reason=reason))
    for language in (ENGLISH, CHINESE):
        found, expected = told_both_ways(app, desk, shipment, language, now=at, places=False)
        assert found == expected
    desk.record(
        desk.scan(shipment, "returning", at + timedelta(hours=1), "HGH-01"),
        desk.scan(shipment, "attempt_failed", at + timedelta(hours=2), "HGH-01", reason=reason),
    )
    found, expected = told_both_ways(app, desk, shipment, ENGLISH, now=at, places=True)
    assert (found, found["milestone"]) == (expected, "returning")


def test_a_confirmed_receipt_is_told(app: APIFlask, desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    confirmed = desk.scan(shipment, "receipt_confirmed", life[-1].occurred_at + timedelta(hours=2))
    desk.record(*life, confirmed)
    found, expected = told_both_ways(app, desk, shipment, ENGLISH, now=confirmed.occurred_at, places=False)
    assert found == expected
    assert "receipt confirmed" in found["sentence"]


def test_what_has_not_come_in_time_is_expected_from_now_on(app: APIFlask, desk: Desk) -> None:
    shipment = desk.book()
    now = shipment.estimate_p95_at + timedelta(days=3, minutes=10)
    found, expected = told_both_ways(app, desk, shipment, ENGLISH, now=now, places=False)
    assert found == expected
    assert now <= found["expected_to"] < now + timedelta(hours=1)


@pytest.mark.parametrize("code", ["booked", "collected", "out_for_delivery", "delivered"])
@pytest.mark.parametrize("away", [None, 0, 3])
def test_a_courier_on_his_way_is_told_while_he_is(
    app: APIFlask, desk: Desk, code: str, away: int | None
) -> None:
    """Only to who waits for him, and only until his window is over; a delivery is expected when he is."""
    shipment = desk.book("chengdu", "hangzhou")
    if code != "booked":
        desk.record(desk.scan(shipment, code, shipment.booked_at + timedelta(hours=1), "HGH-01"))
    start, end = (shipment.booked_at + timedelta(hours=2, minutes=one) for one in (20, 45))
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        assert tell_rounds(session, [(shipment.id, CourierComes(start, end, away))]) == 1
        assert tell_rounds(session, [(shipment.id, CourierComes(start, end, away))]) == 0, "no news"
    for language in (ENGLISH, CHINESE):
        for now in (start, end, end + timedelta(hours=3)):
            found, expected = told_both_ways(app, desk, shipment, language, now=now, places=False)
            assert found == expected
            waits = code in ("booked", "out_for_delivery") and now < end
            assert found["round"] == ({"from": start, "to": end, "stops_away": away} if waits else None)
            brings = code == "out_for_delivery" and waits
            assert ((found["expected_from"], found["expected_to"]) == (start, end)) is brings


def test_a_parcel_of_long_ago_is_told_with_its_scans(app: APIFlask, desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life)
    for days in (20, 40, 70, 400):
        now = shipment.booked_at + timedelta(days=days)
        found, expected = told_both_ways(app, desk, shipment, ENGLISH, now=now, places=False)
        assert found == expected
        assert len(found["events"]) == len(life) + 1


def test_many_are_told_by_one_statement_in_the_order_asked(app: APIFlask, desk: Desk) -> None:
    parcels = [desk.book() for _ in range(4)]
    desk.record(*[scan for parcel in parcels[:2] for scan in desk.life(parcel)])
    now = datetime.now(UTC)
    numbers = [parcel.waybill_number for parcel in reversed(parcels)]
    reader = documents(app)
    found = reader.many([numbers[0], 'no "such\\number', *numbers[1:]], language=CHINESE, now=now)
    assert list(found) == numbers
    for number in numbers:
        assert found[number] == reader.one(number, language=CHINESE, now=now)


def test_a_connection_that_was_lost_is_replaced(app: APIFlask, desk: Desk) -> None:
    shipment = desk.book()
    reader, now = documents(app), datetime.now(UTC)
    assert reader.one(shipment.waybill_number, language=ENGLISH, now=now)
    with desk.database.engine.connect() as connection:
        ended = connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'wheelhouse-documents'"
            )
        ).all()
    assert ended
    assert reader.one(shipment.waybill_number, language=ENGLISH, now=now)


def test_a_child_process_takes_connections_of_its_own(app: APIFlask, desk: Desk) -> None:
    shipment = desk.book()
    reader, now = documents(app), datetime.now(UTC)
    before = reader.one(shipment.waybill_number, language=ENGLISH, now=now)
    child = os.fork()
    if child == 0:
        same = reader.one(shipment.waybill_number, language=ENGLISH, now=now) == before
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert reader.one(shipment.waybill_number, language=ENGLISH, now=now) == before


def test_a_database_that_is_away_is_an_operational_error() -> None:
    reader = Documents("postgresql+psycopg://nobody@127.0.0.1:1/none", {("en", False, False): "SELECT"})
    with pytest.raises(sa.exc.OperationalError):
        reader.one("WH000000000000", language=ENGLISH, now=datetime.now(UTC))


def test_nothing_is_read_along_a_whole_table(app: APIFlask, desk: Desk) -> None:
    """However few rows the tables held when the statement was planned."""
    reader = documents(app)
    connection = reader._idle[-1]._connection
    plans = connection.execute("SELECT name, statement FROM pg_prepared_statements").fetchall()
    assert plans
    for name, sql in plans:
        asked = "'{WH1}', now()" if "unnest" in sql else "'WH1', now(), '2026-03-01', '2026-02-01'"
        lines = connection.execute(f"EXPLAIN EXECUTE {name} ({asked})").fetchall()
        assert not [line for (line,) in lines if "Seq Scan" in line]
