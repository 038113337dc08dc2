"""A fold that is continued scan by scan ends where the fold over all scans ends, findings and all."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tracking.strategies import scan_sets
from tracking.lifecycle import fold
from tracking.position import seen_at
from tracking.shipment import Scan
from tracking.summary import mark_of
from tracking.tail import Tail


@given(scan_sets(max_size=12), st.data())
def test_continued_is_folded_anew(scans: list[Scan], data: st.DataObject) -> None:
    in_order = sorted(scans, key=mark_of)
    assume(in_order)
    start = data.draw(st.integers(1, len(in_order)))
    state = fold(in_order[:start])
    assume(state.code is not None and state.since is not None)  # else there is nothing to continue
    tail = Tail(
        mark_of(in_order[start - 1]),
        state.milestone,
        state.code,
        state.since,
        state.facility_id,
        state.courier_id,
        state.decided_by or "",
        seen_at(in_order[:start]),
        state.attempts,
        state.confirmed_at,
    )
    found = list(state.findings)
    for scan in in_order[start:]:
        found += tail.advance(mark_of(scan), scan)
    whole = fold(scans)
    assert (tail.milestone, tail.code, tail.since) == (whole.milestone, whole.code, whole.since)
    assert (tail.facility_id, tail.courier_id) == (whole.facility_id, whole.courier_id)
    assert (tail.decided_by, tail.seen_facility_id) == (whole.decided_by, seen_at(scans))
    assert (tail.attempts, tail.confirmed_at) == (whole.attempts, whole.confirmed_at)
    assert (tail.delivered_at, tail.terminal) == (whole.delivered_at, whole.terminal)
    assert sorted(found, key=lambda one: (one.since, one.key)) == list(whole.findings)
