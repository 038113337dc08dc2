from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.allocation import Carry, allocate, allocate_carrying, largest_remainder
from settlement.errors import AllocationError
from settlement.money import Money

WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any)


def minors(parts):
    return [part.amount_minor for part in parts]


def test_ties_go_to_the_party_listed_first():
    assert minors(allocate(Money(100, "CNY"), [1, 1, 1])) == [34, 33, 33]
    assert minors(allocate(Money(-100, "CNY"), [1, 1, 1])) == [-34, -33, -33]
    assert minors(allocate(Money(101, "CNY"), [1, 1, 1])) == [34, 34, 33]


def test_the_largest_fraction_wins_over_the_order():
    assert minors(allocate(Money(10, "CNY"), [10, 15, 75])) == [1, 2, 7]
    assert minors(allocate(Money(10, "CNY"), [14, 17, 69])) == [1, 2, 7]


@given(st.integers(-(10**12), 10**12), WEIGHTS)
def test_sum_is_kept_within_one_unit_and_mirrored(total, weights):
    parts = minors(allocate(Money(total, "CNY"), weights))
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        exact = Fraction(total * weight, sum(weights))
        assert abs(part - exact) < 1
        assert part * total >= 0
    assert minors(allocate(Money(-total, "CNY"), weights)) == [-part for part in parts]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8), st.integers(1, 1000))
def test_largest_remainder_is_floor_or_one_more(numerators, denominator):
    numerators.append(-sum(numerators) % denominator)
    parts = largest_remainder(numerators, denominator)
    assert sum(parts) * denominator == sum(numerators)
    assert all(
        part - numerator // denominator in (0, 1) for part, numerator in zip(parts, numerators, strict=True)
    )


def test_shares_that_are_no_whole_sum_are_refused():
    with pytest.raises(AllocationError):
        largest_remainder([1, 1], 3)


@given(st.data(), st.integers(1, 6))
def test_carry_keeps_the_cumulative_error_below_one_unit(data, parties):
    carry = Carry.none(parties)
    given_so_far = [0] * parties
    exact_so_far = [Fraction(0)] * parties
    row = st.lists(st.integers(0, 50), min_size=parties, max_size=parties).filter(any)
    for total, weights in data.draw(st.lists(st.tuples(st.integers(-500, 5000), row), max_size=30)):
        parts, carry = allocate_carrying(Money(total, "CNY"), weights, carry)
        assert sum(minors(parts)) == total
        for index, part in enumerate(parts):
            given_so_far[index] += part.amount_minor
            exact_so_far[index] += Fraction(total * weights[index], sum(weights))
            assert abs(exact_so_far[index] - given_so_far[index]) < 1
            assert exact_so_far[index] - given_so_far[index] == Fraction(
                carry.numerators[index], carry.denominator
            )


def test_without_carry_the_same_party_would_win_every_time():
    weights, carry = [1, 1, 1], Carry.none(3)
    plain, carried = [0, 0, 0], [0, 0, 0]
    for _ in range(999):
        parts, carry = allocate_carrying(Money(100, "CNY"), weights, carry)
        for index in range(3):
            plain[index] += allocate(Money(100, "CNY"), weights)[index].amount_minor
            carried[index] += parts[index].amount_minor
    assert plain == [33966, 32967, 32967]
    assert carried == [33300, 33300, 33300]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1, True], [1.0, 2]])
def test_weights_that_cannot_carry_a_total(weights):
    with pytest.raises(AllocationError):
        allocate(Money(5, "CNY"), weights)


@pytest.mark.parametrize(
    ("numerators", "denominator"), [((1, 1), 3), ((3, -3), 3), ((1, -1), 0), ((1.0, -1.0), 3)]
)
def test_a_carry_is_checked(numerators, denominator):
    with pytest.raises(AllocationError):
        Carry(numerators, denominator)


def test_a_carry_of_another_group_is_refused():
    with pytest.raises(AllocationError, match="3 parties, weights of 2"):
        allocate_carrying(Money(5, "CNY"), [1, 1], Carry.none(3))
