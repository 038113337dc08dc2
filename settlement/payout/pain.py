"""A payout batch as the file a bank takes: ISO 20022 pain.001.001.09, customer credit transfer initiation.

Accounts outside the IBAN world (`Othr`), banks by their member id of China's clearing (CNAPS), names and
texts in any script, one debit account, one execution date. Each payment carries an end-to-end id that comes
back on the bank's statement and finds its item there.

Source: ISO 20022, Payments Initiation, message definition report, 2019 version.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree as ET

from settlement.errors import PayoutError
from settlement.money import Money, total_of
from settlement.payout.batch import BatchState, Beneficiary, PayoutBatch, PayoutItem

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CLEARING = "CNAPS"
_ID_LENGTH_MAX, _NAME_LENGTH_MAX, _ACCOUNT_LENGTH_MAX = 35, 140, 34


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays: the account, and the name that beneficiaries see."""

    account: Beneficiary
    initiator: str


def end_to_end_id(batch_id: str, party_id: int) -> str:
    """What a payment is called on its way to the beneficiary and back on the statement.

    Raises:
        PayoutError: it would be longer than 35 characters.
    """
    text = f"{batch_id}-{party_id}"
    if len(text) > _ID_LENGTH_MAX:
        raise PayoutError(f"{text} is longer than the {_ID_LENGTH_MAX} characters of an end-to-end id")
    return text


def payout_pain001(batch: PayoutBatch, debtor: Debtor, *, execute_on: date, created_at: datetime) -> bytes:
    """The batch as pain.001.001.09, items by party id: the same arguments give the same bytes.

    Args:
        created_at: when the file is made, with an offset.

    Raises:
        PayoutError: the batch is not approved, or an account or a name cannot be written; the message names
            the party.
    """
    if batch.state not in (BatchState.APPROVED, BatchState.EXPORTED, BatchState.SETTLED):
        raise PayoutError(f"batch {batch.batch_id} is {batch.state}: only what is approved leaves the house")
    if created_at.tzinfo is None:
        raise PayoutError("created_at has no offset")
    items = sorted(batch.items, key=lambda item: item.party_id)
    total = total_of((item.amount for item in items), batch.currency)
    document = ET.Element("Document", xmlns=NAMESPACE)
    initiation = ET.SubElement(document, "CstmrCdtTrfInitn")
    header = ET.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", _id(batch.batch_id))
    _text(header, "CreDtTm", created_at.isoformat(timespec="seconds"))
    _sums(header, len(items), total)
    _text(header, "InitgPty/Nm", _name(debtor.initiator, "the initiator"))
    payment = ET.SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", _id(batch.batch_id))
    _text(payment, "PmtMtd", "TRF")
    _sums(payment, len(items), total)
    _text(payment, "ReqdExctnDt/Dt", execute_on.isoformat())
    _party(payment, "Dbtr", debtor.account, batch.currency, "the debtor")
    _agent(payment, "DbtrAgt", debtor.account, "the debtor")
    for item in items:
        payment.append(_transfer(batch, item))
    ET.indent(document, space=" ")
    content: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return content + b"\n"


def _transfer(batch: PayoutBatch, item: PayoutItem) -> ET.Element:
    who = f"party {item.party_id}"
    if item.beneficiary is None:
        raise PayoutError(f"{who}: no account to pay to")
    transfer = ET.Element("CdtTrfTxInf")
    reference = end_to_end_id(batch.batch_id, item.party_id)
    _text(transfer, "PmtId/EndToEndId", reference)
    amount = _text(transfer, "Amt/InstdAmt", item.amount.decimal_text())
    amount.set("Ccy", item.amount.currency)
    _agent(transfer, "CdtrAgt", item.beneficiary, who)
    _party(transfer, "Cdtr", item.beneficiary, item.amount.currency, who)
    _text(transfer, "RmtInf/Ustrd", reference)
    return transfer


def _sums(element: ET.Element, count: int, total: Money) -> None:
    _text(element, "NbOfTxs", str(count))
    _text(element, "CtrlSum", total.decimal_text())


def _party(element: ET.Element, tag: str, account: Beneficiary, currency: str, who: str) -> None:
    """Name and account; the agent of a debtor stands behind them, that of a creditor before."""
    _text(element, f"{tag}/Nm", _name(account.name, who))
    number = account.account_number.replace(" ", "")
    if not 0 < len(number) <= _ACCOUNT_LENGTH_MAX:
        raise PayoutError(f"{who}: {account.account_number!r} is no account number")
    holder = ET.SubElement(element, f"{tag}Acct")
    _text(holder, "Id/Othr/Id", number)
    _text(holder, "Ccy", currency)


def _agent(element: ET.Element, tag: str, account: Beneficiary, who: str) -> None:
    code = account.bank_code.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == 12):
        raise PayoutError(f"{who}: {account.bank_code!r} is no CNAPS code of 12 digits")
    agent = ET.SubElement(element, tag)
    member = ET.SubElement(ET.SubElement(agent, "FinInstnId"), "ClrSysMmbId")
    _text(member, "ClrSysId/Cd", _CLEARING)
    _text(member, "MmbId", code)


def _text(element: ET.Element, path: str, text: str) -> ET.Element:
    """A new descendant along a path, with a text that XML can carry."""
    for tag in path.split("/"):
        element = ET.SubElement(element, tag)
    element.text = text
    return element


def _id(text: str) -> str:
    if not 0 < len(text) <= _ID_LENGTH_MAX:
        raise PayoutError(f"{text!r} is no id of at most {_ID_LENGTH_MAX} characters")
    return text


def _name(text: str, who: str) -> str:
    """A name without what XML cannot carry; banks cut it at 140 characters, so it is cut here."""
    clean = " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())
    if not clean:
        raise PayoutError(f"{who}: no name to pay to")
    return clean[:_NAME_LENGTH_MAX]
