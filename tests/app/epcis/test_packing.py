"""Bags as AggregationEvents: ours are told, partners' pack and unpack."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.app.containers.conftest import Dock
from tests.app.epcis.conftest import BASE
from tests.app.shipments.conftest import Desk
from tests.support.app import Api
from tracking.epcis_check import faults_of


@pytest.fixture(scope="module")
def dock(desk: Desk) -> Dock:
    return Dock(desk)


def events(machine: Api, **asked: str) -> list[dict[str, Any]]:
    answer = machine.get("/epcis/events", query_string=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return found


def aggregation(dock: Dock, number: str, children: list[str], action: str, **changes: Any) -> dict[str, Any]:
    at = dock.desk.logins.clock.forward(minutes=1)
    place = {"id": f"{BASE}facility/CTU-G"}
    return {
        "type": "AggregationEvent",
        "eventID": f"urn:uuid:{uuid.uuid4()}",
        "eventTime": at.isoformat(),
        "eventTimeZoneOffset": "+08:00",
        "parentID": f"{BASE}container/{number}",
        "childEPCs": [f"{BASE}waybill/{child}" for child in children],
        "action": action,
        "bizLocation": place,
        **changes,
    }


def expected(dock: Dock, number: str) -> int:
    return dock.comparison(number).counts.expected


def test_packing_is_told_as_aggregation(dock: Dock, machine: Api) -> None:
    parcel, other = dock.desk.book(), dock.desk.book(pieces=2)
    bag, trip = dock.open(), dock.open("trip")
    dock.pack(bag, parcel.waybill_number, f"{other.waybill_number}-002")
    dock.pack(trip, bag)
    dock.unpack(bag, parcel.waybill_number)
    box = f"{BASE}container/{dock.container(bag).id}"
    told = events(machine, MATCH_anyEPC=f"{BASE}waybill/{parcel.waybill_number}")
    packing = [event for event in told if event["type"] == "AggregationEvent"]
    assert [(event["action"], event["parentID"]) for event in packing] == [("ADD", box), ("DELETE", box)]
    assert [faults_of(event) for event in packing] == [[], []]
    assert f"{BASE}waybill/{other.waybill_number}/2" in packing[0]["childEPCs"]
    by_number = events(machine, MATCH_anyEPC=f"{BASE}container/{bag}")
    assert [event["action"] for event in by_number] == ["ADD", "ADD", "DELETE"]
    assert [event["action"] for event in events(machine, MATCH_epc=box)] == ["ADD"]
    assert len(events(machine, MATCH_anyEPC=box, EQ_bizStep="unpacking")) == 1
    later = events(machine, MATCH_anyEPC=box, GE_eventTime=packing[1]["eventTime"])
    assert [event["action"] for event in later] == ["DELETE"]
    alone = machine.get(f"/epcis/events/{packing[0]['eventID']}")
    assert alone.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == [packing[0]]


def test_a_shipper_is_told_nothing_of_what_else_is_in_the_bag(dock: Dock, machine: Api) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.pack(bag, parcel.waybill_number)
    dock.scan(bag, "departed", "CTU-G")
    shipper = dock.desk.logins.api("shipper", dock.desk.shipper_id)
    told = events(shipper, MATCH_anyEPC=f"{BASE}waybill/{parcel.waybill_number}")
    assert {event["type"] for event in told} == {"ObjectEvent"}
    assert events(shipper, MATCH_anyEPC=f"{BASE}container/{bag}") == []


def test_a_partners_aggregation_packs_and_unpacks(dock: Dock, machine: Api) -> None:
    parcel, other = dock.desk.book(), dock.desk.book()
    bag = dock.open()
    numbers = [parcel.waybill_number, other.waybill_number]
    added = aggregation(dock, bag, numbers, "ADD", bizStep="packing")
    assert machine.post("/epcis/events", json=added, key=None).status_code == 201
    assert expected(dock, bag) == 2
    assert machine.post("/epcis/events", json=added, key=None).status_code == 409
    taken = aggregation(dock, bag, numbers[:1], "DELETE")
    assert machine.post("/epcis/events", json=taken, key=None).status_code == 201
    assert expected(dock, bag) == 1


def test_a_declared_error_undoes_the_packing_and_what_it_moved(dock: Dock, machine: Api) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    added = aggregation(dock, bag, [parcel.waybill_number], "ADD")
    assert machine.post("/epcis/events", json=added, key=None).status_code == 201
    dock.seal(bag)
    assert dock.dispatch(bag) == 1
    declared = dock.desk.logins.clock.forward(minutes=1)
    wrong = added | {"errorDeclaration": {"declarationTime": declared.isoformat(), "reason": "did_not_occur"}}
    assert machine.post("/epcis/events", json=wrong, key=None).status_code == 201
    assert expected(dock, bag) == 0
    assert dock.desk.again(parcel).code == "booked"


def test_what_was_declared_before_it_came_packs_nothing(dock: Dock, machine: Api) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    added = aggregation(dock, bag, [parcel.waybill_number], "ADD")
    declared = (dock.now + timedelta(minutes=1)).isoformat()
    wrong = added | {"errorDeclaration": {"declarationTime": declared, "reason": "did_not_occur"}}
    assert machine.post("/epcis/events", json=wrong, key=None).status_code == 201
    assert machine.post("/epcis/events", json=added, key=None).status_code == 201
    assert expected(dock, bag) == 0


def test_an_event_that_cannot_be_true_is_refused_whole(dock: Dock, machine: Api) -> None:
    parcel = dock.desk.book()
    bag = dock.open()
    dock.seal(bag)
    added = aggregation(dock, bag, [parcel.waybill_number], "ADD", bizStep="packing")
    answer = machine.post("/epcis/events", json=added, key=None)
    assert answer.status_code == 400
    assert "not_now" in answer.text
    assert dock.scans(parcel) == []


def test_aggregations_of_others_things_are_kept(dock: Dock, machine: Api) -> None:
    foreign = aggregation(dock, "B00000009999", ["NOTHING"], "ADD")
    assert machine.post("/epcis/events", json=foreign, key=None).status_code == 201
