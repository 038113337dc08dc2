"""Who had a parcel when: its scans read as stretches of custody, for `settlement.compensation.attribute`.

Pure: values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from settlement.compensation import Custody
from tracking.shipment import Scan, ScanCode

# The parcel is out of the carriers' hands.
_HANDED_OVER = frozenset(
    {
        ScanCode.DELIVERED,
        ScanCode.DELIVERED_TO_PROXY,
        ScanCode.TAKEN_FROM_POINT,
        ScanCode.TAKEN_FROM_LOCKER,
        ScanCode.RETURNED,
    }
)
# Nobody needs the parcel in his hands to record these, so they move nothing.
_REMOTE = frozenset(
    {
        ScanCode.BOOKED,
        ScanCode.PICKUP_FAILED,
        ScanCode.CANCELLED,
        ScanCode.DELAYED,
        ScanCode.INTERCEPTED,
        ScanCode.REDIRECTED,
        ScanCode.PICKUP_OVERDUE,
        ScanCode.LOST,
        ScanCode.RECEIPT_CONFIRMED,
    }
)
# The courier has it, also where the scan names the outlet he works for; elsewhere the place has it.
_BY_COURIER = frozenset(
    {
        ScanCode.COLLECTED,
        ScanCode.OUT_FOR_DELIVERY,
        ScanCode.ATTEMPT_FAILED,
        ScanCode.REFUSED,
        *_HANDED_OVER,
    }
)


@dataclass(frozen=True, slots=True)
class Parties:
    """To whom the places, couriers and lanes of a parcel belong, by id.

    Args:
        of_facility: the party that runs a facility.
        of_courier: the party a courier works as.
        carrier_from: the carrier of the planned leg that leaves a facility.
        origin_facility_id: where the parcel entered the network; it answers for a courier nobody knows.
    """

    of_facility: Mapping[int, int]
    of_courier: Mapping[int | None, int]
    carrier_from: Mapping[int, int]
    origin_facility_id: int


@dataclass(slots=True)
class _Stretch:
    party_id: int
    facility_id: int | None
    from_at: datetime
    to_at: datetime | None = None
    scan_ids: list[str] = field(default_factory=list)
    damaged_at: datetime | None = None
    lost_at: datetime | None = None

    def value(self) -> Custody:
        return Custody(
            self.party_id,
            self.facility_id,
            self.from_at,
            self.to_at,
            tuple(self.scan_ids),
            self.damaged_at,
            self.lost_at,
        )


def chain(scans: Iterable[Scan], parties: Parties) -> tuple[Custody, ...]:
    """The stretches of custody that a parcel's scans prove, in order of time.

    A scan at a place or by a courier shows who has the parcel; a departure hands it to the carrier of the
    leg that was planned from there, or leaves it with the place that sent it off its way. A report of loss
    is booked to whoever had it last, wherever it was written. Scans that were declared errors do not count.

    Returns:
        Nothing when nobody is shown to have had it.
    """
    heard = list(scans)
    errors = {scan.corrects for scan in heard}
    true = [scan for scan in heard if scan.scan_id not in errors and scan.code is not ScanCode.VOIDED]
    stretches: list[_Stretch] = []
    for scan in sorted(true, key=lambda scan: (scan.occurred_at, scan.code.rank, scan.scan_id)):
        current = stretches[-1] if stretches and stretches[-1].to_at is None else None
        holder = _holder(scan, current, parties)
        if holder is not None and (current is None or (current.party_id, current.facility_id) != holder):
            if current is not None:
                current.to_at = scan.occurred_at
                current.scan_ids.append(scan.scan_id)
            current = _Stretch(*holder, from_at=scan.occurred_at)
            stretches.append(current)
        if current is None:
            continue
        if scan.scan_id not in current.scan_ids and scan.code not in _REMOTE - {ScanCode.LOST}:
            current.scan_ids.append(scan.scan_id)
        if scan.code is ScanCode.DAMAGED:
            current.damaged_at = current.damaged_at or scan.occurred_at
        elif scan.code is ScanCode.LOST:
            current.lost_at = current.lost_at or scan.occurred_at
        elif scan.code in _HANDED_OVER:
            current.to_at = scan.occurred_at
    return tuple(stretch.value() for stretch in stretches)


def _holder(scan: Scan, current: _Stretch | None, parties: Parties) -> tuple[int, int | None] | None:
    """Party and place that a scan shows to have the parcel; None when it shows nobody new."""
    if scan.code in _REMOTE or (scan.code in _HANDED_OVER and current is not None):
        return None
    if scan.code is ScanCode.DEPARTED and scan.facility_id is not None:
        carrier_id = parties.carrier_from.get(scan.facility_id)
        if carrier_id is not None:
            return carrier_id, None
    elif scan.courier_id in parties.of_courier and (scan.facility_id is None or scan.code in _BY_COURIER):
        return parties.of_courier[scan.courier_id], None
    facility_id = scan.facility_id
    if facility_id is None and current is None and scan.code is ScanCode.COLLECTED:
        facility_id = parties.origin_facility_id
    if facility_id is None:
        return None
    return parties.of_facility[facility_id], facility_id
