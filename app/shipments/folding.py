"""From scans to state: new scans continue what is folded already, or all are folded anew.

A shipment's row holds its state and the place in time of the latest scan in it. A scan that comes after that
place continues the fold (`tracking.tail`); for one that came late, corrects another, or speaks of one piece
of several, all scans of the shipment are read and folded. Both ways the state and the findings are those of
`tracking.lifecycle.fold` over all scans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.db import arrays, outbox
from app.db.session import execute_plain
from app.shipments.findings import FOLD, WATCH, close_findings, open_findings, store_findings
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_id
from app.shipments.waybills import month_of
from tracking.finding import Finding
from tracking.lifecycle import fold, fold_pieces
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.state import ShipmentState
from tracking.summary import mark_of
from tracking.tail import Tail

_LOCKED_AT_ONCE = 2_000
_MILESTONES = {one.value: one for one in Milestone}
_CODES = {one.value: one for one in ScanCode}
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Row:
    """A shipment's row under its lock, and what it becomes."""

    shipment_id: int
    pieces: int
    booked_at: datetime
    destination_facility_id: int
    tail: Tail
    terminal: bool
    has_findings: bool
    delivered_at: datetime | None
    continues: bool
    followed: bool
    told: tuple[Milestone, ScanCode, int | None]
    moved: bool = False
    found: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Folded:
    """What came of it: the milestone of each shipment, and which of them stand otherwise than before."""

    milestones: Mapping[int, Milestone]
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
    rows = _locked(session, sorted(fresh))
    anew: dict[int, _Row] = {}
    for row in rows:
        marked = sorted([(mark_of(scan), scan) for scan in fresh[row.shipment_id]], key=lambda one: one[0])
        if row.continues and marked[0][0] > row.tail.mark and not any(scan.corrects for _, scan in marked):
            _continue(row, marked)
        else:
            anew[row.shipment_id] = row
    scans = scans_by_id(session, {row.shipment_id: month_of(row.booked_at) for row in anew.values()})
    refound = {
        shipment_id: findings
        for shipment_id, row in anew.items()
        if (findings := _fold_anew(row, scans[shipment_id])) or row.has_findings
    }
    _store(session, rows, refound, now)
    return Folded(
        {row.shipment_id: row.tail.milestone for row in rows}, [row.shipment_id for row in rows if row.moved]
    )


def _locked(session: Session, shipment_ids: Sequence[int]) -> list[_Row]:
    """The rows in id order; a few thousand at a time, which the planner answers from the key's index."""
    rows = []
    for start in range(0, len(shipment_ids), _LOCKED_AT_ONCE):
        found = execute_plain(
            session,
            "SELECT id, pieces, booked_at, destination_facility_id, milestone, code, state_since, "
            "state_facility_id, state_courier_id, attempts, terminal, has_findings, delivered_at, "
            "receipt_confirmed_at, last_scan_at, last_scan_rank, last_scan_key, "
            "instruction IS NOT NULL OR merge_group_id IS NOT NULL "
            "FROM shipment WHERE id = ANY (%s::bigint[]) ORDER BY id FOR NO KEY UPDATE",
            (arrays.numbers(shipment_ids[start : start + _LOCKED_AT_ONCE]),),
        )
        rows += [_row(*values) for values in found]
    return rows


