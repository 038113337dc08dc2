"""A fold that can be continued: where it stands after its latest scan.

Most scans are heard in the order in which they happen. For such a one the walk of `tracking.lifecycle.fold`
need not begin anew: the milestone is all that the transition table remembers, so a shipment's row that keeps
it, with the place in time of the latest scan, can go on from there. The state and the findings are those of
the fold over all scans. What came late, corrects another scan or speaks of one piece of several does not
continue anything: there the scans are folded from the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracking.finding import Finding
from tracking.oddity import ahead_of_time, out_of_place
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.summary import Mark
from tracking.transitions import BY_RANK, FAILED_ATTEMPTS, PLACELESS, TERMINAL

_ATTEMPT_RANKS = frozenset(code.rank for code in FAILED_ATTEMPTS)
_RECEIPT_CONFIRMED = ScanCode.RECEIPT_CONFIRMED.rank
_PLACELESS_RANKS = frozenset(code.rank for code in PLACELESS)


@dataclass(slots=True)
class Tail:
    """What of a folded state the next scan changes; changed in place by `advance`.

    Attributes:
        mark: place in time of the latest scan that is folded in, deciding or not.
        milestone: with `code`, `since`, `facility_id`, `courier_id` and `decided_by` as in `ShipmentState`.
        seen_facility_id: where it was seen last, by any scan that names a facility.
        attempts: failed attempts so far.
        confirmed_at: when the consignee first confirmed receipt.
    """

    mark: Mark
    milestone: Milestone
    code: ScanCode
    since: datetime
    facility_id: int | None
    courier_id: int | None
    decided_by: str
    seen_facility_id: int | None
    attempts: int
    confirmed_at: datetime | None

    @property
    def terminal(self) -> bool:
        """Whether nothing more is expected to happen."""
        return self.milestone in TERMINAL

    @property
    def delivered_at(self) -> datetime | None:
        """When it was delivered; None unless that is its milestone."""
        return self.since if self.milestone is Milestone.DELIVERED else None

    def advance(self, mark: Mark, scan: Scan) -> list[Finding]:
        """Fold in a scan that comes after all others; gives what is odd about it.

        Args:
            mark: of the scan (`tracking.summary.mark_of`), greater than the tail's own.
            scan: neither a correction nor of a single piece.
        """
        assert mark > self.mark, "only what comes later continues a fold"
        at, rank, _ = self.mark = mark
        cell = BY_RANK[self.milestone.rank][rank]
        found = []
        if cell.finding is not None:
            found.append(out_of_place(cell.finding, at, scan, self.milestone))
        if scan.occurred_at > at and (ahead := ahead_of_time(at, scan)):
            found.append(ahead)
        if cell.decides:
            self.milestone, self.code, self.since = cell.to, scan.code, at
            self.facility_id, self.courier_id = scan.facility_id, scan.courier_id
            self.decided_by = scan.scan_id
        if scan.facility_id is not None and rank not in _PLACELESS_RANKS:
            self.seen_facility_id = scan.facility_id
        if rank in _ATTEMPT_RANKS:
            self.attempts += 1
        elif rank == _RECEIPT_CONFIRMED and self.confirmed_at is None:
            self.confirmed_at = at
        return found
