"""Learning how parcels travel from one's own scans, and the history that promises are made with.

A leg is observed once a trip: parcels that travel together are late together, and a thousand of them are no
thousand observations. What happens to them at a facility is shared out within the trip, since some of them
may miss it. Only what has had a day to end is looked at; else the quick ones would be known before the slow
ones.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from threading import Lock

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.config import Settings
from app.db.session import tenant_of
from app.network import queries as network
from app.network.models import Facility
from app.shipments import observations
from app.shipments.history_models import FirstPromise, PromiseHistory, PromiseSample
from app.shipments.models import Shipment
from tracking.promise import LegHistory, Promise
from tracking.promise.stored import LearnedSample, history_of, samples_of

OBSERVED = timedelta(days=90)
_TENANTS_MAX = 64
_LOADED = "promise_history"

_cache: dict[int, tuple[uuid.UUID, LegHistory]] = {}
_lock = Lock()


def learn_history(session: Session, _settings: Settings, now: datetime) -> int:
    """Learn every tenant's history anew; gives how many effects and distributions were learned."""
    learned = 0
    for tenant_id in session.scalars(sa.select(Tenant.id).order_by(Tenant.id)).all():
        session.info["tenant_id"] = tenant_id  # as if the session had been opened for it
        learned += learn(session, now=now)
    session.info["tenant_id"] = None
    return learned


def learn(session: Session, *, now: datetime) -> int:
    """Learn the tenant's history from its finished legs and deliveries of the last 90 days.

    Replaces what was learned before; where nothing was observed, nothing is stored and the prior stands.

    Returns:
        How many effects and distributions were learned.
    """
    tenant_id, since = tenant_of(session), now - OBSERVED
    offset_minutes = _usual_offset(session)
    observed = observations.read(session, network.routing_network(session), since=since, now=now)
    history = LegHistory.of(
        observed.legs,
        observed.dwells,
        observed.handovers,
        observed.collections,
        offset_minutes=offset_minutes,
    )
    session.execute(sa.delete(PromiseSample).where(PromiseSample.tenant_id == tenant_id))
    rows = [
        {
            "tenant_id": tenant_id,
            "kind": sample.kind,
            "key": sample.key,
            "weight": sample.weight,
            "log_ratio": sample.log_ratio,
            "knots": list(sample.knots),
        }
        for sample in samples_of(history)
    ]
    if rows:
        session.execute(sa.insert(PromiseSample), rows)
    facts = {
        "revision": uuid.uuid4(),
        "learned_at": now,
        "observed_from": since,
        "offset_minutes": offset_minutes,
        "trips": len(observed.legs),
        "dwells": round(sum(stay.weight for stay in observed.dwells)),
        "handovers": round(sum(stay.weight for stay in observed.handovers)),
        "collections": round(sum(stay.weight for stay in observed.collections)),
    }
    session.execute(
        insert(PromiseHistory)
        .values(tenant_id=tenant_id, **facts)
        .on_conflict_do_update(index_elements=[PromiseHistory.tenant_id], set_=facts)
    )
    session.info.pop(_LOADED, None)
    return len(rows)


def load_history(session: Session) -> LegHistory | None:
    """The tenant's history as it was learned last; None before anything was learned.

    Kept in the process until it is learned anew, which is asked once a session.
    """
    tenant_id = tenant_of(session)
    loaded: dict[int, LegHistory | None] = session.info.setdefault(_LOADED, {})
    if tenant_id not in loaded:
        loaded[tenant_id] = _current(session, tenant_id)
    return loaded[tenant_id]


def _current(session: Session, tenant_id: int) -> LegHistory | None:
    # Read before the rows: should another be learned in between, the value is kept under the older revision
    # and read again at the next question.
    found = session.execute(
        sa.select(PromiseHistory.revision, PromiseHistory.offset_minutes).where(
            PromiseHistory.tenant_id == tenant_id
        )
    ).one_or_none()
    if found is None:
        return None
    with _lock:
        kept = _cache.get(tenant_id)
    if kept is not None and kept[0] == found.revision:
        return kept[1]
    history = _read(session, found.offset_minutes)
    with _lock:
        if len(_cache) >= _TENANTS_MAX:
            _cache.clear()
        _cache[tenant_id] = (found.revision, history)
    return history


def keep_first_promise(session: Session, shipment: Shipment, promised: Promise) -> None:
    """Write down what was promised when a shipment was booked, to be held against what happens."""
    session.add(
        FirstPromise(
            tenant_id=shipment.tenant_id,
            shipment=shipment,
            p50_at=promised.p50_at,
            p80_at=promised.p80_at,
            p95_at=promised.p95_at,
        )
    )


def _read(session: Session, offset_minutes: int) -> LegHistory:
    rows = session.execute(
        sa.select(
            PromiseSample.kind,
            PromiseSample.key,
            PromiseSample.weight,
            PromiseSample.log_ratio,
            PromiseSample.knots,
        ).where(PromiseSample.tenant_id == tenant_of(session))
    )
    return history_of(
        (
            LearnedSample(kind, key, weight, log_ratio, tuple(knots))
            for kind, key, weight, log_ratio, knots in rows
        ),
        offset_minutes=offset_minutes,
    )


def _usual_offset(session: Session) -> int:
    """The local time of most of the tenant's facilities; UTC where there are none."""
    offset: int | None = session.scalar(
        sa.select(sa.func.mode().within_group(Facility.utc_offset_minutes)).where(
            Facility.tenant_id == tenant_of(session)
        )
    )
    return offset or 0
