"""ISO 20022 camt.053, the bank's statement in XML: versions 001.02 to 001.13, read as a stream.

A statement of 200,000 entries is read entry by entry, so the memory that it takes is that of its lines. An
entry that collects several payments becomes as many lines where the payments say their amounts and sum to the
entry's; otherwise it is one line. Amounts are decimals with a point, more digits than the currency has being
zeros; the sign is the indicator's (CRDT, DBIT).

Source: ISO 20022, Bank-to-Customer Cash Management, message definition report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import IO

from lxml import etree

from settlement import iso20022 as iso
from settlement.errors import MoneyError, StatementError
from settlement.money import Money, currency_exponent
from settlement.statements.values import Balance, BalanceKind, BankLine, Statement

_MESSAGE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:((?:camt|pain|pacs)\.\d{3})\.001\.(\d{2})")
_KINDS = {
    "OPBD": BalanceKind.OPENING,
    "PRCD": BalanceKind.PREVIOUS,
    "CLBD": BalanceKind.CLOSING,
    "ITBD": BalanceKind.INTERIM,
    "CLAV": BalanceKind.AVAILABLE,
}
_AMOUNT = re.compile(r"\+?([0-9]*)(?:\.([0-9]*))?")


def read_camt053(file: IO[bytes]) -> list[Statement]:
    """Read the statements of a camt.053 message.

    Args:
        file: open for reading bytes; entities are not resolved and nothing is fetched.

    Raises:
        StatementError: it is no camt.053, or lacks what a statement must say; the message names the line.
    """
    found: list[Statement] = []
    lines: list[BankLine] = []
    seen_document = has_header = False
    entries = 0
    for event, name, element in iso.stream(file, "Document", "GrpHdr", "Stmt", "Ntry"):
        if event == "start":
            if name == "Document":
                _check_message(element)
                seen_document = True
            elif name == "Stmt":
                if not has_header:
                    iso.refuse(element, "the message has no group header (GrpHdr) before it")
                lines, entries = [], 0
        elif name == "GrpHdr":
            iso.needed(element, "MsgId")
            has_header = True
        elif name == "Ntry":
            entries += 1
            lines += _lines_of(element, f"{len(found) + 1}/{entries}")
            iso.forget(element)
        elif name == "Stmt":
            found.append(_statement(element, tuple(lines)))
            iso.forget(element)
    if not seen_document:
        raise StatementError("no ISO 20022 message: the element Document is missing")
    if not found:
        raise StatementError("the message holds no statement (Stmt)")
    return found


def _check_message(document: etree._Element) -> None:
    namespace = iso.namespace_of(document)
    match = _MESSAGE.fullmatch(namespace)
    if match is None:
        raise StatementError(f"no ISO 20022 message: its namespace is {namespace!r}")
    if match[1] != "camt.053":
        raise StatementError(f"this is a {match[1]}.001.{match[2]}, not a statement (camt.053)")


def _statement(element: etree._Element, lines: tuple[BankLine, ...]) -> Statement:
    fields = iso.fields(element)
    statement_id = iso.needed(element, "Id")
    account = fields.get("Acct")
    if account is None:
        iso.refuse(element, "a statement names its account (Acct)")
    balances = tuple(_balance(one) for one in iso.children(element, "Bal"))
    if not balances:
        iso.refuse(element, "a statement names at least one balance (Bal)")
    return Statement(
        account=_account_number(account) or iso.refuse(account, "the account has no number (Id)"),
        statement_id=statement_id,
        number=iso.text(fields.get("ElctrncSeqNb")) or iso.text(fields.get("LglSeqNb")),
        lines=lines,
        balances=balances,
    )


def _balance(element: etree._Element) -> Balance:
    code = iso.text(iso.at(element, "Tp", "CdOrPrtry", "Cd"))
    on = iso.at(element, "Dt")
    return Balance(
        _KINDS.get(code, BalanceKind.OTHER), _signed(element), None if on is None else _date_of(on)
    )


def _lines_of(entry: etree._Element, place: str) -> Iterator[BankLine]:
    """An entry as the lines that it stands for."""
    fields = iso.fields(entry)
    amount = _signed(entry)
    booked, valued = fields.get("BookgDt"), fields.get("ValDt")
    if booked is None and valued is None:
        iso.refuse(entry, "an entry says when it was booked (BookgDt)")
    value_on = None if valued is None else _date_of(valued)
    booked_on = value_on if booked is None else _date_of(booked)
    assert booked_on is not None, "one of the two is there"
    status = fields.get("Sts")
    if status is None:
        iso.refuse(entry, "an entry has a status (Sts)")
    state = iso.text(status) or iso.text(iso.at(status, "Cd")) or iso.text(iso.at(status, "Prtry"))
    is_reversal = iso.text(fields.get("RvslInd")) in ("true", "1")
    code = _code_of(fields.get("BkTxCd"))
    entry_text = iso.text(fields.get("AddtlNtryInf"))
    bank_reference = iso.text(fields.get("AcctSvcrRef"))
    details = [one for group in iso.children(entry, "NtryDtls") for one in iso.children(group, "TxDtls")]
    batch = iso.text(iso.at(entry, "NtryDtls", "Btch", "PmtInfId"))
    amounts = _parts(details, amount)
    if amounts is None:
        details, amounts = details[:1], [amount]
    for number, part in enumerate(amounts):
        detail = details[number] if details else None
        about = _about(detail, incoming=part.amount_minor > 0)
        yield BankLine(
            place=place if len(amounts) == 1 else f"{place}.{number + 1}",
            amount=part,
            booked_on=booked_on,
            value_on=value_on,
            reference=about["reference"],
            bank_reference=about["bank_reference"] or bank_reference,
            batch_reference=about["batch_reference"] or batch,
            counterparty=about["counterparty"],
            counterparty_account=about["account"],
            text=about["text"] or entry_text,
            code=code,
            is_reversal=is_reversal,
            is_booked=state == "BOOK",
        )


def _parts(details: list[etree._Element], total: Money) -> list[Money] | None:
    """The signed amounts of an entry's payments; None where they do not explain the entry."""
    if len(details) < 2:
        return None
    parts = []
    for detail in details:
        element = iso.at(detail, "Amt")
        if element is None:
            element = iso.at(detail, "AmtDtls", "TxAmt", "Amt")
        if element is None or element.get("Ccy") != total.currency:
            return None
        indicator = iso.text(iso.at(detail, "CdtDbtInd"))
        sign = {"CRDT": 1, "DBIT": -1}.get(indicator, 1 if total.amount_minor >= 0 else -1)
        parts.append(Money(sign * _minor(element).amount_minor, total.currency))
    return parts if sum(part.amount_minor for part in parts) == total.amount_minor else None


