"""Events become rows, and those that speak of our parcels become scans: all of it or nothing of an event.

An error declaration repeats its event's id and makes the scans of that event void, whichever of the two comes
first. Nothing that was written is changed.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.actor import Actor
from app.db.session import tenant_of
from app.epcis import packing
from app.epcis.documents import Given
from app.epcis.meaning import Reader
from app.epcis.models import EpcisEvent
from app.epcis.own_events import parcel
from app.epcis.planning import INVALID, ROWS_AT_ONCE, Planned, Refused, known_events, plan, sorted_out
from app.shipments.service import BATCH_MAX, record_scans
from tracking.epcis import Json
from tracking.epcis_reading import epcs_of, text_of, things_of
from tracking.epcis_shapes import moment_of


class Behaviour(enum.StrEnum):
    """What becomes of the good events of a capture when one of them is refused."""

    ROLLBACK = "rollback"
    PROCEED = "proceed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many events are kept since, how many were known with the same content, and which were refused."""

    captured: int
    repeated: int
    refused: tuple[Refused, ...]


class _RejectedError(Exception):
    """Some scans of the events that were tried are refused: none of them stays."""

    def __init__(self, refused: list[Refused]) -> None:
        super().__init__("scans are refused")
        self.refused = refused


def capture(
    session: Session,
    actor: Actor,
    given: Sequence[Given],
    behaviour: Behaviour,
    *,
    base: str,
    now: datetime,
    capture_id: int | None,
) -> Outcome:
    """Keep events and record the scans that they mean.

    Args:
        session: of the asker's tenant.
        actor: whose program sends them; their scans are recorded as his.
        given: events without faults.
        behaviour: whether one that is refused keeps all others out.
        base: the URI under which our ids live.
        now: the server's time.
        capture_id: the capture they came by.
    """
    source = f"epcis:token-{actor.token_id}" if actor.token_id else f"epcis:user-{actor.user_id}"
    known = known_events(session, given, base)
    reader = Reader(
        session, [*(one.body for one in given), *(body for body, _source in known.bodies.values())], base
    )
    refused: list[Refused] = []
    left = list(given)
    while True:
        fresh = sorted_out(left, known)
        planned, impossible = plan(fresh, known, reader, source)
        tried = refused + fresh.refused + impossible
        if tried and behaviour is Behaviour.ROLLBACK:
            return Outcome(0, 0, tuple(tried))
        try:
            # One whose scans are refused takes those of the others back with it; they are tried again alone.
            with session.begin_nested():
                kept = _insert(session, actor, planned, reader, source, capture_id, now)
                fresh_events = [one for one in planned if one.given.place in kept]
                _record(session, actor, fresh_events, now)
                wrong = packing.follow(
                    session, actor, fresh_events, known.declarations, reader, source, base=base, now=now
                )
                if wrong:
                    raise _RejectedError(wrong)
        except _RejectedError as error:
            refused += error.refused
            if behaviour is Behaviour.ROLLBACK:
                return Outcome(0, 0, tuple(refused))
            out = {one.place for one in error.refused}
            left = [one for one in left if one.place not in out]
            continue
        return Outcome(len(kept), fresh.repeated + len(planned) - len(kept), tuple(tried))


def _insert(
    session: Session,
    actor: Actor,
    planned: Sequence[Planned],
    reader: Reader,
    source: str,
    capture_id: int | None,
    now: datetime,
) -> set[int]:
    """Put the events in; gives the places of those that nobody else put in meanwhile.

    In the order of their ids, so that two captures of the same events never wait for each other crosswise.
    """
    shared = {
        "tenant_id": tenant_of(session),
        "source": source,
        "capture_id": capture_id,
        "user_id": actor.user_id,
        "recorded_at": now,
    }
    rows = [
        {**shared, **_columns(one, reader)}
        for one in sorted(planned, key=lambda one: (one.given.event_id, one.given.digest))
    ]
    kept: set[tuple[str, str]] = set()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        statement = (
            insert(EpcisEvent)
            .values(rows[start : start + ROWS_AT_ONCE])
            .on_conflict_do_nothing()
            .returning(EpcisEvent.event_id, EpcisEvent.digest)
        )
        kept |= {(event_id, digest) for event_id, digest in session.execute(statement)}
    return {one.given.place for one in planned if (one.given.event_id, one.given.digest) in kept}


def _columns(planned: Planned, reader: Reader) -> dict[str, Any]:
    given, body = planned.given, planned.given.body
    any_epcs = epcs_of(body)
    numbers = reader.numbers(any_epcs)
    epcs = things_of(body)
    return {
        "event_id": given.event_id,
        "digest": given.digest,
        "declared_at": given.declared_at,
        "event_time": moment_of(body["eventTime"]),
        "biz_step": text_of(body, "bizStep"),
        "biz_location": _biz_location(body),
        "epcs": [*epcs, *(parcel(number) for number in reader.numbers(epcs))],
        "any_epcs": [*any_epcs, *(parcel(number) for number in numbers)],
        "numbers": numbers,
        "scan_keys": [scan.key for scan in planned.scans],
        "body": body,
        "context": given.context,
    }


def _biz_location(body: Json) -> str | None:
    place = body.get("bizLocation")
    return text_of(place, "id") if isinstance(place, dict) else None


def _record(session: Session, actor: Actor, planned: Sequence[Planned], now: datetime) -> None:
    """Record the scans of events.

    Raises:
        _RejectedError: some cannot be true of their parcels, or are not the sender's to tell.
    """
    scans = [(one.given.place, meant.scan) for one in planned for meant in one.scans]
    refused = []
    for start in range(0, len(scans), BATCH_MAX):
        some = scans[start : start + BATCH_MAX]
        results = record_scans(session, actor, [scan for _place, scan in some], now=now)
        for (place, _scan), result in zip(some, results, strict=True):
            if result.status in ("rejected", "conflict"):
                refused.append(Refused(place, INVALID, f"{result.number}: {result.detail}"))
    if refused:
        raise _RejectedError(refused)
