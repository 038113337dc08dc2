"""Bags in trips: what is inside at a moment, and what a scan of the outside means for it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.build import at, scan
from tracking.containers import (
    CARRIED_INSIDE,
    Contents,
    PackingAction,
    PackingEvent,
    Piece,
    contents_at,
    expected_against_scanned,
    pieces_inside,
    scans_for_inside,
)
from tracking.errors import ScanError
from tracking.lifecycle import fold
from tracking.shipment import Milestone, ScanCode

PIECES = [Piece(number) for number in range(1, 5)]


def packing(number, container_id, action, minutes, pieces=(), containers=()):
    return PackingEvent(
        f"p{number}", container_id, action, at(minutes), 480, 1, tuple(pieces), tuple(containers)
    )


@given(st.lists(st.integers(0, 20)), st.lists(st.integers(0, 20)))
def test_expected_against_scanned_names_every_item_once(expected, scanned):
    result = expected_against_scanned(expected, scanned)
    assert set(result.missing) == set(expected) - set(scanned)
    assert set(result.surplus) == set(scanned) - set(expected)
    assert set(result.matched) == set(expected) & set(scanned)
    every = result.missing + result.surplus + result.matched
    assert len(every) == len(set(every))
    assert result.complete == (set(expected) == set(scanned))


def test_the_order_of_the_dock_is_kept():
    result = expected_against_scanned("dcba", "xbdy")
    assert (result.missing, result.surplus, result.matched) == (("c", "a"), ("x", "y"), ("d", "b"))


@given(st.permutations(range(4)))
def test_what_is_inside_follows_from_packing_in_any_order_of_arrival(order):
    events = [
        packing(0, 1, PackingAction.PACKED, 0, PIECES[:3]),
        packing(1, 9, PackingAction.PACKED, 5, containers=[1]),
        packing(2, 1, PackingAction.UNPACKED, 10, PIECES[:1]),
        packing(3, 9, PackingAction.UNPACKED, 20, containers=[1]),
    ]
    shuffled = [events[index] for index in order]
    assert pieces_inside(9, contents_at(shuffled, at(4))) == ()
    assert pieces_inside(9, contents_at(shuffled, at(5))) == tuple(PIECES[:3])
    assert pieces_inside(9, contents_at(shuffled, at(10))) == tuple(PIECES[1:3])
    assert pieces_inside(9, contents_at(shuffled, at(20))) == ()


def test_a_container_inside_itself_is_refused():
    loop = {1: Contents(containers=(2,)), 2: Contents(containers=(3,)), 3: Contents(containers=(1,))}
    with pytest.raises(ScanError, match="inside itself"):
        pieces_inside(1, loop)
    with pytest.raises(ScanError, match="into itself"):
        packing(0, 1, PackingAction.PACKED, 0, containers=[1])


def test_the_same_bag_on_two_manifests_counts_once():
    shared = {
        9: Contents(containers=(1, 2)),
        1: Contents(containers=(3,)),
        2: Contents(containers=(3,)),
        3: Contents(tuple(PIECES)),
    }
    assert pieces_inside(9, shared) == tuple(PIECES)


def test_nesting_of_any_depth():
    deep = {number: Contents(containers=(number + 1,)) for number in range(5000)} | {
        5000: Contents(tuple(PIECES))
    }
    assert pieces_inside(0, deep) == tuple(PIECES)


def test_a_scan_of_the_outside_moves_the_inside_and_says_so_only_once():
    outer = scan(ScanCode.ARRIVED, 100, container_id=9, facility_id=3)
    inner = scans_for_inside(outer, PIECES)
    assert [piece for piece, _ in inner] == PIECES
    assert inner == scans_for_inside(outer, PIECES)
    for piece, one in inner:
        assert (one.code, one.facility_id, one.container_id, one.piece_no) == (
            ScanCode.ARRIVED,
            3,
            9,
            piece.piece_no,
        )
        assert one.occurred_at == outer.occurred_at
    assert (
        len({one.scan_id for _, one in inner}) == len({one.client_scan_id for _, one in inner}) == len(PIECES)
    )


def test_a_voided_scan_of_the_outside_voids_what_it_meant_inside():
    departed = scan(ScanCode.DEPARTED, 100, container_id=9, facility_id=3)
    voided = scan(ScanCode.VOIDED, 101, container_id=9, corrects=departed.scan_id)
    (_, inner), (_, undone) = *scans_for_inside(departed, PIECES[:1]), *scans_for_inside(voided, PIECES[:1])
    collected = scan(ScanCode.COLLECTED, 1)
    assert fold([collected, inner]).milestone is Milestone.IN_TRANSIT
    assert fold([collected, inner, undone]).code is ScanCode.COLLECTED


@pytest.mark.parametrize("code", [code for code in ScanCode if code not in CARRIED_INSIDE])
def test_what_cannot_be_said_of_a_bag(code):
    outer = scan(code, 1, container_id=9)
    if code is ScanCode.DAMAGED:
        assert scans_for_inside(outer, PIECES) == ()
    else:
        with pytest.raises(ScanError, match="cannot be said of a container"):
            scans_for_inside(outer, PIECES)


def test_a_scan_of_no_container_is_refused():
    with pytest.raises(ScanError, match="names no container"):
        scans_for_inside(scan(ScanCode.ARRIVED, 1), PIECES)


def test_five_thousand_pieces_in_a_trip_of_bags():
    contents = {
        bag: Contents(tuple(Piece(bag * 100 + number) for number in range(100))) for bag in range(1, 51)
    }
    contents[99] = Contents(containers=tuple(range(1, 51)))
    started = time.perf_counter()
    pieces = pieces_inside(99, contents)
    inner = scans_for_inside(scan(ScanCode.ARRIVED, 1, container_id=99, facility_id=1), pieces)
    result = expected_against_scanned(pieces, pieces[7:])
    assert time.perf_counter() - started < 0.5
    assert (len(inner), len(result.missing)) == (5000, 7)


def test_what_the_dock_has_seen_is_still_inside():
    events = [
        packing(0, 1, PackingAction.PACKED, 0, PIECES),
        packing(1, 1, PackingAction.CHECKED, 5, PIECES[:1]),
        packing(2, 1, PackingAction.CHECKED, 5, [Piece(99)]),
    ]
    assert pieces_inside(1, contents_at(events, at(9))) == tuple(PIECES)
