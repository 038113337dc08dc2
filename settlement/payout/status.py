"""What a bank reports of a payout batch, item by item: ISO 20022 pain.002, customer payment status report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from lxml import etree

from settlement.errors import StatementError
from settlement.payout.batch import ItemEvent

_PAID = frozenset({"ACSC", "ACCC"})
_REFUSED = frozenset({"RJCT", "CANC"})


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One payment: what happened to it, and why where the bank says so; no event while it is on its way."""

    end_to_end_id: str
    event: ItemEvent | None
    reason: str = ""


def read_pain002(file: IO[bytes]) -> list[ItemReport]:
    """Read the items of a status report; a status of the whole batch alone is no report of its items.

    Raises:
        StatementError: it is no pain.002, or names no payment.
    """
    reports: list[ItemReport] = []
    events = etree.iterparse(
        file, events=("start", "end"), tag=("{*}Document", "{*}TxInfAndSts"), resolve_entities=False,
        no_network=True, remove_comments=True, huge_tree=True,
    )  # fmt: skip
    try:
        for event, element in events:
            name = etree.QName(element)
            if name.localname == "Document" and event == "start":
                if ":pain.002.001." not in (name.namespace or ""):
                    raise StatementError(f"no payment status report (pain.002): {name.namespace!r}")
            elif name.localname == "TxInfAndSts" and event == "end":
                reports.append(_report(element))
                element.clear()
    except etree.XMLSyntaxError as error:
        raise StatementError(f"no well-formed XML: {error.msg}") from error
    if not reports:
        raise StatementError("the report names no payment (TxInfAndSts)")
    return reports


def _report(element: etree._Element) -> ItemReport:
    reference = next(_texts(element, "OrgnlEndToEndId"), "")
    status = next(_texts(element, "TxSts"), "")
    if not reference or not status:
        raise StatementError(f"line {element.sourceline}: a payment has OrgnlEndToEndId and TxSts")
    reason = [*_texts(element, "Rsn/{*}Cd"), *_texts(element, "Rsn/{*}Prtry"), *_texts(element, "AddtlInf")]
    event = ItemEvent.PAY if status in _PAID else ItemEvent.BOUNCE if status in _REFUSED else None
    return ItemReport(reference, event, " ".join(reason))


def _texts(element: etree._Element, path: str) -> Iterator[str]:
    for one in element.findall(f".//{{*}}{path}"):
        if one.text and one.text.strip():
            yield one.text.strip()
