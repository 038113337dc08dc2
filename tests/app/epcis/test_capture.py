"""Events become scans of the parcels they speak of; all or nothing, or each for itself; and once."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.accounts.roles import Role
from app.epcis import jobs, service
from app.epcis.models import EpcisCapture, EpcisEvent
from app.shipments import queries as shipments
from app.shipments.models import Shipment
from tests.app.epcis.conftest import BASE, capture, document, listed
from tests.app.shipments.conftest import Desk
from tests.support.app import Api
from tracking.shipment import Milestone

Event = Callable[..., dict[str, Any]]


def codes(desk: Desk, shipment: Shipment) -> list[str]:
    """What was recorded of a parcel since it was booked."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return [scan.code.value for scan in shipments.scans_of(session, shipment) if scan.code != "booked"]


def facility(desk: Desk, code: str) -> dict[str, str]:
    return {"id": f"{BASE}facility/{desk.world.facilities[code]}"}


def declared(event: dict[str, Any], reason: str = "did_not_occur", **more: Any) -> dict[str, Any]:
    when = (datetime.fromisoformat(event["eventTime"]) + timedelta(minutes=5)).isoformat()
    return {**event, "errorDeclaration": {"declarationTime": when, "reason": reason, **more}}


@pytest.mark.parametrize(
    ("step", "place", "changes", "code"),
    [
        ("collecting", None, {"disposition": "in_transit"}, "collected"),
        ("collecting", None, {"disposition": "in_progress"}, "deposited"),
        ("accepting", "CTU-01", {}, "accepted"),
        ("loading", "CTU-01", {}, "sorted"),
        ("departing", "CTU-01", {"disposition": "in_transit"}, "departed"),
        ("shipping", "CTU-01", {}, "departed"),
        ("arriving", "WUH-HUB", {}, "arrived"),
        ("unloading", "WUH-HUB", {}, "arrived"),
        ("receiving", "WUH-HUB", {}, "arrived"),
        ("receiving", None, {}, "delivered"),
        ("holding", "HGH-01", {}, "held"),
        ("inspecting", "HGH-01", {"disposition": "damaged"}, "damaged"),
        ("storing", "HGH-01", {"disposition": "available"}, "at_outlet"),
        ("storing", "HGH-L1", {}, "at_locker"),
        ("storing", "CTU-S1", {}, "at_store"),
        ("storing", "CAN-C1", {}, "at_collective_point"),
        ("storing", "WUH-HUB", {}, "arrived"),
        ("transporting", None, {"disposition": "in_transit"}, "out_for_delivery"),
        ("void_shipping", None, {}, "returning"),
        ("void_shipping", None, {"disposition": "returned"}, "returned"),
        ("stock_taking", None, {"disposition": "unknown"}, "lost"),
        ("other", None, {"wheelhouse:code": "refused"}, "refused"),
    ],
)
def test_a_step_is_a_scan(
    desk: Desk, machine: Api, event: Event, step: str, place: str | None, changes: dict[str, Any], code: str
) -> None:
    shipment = desk.book()
    if place is not None:
        changes = {**changes, "bizLocation": facility(desk, place)}
    sent = event(shipment, step, **changes)
    assert capture(machine, sent)["captured"] == 1
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        (scan,) = [one for one in shipments.scans_of(session, shipment) if one.code != "booked"]
    assert scan.code == code
    assert scan.occurred_at.isoformat() == sent["eventTime"]
    assert scan.offset_minutes == 480
    assert scan.device_id.startswith("epcis:token-")
    assert scan.client_scan_id == sent["eventID"]
    assert scan.facility_id == (None if place is None else desk.world.facilities[place])


@pytest.mark.parametrize("step", ["commissioning", "inspecting", "retail_selling", None])
def test_other_steps_are_kept_and_move_nothing(desk: Desk, machine: Api, event: Event, step: Any) -> None:
    shipment = desk.book()
    sent = event(shipment, step)
    assert capture(machine, sent)["captured"] == 1
    assert codes(desk, shipment) == []
    asked = machine.get(f"/epcis/events?MATCH_epc={sent['epcList'][0]}")
    assert sent in listed(asked)


