"""What a JSON value may look like in EPCIS: small checks of which those of the events are made."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DEPTH_MAX = 40
NUMBER_MAX = 10**18
"""Numbers beyond it are refused: they would not come back from the store as they went in."""
ID_LENGTH_MAX = 600

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"\\]+")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,12})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_CBV_URI = re.compile(r"urn:epcglobal:cbv|https?://ns\.gs1\.org/cbv/")
_YEAR_MIN, _YEAR_MAX = 1900, 2199


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: a JSON pointer from the event's root."""

    pointer: str
    detail: str


Faults = Iterator[Fault]
Check = Callable[[Any, str], Faults]


def moment_of(text: str) -> datetime:
    """Return the moment that an RFC 3339 time with an offset names, in UTC.

    Raises:
        ValueError: it is none, or is not of the years 1900 to 2199.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is no date and time with an offset")
    moment = datetime.fromisoformat(text)
    if not _YEAR_MIN <= moment.year <= _YEAR_MAX:
        raise ValueError(f"{text!r} is not of the years {_YEAR_MIN} to {_YEAR_MAX}")
    return moment.astimezone(UTC)


def is_uri(value: object) -> bool:
    """Tell whether a value is an absolute URI, or a name with a prefix that a context may declare."""
    return isinstance(value, str) and len(value) <= ID_LENGTH_MAX and bool(_URI.fullmatch(value))


def unstorable(event: object) -> Faults:
    """What no store could keep and give back; without recursion, since depth is one of the faults."""
    waiting: list[tuple[object, str, int]] = [(event, "", 0)]
    while waiting:
        value, at, depth = waiting.pop()
        if depth > DEPTH_MAX:
            yield Fault(at[:200], f"is nested deeper than {DEPTH_MAX} levels")
            return
        match value:
            case str() if "\0" in value:
                yield Fault(at, "holds a NUL character")
            case bool() | None | str():
                pass
            case int() | float() if not abs(value) <= NUMBER_MAX:
                yield Fault(at, f"is beyond {NUMBER_MAX:.0e}")
            case dict():
                if any("\0" in name for name in value):
                    yield Fault(at, "has a name that holds a NUL character")
                waiting += [(inner, f"{at}/{pointed(name)}", depth + 1) for name, inner in value.items()]
            case list():
                waiting += [(inner, f"{at}/{place}", depth + 1) for place, inner in enumerate(value)]


def pointed(name: str) -> str:
    """Return a name as a JSON pointer has it; a mark stands for what could not be stored."""
    return name.replace("~", "~0").replace("/", "~1").replace("\0", "\ufffd")


def time(value: object, at: str) -> Faults:
    """A date and time with an offset."""
    if not isinstance(value, str):
        yield Fault(at, "must be a date and time with an offset")
        return
    try:
        moment_of(value)
    except (ValueError, OverflowError) as error:
        yield Fault(at, str(error))


def pattern(allowed: re.Pattern[str], what: str) -> Check:
    """A text of one pattern."""

    def check(value: object, at: str) -> Faults:
        if not isinstance(value, str) or not allowed.fullmatch(value):
            yield Fault(at, f"must be {what}")

    return check


def uri(value: object, at: str) -> Faults:
    """A URI, or a name with a prefix."""
    if not is_uri(value):
        yield Fault(at, f"must be a URI of at most {ID_LENGTH_MAX} characters")


def word(words: frozenset[str], what: str, *, open_to_others: bool = True) -> Check:
    """A bare word of the standard, or where it allows that, a URI of another vocabulary."""

    def check(value: object, at: str) -> Faults:
        if isinstance(value, str) and value in words:
            return
        if not open_to_others or not is_uri(value):
            yield Fault(at, f"is no {what}")
        elif _CBV_URI.match(str(value)):
            yield Fault(at, f"a {what} of the CBV is written as the bare word")

    return check


def list_of(check: Check, *, least: int = 0, unique: bool = False) -> Check:
    """An array of what one check admits."""

    def check_all(value: object, at: str) -> Faults:
        if not isinstance(value, list):
            yield Fault(at, "must be an array")
            return
        if len(value) < least:
            yield Fault(at, f"needs at least {least}")
        for place, inner in enumerate(value):
            yield from check(inner, f"{at}/{place}")
        if unique and all(isinstance(inner, str) for inner in value) and len(set(value)) < len(value):
            yield Fault(at, "names one twice")

    return check_all


def object_of(
    fields: Mapping[str, Check], required: tuple[str, ...], *, closed: bool = False, prefixed: bool = True
) -> Check:
    """An object with known fields; `closed` to all others, `prefixed` where others need a colon."""

    def check(value: object, at: str) -> Faults:
        if not isinstance(value, dict):
            yield Fault(at, "must be an object")
            return
        for name in required:
            if name not in value:
                yield Fault(f"{at}/{name}", "is required")
        for name, inner in value.items():
            if name in fields:
                yield from fields[name](inner, f"{at}/{pointed(name)}")
            elif closed or (prefixed and ":" not in name):
                yield Fault(f"{at}/{pointed(name)}", "is not known here")

    return check


def number(value: object, at: str) -> Faults:
    """A number; `true` is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Fault(at, "must be a number")
