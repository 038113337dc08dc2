"""What was on its way over a closed place gets another way, from where it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry
from app.db.outbox import OutboxEvent, relay
from app.network import service as network
from app.network.models import Facility, Lane
from app.shipments import replanning
from app.shipments.models import Shipment, ShipmentLeg
from app.subscriptions import SUBSCRIPTIONS
from routing.network import EVERY_DAY, Departure, FacilityKind, Mode
from tests.app.shipments.conftest import Desk
from tests.support.world import TIMEZONE


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A tenant of its own for each test, with a second, slower hub between the gateways."""
    desk = new_desk()
    now = desk.logins.clock()
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        spare = network.create_facility(
            session,
            code="NKG-HUB",
            name="南京转运中心",
            name_en="Nanjing hub",
            kind=FacilityKind.HUB,
            operator="own",
            party_id=desk.world.parties["WUH-HUB"],
            parent_id=None,
            district_adcode="420111",
            latitude=32.0,
            longitude=118.8,
            sort_s=5400,
            now=now,
        )
        for gateway in ("CTU-G", "WUH-G", "HGH-G", "CAN-G"):
            for start, end in ((gateway, "NKG-HUB"), ("NKG-HUB", gateway)):
                ids = {**desk.world.facilities, "NKG-HUB": spare.id}
                network.create_lane(
                    session,
                    code=f"{start}>{end}",
                    from_facility_id=ids[start],
                    to_facility_id=ids[end],
                    carrier_party_id=desk.world.parties["SHUTTLE"],
                    mode=Mode.ROAD,
                    distance_m=900_000,
                    cost_fixed_minor=100,
                    cost_per_kg_minor=1,
                    capacity_g=None,
                    departures=[Departure(EVERY_DAY, hour * 60, 40 * 3600, TIMEZONE) for hour in (5, 15)],
                    now=now,
                )
    return desk


def close(desk: Desk, code: str, *, at: datetime, opens: bool = False) -> None:
    """Close a facility or lane, or open it again, and let the events run until there are none."""
    admin = desk.logins.actor("admin")
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        table: Any = Lane if ">" in code else Facility
        row = session.scalars(sa.select(table).where(table.code == code)).one()
        if ">" in code:
            act: Any = network.reopen_lane if opens else network.close_lane
        else:
            act = network.reopen_facility if opens else network.close_facility
        act(session, admin, row, reason="flood", now=at)
    settle(desk, at)


def settle(desk: Desk, at: datetime) -> None:
    while relay(desk.database, SUBSCRIPTIONS, lambda: at):
        pass


def way(desk: Desk, shipment: Shipment) -> list[tuple[int, str, str]]:
    """Sequence and ends of its legs."""
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        codes = dict(session.execute(sa.select(Facility.id, Facility.code)).all())
        legs = session.scalars(
            sa.select(ShipmentLeg)
            .where(ShipmentLeg.shipment_id == shipment.id)
            .order_by(ShipmentLeg.sequence)
        ).all()
        return [(leg.sequence, codes[leg.from_facility_id], codes[leg.to_facility_id]) for leg in legs]


def events(desk: Desk, topic: str) -> list[dict[str, Any]]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        rows = session.scalars(
            sa.select(OutboxEvent).where(OutboxEvent.topic == topic).order_by(OutboxEvent.id)
        )
        return [row.payload for row in rows]


def audited(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        rows = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == "shipments.replanned").order_by(AuditEntry.id)
        )
        return [{**row.details, "reason": row.reason, "kind": row.subject_kind} for row in rows]


def test_a_booked_parcel_goes_round_a_closed_hub(desk: Desk) -> None:
    shipment = desk.book()
    before = way(desk, shipment)
    assert [leg[1] for leg in before] == ["CTU-01", "CTU-G", "WUH-HUB", "HGH-HUB", "HGH-G"]
    close(desk, "WUH-HUB", at=shipment.booked_at + timedelta(minutes=5))
    assert way(desk, shipment) == [
        (1, "CTU-01", "CTU-G"),
        (2, "CTU-G", "NKG-HUB"),
        (3, "NKG-HUB", "HGH-G"),
        (4, "HGH-G", "HGH-01"),
    ]
    after = desk.again(shipment)
    assert (after.promised_from_at, after.promised_to_at) == (
        shipment.promised_from_at,
        shipment.promised_to_at,
    )
    assert after.estimate_p50_at > shipment.estimate_p95_at
    assert after.estimate_p50_at <= after.estimate_p80_at <= after.estimate_p95_at
    assert events(desk, "shipment.replanned") == [
        {
            "shipment_id": shipment.id,
            "kind": "facility",
            "subject_id": desk.world.facilities["WUH-HUB"],
            "reason": "flood",
        }
    ]
    [entry] = audited(desk)
    assert (entry["replanned"], entry["stranded"], entry["reason"]) == (1, 0, "flood")
    assert entry["asked_by"] == desk.logins.actor("admin").user_id


def test_what_is_behind_a_parcel_stays(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:4])  # collected, accepted, departed, arrived at the gateway
    kept = way(desk, shipment)[:1]
    close(desk, "WUH-HUB", at=life[3].occurred_at + timedelta(hours=1))
    after = way(desk, shipment)
    assert after[:1] == kept
    assert [leg[1] for leg in after] == ["CTU-01", "CTU-G", "NKG-HUB", "HGH-G"]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        first = session.scalars(
            sa.select(ShipmentLeg).where(ShipmentLeg.shipment_id == shipment.id, ShipmentLeg.sequence == 2)
        ).one()
        assert first.planned_departure_at >= life[3].occurred_at + timedelta(hours=1)
        assert first.carrier_party_id == desk.world.parties["SHUTTLE"]


