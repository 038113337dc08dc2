"""From scans to state: new scans continue what is folded already, or all are folded anew.

Most scans come last of their shipment and continue its fold (`app.shipments.continuing`). One that came late
is put where it belongs in the trail on the row (`app.shipments.refolding`). Where one corrects another, or
speaks of one piece of several, all scans of the shipment are read and folded. Every way the state and the
findings are those of `tracking.lifecycle.fold` over all scans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.db import arrays, outbox
from app.db.session import execute_plain
from app.shipments.continuing import Change, Continued, Marked, continue_folds
from app.shipments.findings import FOLD, WATCH, close_findings, open_findings, store_findings
from app.shipments.models import Shipment
from app.shipments.refolding import Standing, Stood, read_stood, standing_of, write_standings
from app.shipments.scan_store import scans_by_id
from app.shipments.waybills import month_of
from tracking.finding import Finding
from tracking.lifecycle import fold, fold_pieces
from tracking.oddity import ahead_of_time, out_of_place
from tracking.position import seen_at
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import Mark, mark_of
from tracking.trail import SCANS_MAX, trail_of
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
    anew = {one: marked for one, marked in in_order.items() if one not in continued.changes}
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


def _fold_anew(session: Session, fresh: Mapping[int, Sequence[Marked]], now: datetime) -> list[Change]:
    """Fold all scans of some shipments, which are locked, and write the states and all findings.

    Args:
        session: of the shipments' tenant.
        fresh: what was stored of them just now, by shipment id.
        now: the server's time.
    """
    standings, special = list[Standing](), dict[int, Stood]()
    stood = {one.shipment_id: one for one in read_stood(session, fresh)}
    for shipment_id, one in stood.items():
        standing = standing_of(one, fresh[shipment_id])
        if standing is None:
            special[shipment_id] = one
        else:
            standings.append(standing)
    if special:
        standings += _whole_scans(session, special, now)
    write_standings(session, standings)
    return [_change(stood[one.shipment_id], one) for one in standings]


def _whole_scans(session: Session, special: Mapping[int, Stood], now: datetime) -> list[Standing]:
    """The fold over whole scans; writes the findings of it."""
    rows = execute_plain(
        session,
        "SELECT id, pieces, booked_at FROM shipment WHERE id = ANY (%s::bigint[])",
        (arrays.numbers(special),),
    )
    scans = scans_by_id(session, {one: month_of(booked_at.astimezone(UTC)) for one, _, booked_at in rows})
    standings, refound = [], {}
    for shipment_id, pieces, _booked_at in rows:
        state, counting = state_of_scans(scans[shipment_id], pieces)
        standings.append(_standing(shipment_id, pieces, scans[shipment_id], state, counting))
        if state.findings or special[shipment_id].has_findings:
            refound[shipment_id] = state.findings
    store_findings(session, refound, source=FOLD, now=now)
    return standings


def _standing(
    shipment_id: int, pieces: int, scans: Sequence[Scan], state: ShipmentState, counting: Sequence[Scan]
) -> Standing:
    """A state folded from all scans, as it is written; a later scan may continue where nothing is special."""
    assert state.code is not None, "a shipment has at least the scan it was booked by"
    goes_on = pieces == 1 and len(scans) <= SCANS_MAX and not any(scan.corrects for scan in scans)
    return Standing(
        shipment_id,
        state.milestone.value,
        state.code.value,
        state.since,
        state.facility_id,
        state.courier_id,
        state.decided_by,
        seen_at(counting),
        state.attempts,
        state.terminal,
        bool(state.findings),
        state.delivered_at,
        state.confirmed_at,
        trail_of(scans) if goes_on else None,
    )


def _change(stood: Stood, then: Standing) -> Change:
    return Change(
        stood.shipment_id,
        then.milestone,
        then.code,
        then.facility_id,
        stood.milestone,
        stood.code,
        stood.facility_id,
        stood.destination_facility_id,
        stood.followed,
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
