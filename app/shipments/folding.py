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

from app.db import outbox
from app.db.session import keep_plans
from app.shipments.continuing import Change, Continued, Marked, continue_folds
from app.shipments.findings import FOLD, WATCH, close_findings, open_findings, store_findings
from app.shipments.models import Shipment
from app.shipments.refolding import Standing, ToldCourse, read_courses, standing_of, write_standings
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
    keep_plans(session)
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
    changes, standings, months = [], list[Standing](), {}
    courses = read_courses(session, shipment_ids)
    for one in courses:
        standing = standing_of(one)
        if standing is None:
            months[one.shipment_id] = month_of(one.booked_at.astimezone(UTC))
        else:
            standings.append(standing)
            changes.append(_change(one, standing))
    if months:
        scans = scans_by_id(session, months)
        refound = {}
        for one in courses:
            if one.shipment_id in months:
                state, counting = state_of_scans(scans[one.shipment_id], one.pieces)
                standing = _standing(one, scans[one.shipment_id], state, counting)
                standings.append(standing)
                changes.append(_change(one, standing))
                if state.findings or one.has_findings:
                    refound[one.shipment_id] = state.findings
        store_findings(session, refound, source=FOLD, now=now)
    write_standings(session, standings)
    return changes


def _standing(
    one: ToldCourse, scans: Sequence[Scan], state: ShipmentState, counting: Sequence[Scan]
) -> Standing:
    """A state folded from all scans, as it is written; a later scan may continue where nothing is special."""
    assert state.code is not None, "a shipment has at least the scan it was booked by"
    last_at, last_rank, last_key = max(map(mark_of, scans))
    goes_on = one.pieces == 1 and not any(scan.corrects for scan in scans)
    return Standing(
        one.shipment_id,
        state.milestone.value,
        state.code.value,
        _text(state.since),
        state.facility_id,
        state.courier_id,
        state.decided_by,
        seen_at(counting),
        state.attempts,
        state.terminal,
        bool(state.findings),
        _text(state.delivered_at),
        _text(state.confirmed_at),
        _text(last_at) if goes_on else None,
        last_rank,
        last_key,
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _change(one: ToldCourse, then: Standing) -> Change:
    return Change(
        one.shipment_id,
        then.milestone,
        then.code,
        then.facility_id,
        one.milestone,
        one.code,
        one.facility_id,
        one.destination_facility_id,
        one.followed,
        # What came late, or corrects, may change its way and leave its state as it was.
        moved=True,
        odd=then.has_findings,
    )


def _tell(session: Session, changes: Sequence[Change], now: datetime) -> None:
    """To the outbox and to the session what is otherwise now; what the watch found ends with the parcel."""
    events = [
        {
            "shipment_id": change.shipment_id,
            "milestone": change.milestone,
            "code": change.code,
            "is_new": change.milestone != change.milestone_before,
        }
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