def test_a_parcel_on_a_vehicle_is_planned_from_where_that_goes(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:3])  # it has departed from its outlet
    close(desk, "WUH-HUB", at=life[2].occurred_at + timedelta(minutes=10))
    assert [leg[1] for leg in way(desk, shipment)] == ["CTU-01", "CTU-G", "NKG-HUB", "HGH-G"]
    assert desk.again(shipment).estimate_p50_at > shipment.estimate_p95_at


def test_a_parcel_that_has_passed_it_keeps_its_plan(desk: Desk) -> None:
    shipment, delivered = desk.book(), desk.book()
    life = desk.life(shipment)
    desk.record(*life[:8], *desk.life(delivered))  # it has arrived at the second hub
    before, estimate = way(desk, shipment), desk.again(shipment).estimate_p80_at
    close(desk, "WUH-HUB", at=life[7].occurred_at + timedelta(minutes=1))
    assert way(desk, shipment) == before
    assert desk.again(shipment).estimate_p80_at == estimate
    assert events(desk, "shipment.replanned") == []
    assert [entry["replanned"] for entry in audited(desk)] == [0]


def test_a_closed_lane_is_gone_round(desk: Desk) -> None:
    shipment, other = desk.book(), desk.book("guangzhou", "hangzhou")
    untouched = way(desk, other)
    close(desk, "WUH-HUB>HGH-HUB", at=shipment.booked_at + timedelta(minutes=5))
    assert "NKG-HUB" in [leg[1] for leg in way(desk, shipment)]
    assert way(desk, other) == untouched
    assert [event["kind"] for event in events(desk, "shipment.replanned")] == ["lane"]


def test_a_parcel_off_its_way_is_planned_from_where_it_lies(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    astray = desk.scan(shipment, "arrived", life[3].occurred_at, "CAN-G")
    desk.record(*life[:3], astray)
    close(desk, "HGH-HUB", at=astray.occurred_at + timedelta(hours=1))
    assert [leg[:2] for leg in way(desk, shipment)] == [(1, "CAN-G"), (2, "NKG-HUB"), (3, "HGH-G")]


def test_what_cannot_be_carried_is_stranded_until_it_opens_again(desk: Desk) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    desk.record(*life[:6])  # it lies in the hub that closes
    before = way(desk, shipment)
    closed_at = life[5].occurred_at + timedelta(minutes=1)
    close(desk, "WUH-HUB", at=closed_at)
    assert way(desk, shipment) == before
    [told] = events(desk, "shipment.stranded")
    assert (told["shipment_id"], told["why"]) == (shipment.id, "origin_closed")
    opened_at = closed_at + timedelta(days=3)
    close(desk, "WUH-HUB", at=opened_at, opens=True)
    assert [leg[:2] for leg in way(desk, shipment)] == [leg[:2] for leg in before]
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        ahead = session.scalars(
            sa.select(ShipmentLeg.planned_departure_at).where(
                ShipmentLeg.shipment_id == shipment.id, ShipmentLeg.sequence > 2
            )
        ).all()
    assert all(departure >= opened_at for departure in ahead)
    assert [(entry["replanned"], entry["stranded"]) for entry in audited(desk)] == [(0, 1), (1, 0)]


def test_a_closed_destination_strands_what_is_going_there(desk: Desk) -> None:
    shipment = desk.book()
    close(desk, "HGH-01", at=shipment.booked_at + timedelta(minutes=5))
    [told] = events(desk, "shipment.stranded")
    assert (told["shipment_id"], told["why"]) == (shipment.id, "destination_closed")


def test_many_are_planned_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    booked = [desk.book() for _ in range(5)]
    hub_id = desk.world.facilities["WUH-HUB"]
    at = booked[0].booked_at + timedelta(minutes=5)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        hub = session.get_one(Facility, hub_id)
        network.close_facility(session, desk.logins.actor("admin"), hub, reason="flood", now=at)
    cause: replanning.Cause | None = replanning.Cause("facility", hub_id, "flood", None, at.isoformat())
    sums = []
    for _ in range(3):
        with desk.database.unit_of_work(desk.logins.tenant_id) as session:
            assert cause is not None
            cause = replanning.replan_some(session, cause, now=at, limit=2)
            sums.append(cause.replanned)
    assert sums == [2, 4, 5]
    assert [event["after_id"] for event in events(desk, "shipments.replan")] == [booked[1].id, booked[3].id]
    assert [entry["replanned"] for entry in audited(desk)] == [5]
    settle(desk, at)  # the events ask for what has been done already, and change nothing
    assert len(events(desk, "shipment.replanned")) == 5


def test_another_company_s_parcels_are_left_alone(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    other = new_desk()
    theirs = other.book()
    before = way(other, theirs)
    ours = desk.book()
    close(desk, "WUH-HUB", at=ours.booked_at + timedelta(minutes=5))
    assert way(other, theirs) == before
    assert events(other, "shipment.replanned") == []


def test_reopened_before_its_turn_nothing_changes(desk: Desk) -> None:
    shipment = desk.book()
    before = way(desk, shipment)
    admin, at = desk.logins.actor("admin"), shipment.booked_at + timedelta(minutes=5)
    with desk.database.unit_of_work(desk.logins.tenant_id) as session:
        hub = session.get_one(Facility, desk.world.facilities["WUH-HUB"])
        network.close_facility(session, admin, hub, reason="alarm", now=at)
        network.reopen_facility(session, admin, hub, reason="false alarm", now=at)
    settle(desk, at)
    assert way(desk, shipment) == before
    assert events(desk, "shipment.replanned") == []
