"""What is exported is valid EPCIS 2.0, and comes back equal."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given

from tests.tracking.build import at, scan
from tests.tracking.strategies import scan_sets
from tracking.containers import PackingAction, PackingEvent, Piece
from tracking.epcis import document, packing_event, read_packing, read_scans, scan_events
from tracking.errors import EpcisError
from tracking.shipment import ScanCode

BASE = "https://id.example.org/"
ROOT = Path(__file__).parents[2]
SCHEMA = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "epcis/EPCIS-JSON-Schema.json"

EVERY_CODE = [
    scan(
        code,
        number,
        facility_id=3,
        courier_id=4,
        container_id=5,
        reason="held",
        piece_no=2,
        offset_minutes=-570,
    )
    for number, code in enumerate(ScanCode)
    if code is not ScanCode.VOIDED
]
WRONG = scan(ScanCode.DELIVERED, 90, facility_id=3)
CORRECTED = [
    WRONG,
    scan(ScanCode.VOIDED, 95, corrects=WRONG.scan_id, facility_id=3, courier_id=1, piece_no=1, reason="slip"),
    scan(ScanCode.AT_LOCKER, 96, corrects=WRONG.scan_id),
]
PACKED = PackingEvent("p/1", 9, PackingAction.PACKED, at(5), 480, 3, (Piece(1, 2), Piece(2)), (7,))
UNPACKED = PackingEvent("p 2", 9, PackingAction.UNPACKED, at(6), 345, 3, (Piece(1, 2),))
WAYBILLS = {1: "WH851311360597", 2: "WH493859795037"}


def validator():
    jsonschema = pytest.importorskip("jsonschema")
    if not SCHEMA.exists():
        pytest.skip(f"no EPCIS schema at {SCHEMA}; set WHEELHOUSE_DATA")
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))


def test_the_export_is_valid_epcis():
    events = scan_events(WAYBILLS[1], EVERY_CODE + CORRECTED, base=BASE)
    events += [packing_event(event, WAYBILLS, base=BASE) for event in (PACKED, UNPACKED)]
    exported = json.loads(json.dumps(document(events, created_at=at(0), base=BASE)))
    check = validator()
    assert [error.message for error in check.iter_errors(exported)] == []
    # The schema does see what is wrong.
    exported["epcisBody"]["eventList"][0]["action"] = "LOOK"
    assert not check.is_valid(exported)


def test_every_code_comes_back_equal():
    exported = json.loads(json.dumps(scan_events(WAYBILLS[1], EVERY_CODE, base=BASE)))
    assert read_scans(exported, base=BASE) == [(WAYBILLS[1], one) for one in EVERY_CODE]


@given(scan_sets())
def test_any_scans_come_back_equal(scans):
    exported = json.loads(json.dumps(scan_events("WH1", scans, base=BASE)))
    assert read_scans(exported, base=BASE) == [("WH1", one) for one in scans]


def test_corrections_repeat_the_event_and_come_back_equal():
    exported = scan_events("WH1", CORRECTED, base=BASE)
    assert [event["eventID"] for event in exported[:3]] == [exported[0]["eventID"]] * 3
    assert [event.get("errorDeclaration", {}).get("reason") for event in exported] == [
        None,
        "did_not_occur",
        "incorrect_data",
        None,
    ]
    assert [one for _, one in read_scans(exported, base=BASE)] == CORRECTED


def test_a_correction_of_what_is_not_given_is_refused():
    with pytest.raises(EpcisError, match="which is not given"):
        scan_events("WH1", CORRECTED[1:], base=BASE)


@pytest.mark.parametrize("event", [PACKED, UNPACKED])
def test_packing_comes_back_equal(event):
    exported = json.loads(json.dumps(packing_event(event, WAYBILLS, base=BASE)))
    assert read_packing(exported, {number: key for key, number in WAYBILLS.items()}, base=BASE) == event


@pytest.mark.parametrize(
    "change",
    [
        {"wheelhouse:code": "teleported"},
        {"eventTime": "2026-03-02T08:00:00"},
        {"eventID": "https://elsewhere.example/scan/1"},
        {"epcList": []},
        {"bizLocation": {"id": f"{BASE}facility/x"}},
        {"errorDeclaration": {"declarationTime": "2026-03-02T08:00:00Z"}},
    ],
)
def test_what_is_not_ours_is_refused_by_name(change):
    event = scan_events("WH1", [WRONG], base=BASE)[0] | change
    with pytest.raises(EpcisError, match=r"event https://.* cannot be read as a scan"):
        read_scans([event], base=BASE)


def test_packing_that_is_not_ours_is_refused():
    with pytest.raises(EpcisError, match="cannot be read as packing"):
        read_packing(packing_event(PACKED, WAYBILLS, base=BASE), {}, base=BASE)


def test_a_base_that_is_no_uri_is_refused():
    with pytest.raises(EpcisError, match="ends in a slash"):
        scan_events("WH1", [], base="https://id.example.org")
