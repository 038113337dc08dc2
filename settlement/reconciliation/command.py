"""The shell's ``statement`` and ``reconcile``.

What was expected is a CSV in UTF-8 with a row of heads: ``expected_id``, ``amount`` (a decimal, credit to the
account positive), ``currency``, ``due_on``, and as far as they are known ``reference``, ``batch_reference``,
``counterparty``, ``counterparty_account``. The answer::

    {"matches": [{"lines": ["1/1"], "expected": ["a"], "rule": "reference", "difference": "0.00"}, ...],
     "suggestions": [{"lines": ["1/7"], "expected": ["c"], "score": 90}, ...],
     "differences": [{"kind": "missing", "amount": "12.00", "currency": "CNY", "since": "2026-03-02",
                      "lines": [], "expected": ["d"]}, ...],
     "open_expected": ["e"]}

Lines are named by their places (`settlement.statements.BankLine.place`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import IO, Any

from settlement.errors import ReconciliationError, SettlementError
from settlement.money import Money
from settlement.reconciliation.matching import reconcile
from settlement.reconciliation.values import Expected, Options, Outcome
from settlement.statements import LINE_TEXTS, BankLine, Statement, read_statements

_NEEDED = ("expected_id", "amount", "currency", "due_on")
_OPTIONAL = ("reference", "batch_reference", "counterparty", "counterparty_account")


def statement_command(file: IO[bytes]) -> list[dict[str, Any]]:
    """The statements of a file.

    Raises:
        StatementError: it cannot be read.
    """
    return [_statement(statement) for statement in read_statements(file)]


def reconcile_command(file: IO[bytes], expected: bytes, options: Options, *, on: date) -> dict[str, Any]:
    """The lines of all statements of a file against what was expected.

    Raises:
        StatementError: the file cannot be read.
        ReconciliationError: what was expected cannot be; the message names the row.
    """
    lines = [line for statement in read_statements(file) for line in statement.lines]
    wanted = read_expected(expected)
    return _outcome(reconcile(lines, wanted, options, on=on), lines, {one.expected_id: one for one in wanted})


def read_expected(content: bytes) -> list[Expected]:
    """What was expected, from CSV.

    Raises:
        ReconciliationError: a head is missing, or a row cannot be read; the message names the row.
    """
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        missing = [head for head in _NEEDED if head not in (rows.fieldnames or ())]
        if missing:
            raise ReconciliationError(f"what was expected has no column {', '.join(missing)}")
        return [_expected(row, rows.line_num) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReconciliationError(f"what was expected is no CSV in UTF-8: {error}") from error


def _expected(row: dict[str, str | None], number: int) -> Expected:
    needed = {head: (row[head] or "").strip() for head in _NEEDED}
    try:
        return Expected(
            needed["expected_id"],
            Money.parse(needed["amount"], needed["currency"]),
            date.fromisoformat(needed["due_on"]),
            **{head: (row.get(head) or "").strip() for head in _OPTIONAL},
        )
    except (SettlementError, ValueError) as error:
        raise ReconciliationError(f"row {number}: {error}") from error


def _statement(statement: Statement) -> dict[str, Any]:
    gap = statement.gap()
    return {
        "account": statement.account,
        "statement_id": statement.statement_id,
        "number": statement.number,
        "is_final": statement.is_final,
        "balances": [{"kind": one.kind, "on": one.on, **_money(one.amount)} for one in statement.balances],
        "totals": [_money(Money(minor, currency)) for currency, minor in statement.totals().items()],
        "gap": None if gap is None else gap.decimal_text(),
        "notes": statement.notes,
        "lines": [_line(line) for line in statement.lines],
    }


def _line(line: BankLine) -> dict[str, Any]:
    texts = {name: getattr(line, name) for name in LINE_TEXTS if getattr(line, name)}
    return {
        "place": line.place,
        "booked_on": line.booked_on,
        "value_on": line.value_on,
        **_money(line.amount),
        **texts,
        "is_reversal": line.is_reversal,
        "is_booked": line.is_booked,
    }


def _outcome(outcome: Outcome, lines: Sequence[BankLine], wanted: dict[str, Expected]) -> dict[str, Any]:
    def places(some: Sequence[int]) -> list[str]:
        return [lines[place].place for place in some]

    return {
        "matches": [
            {
                "lines": places(match.lines),
                "expected": match.expected,
                "rule": match.rule,
                "difference": Money(
                    match.difference_minor, wanted[match.expected[0]].amount.currency
                ).decimal_text(),
            }
            for match in outcome.matches
        ],
        "suggestions": [
            {"lines": places(one.lines), "expected": one.expected, "score": one.score}
            for one in outcome.suggestions
        ],
        "differences": [
            {
                "kind": one.kind,
                **_money(one.amount),
                "since": one.since,
                "lines": places(one.lines),
                "expected": one.expected,
            }
            for one in outcome.differences
        ],
        "open_expected": outcome.open_expected,
    }


def _money(amount: Money) -> dict[str, str]:
    return {"amount": amount.decimal_text(), "currency": amount.currency}
