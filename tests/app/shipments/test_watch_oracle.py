"""The watch by statements opens and closes exactly what the engine finds when it looks at every parcel."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.config import Settings
from app.network.queries import routing_network
from app.shipments import estimates, watching
from app.shipments.beside import outlets_of_points
from app.shipments.estimates import estimate
from app.shipments.finding_models import ShipmentFinding
from app.shipments.folding import state_of_scans
from app.shipments.history import load_history
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Shipment
from app.shipments.scan_store import scans_by_shipment
from app.shipments.service import ScanInput
from app.shipments.values import scan_key
from routing.network import Handover
from tests.app.shipments.conftest import Desk
from tracking.promise import Promise
from tracking.shipment import Milestone
from tracking.watch import ShipmentView
from tracking.watch import watch as engine

HOUR = timedelta(hours=1)
PLACES = ("CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G", "HGH-01", "CAN-G", "WUH-01", "HGH-L1", None)
ODD = (
    "arrived", "departed", "sorted", "missorted", "damaged", "held", "released", "returning", "returned",
    "redirected", "lost", "attempt_failed", "refused", "at_locker", "at_outlet", "out_for_delivery",
    "pickup_failed", "cancelled", "receipt_confirmed", "delivered", "deposited",
)  # fmt: skip
# What is found depends on when one looks; a parcel's times come from the moment its scans were heard.
Found = dict[tuple[int, str], tuple[str, datetime, dict[str, Any]]]


def lives(desk: Desk, rng: random.Random, count: int) -> list[tuple[Shipment, list[ScanInput]]]:
    """Parcels with lives of every odd kind, some of several pieces, some to a locker."""
    found = []
    for _ in range(count):
        pieces = rng.choice((1, 1, 1, 2, 3))
        handover = rng.choice((Handover.DOOR, Handover.DOOR, Handover.LOCKER))
        shipment = desk.book(pieces=pieces, delivery_handover=handover)
        life = desk.life(shipment)
        life = life[: rng.randrange(len(life) + 1)]
        end = life[-1].occurred_at if life else shipment.booked_at
        for _scan in range(rng.choice((0, 0, 1, 2, 4))):
            at = end + rng.choice((-5, -1, 0, 1, 2, 30)) * HOUR
            life.append(odd(desk, rng, shipment, at))
        if rng.random() < 0.15 and handover is Handover.LOCKER:
            life.append(desk.scan(shipment, "at_locker", end + HOUR, "HGH-L1"))
        life += [correction(desk, rng, scan) for scan in life if rng.random() < 0.03]
        found.append((shipment, life))
    turned = desk.book()
    found.append(
        (turned, [*desk.life(turned)[:4], desk.scan(turned, "returning", turned.booked_at + 9 * HOUR)])
    )
    return found


def odd(desk: Desk, rng: random.Random, shipment: Shipment, at: datetime) -> ScanInput:
    piece = rng.choice((None, *range(1, shipment.pieces + 1))) if shipment.pieces > 1 else None
    return desk.scan(shipment, rng.choice(ODD), at, rng.choice(PLACES), piece_no=piece)


def correction(desk: Desk, rng: random.Random, scan: ScanInput) -> ScanInput:
    """It did not happen, or it happened at the same moment elsewhere."""
    key = scan_key(desk.logins.tenant_id, scan.device_id, scan.client_scan_id)
    fields = {"corrects": key, "client_scan_id": f"c{scan.client_scan_id}"}
    if rng.random() < 0.5:
        fields["code"] = "voided"
    else:
        fields["facility_id"] = desk.world.facilities["CAN-G"]
    return ScanInput(**({name: getattr(scan, name) for name in scan.__struct_fields__} | fields))


def oracle(desk: Desk, settings: Settings, now: datetime) -> Found:
    """What the engine says of every parcel, however it stands."""
    found: Found = {}
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        shipments = session.scalars(sa.select(Shipment)).all()
        scans = scans_by_shipment(session, shipments)
        legs = legs_by_shipment(session, [shipment.id for shipment in shipments])
        history, places = load_history(session), routing_network(session)
        points = outlets_of_points(session, {scan.facility_id for every in scans.values() for scan in every})
        for one in shipments:
            state, counting = state_of_scans(scans[one.id], one.pieces)
            if one.delivered_at and one.delivered_at < now - timedelta(days=settings.auto_confirm_days):
                continue  # released by itself
            coming = state.milestone in estimates.COMING
            ahead = estimate(one, state, counting, legs[one.id], now, history, places, points)
            stops = {stop for leg in legs[one.id] for stop in (leg.from_facility_id, leg.to_facility_id)}
            near = {point for point, outlet in points.items() if outlet in stops}
            view = ShipmentView(
                state,
                tuple(counting),
                tuple(legs[one.id]),
                points=frozenset({one.pickup_point_id, one.delivery_point_id} - {None}) | near,
                promised_at=one.promised_to_at,
                estimate=Promise(one.estimate_p50_at, one.estimate_p80_at, one.estimate_p95_at)
                if coming
                else None,
                quiet_until=ahead and ahead.quiet_until,
            )
            for finding in engine(view, now):
                details = {"evidence": list(finding.evidence), **dict(finding.parameters)}
                found[one.id, f"watch:{finding.key}"] = (finding.kind.value, finding.since, details)
    return found


def standing(desk: Desk) -> Found:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        rows = session.scalars(
            sa.select(ShipmentFinding).where(
                ShipmentFinding.closed_at.is_(None), ShipmentFinding.finding_key.startswith("watch:")
            )
        ).all()
    return {(row.shipment_id, row.finding_key): (row.kind.value, row.opened_at, row.details) for row in rows}


def heard(desk: Desk, told: list[tuple[Shipment, list[ScanInput]]], rng: random.Random) -> datetime:
    """Some of what is still to be told, out of order, in batches small enough to renew estimates at once."""
    last = desk.logins.clock()
    for _, life in told:
        rng.shuffle(life)
        some = [life.pop() for _ in range(rng.randrange(len(life) + 1))]
        if some:
            now = max(scan.occurred_at for scan in some) + rng.choice((0, 0, 2)) * HOUR
            assert set(desk.record(*some, now=now)) <= {"recorded"}
            last = max(last, now)
    return last


def renewed(desk: Desk, now: datetime) -> None:
    while estimates.renew_waiting(desk.database, lambda: now):
        pass


@pytest.mark.parametrize("seed", range(2))
def test_the_statements_find_what_the_engine_finds(
    new_desk: Callable[[], Desk], settings: Settings, seed: int
) -> None:
    desk, rng = new_desk(), random.Random(seed)
    told = lives(desk, rng, 80)
    kinds: set[str] = set()
    for _time in range(4):
        now = heard(desk, told, rng)
        for later in (timedelta(), 9 * HOUR, 50 * HOUR, timedelta(days=4)):
            moment = now + later
            renewed(desk, moment)
            before = standing(desk)
            watching.watch(desk.database, settings, moment, limit=rng.choice((7, 40, 1000)))
            found, wanted = standing(desk), oracle(desk, settings, moment)
            assert found.keys() == wanted.keys()
            for key in found.keys() - before.keys():
                assert found[key] == wanted[key], key
            kinds |= {kind for kind, *_ in found.values()}
            assert watching.watch(desk.database, settings, moment) == 0, "what is open is opened once"
    assert kinds == {"late", "expected_late", "stuck", "misrouted", "pickup_overdue", "unconfirmed"}
    assert any(one.milestone == Milestone.RETURNING for one in again(desk))


def again(desk: Desk) -> list[Shipment]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return list(session.scalars(sa.select(Shipment)))
