"""Statements and bills of payment channels as tables (CSV), read by a mapping that is saved for each source.

A table says its columns in a row of heads, perhaps below some lines of title; rows below it are movements,
and a total at its foot is none. What a mapping cannot read is refused with its row and column: no row is left
out in silence.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from settlement.errors import MoneyError, StatementError
from settlement.money import Money
from settlement.statements.values import LINE_TEXTS, BankLine, Statement

# Channels put these around numbers, so that a spreadsheet keeps them as text.
_WRAPPING = "`'\"= \t\u00a0\ufeff"


@dataclass(frozen=True, slots=True)
class AmountColumns:
    """Where a row says its amount: one signed column, one with a word for the way, or one column a way.

    Attributes:
        signed: its amount; with `way` its magnitude.
        way: which way it went.
        incoming_words: what `way` says of what came in; anything else went out.
        incoming: column of what came in.
        outgoing: column of what went out.
    """

    signed: str | None = None
    way: str | None = None
    incoming_words: frozenset[str] = frozenset()
    incoming: str | None = None
    outgoing: str | None = None

    def __post_init__(self) -> None:
        if (self.signed is None) == (self.incoming is None and self.outgoing is None):
            raise StatementError("amounts: name either one column or those of incoming and outgoing")
        if (self.way is None) != (not self.incoming_words):
            raise StatementError("amounts: a column for the way goes with the words for incoming")

    def columns(self) -> list[str]:
        """All that are named."""
        return [one for one in (self.signed, self.way, self.incoming, self.outgoing) if one is not None]


@dataclass(frozen=True, slots=True)
class TableMapping:
    """How a source's table reads.

    Attributes:
        booked_on: column of the day.
        amounts: columns of the amount.
        currency: of all rows; or `currency_column`.
        columns: the heads of the columns that hold a line's texts, by the text's name (`LINE_TEXTS`).
        date_format: as `strptime` takes it; what follows the day in the cell is left out.
        foot: what the first cell of a total at the foot begins with; from there on nothing is read.
    """

    booked_on: str
    amounts: AmountColumns
    currency: str | None = "CNY"
    currency_column: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    decimal_mark: str = "."
    date_format: str = "%Y-%m-%d"
    foot: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.currency is None) == (self.currency_column is None):
            raise StatementError("name a currency or the column of the currency")
        if unknown := set(self.columns) - set(LINE_TEXTS):
            raise StatementError(f"no field of a bank line: {', '.join(sorted(unknown))}")
        if self.decimal_mark not in (".", ","):
            raise StatementError("the decimal mark is a point or a comma")

    def heads(self) -> set[str]:
        """The columns that a table must have."""
        named = {self.booked_on, *self.amounts.columns(), *self.columns.values()}
        return named | ({self.currency_column} if self.currency_column is not None else set())


def read_table(content: bytes, mapping: TableMapping, *, account: str, statement_id: str) -> Statement:
    """Read a table as a statement of an account.

    Raises:
        StatementError: a column is missing or a cell cannot be read; the message names row and column.
    """
    try:
        text = content.decode(mapping.encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise StatementError(f"the file is not in {mapping.encoding}: {error}") from error
    return Statement(account, statement_id, "", tuple(_lines(text, mapping)))


def _lines(text: str, mapping: TableMapping) -> Iterator[BankLine]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True)
    wanted = mapping.heads()
    place_of: dict[str, int] | None = None
    try:
        for row in rows:
            cells = [cell.strip(_WRAPPING) for cell in row]
            if place_of is None:
                if wanted <= set(cells):
                    place_of = {head: place for place, head in reversed(list(enumerate(cells)))}
                continue
            if not any(cells):
                continue
            if mapping.foot and cells[0].startswith(mapping.foot):
                return
            yield _Row(cells, place_of, mapping, rows.line_num).line()
    except csv.Error as error:
        raise StatementError(f"row {rows.line_num}: {error}") from error
    if place_of is None:
        raise StatementError(f"no row has the heads {', '.join(sorted(wanted))}")


class _Row:
    """One row under its heads."""

    def __init__(
        self, cells: list[str], place_of: dict[str, int], mapping: TableMapping, number: int
    ) -> None:
        self._cells, self._place_of, self._mapping, self._number = cells, place_of, mapping, number

    def line(self) -> BankLine:
        """The row as a movement."""
        mapping = self._mapping
        texts: dict[str, Any] = {name: self._cell(head) for name, head in mapping.columns.items()}
        amount = self._amount()
        return BankLine(str(self._number), amount, self._day(), **texts)

    def _cell(self, head: str) -> str:
        place = self._place_of[head]
        if place >= len(self._cells):
            raise self._wrong(head, "the row is too short")
        return self._cells[place]

    def _day(self) -> date:
        head = self._mapping.booked_on
        text = self._cell(head)
        length = len(date(2000, 12, 30).strftime(self._mapping.date_format))
        try:
            return datetime.strptime(text[:length], self._mapping.date_format).date()  # noqa: DTZ007 - a day
        except ValueError as error:
            raise self._wrong(head, f"{text!r} is no day like {self._mapping.date_format}") from error

    def _amount(self) -> Money:
        amounts, currency = self._mapping.amounts, self._mapping.currency
        if self._mapping.currency_column is not None:
            currency = self._cell(self._mapping.currency_column)
        assert currency is not None, "a mapping names one of the two"
        if amounts.signed is not None:
            amount = self._money(amounts.signed, currency)
            if amounts.way is None:
                return amount
            return amount if self._cell(amounts.way) in amounts.incoming_words else -amount
        total = Money(0, currency)
        for head, sign in ((amounts.incoming, 1), (amounts.outgoing, -1)):
            if head is not None and self._cell(head):
                # Some banks write what goes out with a sign, others without.
                minor = self._money(head, currency).amount_minor
                total += Money(minor if sign > 0 else -abs(minor), currency)
        return total

    def _money(self, head: str, currency: str) -> Money:
        text = self._cell(head)
        grouping = "," if self._mapping.decimal_mark == "." else "."
        plain = text.replace(grouping, "").replace(" ", "").replace(self._mapping.decimal_mark, ".")
        plain = plain.lstrip("+¥￥€$")
        try:
            return Money.parse(plain, currency)
        except MoneyError as error:
            raise self._wrong(head, str(error)) from error

    def _wrong(self, head: str, reason: str) -> StatementError:
        return StatementError(f"row {self._number}, {head}: {reason}")
