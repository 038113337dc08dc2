"""What a parcel's scans mean together."""

from dataclasses import dataclass
from datetime import datetime

from tracking.finding import Finding
from tracking.shipment import Milestone, ScanCode


@dataclass(frozen=True, slots=True)
class ShipmentState:
    """The state of a parcel, as `tracking.lifecycle.fold` finds it.

    Attributes:
        milestone: where it stands; `code` is the exact code of the scan that decided it (None where no
            scan has), `since` when that was, `offset_minutes` the offset it was recorded in,
            `decided_by` its scan id, `reason`, `facility_id` and `courier_id` what it carried.
        first_scan_at: the earliest scan of any kind.
        collected_at: when the carrier first had it in hand.
        out_for_delivery_at: the latest departure on a delivery round.
        delivered_at: when it was delivered; None unless the milestone is DELIVERED.
        confirmed_at: when the consignee first confirmed receipt.
        attempts: failed attempts to deliver it, refusals included.
        scan_count: scans that count, without repetitions, voided scans and error declarations.
        terminal: nothing more is expected to happen.
        findings: what does not fit together, in the order of time.
    """

    milestone: Milestone
    code: ScanCode | None
    since: datetime | None
    offset_minutes: int
    facility_id: int | None
    courier_id: int | None
    reason: str | None
    decided_by: str | None
    first_scan_at: datetime | None
    collected_at: datetime | None
    out_for_delivery_at: datetime | None
    delivered_at: datetime | None
    confirmed_at: datetime | None
    attempts: int
    scan_count: int
    terminal: bool
    findings: tuple[Finding, ...] = ()
