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
    reader = _Reader(file)
    try:
        return reader.statements()
    except etree.XMLSyntaxError as error:
        raise StatementError(f"no well-formed XML: {error.msg}") from error


class _Reader:
    """One message on its way through the parser."""

    def __init__(self, file: IO[bytes]) -> None:
        self._events = etree.iterparse(
            file,
            events=("start", "end"),
            tag=("{*}Document", "{*}GrpHdr", "{*}Stmt", "{*}Ntry"),
            resolve_entities=False,
            no_network=True,
            remove_comments=True,
            remove_pis=True,
            huge_tree=True,
        )

    def statements(self) -> list[Statement]:
        """All of the message."""
        found: list[Statement] = []
        lines: list[BankLine] = []
        seen_document = has_header = False
        entries = 0
        for event, element in self._events:
            name = etree.QName(element).localname
            if event == "start":
                if name == "Document":
                    _check_message(element)
                    seen_document = True
                elif name == "Stmt":
                    if not has_header:
                        raise _wrong(element, "the message has no group header (GrpHdr) before it")
                    lines, entries = [], 0
            elif name == "GrpHdr":
                _needed(element, "MsgId")
                has_header = True
            elif name == "Ntry":
                entries += 1
                lines += _lines_of(element, f"{len(found) + 1}/{entries}")
                _forget(element)
            elif name == "Stmt":
                found.append(_statement(element, tuple(lines)))
                _forget(element)
        if not seen_document:
            raise StatementError("no ISO 20022 message: the element Document is missing")
        if not found:
            raise StatementError("the message holds no statement (Stmt)")
        return found


def _check_message(document: etree._Element) -> None:
    namespace = etree.QName(document).namespace or ""
    match = _MESSAGE.fullmatch(namespace)
    if match is None:
        raise StatementError(f"no ISO 20022 message: its namespace is {namespace!r}")
    if match[1] != "camt.053":
        raise StatementError(f"this is a {match[1]}.001.{match[2]}, not a statement (camt.053)")


def _forget(element: etree._Element) -> None:
    """Drop what has been read: the content now, the element with the next one, since the parser is in it."""
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


def _statement(element: etree._Element, lines: tuple[BankLine, ...]) -> Statement:
    fields = _fields(element)
    statement_id = _needed(element, "Id")
    account = fields.get("Acct")
    if account is None:
        raise _wrong(element, "a statement names its account (Acct)")
    balances = tuple(_balance(one) for one in _children(element, "Bal"))
    if not balances:
        raise _wrong(element, "a statement names at least one balance (Bal)")
    return Statement(
        account=_account_number(account) or _none(account, "the account has no number (Acct/Id)"),
        statement_id=statement_id,
        number=_text(fields.get("ElctrncSeqNb")) or _text(fields.get("LglSeqNb")),
        lines=lines,
        balances=balances,
    )


def _balance(element: etree._Element) -> Balance:
    code = _text(_at(element, "Tp", "CdOrPrtry", "Cd"))
    on = _at(element, "Dt")
    return Balance(
        _KINDS.get(code, BalanceKind.OTHER), _signed(element), None if on is None else _date_of(on)
    )


