"""Which shipment a number is, and which places there are: asked of the database once, then known here.

What is kept never changes: a shipment keeps its id, its pieces and the month in which it was booked, and a
facility that was scanned at is closed one day but never deleted. Only what is committed is kept, so that a
booking that was rolled back leaves no ghost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.db import arrays
from app.db.session import execute_plain, tenant_of

KEPT_MAX = 400_000
"""Numbers kept for each database, about 100 MB."""

_FOUND = "shipments.waybills_found"
_PLACES_FOUND = "shipments.places_found"


class Known(NamedTuple):
    """What recording a scan needs to know of its shipment before that is locked."""

    shipment_id: int
    pieces: int
    month: date


_Key = tuple[int, str]
_kept: WeakKeyDictionary[Any, dict[_Key, Known]] = WeakKeyDictionary()
_places: WeakKeyDictionary[Any, set[tuple[int, int]]] = WeakKeyDictionary()


def month_of(booked_at: datetime) -> date:
    """The partition of a shipment's scans: the first day of the month (UTC) in which it was booked."""
    return date(booked_at.year, booked_at.month, 1)


def known(session: Session, numbers: Iterable[str]) -> dict[str, Known]:
    """The shipments of the session's tenant that have these numbers; those that nobody booked are missing."""
    tenant_id = tenant_of(session)
    kept = _kept.setdefault(session.get_bind(), {})
    found: dict[str, Known] = {}
    missing: list[str] = []
    for number in numbers:
        one = kept.get((tenant_id, number))
        if one is None:
            missing.append(number)
        else:
            found[number] = one
    if missing:
        fresh = _asked(session, tenant_id, missing)
        found |= fresh
        session.info.setdefault(_FOUND, {}).update(
            {(tenant_id, number): one for number, one in fresh.items()}
        )
    return found


def facilities(session: Session, asked: Iterable[int]) -> set[int]:
    """Those of some ids that are facilities of the session's tenant."""
    tenant_id = tenant_of(session)
    kept = _places.setdefault(session.get_bind(), set())
    wanted = set(asked)
    found = {one for one in wanted if (tenant_id, one) in kept}
    if len(found) < len(wanted):
        rows = execute_plain(
            session,
            "SELECT id FROM facility WHERE tenant_id = %s AND id = ANY (%s::bigint[])",
            (tenant_id, arrays.numbers(wanted - found)),
        )
        fresh = {one for (one,) in rows}
        found |= fresh
        session.info.setdefault(_PLACES_FOUND, set()).update((tenant_id, one) for one in fresh)
    return found


def _asked(session: Session, tenant_id: int, numbers: list[str]) -> dict[str, Known]:
    rows = execute_plain(
        session,
        "SELECT waybill_number, id, pieces, (booked_at AT TIME ZONE 'UTC')::date FROM shipment "
        "WHERE tenant_id = %s AND waybill_number = ANY (%s::text[])",
        (tenant_id, arrays.texts(numbers)),
    )
    return {
        number: Known(shipment_id, pieces, booked_on.replace(day=1))
        for number, shipment_id, pieces, booked_on in rows
    }


@event.listens_for(Session, "after_commit")
def _keep(session: Session) -> None:
    if places := session.info.pop(_PLACES_FOUND, None):
        _places.setdefault(session.get_bind(), set()).update(places)
    fresh = session.info.pop(_FOUND, None)
    if not fresh:
        return
    kept = _kept.setdefault(session.get_bind(), {})
    kept.update(fresh)
    if len(kept) > KEPT_MAX:
        for key in list(islice(kept, len(kept) - KEPT_MAX // 2)):  # the oldest half
            kept.pop(key, None)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, _transaction: object) -> None:
    session.info.pop(_FOUND, None)
    session.info.pop(_PLACES_FOUND, None)
