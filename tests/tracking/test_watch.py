"""Findings open for a reason, keep their key, and close themselves."""

from datetime import timedelta

import pytest

from tests.tracking.build import at, leg, scan
from tracking.errors import ScanError
from tracking.finding import FindingKind
from tracking.lifecycle import fold
from tracking.promise import Promise
from tracking.shipment import ScanCode
from tracking.watch import QUIET_S, MissingPiece, ShipmentView, watch

LEGS = (leg(1, 1, 2, 120, 720), leg(2, 2, 3, 840, 1200))
BOOKED, COLLECTED = scan(ScanCode.BOOKED, 0), scan(ScanCode.COLLECTED, 60)
DEPARTED = scan(ScanCode.DEPARTED, 130, facility_id=1)


def view(*scans, **fields):
    return ShipmentView(fold(scans), tuple(scans), **fields)


def found(shipment, minutes):
    return {finding.kind: finding for finding in watch(shipment, at(minutes))}


def test_what_goes_well_is_quiet():
    shipment = view(BOOKED, COLLECTED, DEPARTED, legs=LEGS, promised_at=at(1260))
    assert watch(shipment, at(200)) == ()


def test_late_against_the_promise_until_it_is_delivered():
    shipment = view(BOOKED, COLLECTED, DEPARTED, promised_at=at(1260))
    late = found(shipment, 1300)[FindingKind.LATE]
    assert (late.since, late.evidence, late.parameters) == (
        at(1260),
        (DEPARTED.scan_id,),
        (("late_s", 2400),),
    )
    assert found(shipment, 1400)[FindingKind.LATE].key == late.key
    delivered = view(BOOKED, COLLECTED, DEPARTED, scan(ScanCode.DELIVERED, 1350), promised_at=at(1260))
    assert watch(delivered, at(1400)) == ()


def test_expected_late_before_it_is_late():
    estimate = Promise(at(1500), at(1600), at(1700))
    shipment = view(BOOKED, COLLECTED, DEPARTED, promised_at=at(1260), estimate=estimate)
    kinds = found(shipment, 400)
    assert list(kinds) == [FindingKind.EXPECTED_LATE]
    assert kinds[FindingKind.EXPECTED_LATE].parameters == (("late_s", 240 * 60),)
    assert FindingKind.EXPECTED_LATE not in found(shipment, 1300)


def test_what_goes_back_or_waits_to_be_fetched_is_not_late():
    for code in (ScanCode.RETURNING, ScanCode.AT_LOCKER):
        assert FindingKind.LATE not in found(view(COLLECTED, scan(code, 200), promised_at=at(300)), 400)


def test_stuck_beyond_the_limit_of_its_leg_and_again_after_the_next_scan():
    shipment = view(BOOKED, COLLECTED, DEPARTED, legs=LEGS, quiet_until=at(190))
    assert found(shipment, 190) == {}
    stuck = found(shipment, 191)[FindingKind.STUCK]
    assert stuck.since == at(190)
    assert dict(stuck.parameters) == {"silent_s": 61 * 60, "quiet_s": 3600, "facility_id": 1}
    arrived = scan(ScanCode.ARRIVED, 700, facility_id=2)
    moved = view(BOOKED, COLLECTED, DEPARTED, arrived, legs=LEGS, quiet_until=at(190))
    assert found(moved, 800) == {}, "that was said of the leg before"
    again = watch(moved, at(700) + timedelta(seconds=QUIET_S + 1))
    assert again[0].key != stuck.key


def test_a_booked_parcel_is_not_stuck():
    assert watch(view(BOOKED), at(100_000)) == ()


def test_misrouted_until_it_is_back_on_its_route():
    astray = [scan(ScanCode.ARRIVED, 700, facility_id=8), scan(ScanCode.DEPARTED, 800, facility_id=8)]
    shipment = view(BOOKED, COLLECTED, DEPARTED, *astray, legs=LEGS)
    finding = found(shipment, 900)[FindingKind.MISROUTED]
    assert (finding.since, finding.evidence) == (at(700), tuple(one.scan_id for one in astray))
    assert dict(finding.parameters) == {"facility_id": 8, "expected_facility_id": 3}
    assert finding.key == f"misrouted:{astray[0].scan_id}"
    back = view(BOOKED, COLLECTED, DEPARTED, *astray, scan(ScanCode.ARRIVED, 950, facility_id=2), legs=LEGS)
    assert found(back, 1000) == {}


def test_missing_from_a_bag_until_it_is_seen_by_itself():
    missing = (MissingPiece(9, at(710), ("unpack",)),)
    inside = scan(ScanCode.ARRIVED, 720, facility_id=2, container_id=9)
    finding = found(view(COLLECTED, inside, missing=missing), 730)[FindingKind.MISSING_FROM_CONTAINER]
    assert (finding.key, finding.evidence) == ("missing_from_container:9", ("unpack",))
    seen = scan(ScanCode.ARRIVED, 725, facility_id=2)
    assert found(view(COLLECTED, inside, seen, missing=missing), 730) == {}


def test_overdue_for_pickup():
    shipment = view(COLLECTED, scan(ScanCode.AT_LOCKER, 100), pickup_within_s=3600)
    assert found(shipment, 160) == {}
    assert found(shipment, 161)[FindingKind.PICKUP_OVERDUE].since == at(160)


def test_delivered_but_unconfirmed():
    delivered = scan(ScanCode.DELIVERED, 100)
    shipment = view(COLLECTED, delivered, confirm_within_s=3600)
    assert found(shipment, 160) == {}
    finding = found(shipment, 161)[FindingKind.UNCONFIRMED]
    assert (finding.since, finding.evidence) == (at(160), (delivered.scan_id,))
    confirmed = view(COLLECTED, delivered, scan(ScanCode.RECEIPT_CONFIRMED, 120), confirm_within_s=3600)
    assert found(confirmed, 161) == {}


def test_what_has_ended_is_quiet():
    for code in (ScanCode.RETURNED, ScanCode.LOST):
        assert watch(view(COLLECTED, scan(code, 100), promised_at=at(50)), at(100_000)) == ()


def test_keys_are_unique():
    shipment = view(
        COLLECTED,
        scan(ScanCode.ARRIVED, 700, facility_id=8, container_id=9),
        legs=LEGS,
        promised_at=at(800),
        missing=(MissingPiece(9, at(710), ()), MissingPiece(10, at(711), ())),
    )
    findings = watch(shipment, at(50_000))
    assert len({finding.key for finding in findings}) == len(findings) == 5


def test_a_view_of_other_scans_than_the_states_is_refused():
    with pytest.raises(ScanError, match="the state is of 1 scans, not of 2"):
        ShipmentView(fold([BOOKED]), (BOOKED, COLLECTED))
