"""How fast scans become a state: parcels of 12 scans.

The limit is a plain sort of the same scans by time, without which no order of arrival can be undone. The peer
takes the last code after that sort, as systems without a transition table do: it knows neither what a late
scan may still change nor what does not fit together.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from operator import attrgetter
from random import Random

from _measure import Contender, print_table

from tracking.lifecycle import fold
from tracking.shipment import Scan, ScanCode
from tracking.summary import Summary, merge, state_of

_LIFE = (
    ScanCode.BOOKED,
    ScanCode.COLLECTED,
    ScanCode.ACCEPTED,
    ScanCode.SORTED,
    ScanCode.DEPARTED,
    ScanCode.ARRIVED,
    ScanCode.SORTED,
    ScanCode.DEPARTED,
    ScanCode.ARRIVED,
    ScanCode.OUT_FOR_DELIVERY,
    ScanCode.DELIVERED,
    ScanCode.RECEIPT_CONFIRMED,
)
_START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_PARCELS = 1_000


def parcel(number: int) -> list[Scan]:
    """The scans of one parcel, in order."""
    return [
        Scan(
            scan_id=f"{number}-{place}",
            code=code,
            occurred_at=_START + timedelta(minutes=number, hours=place),
            offset_minutes=480,
            received_at=_START + timedelta(minutes=number + 1, hours=place),
            device_id="gun-1",
            client_scan_id=f"{number}-{place}",
            facility_id=place,
            courier_id=None,
        )
        for place, code in enumerate(_LIFE)
    ]


def main() -> None:
    random = Random(42)
    ordered = [parcel(number) for number in range(_PARCELS)]
    shuffled = [random.sample(scans, len(scans)) for scans in ordered]
    resent = [[*scans, *random.sample(scans, 3)] for scans in shuffled]
    before_last = []
    for scans in ordered:
        summary = Summary.empty()
        for scan in scans[:-1]:
            summary = merge(summary, Summary.of(scan))
        before_last.append((summary, scans[-1]))
    by_time = attrgetter("occurred_at")
    folded = {fold(scans).milestone for scans in ordered}
    assert folded == {fold(scans).milestone for scans in resent}, "the order of arrival must not matter"

    def sort_only() -> int:
        for scans in shuffled:
            sorted(scans, key=by_time)
        return _PARCELS

    def last_code() -> int:
        for scans in shuffled:
            _ = sorted(scans, key=by_time)[-1].code
        return _PARCELS

    def fold_all(parcels: list[list[Scan]]) -> int:
        for scans in parcels:
            fold(scans)
        return _PARCELS

    def merge_last() -> int:
        for summary, scan in before_last:
            state_of(merge(summary, Summary.of(scan)), scan_count=12)
        return _PARCELS

    print_table(
        "Folding parcels of 12 scans",
        "parcels",
        [
            Contender("limit: sort by time", sort_only),
            Contender("peer: last code wins", last_code, "a late scan can undo a delivery"),
            Contender("fold, in order", lambda: fold_all(ordered)),
            Contender("fold, shuffled", lambda: fold_all(shuffled)),
            Contender("fold, shuffled, 3 sent twice", lambda: fold_all(resent)),
            Contender("summary of 11, and the 12th", merge_last, "without the findings that a fold gives"),
        ],
    )


if __name__ == "__main__":
    main()