@pytest.mark.parametrize(
    "spelling",
    [
        "http://127.0.0.1:8000/waybill/{}",
        "http://127.0.0.1:8000/waybill/{}/1",
        "https://courier.example/track/{}",
        "https://id.gs1.org/401/6901234{}",
        "urn:epc:id:ginc:6901234.{}",
        "urn:epc:id:giai:6901234.{}",
    ],
)
def test_every_spelling_of_a_number_is_the_parcel(
    desk: Desk, machine: Api, event: Event, spelling: str
) -> None:
    shipment = desk.book()
    epc = spelling.format(shipment.waybill_number)
    sent = event(shipment, "accepting", epcList=[epc])
    assert capture(machine, sent)["success"]
    assert codes(desk, shipment) == ["accepted"]
    for asked in (epc, f"{BASE}waybill/{shipment.waybill_number}"):
        assert sent in listed(machine.get("/epcis/events", query_string={"MATCH_epc": asked}))


def test_an_aggregation_is_a_scan_of_each_parcel_in_it(desk: Desk, machine: Api, event: Event) -> None:
    parcels = [desk.book(), desk.book()]
    body = event(None, "loading", epcList=None, type="AggregationEvent", action="ADD")
    body["parentID"] = "urn:epc:id:grai:0614141.12345.400"
    body["childEPCs"] = [f"{BASE}waybill/{parcel.waybill_number}" for parcel in parcels]
    assert capture(machine, body)["success"]
    assert [codes(desk, parcel) for parcel in parcels] == [["sorted"], ["sorted"]]
    assert body not in listed(machine.get(f"/epcis/events?MATCH_epc={body['parentID']}"))
    assert body in listed(machine.get(f"/epcis/events?MATCH_anyEPC={body['parentID']}"))


def test_a_parcel_that_is_booked_later_is_not_lost(desk: Desk, machine: Api, event: Event) -> None:
    abroad = "WH000000000117"  # nobody's yet, but written as ours are
    sent = event(None, "accepting", epcList=[f"{BASE}waybill/{abroad}"])
    told = capture(machine, sent)
    assert told["captured"] == 1, told


def test_a_repeated_capture_changes_nothing(desk: Desk, machine: Api, event: Event) -> None:
    shipment = desk.book()
    sent = event(shipment, "accepting")
    nameless = {name: value for name, value in event(None).items() if name != "eventID"}
    first = capture(machine, sent, nameless, sent)
    assert (first["captured"], first["repeated"], first["success"]) == (2, 1, True)
    second = capture(machine, sent, nameless)
    assert (second["captured"], second["repeated"], second["success"]) == (0, 2, True)
    other_login = desk.logins.api(Role.DISPATCHER)
    assert capture(other_login, sent)["repeated"] == 1
    assert codes(desk, shipment) == ["accepted"]


def test_rollback_keeps_nothing_and_proceed_keeps_the_good(desk: Desk, machine: Api, event: Event) -> None:
    shipment = desk.book()
    good = event(shipment, "accepting")
    broken = event(shipment, "arriving", eventTime="yesterday")
    impossible = event(
        shipment, "arriving", epcList=[f"{BASE}waybill/{shipment.waybill_number}/7"]
    )  # it has one piece
    nowhere = event(shipment, "arriving", bizLocation={"id": f"{BASE}facility/999999999"})
    for bad in (broken, impossible, nowhere):
        for behaviour in (None, "rollback"):
            told = capture(machine, good, bad, behaviour=behaviour)
            assert (told["running"], told["success"], told["captured"]) == (False, False, 0)
            assert told["captureErrorBehaviour"] == "rollback"
            (error,) = told["errors"]
            assert error["type"] == "epcisException:ValidationException"
            assert error["pointer"].startswith("/epcisBody/eventList/1")
            assert error["detail"]
    assert codes(desk, shipment) == []
    asked = f"/epcis/events/{good['eventID']}"
    assert machine.get(asked).status_code == 404
    told = capture(machine, good, broken, impossible, nowhere, behaviour="proceed")
    assert (told["success"], told["captured"], len(told["errors"])) == (False, 1, 3)
    assert codes(desk, shipment) == ["accepted"]
    assert listed(machine.get(asked)) == [good]
    assert machine.get(f"/epcis/events/{impossible['eventID']}").status_code == 404