def _about(detail: etree._Element | None, *, incoming: bool) -> dict[str, str]:
    """Whose a payment is and what for."""
    found = dict.fromkeys(
        ("reference", "bank_reference", "batch_reference", "counterparty", "account", "text"), ""
    )
    if detail is None:
        return found
    references = iso.at(detail, "Refs")
    if references is not None:
        fields = iso.fields(references)
        end_to_end = iso.text(fields.get("EndToEndId"))
        found["reference"] = "" if end_to_end == "NOTPROVIDED" else end_to_end
        found["bank_reference"] = iso.text(fields.get("AcctSvcrRef"))
        found["batch_reference"] = iso.text(fields.get("PmtInfId"))
    parties = iso.at(detail, "RltdPties")
    if parties is not None:
        # Who stands at the other end: the debtor of what comes in, the creditor of what goes out.
        other = "Dbtr" if incoming else "Cdtr"
        party = iso.at(parties, other)
        found["counterparty"] = iso.text(iso.at(party, "Nm")) or iso.text(iso.at(party, "Pty", "Nm"))
        found["account"] = _account_number(iso.at(parties, f"{other}Acct"))
    remittance = iso.at(detail, "RmtInf")
    if remittance is not None:
        texts = [iso.text(one) for one in iso.children(remittance, "Ustrd")]
        texts += [iso.text(iso.at(one, "CdtrRefInf", "Ref")) for one in iso.children(remittance, "Strd")]
        found["text"] = " ".join(text for text in texts if text)
    return found


def _code_of(element: etree._Element | None) -> str:
    if element is None:
        return ""
    domain = [
        iso.text(iso.at(element, "Domn", "Cd")),
        iso.text(iso.at(element, "Domn", "Fmly", "Cd")),
        iso.text(iso.at(element, "Domn", "Fmly", "SubFmlyCd")),
    ]
    return "/".join(domain) if domain[0] else iso.text(iso.at(element, "Prtry", "Cd"))


def _account_number(account: etree._Element | None) -> str:
    return iso.text(iso.at(account, "Id", "IBAN")) or iso.text(iso.at(account, "Id", "Othr", "Id"))


def _signed(element: etree._Element) -> Money:
    amount = iso.at(element, "Amt")
    if amount is None:
        iso.refuse(element, "an amount (Amt) is missing")
    indicator = iso.text(iso.at(element, "CdtDbtInd"))
    if indicator not in ("CRDT", "DBIT"):
        iso.refuse(element, f"CdtDbtInd is CRDT or DBIT, not {indicator!r}")
    value = _minor(amount)
    return value if indicator == "CRDT" else -value


def _minor(element: etree._Element) -> Money:
    """A decimal of the message; digits beyond those of the currency must be zeros."""
    currency, text = element.get("Ccy") or "", iso.text(element)
    match = _AMOUNT.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        iso.refuse(element, f"{text!r} is no amount")
    try:
        exponent = currency_exponent(currency)
        whole, decimals = match[1] or "0", match[2] or ""
        if decimals[exponent:].strip("0"):
            iso.refuse(element, f"{text} {currency} is no whole number of minor units")
        return Money(int(whole + decimals[:exponent].ljust(exponent, "0")), currency)
    except MoneyError as error:
        iso.refuse(element, str(error))


def _date_of(element: etree._Element) -> date:
    """The day of a DateAndDateTimeChoice, as the bank wrote it."""
    text = iso.text(iso.at(element, "Dt")) or iso.text(iso.at(element, "DtTm")) or iso.text(element)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        iso.refuse(element, f"{text!r} is no date")
