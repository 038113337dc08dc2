"""Folds over all scans of a shipment, by the trail on its row wherever nothing about them is special.

A scan that comes late changes what those after it mean, so all of them count again. The row keeps of each
when it was and what it said (`tracking.trail`), and the engine knows from that where the parcel stands and
which scan decided it (`tracking.course`). That is the late one itself, or the one that decided before. What
is special goes to the fold over whole scans (`app.shipments.folding`): corrections, several pieces, clocks
ahead of the server's, scans of one moment, anything odd.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain
from tracking.course import course_of
from tracking.shipment import Milestone, Scan, ScanCode
from tracking.summary import Mark
from tracking.trail import SCANS_MAX, at_of, last_seeing, ranks_of, record_of, records_of
from tracking.transitions import TERMINAL


class Stood(NamedTuple):
    """A shipment as it stands before.

    Attributes:
        followed: somebody has instructed something about it, or others wait for it.
        trail: of all scans so far; None where only whole scans tell.
    """

    shipment_id: int
    milestone: str
    code: str
    facility_id: int | None
    courier_id: int | None
    decided_by: str
    seen_facility_id: int | None
    destination_facility_id: int
    followed: bool
    has_findings: bool
    trail: bytes | None


class Standing(NamedTuple):
    """A row of `shipment_state` as the scans fold to it."""

    shipment_id: int
    milestone: str
    code: str
    since: datetime | None
    facility_id: int | None
    courier_id: int | None
    decided_by: str | None
    seen_facility_id: int | None
    attempts: int
    terminal: bool
    has_findings: bool
    delivered_at: datetime | None
    confirmed_at: datetime | None
    trail: bytes | None


_CODES = tuple(ScanCode)


def read_stood(session: Session, shipment_ids: Collection[int]) -> list[Stood]:
    """How some shipments, which the session has locked, stand; in id order."""
    return list(map(Stood._make, execute_plain(session, _READ, (arrays.numbers(shipment_ids),))))


def standing_of(stood: Stood, fresh: Sequence[tuple[Mark, Scan]]) -> Standing | None:
    """What all scans fold to with some that are stored just now; None where whole scans have to be looked at.

    Args:
        stood: the shipment before them.
        fresh: each with its place in time.
    """
    if stood.trail is None or stood.has_findings:
        return None
    new: dict[bytes, Scan] = {}
    for (at, _rank, _key), scan in fresh:
        if scan.corrects is not None or scan.occurred_at > at:
            return None
        new[record_of(at, scan.code, scan.facility_id)] = scan
    old = records_of(stood.trail)
    records = sorted([*old, *new])
    if len(records) > SCANS_MAX or len({record[:-1] for record in records}) < len(old) + len(fresh):
        return None  # of one moment: by the records alone it is not known which of them comes first
    trail = b"".join(records)
    ranks, before = ranks_of(trail), course_of(ranks_of(stood.trail))
    course = course_of(ranks)
    if course.odd or course.deciding is None or before.deciding is None:
        return None
    deciding, decided = records[course.deciding], old[before.deciding]
    if deciding == decided:
        facility_id, courier_id, key = stood.facility_id, stood.courier_id, stood.decided_by
    elif deciding in new:
        one = new[deciding]
        facility_id, courier_id, key = one.facility_id, one.courier_id, one.scan_id
    else:
        return None
    since, seeing = at_of(deciding), last_seeing(records)
    return Standing(
        stood.shipment_id,
        course.milestone.value,
        _CODES[ranks[course.deciding]].value,
        since,
        facility_id,
        courier_id,
        key,
        new[seeing].facility_id if seeing in new else stood.seen_facility_id,
        course.attempts,
        course.milestone in TERMINAL,
        False,
        since if course.milestone is Milestone.DELIVERED else None,
        None if course.confirmed is None else at_of(records[course.confirmed]),
        trail,
    )


def write_standings(session: Session, standings: Sequence[Standing]) -> None:
    """Write the states of some shipments, which the session has locked."""
    if not standings:
        return
    execute_plain(
        session,
        _WRITE,
        (
            arrays.numbers([one.shipment_id for one in standings]),
            arrays.texts([one.milestone for one in standings]),
            arrays.texts([one.code for one in standings]),
            arrays.moments([one.since for one in standings]),
            arrays.sparse([one.facility_id for one in standings]),
            arrays.sparse([one.courier_id for one in standings]),
            arrays.texts([one.decided_by for one in standings]),
            arrays.sparse([one.seen_facility_id for one in standings]),
            arrays.numbers([one.attempts for one in standings]),
            arrays.flags([one.terminal for one in standings]),
            arrays.flags([one.has_findings for one in standings]),
            arrays.sparse_moments([one.delivered_at for one in standings]),
            arrays.sparse_moments([one.confirmed_at for one in standings]),
            arrays.binaries([one.trail for one in standings]),
        ),
    )


_READ = """
SELECT shipment_id, milestone, code, state_facility_id, state_courier_id, state_scan_key, seen_facility_id,
    destination_facility_id, instruction IS NOT NULL OR merge_group_id IS NOT NULL, has_findings, trail
FROM shipment_state
WHERE shipment_id = ANY (%s::bigint[])
ORDER BY shipment_id
"""
_WRITE = """
UPDATE shipment_state SET milestone = given.milestone, code = given.code, state_since = given.since,
    state_facility_id = given.facility_id, state_courier_id = given.courier_id,
    state_scan_key = given.decided_by, seen_facility_id = given.seen_facility_id, attempts = given.attempts,
    terminal = given.terminal, has_findings = given.has_findings, delivered_at = given.delivered_at,
    receipt_confirmed_at = given.confirmed_at, trail = given.trail
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[],
    %s::bigint[], %s::bigint[], %s::boolean[], %s::boolean[], %s::timestamptz[], %s::timestamptz[],
    %s::bytea[])
    AS given (id, milestone, code, since, facility_id, courier_id, decided_by, seen_facility_id, attempts,
              terminal, has_findings, delivered_at, confirmed_at, trail)
WHERE shipment_id = given.id
"""
