"""By what people are recognised, in one normal form whatever way it was typed.

Phones become E.164 (`+8613800138000`, `+862885551234`), an extension as in RFC 3966 (`;ext=801`). Chinese
numbers are read by the numbering plan: mobiles 1[3-9] and nine digits; area codes 10 and 2x with eight
digits, three-digit area codes with seven or eight; service numbers 400 and 800 with seven.
"""

from __future__ import annotations

import re
import unicodedata

from app.customers.models import IdentityKind

_EXTENSION = re.compile(r"(?:转|分机|;ext=|ext\.?|x|#|(?<=\d{7})-)(\d{1,6})$", re.IGNORECASE)
_FILLING = re.compile(r"[\s().\-‐‑–—−]")
_CHINESE = re.compile(r"1[3-9]\d{9}|(?:10|2\d)\d{8}|[3-9]\d{2}\d{7,8}|[48]00\d{7}")
_DIALLED_WITHOUT_ZERO = re.compile(r"1[3-9]\d{9}|[48]00\d{7}")
_FOREIGN = re.compile(r"[1-9]\d{6,14}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
_CARD = re.compile(r"[A-Z0-9]{4,32}")


def normal_form(kind: IdentityKind, value: str) -> str | None:
    """The normal form of a phone, mail address or card number; None when it is not one."""
    text = unicodedata.normalize("NFKC", value).strip()
    match kind:
        case IdentityKind.PHONE:
            return _phone(text)
        case IdentityKind.EMAIL:
            folded = text.casefold()
            return folded if len(folded) <= 254 and _EMAIL.fullmatch(folded) else None
        case IdentityKind.CARD:
            card = _FILLING.sub("", text).upper()
            return card if _CARD.fullmatch(card) else None


def local_phone(phone: str) -> str:
    """A phone in normal form as people in China dial it; a foreign one stays international."""
    if not phone.startswith("+86"):
        return phone
    number = phone.removeprefix("+86")
    return number if _DIALLED_WITHOUT_ZERO.fullmatch(number.partition(";")[0]) else "0" + number


def _phone(text: str) -> str | None:
    whole = _number(text)
    extension = _EXTENSION.search(text)
    if whole is not None or extension is None:
        return whole
    number = _number(text[: extension.start()])
    return None if number is None else f"{number};ext={extension[1]}"


def _number(text: str) -> str | None:
    digits = _FILLING.sub("", text)
    international = digits.startswith(("+", "00"))
    if international:
        digits = digits.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()):
        return None
    if international and not digits.startswith("86"):
        return f"+{digits}" if _FOREIGN.fullmatch(digits) else None
    if international or (digits.startswith("86") and len(digits) == 13):
        number = digits.removeprefix("86").removeprefix("0")
    elif digits.startswith("0") or _DIALLED_WITHOUT_ZERO.fullmatch(digits):
        number = digits.removeprefix("0")
    else:
        return None  # without its zero an area code cannot be told from a local number
    return f"+86{number}" if _CHINESE.fullmatch(number) else None
