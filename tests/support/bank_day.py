"""A day at the bank: payouts, the camt.053 statement that answers them, and faults put in on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from xml.sax.saxutils import escape

from settlement.money import Money
from settlement.reconciliation import DifferenceKind, Expected

DAY = date(2026, 3, 2)
FAULTS = tuple(DifferenceKind)
_COLLECTED = 50


@dataclass(frozen=True, slots=True)
class _Paid:
    """A payment on the statement, as the generator knows it."""

    amount_minor: int
    currency: str
    booked_on: date
    reference: str
    account: str
    name: str
    text: str = ""
    code: tuple[str, str, str] = ("PMNT", "ICDT", "ESCT")
    of: str | None = None


@dataclass(slots=True)
class BankDay:
    """What was expected, what the bank says, and what is wrong.

    Attributes:
        truth: of each line of the statement, in its order, the expectation it belongs to, if any.
        faults: kind of difference, with the expectation or (where there is none) the place of the line.
    """

    expected: list[Expected] = field(default_factory=list)
    truth: list[tuple[str, ...]] = field(default_factory=list)
    faults: set[tuple[DifferenceKind, str | int]] = field(default_factory=set)
    statement: bytes = b""


def bank_day(payouts: int, faults: int, random: Random) -> BankDay:
    """Payouts with their statement; faults of every kind in turn, each to another payout."""
    day = BankDay()
    struck = dict(zip(random.sample(range(payouts), faults), _kinds(faults), strict=True))
    paid: list[list[_Paid]] = []
    for number in range(payouts):
        one = _expected(number, random)
        day.expected.append(one)
        paid += ([line] for line in _lines(one, struck.get(number), random))
        if struck.get(number) is None and random.random() < 0.3:
            # As a part of an entry that collects many.
            line = paid.pop()
            if paid and 1 <= len(paid[-1]) < _COLLECTED and paid[-1][0].code[2] == "COLL":
                paid[-1].append(*line)
            else:
                paid.append([_Paid(**{**_fields(line[0]), "code": ("PMNT", "ICDT", "COLL")})])
    for place, line in enumerate(line for entry in paid for line in entry):
        day.truth.append(() if line.of is None else (line.of,))
        if line.of is None:
            kind = DifferenceKind.FEE if line.code[2] == "CHRG" else DifferenceKind.UNKNOWN
            day.faults.add((kind, place))
    for number, kind in struck.items():
        if kind not in (DifferenceKind.UNKNOWN, DifferenceKind.FEE):
            day.faults.add((kind, day.expected[number].expected_id))
    day.statement = b"".join(_xml(paid))
    return day


def _kinds(count: int) -> list[DifferenceKind]:
    return [FAULTS[number % len(FAULTS)] for number in range(count)]


def _fields(line: _Paid) -> dict[str, object]:
    return {name: getattr(line, name) for name in _Paid.__dataclass_fields__}


def _expected(number: int, random: Random) -> Expected:
    return Expected(
        expected_id=f"payout-{number}",
        amount=Money(-random.randint(100, 500_000), "CNY"),
        due_on=DAY,
        reference=f"WH{number:08d}{random.randint(0, 9)}",
        counterparty=f"承运商{number % 5_000}",
        counterparty_account=f"62{number % 5_000:014d}",
    )


def _lines(one: Expected, fault: DifferenceKind | None, random: Random) -> Iterator[_Paid]:
    """What the bank says of a payout."""
    right = _Paid(
        amount_minor=one.amount.amount_minor,
        currency="CNY",
        booked_on=DAY + timedelta(days=random.randint(0, 1)),
        reference=one.reference,
        account=one.counterparty_account,
        name=one.counterparty,
        of=one.expected_id,
    )

    def other(**fields: object) -> _Paid:
        return _Paid(**{**_fields(right), **fields})  # type: ignore[arg-type]

    if random.random() < 0.1 and fault is None:
        right = other(reference="", text=f"付款 {one.reference} 谢谢")  # the reference stands in the text
    match fault:
        case None:
            yield right
        case DifferenceKind.MISSING:
            return
        case DifferenceKind.DOUBLE:
            yield right
            yield right
        case DifferenceKind.SHORT:
            yield other(amount_minor=right.amount_minor // 2)
        case DifferenceKind.OVER:
            yield other(amount_minor=right.amount_minor - 50_000)
        case DifferenceKind.LATE:
            yield other(booked_on=DAY + timedelta(days=9))
        case DifferenceKind.RETURNED:
            yield right
            yield other(amount_minor=-right.amount_minor)
        case DifferenceKind.WRONG_CURRENCY:
            yield other(currency="USD")
        case DifferenceKind.WRONG_ACCOUNT:
            yield other(account="6299999999999999")
        case DifferenceKind.WRONG_REFERENCE:
            yield other(reference=f"X{random.randint(10**9, 10**10)}")
        case DifferenceKind.UNKNOWN:
            yield right
            strange = {"reference": f"Y{random.randint(10**9, 10**10)}", "account": "6288888888888888"}
            yield other(amount_minor=-random.randint(10**8, 10**9), name="不认识", of=None, **strange)
        case DifferenceKind.FEE:
            yield right
            charge = {"reference": "", "account": "", "name": "", "text": "手续费", "of": None}
            yield other(code=("PMNT", "MDOP", "CHRG"), amount_minor=-random.randint(1, 999), **charge)


def _xml(entries: list[list[_Paid]]) -> Iterator[bytes]:
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        b"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-12T00:00:00+08:00</CreDtTm></GrpHdr>"
        b"<Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-03-12T00:00:00+08:00</CreDtTm>"
        b"<Acct><Id><Othr><Id>6210000000000001</Id></Othr></Id></Acct>"
        b"<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>"
        b'<Amt Ccy="CNY">0</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>'
    )
    for entry in entries:
        yield _entry(entry).encode()
    yield b"</Stmt></BkToCstmrStmt></Document>"


def _entry(lines: list[_Paid]) -> str:
    total_minor, first = sum(line.amount_minor for line in lines), lines[0]
    domain, family, sub = first.code
    return (
        f"<Ntry>{_amount(total_minor, first.currency)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{first.booked_on}</Dt></BookgDt><ValDt><Dt>{first.booked_on}</Dt></ValDt>"
        f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn>"
        f"</BkTxCd><NtryDtls>{''.join(map(_payment, lines))}</NtryDtls></Ntry>\n"
    )


def _payment(line: _Paid) -> str:
    other = "Cdtr" if line.amount_minor < 0 else "Dbtr"
    return (
        f"<TxDtls><Refs><EndToEndId>{line.reference or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"{_amount(line.amount_minor, line.currency)}"
        f"<RltdPties><{other}><Pty><Nm>{escape(line.name)}</Nm></Pty></{other}><{other}Acct><Id><Othr><Id>"
        f"{line.account}</Id></Othr></Id></{other}Acct></RltdPties>"
        f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf></TxDtls>"
    )


def _amount(minor: int, currency: str) -> str:
    text = Money(abs(minor), currency).decimal_text()
    way = "DBIT" if minor < 0 else "CRDT"
    return f'<Amt Ccy="{currency}">{text}</Amt><CdtDbtInd>{way}</CdtDbtInd>'
