"""Folds continued where they stand: most scans come after all that were heard of their parcel.

For such a scan the milestone is all that the transition table remembers, so the state on the row can go on
from there, and the database does it by itself: one statement locks the rows, looks the table up and writes
what follows. The table is the engine's own and comes with the statement. Whatever does not come last is left
to the fold over all scans (`app.shipments.folding`); both ways end in the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain
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
    ids = sorted(fresh)
    done: dict[int, Change] = {}
    odd: list[tuple[int, Milestone, Marked]] = []
    going = [one for one in ids if _may_continue(fresh[one])]
    # Before the lock, since whoever shares the shipments waits from there on.
    asked = _asked(going, [fresh[one][0] for one in going])
    # A statement of its own, so that the next one sees the rows as whoever held them has left them.
    execute_plain(session, _LOCK, (arrays.numbers(ids),))
    for place in range(ROUNDS_MAX):
        if not going:
            break
        if place:
            asked = _asked(going, [fresh[one][place] for one in going])
        for change in map(Change._make, execute_plain(session, _CONTINUE, asked)):
            shipment_id = change.shipment_id
            if change.odd:
                odd.append((shipment_id, Milestone(change.milestone_before), fresh[shipment_id][place]))
            done[shipment_id] = _after(done[shipment_id], change) if shipment_id in done else change
        going = [one for one in going if one in done and len(fresh[one]) > place + 1]
    return Continued(done, odd)


def _after(first: Change, then: Change) -> Change:
    return then._replace(
        milestone_before=first.milestone_before,
        code_before=first.code_before,
        facility_before=first.facility_before,
        moved=first.moved or then.moved,
        odd=first.odd or then.odd,
    )


def _asked(ids: Sequence[int], scans: Sequence[Marked]) -> tuple[object, ...]:
    """What `_CONTINUE` takes of one scan of each shipment."""
    codes, micros, tags, keys, facilities, couriers, ahead = [], [], [], [], [], [], []
    for (at, _rank, key), scan in scans:
        codes.append(scan.code)
        micros.append(micros_of(at))
        tags.append(_TAGS[scan.code.rank][scan.facility_id is not None])
        keys.append(key)
        facilities.append(scan.facility_id)
        couriers.append(scan.courier_id)
        ahead.append(scan.occurred_at > at)  # the device's clock runs ahead of the server's
    return (
        *_rules(codes),
        arrays.numbers(ids),
        arrays.texts(codes),
        arrays.numbers(micros),
        "{" + ",".join(tags) + "}",
        arrays.texts(keys),
        arrays.sparse(facilities),
        arrays.sparse(couriers),
        arrays.flags(ahead) if True in ahead else "{}",
        RECORD_BYTES * SCANS_MAX,
        RECORD_BYTES - 1,
    )


def _may_continue(fresh: Sequence[Marked]) -> bool:
    if len(fresh) == 1:
        return fresh[0][1].corrects is None
    return len(fresh) <= ROUNDS_MAX and not any(scan.corrects for _mark, scan in fresh)


def _cells(code: ScanCode) -> tuple[str, ...]:
    """The column of the transition table that tells of a code, as parts of array literals."""
    column = [(before, cell) for (before, one), cell in TRANSITIONS.items() if one == code]
    parts = (
        [before for before, _cell in column],
        [code for _cell in column],
        [cell.to for _before, cell in column],
        [cell.decides for _before, cell in column],
        [cell.finding is not None for _before, cell in column],
        [cell.to in TERMINAL for _before, cell in column],
        [int(code in FAILED_ATTEMPTS) for _cell in column],
        [code not in PLACELESS for _cell in column],
    )
    return tuple(",".join([str(value) for value in part]) for part in parts)


_CELLS = {code: _cells(code) for code in ScanCode}


def _rules(codes: Iterable[ScanCode]) -> list[str]:
    """As much of the transition table as some codes ask for, column by column."""
    columns = zip(*[_CELLS[code] for code in set(codes)], strict=True)
    return ["{" + ",".join(column) + "}" for column in columns]


# Each code's last byte of a record without a place and with one, as an element of an array literal.
_TAGS = [[f'"\\\\x{tag_of(code, seeing=seeing):02x}"' for seeing in (False, True)] for code in ScanCode]

# The plans of what follows are made once, whatever the values: over arrays they do not depend on what is in
# them, and to make one takes as long as running it over a hundred rows.
_LOCK = """
SELECT set_config('plan_cache_mode', 'force_generic_plan', true), count(*)
FROM (
    SELECT FROM shipment_state WHERE shipment_id = ANY (%s::bigint[])
    ORDER BY shipment_id FOR NO KEY UPDATE
) AS locked
"""
# The rows are locked and seen as they are, so where one lies (`ctid`) holds until it is written.
_CONTINUE = """
WITH rule AS MATERIALIZED (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::boolean[], %s::boolean[], %s::boolean[],
        %s::smallint[], %s::boolean[])
        AS rule (before, code, milestone, decides, odd, terminal, attempts, sees)
),
held AS MATERIALIZED (
    SELECT given.code, 'epoch'::timestamptz + micros * interval '1 microsecond' AS at,
        int8send(micros) || tag AS record, key, facility_id, courier_id, coalesce(ahead, false) AS ahead,
        state.ctid AS place, state.milestone AS milestone_before, state.code AS code_before,
        state.state_facility_id AS facility_before
    FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bytea[], %s::text[], %s::bigint[], %s::bigint[],
        %s::boolean[]) AS given (id, code, micros, tag, key, facility_id, courier_id, ahead)
    JOIN shipment_state AS state ON state.shipment_id = given.id
    WHERE length(state.trail) < %s
        AND int8send(micros) || tag > substr(state.trail, length(state.trail) - %s)
)
UPDATE shipment_state AS state SET
    milestone = rule.milestone,
    code = CASE WHEN rule.decides THEN held.code ELSE state.code END,
    state_since = CASE WHEN rule.decides THEN held.at ELSE state.state_since END,
    state_facility_id = CASE WHEN rule.decides THEN held.facility_id ELSE state.state_facility_id END,
    state_courier_id = CASE WHEN rule.decides THEN held.courier_id ELSE state.state_courier_id END,
    state_scan_key = CASE WHEN rule.decides THEN held.key ELSE state.state_scan_key END,
    seen_facility_id = CASE WHEN rule.sees THEN coalesce(held.facility_id, state.seen_facility_id)
        ELSE state.seen_facility_id END,
    attempts = state.attempts + rule.attempts,
    terminal = rule.terminal,
    has_findings = state.has_findings OR rule.odd OR held.ahead,
    delivered_at = CASE WHEN NOT rule.decides THEN state.delivered_at
        WHEN rule.milestone = 'delivered' THEN held.at END,
    receipt_confirmed_at = CASE WHEN held.code = 'receipt_confirmed'
        THEN coalesce(state.receipt_confirmed_at, held.at) ELSE state.receipt_confirmed_at END,
    trail = state.trail || held.record
FROM held
JOIN rule ON rule.before = held.milestone_before AND rule.code = held.code
WHERE state.ctid = held.place
RETURNING state.shipment_id, state.milestone, state.code, state.state_facility_id, held.milestone_before,
    held.code_before, held.facility_before, state.destination_facility_id,
    state.instruction IS NOT NULL OR state.merge_group_id IS NOT NULL, rule.decides,
    rule.odd OR held.ahead
"""
