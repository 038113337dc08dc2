"""The trail: scans at their smallest, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracking.course import course_of
from tracking.lifecycle import fold
from tracking.shipment import Scan, ScanCode
from tracking.summary import mark_of
from tracking.trail import RECORD_BYTES, at_of, last_seeing, ranks_of, record_of, records_of, trail_of
from tracking.transitions import PLACELESS

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@st.composite
def lives(draw: st.DrawFn) -> list[Scan]:
    """Scans at different moments, microseconds among them, some ahead of the server's clock."""
    moments = draw(st.lists(st.integers(-(10**12), 10**11), min_size=1, max_size=12, unique=True))
    return [
        Scan(
            f"s{place}",
            draw(st.sampled_from([code for code in ScanCode if code is not ScanCode.VOIDED])),
            NOW + timedelta(microseconds=moment),
            480,
            NOW + timedelta(microseconds=draw(st.integers(0, 10**9)) + place),
            "belt",
            f"s{place}",
            draw(st.none() | st.integers(1, 9)),
            None,
        )
        for place, moment in enumerate(moments)
    ]


def in_order(scans: Sequence[Scan]) -> list[Scan]:
    return sorted(scans, key=mark_of)


@given(lives())
def test_records_stand_in_the_order_of_time_and_tell_it_to_the_microsecond(scans: list[Scan]) -> None:
    records = records_of(trail_of(scans))
    assert [(at_of(record), record[-1] >> 1) for record in records] == [
        mark_of(scan)[:2] for scan in in_order(scans)
    ]
    assert all(len(record) == RECORD_BYTES for record in records)


@given(lives(), st.randoms(use_true_random=False))
def test_whatever_comes_late_merges_to_the_same_trail(scans: list[Scan], random: object) -> None:
    shuffled = list(scans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    merged = list[bytes]()
    for scan in shuffled:
        merged = sorted([*merged, record_of(mark_of(scan)[0], scan.code, scan.facility_id)])
    assert b"".join(merged) == trail_of(scans)


@given(lives())
def test_the_course_of_a_trail_is_the_fold_of_its_scans(scans: list[Scan]) -> None:
    course, state, ordered = course_of(ranks_of(trail_of(scans))), fold(scans), in_order(scans)
    assert (course.milestone, course.attempts) == (state.milestone, state.attempts)
    decided_by = None if course.deciding is None else ordered[course.deciding].scan_id
    assert decided_by == state.decided_by


@given(lives())
def test_the_last_that_saw_it_named_a_place(scans: list[Scan]) -> None:
    seeing = [one for one in in_order(scans) if one.facility_id is not None and one.code not in PLACELESS]
    found = last_seeing(records_of(trail_of(scans)))
    assert (None if found is None else at_of(found)) == (mark_of(seeing[-1])[0] if seeing else None)
