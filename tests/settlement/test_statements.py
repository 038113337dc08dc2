"""Statements read from camt.053, MT940, MT942 and tables."""

from __future__ import annotations

import io
from datetime import date

import pytest

from settlement.errors import StatementError
from settlement.money import Money
from settlement.statements import (
    AmountColumns,
    BalanceKind,
    BankLine,
    Statement,
    TableMapping,
    read_camt053,
    read_mt,
    read_table,
)

HEAD = "<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-03-12T00:00:00+08:00</CreDtTm></GrpHdr>"
ACCOUNT = "<Id>S1</Id><Acct><Id><Othr><Id>6210</Id></Othr></Id></Acct>"
OPENING = (
    "<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp>"
    '<Amt Ccy="CNY">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-02</Dt></Dt></Bal>'
)
CLOSING = OPENING.replace("OPBD", "CLBD").replace("100.00", "87.66")


def camt(
    *entries: str, balances: str = OPENING + CLOSING, head: str = HEAD, version: str = "08"
) -> io.BytesIO:
    """A message of one statement."""
    text = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>{head}'
        f"<Stmt>{ACCOUNT}{balances}{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    )
    return io.BytesIO(text.encode())


def entry(
    amount: str = "12.34", *, way: str = "DBIT", details: str = "", more: str = "", currency: str = "CNY"
) -> str:
    """A booked entry."""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>{more}'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def payment(amount: str, reference: str, *, currency: str = "CNY") -> str:
    """One payment within an entry."""
    return (
        f"<TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls>'
    )


