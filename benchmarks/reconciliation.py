"""A bank's day of 200,000 payouts: read from camt.053, matched, every fault found and named.

The peer reads the same entries with the standard library's XML and looks amounts and references up in a
dictionary: what a script of a finance team does. It names no fault. Limits: 60 seconds, 1 GiB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import _measure  # noqa: F401 - puts the project on the path

from settlement.reconciliation import Options, Outcome, reconcile
from settlement.statements import read_camt053
from tests.support.bank_day import DAY, BankDay, bank_day

SECONDS_MAX, MEBIBYTES_MAX = 60, 1024


def judged(day: BankDay, outcome: Outcome) -> dict[str, int]:
    """Faults found and named, faults named otherwise or not, names for what is right, false matches."""
    named = {(one.kind, one.expected[0] if one.expected else one.lines[0]) for one in outcome.differences}
    false = sum(
        set(match.expected) != {one for place in match.lines for one in day.truth[place]}
        for match in outcome.matches
    )
    return {
        "found and named": len(day.faults & named),
        "not found": len(day.faults - named),
        "named and right": len(named - day.faults),
        "false matches": false,
    }


def read_and_look_up(path: Path, day: BankDay) -> int:
    """The peer; gives the payouts that it leaves open."""
    left = Counter((one.reference, one.amount.decimal_text().lstrip("-")) for one in day.expected)
    with path.open("rb") as file:
        for _event, element in ET.iterparse(file):
            if element.tag.endswith("TxDtls"):
                key = (
                    next(one.text or "" for one in element.iter() if one.tag.endswith("EndToEndId")),
                    next(one.text or "" for one in element.iter() if one.tag.endswith("Amt")),
                )
                if left[key]:
                    left[key] -= 1
            elif element.tag.endswith("Ntry"):
                element.clear()
    return left.total()


def ours(path: Path, payouts: int, faults: int) -> None:
    """Read and match in a process of its own, and print what it took."""
    day = bank_day(payouts, faults, Random(7))
    day.statement = b""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    with path.open("rb") as file:
        (statement,) = read_camt053(file)
    read = time.perf_counter()
    outcome = reconcile(statement.lines, day.expected, Options(), on=DAY + timedelta(days=30))
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'read camt.053':24}  {read - began:8.1f} s  {path.stat().st_size / 1e6:8.0f} MB")
    print(f"{'match and name':24}  {done - read:8.1f} s  {len(outcome.matches):,} matches")
    print(f"{'both':24}  {done - began:8.1f} s  limit {SECONDS_MAX} s")
    print(f"{'memory, with the making':24}  {peak:8.0f} MiB  limit {MEBIBYTES_MAX} MiB, {before:.0f} before")
    for name, count in judged(day, outcome).items():
        print(f"{name:24}  {count:8,}  of {len(day.faults):,} faults")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payouts", type=int, default=200_000)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--statement", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.statement is not None:
        ours(arguments.statement, arguments.payouts, arguments.faults)
        return
    print(f"{arguments.payouts:,} payouts against their statement, {arguments.faults} faults of 11 kinds")
    day = bank_day(arguments.payouts, arguments.faults, Random(7))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "statement.xml"
        path.write_bytes(day.statement)
        began = time.perf_counter()
        left = read_and_look_up(path, day)
        print(
            f"{'peer: dictionary':24}  {time.perf_counter() - began:8.1f} s  {left:,} left open, none named"
        )
        sizes = ["--payouts", str(arguments.payouts), "--faults", str(arguments.faults)]
        subprocess.run([sys.executable, __file__, *sizes, "--statement", str(path)], check=True)


if __name__ == "__main__":
    main()
