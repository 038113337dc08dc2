"""Questions about events: partners' as they were captured, and our own scans told as events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.actor import Actor
from app.epcis import own_events, own_packing
from app.epcis.models import EpcisCapture, EpcisEvent
from app.epcis.own_events import parcel
from app.epcis.visibility import visible
from app.errors import NotFoundError
from app.pagination import Page, decode_cursor, page_of
from tracking.epcis import Json
from tracking.epcis_reading import Named, named_in, things_of
from tracking.epcis_shapes import moment_of

# Of one question: a container is packed by so many events at most, or is asked for by shorter times.
_PACKING_MAX = 10_000
_NO_RESOURCE = "epcisException:NoSuchResourceException"

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]
# When it happened; 0 for a captured event and 1 for our own; the row's id; our own event's id.
_Key: TypeAlias = tuple[datetime, int, int, str]


@dataclass(frozen=True, slots=True)
class EventFilters:
    """What a list of events is narrowed to; empty and None narrow nothing. Values are alternatives.

    Args:
        epcs: one of these is among what the event happened to.
        any_epcs: one of these is named anywhere in it.
        from_time: it happened at or after this moment.
        until_time: it happened before this moment.
        biz_steps: its business step is one of these.
        biz_locations: it happened at one of these.
    """

    epcs: tuple[str, ...] = ()
    any_epcs: tuple[str, ...] = ()
    from_time: datetime | None = None
    until_time: datetime | None = None
    biz_steps: tuple[str, ...] = ()
    biz_locations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is answered, what its context adds to that of the standard, and its place in a list."""

    body: Json
    context: list[Any]
    key: _Key


def list_events(
    session: Session, actor: Actor, filters: EventFilters, cursor: str | None, limit: int, *, base: str
) -> Page[Told]:
    """Events that the asker may know of, the earliest first.

    Our own scans are among them where the filters name parcels of ours.

    Raises:
        BadRequestError: the cursor is not one of ours.
    """
    after: _Key | None = None if cursor is None else decode_cursor(cursor, tuple[_Aware, int, int, str])
    told = _captured(session, actor, filters, after, limit + 1, base)
    own = [one for one in _own(session, actor, filters, base) if after is None or one.key > after]
    packed = _packing(session, actor, filters, after, limit + 1, base)
    return page_of(sorted([*told, *own, *packed], key=lambda one: one.key), limit, lambda one: one.key)


def load_event(session: Session, actor: Actor, event_id: str, *, base: str) -> list[Told]:
    """An event with its error declarations.

    Raises:
        NotFoundError: there is none, or none that the asker may know of; one answer for both.
    """
    rows = session.scalars(
        sa.select(EpcisEvent)
        .where(EpcisEvent.event_id == event_id, visible(actor))
        .order_by(EpcisEvent.declared_at.nulls_first(), EpcisEvent.id)
    ).all()
    found = [_of_row(row) for row in rows]
    found += [_of_own(event, base) for event in own_events.own_event(session, actor, event_id, base)]
    found += [_of_own(event, base) for event in own_packing.one_event(session, actor, event_id, base)]
    if not found:
        raise NotFoundError("no such event", type=_NO_RESOURCE)
    return found


def load_capture(session: Session, capture_id: int) -> EpcisCapture:
    """A capture of the session's tenant.

    Raises:
        NotFoundError: there is none.
    """
    capture = session.scalar(sa.select(EpcisCapture).where(EpcisCapture.id == capture_id))
    if capture is None:
        raise NotFoundError("no such capture", type=_NO_RESOURCE)
    return capture


def _captured(
    session: Session, actor: Actor, filters: EventFilters, after: _Key | None, limit: int, base: str
) -> Sequence[Told]:
    statement = sa.select(EpcisEvent).where(visible(actor), *_conditions(filters, base))
    if after is not None:
        moment, own, row_id, _event_id = after
        # Our own events of the same moment come after all that were captured.
        past = sa.tuple_(EpcisEvent.event_time, EpcisEvent.id) > sa.tuple_(
            sa.literal(moment), sa.literal(row_id)
        )
        statement = statement.where(EpcisEvent.event_time > moment if own else past)
    rows = session.scalars(statement.order_by(EpcisEvent.event_time, EpcisEvent.id).limit(limit))
    return [_of_row(row) for row in rows]


