"""fold: the same state in any order and at any repetition; delivery never goes back."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.tracking.build import at, scan
from tests.tracking.strategies import scan_sets
from tracking.errors import ScanError
from tracking.finding import FindingKind
from tracking.lifecycle import fold, fold_pieces
from tracking.shipment import Milestone, ScanCode

LIFE = [
    scan(ScanCode.BOOKED, 0),
    scan(ScanCode.COLLECTED, 60, courier_id=5),
    scan(ScanCode.ARRIVED, 120, facility_id=1),
    scan(ScanCode.SORTED, 130, facility_id=1),
    scan(ScanCode.DEPARTED, 200, facility_id=1),
    scan(ScanCode.ARRIVED, 900, facility_id=2),
    scan(ScanCode.DEPARTED, 1000, facility_id=2),
    scan(ScanCode.ARRIVED, 1400, facility_id=3),
    scan(ScanCode.OUT_FOR_DELIVERY, 1500, facility_id=3, courier_id=6),
    scan(ScanCode.ATTEMPT_FAILED, 1560, courier_id=6, reason="consignee_absent"),
    scan(ScanCode.OUT_FOR_DELIVERY, 2900, facility_id=3, courier_id=6),
    scan(ScanCode.DELIVERED, 2960, courier_id=6),
]


def test_an_ordinary_life_has_no_findings():
    state = fold(LIFE)
    assert state.findings == ()
    assert (state.milestone, state.code, state.since) == (Milestone.DELIVERED, ScanCode.DELIVERED, at(2960))
    assert (state.first_scan_at, state.collected_at) == (at(0), at(60))
    assert (state.out_for_delivery_at, state.delivered_at) == (at(2900), at(2960))
    assert (state.attempts, state.scan_count, state.terminal, state.courier_id) == (1, 12, True, 6)


def test_the_state_at_every_step_of_an_ordinary_life():
    milestones = [fold(LIFE[: n + 1]).milestone for n in range(len(LIFE))]
    assert milestones == [
        Milestone.BOOKED,
        Milestone.ACCEPTED,
        *[Milestone.IN_TRANSIT] * 6,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.ATTEMPT_FAILED,
        Milestone.OUT_FOR_DELIVERY,
        Milestone.DELIVERED,
    ]


def test_no_scan_is_a_state_too():
    state = fold([])
    assert (state.milestone, state.code, state.since, state.terminal) == (
        Milestone.PENDING,
        None,
        None,
        False,
    )


@given(scan_sets(corrections=True), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(scans, random):
    again = scans + random.choices(scans, k=len(scans)) if scans else []
    random.shuffle(again)
    assert fold(again) == fold(scans)


@given(scan_sets(), scan_sets())
def test_a_delivered_parcel_never_goes_back(before, late):
    delivery = scan(ScanCode.DELIVERED, 3)
    known = [*before, delivery]
    # Received later than everything known, whenever it claims to have occurred.
    late = [replace(one, scan_id=f"late{one.scan_id}", client_scan_id=f"late{one.scan_id}") for one in late]
    assert fold(known).milestone is Milestone.DELIVERED
    after = fold(known + late)
    assert after.milestone is Milestone.DELIVERED
    assert after.delivered_at <= delivery.occurred_at


@given(scan_sets(corrections=True))
def test_every_finding_names_its_scan_and_has_its_own_key(scans):
    state = fold(scans)
    ids = {one.scan_id for one in scans}
    assert all(set(finding.evidence) <= ids for finding in state.findings)
    assert len({finding.key for finding in state.findings}) == len(state.findings)


def test_two_scans_at_one_instant_are_put_into_the_order_of_ordinary_life():
    arrived, departed = scan(ScanCode.ARRIVED, 5, facility_id=1), scan(ScanCode.DEPARTED, 5, facility_id=1)
    assert fold([departed, arrived]).code is ScanCode.DEPARTED


def test_a_clock_that_runs_ahead_is_taken_at_the_servers_time_and_found():
    ahead = scan(ScanCode.ARRIVED, 10_000, received_at=at(100))
    state = fold([scan(ScanCode.COLLECTED, 50), ahead, scan(ScanCode.DEPARTED, 200)])
    assert state.code is ScanCode.DEPARTED
    assert [finding.kind for finding in state.findings] == [FindingKind.FROM_THE_FUTURE]
    assert state.findings[0].parameters == (("ahead_s", 9900 * 60),)


def test_an_error_declaration_takes_a_delivery_back():
    wrong = LIFE[-1]
    voided = scan(ScanCode.VOIDED, 3000, corrects=wrong.scan_id)
    state = fold([*LIFE, voided])
    assert (state.milestone, state.delivered_at) == (Milestone.OUT_FOR_DELIVERY, None)
    assert state.scan_count == 11
    assert state.findings == ()
    # The declaration may arrive before what it declares.
    assert fold([voided, *LIFE]) == state


def test_a_scan_that_corrects_also_says_what_was_true_instead():
    right = scan(ScanCode.AT_LOCKER, 2960, corrects=LIFE[-1].scan_id, facility_id=9)
    state = fold([*LIFE, right])
    assert (state.milestone, state.facility_id) == (Milestone.READY_FOR_PICKUP, 9)


def test_declaring_what_nobody_knows_is_found():
    state = fold([scan(ScanCode.BOOKED, 0), scan(ScanCode.VOIDED, 1, corrects="nothing")])
    assert [finding.kind for finding in state.findings] == [FindingKind.CORRECTION_UNMATCHED]


def test_a_declaration_is_not_undone_by_another():
    wrong = scan(ScanCode.DELIVERED, 5)
    void = scan(ScanCode.VOIDED, 6, corrects=wrong.scan_id)
    state = fold([scan(ScanCode.BOOKED, 0), wrong, void, scan(ScanCode.VOIDED, 7, corrects=void.scan_id)])
    assert state.milestone is Milestone.BOOKED


def test_the_same_sending_under_another_id_counts_once_and_can_be_declared_by_either_id():
    first = scan(ScanCode.DELIVERED, 5)
    again = replace(first, scan_id="other", received_at=at(9))
    assert fold([first, again]) == fold([first])
    assert fold([first, again, scan(ScanCode.VOIDED, 8, corrects="other")]).milestone is Milestone.PENDING


@pytest.mark.parametrize("reverse", [False, True])
def test_a_resend_with_another_time_is_found_and_the_first_received_counts(reverse):
    first = scan(ScanCode.ARRIVED, 5, facility_id=1)
    changed = replace(first, occurred_at=at(500), received_at=at(600))
    scans = [scan(ScanCode.COLLECTED, 1), first, changed]
    state = fold(reversed(scans) if reverse else scans)
    assert (state.since, state.scan_count) == (at(5), 2)
    assert [finding.kind for finding in state.findings] == [FindingKind.CONFLICTING_RESEND]


def test_the_way_back_goes_on_until_the_sender_has_it():
    story = [*LIFE[:10], scan(ScanCode.RETURNING, 1600), scan(ScanCode.DEPARTED, 1700, facility_id=3)]
    assert fold(story).milestone is Milestone.RETURNING
    story.append(scan(ScanCode.RETURNED, 3000))
    state = fold(story)
    assert (state.milestone, state.terminal, state.findings) == (Milestone.RETURNED, True, ())


def test_a_redirect_ends_the_way_back():
    story = [*LIFE[:10], scan(ScanCode.RETURNING, 1600), scan(ScanCode.REDIRECTED, 1700)]
    assert fold(story).milestone is Milestone.IN_TRANSIT


def test_a_parcel_that_was_given_up_is_found_again():
    state = fold([*LIFE[:5], scan(ScanCode.LOST, 5000), scan(ScanCode.ARRIVED, 9000, facility_id=2)])
    assert state.milestone is Milestone.IN_TRANSIT
    assert [finding.kind for finding in state.findings] == [FindingKind.FOUND_AGAIN]


def test_a_confirmation_is_remembered_and_does_not_move_the_state():
    state = fold([*LIFE, scan(ScanCode.RECEIPT_CONFIRMED, 4000)])
    assert (state.code, state.confirmed_at, state.findings) == (ScanCode.DELIVERED, at(4000), ())
    early = fold([scan(ScanCode.BOOKED, 0), scan(ScanCode.RECEIPT_CONFIRMED, 1)])
    assert early.milestone is Milestone.BOOKED
    assert [finding.kind for finding in early.findings] == [FindingKind.CONFIRMED_BEFORE_DELIVERY]


def test_a_shipment_is_where_its_last_piece_is():
    scans = [
        scan(ScanCode.BOOKED, 0),
        scan(ScanCode.DELIVERED, 9, piece_no=1),
        scan(ScanCode.ARRIVED, 5, piece_no=2),
    ]
    whole, pieces = fold_pieces(scans, 2)
    assert [piece.milestone for piece in pieces] == [Milestone.DELIVERED, Milestone.IN_TRANSIT]
    assert whole == pieces[1]
    with pytest.raises(ScanError, match="names piece 2 of 1"):
        fold_pieces(scans, 1)
    with pytest.raises(ScanError, match="at least one piece"):
        fold_pieces(scans, 0)


def test_fold_of_twelve_scans_is_fast():
    fold(LIFE)
    best = min(_timed() for _ in range(20))
    # About 15 us on the machine it was written on; the limit leaves room for a slow, busy one.
    assert best < 200e-6


def _timed() -> float:
    started = time.perf_counter()
    for _ in range(50):
        fold(LIFE)
    return (time.perf_counter() - started) / 50


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"occurred_at": at(0).replace(tzinfo=None)}, "occurred_at must be an aware time in UTC"),
        ({"offset_minutes": 900}, "offset_minutes"),
        ({"device_id": ""}, "must not be empty"),
        ({"corrects": "booked@0"}, "cannot correct itself"),
        ({"code": ScanCode.VOIDED}, "must name the scan"),
        ({"code": "booked"}, "must be a ScanCode"),
        ({"piece_no": 0}, "counts from 1"),
    ],
)
def test_a_scan_that_is_not_well_formed_is_refused(fields, message):
    with pytest.raises(ScanError, match=message):
        replace(scan(ScanCode.BOOKED, 0), **fields)


def test_the_clamp_is_not_a_finding_within_the_tolerance():
    assert fold([scan(ScanCode.BOOKED, 4, received_at=at(4) - timedelta(seconds=300))]).findings == ()
