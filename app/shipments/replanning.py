"""Shipments on whose way something has closed are planned anew, from where each of them is.

The closing of a facility or lane is an event; its handler plans some thousand shipments in its transaction
and leaves the rest to an event of its own, so that no scan waits long for it. What has been travelled stays
as it was planned, the first promise stays as it was told, and the estimate is renewed. A shipment that can
no longer be carried keeps its plan and is told of as stranded; when what was closed opens again, it is
planned anew from where it then is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.accounts.service import audit
from app.db import outbox
from app.network import queries as network
from app.network.models import Facility, Lane
from app.shipments import replanning_store as store
from app.shipments.booking import legs_of
from app.shipments.history import load_history
from app.shipments.hours import last_mile
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Shipment, ShipmentLeg
from app.shipments.outlook import Outlook, outlook
from app.shipments.replanning_store import Cause, Open
from app.shipments.underway import underway
from routing.network import (
    Closure,
    Handover,
    Itinerary,
    Network,
    NoRoute,
    Underway,
    replan,
    reroute,
)
from tracking.position import Position
from tracking.promise import LegHistory
from tracking.shipment import Leg, Milestone

AT_ONCE_MAX = 2_000
"""Shipments planned anew in one transaction; so long a scan of one of them may have to wait."""


class _Moved(NamedTuple):
    """A shipment whose way was closed, and what becomes of it."""

    row: Open
    parcel: Underway
    legs: Sequence[Leg]
    kept: int
    way: Itinerary


def replan_after(session: Session, payload: Mapping[str, Any], *, now: datetime) -> None:
    """Go on planning anew what an event asks for; the payload is a `Cause`'s."""
    replan_some(session, Cause(**payload), now=now)


def replan_some(session: Session, cause: Cause, *, now: datetime, limit: int = AT_ONCE_MAX) -> Cause:
    """Plan the next shipments anew on whose way something has closed, or has opened again.

    Each one that changes is told of by an event, `shipment.replanned` or `shipment.stranded`. While more are
    waiting, an event asks for them; at the end the audit trail gets the sum.

    Args:
        session: of the tenant.
        cause: what closed or opened, and how far this has come.
        now: nothing departs before.
        limit: at most so many.

    Returns:
        How far it has come.
    """
    rows = store.on_their_way(session, cause.closure, after_id=cause.after_id, limit=limit)
    legs = legs_by_shipment(session, [row.shipment_id for row in rows])
    reopened = not _is_closed(session, cause)
    moved, stranded = _planned(session, rows, legs, cause.closure, now, reopened=reopened)
    told = {"kind": cause.kind, "subject_id": cause.subject_id, "reason": cause.reason}
    _write(session, moved, stranded, told, now)
    done = replace(
        cause,
        after_id=rows[-1].shipment_id if rows else cause.after_id,
        replanned=cause.replanned + len(moved),
        stranded=cause.stranded + len(stranded),
    )
    if len(rows) == limit:
        # In the place of the event that asked first, before those of the shipments planned already.
        outbox.append(session, "shipments.replan", asdict(done), now=datetime.fromisoformat(cause.asked_at))
    else:
        _write_down(session, done, now)
    return done


def replan_chosen(
    session: Session, shipment_ids: Collection[int], *, reason: str, now: datetime
) -> dict[int, str]:
    """Plan some shipments anew from where they are, because somebody asks for it.

    Args:
        session: of the tenant.
        shipment_ids: which; they stay locked.
        reason: why, as it is told with `shipment.replanned` and `shipment.stranded`.
        now: nothing departs before.

    Returns:
        For each shipment `replanned`, `unchanged`, `not_under_way`, or why no way was found.
    """
    rows = store.chosen(session, shipment_ids)
    legs = legs_by_shipment(session, [row.shipment_id for row in rows])
    moved, stranded = _planned(session, rows, legs, None, now)
    _write(session, moved, stranded, {"kind": "shipment", "subject_id": None, "reason": reason}, now)
    return {
        **dict.fromkeys(shipment_ids, "not_under_way"),
        **{row.shipment_id: "unchanged" for row in rows},
        **{one.row.shipment_id: "replanned" for one in moved},
        **dict(stranded),
    }


def send_elsewhere(session: Session, shipment: Shipment, *, lies_at: int | None, now: datetime) -> bool:
    """Plan one shipment anew to where it goes now, from where it is; gives whether there is a way.

    What has been travelled stays as it was planned, the first promise stays as it was told. On its way back
    a shipment goes to the outlet it came from, and no arrival is told for it.

    Args:
        session: of the shipment's tenant.
        shipment: locked by the caller, with its new destination.
        lies_at: the facility it lies at, where that is known better than by its last scan.
        now: nothing departs before.
    """
    session.flush()  # the statements below go past the session
    returning = shipment.milestone is Milestone.RETURNING
    row = store.open_of(shipment, returning=returning, lies_at=lies_at)
    legs = legs_by_shipment(session, [shipment.id])[shipment.id]
    places = network.routing_network(session)
    parcel = underway(row, legs, places, now)
    if parcel is None:
        return False
    became = reroute(places, parcel, now=now)
    if isinstance(became.way, NoRoute):
        return False
    last = legs[became.kept - 1].sequence if became.kept else 0
    store.write_legs(session, {shipment.id: (last, became.way.legs)})
    if not returning:
        moved = _Moved(row, parcel, legs, became.kept, became.way)
        store.write_estimates(session, _expected([moved], load_history(session), places, now))
    _forget(session)
    return True


