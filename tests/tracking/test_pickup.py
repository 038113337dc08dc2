"""What fits into a compartment, and what is due the longer a parcel waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.build import START
from tracking.errors import ScanError
from tracking.pickup import (
    DISPUTE_WITHIN,
    OVERDUE_AFTER,
    REMIND_AFTER,
    SIDE_MM_MAX,
    TAKE_BACK_AFTER,
    Measured,
    PickupStep,
    Size,
    due_step,
    may_be_disputed,
    smallest_fitting,
)

sides = st.integers(1, SIDE_MM_MAX)
sizes = st.builds(Size, sides, sides, sides)


@given(sizes, sizes, st.permutations([0, 1, 2]))
def test_how_a_parcel_is_turned_makes_no_difference(parcel: Size, room: Size, order: list[int]) -> None:
    turned = Size(*(parcel.sides[place] for place in order))
    assert Measured(0, parcel).fits(room) == Measured(0, turned).fits(room)


@given(sizes, sizes)
def test_what_fits_by_its_sides_fits_by_its_volume(parcel: Size, room: Size) -> None:
    if Measured(0, parcel).fits(room):
        assert Measured(parcel.volume_mm3 // 1000).fits(room)
        assert parcel.volume_mm3 <= room.volume_mm3


@given(sizes)
def test_one_millimetre_more_does_not_fit(room: Size) -> None:
    assert Measured(0, room).fits(room)
    longest = max(room.sides)
    if longest < SIDE_MM_MAX:
        assert not Measured(0, Size(longest + 1, 1, 1)).fits(room)


def test_a_long_thin_parcel_does_not_lie_in_a_cube_of_its_volume() -> None:
    cube = Size(200, 200, 200)
    assert Measured(7_000).fits(cube)
    assert not Measured(7_000, Size(700, 100, 100)).fits(cube)


@given(st.lists(sizes, max_size=8), sizes)
def test_the_smallest_that_it_fits_into(rooms: list[Size], parcel: Size) -> None:
    keyed = list(enumerate(rooms))
    chosen = smallest_fitting(Measured(0, parcel), keyed)
    fitting = [room for room in rooms if Measured(0, parcel).fits(room)]
    if chosen is None:
        assert not fitting
    else:
        assert rooms[chosen].volume_mm3 == min(room.volume_mm3 for room in fitting)


@pytest.mark.parametrize("wrong", [0, -1, SIDE_MM_MAX + 1])
def test_a_side_is_one(wrong: int) -> None:
    with pytest.raises(ScanError):
        Size(100, 100, wrong)


def test_what_is_due_grows_with_the_time() -> None:
    order = list(PickupStep)
    steps = [due_step(START, START + timedelta(hours=hours)) for hours in range(100)]
    assert [order.index(step) for step in steps] == sorted(order.index(step) for step in steps)
    for step, after in (
        (PickupStep.REMIND, REMIND_AFTER),
        (PickupStep.OVERDUE, OVERDUE_AFTER),
        (PickupStep.TAKE_BACK, TAKE_BACK_AFTER),
    ):
        assert due_step(START, START + after) is step
        assert due_step(START, START + after - timedelta(seconds=1)) is not step


def test_a_dispute_ends_a_day_after_the_taking_out() -> None:
    assert may_be_disputed(None, START)
    assert may_be_disputed(START, START + DISPUTE_WITHIN)
    assert not may_be_disputed(START, START + DISPUTE_WITHIN + timedelta(seconds=1))
