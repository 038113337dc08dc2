"""Folds continued where they stand: most scans come after all that were heard of their parcel.

For such a scan the milestone is all that the transition table remembers, so the state on the row can go on
from there, and the database does it by itself: a statement looks the table up and writes what follows. The
table is the engine's own and part of the statement. Whatever does not come last is left to the fold over all
scans (`app.shipments.folding`); both ways end in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.summary import Mark
from tracking.trail import RECORD_BYTES, SCANS_MAX, micros_of, tag_of
from tracking.transitions import FAILED_ATTEMPTS, PLACELESS, TERMINAL, TRANSITIONS

ROUNDS_MAX = 8
"""Scans of one shipment in one batch that are taken one after the other; with more, all are folded anew."""


class Change(NamedTuple):
    """How a shipment stands after some scans, and stood before them.

    Attributes:
        followed: somebody has instructed something about it, or others wait for it.
        moved: one of the scans decided the state.
        odd: the transition table or the clock may find one of them strange.
    """

    shipment_id: int
    milestone: str
    code: str
    facility_id: int | None
    milestone_before: str
    code_before: str
    facility_before: int | None
    destination_facility_id: int
    followed: bool
    moved: bool
    odd: bool


Marked = tuple[Mark, Scan]
"""A scan that was stored just now, with its place in time."""


class Continued(NamedTuple):
    """What came of it, by shipment; and each scan that may be strange, with the milestone that it met."""

    changes: dict[int, Change]
    odd: list[tuple[int, Milestone, Marked]]


def continue_folds(session: Session, fresh: Mapping[int, Sequence[Marked]]) -> Continued:
    """Fold in what comes last of its shipment; locks all the shipments, in id order.

    Args:
        session: of the shipments' tenant.
        fresh: scans by shipment id, in the order of time.

    Returns:
        Nothing of the shipments that are to be folded anew: a scan came late or corrects another, or the
        shipment is of several pieces.
    """
    return _Going(session, fresh).on()


class _Going:
    """The folds of one batch on their way."""

    def __init__(self, session: Session, fresh: Mapping[int, Sequence[Marked]]) -> None:
        self._session = session
        self._fresh = fresh
        self._done: dict[int, Change] = {}
        self._odd: list[tuple[int, Milestone, Marked]] = []

    def on(self) -> Continued:
        """Lock the shipments, and fold their scans one after the other."""
        fresh, ids = self._fresh, sorted(self._fresh)
        # Written before anything is locked, since whoever shares the shipments waits from there on.
        many = len(ids) >= MANY
        asked = _asked(ids, fresh, 0, all_written=many)
        if many:
            execute_plain(self._session, _GATE, (_GATE_CLASS, tenant_of(self._session)))
            missing = set(ids) - self._round(asked, 0)
            if missing:
                # Somebody was at them meanwhile; now they are locked, and seen as he has left them.
                self._round(_asked(sorted(missing), fresh, 0), 0)
        else:
            execute_plain(self._session, _LOCK, (arrays.numbers(ids),))
            self._round(asked, 0)
        for place in range(1, ROUNDS_MAX):
            ids = [one for one in ids if one in self._done and len(fresh[one]) > place]
            if not ids:
                break
            self._round(_asked(ids, fresh, place), place)
        return Continued(self._done, self._odd)

    def _round(self, asked: Sequence[object], place: int) -> set[int]:
        """Fold one scan of each; gives the shipments that were written."""
        rows = execute_plain(self._session, _CONTINUE, asked)
        done = self._done
        for row in rows:
            if row[_MOVED] is None:
                continue
            change = Change._make(row)
            shipment_id = change.shipment_id
            if change.odd:
                met = Milestone(change.milestone_before)
                self._odd.append((shipment_id, met, self._fresh[shipment_id][place]))
            done[shipment_id] = _after(done[shipment_id], change) if shipment_id in done else change
        return {row[0] for row in rows}


def _after(first: Change, then: Change) -> Change:
    return then._replace(
        milestone_before=first.milestone_before,
        code_before=first.code_before,
        facility_before=first.facility_before,
        moved=first.moved or then.moved,
        odd=first.odd or then.odd,
    )


def _asked(
    ids: Sequence[int], fresh: Mapping[int, Sequence[Marked]], place: int, *, all_written: bool = False
) -> tuple[object, ...]:
    """What `_CONTINUE` takes of one scan of each shipment."""
    chosen = [fresh[one][place] for one in ids]
    marks, scans = [mark for mark, _scan in chosen], [scan for _mark, scan in chosen]
    facilities = [scan.facility_id for scan in scans]
    tags = [_TAGS[mark[1]][one is not None] for mark, one in zip(marks, facilities, strict=True)]
    # Whether the device's clock runs ahead of the server's.
    ahead = [scan.occurred_at > mark[0] for mark, scan in chosen]
    return (
        arrays.numbers(ids),
        arrays.texts([scan.code for scan in scans]),
        arrays.numbers([_BEFORE_ROW[mark[1]] for mark in marks]),
        arrays.numbers([micros_of(mark[0]) for mark in marks]),
        "{" + ",".join(tags) + "}",
        arrays.texts([mark[2] for mark in marks]),
        arrays.numbers([_room_for(fresh[one]) + RECORD_BYTES * place for one in ids]),
        arrays.sparse(facilities),
        arrays.sparse([scan.courier_id for scan in scans]),
        arrays.flags(ahead) if True in ahead else "{}",
        all_written,
    )


def _room_for(fresh: Sequence[Marked]) -> int:
    """How long a trail may be for all of them to continue it; none is short enough for some."""
    if len(fresh) == 1:
        return _ROOM if fresh[0][1].corrects is None else _NO_ROOM
    moments = {mark[0] for mark, _scan in fresh}
    if len(fresh) > ROUNDS_MAX or len(moments) < len(fresh) or any(scan.corrects for _mark, scan in fresh):
        return _NO_ROOM
    return RECORD_BYTES * (SCANS_MAX - len(fresh))


def _cell(before: Milestone, code: ScanCode) -> int:
    """What the transition table says of a code after a milestone, as a number."""
    cell = TRANSITIONS[before, code]
    flags = (
        (_DECIDES, cell.decides),
        (_ODD, cell.finding is not None),
        (_TERMINAL, cell.to in TERMINAL),
        (_ATTEMPT, code in FAILED_ATTEMPTS),
        (_SEES, code not in PLACELESS),
    )
    return _MILESTONES.index(cell.to) + sum(bit for bit, here in flags if here)


_MILESTONES = tuple(Milestone)
_DECIDES, _ODD, _TERMINAL, _ATTEMPT, _SEES = (1 << place for place in range(8, 13))
_TO = _DECIDES - 1
# The whole table, a row a code; and before each code's row so many numbers.
_CELLS = [_cell(before, code) for code in ScanCode for before in _MILESTONES]
_BEFORE_ROW = [place * len(_MILESTONES) for place, _code in enumerate(ScanCode)]

# Each code's last byte of a record without a place and with one, as an element of an array literal.
_TAGS = [[f'"\\\\x{tag_of(code, seeing=seeing):02x}"' for seeing in (False, True)] for code in ScanCode]

MANY = 500
"""A batch of so many shipments takes its turn with others like it and locks no rows beforehand, which
costs as much as writing them."""
_GATE_CLASS = 0x666F6C64

# The plans of what follows are made once, whatever the values: over arrays they do not depend on what is in
# them, and to make one takes as long as running it over a hundred rows.
_LOCK = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), count(*)
FROM (
    SELECT FROM shipment_state WHERE shipment_id = ANY (%s::bigint[])
    ORDER BY shipment_id FOR NO KEY UPDATE
) AS locked
"""
_GATE = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), pg_advisory_xact_lock(%s, %s::integer)
"""
# Rows are written, and so locked, in id order: those that go on, or all, and then the others as they were.
# One that somebody has changed since it was looked up here (`xmin` tells) is locked and not written.
_CONTINUE = f"""
WITH held AS MATERIALIZED (
    SELECT given.code, 'epoch'::timestamptz + micros * interval '1 microsecond' AS at,
        int8send(micros) || tag AS record, key, facility_id, courier_id, coalesce(ahead, false) AS ahead,
        state.ctid AS place, state.xmin AS version, state.milestone AS milestone_before,
        state.code AS code_before, state.state_facility_id AS facility_before,
        CASE
            WHEN length(state.trail) <= most
                AND int8send(micros) || tag > substr(state.trail, length(state.trail) - {RECORD_BYTES - 1})
            THEN ('{{{",".join(map(str, _CELLS))}}}'::smallint[])[
                before_row + array_position('{{{",".join(_MILESTONES)}}}'::text[], state.milestone)]
        END AS cell
    FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::bigint[], %s::bytea[], %s::text[], %s::bigint[],
        %s::bigint[], %s::bigint[], %s::boolean[])
        AS given (id, code, before_row, micros, tag, key, most, facility_id, courier_id, ahead)
    JOIN shipment_state AS state ON state.shipment_id = given.id
)
UPDATE shipment_state AS state SET
    milestone = CASE WHEN held.cell IS NULL THEN state.milestone
        ELSE ('{{{",".join(_MILESTONES)}}}'::text[])[(held.cell & {_TO}) + 1] END,
    code = CASE WHEN held.cell & {_DECIDES} <> 0 THEN held.code ELSE state.code END,
    state_since = CASE WHEN held.cell & {_DECIDES} <> 0 THEN held.at ELSE state.state_since END,
    state_facility_id = CASE WHEN held.cell & {_DECIDES} <> 0 THEN held.facility_id
        ELSE state.state_facility_id END,
    state_courier_id = CASE WHEN held.cell & {_DECIDES} <> 0 THEN held.courier_id
        ELSE state.state_courier_id END,
    state_scan_key = CASE WHEN held.cell & {_DECIDES} <> 0 THEN held.key ELSE state.state_scan_key END,
    seen_facility_id = CASE WHEN held.cell & {_SEES} <> 0
        THEN coalesce(held.facility_id, state.seen_facility_id) ELSE state.seen_facility_id END,
    attempts = state.attempts + CASE WHEN held.cell & {_ATTEMPT} <> 0 THEN 1 ELSE 0 END,
    terminal = CASE WHEN held.cell IS NULL THEN state.terminal ELSE held.cell & {_TERMINAL} <> 0 END,
    has_findings = state.has_findings
        OR held.cell IS NOT NULL AND (held.cell & {_ODD} <> 0 OR held.ahead),
    delivered_at = CASE WHEN held.cell & {_DECIDES} <> 0
        THEN CASE WHEN held.cell & {_TO} = {_MILESTONES.index(Milestone.DELIVERED)} THEN held.at END
        ELSE state.delivered_at END,
    receipt_confirmed_at = CASE WHEN held.cell IS NOT NULL AND held.code = 'receipt_confirmed'
        THEN coalesce(state.receipt_confirmed_at, held.at) ELSE state.receipt_confirmed_at END,
    trail = CASE WHEN held.cell IS NULL THEN state.trail ELSE state.trail || held.record END
FROM held
WHERE state.ctid = held.place AND state.xmin = held.version AND (held.cell IS NOT NULL OR %s)
RETURNING state.shipment_id, state.milestone, state.code, state.state_facility_id, held.milestone_before,
    held.code_before, held.facility_before, state.destination_facility_id,
    state.instruction IS NOT NULL OR state.merge_group_id IS NOT NULL, held.cell & {_DECIDES} <> 0,
    held.cell & {_ODD} <> 0 OR held.ahead
"""  # noqa: S608 - the engine's own table and numbers
_ROOM, _NO_ROOM = RECORD_BYTES * (SCANS_MAX - 1), -1
_MOVED = Change._fields.index("moved")
