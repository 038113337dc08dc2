"""SWIFT MT940, the bank's statement, and MT942, its report during the day, in their text form.

Tolerant where banks differ (block headers or none, `:28:` for `:28C:`, blank lines, references longer than
they may be, days that no calendar has) and strict about money: whatever reads as a movement has an amount, a
sign and a currency, or the file is refused with the line that cannot be read.

Source: SWIFT Standards MT, category 9, fields 20, 25, 28C, 34F, 60a, 61, 62a, 86, 90a; the subfields ?00 to
?63 of field 86 as German banks use them (DFÜ agreement, appendix 3), and the codes between slashes of Dutch
banks.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from settlement.errors import MoneyError, StatementError
from settlement.money import Money, currency_exponent
from settlement.statements.values import Balance, BalanceKind, BankLine, Statement

_FIELD = re.compile(r":([0-9]{2}[A-Z]?|NS):(.*)", re.DOTALL)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]+(?:,[0-9]*)?)\s*")
_LINE = re.compile(
    r"(?P<valued>[0-9]{6})(?P<booked>[0-9]{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?(?P<amount>[0-9]+(?:,[0-9]*)?)"
    r"(?P<type>[A-Z][A-Z0-9]{3})(?P<reference>(?:(?!//)[^\n])*)(?://(?P<bank>[^\n]*))?(?:\n(?P<more>.*))?",
    re.DOTALL,
)
_TOTAL = re.compile(r"([0-9]+)([A-Z]{3})([0-9]+(?:,[0-9]*)?)\s*")
_SUBFIELD_FULL = 27
_FLOOR = re.compile(r"([A-Z]{3})[CD]?[0-9]+(?:,[0-9]*)?\s*")
_BALANCES = {
    "60F": BalanceKind.OPENING,
    "60M": BalanceKind.OPENING,
    "62F": BalanceKind.CLOSING,
    "62M": BalanceKind.CLOSING,
    "64": BalanceKind.AVAILABLE,
    "65": BalanceKind.OTHER,
}
# What may stand before a message, and what ends it.
_ENVELOPE = re.compile(r"\{[1235]:.*?\}\s*(?=\{|$)|\{4:|-\}|^-\s*$|^:94[02]:", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufeff]")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_SLASHED = re.compile(r"/(EREF|PREF|MARF|BENM|ORDP|REMI|ISDT|TRCD|RTRN|CSID|IBAN|BIC|NAME|PURP|ULTD|ULTC)/")


def read_mt(text: str) -> list[Statement]:
    """Read the statements of a file of MT940 or MT942 messages.

    Raises:
        StatementError: the file holds none, or a field cannot be read; the message names the line.
    """
    statements = [_statement(message) for message in _messages(text)]
    if not statements:
        raise StatementError("no MT940 or MT942: there is no field :20:")
    return statements


@dataclass(slots=True)
class _Field:
    tag: str
    content: str
    line: int

    def wrong(self, reason: str) -> StatementError:
        return StatementError(f"line {self.line}, :{self.tag}: {reason}")


@dataclass(slots=True)
class _Message:
    """The fields of one message, and what had to be mended in it."""

    fields: list[_Field]
    notes: list[str] = field(default_factory=list)

    def first(self, *tags: str) -> _Field | None:
        return next((one for one in self.fields if one.tag in tags), None)


def _messages(text: str) -> Iterator[_Message]:
    """Messages begin with field 20."""
    fields: list[_Field] = []
    for one in _fields(text):
        if one.tag == "20" and fields:
            yield _Message(fields)
            fields = []
        if not fields and one.tag != "20":
            raise one.wrong("a message begins with its reference, field :20:")
        fields.append(one)
    if fields:
        yield _Message(fields)


def _fields(text: str) -> Iterator[_Field]:
    """The fields in their order; what follows a field's first line belongs to it."""
    current: _Field | None = None
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = _CONTROL.sub("", line)
        plain = _ENVELOPE.sub("", line)
        match = _FIELD.fullmatch(plain)
        if match is not None:
            if current is not None:
                yield current
            current = _Field(match[1], match[2], number)
        elif current is not None and plain != line:
            yield current  # the end of a message
            current = None
        elif current is not None and plain.strip():
            current.content += "\n" + plain
    if current is not None:
        yield current


def _statement(message: _Message) -> Statement:
    reference, account = message.first("20"), message.first("25", "25P")
    assert reference is not None, "a message begins with it"
    if account is None:
        raise reference.wrong("the message names no account (:25:)")
    currency = _currency(message)
    balances = tuple(
        _balance(one, _BALANCES[one.tag], message) for one in message.fields if one.tag in _BALANCES
    )
    lines = tuple(_lines(message, currency))
    _check_totals(message, lines)
    number = message.first("28C", "28")
    is_final = message.first("34F", "13D") is None
    if is_final and not balances:
        raise reference.wrong("a statement has an opening and a closing balance (:60F:, :62F:)")
    return Statement(
        account=account.content.split("\n")[0].strip(),
        statement_id=reference.content.strip(),
        number="" if number is None else number.content.strip(),
        lines=lines,
        balances=balances,
        is_final=is_final,
        notes=tuple(message.notes),
    )


def _currency(message: _Message) -> str:
    for one in message.fields:
        if one.tag in _BALANCES and (match := _BALANCE.fullmatch(one.content)):
            return match[3]
        if one.tag == "34F" and (match := _FLOOR.fullmatch(one.content)):
            return match[1]
    raise message.fields[0].wrong("no field says the currency (:60F:, :34F:)")