def test_other_content_under_a_known_id_is_refused(desk: Desk, machine: Api, event: Event) -> None:
    shipment = desk.book()
    sent = event(shipment, "accepting")
    assert capture(machine, sent)["success"]
    told = capture(machine, {**sent, "bizStep": "departing"})
    assert [error["status"] for error in told["errors"]] == [409]
    assert capture(machine, {**sent, "recordTime": sent["eventTime"]})["repeated"] == 1
    for body in (sent, {**sent, "bizStep": "departing"}):
        answer = machine.post("/epcis/events", json=body)
        assert answer.status_code == 409
        assert answer.mimetype == "application/problem+json"
        assert answer.json["type"] == "epcisException:ResourceAlreadyExistsException"
    assert listed(machine.get(f"/epcis/events/{sent['eventID']}")) == [sent]


def test_an_error_declaration_makes_the_scan_void(desk: Desk, machine: Api, event: Event) -> None:
    shipment = desk.book()
    sent = event(shipment, "receiving")
    assert machine.post("/epcis/events", json=sent).status_code == 201
    assert desk.again(shipment).milestone == Milestone.DELIVERED
    wrong = declared(sent)
    assert machine.post("/epcis/events", json=wrong).status_code == 201
    assert machine.post("/epcis/events", json=wrong).status_code == 409
    assert capture(machine, wrong, sent)["repeated"] == 2
    assert codes(desk, shipment) == ["delivered", "voided"]
    assert desk.again(shipment).milestone == Milestone.BOOKED
    both = [sent, wrong]
    assert listed(machine.get(f"/epcis/events/{sent['eventID']}")) == both
    asked = machine.get(f"/epcis/events?MATCH_epc={sent['epcList'][0]}")
    assert [one for one in listed(asked) if one.get("bizStep") == "receiving"] == both


@pytest.mark.parametrize("turned", [False, True])
def test_a_corrective_event_stands_for_the_wrong_one(
    desk: Desk, machine: Api, event: Event, turned: bool
) -> None:
    """Whichever of declaration and event comes first, together or apart."""
    shipment = desk.book()
    wrong, right = event(shipment, "receiving"), event(shipment, "accepting")
    said = declared(wrong, "incorrect_data", correctiveEventIDs=[right["eventID"]])
    sent = [said, right, wrong] if turned else [wrong, said, right]
    for one in sent:
        assert capture(machine, one)["success"]
    twin = desk.book()
    copies = [
        {**one, "eventID": f"{one['eventID']}-twin", "epcList": [f"{BASE}waybill/{twin.waybill_number}"]}
        for one in sent
    ]
    assert capture(machine, *copies)["captured"] == 3
    for parcel in (shipment, twin):
        assert sorted(codes(desk, parcel)) == ["accepted", "delivered", "voided"]
        assert desk.again(parcel).milestone == Milestone.ACCEPTED


def test_a_partner_declares_one_of_our_own_scans_an_error(desk: Desk, machine: Api) -> None:
    shipment = desk.book()
    desk.record(*desk.life(shipment, until="accepted"))
    asked = f"/epcis/events?perPage=100&MATCH_epc={BASE}waybill/{shipment.waybill_number}"
    told = listed(machine.get(asked))
    own = told[-1]
    assert own["bizStep"] == "accepting"
    # What we told ourselves is known when it comes back.
    assert machine.post("/epcis/events", json=own).status_code == 409
    assert capture(machine, *told)["repeated"] == len(told)
    assert machine.post("/epcis/events", json=declared(own)).status_code == 201
    assert codes(desk, shipment)[-1] == "voided"
    again = listed(machine.get(asked))
    assert [one for one in again if one["eventID"] == own["eventID"]] == [declared(own), own]
    assert len(again) == len(told) + 1


