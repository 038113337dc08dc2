"""The engine from a shell; each command prints JSON.

``python -m settlement split order.json``
    the shares of one order, with their reasons (`settlement.split.command`);
``python -m settlement statement FILE``
    a bank's camt.053, MT940 or MT942 as lines with balances and totals;
``python -m settlement reconcile FILE expected.csv --on 2026-03-02``
    its lines against what was expected: matches, suggestions, and a name for every difference
    (`settlement.reconciliation.command`).

A file called ``-`` is standard input. Exit status 1 with the reason on standard error when a file cannot be
read or an order cannot be split, 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from settlement.errors import SettlementError
from settlement.reconciliation import Options
from settlement.reconciliation.command import reconcile_command, statement_command
from settlement.split.command import split_command


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    try:
        answer = _answer(_parser().parse_args(arguments))
    except (OSError, msgspec.DecodeError, SettlementError) as error:
        print(f"settlement: {error}", file=sys.stderr)
        return 1
    print(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m settlement", description="Who gets paid, from a shell.")
    commands = parser.add_subparsers(dest="command", required=True)
    split = commands.add_parser("split", help="print the shares of an order with their reasons as JSON")
    split.add_argument("order", help="JSON file with terms and facts; - for standard input")
    statement = commands.add_parser("statement", help="print a bank's statement as JSON")
    statement.add_argument("file", help="camt.053, MT940 or MT942; - for standard input")
    reconcile = commands.add_parser("reconcile", help="match a bank's statement with what was expected")
    reconcile.add_argument("file", help="camt.053, MT940 or MT942; - for standard input")
    reconcile.add_argument("expected", help="CSV of what was expected")
    reconcile.add_argument(
        "--on",
        type=date.fromisoformat,
        required=True,
        help="day of the comparison: what is due later may come",
    )
    usual = Options()
    reconcile.add_argument("--days-before", type=int, default=usual.days_before)
    reconcile.add_argument("--days-after", type=int, default=usual.days_after)
    reconcile.add_argument("--fee-max-minor", type=int, default=usual.fee_max_minor)
    return parser


def _answer(given: argparse.Namespace) -> Any:
    if given.command == "split":
        return split_command(_content(given.order))
    file = io.BytesIO(_content(given.file))
    if given.command == "statement":
        return statement_command(file)
    options = Options(given.days_before, given.days_after, given.fee_max_minor)
    return reconcile_command(file, Path(given.expected).read_bytes(), options, on=given.on)


def _content(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


if __name__ == "__main__":
    sys.exit(main())
