"""A payout batch as a file for people: CSV that no spreadsheet runs as a program."""

from __future__ import annotations

import csv
import io

from settlement.errors import PayoutError
from settlement.payout.batch import BatchState, Beneficiary, PayoutBatch


def payout_csv(batch: PayoutBatch) -> str:
    """The batch as CSV (RFC 4180, CRLF), items by party id: the same batch gives the same text.

    Text that a spreadsheet would run as a formula is put behind an apostrophe (OWASP, CSV injection).

    Raises:
        PayoutError: the batch is not approved yet.
    """
    if batch.state not in (BatchState.APPROVED, BatchState.EXPORTED, BatchState.SETTLED):
        raise PayoutError(f"batch {batch.batch_id} is {batch.state}: only what is approved leaves the house")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        ["batch_id", "party_id", "beneficiary_name", "account_number", "bank_code", "amount", "currency"]
    )
    for item in sorted(batch.items, key=lambda item: item.party_id):
        to = item.beneficiary or Beneficiary("", "", "")
        cells = [batch.batch_id, str(item.party_id), to.name, to.account_number, to.bank_code]
        writer.writerow([*map(_no_formula, cells), item.amount.decimal_text(), batch.currency])
    return text.getvalue()


_FORMULA_STARTS = frozenset("=+-@＝＋－＠")
_CONTROL_STARTS = frozenset("\t\r\n")


def _no_formula(cell: str) -> str:
    # Spreadsheets also start a formula on full-width signs and skip leading white space.
    return f"'{cell}" if cell.lstrip()[:1] in _FORMULA_STARTS or cell[:1] in _CONTROL_STARTS else cell
