"""Promises are learned from one's own scans, kept by revision, and held against what happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.accounts.models import Tenant
from app.config import Settings
from app.network import queries as network
from app.shipments import history, observations
from app.shipments.calibration import Stage, calibration, figures, measure_promises, measured, summed
from app.shipments.history_models import FirstPromise, PromiseHistory, PromiseSample
from app.shipments.legs import legs_by_shipment
from app.shipments.models import Service, Shipment, ShipmentLeg
from app.shipments.service import ScanInput
from routing.network import FacilityKind, Handover, usual_hours
from routing.network.cutoff import handed_over_at, ready_at
from tests.app.shipments.conftest import Desk
from tracking.position import Position
from tracking.promise import LastMile, LegHistory, Promise, promise
from tracking.promise.levels import Level
from tracking.promise.stored import history_of, samples_of
from tracking.shipment import Leg

OUTLET = usual_hours(FacilityKind.OUTLET, "Asia/Shanghai")
STEP = timedelta(hours=3)  # between two scans of `Desk.life`


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A tenant of its own for each test."""
    return new_desk()


def delivered(desk: Desk, **more: str) -> Shipment:
    """A parcel that was booked, travelled and delivered."""
    shipment = desk.book()
    desk.record(*desk.life(shipment, **more))
    return desk.again(shipment)


def observed(desk: Desk, now: datetime) -> observations.Observed:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        since = now - history.OBSERVED
        return observations.read(session, network.routing_network(session), since=since, now=now)


def learned(desk: Desk, now: datetime) -> int:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return history.learn(session, now=now)


def loaded(desk: Desk) -> LegHistory | None:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return history.load_history(session)


def legs_of(desk: Desk, shipment: Shipment) -> list[ShipmentLeg]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return list(session.get_one(Shipment, shipment.id).legs)