def _balance(one: _Field, kind: BalanceKind, message: _Message) -> Balance:
    match = _BALANCE.fullmatch(one.content)
    if match is None:
        raise one.wrong(f"{one.content!r} is no balance")
    amount = _amount(one, match[4], match[3])
    return Balance(kind, amount if match[1] == "C" else -amount, _day(one, match[2], message))


def _lines(message: _Message, currency: str) -> Iterator[BankLine]:
    """Movements, each with the information field that follows it."""
    fields = message.fields
    number = 0
    for place, one in enumerate(fields):
        if one.tag != "61":
            continue
        number += 1
        after = fields[place + 1] if place + 1 < len(fields) else None
        information = after.content if after is not None and after.tag == "86" else ""
        yield _line(one, information, str(number), currency, message)


def _line(one: _Field, information: str, place: str, currency: str, message: _Message) -> BankLine:
    match = _LINE.fullmatch(one.content)
    if match is None:
        raise one.wrong(f"{one.content!r} is no movement")
    amount = _amount(one, match["amount"], currency)
    # A reversed credit takes from the account, a reversed debit gives back.
    incoming = match["mark"] in ("C", "RD")
    value_on = _day(one, match["valued"], message)
    about = _about(information)
    reference = match["reference"].strip()
    named = reference not in ("", "NONREF", "NOREF", "EREF", "KREF+", "KREF", "MARF", "PREF")
    return BankLine(
        place=place,
        amount=amount if incoming else -amount,
        booked_on=_booked(one, match["booked"], value_on, message),
        value_on=value_on,
        reference=about.get("EREF") or (reference if named else about.get("KREF", "")),
        bank_reference=(match["bank"] or "").strip(),
        batch_reference=about.get("PREF", ""),
        counterparty=about.get("NAME", ""),
        counterparty_account=about.get("IBAN", ""),
        text=about.get("text", "") or (match["more"] or "").strip(),
        code=match["type"],
        is_reversal=match["mark"].startswith("R"),
    )


def _booked(one: _Field, text: str | None, value_on: date, message: _Message) -> date:
    """The day of booking, which comes without a year: the one that makes it nearest to the value date."""
    if not text:
        return value_on
    days = [
        _day(one, f"{year % 100:02d}{text}", message)
        for year in (value_on.year - 1, value_on.year, value_on.year + 1)
    ]
    return min(days, key=lambda day: abs(day - value_on))


def _day(one: _Field, text: str, message: _Message) -> date:
    """A day as YYMMDD. Banks that count months of 30 days send a 30th of February: the month's last day."""
    year, month, day = 2000 + int(text[:2]), int(text[2:4]), int(text[4:6])
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        raise one.wrong(f"{text} is no day")
    last = calendar.monthrange(year, month)[1]
    if day > last and (month, day) != (2, 29):
        note = f"line {one.line}: {text} is no day of the calendar; {year}-{month:02d}-{last} was taken"
        if note not in message.notes:
            message.notes.append(note)
    return date(year, month, min(day, last))


def _amount(one: _Field, text: str, currency: str) -> Money:
    whole, _comma, decimals = text.partition(",")
    try:
        exponent = currency_exponent(currency)
        if decimals[exponent:].strip("0"):
            raise one.wrong(f"{text} {currency} is no whole number of minor units")
        return Money(int(whole + decimals[:exponent].ljust(exponent, "0")), currency)
    except MoneyError as error:
        raise one.wrong(str(error)) from error


def _check_totals(message: _Message, lines: tuple[BankLine, ...]) -> None:
    """Compare the lines with the numbers and sums that a report gives of them."""
    for tag, sign in (("90D", -1), ("90C", 1)):
        one = message.first(tag)
        if one is None:
            continue
        match = _TOTAL.fullmatch(one.content)
        if match is None:
            raise one.wrong(f"{one.content!r} is no number of entries with their sum")
        said = (int(match[1]), _amount(one, match[3], match[2]).amount_minor)
        mine = [abs(line.amount.amount_minor) for line in lines if line.amount.amount_minor * sign > 0]
        if said != (len(mine), sum(mine)):
            raise one.wrong(f"says {one.content.strip()}, but there are {len(mine)} such entries")


def _about(information: str) -> dict[str, str]:
    """What field 86 says, in whichever of its three customs."""
    if re.match(r"[0-9]{3}\?[0-9]{2}", information):
        return _german(information.replace("\n", ""))
    if re.match(r"/[A-Z]{4}/", information):
        return _slashed(information.replace("\n", ""))
    return {"text": " ".join(information.split())}


def _german(information: str) -> dict[str, str]:
    parts = dict[str, str]()
    for part in re.split(r"\?(?=[0-9]{2})", information)[1:]:
        parts[part[:2]] = parts.get(part[:2], "") + part[2:]
    purpose = [parts.get(str(number), "") for number in (*range(20, 30), *range(60, 64))]
    # A subfield that is not full ends what stands in it; a full one goes on in the next.
    pieces = _SEPA.split("".join(part if len(part) >= _SUBFIELD_FULL else f"{part}\n" for part in purpose))
    found = {"text": _joined(pieces[0]) or parts.get("00", "").strip()}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found[name] = value.strip().split("\n")[0].strip()
        if name == "SVWZ":
            found["text"] = _joined(value)
    found["NAME"] = (parts.get("32", "") + parts.get("33", "")).strip()
    found["IBAN"] = parts.get("31", "").strip() or found.get("IBAN", "")
    return found


def _joined(text: str) -> str:
    return text.replace("\n", "").strip()


def _slashed(information: str) -> dict[str, str]:
    pieces = _SLASHED.split(information)
    found: dict[str, str] = {}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(name, value.strip().strip("/"))
    found["text"] = found.get("REMI", "")
    return found