def test_our_correction_of_a_partners_event_repeats_it(desk: Desk, machine: Api, event: Event) -> None:
    shipment = desk.book()
    sent = event(shipment, "receiving")
    assert capture(machine, sent)["success"]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        (wrong,) = [scan for scan in shipments.scans_of(session, shipment) if scan.code == "delivered"]
        at = wrong.occurred_at
    desk.record(desk.scan(shipment, "voided", at + timedelta(minutes=1), corrects=wrong.scan_key))
    asked = listed(machine.get(f"/epcis/events?MATCH_epc={sent['epcList'][0]}"))
    about = [one for one in asked if one["eventID"] == sent["eventID"]]
    assert about[0] == sent
    assert about[1]["errorDeclaration"]["reason"] == "did_not_occur"
    assert {name: about[1][name] for name in sent} == sent


def test_a_large_document_waits_for_a_worker(
    desk: Desk, machine: Api, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_MAX", 2)
    shipment = desk.book()
    sent = [event(shipment, "accepting"), event(None), event(None)]
    answer = machine.post("/epcis/capture", json=document(*sent))
    assert answer.status_code == 202
    assert (answer.json["running"], answer.json["success"], answer.json["captured"]) == (True, True, 0)
    assert codes(desk, shipment) == []
    while jobs.capture_next(desk.database, desk.logins.clock, base=BASE):
        pass
    told = machine.get(answer.headers["Location"]).json
    assert (told["running"], told["success"], told["captured"]) == (False, True, 3)
    assert told["finishedAt"] is not None
    assert codes(desk, shipment) == ["accepted"]


def test_a_document_that_ends_its_workers_has_failed(
    desk: Desk, machine: Api, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE_MAX", 0)
    answer = machine.post("/epcis/capture", json=document(event(None)))

    def die(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(service, "finish", die)
        for _try in range(jobs.TRIES_MAX):
            with pytest.raises(KeyboardInterrupt):
                jobs.capture_next(desk.database, desk.logins.clock, base=BASE)
    assert machine.get(answer.headers["Location"]).json["running"]
    assert not jobs.capture_next(desk.database, desk.logins.clock, base=BASE)
    told = machine.get(answer.headers["Location"]).json
    assert (told["running"], told["success"], told["captured"]) == (False, False, 0)
    assert "died" in told["errors"][0]["detail"]


def test_the_same_document_from_several_senders_at_once_is_one(
    desk: Desk, machine: Api, event: Event
) -> None:
    parcels = [desk.book() for _ in range(4)]
    sent = [event(parcel, step) for parcel in parcels for step in ("accepting", "departing")]
    senders = [desk.logins.api(Role.DISPATCHER, who=who) for who in "abcd"]

    def send(place: int) -> int:
        mixed = random.Random(place).sample(sent, len(sent))
        answer = senders[place].post("/epcis/capture", json=document(*mixed))
        assert answer.json["success"], answer.json
        return int(answer.json["captured"])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send, range(4))) == len(sent)
    for parcel in parcels:
        assert codes(desk, parcel) == ["accepted", "departed"]


def test_captured_events_are_append_only(desk: Desk, machine: Api, event: Event) -> None:
    assert capture(machine, event(None))["success"]
    for statement in (sa.update(EpcisEvent).values(digest="x"), sa.delete(EpcisEvent)):
        with pytest.raises(IntegrityError) as refused, desk.database.unit_of_work(None) as session:
            session.execute(statement)
        assert isinstance(refused.value.orig, psycopg.errors.RestrictViolation)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        assert session.scalars(sa.select(EpcisCapture.document)).all().count(None) > 0
