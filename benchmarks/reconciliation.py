"""A bank's day of 200,000 payouts: read from camt.053, matched, every fault found and named.

The limit is the XML parser alone, which looks at every element and keeps nothing. The peer reads references
and amounts with the standard library's XML and ticks them off in a dictionary, as a script of a finance team
does; it names no fault. Needed: 60 seconds, 1 GiB, every fault, no false match.
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
from lxml import etree

from settlement.reconciliation import DifferenceKind, Options, Outcome, reconcile
from settlement.statements import read_camt053
from tests.support.bank_day import DAY, BankDay, bank_day

PAYOUTS, FAULTS = 200_000, 500
SECONDS_MAX, MEBIBYTES_MAX = 60, 1024
PAYOUTS_A_SECOND = 8_000  # about; says how many there are in the time asked for


def judged(day: BankDay, outcome: Outcome) -> str:
    """Faults found and named, names for what is right, false matches."""
    named = {(one.kind, one.expected[0] if one.expected else one.lines[0]) for one in outcome.differences}
    false = sum(
        set(match.expected) != {one for place in match.lines for one in day.truth[place]}
        for match in outcome.matches
    )
    return (
        f"{len(day.faults & named)} of {len(day.faults)} faults found and named, "
        f"{len(named - day.faults)} names for what is right, {false} false matches"
    )


def parsed_alone(path: Path) -> None:
    """The limit: every element of the file, and nothing else."""
    for _event, element in etree.iterparse(path, tag="{*}Ntry"):
        element.clear()


def ticked_off(path: Path, day: BankDay) -> int:
    """The peer; gives how many payouts it leaves open."""
    left = Counter((one.reference, one.amount.decimal_text().lstrip("-")) for one in day.expected)
    with path.open("rb") as file:
        for _event, element in ET.iterparse(file):
            if element.tag.endswith("TxDtls"):
                reference = next(one.text or "" for one in element.iter() if one.tag.endswith("EndToEndId"))
                amount = next(one.text or "" for one in element.iter() if one.tag.endswith("Amt"))
                if left[reference, amount]:
                    left[reference, amount] -= 1
            elif element.tag.endswith("Ntry"):
                element.clear()
    return left.total()


def ours(path: Path, payouts: int, faults: int) -> None:
    """Read and match, in a process of its own so that its memory is its own, and print what it took."""
    day = bank_day(payouts, faults, Random(7))
    day.statement = b""
    began = time.perf_counter()
    with path.open("rb") as file:
        (statement,) = read_camt053(file)
    read = time.perf_counter()
    outcome = reconcile(statement.lines, day.expected, Options(), on=DAY + timedelta(days=30))
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'settlement.statements':28}  {read - began:8.2f}  read")
    print(f"{'settlement.reconciliation':28}  {done - read:8.2f}  {len(outcome.matches):,} matches")
    print(f"{'both':28}  {done - began:8.2f}  needed {SECONDS_MAX}; {peak:.0f} of {MEBIBYTES_MAX} MiB")
    print(judged(day, outcome))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payouts", type=int, default=PAYOUTS)
    parser.add_argument("--faults", type=int, default=FAULTS)
    parser.add_argument("--seconds", type=float, help="as many payouts as take about so long")
    parser.add_argument("--statement", type=Path, help=argparse.SUPPRESS)  # the process that is measured
    arguments = parser.parse_args()
    payouts, faults = arguments.payouts, arguments.faults
    if arguments.seconds is not None:
        payouts = min(payouts, max(1_000, int(arguments.seconds * PAYOUTS_A_SECOND)))
        faults = min(faults, payouts // 10)
    if arguments.statement is not None:
        ours(arguments.statement, payouts, faults)
        return
    day = bank_day(payouts, faults, Random(7))
    print(f"{payouts:,} payouts against their statement, {faults} faults of {len(DifferenceKind)} kinds")
    print(f"{'':28}  {'seconds':>8}")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "statement.xml"
        path.write_bytes(day.statement)
        began = time.perf_counter()
        parsed_alone(path)
        seconds, size = time.perf_counter() - began, path.stat().st_size
        print(f"{'limit: the parser alone':28}  {seconds:8.2f}  {size:,} bytes")
        began = time.perf_counter()
        left = ticked_off(path, day)
        print(f"{'peer: ticked off':28}  {time.perf_counter() - began:8.2f}  {left:,} left open, none named")
        sys.stdout.flush()
        sizes = ["--payouts", str(payouts), "--faults", str(faults)]
        subprocess.run([sys.executable, __file__, *sizes, "--statement", str(path)], check=True)


if __name__ == "__main__":
    main()
