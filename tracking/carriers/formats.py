"""What other carriers' numbers look like, read from the data beside this module (see `data/ORIGIN.md`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import msgspec

from tracking.carriers import checks
from tracking.errors import NumberError
from tracking.numbers import s10_check_digit

_DATA = Path(__file__).with_name("data")
_FILES = (
    "ups",
    "fedex",
    "dhl",
    "usps",
    "s10",
    "dpd",
    "canadapost",
    "purolator",
    "ontrac",
    "yunexpress",
)


class _Checksum(msgspec.Struct, frozen=True):
    name: str
    modulo: int = 0
    modulo1: int = 0
    modulo2: int = 0
    weightings: tuple[int, ...] = ()
    evens_multiplier: int = 1
    odds_multiplier: int = 1
    reverse: bool = False


class _Prepend(msgspec.Struct, frozen=True):
    matches_regex: str
    content: str


class _SerialFormat(msgspec.Struct, frozen=True):
    prepend_if: _Prepend


class _MustExist(msgspec.Struct, frozen=True):
    exists: tuple[str, ...]


class _Validation(msgspec.Struct, frozen=True):
    checksum: _Checksum | None = None
    serial_number_format: _SerialFormat | None = None
    additional: _MustExist | None = None


class _Meaning(msgspec.Struct, frozen=True):
    matches: str | None = None
    courier: str | None = None


class _Part(msgspec.Struct, frozen=True):
    name: str
    regex_group_name: str
    lookup: tuple[_Meaning, ...]


class _TestNumbers(msgspec.Struct, frozen=True):
    valid: tuple[str, ...]
    invalid: tuple[str, ...]


class _Entry(msgspec.Struct, frozen=True):
    name: str
    regex: str | tuple[str, ...]
    validation: _Validation
    test_numbers: _TestNumbers
    id: str | None = None
    tracking_url: str | None = None
    additional: tuple[_Part, ...] = ()


class _Carrier(msgspec.Struct, frozen=True):
    name: str
    courier_code: str
    tracking_numbers: tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of number of one carrier.

    Attributes:
        key: its name among all formats, such as `fedex_ground`.
        carrier: the code of the carrier; `s10` for all postal operators.
        carrier_name: how the carrier calls itself.
        pattern: matches a whole number, normalised.
        check_digit: what the check digit of a serial number must be; None where the format has none.
        prepended: what is put before a serial number for the check digit, by the pattern that demands it.
        operators: of a format that many share, who gives numbers out, by the code in the number.
        tracking_url: the carrier's own page, with `%s` for the number; None where there is none.
        valid: numbers that the data says are good ones.
        invalid: numbers that the data says are none of this format.
    """

    key: str
    carrier: str
    carrier_name: str
    pattern: re.Pattern[str]
    check_digit: Callable[[str], str] | None
    prepended: tuple[re.Pattern[str], str] | None
    operators: Mapping[str, str] | None
    tracking_url: str | None
    valid: tuple[str, ...]
    invalid: tuple[str, ...]


@cache
def formats() -> tuple[Format, ...]:
    """Every format, in a fixed order; read once."""
    found: list[Format] = []
    for name in _FILES:
        carrier = msgspec.json.decode((_DATA / f"{name}.json").read_bytes(), type=_Carrier)
        found += [_format(carrier, entry) for entry in carrier.tracking_numbers]
    return tuple(found)


@cache
def carriers() -> Mapping[str, str]:
    """Every carrier's name by its code."""
    return MappingProxyType({one.carrier: one.carrier_name for one in formats()})


def _format(carrier: _Carrier, entry: _Entry) -> Format:
    raw = entry.regex if isinstance(entry.regex, str) else "".join(entry.regex)
    prefix = entry.validation.serial_number_format
    return Format(
        key=entry.id or re.sub(r"\W+", "_", entry.name.lower()),
        carrier=carrier.courier_code,
        carrier_name=carrier.name,
        pattern=re.compile(raw.replace("(?<", "(?P<").replace("(?P<=", "(?<=").replace("(?P<!", "(?<!")),
        check_digit=None if entry.validation.checksum is None else _check(entry.validation.checksum),
        prepended=None
        if prefix is None
        else (re.compile(prefix.prepend_if.matches_regex), prefix.prepend_if.content),
        operators=_operators(entry),
        tracking_url=entry.tracking_url,
        valid=entry.test_numbers.valid,
        invalid=entry.test_numbers.invalid,
    )


def _operators(entry: _Entry) -> Mapping[str, str] | None:
    wanted = entry.validation.additional
    if wanted is None:
        return None
    if wanted.exists != ("Courier",):
        raise NumberError(f"{entry.name}: nobody knows what {wanted.exists} must be")
    (part,) = (part for part in entry.additional if part.name == "Courier")
    return MappingProxyType({one.matches: one.courier for one in part.lookup if one.matches and one.courier})


def _check(given: _Checksum) -> Callable[[str], str]:
    if given.name == "mod10":
        return lambda text: checks.weighted_mod10(
            text,
            even_weight=given.evens_multiplier,
            odd_weight=given.odds_multiplier,
            from_the_right=given.reverse,
        )
    if given.name == "sum_product_with_weightings_and_modulo":
        return lambda text: checks.weighted_mod11_mod10(
            text, given.weightings, first=given.modulo1, second=given.modulo2
        )
    known: dict[str, Callable[[str], str]] = {
        "s10": lambda text: str(s10_check_digit(text)),
        "mod7": lambda text: checks.remainder(text, given.modulo),
        "luhn": checks.luhn,
        "mod_37_36": checks.mod_37_36,
    }
    if given.name not in known:
        raise NumberError(f"nobody knows how to check by {given.name}")
    return known[given.name]
