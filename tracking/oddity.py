"""What is odd about a single scan, as findings that name it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tracking.finding import Finding, FindingKind
from tracking.shipment import Milestone, Scan

CLOCK_TOLERANCE_S = 300
"""A device's clock may run ahead of the server's by this much before it is a finding."""

CLOCK_TOLERANCE = timedelta(seconds=CLOCK_TOLERANCE_S)


def about(
    kind: FindingKind, at: datetime, scan: Scan, parameters: tuple[tuple[str, str | int], ...]
) -> Finding:
    """A finding that rests on one scan, and has a key of its own for it."""
    return Finding(f"{kind.value}:{scan.scan_id}", kind, at, (scan.scan_id,), parameters)


def out_of_place(kind: FindingKind, at: datetime, scan: Scan, milestone: Milestone) -> Finding:
    """The transition table finds the scan strange where the parcel stood."""
    return about(kind, at, scan, (("code", scan.code.value), ("milestone", milestone.value)))


def ahead_of_time(at: datetime, scan: Scan) -> Finding | None:
    """The device's clock runs ahead of the server's by more than is tolerated; `at` is the server's time."""
    if scan.occurred_at <= at or scan.occurred_at - at <= CLOCK_TOLERANCE:
        return None
    ahead_s = int((scan.occurred_at - at).total_seconds())
    return about(FindingKind.FROM_THE_FUTURE, at, scan, (("ahead_s", ahead_s),))
