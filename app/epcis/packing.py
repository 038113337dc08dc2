"""AggregationEvents of partners' systems pack and unpack the containers of ours that they name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.actor import Actor
from app.containers import service
from app.containers.service import Deed, RowResult, RowStatus
from app.epcis.meaning import Reader, short_id
from app.epcis.own_packing import containers_named
from app.epcis.planning import INVALID, Planned, Refused
from app.errors import AppError
from app.shipments.container_models import Container
from tracking.epcis import Json
from tracking.epcis_shapes import moment_of
from tracking.epcis_terms import offset_minutes_of

_ACTS = {"ADD": service.pack, "DELETE": service.unpack}
_UNDO = {"ADD": service.unpack, "DELETE": service.pack}
# What an event may say of a container without being wrong: it was known, or concerns others.
_HARMLESS = frozenset({RowStatus.ALREADY, RowStatus.NOT_INSIDE, RowStatus.UNKNOWN, RowStatus.REFUSED_BEFORE})
_DONE = frozenset({RowStatus.PACKED, RowStatus.UNPACKED})


def follow(
    session: Session,
    actor: Actor,
    planned: Sequence[Planned],
    declared_before: Collection[str],
    reader: Reader,
    source: str,
    *,
    base: str,
    now: datetime,
) -> list[Refused]:
    """Pack and unpack as events say whose parent is a container of ours.

    What an event adds is taken out of wherever it was recorded: who saw it knows better. An error declaration
    undoes what its event did. Without the scope `containers:write` events are kept and change no container.

    Args:
        session: of the asker's tenant.
        actor: whose program sends them.
        planned: events that were kept just now, plain ones before declarations.
        declared_before: ids of events that were declared errors before they came.
        reader: of the capture.
        source: the device that it is recorded by.
        base: the URI under which our ids live.
        now: the server's time.

    Returns:
        The events that cannot be true of their containers; the caller takes all back.
    """
    events = [one for one in planned if _is_packing(one.given.body)]
    if not events or not actor.may(Scope.CONTAINERS_WRITE):
        return []
    parents = containers_named(session, {one.given.body["parentID"] for one in events}, base)
    refused = []
    for one in events:
        given, container_id = one.given, parents.get(one.given.body["parentID"])
        if container_id is None or (given.declared_at is None and given.event_id in declared_before):
            continue
        try:
            rows = _done(session, actor, one, container_id, reader, source, base, now)
        except AppError as error:
            refused.append(Refused(given.place, INVALID, error.detail, "/parentID"))
            continue
        refused += [
            Refused(given.place, INVALID, f"{row.number}: {row.status}", "/childEPCs")
            for row in rows
            if row.status not in _HARMLESS | _DONE
        ]
    return refused


def _is_packing(body: Json) -> bool:
    return (
        body.get("type") == "AggregationEvent"
        and body.get("action") in _ACTS
        and isinstance(body.get("parentID"), str)
        and isinstance(body.get("childEPCs"), list)
    )


def _done(
    session: Session,
    actor: Actor,
    one: Planned,
    container_id: int,
    reader: Reader,
    source: str,
    base: str,
    now: datetime,
) -> list[RowResult]:
    given, body = one.given, one.given.body
    happened_at, undone = moment_of(body["eventTime"]), given.declared_at is not None
    deed = Deed(
        source,
        short_id(f"{given.event_id} declared an error" if undone else given.event_id),
        # Right after what is undone, so that of both nothing is left.
        happened_at + timedelta(microseconds=1) if undone else happened_at,
        offset_minutes_of(body["eventTimeZoneOffset"]),
        reader.facility_id(body),
    )
    act = (_UNDO if undone else _ACTS)[body["action"]]
    options = {"move": True} if act is service.pack else {}
    container = session.scalars(sa.select(Container).where(Container.id == container_id)).one()
    return act(session, actor, container, _children(session, body, reader, base), deed, now=now, **options)


def _children(session: Session, body: Json, reader: Reader, base: str) -> list[str]:
    """What our labels would say of the children; those of other companies are left out."""
    children: list[str] = [child for child in body["childEPCs"] if isinstance(child, str)]
    boxes = containers_named(session, children, base)
    numbers: Mapping[int, str] = dict(
        session.execute(
            sa.select(Container.id, Container.number).where(Container.id.in_(set(boxes.values())))
        ).all()
    )
    found = []
    for child in children:
        if child in boxes:
            found.append(numbers[boxes[child]])
        else:
            found += reader.labels([child])
    return found
