"""The mergeable summary equals the fold, and merge is a semilattice."""

import functools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.build import scan
from tests.tracking.strategies import scan_sets
from tracking.errors import SummaryIncomplete
from tracking.lifecycle import Summary, fold, is_failed_attempt, merge, state_of
from tracking.shipment import ScanCode


def summary_of(scans):
    return functools.reduce(merge, map(Summary.of, scans), Summary.empty())


@given(scan_sets(), st.randoms(use_true_random=False))
def test_the_summary_tells_what_the_fold_tells(scans, random):
    random.shuffle(scans)
    attempts = sum(is_failed_attempt(one.code) for one in scans)
    state = state_of(summary_of(scans), attempts=attempts, scan_count=len(scans))
    assert state == replace(fold(scans), findings=())


SOME = scan_sets(corrections=True, max_size=4)


@given(SOME, SOME, SOME)
def test_merge_is_associative_commutative_and_idempotent(first, second, third):
    a, b, c = summary_of(first), summary_of(second), summary_of(third)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, b) == merge(b, a)
    assert merge(a, a) == a
    assert merge(a, Summary.empty()) == a


@pytest.mark.parametrize("code", [ScanCode.VOIDED, ScanCode.ARRIVED])
def test_an_error_declaration_makes_the_summary_say_that_it_does_not_know(code):
    summary = summary_of([scan(ScanCode.BOOKED, 0), scan(code, 1, corrects="booked@0")])
    assert merge(summary, Summary.of(scan(ScanCode.DELIVERED, 5))).needs_fold
    with pytest.raises(SummaryIncomplete):
        state_of(summary)
