"""What a parcel's scans mean together: `fold(scans) -> ShipmentState`.

The rules are the table of `tracking.transitions`; this module orders the scans and walks the table. The
outcome depends on the set of scans alone, not on the order or the number of times in which they arrive:

1. A scan that comes again (same `scan_id`, or same device and `client_scan_id`) counts once. Where the copies
   differ, the one received first counts and the others are a finding.
2. A scan named by another's `corrects` is removed. An error declaration is itself never undone: what was
   voided by mistake is recorded anew.
3. The rest is ordered by (effective time, rank of the code, scan id). The effective time is `occurred_at`,
   but never later than `received_at`; the rank orders two scans of one instant as ordinary life would.
4. Each scan is looked up in the table, which says whether it decides the state, and what is odd about it.

`Summary`, `merge` and `state_of` give the same state incrementally in any order, without findings
(`tracking.summary`).
"""

from collections.abc import Iterable
from datetime import datetime

from tracking.course import course_of
from tracking.errors import ScanError
from tracking.finding import Finding, FindingKind
from tracking.oddity import CLOCK_TOLERANCE_S, about, ahead_of_time, out_of_place
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import Mark, Summary, mark_of, merge, state_of
from tracking.transitions import FAILED_ATTEMPTS, RULES, TERMINAL, TRANSITIONS

__all__ = [
    "CLOCK_TOLERANCE_S",
    "RULES",
    "TERMINAL",
    "TRANSITIONS",
    "ShipmentState",
    "Summary",
    "fold",
    "fold_pieces",
    "is_failed_attempt",
    "merge",
    "state_of",
]


def is_failed_attempt(code: ScanCode) -> bool:
    """Tell whether a scan with this code adds one to `ShipmentState.attempts`."""
    return code in FAILED_ATTEMPTS


def fold(scans: Iterable[Scan]) -> ShipmentState:
    """Return what the scans of one parcel mean together.

    Args:
        scans: of one parcel (one piece of one shipment), in any order, with any repetitions.

    Returns:
        The state; the same for the same set of scans.
    """
    received = scans if isinstance(scans, (list, tuple)) else list(scans)
    ids = {scan.scan_id for scan in received}
    sent = {(scan.device_id, scan.client_scan_id) for scan in received}
    count = len(received)
    findings: list[Finding] = []
    kept: Iterable[Scan] = received
    if len(ids) != count or len(sent) != count or any(scan.corrects for scan in received):
        kept = _without_copies_and_errors(received, findings)
    marked = [(mark_of(scan), scan) for scan in kept]
    marked.sort(key=_by_mark)
    return _walk(marked, findings)


def _by_mark(item: tuple[Mark, Scan]) -> Mark:
    return item[0]


def _walk(marked: list[tuple[Mark, Scan]], findings: list[Finding]) -> ShipmentState:
    """Walk the table over scans in the order of time."""
    course = course_of(bytes([mark[1] for mark, _scan in marked]))
    for place, met, kind in course.odd:
        (at, _rank, _id), scan = marked[place]
        findings.append(out_of_place(kind, at, scan, met))
    for (at, _rank, _id), scan in marked:
        if scan.occurred_at > at and (ahead := ahead_of_time(at, scan)):
            findings.append(ahead)
    milestone = course.milestone
    deciding = None if course.deciding is None else marked[course.deciding][1]
    since = _at(marked, course.deciding)
    return ShipmentState(
        milestone,
        deciding.code if deciding else None,
        since,
        deciding.offset_minutes if deciding else 0,
        deciding.facility_id if deciding else None,
        deciding.courier_id if deciding else None,
        deciding.reason if deciding else None,
        deciding.scan_id if deciding else None,
        marked[0][0][0] if marked else None,
        _at(marked, course.collected),
        _at(marked, course.out_for_delivery),
        since if milestone is Milestone.DELIVERED else None,
        _at(marked, course.confirmed),
        course.attempts,
        len(marked),
        milestone in TERMINAL,
        tuple(sorted(findings, key=_by_time)) if findings else (),
    )


def _at(marked: list[tuple[Mark, Scan]], place: int | None) -> datetime | None:
    return None if place is None else marked[place][0][0]


def _by_time(finding: Finding) -> tuple[datetime, str]:
    return finding.since, finding.key


def _content(scan: Scan) -> tuple[ScanCode, datetime, int | None, str | None]:
    return scan.code, scan.occurred_at, scan.facility_id, scan.corrects


def _without_copies_and_errors(received: Iterable[Scan], findings: list[Finding]) -> list[Scan]:
    """Return the scans that count, each once, and add what was found on the way."""
    by_id: dict[str, Scan] = {}
    by_sending: dict[tuple[str, str], Scan] = {}
    unique: list[Scan] = []
    conflicting: set[str] = set()
    # `repr` names every field, so that which copy counts never depends on the order of the input.
    for scan in sorted(set(received), key=lambda scan: (scan.received_at, repr(scan))):
        sending = (scan.device_id, scan.client_scan_id)
        first = by_id.get(scan.scan_id) or by_sending.get(sending)
        if first is None:
            unique.append(scan)
            first = scan
        elif _content(scan) != _content(first) and first.scan_id not in conflicting:
            conflicting.add(first.scan_id)
            findings.append(
                about(FindingKind.CONFLICTING_RESEND, scan.received_at, first, (("code", scan.code.value),))
            )
        # A copy under another id stands for the first one, also when an error declaration names it.
        by_id.setdefault(scan.scan_id, first)
        by_sending.setdefault(sending, first)

    removed: set[str] = set()
    for scan in unique:
        if scan.corrects is None:
            continue
        target = by_id.get(scan.corrects)
        if target is None or target.code is ScanCode.VOIDED:
            parameters = (("corrects", scan.corrects),)
            findings.append(about(FindingKind.CORRECTION_UNMATCHED, scan.received_at, scan, parameters))
        else:
            removed.add(target.scan_id)
    return [scan for scan in unique if scan.scan_id not in removed and scan.code is not ScanCode.VOIDED]


def fold_pieces(scans: Iterable[Scan], piece_count: int) -> tuple[ShipmentState, tuple[ShipmentState, ...]]:
    """Return the state of a shipment of several pieces, and the state of each.

    A scan without a piece number speaks of every piece. The shipment stands where its least advanced piece
    stands: it is delivered when the last piece is.

    Args:
        scans: of one shipment.
        piece_count: how many pieces it has, 1 or more.

    Raises:
        ScanError: there is no piece, or a scan names a piece that the shipment does not have.
    """
    if piece_count < 1:
        raise ScanError(f"a shipment has at least one piece, not {piece_count}")
    of_piece: list[list[Scan]] = [[] for _ in range(piece_count)]
    for scan in scans:
        if scan.piece_no is None:
            for one in of_piece:
                one.append(scan)
        elif scan.piece_no <= piece_count:
            of_piece[scan.piece_no - 1].append(scan)
        else:
            raise ScanError(f"scan {scan.scan_id} names piece {scan.piece_no} of {piece_count}")
    pieces = tuple(fold(one) for one in of_piece)
    return min(pieces, key=lambda state: state.milestone.rank), pieces
