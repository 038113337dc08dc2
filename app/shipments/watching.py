"""The watch over all parcels: what needs a person is opened, what no longer holds is closed.

A run goes through the tenants and, in each, through parts of some ten thousand rows: shipments that have not
ended, deliveries that nobody confirmed, findings that stand. Each part is a step with a transaction of its
own (`app.slots.SteppedJob`), so no lock is held for long and a run that was killed goes on where it
stood. Only findings of the watch itself are written, and estimates that silence has changed: a scan that
arrives meanwhile never waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.config import Settings
from app.db import arrays
from app.db.jobs import Step
from app.db.session import Database, execute_plain
from app.shipments import ageing, service, watch_sql
from app.shipments.beside import outlets_of_points
from app.shipments.findings import WATCH
from app.shipments.folding import state_of_scans
from app.shipments.legs import legs_by_shipment
from app.shipments.scan_store import scans_by_id
from app.shipments.waybills import month_of
from tracking.finding import Finding, FindingKind
from tracking.watch import ShipmentView
from tracking.watch import watch as watch_one

PART: Final = 20_000
"""Rows of one step."""

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)

_Part = Callable[[Session, dict[str, Any], Mapping[str, Any]], tuple[int, dict[str, Any] | None]]


def watch_step(
    session: Session, settings: Settings, now: datetime, progress: Mapping[str, Any], *, limit: int = PART
) -> Step:
    """Watch the next part.

    Args:
        session: sees every tenant.
        settings: after how many days an unconfirmed delivery is released, and so no longer watched.
        now: the moment at which all is looked at (UTC).
        progress: what the step before said; empty for the first one.
        limit: at most about so many rows.

    Returns:
        How many findings opened or closed, and where the next step begins.
    """
    tenant_id = progress.get("tenant") or _next_tenant(session, 0)
    if tenant_id is None:
        return Step(0, None)
    phase = progress.get("phase", 0)
    session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
    session.execute(sa.text("SET LOCAL jit = off"))  # it costs more than these statements take
    values = watch_sql.CONSTANTS | {
        "tenant": tenant_id,
        "now": now,
        "unconfirmed_since": now - timedelta(days=settings.auto_confirm_days),
        "limit": limit,
    }
    changed, going_on = _PHASES[phase](session, values, progress.get("at", {}))
    session.info["tenant_id"] = None
    if going_on is not None:
        return Step(changed, {"tenant": tenant_id, "phase": phase, "at": going_on})
    if phase + 1 < len(_PHASES):
        return Step(changed, {"tenant": tenant_id, "phase": phase + 1})
    following = _next_tenant(session, tenant_id)
    return Step(changed, None if following is None else {"tenant": following})


def watch(database: Database, settings: Settings, now: datetime, *, limit: int = PART) -> int:
    """Watch everything at once, without the fence of the clock; gives how many findings opened or closed."""
    changed, progress = 0, Step(0, {}).progress
    while progress is not None:
        with database.unit_of_work(None) as session:
            done = watch_step(session, settings, now, progress, limit=limit)
        changed, progress = changed + done.changed, done.progress
    return changed


def _next_tenant(session: Session, after: int) -> int | None:
    return session.scalar(sa.select(sa.func.min(Tenant.id)).where(Tenant.id > after))


def _under_way(
    session: Session, values: dict[str, Any], at: Mapping[str, Any]
) -> tuple[int, dict[str, Any] | None]:
    """Open what holds of the next shipments that have not ended."""
    values |= {"after": at.get("after", 0)}
    ((until,),) = execute_plain(session, watch_sql.UNDER_WAY_PART, values)
    if until is None:
        return 0, None
    values |= {"until": until}
    ageing.age(session, values)  # first, since what is expected later may be a finding
    opened = execute_plain(session, watch_sql.OPEN_UNDER_WAY, values)
    return len(opened) + _astray(session, values), {"after": until}


def _astray(session: Session, values: dict[str, Any]) -> int:
    """Open and close what the engine says of shipments that were seen off their route."""
    rows = execute_plain(session, watch_sql.ASTRAY, values)
    if not rows:
        return 0
    ids = [row[0] for row in rows]
    scans = scans_by_id(session, {row[0]: month_of(row[1].astimezone(UTC)) for row in rows})
    legs = legs_by_shipment(session, ids)
    beside = outlets_of_points(session, {scan.facility_id for one in scans.values() for scan in one})
    found: list[tuple[int, Finding]] = []
    for shipment_id, _booked_at, pieces, *points in rows:
        state, counting = state_of_scans(scans[shipment_id], pieces)
        route = {leg.from_facility_id for leg in legs[shipment_id]}
        route |= {leg.to_facility_id for leg in legs[shipment_id]}
        near = {point_id for point_id, outlet_id in beside.items() if outlet_id in route}
        view = ShipmentView(
            state,
            tuple(counting),
            tuple(legs[shipment_id]),
            points=frozenset({point for point in points if point is not None} | near),
        )
        found += [
            (shipment_id, finding)
            for finding in watch_one(view, values["now"])
            if finding.kind is FindingKind.MISROUTED
        ]
    given = values | {
        "ids": arrays.numbers([shipment_id for shipment_id, _ in found]),
        "keys": arrays.texts([f"{WATCH}:{finding.key}" for _, finding in found]),
        "kinds": arrays.texts([finding.kind.value for _, finding in found]),
        "details": arrays.texts([_details(finding) for _, finding in found]),
        "since": arrays.moments([finding.since for _, finding in found]),
    }
    opened = execute_plain(session, watch_sql.OPEN_GIVEN, given)
    closed = execute_plain(session, watch_sql.CLOSE_OTHERS, given | {"ids": arrays.numbers(ids)})
    return len(opened) + len(closed)


def _details(finding: Finding) -> str:
    details = {"evidence": finding.evidence, **dict(finding.parameters)}
    return msgspec.json.encode(details).decode()


def _delivered(
    session: Session, values: dict[str, Any], at: Mapping[str, Any]
) -> tuple[int, dict[str, Any] | None]:
    """Open what holds of the next deliveries that nobody confirmed."""
    # The first moment that counts, counts.
    first = values["unconfirmed_since"] - timedelta(microseconds=1)
    values |= {"after": datetime.fromisoformat(at["after"]) if at else first}
    ((until,),) = execute_plain(session, watch_sql.DELIVERED_PART, values)
    if until is None:
        return 0, None
    opened = execute_plain(session, watch_sql.OPEN_DELIVERED, values | {"until": until})
    return len(opened), {"after": until.isoformat()}


def _standing(
    session: Session, values: dict[str, Any], at: Mapping[str, Any]
) -> tuple[int, dict[str, Any] | None]:
    """Close what no longer holds among the next findings that stand."""
    values |= {
        "after": datetime.fromisoformat(at["after"]) if at else _BEGINNING,
        "after_id": at.get("after_id", 0),
    }
    last = execute_plain(session, watch_sql.STANDING_PART, values)
    until, until_id = last[0] if last else (datetime.max.replace(tzinfo=UTC), 0)
    closed = execute_plain(session, watch_sql.CLOSE, values | {"until": until, "until_id": until_id})
    return len(closed), {"after": until.isoformat(), "after_id": until_id} if last else None


def _unmatched(
    session: Session, values: dict[str, Any], _at: Mapping[str, Any]
) -> tuple[int, dict[str, Any] | None]:
    """Record kept scans whose number has been booked since."""
    service.retry_unmatched(session, now=values["now"])
    return 0, None


_PHASES: Final[tuple[_Part, ...]] = (_under_way, _delivered, _standing, _unmatched)
