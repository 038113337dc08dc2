"""Statements as banks sent them: read to the cent, or refused with the reason."""

from __future__ import annotations

import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.errors import StatementError
from settlement.statements import Statement, read_camt053, read_mt

ROOT = Path(__file__).parents[2]
BANK = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "bank"
# What is no statement, or none that can be relied upon, and what is said of it.
REFUSED = {
    "genkgo_camt052.v8.xml": "camt.052",
    "genkgo_camt054.v8.xml": "camt.054",
    "genkgo_camt053.v2.wrong.xml": "no statement",
    "pain001pkg_camt053_sample.xml": "no group header",
    "self-provided_sparkassen.sta": "begins with its reference",
}
FILES = sorted((BANK / "camt053").glob("*.xml")) + sorted((BANK / "mt940").glob("*.sta"))

pytestmark = pytest.mark.skipif(not FILES, reason=f"no bank statements at {BANK}; set WHEELHOUSE_DATA")


def read(path: Path) -> list[Statement]:
    if path.suffix == ".sta":
        return read_mt(path.read_text(errors="replace"))
    with path.open("rb") as file:
        return read_camt053(file)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_read_or_refused(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(StatementError, match=REFUSED[path.name]):
            read(path)
        return
    statements = read(path)
    sums: dict[str, Decimal] = {}
    for statement in statements:
        for currency, minor in statement.totals().items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(minor) / 100
    assert sums == totals_of_the_text(path.read_text(errors="replace"), path.suffix)


def totals_of_the_text(text: str, suffix: str) -> dict[str, Decimal]:
    """The sums by pattern alone, without the reader."""
    sums: dict[str, Decimal] = {}
    if suffix == ".xml":
        found = re.findall(
            r"<Ntry>\s*(?:<NtryRef>[^<]*</NtryRef>\s*)?<Amt Ccy=\"(\w+)\">([\d.]+)</Amt>\s*<CdtDbtInd>(\w+)",
            text,
        )
        pairs = [
            (currency, Decimal(amount) * (1 if way == "CRDT" else -1)) for currency, amount, way in found
        ]
    else:
        currency = re.findall(r":(?:60[FM]:[CD]\d{6}|34F:)(\w{3})", text)[0]
        found = re.findall(r"^:61:\d{6}(?:\d{4})?(R?[CD])[A-Z]?([\d]+,\d*)", text, re.MULTILINE)
        pairs = [
            (currency, Decimal(amount.replace(",", ".") + "0") * (1 if mark in ("C", "RD") else -1))
            for mark, amount in found
        ]
    for currency, amount in pairs:
        sums[currency] = sums.get(currency, Decimal(0)) + amount
    return sums
