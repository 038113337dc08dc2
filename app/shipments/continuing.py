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
from tracking.trail import RECORD_BYTES, SCANS_MAX, record_of
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
    done: dict[int, Change] = {}
    odd: list[tuple[int, Milestone, Marked]] = []
    ids: Iterable[int] = sorted(fresh)
    for place in range(ROUNDS_MAX):
        steps = [(shipment_id, fresh[shipment_id][place]) for shipment_id in ids]
        for change in _round(session, steps, fresh if place == 0 else None):
            one = fresh[change.shipment_id][place]
            if change.odd:
                odd.append((change.shipment_id, Milestone(change.milestone_before), one))
            done[change.shipment_id] = _after(done.get(change.shipment_id), change)
        ids = [one for one in ids if one in done and len(fresh[one]) > place + 1]
        if not ids:
            break
    return Continued(done, odd)


def _after(first: Change | None, then: Change) -> Change:
    if first is None:
        return then
    return then._replace(
        milestone_before=first.milestone_before,
        code_before=first.code_before,
        facility_before=first.facility_before,
        moved=first.moved or then.moved,
        odd=first.odd or then.odd,
    )


def _round(
    session: Session, steps: Sequence[tuple[int, Marked]], all_fresh: Mapping[int, Sequence[Marked]] | None
) -> list[Change]:
    """One scan of each shipment; the shipments that are to be folded anew are only locked."""
    ids = [shipment_id for shipment_id, _one in steps]
    marks, scans = zip(*[one for _id, one in steps], strict=True)
    ats, _ranks, keys = zip(*marks, strict=True)
    if all_fresh is None:
        last = [True] * len(ids)
    else:
        last = [_may_continue(all_fresh[shipment_id]) for shipment_id in ids]
    codes = [scan.code.value for scan in scans]
    rows = execute_plain(
        session,
        _CONTINUE,
        (
            *_rules(codes),
            arrays.numbers(ids),
            arrays.flags(last),
            arrays.texts(codes),
            arrays.moments(ats),
            arrays.texts(keys),
            arrays.sparse([scan.facility_id for scan in scans]),
            arrays.sparse([scan.courier_id for scan in scans]),
            # The device's clock runs ahead of the server's, be it tolerably.
            arrays.flags([scan.occurred_at > at for scan, at in zip(scans, ats, strict=True)]),
            arrays.binaries(
                [record_of(at, scan.code, scan.facility_id) for scan, at in zip(scans, ats, strict=True)]
            ),
            RECORD_BYTES * SCANS_MAX,
            RECORD_BYTES - 1,
        ),
    )
    return list(map(Change._make, rows))


def _may_continue(fresh: Sequence[Marked]) -> bool:
    if len(fresh) == 1:
        return fresh[0][1].corrects is None
    return len(fresh) <= ROUNDS_MAX and all(scan.corrects is None for _mark, scan in fresh)


def _cells(code: str) -> tuple[str, ...]:
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


_CELLS = {code.value: _cells(code) for code in ScanCode}


def _rules(codes: Iterable[str]) -> list[str]:
    """As much of the transition table as some codes ask for, column by column."""
    columns = zip(*[_CELLS[code] for code in set(codes)], strict=True)
    return ["{" + ",".join(column) + "}" for column in columns]


_CONTINUE = """
WITH rule AS MATERIALIZED (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::boolean[], %s::boolean[], %s::boolean[],
        %s::smallint[], %s::boolean[])
        AS rule (before, code, milestone, decides, odd, terminal, attempts, sees)
),
held AS MATERIALIZED (
    SELECT given.*, state.milestone AS milestone_before, state.code AS code_before,
        state.state_facility_id AS facility_before
    FROM unnest(%s::bigint[], %s::boolean[], %s::text[], %s::timestamptz[], %s::text[],
        %s::bigint[], %s::bigint[], %s::boolean[], %s::bytea[])
        AS given (id, is_last, code, at, key, facility_id, courier_id, ahead, record)
    JOIN shipment_state AS state ON state.shipment_id = given.id
    ORDER BY state.shipment_id FOR NO KEY UPDATE OF state
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
WHERE state.shipment_id = held.id AND held.is_last
    AND length(state.trail) < %s
    AND held.record > substr(state.trail, length(state.trail) - %s)
RETURNING state.shipment_id, state.milestone, state.code, state.state_facility_id, held.milestone_before,
    held.code_before, held.facility_before, state.destination_facility_id,
    state.instruction IS NOT NULL OR state.merge_group_id IS NOT NULL, rule.decides,
    rule.odd OR held.ahead
"""
