"""Every row of the mapping tables, against the vocabularies of the systems they speak to."""

import pytest

from tests.tracking.build import scan
from tracking.lifecycle import fold
from tracking.mappings import BY_CODE, BY_REASON, NOTHING_YET, foreign
from tracking.shipment import AttemptReason, Milestone, ScanCode
from tracking.transitions import RULES

AFTERSHIP = {
    "Pending": {1},
    "InfoReceived": {1},
    "InTransit": {1, 2, 3, 7, 8, 9},
    "OutForDelivery": {1, 4},
    "AttemptFail": {1, 2, 3},
    "Delivered": {1, 2, 5},
    "AvailableForPickup": {1},
    "Exception": {1, 3, 5, 6, 7, 8, 10, 11, 12, 13},
}
EASYPOST = {
    *("unknown", "pre_transit", "in_transit", "out_for_delivery", "delivered", "available_for_pickup"),
    *("return_to_sender", "failure", "cancelled", "error"),
}
EASYPOST_DETAIL = {
    *("address_correction", "arrived_at_destination", "arrived_at_facility", "arrived_at_pickup_location"),
    *("awaiting_information", "cancelled", "damaged", "delayed", "delivery_exception", "departed_facility"),
    *("held", "in_transit", "label_created", "lost", "missorted", "out_for_delivery", "refused", "return"),
    *("received_at_origin_facility", "status_update", "unknown"),
}
SHIPENGINE = {"UN", "AC", "IT", "DE", "EX", "AT", "NY", "SP"}
SEVENTEENTRACK = {
    *("NotFound_Other", "InfoReceived", "InTransit_PickedUp", "InTransit_Departure", "InTransit_Arrival"),
    *("InTransit_Other", "AvailableForPickup_Other", "OutForDelivery_Other", "DeliveryFailure_Other"),
    *("DeliveryFailure_NoBody", "DeliveryFailure_Security", "DeliveryFailure_Rejected", "Delivered_Other"),
    *("DeliveryFailure_InvalidAddress", "Exception_Other", "Exception_Returning", "Exception_Returned"),
    *("Exception_Damage", "Exception_Delayed", "Exception_Lost", "Exception_Cancel"),
}
KDNIAO = {
    *("0", "1", "2", "5", "10", "202", "204", "211", "301", "304", "311", "404", "405", "406", "407", "412"),
    *("413", "414", "415", "416", "417", "419", "420", "421", "422", "423"),
}
ROWS = [*BY_CODE.items(), *BY_REASON.items(), ("nothing", NOTHING_YET)]


@pytest.mark.parametrize(
    ("code", "row"), ROWS, ids=lambda value: str(value) if isinstance(value, str) else ""
)
def test_each_row_speaks_words_that_exist(code, row):
    tag, subtag = row.aftership
    assert subtag.partition("_")[0] == tag
    assert int(subtag.partition("_")[2]) in AFTERSHIP[tag]
    assert row.easypost[0] in EASYPOST
    assert row.easypost[1] in EASYPOST_DETAIL
    assert row.shipengine[0] in SHIPENGINE
    assert row.shipengine[1] == row.shipengine[1].upper()
    assert row.seventeentrack[1] in SEVENTEENTRACK
    assert row.seventeentrack[1].partition("_")[0] == row.seventeentrack[0]
    assert row.kdniao in KDNIAO or (code is ScanCode.VOIDED and row.kdniao is None)


def test_every_code_and_reason_has_a_row():
    assert set(BY_CODE) == set(ScanCode)
    assert set(BY_REASON) == set(AttemptReason)


@pytest.mark.parametrize(
    ("milestone", "tags", "shipengine", "kdniao"),
    [
        (Milestone.BOOKED, {"InfoReceived"}, {"AC"}, {"10"}),
        (Milestone.ACCEPTED, {"InTransit"}, {"IT"}, {"1"}),
        (Milestone.OUT_FOR_DELIVERY, {"OutForDelivery"}, {"IT"}, {"202"}),
        (Milestone.READY_FOR_PICKUP, {"AvailableForPickup", "Exception"}, {"SP"}, {"211", "412"}),
        (Milestone.DELIVERED, {"Delivered"}, {"DE"}, {"301", "304", "311"}),
        (Milestone.RETURNED, {"Exception"}, {"EX"}, {"406"}),
    ],
)
def test_the_rows_of_a_milestone_agree(milestone, tags, shipengine, kdniao):
    rows = [BY_CODE[code] for code, rule in RULES.items() if rule.milestone is milestone]
    assert {row.aftership[0] for row in rows} == tags
    assert {row.shipengine[0] for row in rows} == shipengine
    assert {row.kdniao for row in rows} == kdniao


@pytest.mark.parametrize(
    ("code", "kdniao"),
    [
        (ScanCode.ARRIVED, "204"),
        (ScanCode.AT_LOCKER, "211"),
        (ScanCode.DELIVERED, "301"),
        (ScanCode.DELIVERED_TO_PROXY, "304"),
        (ScanCode.TAKEN_FROM_LOCKER, "311"),
        (ScanCode.REFUSED, "404"),
        (ScanCode.PICKUP_OVERDUE, "412"),
        (ScanCode.INTERCEPTED, "413"),
        (ScanCode.DAMAGED, "414"),
        (ScanCode.DELAYED, "417"),
        (ScanCode.MISSORTED, "422"),
    ],
)
def test_the_exact_kdniao_codes(code, kdniao):
    assert BY_CODE[code].kdniao == kdniao


def test_a_state_is_told_by_its_code_its_reason_and_its_way_back():
    def told(*scans):
        state = fold(scans)
        return foreign(state.milestone, state.code, state.reason)

    out = scan(ScanCode.OUT_FOR_DELIVERY, 1)
    assert told() is NOTHING_YET
    assert told(out, scan(ScanCode.ATTEMPT_FAILED, 2, reason="out_of_area")).kdniao == "423"
    assert told(out, scan(ScanCode.ATTEMPT_FAILED, 2, reason="dog")).kdniao == "405"
    assert told(scan(ScanCode.RETURNING, 1), scan(ScanCode.ARRIVED, 2)).kdniao == "407"
