"""Whole minor units out of exact shares: largest remainder, and its carry-forward.

Largest remainder (Hamilton's method): every party gets the whole units of its exact share, and the units
left over go one by one to the largest fractions. The tie order is written down: of equal fractions the
party listed first wins, so the same input always gives the same cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm

from settlement.errors import AllocationError
from settlement.money import Money


def largest_remainder(numerators: Sequence[int], denominator: int) -> list[int]:
    """Round exact shares ``numerators[i] / denominator`` to integers that keep their sum.

    Args:
        numerators: exact shares over one common denominator; they may be negative.
        denominator: positive.

    Returns:
        Integers, each the floor of its share or one more, summing to the sum of the shares.

    Raises:
        AllocationError: the shares do not sum to a whole number.
    """
    parts = []
    remainders = []
    for numerator in numerators:
        part, remainder = divmod(numerator, denominator)
        parts.append(part)
        remainders.append(remainder)
    left_over, fraction = divmod(sum(remainders), denominator)
    if fraction:
        raise AllocationError("the exact shares do not sum to whole minor units")
    if left_over:
        # sorted() is stable: equal fractions stay in listed order, which is the written tie order.
        order = sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)
        for index in order[:left_over]:
            parts[index] += 1
    return parts


def allocate(total: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """Divide a total in proportion to integer weights, to the cent.

    A negative total is the mirror image of its positive, so that taking back equals giving.

    Args:
        total: what is divided.
        weights: not negative, at least one positive.

    Raises:
        AllocationError: the weights cannot carry the total.
    """
    weight_sum = _checked_sum(weights)
    sign = -1 if total.amount_minor < 0 else 1
    magnitude = abs(total.amount_minor)
    parts = largest_remainder([magnitude * weight for weight in weights], weight_sum)
    return tuple(Money(sign * part, total.currency) for part in parts)


@dataclass(frozen=True, slots=True)
class Carry:
    """What each party of a fixed group is still owed, in exact fractions of a minor unit.

    ``numerators[i] / denominator`` is the exact share so far less what was given so far: it lies strictly
    between -1 and 1, and the group's sum is zero.
    """

    numerators: tuple[int, ...]
    denominator: int

    def __post_init__(self) -> None:
        if type(self.denominator) is not int or self.denominator <= 0:
            raise AllocationError("the denominator of a carry is a positive integer")
        if any(type(n) is not int or abs(n) >= self.denominator for n in self.numerators):
            raise AllocationError("a carry is an integer part of less than one minor unit a party")
        if sum(self.numerators) != 0:
            raise AllocationError("the carries of a group sum to zero")

    @classmethod
    def none(cls, parties: int) -> Carry:
        """Nothing owed yet among so many parties."""
        return cls((0,) * parties, 1)


def allocate_carrying(total: Money, weights: Sequence[int], carry: Carry) -> tuple[tuple[Money, ...], Carry]:
    """Divide a total, paying off the fractions that earlier roundings left.

    Over any run of totals each party's cumulative error stays below one minor unit, whatever the weights of
    each turn. A party whose exact share is below one minor unit may be asked for one unit back; a contract
    where that matters allocates without carry. The denominator stays the least common multiple of the weight
    sums seen (10,000 for shares in basis points).

    Returns:
        The parts, and the carry to store for the next total.

    Raises:
        AllocationError: the weights cannot carry the total, or the carry is another group's.
    """
    weight_sum = _checked_sum(weights)
    if len(weights) != len(carry.numerators):
        raise AllocationError(f"a carry of {len(carry.numerators)} parties, weights of {len(weights)}")
    denominator = lcm(weight_sum, carry.denominator)
    share_scale = denominator // weight_sum
    carry_scale = denominator // carry.denominator
    exact = [
        total.amount_minor * weight * share_scale + owed * carry_scale
        for weight, owed in zip(weights, carry.numerators, strict=True)
    ]
    parts = largest_remainder(exact, denominator)
    owed_now = [share - part * denominator for share, part in zip(exact, parts, strict=True)]
    divisor = gcd(denominator, *owed_now)
    next_carry = Carry(tuple(owed // divisor for owed in owed_now), denominator // divisor)
    return tuple(Money(part, total.currency) for part in parts), next_carry


def _checked_sum(weights: Sequence[int]) -> int:
    if any(type(weight) is not int or weight < 0 for weight in weights):
        raise AllocationError("weights are integers and not negative")
    weight_sum = sum(weights)
    if weight_sum <= 0:
        raise AllocationError("at least one weight is positive")
    return weight_sum
