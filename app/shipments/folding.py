"""From scans to state: new scans continue what is folded already, or all are folded anew.

Most scans come last of their shipment and continue its fold (`app.shipments.continuing`). For one that came
late, corrects another, or speaks of one piece of several, all scans of the shipment are read and folded. Both
ways the state and the findings are those of `tracking.lifecycle.fold` over all scans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.db import arrays, outbox
from app.db.session import execute_plain
from app.shipments.continuing import Change, Continued, Marked, continue_folds
from app.shipments.findings import FOLD, WATCH, close_findings, open_findings, store_findings
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_id
from app.shipments.waybills import month_of
from tracking.finding import Finding
from tracking.lifecycle import fold, fold_pieces
from tracking.oddity import ahead_of_time, out_of_place
from tracking.position import seen_at
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import Mark, mark_of
from tracking.transitions import TERMINAL, TRANSITIONS

_PICKUP_FAILED = ScanCode.PICKUP_FAILED.value


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of it: the milestone of each shipment, and which of them stand otherwise than before."""

    milestones: Mapping[int, str]
    moved: Sequence[int]


def fold_in(session: Session, fresh: Mapping[int, Sequence[Scan]], *, now: datetime) -> Folded:
    """Bring shipments up to date with scans that were stored just now.

    Locks the shipments in id order. A change that others must hear of goes to the outbox as
    `shipment.state_changed`.

    Args:
        session: of the shipments' tenant.
        fresh: the stored scans by shipment id.
        now: the server's time.
    """
    if not fresh:
        return Folded({}, ())
    in_order = {
        shipment_id: sorted([(mark_of(scan), scan) for scan in scans], key=_by_mark)
        if len(scans) > 1
        else [(mark_of(scans[0]), scans[0])]
        for shipment_id, scans in fresh.items()
    }
    continued = continue_folds(session, in_order)
    anew = [shipment_id for shipment_id in fresh if shipment_id not in continued.changes]
    changes = list(continued.changes.values())
    open_findings(session, _found(continued), source=FOLD)
    if anew:
        changes += _fold_anew(session, anew, now)
    _tell(session, changes, now)
    return Folded(
        {change.shipment_id: change.milestone for change in changes},
        [change.shipment_id for change in changes if change.moved],
    )


def _by_mark(marked: Marked) -> Mark:
    return marked[0]


def _found(continued: Continued) -> dict[int, list[Finding]]:
    """What is odd about scans that continued a fold."""
    found: defaultdict[int, list[Finding]] = defaultdict(list)
    for shipment_id, met, (mark, scan) in continued.odd:
        kind = TRANSITIONS[met, scan.code].finding
        if kind is not None:
            found[shipment_id].append(out_of_place(kind, mark[0], scan, met))
        if ahead := ahead_of_time(mark[0], scan):
            found[shipment_id].append(ahead)
    return found


def _fold_anew(session: Session, shipment_ids: Collection[int], now: datetime) -> list[Change]:
    """Fold all scans of some shipments, which are locked, and write the states and all findings."""
    rows = execute_plain(
        session,
        "SELECT id, pieces, booked_at, milestone, code, state_facility_id, destination_facility_id, "
        "instruction IS NOT NULL OR merge_group_id IS NOT NULL, has_findings "
        "FROM shipment_state JOIN shipment ON id = shipment_id WHERE shipment_id = ANY (%s::bigint[]) "
        "ORDER BY shipment_id",
        (arrays.numbers(shipment_ids),),
    )
    scans = scans_by_id(session, {row[0]: month_of(row[2].astimezone(UTC)) for row in rows})
    changes, states, refound = [], list[_Anew](), {}
    for (
        shipment_id,
        pieces,
        _at,
        milestone,
        code,
        facility_id,
        destination_id,
        followed,
        has_findings,
    ) in rows:
        state, counting = state_of_scans(scans[shipment_id], pieces)
        assert state.code is not None, "a shipment has at least the scan it was booked by"
        changes.append(
            Change(
                shipment_id,
                state.milestone,
                state.code,
                state.facility_id,
                milestone,
                code,
                facility_id,
                destination_id,
                followed,
                # What came late, or corrects, may change its way and leave its state as it was.
                moved=True,
                odd=bool(state.findings),
            )
        )
        last, goes_on = _last(scans[shipment_id], pieces)
        states.append(_Anew(shipment_id, state, seen_at(counting), last, goes_on))
        if state.findings or has_findings:
            refound[shipment_id] = state.findings
    _write(session, states)
    store_findings(session, refound, source=FOLD, now=now)
    return changes


@dataclass(frozen=True, slots=True)
class _Anew:
    """A state folded from all scans, with the place in time of the latest one."""

    shipment_id: int
    state: ShipmentState
    seen_facility_id: int | None
    last: Mark
    goes_on: bool  # whether a later scan may continue from there


