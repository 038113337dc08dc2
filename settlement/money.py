"""Integer minor units with an ISO 4217 currency, and exact ratios.

No floating point: text is parsed digit by digit, a ratio is two integers, and every multiplication that
can leave a fraction names its rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import gcd

from iso4217 import Currency

from settlement.errors import CurrencyMismatchError, MoneyError

AMOUNT_LIMIT_MINOR = 2**63 - 1
"""Largest amount either way: what a signed 64-bit column holds."""

# Funds codes, metals and test codes (XAU, XTS, ...) have no minor unit and are no money to settle in.
_EXPONENTS: dict[str, int] = {str(c.code): c.exponent for c in Currency if c.exponent is not None}

_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


class Rounding(StrEnum):
    """Where an amount between two minor units goes."""

    DOWN = "down"
    """Towards zero."""
    UP = "up"
    """Away from zero."""
    HALF_UP = "half_up"
    """To the nearest; a half goes away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; a half goes to the even neighbour."""


def currency_exponent(currency: str) -> int:
    """Digits after the decimal point of a currency by ISO 4217.

    Raises:
        MoneyError: the code is unknown or has no minor unit.
    """
    try:
        return _EXPONENTS[currency]
    except (KeyError, TypeError):
        raise MoneyError(f"{currency!r} is no ISO 4217 currency with a minor unit") from None


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Divide two integers, the denominator positive, rounding symmetrically about zero."""
    quotient, remainder = divmod(abs(numerator), denominator)
    twice = 2 * remainder
    if (
        (rounding is Rounding.UP and remainder)
        or (rounding is Rounding.HALF_UP and twice >= denominator)
        or (
            rounding is Rounding.HALF_EVEN
            and (twice > denominator or (twice == denominator and quotient % 2 == 1))
        )
    ):
        quotient += 1
    return -quotient if numerator < 0 else quotient


@dataclass(frozen=True, slots=True)
class Ratio:
    """An exact ratio in lowest terms, such as a percentage or a part of a cent.

    Raises:
        MoneyError: a part is no integer, or the denominator is not positive.
    """

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        numerator, denominator = self.numerator, self.denominator
        if type(numerator) is not int or type(denominator) is not int:
            raise MoneyError(f"a ratio is two integers, not {numerator!r} and {denominator!r}")
        if denominator <= 0:
            raise MoneyError(f"the denominator of a ratio is positive, not {denominator}")
        divisor = gcd(numerator, denominator)
        if divisor != 1:
            object.__setattr__(self, "numerator", numerator // divisor)
            object.__setattr__(self, "denominator", denominator // divisor)

    @classmethod
    def basis_points(cls, points: int) -> Ratio:
        """One basis point is a hundredth of a percent."""
        return cls(points, 10_000)

    @classmethod
    def parse(cls, text: str) -> Ratio:
        """Read ``"12.5%"`` or ``"1/3"``; anything else is refused.

        Raises:
            MoneyError: the text is neither a percentage nor a fraction.
        """
        if match := re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]+))?%", text):
            sign, whole, decimals = match[1], match[2], match[3] or ""
            return cls(int(f"{sign}{whole}{decimals}"), 100 * 10 ** len(decimals))
        if match := re.fullmatch(r"(-?[0-9]+)/([0-9]+)", text):
            return cls(int(match[1]), int(match[2]))
        raise MoneyError(f"{text!r} is neither a percentage like '12.5%' nor a fraction like '1/3'")

    def text(self) -> str:
        """``"12.5%"`` where a percentage of at most six decimals is exact, else ``"1/3"``."""
        scaled, rest = divmod(abs(self.numerator) * 100 * 10**6, self.denominator)
        if rest:
            return f"{self.numerator}/{self.denominator}"
        whole, decimals = divmod(scaled, 10**6)
        tail = f".{decimals:06d}".rstrip("0") if decimals else ""
        return f"{'-' if self.numerator < 0 else ''}{whole}{tail}%"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (fen, cents) of one currency.

    Raises:
        MoneyError: the amount is no plain integer (bool and float are refused), is larger than a signed
            64-bit integer, or the currency has no minor unit in ISO 4217.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise MoneyError(f"an amount is an integer of minor units, not {self.amount_minor!r}")
        if not -AMOUNT_LIMIT_MINOR <= self.amount_minor <= AMOUNT_LIMIT_MINOR:
            raise MoneyError(f"{self.amount_minor} minor units are more than can be kept")
        if self.currency not in _EXPONENTS:
            currency_exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal such as ``"12.34"``: a point, no grouping, no more digits than the currency has.

        Raises:
            MoneyError: the text is no such decimal.
        """
        exponent = currency_exponent(currency)
        match = _DECIMAL.fullmatch(text)
        if match is None:
            raise MoneyError(f"{text!r} is no decimal amount")
        sign, whole, decimals = match[1], match[2], match[3] or ""
        if len(decimals) > exponent:
            raise MoneyError(f"{text!r} has more decimals than the {exponent} of {currency}")
        return cls(int(f"{sign}{whole}{decimals.ljust(exponent, '0')}"), currency)

    def decimal_text(self) -> str:
        """The amount as a decimal with all digits of its currency, such as ``"-0.05"``."""
        exponent = _EXPONENTS[self.currency]
        digits = str(abs(self.amount_minor)).rjust(exponent + 1, "0")
        sign = "-" if self.amount_minor < 0 else ""
        if exponent == 0:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount_minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount_minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount_minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount_minor >= self._same(other)

    def times(self, ratio: Ratio, rounding: Rounding) -> Money:
        """Multiply by an exact ratio and round once."""
        product = self.amount_minor * ratio.numerator
        return Money(divide(product, ratio.denominator, rounding), self.currency)

    def _same(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise MoneyError(f"{other!r} is no amount of money")
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} do not add up")
        return other.amount_minor


def total_of(amounts: Iterable[Money], currency: str) -> Money:
    """Sum amounts of one currency; zero of that currency when there are none."""
    total = Money(0, currency)
    for amount in amounts:
        total += amount
    return total
