"""Payout batches as bank files, and what banks report of them."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from lxml import etree

from settlement.errors import PayoutError, StatementError
from settlement.money import Money
from settlement.payout import (
    BatchState,
    Beneficiary,
    Debtor,
    ItemEvent,
    ItemReport,
    PayoutBatch,
    PayoutItem,
    end_to_end_id,
    payout_pain001,
    read_pain002,
)

ROOT = Path(__file__).parents[2]
XSD = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "bank/xsd/pain.001.001.09.xsd"
DEBTOR = Debtor(Beneficiary("轮舍平台存管账户", "1100000000000000001", "102100099996"), "轮舍平台")
MADE_AT, PAID_ON = datetime(2026, 3, 2, 8, tzinfo=UTC), date(2026, 3, 3)


def batch(*items: PayoutItem, batch_id: str = "P1-20260302-01") -> PayoutBatch:
    return PayoutBatch(batch_id, "CNY", items, BatchState.APPROVED, 1, 2)


def item(party_id: int, minor: int, name: str = "顺达 <网点> & 子公司") -> PayoutItem:
    return PayoutItem(party_id, Money(minor, "CNY"), Beneficiary(name, "6222 0212 3456 789", "102100099996"))


def written(given: PayoutBatch) -> etree._Element:
    return etree.fromstring(payout_pain001(given, DEBTOR, execute_on=PAID_ON, created_at=MADE_AT))


def texts(document: etree._Element, tag: str) -> list[str]:
    return [one.text or "" for one in document.iter(f"{{*}}{tag}")]


def test_every_item_is_there_once_with_its_account_and_the_sums_agree() -> None:
    document = written(batch(item(9, 100), item(7, 12_345)))
    assert texts(document, "EndToEndId") == ["P1-20260302-01-7", "P1-20260302-01-9"]
    assert texts(document, "InstdAmt") == ["123.45", "1.00"]
    assert texts(document, "CtrlSum") == ["124.45", "124.45"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    assert texts(document, "Nm") == ["轮舍平台", "轮舍平台存管账户", *["顺达 <网点> & 子公司"] * 2]
    assert (
        document.xpath("//*[local-name()='CdtrAcct']//*[local-name()='Othr']/*/text()")
        == ["622202123456789"] * 2
    )


def test_it_passes_the_schema() -> None:
    if not XSD.exists():
        pytest.skip(f"no schema at {XSD}; set WHEELHOUSE_DATA")
    schema = etree.XMLSchema(etree.parse(XSD))
    schema.assertValid(written(batch(item(1, 1, "名" * 200), item(2, 10**15, "A\x01B\nC"))))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Beneficiary("A", "", "102100099996"), "party 1: '' is no account number"),
        (Beneficiary("A", "6" * 35, "102100099996"), "no account number"),
        (Beneficiary("A", "62", "1021"), "no CNAPS code"),
        (Beneficiary("A", "62", "一二三四五六七八九十一二"), "no CNAPS code"),
        (Beneficiary(" \x01", "62", "102100099996"), "no name"),
        (None, "no account to pay to"),
    ],
)
def test_what_a_bank_would_refuse_is_refused_here(wrong: Beneficiary | None, reason: str) -> None:
    with pytest.raises(PayoutError, match=reason):
        written(batch(replace(item(1, 5), beneficiary=wrong)))


def test_only_what_is_approved_leaves_the_house() -> None:
    with pytest.raises(PayoutError, match="only what is approved"):
        written(replace(batch(item(1, 5)), state=BatchState.PREPARED))
    with pytest.raises(PayoutError, match="no offset"):
        payout_pain001(batch(item(1, 5)), DEBTOR, execute_on=PAID_ON, created_at=MADE_AT.replace(tzinfo=None))
    with pytest.raises(PayoutError, match="no id"):
        written(batch(item(1, 5), batch_id="P" * 36))
    with pytest.raises(PayoutError, match="longer than the 35"):
        end_to_end_id("P" * 33, 10)


REPORT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>B-1</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>B-2</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn>
<AddtlInf>账号不存在</AddtlInf></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>B-3</OrgnlEndToEndId><TxSts>PDNG</TxSts></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""


def test_a_report_says_what_became_of_each() -> None:
    assert read_pain002(io.BytesIO(REPORT.encode())) == [
        ItemReport("B-1", ItemEvent.PAY),
        ItemReport("B-2", ItemEvent.BOUNCE, "AC01 账号不存在"),
        ItemReport("B-3", None),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "no well-formed XML"),
        (REPORT.replace("pain.002", "pain.001"), "no payment status report"),
        (REPORT.replace("TxInfAndSts", "Other"), "names no payment"),
        (REPORT.replace("<TxSts>ACSC</TxSts>", ""), "line 2, TxInfAndSts: TxSts is missing"),
    ],
)
def test_what_is_no_report_is_refused(text: str, reason: str) -> None:
    with pytest.raises(StatementError, match=reason):
        read_pain002(io.BytesIO(text.encode()))