def _last(scans: Sequence[Scan], pieces: int) -> tuple[Mark, bool]:
    return max(map(mark_of, scans)), pieces == 1 and not any(scan.corrects for scan in scans)


def _write(session: Session, folded: Sequence[_Anew]) -> None:
    states = [one.state for one in folded]
    execute_plain(
        session,
        _UPDATE,
        (
            arrays.numbers([one.shipment_id for one in folded]),
            arrays.texts([state.milestone for state in states]),
            arrays.texts([state.code for state in states]),
            arrays.moments([state.since for state in states]),
            arrays.sparse([state.facility_id for state in states]),
            arrays.sparse([state.courier_id for state in states]),
            arrays.texts([state.decided_by for state in states]),
            arrays.sparse([one.seen_facility_id for one in folded]),
            arrays.numbers([state.attempts for state in states]),
            arrays.flags([state.terminal for state in states]),
            arrays.flags([bool(state.findings) for state in states]),
            arrays.sparse_moments([state.delivered_at for state in states]),
            arrays.sparse_moments([state.confirmed_at for state in states]),
            arrays.moments([one.last[0] if one.goes_on else None for one in folded]),
            arrays.numbers([one.last[1] for one in folded]),
            arrays.texts([one.last[2] for one in folded]),
        ),
    )


_UPDATE = """
UPDATE shipment_state SET milestone = given.milestone, code = given.code, state_since = given.since,
    state_facility_id = given.facility_id, state_courier_id = given.courier_id,
    state_scan_key = given.decided_by, seen_facility_id = given.seen_facility_id, attempts = given.attempts,
    terminal = given.terminal, has_findings = given.has_findings, delivered_at = given.delivered_at,
    receipt_confirmed_at = given.confirmed_at, last_scan_at = given.last_at, last_scan_rank = given.last_rank,
    last_scan_key = given.last_key
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[],
    %s::bigint[], %s::bigint[], %s::boolean[], %s::boolean[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[], %s::smallint[], %s::text[])
    AS given (id, milestone, code, since, facility_id, courier_id, decided_by, seen_facility_id, attempts,
              terminal, has_findings, delivered_at, confirmed_at, last_at, last_rank, last_key)
WHERE shipment_id = given.id
"""


def _tell(session: Session, changes: Sequence[Change], now: datetime) -> None:
    """To the outbox and to the session what is otherwise now; what the watch found ends with the parcel."""
    events = [
        {"shipment_id": change.shipment_id, "milestone": change.milestone, "code": change.code}
        for change in changes
        if _worth_telling(change)
    ]
    outbox.append_many(session, "shipment.state_changed", events, now=now)
    coming_back = [
        {"shipment_id": change.shipment_id}
        for change in changes
        if change.milestone == Milestone.RETURNING and not _worth_telling(change)
    ]
    outbox.append_many(session, "shipment.coming_back", coming_back, now=now)
    ended = [
        change.shipment_id
        for change in changes
        if change.milestone in TERMINAL and change.milestone_before not in TERMINAL
    ]
    close_findings(session, ended, source=WATCH, now=now)
    changed = {change.shipment_id for change in changes}
    for held in session.identity_map.values():
        if isinstance(held, Shipment) and held.id in changed:
            session.expire(held)  # what the session holds of it is old now


def _worth_telling(change: Change) -> bool:
    """Whether others must hear of it: a new milestone, a pickup in vain, the arrival at the last outlet.

    Where somebody has instructed something about it, or others wait for it, every scan.
    """
    if change.milestone != change.milestone_before or change.followed:
        return True
    if change.code == _PICKUP_FAILED:
        return change.code_before != _PICKUP_FAILED
    return (
        change.facility_id == change.destination_facility_id != change.facility_before
        and change.milestone not in TERMINAL
    )


def state_of_scans(scans: Sequence[Scan], pieces: int) -> tuple[ShipmentState, list[Scan]]:
    """The state of a shipment, and the scans that count for it: no corrections, nothing corrected.

    A shipment of several pieces stands where the least advanced one stands, and since the last of those came
    to stand there; the scans are then those of that piece.
    """
    corrected = {scan.corrects for scan in scans if scan.corrects is not None}
    counting = [scan for scan in scans if scan.code is not ScanCode.VOIDED and scan.scan_id not in corrected]
    if pieces == 1 or all(scan.piece_no is None for scan in scans):
        return fold(scans), counting
    _least, states = fold_pieces(scans, pieces)
    rank = min(state.milestone.rank for state in states)
    last = max(
        (place for place, state in enumerate(states) if state.milestone.rank == rank),
        key=lambda place: (states[place].since is not None, states[place].since, -place),
    )
    return states[last], [scan for scan in counting if scan.piece_no in (None, last + 1)]
