"""What is new among the events of a capture, and which scans each of them makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.epcis.documents import Given
from app.epcis.meaning import Meant, Reader, UnknownPlaceError
from app.epcis.models import EpcisEvent
from app.epcis.own_events import OwnScan, own_scans
from tracking.epcis import Json

INVALID = "epcisException:ValidationException"
CONFLICT = "epcisException:ResourceAlreadyExistsException"
ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not captured: its place, and a pointer into it."""

    place: int
    kind: str
    detail: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """What was known under the event ids of a capture before it; each with the device it was recorded by."""

    digests: Mapping[str, str]
    bodies: Mapping[str, tuple[Json, str]]
    declarations: Mapping[str, Mapping[str, Json]]
    own: Mapping[str, OwnScan]


@dataclass(slots=True)
class SortedEvents:
    """The events of a capture, the new ones apart from the rest."""

    plain: dict[str, Given] = field(default_factory=dict)
    declarations: dict[tuple[str, str], Given] = field(default_factory=dict)
    repeated: int = 0
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Planned:
    """A new event with the scans that it makes."""

    given: Given
    scans: tuple[Meant, ...]


def known_events(session: Session, given: Sequence[Given], base: str) -> KnownEvents:
    digests: dict[str, str] = {}
    bodies: dict[str, tuple[Json, str]] = {}
    declarations: defaultdict[str, dict[str, Json]] = defaultdict(dict)
    ids = sorted({one.event_id for one in given})
    for start in range(0, len(ids), ROWS_AT_ONCE):
        rows = session.scalars(
            sa.select(EpcisEvent).where(EpcisEvent.event_id.in_(ids[start : start + ROWS_AT_ONCE]))
        )
        for row in rows:
            if row.declared_at is None:
                digests[row.event_id] = row.digest
                bodies[row.event_id] = (row.body, row.source)
            else:
                declarations[row.event_id][row.digest] = row.body
    return KnownEvents(digests, bodies, declarations, own_scans(session, ids, base))


def sorted_out(given: Iterable[Given], known: KnownEvents) -> SortedEvents:
    found = SortedEvents()
    for one in given:
        own = known.own.get(one.event_id)
        if one.declared_at is not None:
            said = {*known.declarations.get(one.event_id, ()), *_digests(found.declarations, one.event_id)}
            if one.digest in said or (own is not None and own.corrected):
                found.repeated += 1
            else:
                found.declarations[one.event_id, one.digest] = one
            continue
        before = found.plain.get(one.event_id)
        digest = known.digests.get(one.event_id) if before is None else before.digest
        if own is not None or digest == one.digest:
            found.repeated += 1
        elif digest is None:
            found.plain[one.event_id] = one
        else:
            detail = f"the event {one.event_id} is known with other content; that stays"
            found.refused.append(Refused(one.place, CONFLICT, detail))
    return found


def _digests(declarations: Iterable[tuple[str, str]], event_id: str) -> list[str]:
    return [digest for declared_id, digest in declarations if declared_id == event_id]


def plan(
    fresh: SortedEvents, known: KnownEvents, reader: Reader, source: str
) -> tuple[list[Planned], list[Refused]]:
    """The scans of each new event: what it means, and what a declaration of it makes void."""
    planned, refused = [], []
    meant: dict[str, list[Meant]] = {}
    for event_id, one in fresh.plain.items():
        try:
            scans = meant[event_id] = reader.meant(event_id, one.body, source)
        except UnknownPlaceError as error:
            refused.append(_nowhere(one, error))
            continue
        declared = next(iter(known.declarations.get(event_id, {}).values()), None)
        voids = [] if declared is None else [reader.void(scan, _declared_at(declared)) for scan in scans]
        planned.append(Planned(one, (*scans, *voids)))
    declared_ids: set[str] = set()
    for (event_id, _digest), one in fresh.declarations.items():
        # Declared twice is declared: the scans are void since the first time.
        again = event_id in known.declarations or event_id in declared_ids
        try:
            scans = [] if again else meant.get(event_id) or _meant_before(event_id, known, reader, source)
        except UnknownPlaceError as error:  # the facility's code was another when the event was captured
            refused.append(_nowhere(one, error))
            continue
        declared_ids.add(event_id)
        voids = [reader.void(scan, _declared_at(one.body)) for scan in scans]
        planned.append(Planned(one, tuple(voids)))
    return planned, refused


def _nowhere(given: Given, error: UnknownPlaceError) -> Refused:
    return Refused(given.place, INVALID, str(error), "/bizLocation/id")


def _meant_before(event_id: str, known: KnownEvents, reader: Reader, source: str) -> list[Meant]:
    """The scans of an event that was captured earlier, or the one that is our own."""
    if event_id in known.own:
        return [known.own[event_id].as_meant(source)]
    if event_id not in known.bodies:
        return []
    body, its_source = known.bodies[event_id]
    return reader.meant(event_id, body, its_source)


def _declared_at(body: Json) -> str:
    text: str = body["errorDeclaration"]["declarationTime"]
    return text
