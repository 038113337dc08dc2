"""The sentence of status: one key a state, with exactly the parameters that are announced."""

import pytest
from hypothesis import given

from tests.tracking.build import at, scan
from tests.tracking.strategies import scan_sets
from tracking.lifecycle import fold
from tracking.sentence import SENTENCE_KEYS, status_sentence
from tracking.shipment import ScanCode

WINDOW = (at(600), at(720))


def keys(*scans, window=WINDOW):
    return [clause.key for clause in status_sentence(fold(scans), window)]


def test_the_promise_comes_first_and_the_place_supports_it():
    promise, place = status_sentence(fold([scan(ScanCode.ARRIVED, 5, facility_id=2)]), WINDOW)
    assert (promise.key, dict(promise.parameters)) == ("arrives", {"from": at(600), "to": at(720)})
    assert (place.key, dict(place.parameters)) == (
        "arrived",
        {"since": at(5), "offset_minutes": 480, "facility_id": 2},
    )


@pytest.mark.parametrize(
    "code", [ScanCode.DELIVERED, ScanCode.HELD, ScanCode.LOST, ScanCode.AT_LOCKER, ScanCode.RETURNING]
)
def test_no_promise_where_it_no_longer_comes_to_the_consignee(code):
    assert keys(scan(code, 5)) == [code.value]


def test_special_states():
    assert keys() == ["pending"]
    assert keys(scan(ScanCode.RETURNING, 1), scan(ScanCode.DEPARTED, 2)) == ["on_the_way_back"]
    assert keys(scan(ScanCode.DELIVERED, 1), scan(ScanCode.RECEIPT_CONFIRMED, 2)) == ["receipt_confirmed"]
    assert keys(scan(ScanCode.ARRIVED, 1), window=None) == ["arrived"]


@given(scan_sets(corrections=True))
def test_every_clause_is_announced_with_its_parameters(scans):
    for clause in status_sentence(fold(scans), WINDOW):
        assert tuple(clause.parameters) == SENTENCE_KEYS[clause.key]