def _conditions(filters: EventFilters, base: str) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.epcs:
        found.append(EpcisEvent.epcs.overlap(_spellings(filters.epcs, base)))
    if filters.any_epcs:
        found.append(EpcisEvent.any_epcs.overlap(_spellings(filters.any_epcs, base)))
    if filters.from_time is not None:
        found.append(EpcisEvent.event_time >= filters.from_time)
    if filters.until_time is not None:
        found.append(EpcisEvent.event_time < filters.until_time)
    if filters.biz_steps:
        found.append(EpcisEvent.biz_step.in_(filters.biz_steps))
    if filters.biz_locations:
        found.append(EpcisEvent.biz_location.in_(filters.biz_locations))
    return found


def _spellings(uris: Sequence[str], base: str) -> list[str]:
    """What is asked for, and the parcels of ours that it names in whatever spelling."""
    named = (named_in(uri, base) for uri in uris)
    return [*uris, *(parcel(one.number) for one in named if one is not None)]


def _own(session: Session, actor: Actor, filters: EventFilters, base: str) -> list[Told]:
    asked = [
        [one for one in (named_in(uri, base) for uri in uris) if one is not None]
        for uris in (filters.epcs, filters.any_epcs)
        if uris
    ]
    if not asked or not all(asked):
        return []
    numbers = set.intersection(*({one.number for one in named} for named in asked))
    events = own_events.events_of_numbers(session, actor, numbers, base)
    return [_of_own(event, base) for event in events if _fits(event, filters, asked, base)]


def _packing(
    session: Session, actor: Actor, filters: EventFilters, after: _Key | None, limit: int, base: str
) -> list[Told]:
    """Our packing events of the parcels and containers that are asked for."""
    groups = [uris for uris in (filters.epcs, filters.any_epcs) if uris]
    if not groups:
        return []
    asked = [uri for uris in groups for uri in uris]
    containers = own_packing.containers_named(session, asked, base)
    numbers = {named.number for uri in asked if (named := named_in(uri, base)) is not None}
    moments = [moment for moment in (filters.from_time, after[0] if after else None) if moment is not None]
    events = own_packing.events_about(
        session,
        actor,
        numbers,
        set(containers.values()),
        base,
        from_time=max(moments, default=None),
        until_time=filters.until_time,
        limit=_PACKING_MAX,
    )
    spelled = {uri: f"{base}container/{container_id}" for uri, container_id in containers.items()}
    told = [
        _of_own(event, base)
        for event in events
        if all(
            _touches(
                event, [spelled.get(uri, uri) for uri in uris], base, with_parent=uris is filters.any_epcs
            )
            for uris in groups
        )
        and (not filters.biz_steps or event["bizStep"] in filters.biz_steps)
        and (not filters.biz_locations or event["bizLocation"]["id"] in filters.biz_locations)
    ]
    return [one for one in told if after is None or one.key > after][:limit]


def _touches(event: Json, uris: Sequence[str], base: str, *, with_parent: bool) -> bool:
    children = set(event["childEPCs"])
    if not children.isdisjoint(uris) or (with_parent and event["parentID"] in uris):
        return True
    named = [one for one in (named_in(uri, base) for uri in uris) if one is not None]
    inside = (
        [one for one in (named_in(child, base) for child in children) if one is not None] if named else []
    )
    return any(_same(one, other) for one in named for other in inside)


def _fits(event: Json, filters: EventFilters, asked: Sequence[Sequence[Named]], base: str) -> bool:
    (named,) = [named_in(epc, base) for epc in things_of(event)] or [None]
    moment = moment_of(event["eventTime"])
    return (
        all(any(_same(one, named) for one in either) for either in asked)
        and (filters.from_time is None or moment >= filters.from_time)
        and (filters.until_time is None or moment < filters.until_time)
        and (not filters.biz_steps or event.get("bizStep") in filters.biz_steps)
        and (not filters.biz_locations or event.get("bizLocation", {}).get("id") in filters.biz_locations)
    )


def _same(asked: Named, told: Named | None) -> bool:
    """Whether an event is of the parcel that was asked for; one of all pieces is of each."""
    if told is None or asked.number != told.number:
        return False
    return None in (asked.piece_no, told.piece_no) or asked.piece_no == told.piece_no


def _of_row(row: EpcisEvent) -> Told:
    body = row.body if "eventID" in row.body else {"eventID": row.event_id, **row.body}
    return Told(body, row.context, (row.event_time, 0, row.id, ""))


def _of_own(event: Json, base: str) -> Told:
    declared = "errorDeclaration" in event
    key = (moment_of(event["eventTime"]), 1, int(declared), event["eventID"])
    return Told(event, [{"wheelhouse": f"{base}epcis/"}], key)
