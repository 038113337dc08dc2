"""Anybody's event: what is wrong with it, which parcels it names, and what it says happened to them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tracking.epcis_check import FAULTS_MAX, faults_of
from tracking.epcis_reading import Named, Place, code_of, epcs_of, named_in, place_of, things_of
from tracking.epcis_shapes import DEPTH_MAX, moment_of

BASE = "https://id.example.org/"
NUMBER = "WH851311360597"

RIGHT: dict[str, Any] = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-03-01T09:00:00.5+08:00",
    "eventTimeZoneOffset": "+08:00",
    "epcList": [f"{BASE}waybill/{NUMBER}"],
    "bizStep": "arriving",
    "disposition": "https://ns.example.com/disposition/odd",
    "bizLocation": {"id": f"{BASE}facility/3"},
    "x:own": {"anything": [1, None, True]},
}


def test_an_event_of_each_type_has_no_faults() -> None:
    common = {name: RIGHT[name] for name in ("eventTime", "eventTimeZoneOffset")}
    epc = RIGHT["epcList"][0]
    events = [
        RIGHT,
        {**common, "type": "AggregationEvent", "action": "ADD", "parentID": epc, "childEPCs": [epc]},
        {**common, "type": "AggregationEvent", "action": "DELETE", "parentID": epc},
        {**common, "type": "AssociationEvent", "action": "ADD", "parentID": epc, "childEPCs": [epc]},
        {**common, "type": "TransformationEvent", "inputEPCList": [epc]},
        {
            **common,
            "type": "TransactionEvent",
            "action": "ADD",
            "epcList": [epc],
            "bizTransactionList": [{"type": "po", "bizTransaction": "urn:x:1"}],
        },
        {**common, "type": "x:OtherEvent", "anything": 1},
    ]
    assert [faults_of(event) for event in events] == [[]] * len(events)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": None}, "/type"),
        ({"type": "Event"}, "/type"),
        ({"action": "LOOK"}, "/action"),
        ({"action": "urn:x:look"}, "/action"),
        ({"eventTime": "2026-03-01T09:00:00"}, "/eventTime"),
        ({"eventTime": "2026-02-30T09:00:00Z"}, "/eventTime"),
        ({"eventTime": "0001-01-01T00:00:00+14:00"}, "/eventTime"),
        ({"eventTimeZoneOffset": "+14:30"}, "/eventTimeZoneOffset"),
        ({"epcList": f"{BASE}waybill/1"}, "/epcList"),
        ({"epcList": ["urn:x:1", "no uri"]}, "/epcList/1"),
        ({"epcList": ["urn:x:1", "urn:x:1"]}, "/epcList"),
        ({"epcList": [], "quantityList": [{"quantity": 1}]}, "/quantityList/0/epcClass"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": True}]}, "/quantityList/0/quantity"),
        ({"bizStep": "thinking"}, "/bizStep"),
        ({"bizStep": "urn:epcglobal:cbv:bizstep:arriving"}, "/bizStep"),
        ({"disposition": 7}, "/disposition"),
        ({"bizLocation": f"{BASE}facility/3"}, "/bizLocation"),
        ({"readPoint": {}}, "/readPoint/id"),
        ({"errorDeclaration": {"reason": "did_not_occur"}}, "/errorDeclaration/declarationTime"),
        (
            {"errorDeclaration": {"declarationTime": "2026-03-01T09:00:00Z", "who": 1}},
            "/errorDeclaration/who",
        ),
        ({"sourceList": [{"source": "urn:x:1"}]}, "/sourceList/0/type"),
        ({"sensorElementList": [{"sensorReport": []}]}, "/sensorElementList/0/sensorReport"),
        ({"own": 1}, "/own"),
        ({"x:own": "a\0b"}, "/x:own"),
        ({"x:a/b~c": 10**19}, "/x:a~1b~0c"),
        ({"x\0": 1}, ""),
    ],
)
def test_what_is_wrong_is_pointed_at(changes: dict[str, Any], pointer: str) -> None:
    before = copy.deepcopy(RIGHT)
    assert pointer in [fault.pointer for fault in faults_of({**RIGHT, **changes})]
    assert before == RIGHT


@pytest.mark.parametrize("name", ["type", "action", "eventTime", "eventTimeZoneOffset", "epcList"])
def test_what_an_event_needs_is_missed(name: str) -> None:
    assert faults_of({other: value for other, value in RIGHT.items() if other != name})


def test_depth_and_the_number_of_faults_are_bounded() -> None:
    deep: Any = 1
    for _level in range(100_000):
        deep = [deep]
    assert [fault.detail for fault in faults_of({**RIGHT, "x:deep": deep})] == [
        f"is nested deeper than {DEPTH_MAX} levels"
    ]
    assert len(faults_of({**RIGHT, "epcList": ["no uri"] * 1000})) == FAULTS_MAX


@pytest.mark.parametrize(
    ("uri", "named"),
    [
        (f"{BASE}waybill/{NUMBER}", Named(NUMBER, None, ours=True)),
        (f"{BASE}waybill/{NUMBER}/2", Named(NUMBER, 2, ours=True)),
        (f"{BASE}waybill/{NUMBER.lower()}-002", Named(NUMBER, 2, ours=True)),
        (f"{BASE}waybill/AB12345", Named("AB12345", None, ours=False)),
        (f"{BASE}waybill/%00", None),
        (f"https://courier.example/track/{NUMBER}/", Named(NUMBER, None, ours=True)),
        (f"https://courier.example/track/{NUMBER[:-1]}0", None),
        (f"https://id.gs1.org/401/6901234{NUMBER}", Named(NUMBER, None, ours=True)),
        (f"urn:epc:id:ginc:6901234.{NUMBER}", Named(NUMBER, None, ours=True)),
        ("https://id.gs1.org/00/376104250021234569", Named("376104250021234569", None, ours=False)),
        ("urn:epc:id:sscc:7610425.3002123456", Named("376104250021234569", None, ours=False)),
        ("urn:epc:id:sscc:7610425.300212345", None),
        ("urn:epc:id:sgtin:0614141.107346.2017", None),
        ("http://[", None),
    ],
)
def test_a_parcel_is_known_by_any_of_its_names(uri: str, named: Named | None) -> None:
    assert named_in(uri, BASE) == named


def test_a_place_of_ours_is_named_by_id_or_code() -> None:
    assert place_of(RIGHT, BASE) == Place(3, None)
    code = {"readPoint": {"id": f"{BASE}facility/WUH%2DHUB"}}
    assert place_of(code, BASE) == Place(None, "WUH-HUB")
    for other in ("urn:epc:id:sgln:0614141.07346.1234", f"{BASE}facility/%00", 7):
        assert place_of({"bizLocation": {"id": other}}, BASE) is None
    assert place_of({"bizLocation": 7}, BASE) is None


def test_what_we_wrote_says_its_code_and_nobody_can_void_by_it() -> None:
    assert code_of({"wheelhouse:code": "refused", "bizStep": "other"}, at_facility=True) == "refused"
    assert code_of({"wheelhouse:code": "voided", "bizStep": "arriving"}, at_facility=True) == "arrived"
    assert code_of({"bizStep": ["arriving"], "disposition": {}}, at_facility=True) is None


def test_epcs_are_gathered_once_each() -> None:
    event = {
        "epcList": ["urn:x:1", 5, "no uri"],
        "childEPCs": ["urn:x:1", "urn:x:2"],
        "outputEPCList": ["urn:x:3"],
        "parentID": "urn:x:4",
        "inputEPCList": "urn:x:5",
    }
    assert things_of(event) == ["urn:x:1", "urn:x:2"]
    assert epcs_of(event) == ["urn:x:1", "urn:x:2", "urn:x:3", "urn:x:4"]


def test_moments_have_an_offset_and_a_year_that_can_be_stored() -> None:
    assert moment_of("2026-03-01T09:00:00+08:00").isoformat() == "2026-03-01T01:00:00+00:00"
    for text in ("2026-03-01", "20260301T090000Z", "2026-W09-7T09:00:00Z", "2300-01-01T00:00:00Z"):
        with pytest.raises(ValueError, match=text):
            moment_of(text)