def _row(
    shipment_id: int,
    pieces: int,
    booked_at: datetime,
    destination_id: int,
    milestone: str,
    code: str,
    since: datetime,
    facility_id: int | None,
    courier_id: int | None,
    attempts: int,
    terminal: bool,
    has_findings: bool,
    delivered_at: datetime | None,
    confirmed_at: datetime | None,
    last_at: datetime | None,
    last_rank: int,
    last_key: str,
    followed: bool,
) -> _Row:
    mark = (_NEVER if last_at is None else last_at.astimezone(UTC), last_rank, last_key)
    stands, exactly = _MILESTONES[milestone], _CODES[code]
    tail = Tail(
        mark, stands, exactly, since.astimezone(UTC), facility_id, courier_id, attempts, _utc(confirmed_at)
    )
    return _Row(
        shipment_id,
        pieces,
        booked_at.astimezone(UTC),
        destination_id,
        tail,
        terminal,
        has_findings,
        _utc(delivered_at),
        last_at is not None,
        followed,
        (stands, exactly, facility_id),
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _continue(row: _Row, marked: Iterable[tuple[tuple[datetime, int, str], Scan]]) -> None:
    tail = row.tail
    before = tail.code, tail.facility_id, tail.since
    for mark, scan in marked:
        row.found += tail.advance(mark, scan)
    row.moved = before != (tail.code, tail.facility_id, tail.since)


def _fold_anew(row: _Row, scans: Sequence[Scan]) -> tuple[Finding, ...]:
    """Fold all scans; gives all that is odd about them."""
    state, _counting = state_of_scans(scans, row.pieces)
    assert state.code is not None, "a shipment has at least the scan it was booked by"
    assert state.since is not None, "a decided state has a time"
    before = row.tail.code, row.tail.facility_id, row.tail.since
    row.continues = row.pieces == 1 and not any(scan.corrects for scan in scans)
    row.tail = Tail(
        max(map(mark_of, scans)),
        state.milestone,
        state.code,
        state.since,
        state.facility_id,
        state.courier_id,
        state.attempts,
        state.confirmed_at,
    )
    row.moved = before != (state.code, state.facility_id, state.since)
    return state.findings


def _store(
    session: Session, rows: Sequence[_Row], refound: Mapping[int, tuple[Finding, ...]], now: datetime
) -> None:
    opened = {row.shipment_id: row.found for row in rows if row.found}
    open_findings(session, opened, source=FOLD)
    store_findings(session, refound, source=FOLD, now=now)
    ended = [row.shipment_id for row in rows if row.tail.terminal and not row.terminal]
    _write(session, rows, refound)
    events = [
        {"shipment_id": row.shipment_id, "milestone": row.tail.milestone, "code": row.tail.code}
        for row in rows
        if _worth_telling(row)
    ]
    outbox.append_many(session, "shipment.state_changed", events, now=now)
    close_findings(session, ended, source=WATCH, now=now)
    changed = {row.shipment_id for row in rows}
    for held in session.identity_map.values():
        if isinstance(held, Shipment) and held.id in changed:
            session.expire(held)  # what the session holds of it is old now


def _write(session: Session, rows: Sequence[_Row], refound: Mapping[int, tuple[Finding, ...]]) -> None:
    tails = [row.tail for row in rows]
    execute_plain(
        session,
        _UPDATE,
        (
            arrays.numbers([row.shipment_id for row in rows]),
            arrays.texts([tail.milestone for tail in tails]),
            arrays.texts([tail.code for tail in tails]),
            arrays.moments([tail.since for tail in tails]),
            arrays.numbers([tail.facility_id for tail in tails]),
            arrays.numbers([tail.courier_id for tail in tails]),
            arrays.numbers([tail.attempts for tail in tails]),
            arrays.flags([tail.terminal for tail in tails]),
            arrays.flags(
                [
                    bool(refound[row.shipment_id])
                    if row.shipment_id in refound
                    else row.has_findings or bool(row.found)
                    for row in rows
                ]
            ),
            arrays.moments([tail.delivered_at for tail in tails]),
            arrays.moments([tail.confirmed_at for tail in tails]),
            arrays.moments([row.tail.mark[0] if row.continues else None for row in rows]),
            arrays.numbers([tail.mark[1] for tail in tails]),
            arrays.texts([tail.mark[2] for tail in tails]),
        ),
    )


_UPDATE = """
UPDATE shipment SET milestone = given.milestone, code = given.code, state_since = given.since,
    state_facility_id = given.facility_id, state_courier_id = given.courier_id, attempts = given.attempts,
    terminal = given.terminal, has_findings = given.has_findings, delivered_at = given.delivered_at,
    receipt_confirmed_at = given.confirmed_at, last_scan_at = given.last_at, last_scan_rank = given.last_rank,
    last_scan_key = given.last_key
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[],
    %s::boolean[], %s::boolean[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::smallint[],
    %s::text[])
    AS given (id, milestone, code, since, facility_id, courier_id, attempts, terminal, has_findings,
              delivered_at, confirmed_at, last_at, last_rank, last_key)
WHERE shipment.id = given.id
"""


def _worth_telling(row: _Row) -> bool:
    """Whether others must hear of it: a new milestone, a pickup in vain, the arrival at the last outlet.

    Where somebody has instructed something about it, or others wait for it, every scan.
    """
    milestone, code, facility_id = row.told
    tail = row.tail
    if tail.milestone is not milestone or row.followed:
        return True
    if tail.code is ScanCode.PICKUP_FAILED:
        return code is not ScanCode.PICKUP_FAILED
    return tail.facility_id == row.destination_facility_id != facility_id and not tail.terminal


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
