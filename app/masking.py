"""How much of a person is shown: names, phones and addresses as on a label, for pages and messages alike."""

from __future__ import annotations

import re

MASK = "*"


def mask_phone(phone: str) -> str:
    """A phone number with at least six digits hidden: `138******34`.

    China's standard for express waybills asks for six. Of a mobile number the last two stay and not the last
    four, because those open the details on the public tracking page.
    """
    digits = re.sub(r"\D", "", phone)
    country = ""
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) == len(prefix) + 11:
            country, digits = "+86 ", digits[len(prefix) :]
    shown = max(0, len(digits) - 6)
    last = min(2, shown)
    first = min(3, shown - last)
    hidden = len(digits) - first - last
    return country + digits[:first] + MASK * hidden + (digits[-last:] if last else "")


def mask_name(name: str) -> str:
    """All but the first letter of each word of a name hidden: `张**`, `J*** D**`; a lone letter is hidden."""
    return " ".join(word[0] + MASK * (len(word) - 1) if len(word) > 1 else MASK for word in name.split())


# What names a unit, a floor or a room. Each leaves its own word standing and loses what identifies the home.
_UNIT_WORDS = r"单元|号房|室|房|户|层|楼(?!道|梯)"
_CHINESE_UNIT = re.compile(rf"[0-9A-Za-z一二三四五六七八九十百零〇\-]+(?=\s*(?:{_UNIT_WORDS}))")
_ENGLISH_UNIT = re.compile(
    r"\b(unit|room|rm|apt|apartment|flat|suite|floor|fl)(\.?\s*(?:no\.?\s*)?#?)([0-9]+[0-9A-Za-z\-]*|[A-Za-z]\b)",
    re.IGNORECASE,
)
_HASHED = re.compile(r"#\s*[0-9A-Za-z\-]+")
_DASHED = re.compile(r"(?<![0-9])[0-9A-Za-z]+(?:\s*[-－—]\s*[0-9A-Za-z]+)+(?!\s*号)")
_TRAILING = re.compile(r"(?<=[^\s0-9])\s*[0-9]{3,}[A-Za-z]?\s*$")


def mask_address(address: str) -> str:
    """An address without its unit and room: `世纪大道100号3栋**单元**室`, `12 Harbour Road, Flat **`.

    The run of stars says nothing about the length of what is hidden.
    """
    hidden = MASK * 2
    masked = _CHINESE_UNIT.sub(hidden, address)
    masked = _ENGLISH_UNIT.sub(lambda found: found[1] + found[2] + hidden, masked)
    masked = _HASHED.sub(f"#{hidden}", masked)
    masked = _DASHED.sub(hidden, masked)
    return _TRAILING.sub(hidden, masked)
