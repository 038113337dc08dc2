"""Merge in transit: the last piece releases all, in whatever order their scans are heard."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.build import scan
from tracking.lifecycle import fold
from tracking.merge import Presence, Verdict, presence, verdict
from tracking.shipment import Scan, ScanCode

PLACE, ELSEWHERE = 7, 3
presences = st.lists(st.sampled_from(Presence), max_size=8)


def arrives(piece: int, minute: float, *, at: int = PLACE) -> Scan:
    return scan(ScanCode.ARRIVED, minute, facility_id=at, scan_id=f"a{piece}@{minute}")


@given(presences, st.integers(0, 3))
def test_it_is_released_only_when_nobody_is_waited_for(found: list[Presence], missing: int) -> None:
    due = verdict(found, missing)
    if due.release:
        assert missing == 0
        assert set(found) <= {Presence.HERE, Presence.HELD, Presence.GONE}
        assert not due.hold
    for place in due.hold:
        assert found[place] is Presence.HERE


@given(presences, st.integers(0, 3))
def test_holding_what_is_due_leaves_nothing_more_to_hold(found: list[Presence], missing: int) -> None:
    due = verdict(found, missing)
    held = [Presence.HELD if place in due.hold else one for place, one in enumerate(found)]
    again = verdict(held, missing)
    assert again == Verdict(release=due.release)


@given(presences, st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_pieces_makes_no_difference(
    found: list[Presence], missing: int, shuffler: random.Random
) -> None:
    shuffled = list(found)
    shuffler.shuffle(shuffled)
    assert verdict(found, missing).release == verdict(shuffled, missing).release
    assert len(verdict(found, missing).hold) == len(verdict(shuffled, missing).hold)


@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_whatever_order_the_scans_are_heard_in_the_last_arrival_releases(
    pieces: int, shuffler: random.Random
) -> None:
    """Each piece is on the way, arrives, one arrival is voided and repeated; heard shuffled, one by one."""
    stories: list[tuple[int, Scan]] = []
    for piece in range(pieces):
        first = arrives(piece, 10 + piece)
        stories += [
            (piece, arrives(piece, 1, at=ELSEWHERE)),
            (piece, first),
            (piece, scan(ScanCode.VOIDED, 20 + piece, corrects=first.scan_id, scan_id=f"v{piece}")),
            (piece, arrives(piece, 30 + piece)),
        ]
    shuffler.shuffle(stories)
    heard: list[list[Scan]] = [[] for _ in range(pieces)]
    for piece, one in stories:
        heard[piece].append(one)
    whole = [presence(fold(scans), PLACE) for scans in heard]
    assert verdict(whole) == Verdict(release=True)


def test_n_minus_one_are_held_and_the_last_one_lets_all_go() -> None:
    coming = [presence(fold([arrives(piece, 1, at=ELSEWHERE)]), PLACE) for piece in range(3)]
    assert verdict(coming) == Verdict()
    one = presence(fold([arrives(0, 5)]), PLACE)
    assert verdict([one, *coming[1:]]) == Verdict(hold=(0,))
    held = presence(fold([arrives(0, 5), scan(ScanCode.HELD, 6, facility_id=PLACE)]), PLACE)
    assert held is Presence.HELD
    assert verdict([held, held, one]) == Verdict(release=True)
    assert verdict([held, held, one], missing=1) == Verdict(hold=(2,))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([ScanCode.DEPARTED], Presence.COMING),
        ([ScanCode.DAMAGED], Presence.STOPPED),
        ([ScanCode.INTERCEPTED], Presence.STOPPED),
        ([ScanCode.SORTED], Presence.HERE),
        ([ScanCode.RELEASED], Presence.HERE),
        ([ScanCode.LOST], Presence.GONE),
        ([ScanCode.RETURNING], Presence.GONE),
        ([ScanCode.DELIVERED], Presence.GONE),
    ],
)
def test_where_a_piece_is(codes: list[ScanCode], expected: Presence) -> None:
    scans = [arrives(0, 1), *(scan(code, 2 + n, facility_id=PLACE) for n, code in enumerate(codes))]
    assert presence(fold(scans), PLACE) is expected


def test_of_what_never_comes_the_others_need_not_wait_and_of_nothing_nothing_is_released() -> None:
    assert verdict([Presence.GONE, Presence.HELD]) == Verdict(release=True)
    assert verdict([Presence.GONE]) == Verdict()
    assert verdict([]) == Verdict()
