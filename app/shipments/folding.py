"""From scans to state: new scans continue what is folded already, or all are folded anew.

Most scans come last of their shipment and continue its fold (`app.shipments.continuing`). For one that came
late, corrects another, or speaks of one piece of several, all scans of the shipment are read and folded. Both
ways the state and the findings are those of `tracking.lifecycle.fold` over all scans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.db import arrays, outbox
from app.db.session import execute_plain
from app.shipments.continuing import Change, Continued, Fresh, continue_folds, fresh_of
from app.shipments.findings import FOLD, WATCH, close_findings, open_findings, store_findings
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_id
from app.shipments.scan_values import Heard
from app.shipments.waybills import Known
from tracking.finding import Finding
from tracking.lifecycle import fold, fold_pieces
from tracking.oddity import ahead_of_time, out_of_place
from tracking.shipment import Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import mark_of
from tracking.transitions import TERMINAL, TRANSITIONS

_PICKUP_FAILED = ScanCode.PICKUP_FAILED.value


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of it: the milestone of each shipment, and which of them stand otherwise than before."""

    milestones: Mapping[int, str]
    moved: Sequence[int]


def fold_in(session: Session, heard: Iterable[Heard], known: Mapping[str, Known], *, now: datetime) -> Folded:
    """Bring shipments up to date with scans that were stored just now.

    Locks the shipments in id order. A change that others must hear of goes to the outbox as
    `shipment.state_changed`.

    Args:
        session: of the shipments' tenant.
        heard: the stored scans, each once.
        known: the shipments of their numbers.
        now: the server's time, at which they were received.
    """
    fresh: defaultdict[int, list[Fresh]] = defaultdict(list)
    months = {}
    for one in heard:
        of = known[one.number]
        fresh[of.shipment_id].append(fresh_of(one, now))
        months[of.shipment_id] = of
    if not fresh:
        return Folded({}, ())
    for scans in fresh.values():
        if len(scans) > 1:
            scans.sort()
    continued = continue_folds(session, fresh)
    anew = {shipment_id: of for shipment_id, of in months.items() if shipment_id not in continued.changes}
    changes = list(continued.changes.values())
    open_findings(session, _found(continued, now), source=FOLD)
    if anew:
        changes += _fold_anew(session, anew, now)
    _tell(session, changes, now)
    return Folded(
        {change.shipment_id: change.milestone for change in changes},
        [change.shipment_id for change in changes if change.moved],
    )


def _found(continued: Continued, now: datetime) -> dict[int, list[Finding]]:
    """What is odd about scans that continued a fold."""
    found: defaultdict[int, list[Finding]] = defaultdict(list)
    for shipment_id, met, one in continued.odd:
        scan = scan_of(one.heard, now)
        at = one.at.astimezone(UTC)
        kind = TRANSITIONS[met, scan.code].finding
        if kind is not None:
            found[shipment_id].append(out_of_place(kind, at, scan, met))
        if ahead := ahead_of_time(at, scan):
            found[shipment_id].append(ahead)
    return found


def scan_of(heard: Heard, received_at: datetime) -> Scan:
    """A scan that was heard just now, as `tracking` takes it."""
    sent = heard.scan
    return Scan(
        heard.key,
        heard.code,
        sent.occurred_at.astimezone(UTC),
        sent.offset_minutes,
        received_at.astimezone(UTC),
        sent.device_id,
        sent.client_scan_id,
        heard.facility_id,
        heard.courier_id,
        reason=sent.reason,
        corrects=sent.corrects,
        piece_no=heard.piece_no,
    )


def _fold_anew(session: Session, known: Mapping[int, Known], now: datetime) -> list[Change]:
    """Fold all scans of some shipments, which are locked, and write the states and all findings."""
    rows = execute_plain(
        session,
        "SELECT id, milestone, code, state_since, state_facility_id, destination_facility_id, has_findings "
        "FROM shipment_state JOIN shipment ON id = shipment_id WHERE shipment_id = ANY (%s::bigint[]) "
        "ORDER BY shipment_id",
        (arrays.numbers(known),),
    )
    scans = scans_by_id(session, {shipment_id: of.month for shipment_id, of in known.items()})
    changes, states, refound = [], [], {}
    for shipment_id, milestone, code, since, facility_id, destination_id, has_findings in rows:
        pieces = known[shipment_id].pieces
        state, _counting = state_of_scans(scans[shipment_id], pieces)
        assert state.code is not None, "a shipment has at least the scan it was booked by"
        before = (code, since, facility_id)
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
                moved=before != (state.code, state.since, state.facility_id),
                odd=bool(state.findings),
            )
        )
        states.append((shipment_id, state, _last(scans[shipment_id], pieces)))
        if state.findings or has_findings:
            refound[shipment_id] = state.findings
    _write(session, states)
    store_findings(session, refound, source=FOLD, now=now)
    return changes


_Mark = tuple[datetime, int, str]


def _last(scans: Sequence[Scan], pieces: int) -> tuple[_Mark, bool]:
    """The place in time of the latest scan, and whether a later one may continue from there."""
    return max(map(mark_of, scans)), pieces == 1 and not any(scan.corrects for scan in scans)


def _write(session: Session, states: Sequence[tuple[int, ShipmentState, tuple[_Mark, bool]]]) -> None:
    execute_plain(
        session,
        _UPDATE,
        (
            arrays.numbers([shipment_id for shipment_id, _state, _last in states]),
            arrays.texts([state.milestone for _id, state, _last in states]),
            arrays.texts([state.code for _id, state, _last in states]),
            arrays.moments([state.since for _id, state, _last in states]),
            arrays.sparse([state.facility_id for _id, state, _last in states]),
            arrays.sparse([state.courier_id for _id, state, _last in states]),
            arrays.numbers([state.attempts for _id, state, _last in states]),
            arrays.flags([state.terminal for _id, state, _last in states]),
            arrays.flags([bool(state.findings) for _id, state, _last in states]),
            arrays.sparse_moments([state.delivered_at for _id, state, _last in states]),
            arrays.sparse_moments([state.confirmed_at for _id, state, _last in states]),
            arrays.moments([mark[0] if goes_on else None for _id, _state, (mark, goes_on) in states]),
            arrays.numbers([mark[1] for _id, _state, (mark, _goes_on) in states]),
            arrays.texts([mark[2] for _id, _state, (mark, _goes_on) in states]),
        ),
    )


_UPDATE = """
UPDATE shipment_state SET milestone = given.milestone, code = given.code, state_since = given.since,
    state_facility_id = given.facility_id, state_courier_id = given.courier_id, attempts = given.attempts,
    terminal = given.terminal, has_findings = given.has_findings, delivered_at = given.delivered_at,
    receipt_confirmed_at = given.confirmed_at, last_scan_at = given.last_at, last_scan_rank = given.last_rank,
    last_scan_key = given.last_key
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::boolean[], %s::boolean[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::smallint[],
    %s::text[])
    AS given (id, milestone, code, since, facility_id, courier_id, attempts, terminal, has_findings,
              delivered_at, confirmed_at, last_at, last_rank, last_key)
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
    """Whether others must hear of it: a new milestone, a pickup in vain, the arrival at the last outlet."""
    if change.milestone != change.milestone_before:
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
