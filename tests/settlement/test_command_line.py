import json
import subprocess
import sys

import pytest

from settlement.__main__ import main

ORDER = {
    "order_id": "A1", "total_minor": 2207, "weight_g": 2500, "pieces": 1, "service": "standard",
    "roles": {"platform": [{"party_id": 1}], "hub": [{"party_id": 3, "weight": 2}, {"party_id": 4}]},
}  # fmt: skip


def test_command_line_prints_shares_with_reasons(document, tmp_path):
    order = tmp_path / "order.json"
    order.write_text(json.dumps({"terms": document, "facts": ORDER}))
    run = subprocess.run(
        [sys.executable, "-m", "settlement", "split", str(order)], capture_output=True, text=True, check=True
    )
    answer = json.loads(run.stdout)
    assert sum(share["amount_minor"] for share in answer["shares"]) == answer["total_minor"] == 2207
    assert answer["shares"][0] == {"party_id": 3, "role": "hub", "amount_minor": 67, "amount": "0.67"}
    assert {"key": "split.amount", "params": {"party_id": 70, "amount": "0.30", "currency": "CNY"}} in answer[
        "reasons"
    ]


@pytest.mark.parametrize(
    "facts", [{"total_minor": 22.07}, {"total_minor": -1}, {"colour": "red"}, {"roles": {"pilot": []}}]
)
def test_command_line_refuses_with_the_reason(document, tmp_path, capsys, facts):
    order = tmp_path / "order.json"
    order.write_text(json.dumps({"terms": document, "facts": ORDER | facts}))
    assert main(["split", str(order)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("settlement: ")


STATEMENT = """:20:ST1
:25:6210
:28C:7/1
:60F:C260302CNY100,00
:61:2603020302D12,34NTRFWH1//B7
:61:2603020302D5,NTRFWH9
:62F:C260302CNY82,66
"""
EXPECTED = """expected_id,amount,currency,due_on,reference,counterparty
a,-12.34,CNY,2026-03-02,WH1,顺达
b,-7.00,CNY,2026-03-02,WH2,
"""


def test_a_statement_is_printed_with_its_totals(tmp_path, capsys):
    file = tmp_path / "day.sta"
    file.write_text(STATEMENT)
    assert main(["statement", str(file)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["account"], answer["gap"]) == ("6210", "0.00")
    assert answer["totals"] == [{"amount": "-17.34", "currency": "CNY"}]
    assert answer["lines"][0] == {
        "place": "1", "booked_on": "2026-03-02", "value_on": "2026-03-02", "amount": "-12.34",
        "currency": "CNY", "reference": "WH1", "bank_reference": "B7", "code": "NTRF",
        "is_reversal": False, "is_booked": True,
    }  # fmt: skip


def test_a_statement_is_matched_with_what_was_expected(tmp_path, capsys):
    file, expected = tmp_path / "day.sta", tmp_path / "expected.csv"
    file.write_text(STATEMENT)
    expected.write_text(EXPECTED, encoding="utf-8")
    assert main(["reconcile", str(file), str(expected), "--on", "2026-03-09"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["matches"] == [
        {"lines": ["1"], "expected": ["a"], "rule": "reference", "difference": "0.00"}
    ]
    assert [(one["kind"], one["amount"], one["lines"], one["expected"]) for one in answer["differences"]] == [
        ("unknown", "-5.00", ["2"], []),
        ("missing", "7.00", [], ["b"]),
    ]
    assert (answer["suggestions"], answer["open_expected"]) == ([], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("amount\n1", "no column expected_id, currency, due_on"),
        (EXPECTED.replace("-7.00", "seven"), "row 3: 'seven' is no decimal amount"),
        (EXPECTED.replace("2026-03-02,WH2", "2026-02-30,WH2"), "row 3"),
        (EXPECTED + "a,1,CNY,2026-03-02,,\n", "the same id"),
        ("\udcff", "no CSV in UTF-8"),
    ],
)
def test_what_was_expected_is_refused_with_the_row(tmp_path, capsys, text, reason):
    file, expected = tmp_path / "day.sta", tmp_path / "expected.csv"
    file.write_text(STATEMENT)
    expected.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert main(["reconcile", str(file), str(expected), "--on", "2026-03-09"]) == 1
    assert reason in capsys.readouterr().err