class TestCamt:
    def test_a_statement(self) -> None:
        details = (
            "<TxDtls><Refs><EndToEndId>WH1</EndToEndId><AcctSvcrRef>B7</AcctSvcrRef></Refs><RltdPties>"
            "<Cdtr><Pty><Nm>顺达网点</Nm></Pty></Cdtr><CdtrAcct><Id><Othr><Id>6233</Id></Othr></Id></CdtrAcct>"
            "</RltdPties><RmtInf><Ustrd>三月</Ustrd><Ustrd>运费</Ustrd></RmtInf></TxDtls>"
        )
        (statement,) = read_camt053(camt(entry(details=details)))
        assert statement == Statement(
            account="6210",
            statement_id="S1",
            number="",
            lines=(
                BankLine(
                    place="1/1",
                    amount=Money(-1234, "CNY"),
                    booked_on=date(2026, 3, 2),
                    reference="WH1",
                    bank_reference="B7",
                    counterparty="顺达网点",
                    counterparty_account="6233",
                    text="三月 运费",
                ),
            ),
            balances=statement.balances,
        )
        assert statement.gap() == Money(0, "CNY")

    @pytest.mark.parametrize("version", ["02", "04", "06"])
    def test_older_versions_name_parties_and_status_directly(self, version: str) -> None:
        details = "<TxDtls><RltdPties><Cdtr><Nm>A</Nm></Cdtr></RltdPties></TxDtls>"
        plain = entry(details=details).replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
        (statement,) = read_camt053(camt(plain, version=version))
        assert [(line.counterparty, line.is_booked) for line in statement.lines] == [("A", True)]

    def test_a_collected_entry_is_its_payments(self) -> None:
        details = payment("10.00", "A") + payment("2.34", "B")
        (statement,) = read_camt053(camt(entry(details=details)))
        assert [(line.place, line.reference, line.amount.amount_minor) for line in statement.lines] == [
            ("1/1.1", "A", -1000),
            ("1/1.2", "B", -234),
        ]

    @pytest.mark.parametrize("details", [
        payment("10.00", "A") + payment("2.00", "B"),
        payment("10.00", "A", currency="USD") + payment("2.34", "B"),
        payment("10.00", "A") + "<TxDtls/>",
    ])  # fmt: skip
    def test_payments_that_do_not_explain_the_entry_leave_it_whole(self, details: str) -> None:
        (statement,) = read_camt053(camt(entry(details=details)))
        assert [line.amount for line in statement.lines] == [Money(-1234, "CNY")]

    def test_pending_is_not_booked_and_reversals_are_told(self) -> None:
        pending = entry().replace("BOOK", "PDNG")
        (statement,) = read_camt053(camt(pending, entry(more="<RvslInd>true</RvslInd>")))
        assert [(line.is_booked, line.is_reversal) for line in statement.lines] == [
            (False, False),
            (True, True),
        ]
        assert statement.totals() == {"CNY": -1234}

    @pytest.mark.parametrize(
        ("amount", "currency", "minor"),
        [
            ("5", "JPY", 5),
            ("1.500", "BHD", 1500),
            ("0.5", "CNY", 50),
            ("12.34000", "CNY", 1234),
            (".1", "CNY", 10),
        ],
    )
    def test_amounts_by_their_currency(self, amount: str, currency: str, minor: int) -> None:
        (statement,) = read_camt053(camt(entry(amount, currency=currency, way="CRDT")))
        assert statement.lines[0].amount == Money(minor, currency)

    @pytest.mark.parametrize(
        ("file", "reason"),
        [
            (io.BytesIO(b"no xml"), "no well-formed XML"),
            (io.BytesIO(b"<html/>"), "Document is missing"),
            (io.BytesIO(b"<Document/>"), "no ISO 20022 message"),
            (io.BytesIO(camt().getvalue().replace(b"camt.053", b"camt.052")), "this is a camt.052.001.08"),
            (io.BytesIO(camt().getvalue().replace(b"Stmt>", b"Other>")), "no statement"),
            (camt(head=""), "no group header"),
            (camt(balances=""), "at least one balance"),
            (camt(entry("12.345")), "no whole number of minor units"),
            (camt(entry("1e3")), "is no amount"),
            (camt(entry("-5")), "is no amount"),
            (camt(entry(currency="XXX")), "no ISO 4217 currency"),
            (camt(entry(way="DEBT")), "CRDT or DBIT"),
            (camt(entry().replace("<Dt>2026-03-02</Dt>", "<Dt>2026-02-30</Dt>")), "is no date"),
            (camt(entry().replace("<BookgDt><Dt>2026-03-02</Dt></BookgDt>", "")), "when it was booked"),
            (camt(entry().replace("<Sts><Cd>BOOK</Cd></Sts>", "")), "has a status"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, file: io.BytesIO, reason: str) -> None:
        with pytest.raises(StatementError, match=reason):
            read_camt053(file)

    def test_a_broken_entry_is_named_by_its_line(self) -> None:
        text = camt("\n\n", entry("x")).getvalue()
        with pytest.raises(StatementError, match="line 3, Amt"):
            read_camt053(io.BytesIO(text))

    def test_entities_are_not_resolved(self) -> None:
        bomb = b'<!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]>' + camt(entry("&b;")).getvalue()
        with pytest.raises(StatementError):
            read_camt053(io.BytesIO(bomb))


MT940 = """{1:F01AAAABB99BSMK3513951576}{4:
:20:ST1
:25:6210
:28C:7/1
:60F:C260302CNY100,00
:61:2603020302D12,34NTRFWH1//B7
:86:freight
 of March
:61:2603020303RC0,66NTRFNONREF
:62F:C260303CNY87,00
-}
"""


class TestMt:
    def test_a_statement(self) -> None:
        (statement,) = read_mt(MT940)
        first, second = statement.lines
        assert (statement.account, statement.number, statement.is_final) == ("6210", "7/1", True)
        assert first == BankLine(
            place="1",
            amount=Money(-1234, "CNY"),
            booked_on=date(2026, 3, 2),
            value_on=date(2026, 3, 2),
            reference="WH1",
            bank_reference="B7",
            text="freight of March",
            code="NTRF",
        )
        assert (second.amount, second.booked_on, second.is_reversal, second.reference) == (
            Money(-66, "CNY"), date(2026, 3, 3), True, "",
        )  # fmt: skip
        assert statement.gap() == Money(0, "CNY")

    @pytest.mark.parametrize(
        ("mark", "minor"),
        [("C", 1234), ("D", -1234), ("RC", -1234), ("RD", 1234), ("CR", 1234), ("RCY", -1234)],
    )
    def test_signs(self, mark: str, minor: int) -> None:
        (statement,) = read_mt(MT940.replace("0302D12,34", f"0302{mark}12,34"))
        assert statement.lines[0].amount.amount_minor == minor

    def test_the_year_of_booking_is_the_nearest_one(self) -> None:
        (statement,) = read_mt(MT940.replace("2603020302D", "2601011231D"))
        assert (statement.lines[0].value_on, statement.lines[0].booked_on) == (
            date(2026, 1, 1), date(2025, 12, 31),
        )  # fmt: skip

    def test_a_day_that_no_calendar_has_is_noted(self) -> None:
        (statement,) = read_mt(MT940.replace("2603020302D", "2602300302D"))
        assert statement.lines[0].value_on == date(2026, 2, 28)
        assert statement.notes == ("line 6: 260230 is no day of the calendar; 2026-02-28 was taken",)

    def test_german_subfields(self) -> None:
        information = (
            "166?00GUTSCHRIFT?20EREF+WH20260302-0000000001?2123?22SVWZ+Fracht M\nae?23rz?31DE42?32Anna?33 Li"
        )
        (statement,) = read_mt(MT940.replace("freight\n of March", information))
        line = statement.lines[0]
        assert (line.reference, line.text, line.counterparty, line.counterparty_account) == (
            "WH20260302-0000000001", "Fracht Maerz", "Anna Li", "DE42",
        )  # fmt: skip

    def test_dutch_codes(self) -> None:
        information = "/EREF/WH9/BENM//NAME/JOHN DOE/REMI/freight"
        (statement,) = read_mt(
            MT940.replace("freight\n of March", information).replace("NTRFWH1", "N102EREF")
        )
        line = statement.lines[0]
        assert (line.reference, line.counterparty, line.text) == ("WH9", "JOHN DOE", "freight")

    def test_a_report_of_the_day(self) -> None:
        fields = (
            ":20:R1", ":25:6210", ":28C:1", ":34F:CNY0,", ":13D:2603021815+0800", ":61:260302C5,NTRFA",
            ":90D:0CNY0,", ":90C:1CNY5,",
        )  # fmt: skip
        text = "\n".join(fields)
        (report,) = read_mt(text)
        assert (report.is_final, report.totals(), report.balances) == (False, {"CNY": 500}, ())
        with pytest.raises(StatementError, match="line 8, :90C:"):
            read_mt(text.replace("1CNY5,", "1CNY6,"))

    def test_several_messages(self) -> None:
        one, two = read_mt(MT940 + MT940.replace("ST1", "ST2"))
        assert (one.statement_id, two.statement_id, len(two.lines)) == ("ST1", "ST2", 2)

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            (":20:ST1\n", "", "line 2, :25: a message begins"),
            (":25:6210\n", "", "no account"),
            ("D12,34", "D12.34", "line 6, :61:"),
            ("D12,34", "X12,34", "is no movement"),
            ("D12,34", "D12,345", "minor units"),
            ("C260302CNY100,00", "C260302CN100,00", "is no balance"),
            ("2603020302D", "2613020302D", "is no day"),
            ("CNY", "ZZZ", "ZZZ"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, old: str, new: str, reason: str) -> None:
        with pytest.raises(StatementError, match=reason):
            read_mt(MT940.replace(old, new))

    @pytest.mark.parametrize("text", ["", "hello", "{1:}{4:\n-}"])
    def test_nothing_is_no_statement(self, text: str) -> None:
        with pytest.raises(StatementError, match="no MT940"):
            read_mt(text)


BILL = TableMapping(
    booked_on="交易时间",
    amounts=AmountColumns(signed="金额", way="收/支", incoming_words=frozenset({"收入"})),
    columns={"reference": "商户订单号", "counterparty": "对方", "text": "备注"},
    date_format="%Y-%m-%d",
    foot=("合计",),
)
TABLE = """渠道账单
交易时间,商户订单号,对方,收/支,金额,备注
2026-03-02 10:11:12,`WH1,张三,收入,"¥1,234.50",三月
2026-03-03 00:00:01,`WH2,李四,支出,20,
合计,,,,1214.50,
"""


class TestTable:
    def test_a_bill(self) -> None:
        statement = read_table(TABLE.encode(), BILL, account="wallet", statement_id="bill-1")
        assert statement.lines == (
            BankLine(
                "3", Money(123450, "CNY"), date(2026, 3, 2), reference="WH1", counterparty="张三", text="三月"
            ),
            BankLine("4", Money(-2000, "CNY"), date(2026, 3, 3), reference="WH2", counterparty="李四"),
        )

    @pytest.mark.parametrize(("outgoing", "minor"), [("7,50", -750), ("-7,50", -750)])
    def test_two_columns_and_a_decimal_comma(self, outgoing: str, minor: int) -> None:
        mapping = TableMapping(
            booked_on="day",
            amounts=AmountColumns(incoming="in", outgoing="out"),
            currency=None,
            currency_column="cur",
            delimiter=";",
            decimal_mark=",",
            date_format="%d.%m.%Y",
        )
        content = f"day;in;out;cur\n02.03.2026;;{outgoing};EUR\n03.03.2026;1.000,00;;EUR\n".encode("gb18030")
        statement = read_table(content, mapping, account="a", statement_id="s")
        assert [line.amount for line in statement.lines] == [Money(minor, "EUR"), Money(100_000, "EUR")]

    @pytest.mark.parametrize(
        ("old", "new", "reason"),
        [
            ("金额", "钱", "no row has the heads"),
            ("20,\n", "twenty,\n", "row 4, 金额"),
            ("2026-03-03 ", "03/03/26 ", "row 4, 交易时间"),
            (",支出,20,", "", "row 4, .*too short"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, old: str, new: str, reason: str) -> None:
        with pytest.raises(StatementError, match=reason):
            read_table(TABLE.replace(old, new).encode(), BILL, account="a", statement_id="s")

    def test_another_encoding_is_refused(self) -> None:
        with pytest.raises(StatementError, match="not in utf-8"):
            read_table(TABLE.encode("gb18030"), BILL, account="a", statement_id="s")

    def test_a_mapping_that_cannot_be(self) -> None:
        with pytest.raises(StatementError, match="either one column"):
            AmountColumns()
        with pytest.raises(StatementError, match="words for incoming"):
            AmountColumns(signed="a", way="b")
        amounts = AmountColumns(signed="a")
        with pytest.raises(StatementError, match="a currency or the column"):
            TableMapping("day", amounts, currency="CNY", currency_column="c")
        with pytest.raises(StatementError, match="no field of a bank line: colour"):
            TableMapping("day", amounts, columns={"colour": "c"})
        with pytest.raises(StatementError, match="point or a comma"):
            TableMapping("day", amounts, decimal_mark="'")


def test_a_gap_needs_both_balances_in_one_currency() -> None:
    (statement,) = read_camt053(camt(entry(), balances=OPENING))
    assert statement.gap() is None
    (statement,) = read_camt053(camt(entry(), balances=OPENING + CLOSING.replace("CNY", "USD")))
    assert statement.gap() is None
    previous = OPENING.replace("OPBD", "PRCD")
    (statement,) = read_camt053(camt(entry("2.34"), balances=previous + CLOSING))
    assert statement.gap() == Money(-1000, "CNY")
    assert statement.balance(BalanceKind.PREVIOUS) is not None