def folded_legs(desk: Desk, shipment: Shipment) -> list[Leg]:
    """The legs as `tracking` takes them."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        return legs_by_shipment(session, [shipment.id])[shipment.id]


def later(desk: Desk, days: float = 10) -> datetime:
    return desk.logins.clock() + timedelta(days=days)


def test_legs_dwells_and_handovers_are_read_as_they_happened(desk: Desk) -> None:
    shipment = delivered(desk)
    legs, life = legs_of(desk, shipment), desk.life(shipment)
    found = observed(desk, later(desk))
    assert [(leg.lane_id, leg.from_facility_id, leg.to_facility_id) for leg in found.legs] == [
        (leg.lane_id, leg.from_facility_id, leg.to_facility_id) for leg in legs
    ]
    assert {leg.actual_s for leg in found.legs} == {STEP.total_seconds()}
    assert [leg.planned_s for leg in found.legs] == [
        (leg.planned_arrival_at - leg.planned_departure_at).total_seconds() for leg in legs
    ]
    assert [leg.departs_at for leg in found.legs] == [leg.planned_departure_at for leg in legs]
    departed = [scan.occurred_at for scan in life if scan.code == "departed"]
    for dwell, leg, left_at in zip(found.dwells, legs, departed, strict=True):
        plan = max(leg.planned_departure_at, left_at - STEP)
        assert (dwell.facility_id, dwell.weight) == (leg.from_facility_id, 1.0)
        assert abs(dwell.deviation_s - (left_at - plan).total_seconds()) <= 150
    (collection,) = found.collections
    ready = ready_at(shipment.booked_at, Handover.DOOR, OUTLET)
    assert collection.facility_id == shipment.origin_facility_id
    assert abs(collection.deviation_s - (life[1].occurred_at - ready).total_seconds()) <= 750
    (handover,) = found.handovers
    arrived_at = life[-3].occurred_at
    plan = handed_over_at(arrived_at, Handover.DOOR, OUTLET)
    assert handover.facility_id == shipment.destination_facility_id
    assert abs(handover.deviation_s - (life[-1].occurred_at - plan).total_seconds()) <= 750


def test_parcels_of_one_trip_are_one_observation_that_they_share(desk: Desk) -> None:
    three = [desk.book() for _ in range(3)]
    for shipment in three[:2]:
        desk.record(*desk.life(shipment))
    # The third leaves its first outlet a day after the others.
    slow = desk.life(three[2])
    desk.record(*slow[:2], *(_later(desk, three[2], scan, 24) for scan in slow[2:]))
    found = observed(desk, later(desk))
    assert len(found.legs) == len(legs_of(desk, three[0]))
    first = [stay for stay in found.dwells if stay.facility_id == three[0].origin_facility_id]
    assert sorted(round(stay.weight, 6) for stay in first) == [0.333333, 0.666667]
    assert sum(stay.weight for stay in found.handovers) == 3


def _later(desk: Desk, shipment: Shipment, scan: ScanInput, hours: float) -> ScanInput:
    code_of = {ident: code for code, ident in desk.world.facilities.items()}
    facility = None if scan.facility_id is None else code_of[scan.facility_id]
    return desk.scan(shipment, scan.code, scan.occurred_at + timedelta(hours=hours), facility)


def test_what_was_corrected_and_what_has_not_had_a_day_to_end_is_not_learned(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life)
    before = observed(desk, later(desk))
    wrong = desk.scan(shipment, "departed", life[2].occurred_at + STEP, "CTU-01")
    desk.record(wrong)
    assert observed(desk, later(desk)) != before
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        key = session.execute(
            sa.text("SELECT scan_key FROM scan WHERE client_scan_id = :id AND tenant_id = :tenant_id"),
            {"id": wrong.client_scan_id, "tenant_id": desk.logins.tenant_id},
        ).scalar_one()
    desk.record(desk.scan(shipment, "voided", life[-1].occurred_at, corrects=key))
    assert observed(desk, later(desk)) == before
    soon = legs_of(desk, shipment)[0].planned_arrival_at + timedelta(hours=23)
    assert observed(desk, soon).legs == ()


def test_several_pieces_tell_nothing(desk: Desk) -> None:
    shipment = desk.book(pieces=2)
    desk.record(*desk.life(shipment))
    assert observed(desk, later(desk)) == observations.Observed((), (), (), ())


def test_what_was_learned_is_loaded_as_it_was_learned_and_only_by_its_tenant(
    desk: Desk, new_desk: Callable[[], Desk]
) -> None:
    assert loaded(desk) is None
    for _ in range(4):
        delivered(desk)
        desk.logins.clock.forward(hours=7)
    now = later(desk)
    found = observed(desk, now)
    expected = LegHistory.of(found.legs, found.dwells, found.handovers, found.collections, offset_minutes=480)
    assert learned(desk, now) == len(list(samples_of(expected)))
    kept = loaded(desk)
    assert kept == expected
    assert loaded(desk) is kept, "it is kept until it is learned anew"
    assert any(level is Level.LANE for level, _ in expected.effects)
    other = new_desk()
    assert loaded(other) is None
    assert learned(other, now) == 0
    assert loaded(other) == LegHistory.of(offset_minutes=480)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        facts = session.scalars(
            sa.select(PromiseHistory).where(PromiseHistory.tenant_id == desk.logins.tenant_id)
        )
        row = facts.one()
        assert (row.trips, row.handovers, row.offset_minutes) == (len(found.legs), 4, 480)


def test_learning_again_replaces_what_was_learned(desk: Desk) -> None:
    delivered(desk)
    learned(desk, later(desk))
    first = loaded(desk)
    assert learned(desk, later(desk, days=120)) == 0, "nothing of the last 90 days"
    assert loaded(desk) != first
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        count = sa.select(sa.func.count()).where(PromiseSample.tenant_id == desk.logins.tenant_id)
        assert session.scalar(count) == 0


def test_a_session_asks_once_and_sees_what_it_learned_itself(desk: Desk) -> None:
    delivered(desk)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        assert history.load_history(session) is None
        assert history.learn(session, now=later(desk)) > 0
        known = history.load_history(session)
        assert known is not None
        assert history.load_history(session) is known


def test_the_job_learns_for_every_tenant(
    desk: Desk, new_desk: Callable[[], Desk], settings: Settings
) -> None:
    desks = [desk, new_desk()]
    for one in desks:
        delivered(one)
    with desk.database.unit_of_work(None) as session:
        assert history.learn_history(session, settings, later(desk)) > 0
        tenants = session.scalar(sa.select(sa.func.count()).select_from(Tenant))
        assert session.scalar(sa.select(sa.func.count()).select_from(PromiseHistory)) == tenants
    for one in desks:
        known = loaded(one)
        assert known is not None
        assert known.effects


def test_what_was_learned_moves_the_next_promise(desk: Desk) -> None:
    for _ in range(5):
        delivered(desk)
        desk.logins.clock.forward(hours=24)
    learned(desk, later(desk))
    known, shipment = loaded(desk), desk.book()
    way = folded_legs(desk, shipment)
    rule = LastMile(shipment.delivery_handover, OUTLET)
    under_way = Position(way[0].from_facility_id, way[0].planned_departure_at, departed=True)

    def told(given: LegHistory | None) -> Promise:
        return promise(way, handover_s=rule, history=given, now=under_way.at, current=under_way)

    assert told(known) != told(None)
    assert known is not None
    first = known.leg_quantiles_s(way[0], (0.5,))[0]
    assert abs(first - STEP.total_seconds()) < abs(way[0].planned_s - STEP.total_seconds())


def test_calibration_counts_what_came_by_the_time_it_was_promised(desk: Desk) -> None:
    booked = [desk.book() for _ in range(4)]
    base = booked[0].booked_at
    lives = [desk.life(shipment) for shipment in booked]
    came_at = lives[0][-1].occurred_at
    promised = [
        Promise(came_at, came_at, came_at),
        Promise(came_at - timedelta(hours=1), came_at, came_at),
        Promise(base, base, came_at - timedelta(seconds=1)),
        Promise(base, base, came_at + timedelta(days=300)),
    ]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        session.execute(sa.delete(FirstPromise))  # in place of what was said when they were booked
        for shipment, said in zip(booked, promised, strict=True):
            history.keep_first_promise(session, session.get_one(Shipment, shipment.id), said)
    for life in lives[:3]:
        desk.record(*life)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        found = calibration(session, base, now=later(desk, days=60))
        assert session.scalar(sa.select(sa.func.count()).select_from(FirstPromise)) == 4
    counts = summed(found)
    assert counts[Stage.BOOKED, 0.5] == (3, 1)
    assert counts[Stage.BOOKED, 0.8] == (3, 2)
    assert counts[Stage.BOOKED, 0.95] == (3, 2)
    # The one that never came counts against what was told.
    parcels, kept = counts[Stage.WINDOW, 0.8]
    assert (parcels, kept) == (4, sum(came_at <= one.promised_to_at for one in booked[:3]))
    assert counts[Stage.ESTIMATED, 0.95][0] == 4
    assert found[0].share == pytest.approx(1 / 3)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        nothing = calibration(session, later(desk, days=50), now=later(desk, days=60))
    assert nothing == ()


def test_what_was_measured_is_kept_shown_and_counted(desk: Desk, settings: Settings) -> None:
    booked = [desk.book() for _ in range(3)]
    for shipment in booked[:2]:
        desk.record(*desk.life(shipment))
    now = later(desk, days=30)
    for _time in range(2):  # measured again, it is the same
        with desk.database.unit_of_work(None) as session:
            assert measure_promises(session, settings, now) > 0
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        rows = measured(session, stage=Stage.WINDOW)
        assert [(row.month.isoformat(), row.parcels) for row in rows] == [("2026-03-01", 3)]
        assert not measured(session, service=Service.EXPRESS)
        code = session.get_one(Tenant, desk.logins.tenant_id).code
    with desk.database.unit_of_work(None) as session:
        told = [one for one in figures(session, now=now) if one.tenant == code and one.stage == "window"]
        assert [(one.promised_percent, one.parcels) for one in told] == [(80, 3)]
        assert not [one for one in figures(session, now=later(desk, days=120)) if one.tenant == code]
    browser = desk.logins.browser("dispatcher")
    page = browser.get("/shipments/promises?stage=window", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Of 100 parcels 80 were to come by the time told" in page.text
    assert "2026-03" in page.text
    assert browser.get("/shipments/promises?stage=never").status_code == 422
    assert browser.get("/shipments/promises?service=express").status_code == 200
    items = desk.logins.api("dispatcher").get("/api/v1/promises?stage=window").json["items"]
    assert [(one["promised_percent"], one["parcels"]) for one in items] == [(80, 3)]
    shipper = desk.logins.browser("shipper", desk.shipper_id)
    assert shipper.get("/shipments/promises").status_code == 403


def test_a_called_off_parcel_was_never_to_come(desk: Desk) -> None:
    shipment = desk.book()
    desk.record(desk.scan(shipment, "cancelled", shipment.booked_at + timedelta(minutes=5)))
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        found = calibration(session, shipment.booked_at, now=later(desk, days=60))
    assert found == ()


def test_a_history_is_the_same_in_any_order_of_its_rows(desk: Desk) -> None:
    delivered(desk)
    found = observed(desk, later(desk))
    made = LegHistory.of(found.legs, found.dwells, found.handovers, found.collections)
    assert history_of(reversed(list(samples_of(made))), offset_minutes=0) == made
