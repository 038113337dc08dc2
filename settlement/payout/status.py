"""What a bank reports of a payout batch, item by item: ISO 20022 pain.002, customer payment status report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from lxml import etree

from settlement import iso20022 as iso
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
    reports = []
    for event, name, element in iso.stream(file, "Document", "TxInfAndSts"):
        if name == "Document" and event == "start":
            namespace = iso.namespace_of(element)
            if ":pain.002.001." not in namespace:
                raise StatementError(f"no payment status report (pain.002): {namespace!r}")
        elif name == "TxInfAndSts" and event == "end":
            reports.append(_report(element))
            iso.forget(element)
    if not reports:
        raise StatementError("the report names no payment (TxInfAndSts)")
    return reports


def _report(element: etree._Element) -> ItemReport:
    reference, status = iso.needed(element, "OrgnlEndToEndId"), iso.needed(element, "TxSts")
    reasons = []
    for given in iso.children(element, "StsRsnInf"):
        reasons += [iso.text(iso.at(given, "Rsn", "Cd")), iso.text(iso.at(given, "Rsn", "Prtry"))]
        reasons += [iso.text(one) for one in iso.children(given, "AddtlInf")]
    event = ItemEvent.PAY if status in _PAID else ItemEvent.BOUNCE if status in _REFUSED else None
    return ItemReport(reference, event, " ".join(reason for reason in reasons if reason))