def _planned(
    session: Session,
    rows: Sequence[Open],
    legs: Mapping[int, Sequence[Leg]],
    closure: Closure | None,
    now: datetime,
    *,
    reopened: bool = False,
) -> tuple[list[_Moved], list[tuple[int, str]]]:
    """The shipments that get another way, and those that have none any more, with why."""
    places = network.routing_network(session)
    placed = [
        (row, where)
        for row in rows
        if (where := underway(row, legs[row.shipment_id], places, now)) is not None
    ]
    found = replan(
        places,
        [where for _, where in placed],
        closure,
        now=now,
        reopened=reopened,
    )
    moved: list[_Moved] = []
    stranded: list[tuple[int, str]] = []
    for (row, where), became in zip(placed, found, strict=True):
        if became is None:
            continue
        if isinstance(became.way, NoRoute):
            stranded.append((row.shipment_id, became.way.reason.value))
            continue
        own = legs[row.shipment_id]
        planned = [(leg.lane_id, leg.departure_at) for leg in became.way.legs]
        if _trips(own[became.kept :]) != planned:
            moved.append(_Moved(row, where, own, became.kept, became.way))
    return moved, stranded


def _write(
    session: Session,
    moved: Sequence[_Moved],
    stranded: Sequence[tuple[int, str]],
    told: Mapping[str, Any],
    now: datetime,
) -> None:
    """Put the new ways down, and tell of them."""
    store.write_legs(
        session,
        {
            one.row.shipment_id: (one.legs[one.kept - 1].sequence if one.kept else 0, one.way.legs)
            for one in moved
        },
    )
    store.write_estimates(
        session, _expected(moved, load_history(session), network.routing_network(session), now)
    )
    outbox.append_many(
        session,
        "shipment.replanned",
        [{"shipment_id": one.row.shipment_id, **told} for one in moved],
        now=now,
    )
    outbox.append_many(
        session,
        "shipment.stranded",
        [{"shipment_id": shipment_id, "why": why, **told} for shipment_id, why in stranded],
        now=now,
    )
    _forget(session)


def _trips(legs: Sequence[Leg]) -> list[tuple[int | None, datetime]]:
    return [(leg.lane_id, leg.planned_departure_at) for leg in legs]


def _is_closed(session: Session, cause: Cause) -> bool:
    """Whether it is closed now; it may have changed since the event."""
    if cause.kind == "facility":
        return session.get_one(Facility, cause.subject_id).closed_at is not None
    return session.get_one(Lane, cause.subject_id).closed_at is not None


def _expected(
    moved: Sequence[_Moved], history: LegHistory | None, places: Network, now: datetime
) -> dict[int, Outlook]:
    """When each shipment is expected; what travels together is worked out once."""
    known: dict[tuple[object, ...], Outlook] = {}
    expected: dict[int, Outlook] = {}
    for one in moved:
        under_way = one.legs[one.kept - 1 : one.kept] if one.parcel.departed else []
        ahead = [*under_way, *legs_of(one.way)]
        position = _position(one.parcel, ahead)
        delivery = Handover(one.row.delivery)
        rounds = last_mile(places, delivery, one.row.destination_id, one.row.delivery_point_id)
        awaited = one.row.milestone == Milestone.BOOKED
        key = tuple(_trips(ahead)), position, rounds, awaited
        if key not in known:
            known[key] = outlook(
                ahead,
                position,
                rounds=rounds,
                history=history,
                now=now,
                awaited=awaited,
            )
        expected[one.row.shipment_id] = known[key]
    return expected


def _position(parcel: Underway, ahead: Sequence[Leg]) -> Position:
    """The position as `tracking.promise` takes it, no finer than makes a difference to it."""
    if parcel.departed:
        return Position(parcel.place_id, parcel.since.replace(second=0, microsecond=0), departed=True)
    # How long before its departure it came changes nothing.
    at = max(parcel.since, ahead[0].planned_departure_at) if ahead else parcel.since
    return Position(parcel.place_id, at)


def _forget(session: Session) -> None:
    """What the session holds of shipments is read anew: the statements went past it."""
    for held in session.identity_map.values():
        if isinstance(held, Shipment | ShipmentLeg):
            session.expire(held)


def _write_down(session: Session, done: Cause, now: datetime) -> None:
    audit(
        session,
        None,
        "shipments.replanned",
        subject_kind=done.kind,
        subject_id=done.subject_id,
        reason=done.reason,
        details={"replanned": done.replanned, "stranded": done.stranded, "asked_by": done.user_id},
        now=now,
    )
