"""Estimates of parcels that nothing is heard of: as exact as from all scans, told as such."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.config import Settings
from app.network.queries import routing_network
from app.shipments import ageing, estimates, watching
from app.shipments.beside import outlets_of_points
from app.shipments.estimates import COMING, estimate
from app.shipments.folding import state_of_scans
from app.shipments.history import load_history
from app.shipments.legs import legs_by_shipment
from app.shipments.models import EstimateRequest, Shipment
from app.shipments.outlook import Outlook
from app.shipments.scan_store import scans_by_shipment
from tests.app.shipments.conftest import Desk
from tests.app.shipments.test_watch_oracle import heard, lives, renewed

MINUTE = timedelta(minutes=1)


def exactly(desk: Desk, now: datetime) -> dict[int, Outlook]:
    """What all scans of each parcel say is expected of it now."""
    found = {}
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        shipments = session.scalars(sa.select(Shipment).where(Shipment.terminal.is_(False))).all()
        scans = scans_by_shipment(session, shipments)
        legs = legs_by_shipment(session, [one.id for one in shipments])
        points = outlets_of_points(session, {scan.facility_id for every in scans.values() for scan in every})
        history, places = load_history(session), routing_network(session)
        for one in shipments:
            state, counting = state_of_scans(scans[one.id], one.pieces)
            ahead = estimate(one, state, counting, legs[one.id], now, history, places, points)
            if ahead is not None:
                found[one.id] = ahead
    return found


def aged(desk: Desk, now: datetime) -> int:
    """Age everything at once; gives how many were worked out from their rows."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        part = {"tenant": desk.logins.tenant_id, "now": now, "after": 0, "until": 2**62}
        return ageing.age(session, part)


def all_of(desk: Desk) -> list[Shipment]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return list(session.scalars(sa.select(Shipment).where(Shipment.terminal.is_(False))))


def test_from_the_row_as_from_all_scans(new_desk: Callable[[], Desk]) -> None:
    desk, rng = new_desk(), random.Random(5)
    told = lives(desk, rng, 120)
    from_rows = 0
    for _time in range(3):
        now = heard(desk, told, rng)
        renewed(desk, now)
        for later in (timedelta(hours=3), timedelta(hours=20), timedelta(days=3)):
            moment = now + later
            due = {one.id for one in all_of(desk) if one.estimate_ages_at <= moment}
            from_rows += aged(desk, moment)
            renewed(desk, moment)
            wanted = exactly(desk, moment)
            for one in all_of(desk):
                if one.milestone in COMING:
                    assert one.estimate_ages_at > moment
                if one.id not in wanted or one.id not in due:
                    continue  # no time can be told, or what was told still holds
                ahead = wanted[one.id]
                assert one.estimate_aged == ahead.aged, one.id
                for stored, exact in (
                    (one.estimate_p50_at, ahead.promise.p50_at),
                    (one.estimate_p80_at, ahead.promise.p80_at),
                    (one.estimate_p95_at, ahead.promise.p95_at),
                    (one.estimate_ages_at, ahead.ages_at),
                ):
                    assert abs(stored - exact) <= 2 * MINUTE, one.id
    assert from_rows > 100, "most are worked out without their scans"


def test_it_ages_until_it_is_heard_of(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:4])
    told = desk.again(shipment)
    assert told.estimate_ages_at is not None
    assert told.estimate_ages_at > life[3].occurred_at
    assert not told.estimate_aged
    first = before = told.estimate_p80_at
    watching.watch(desk.database, settings, told.estimate_ages_at - MINUTE)
    assert desk.again(shipment).estimate_p80_at == before, "what still holds is left alone"
    moment = told.estimate_ages_at + timedelta(hours=10)
    for _time in range(4):
        watching.watch(desk.database, settings, moment)
        silent = desk.again(shipment)
        assert silent.estimate_aged
        assert silent.estimate_p80_at >= before  # later only once it misses what it was planned to reach
        assert silent.estimate_ages_at >= moment + 15 * MINUTE
        before, moment = silent.estimate_p80_at, silent.estimate_ages_at
    assert before > first
    assert life[3].facility_id == desk.world.facilities["CTU-G"]
    desk.record(desk.scan(shipment, "departed", moment, "CTU-G"), now=moment + MINUTE)
    again = desk.again(shipment)
    assert not again.estimate_aged


def test_a_reader_is_told(desk: Desk, settings: Settings) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:4])
    client = desk.logins.app.test_client()
    path = f"/api/v1/track/{shipment.waybill_number}"
    assert client.get(path).json["expected_without_news"] is False
    moment = life[3].occurred_at + timedelta(hours=30)
    desk.logins.clock.moment = max(desk.logins.clock.moment, moment)
    watching.watch(desk.database, settings, moment)
    assert client.get(path).json["expected_without_news"] is True
    page = client.get(f"/track/{shipment.waybill_number}?lang=en")
    assert "Nothing has been heard of it for longer than usual." in page.text
    staff = desk.logins.browser("agent")
    assert "no news for longer than usual" in staff.get(f"/shipments/{shipment.waybill_number}?lang=en").text
    detail = desk.logins.api("agent").get(f"/api/v1/shipments/{shipment.waybill_number}").json
    assert detail["expected_without_news"] is True


def test_who_is_not_so_simple_is_asked_for(desk: Desk) -> None:
    shipment = desk.book(pieces=2)
    desk.record(*desk.life(shipment)[:4])
    moment = desk.again(shipment).estimate_ages_at + timedelta(hours=1)
    assert aged(desk, moment) >= 0
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        asked = [one for row in session.scalars(sa.select(EstimateRequest)) for one in row.shipment_ids]
    assert shipment.id in asked
    while estimates.renew_waiting(desk.database, lambda: moment):
        pass
    assert desk.again(shipment).estimate_aged