def _lines_of(entry: etree._Element, place: str) -> Iterator[BankLine]:
    """An entry as the lines that it stands for."""
    fields = _fields(entry)
    amount = _signed(entry)
    booked, valued = fields.get("BookgDt"), fields.get("ValDt")
    if booked is None and valued is None:
        raise _wrong(entry, "an entry says when it was booked (BookgDt)")
    value_on = None if valued is None else _date_of(valued)
    booked_on = value_on if booked is None else _date_of(booked)
    assert booked_on is not None, "one of the two is there"
    status = fields.get("Sts")
    if status is None:
        raise _wrong(entry, "an entry has a status (Sts)")
    state = _text(status) or _text(_at(status, "Cd")) or _text(_at(status, "Prtry"))
    is_reversal = _text(fields.get("RvslInd")) in ("true", "1")
    code = _code_of(fields.get("BkTxCd"))
    entry_text = _text(fields.get("AddtlNtryInf"))
    bank_reference = _text(fields.get("AcctSvcrRef"))
    details = [one for group in _children(entry, "NtryDtls") for one in _children(group, "TxDtls")]
    batch = _text(_at(entry, "NtryDtls", "Btch", "PmtInfId"))
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
        element = _at(detail, "Amt")
        if element is None:
            element = _at(detail, "AmtDtls", "TxAmt", "Amt")
        if element is None or element.get("Ccy") != total.currency:
            return None
        indicator = _text(_at(detail, "CdtDbtInd"))
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
    references = _at(detail, "Refs")
    if references is not None:
        fields = _fields(references)
        end_to_end = _text(fields.get("EndToEndId"))
        found["reference"] = "" if end_to_end == "NOTPROVIDED" else end_to_end
        found["bank_reference"] = _text(fields.get("AcctSvcrRef"))
        found["batch_reference"] = _text(fields.get("PmtInfId"))
    parties = _at(detail, "RltdPties")
    if parties is not None:
        # Who stands at the other end: the debtor of what comes in, the creditor of what goes out.
        other = "Dbtr" if incoming else "Cdtr"
        party = _at(parties, other)
        found["counterparty"] = _text(_at(party, "Nm")) or _text(_at(party, "Pty", "Nm"))
        found["account"] = _account_number(_at(parties, f"{other}Acct"))
    remittance = _at(detail, "RmtInf")
    if remittance is not None:
        texts = [_text(one) for one in _children(remittance, "Ustrd")]
        texts += [_text(_at(one, "CdtrRefInf", "Ref")) for one in _children(remittance, "Strd")]
        found["text"] = " ".join(text for text in texts if text)
    return found


def _code_of(element: etree._Element | None) -> str:
    if element is None:
        return ""
    domain = [
        _text(_at(element, "Domn", "Cd")),
        _text(_at(element, "Domn", "Fmly", "Cd")),
        _text(_at(element, "Domn", "Fmly", "SubFmlyCd")),
    ]
    return "/".join(domain) if domain[0] else _text(_at(element, "Prtry", "Cd"))


def _account_number(account: etree._Element | None) -> str:
    return _text(_at(account, "Id", "IBAN")) or _text(_at(account, "Id", "Othr", "Id"))


def _signed(element: etree._Element) -> Money:
    amount = _at(element, "Amt")
    if amount is None:
        raise _wrong(element, "an amount (Amt) is missing")
    indicator = _text(_at(element, "CdtDbtInd"))
    if indicator not in ("CRDT", "DBIT"):
        raise _wrong(element, f"CdtDbtInd is CRDT or DBIT, not {indicator!r}")
    value = _minor(amount)
    return value if indicator == "CRDT" else -value


def _minor(element: etree._Element) -> Money:
    """A decimal of the message; digits beyond those of the currency must be zeros."""
    currency, text = element.get("Ccy") or "", _text(element)
    match = _AMOUNT.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        raise _wrong(element, f"{text!r} is no amount")
    try:
        exponent = currency_exponent(currency)
        whole, decimals = match[1] or "0", match[2] or ""
        if decimals[exponent:].strip("0"):
            raise _wrong(element, f"{text} {currency} is no whole number of minor units")
        return Money(int(whole + decimals[:exponent].ljust(exponent, "0")), currency)
    except MoneyError as error:
        raise _wrong(element, str(error)) from error


def _date_of(element: etree._Element) -> date:
    """The day of a DateAndDateTimeChoice, as the bank wrote it."""
    text = _text(_at(element, "Dt")) or _text(_at(element, "DtTm")) or _text(element)
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise _wrong(element, f"{text!r} is no date") from error


def _needed(element: etree._Element, name: str) -> str:
    return _text(_at(element, name)) or _none(element, f"{name} is missing")


def _none(element: etree._Element, reason: str) -> str:
    raise _wrong(element, reason)


def _wrong(element: etree._Element, reason: str) -> StatementError:
    return StatementError(f"line {element.sourceline}, {etree.QName(element).localname}: {reason}")


def _fields(element: etree._Element) -> dict[str, etree._Element]:
    """The first child of each name."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(_local(child.tag), child)
    return found


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if _local(child.tag) == name]


def _at(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first descendant along a path of names."""
    for name in path:
        if element is None:
            return None
        element = next((child for child in element if _local(child.tag) == name), None)
    return element


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _text(element: etree._Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()
