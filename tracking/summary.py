"""A summary of scans that is small, and can be merged in any order.

`state_of(merge(Summary.of(a), Summary.of(b)))` tells the state of {a, b} without keeping a and b. A
shipment's row can store it, so that a batch of new scans costs one read, one merge and one write.

`merge` is associative, commutative and idempotent (a join semilattice). What it can not do, said openly:

* **Counters.** Without the ids of all scans a repeated scan cannot be told from a new one, so the summary
  has none. Who stores scans knows which rows were new, and passes the counts to `state_of`.
* **Findings.** They come from the walk over all scans; `state_of` returns none.
* **Error declarations.** What a removed scan hid is not in the summary. A summary that has seen a
  declaration says `needs_fold`, for good, and `state_of` raises; such a parcel is folded from its scans.
* **A resend with other content** under the same id. The store must refuse it (both unique keys);
  `fold` keeps the first that was received, a summary merges both.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from tracking.errors import SummaryIncomplete
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.transitions import COLLECTING, LATEST_WINS, RETURN_SWITCHES, RULES, TERMINAL, Tier

Mark = tuple[datetime, int, str]
"""Place of a scan in time: (effective time, rank of its code, scan id)."""

_CODES = tuple(ScanCode)
_TIERS = tuple(RULES[code].tier for code in ScanCode)
_MILESTONES = tuple(RULES[code].milestone for code in ScanCode)


def mark_of(scan: Scan) -> Mark:
    """Return where `scan` stands in time.

    The effective time is the device's, but never later than the server received it: a clock that runs ahead
    must not decide the state of a parcel until its future has passed.
    """
    effective_at = scan.occurred_at if scan.occurred_at <= scan.received_at else scan.received_at
    return effective_at, scan.code.rank, scan.scan_id


@dataclass(frozen=True, slots=True)
class Summary:
    """What is worth keeping of a set of scans.

    Attributes:
        deciding: (mark, offset_minutes, facility_id, courier_id, reason) of the scan that decides the
            state, or None; the rank in its mark is the code.
        switch: mark of the latest scan that started or ended the way back to the sender.
        needs_fold: an error declaration was seen; only the fold over all scans knows the state.
    """

    deciding: tuple[Mark, int, int | None, int | None, str | None] | None
    switch: Mark | None
    first_scan_at: datetime | None
    collected_at: datetime | None
    out_for_delivery_at: datetime | None
    confirmed_at: datetime | None
    needs_fold: bool

    @classmethod
    def empty(cls) -> Self:
        """Return the summary of no scans, the neutral element of `merge`."""
        return cls(None, None, None, None, None, None, needs_fold=False)

    @classmethod
    def of(cls, scan: Scan) -> Self:
        """Return the summary of one scan."""
        mark, code = mark_of(scan), scan.code
        if code is ScanCode.VOIDED:
            return cls(None, None, None, None, None, None, needs_fold=True)
        at = mark[0]
        decides = _TIERS[code.rank] is not Tier.NOTE
        return cls(
            (mark, scan.offset_minutes, scan.facility_id, scan.courier_id, scan.reason) if decides else None,
            mark if code in RETURN_SWITCHES else None,
            at,
            at if code in COLLECTING else None,
            at if code is ScanCode.OUT_FOR_DELIVERY else None,
            at if code is ScanCode.RECEIPT_CONFIRMED else None,
            needs_fold=scan.corrects is not None,
        )


def _earlier(a: datetime | None, b: datetime | None) -> datetime | None:
    if a is None or b is None:
        return b if a is None else a
    return a if a <= b else b


def _later(a: datetime | None, b: datetime | None) -> datetime | None:
    if a is None or b is None:
        return b if a is None else a
    return a if a >= b else b


def merge(a: Summary, b: Summary) -> Summary:
    """Return the summary of the scans of both: associative, commutative, idempotent."""
    deciding, other = a.deciding, b.deciding
    if deciding is None:
        deciding = other
    elif other is not None:
        tier, other_tier = _TIERS[deciding[0][1]], _TIERS[other[0][1]]
        if other[0] == deciding[0]:
            # One scan; or two that share an id, which the store must not let in: any fixed choice is right.
            deciding = deciding if deciding == other else max(deciding, other, key=repr)
        elif tier is other_tier:
            if (other[0] > deciding[0]) is (tier in LATEST_WINS):
                deciding = other
        elif other_tier > tier:
            deciding = other
    switch = a.switch
    if switch is None or (b.switch is not None and b.switch > switch):
        switch = b.switch
    return Summary(
        deciding,
        switch,
        _earlier(a.first_scan_at, b.first_scan_at),
        _earlier(a.collected_at, b.collected_at),
        _later(a.out_for_delivery_at, b.out_for_delivery_at),
        _earlier(a.confirmed_at, b.confirmed_at),
        a.needs_fold or b.needs_fold,
    )


def state_of(summary: Summary, *, attempts: int = 0, scan_count: int = 0) -> ShipmentState:
    """Return the state that `tracking.lifecycle.fold` finds for the same scans, without its findings.

    Args:
        summary: of all scans of the parcel.
        attempts: failed attempts, counted by who stores the scans (`FAILED_ATTEMPTS` names the codes).
        scan_count: scans that count, likewise.

    Raises:
        SummaryIncomplete: an error declaration was seen; fold all scans instead.
    """
    if summary.needs_fold:
        raise SummaryIncomplete("the scans hold an error declaration; fold all of them")
    milestone, code = Milestone.PENDING, None
    since = delivered_at = scan_id = facility_id = courier_id = reason = None
    offset_minutes = 0
    if summary.deciding is not None:
        (since, rank, scan_id), offset_minutes, facility_id, courier_id, reason = summary.deciding
        code, milestone = _CODES[rank], _MILESTONES[rank]
        switch = summary.switch
        if _TIERS[rank] is Tier.CUSTODY and switch and switch[1] == ScanCode.RETURNING.rank:
            milestone = Milestone.RETURNING
        if milestone is Milestone.DELIVERED:
            delivered_at = since
    return ShipmentState(
        milestone=milestone,
        code=code,
        since=since,
        offset_minutes=offset_minutes,
        facility_id=facility_id,
        courier_id=courier_id,
        reason=reason,
        decided_by=scan_id,
        first_scan_at=summary.first_scan_at,
        collected_at=summary.collected_at,
        out_for_delivery_at=summary.out_for_delivery_at,
        delivered_at=delivered_at,
        confirmed_at=summary.confirmed_at,
        attempts=attempts,
        scan_count=scan_count,
        terminal=milestone in TERMINAL,
    )
