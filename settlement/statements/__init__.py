"""What a bank or a payment channel says happened: statements read from camt.053, MT940, MT942 and CSV."""

from settlement.statements.camt import read_camt053
from settlement.statements.detect import read_statements
from settlement.statements.mt import read_mt
from settlement.statements.table import AmountColumns, TableMapping, read_table
from settlement.statements.values import LINE_TEXTS, Balance, BalanceKind, BankLine, Statement

__all__ = [
    "LINE_TEXTS",
    "AmountColumns",
    "Balance",
    "BalanceKind",
    "BankLine",
    "Statement",
    "TableMapping",
    "read_camt053",
    "read_mt",
    "read_statements",
    "read_table",
]
