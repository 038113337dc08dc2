"""Check digits of other carriers' numbers, by the names that the data of the formats give them.

Each function takes the characters before the check digit, in capitals, and returns what the check digit must
be. Sources: UPU S10-12 (in `tracking.numbers`); ISO/IEC 7064:2003 MOD 37,36; ISO/IEC 7812-1 annex B (Luhn);
GS1 General Specifications section 7.9 for the weights 3 and 1; for the rest the data itself, whose valid and
invalid numbers the tests hold against this.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracking.errors import NumberError
from tracking.numbers import iso7064_check_character

ALPHABET_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def weighted_mod10(text: str, *, even_weight: int, odd_weight: int, from_the_right: bool = False) -> str:
    """Return what brings the weighted sum of the characters to a multiple of ten.

    Args:
        text: digits and letters; a letter counts as UPS has it: A is 2, B is 3, ... H is 9, I is 0 ...
        even_weight: of the first, third ... character.
        odd_weight: of those between.
        from_the_right: whether the last character is the first that is counted.
    """
    ordered = text[::-1] if from_the_right else text
    weights = (even_weight, odd_weight)
    total = sum(weights[place % 2] * _ups_value(one) for place, one in enumerate(ordered))
    return str(-total % 10)


def weighted_mod11_mod10(text: str, weights: Sequence[int], *, first: int, second: int) -> str:
    """Return the weighted sum of digits modulo `first`, and that modulo `second` (FedEx: 11 and 10).

    Raises:
        NumberError: there is not one weight a digit.
    """
    if len(text) != len(weights):
        raise NumberError(f"expected {len(weights)} digits, not {len(text)}")
    total = sum(weight * int(digit) for weight, digit in zip(weights, text, strict=True))
    return str(total % first % second)


def remainder(text: str, modulus: int) -> str:
    """Return the number itself modulo `modulus` (air waybills of DHL: 7)."""
    return str(int(text) % modulus)


def luhn(text: str) -> str:
    """Return the Luhn check digit: every second digit from the right is doubled, and its digits are added."""
    total = 0
    for place, digit in enumerate(reversed(text)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def mod_37_36(text: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character over digits and capitals."""
    return iso7064_check_character(text, ALPHABET_36)


def _ups_value(character: str) -> int:
    return int(character) if character.isdigit() else (ord(character) - 3) % 10
