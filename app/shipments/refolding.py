"""Folds over all scans of a shipment, by their codes alone wherever nothing about them is special.

A scan that comes late changes what those after it mean, so all of them count again. The database puts them
in the order of time and gives each shipment one text; the engine knows the course from the codes
(`tracking.course`), and of the scans only the few that decide something are looked at. What is special goes
to the fold over whole scans (`app.shipments.folding`): corrections, several pieces, clocks ahead of the
server's, anything odd.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain
from tracking.course import course_of
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import PLACELESS, TERMINAL


class ToldCourse(NamedTuple):
    """A shipment as it stands before, and its scans in the order of time as one text.

    Attributes:
        followed: somebody has instructed something about it, or others wait for it.
        plain: it is of one piece, and no scan corrects another or was recorded ahead of the server's clock.
        scans: of each its code's rank as a letter, time, key, facility and courier; read by `standing_of`.
    """

    shipment_id: int
    pieces: int
    booked_at: datetime
    milestone: str
    code: str
    facility_id: int | None
    destination_facility_id: int
    followed: bool
    has_findings: bool
    plain: bool
    scans: str


class Standing(NamedTuple):
    """A row of `shipment_state` as the scans fold to it; moments are texts as the database reads them."""

    shipment_id: int
    milestone: str
    code: str
    since: str | None
    facility_id: int | None
    courier_id: int | None
    decided_by: str | None
    seen_facility_id: int | None
    attempts: int
    terminal: bool
    has_findings: bool
    delivered_at: str | None
    confirmed_at: str | None
    last_at: str | None
    last_rank: int
    last_key: str


_CODES = tuple(ScanCode)
_PLACELESS = frozenset(code.rank for code in PLACELESS)
_LETTERS_FROM = 64  # rank 0 is "@": no letter is a quote, a comma or a semicolon
_RANKS = bytes(max(0, one - _LETTERS_FROM) for one in range(256))


def read_courses(session: Session, shipment_ids: Collection[int]) -> list[ToldCourse]:
    """All scans of some shipments, which the session has locked, and how they stand; in id order."""
    rows = execute_plain(session, _READ, (_CODE_NAMES, _CODE_LETTERS, arrays.numbers(shipment_ids)))
    return list(map(ToldCourse._make, rows))


def standing_of(told: ToldCourse) -> Standing | None:
    """What the scans fold to; None where whole scans have to be looked at."""
    if not told.plain or told.has_findings:
        return None
    scans = told.scans.split(";")
    ranks = "".join([scan[0] for scan in scans]).encode().translate(_RANKS)
    course = course_of(ranks)
    if course.odd or course.deciding is None:
        return None
    since, key, facility, courier = scans[course.deciding][1:].split(",")
    last_at, last_key, _facility, _courier = scans[-1][1:].split(",")
    confirmed_at = None if course.confirmed is None else scans[course.confirmed][1:].split(",")[0]
    return Standing(
        told.shipment_id,
        course.milestone.value,
        _CODES[ranks[course.deciding]].value,
        since,
        int(facility) if facility else None,
        int(courier) if courier else None,
        key,
        _seen(scans, ranks),
        course.attempts,
        course.milestone in TERMINAL,
        False,
        since if course.milestone is Milestone.DELIVERED else None,
        confirmed_at,
        last_at,
        ranks[-1],
        last_key,
    )


def _seen(scans: Sequence[str], ranks: bytes) -> int | None:
    """The facility of the latest scan that names one and had the parcel in hand."""
    for place in range(len(scans) - 1, -1, -1):
        facility = scans[place].split(",")[2]
        if facility and ranks[place] not in _PLACELESS:
            return int(facility)
    return None


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
            arrays.texts([one.since for one in standings]),
            arrays.sparse([one.facility_id for one in standings]),
            arrays.sparse([one.courier_id for one in standings]),
            arrays.texts([one.decided_by for one in standings]),
            arrays.sparse([one.seen_facility_id for one in standings]),
            arrays.numbers([one.attempts for one in standings]),
            arrays.flags([one.terminal for one in standings]),
            arrays.flags([one.has_findings for one in standings]),
            arrays.texts([one.delivered_at for one in standings]),
            arrays.texts([one.confirmed_at for one in standings]),
            arrays.texts([one.last_at for one in standings]),
            arrays.numbers([one.last_rank for one in standings]),
            arrays.texts([one.last_key for one in standings]),
        ),
    )


_CODE_NAMES = arrays.texts([code.value for code in ScanCode])
_CODE_LETTERS = arrays.texts([chr(_LETTERS_FROM + code.rank) for code in ScanCode])
_READ = """
WITH letter AS MATERIALIZED (
    SELECT * FROM unnest(%s::text[], %s::text[]) AS letter (code, letter)
)
SELECT state.shipment_id, booking.pieces, booking.booked_at, state.milestone, state.code,
    state.state_facility_id, state.destination_facility_id,
    state.instruction IS NOT NULL OR state.merge_group_id IS NOT NULL, state.has_findings,
    booking.pieces = 1 AND told.plain, told.scans
FROM shipment_state AS state
JOIN shipment AS booking ON booking.id = state.shipment_id
CROSS JOIN LATERAL (
    SELECT bool_and(plain) AS plain,
        string_agg(
            concat(letter, at::text, ',', scan_key, ',', facility_id, ',', courier_id), ';'
            ORDER BY at, letter COLLATE "C", scan_key COLLATE "C"
        ) AS scans
    FROM (
        SELECT letter.letter, least(occurred_at, received_at) AS at, scan_key, facility_id, courier_id,
            corrects IS NULL AND occurred_at <= received_at AS plain
        FROM scan JOIN letter ON letter.code = scan.code
        WHERE scan.shipment_id = state.shipment_id
            AND shipment_month = date_trunc('month', booking.booked_at AT TIME ZONE 'UTC')::date
    ) AS heard
) AS told
WHERE state.shipment_id = ANY (%s::bigint[])
ORDER BY state.shipment_id
"""
_WRITE = """
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
