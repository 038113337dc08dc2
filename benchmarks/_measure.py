"""What the benchmarks share: contenders measured in turns, and one table.

Contenders of one table do the same work in the same process and in turns, a slice of time each, so that a
busy machine slows all of them alike. The best turn counts: whatever else runs on a machine can only slow one
down. The median stands beside it and tells how quiet the machine was.

Importing this puts the project on the path, since `python benchmarks/fold.py` puts only `benchmarks` there.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TURNS = 15


@dataclass(frozen=True, slots=True)
class Contender:
    """One line of a table.

    Attributes:
        name: what it is; "limit:" and "peer:" in front say what it stands there for.
        run: does the work once and returns how many operations that were.
        remark: what the figure alone would hide.
    """

    name: str
    run: Callable[[], int]
    remark: str = ""


def print_table(title: str, unit: str, contenders: Sequence[Contender]) -> None:
    """Measure the contenders and print operations a second; the first one is what the others are held to.

    `--seconds` on the command line is the time for each contender (default 2).
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each contender (default 2)")
    slice_s = parser.parse_args().seconds / TURNS
    rates: list[list[float]] = [[] for _ in contenders]
    for contender in contenders:
        contender.run()  # caches are filled, code is specialised
    for _ in range(TURNS):
        for contender, own in zip(contenders, rates, strict=True):
            own.append(_rate(contender.run, slice_s))
    width = max(len(contender.name) for contender in contenders)
    print(f"{title}  (Python {platform.python_version()}, {os.cpu_count()} cores, one process)")
    print(f"{'':{width}}  {unit + '/s':>12}  {'median':>12}  {'of first':>8}")
    for contender, own in zip(contenders, rates, strict=True):
        best = max(own)
        line = f"{contender.name:{width}}  {best:12,.0f}  {statistics.median(own):12,.0f}"
        print(f"{line}  {best / max(rates[0]):8.4f}  {contender.remark}".rstrip())


def _rate(run: Callable[[], int], seconds: float) -> float:
    began = time.perf_counter()
    done = 0
    while (spent := time.perf_counter() - began) < seconds or not done:
        done += run()
    return done / spent
