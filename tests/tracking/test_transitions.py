"""The transition table: every (state, code) pair is listed in `transitions.txt`, and holds."""

from pathlib import Path

import pytest
from hypothesis import given

from tests.tracking.build import scan
from tests.tracking.strategies import scan_sets
from tracking.lifecycle import fold
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import RULES, TRANSITIONS, Tier

# One line a pair: state, code, next state, whether it decides (+) or not (.), finding or -.
LISTED = [line.split() for line in Path(__file__).with_name("transitions.txt").read_text().splitlines()]

# The shortest story that leads to each state.
STORIES = {
    Milestone.PENDING: [],
    Milestone.BOOKED: [ScanCode.BOOKED],
    Milestone.CANCELLED: [ScanCode.CANCELLED],
    Milestone.EXCEPTION: [ScanCode.HELD],
    Milestone.ACCEPTED: [ScanCode.COLLECTED],
    Milestone.IN_TRANSIT: [ScanCode.ARRIVED],
    Milestone.OUT_FOR_DELIVERY: [ScanCode.OUT_FOR_DELIVERY],
    Milestone.ATTEMPT_FAILED: [ScanCode.ATTEMPT_FAILED],
    Milestone.READY_FOR_PICKUP: [ScanCode.AT_STORE],
    Milestone.RETURNING: [ScanCode.RETURNING],
    Milestone.LOST: [ScanCode.LOST],
    Milestone.RETURNED: [ScanCode.RETURNED],
    Milestone.DELIVERED: [ScanCode.DELIVERED],
}


def test_every_pair_is_listed_once():
    pairs = [(Milestone(state), ScanCode(code)) for state, code, *_ in LISTED]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == {(state, code) for state in Milestone for code in ScanCode} == set(TRANSITIONS)
    assert set(RULES) == set(ScanCode)
    assert set(STORIES) == set(Milestone)


@pytest.mark.parametrize(("state", "code", "to", "decides", "finding"), LISTED, ids=lambda value: value)
def test_pair(state, code, to, decides, finding):
    cell = TRANSITIONS[Milestone(state), ScanCode(code)]
    assert (cell.to.value, "+" if cell.decides else ".", cell.finding or "-") == (to, decides, finding)
    if code == ScanCode.VOIDED:
        return
    # The fold, led to that state and given that code, says the same.
    story = [scan(step, minute) for minute, step in enumerate(STORIES[Milestone(state)])]
    last = scan(ScanCode(code), 60)
    after = fold([*story, last])
    assert after.milestone == to
    assert (after.decided_by == last.scan_id) == (decides == "+")
    about_last = [found.kind.value for found in after.findings if last.scan_id in found.evidence]
    assert about_last == ([] if finding == "-" else [finding])


@pytest.mark.parametrize("code", ScanCode)
def test_only_another_delivery_or_a_confirmation_is_heard_after_a_delivery(code):
    cell = TRANSITIONS[Milestone.DELIVERED, code]
    assert cell.to is Milestone.DELIVERED
    assert not cell.decides


@given(scan_sets())
def test_the_tier_of_the_deciding_scan_is_the_highest_there_is(scans):
    state = fold(scans)
    tiers = [RULES[one.code].tier for one in scans]
    highest = max(tiers, default=Tier.NOTE)
    assert (RULES[state.code].tier if state.code else Tier.NOTE) == highest
