"""The network's rows as a routing value, and who serves a place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import permutations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import Database
from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.network import queries, service
from app.network.models import District, Facility, Lane
from routing.network import Handover, InvalidNetworkError, NoRoute, distance_m, itinerary
from tests.support.app import Logins
from tests.support.world import World

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def session(world: World, session_factory: Callable[..., Session]) -> Iterator[Session]:
    """A session of the tenant whose changes are taken back."""
    with session_factory(info={"tenant_id": world.tenant_id}) as opened:
        yield opened
        opened.rollback()


def facility(session: Session, world: World, code: str) -> Facility:
    found = session.get(Facility, world.facilities[code])
    assert found is not None
    return found


def test_every_outlet_reaches_every_other(session: Session, world: World) -> None:
    network = queries.routing_network(session)
    outlets = [facility_id for code, facility_id in world.facilities.items() if code[-2:] in ("01", "02")]
    assert len(outlets) == 6
    for start, end in permutations(outlets, 2):
        way = itinerary(network, start, end, NOW, weight_g=1200)
        assert way.legs[0].from_facility_id == start
        assert way.legs[-1].to_facility_id == end
        assert 0 < way.transit_s < 5 * 86400


def test_the_network_is_read_once_until_it_is_written_to(
    session: Session, world: World, tenant: Logins
) -> None:
    before = queries.routing_network(session)
    assert queries.routing_network(session) is before
    lane = session.get(Lane, world.lanes["CTU-G>WUH-HUB"])
    assert lane is not None
    service.close_lane(session, tenant.actor("admin"), lane, reason="snow", now=NOW)
    after = queries.routing_network(session)
    assert after is not before
    assert len(after.lanes) == len(before.lanes) - 1


def test_a_network_that_was_rolled_back_is_forgotten(session: Session, world: World, tenant: Logins) -> None:
    whole = queries.routing_network(session)
    service.close_facility(
        session, tenant.actor("admin"), facility(session, world, "WUH-HUB"), reason="flood", now=NOW
    )
    assert len(queries.routing_network(session).lanes) < len(whole.lanes)
    session.rollback()
    assert queries.routing_network(session).lanes == whole.lanes


def test_nothing_is_routed_through_a_closed_facility(session: Session, world: World, tenant: Logins) -> None:
    admin = tenant.actor("admin")
    hub = facility(session, world, "WUH-HUB")
    start, end = world.facilities["CTU-01"], world.facilities["HGH-01"]
    service.close_facility(session, admin, hub, reason="flood", now=NOW)
    network = queries.routing_network(session)
    assert network.facility(hub.id).code == "WUH-HUB"
    with pytest.raises(NoRoute):
        itinerary(network, start, end, NOW, weight_g=1000)
    service.reopen_facility(session, admin, hub, reason="dry again", now=NOW)
    assert itinerary(queries.routing_network(session), start, end, NOW, weight_g=1000).legs


def test_closing_needs_a_reason_and_an_open_facility(session: Session, world: World, tenant: Logins) -> None:
    admin = tenant.actor("admin")
    hub = facility(session, world, "HGH-HUB")
    with pytest.raises(InvalidInputError, match="reason"):
        service.close_facility(session, admin, hub, reason="  ", now=NOW)
    with pytest.raises(ConflictError, match="is open"):
        service.reopen_facility(session, admin, hub, reason="why not", now=NOW)
    service.close_facility(session, admin, hub, reason="works", now=NOW)
    with pytest.raises(ConflictError, match="closed already"):
        service.close_facility(session, admin, hub, reason="works", now=NOW)


def test_impossible_facilities_and_lanes_are_refused(session: Session, world: World) -> None:
    made = facility(session, world, "CTU-01")
    values = {
        name: getattr(made, name)
        for name in (
            "name",
            "name_en",
            "kind",
            "operator",
            "party_id",
            "parent_id",
            "district_adcode",
            "sort_s",
        )
    }
    with pytest.raises(InvalidNetworkError, match="latitude"):
        service.create_facility(session, code="BAD", latitude=math.nan, longitude=104.0, now=NOW, **values)
    with pytest.raises(InvalidNetworkError, match="ends where it starts"):
        service.create_lane(
            session,
            code="LOOP",
            from_facility_id=made.id,
            to_facility_id=made.id,
            carrier_party_id=world.parties["TRUNK"],
            mode=session.scalars(sa.select(Lane.mode)).first(),
            distance_m=1,
            cost_fixed_minor=1,
            cost_per_kg_minor=1,
            capacity_g=None,
            departures=[],
            now=NOW,
        )


def test_the_outlet_of_the_district_serves_it_even_when_another_is_nearer(
    session: Session, world: World
) -> None:
    nearer_to_the_other = {"latitude": 30.61, "longitude": 104.11}
    served = queries.serving_outlet(session, district_adcode="510107", **nearer_to_the_other)
    assert served.code == "CTU-01"


def test_a_district_without_an_outlet_is_served_by_the_nearest(session: Session, world: World) -> None:
    outlets = [facility(session, world, code) for code in ("CTU-01", "CTU-02", "WUH-01", "HGH-01", "CAN-01")]
    spot = queries.district(session, "510116")
    served = queries.serving_outlet(
        session, district_adcode=spot.adcode, latitude=spot.latitude, longitude=spot.longitude
    )
    assert served == min(outlets, key=lambda outlet: distance_m(outlet, spot))


def test_a_closed_outlet_serves_nobody(session: Session, world: World, tenant: Logins) -> None:
    spot = world.spots["guangzhou"]
    place = {"district_adcode": spot.district_adcode, "latitude": spot.latitude, "longitude": spot.longitude}
    outlet = queries.serving_outlet(session, **place)
    assert outlet.code == "CAN-01"
    service.close_facility(session, tenant.actor("admin"), outlet, reason="moved", now=NOW)
    with pytest.raises(InvalidInputError, match="no open outlet"):
        queries.serving_outlet(session, **place)


@pytest.mark.parametrize(("latitude", "longitude"), [(91.0, 100.0), (math.nan, 100.0), (30.0, math.inf)])
def test_a_place_off_the_earth_is_refused(session: Session, latitude: float, longitude: float) -> None:
    with pytest.raises(InvalidInputError, match="not a place"):
        queries.serving_outlet(session, district_adcode="510107", latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("handover", "spot", "code"),
    [
        (Handover.STORE, "chengdu", "CTU-S1"),
        (Handover.LOCKER, "hangzhou", "HGH-L1"),
        (Handover.COLLECTIVE_POINT, "guangzhou", "CAN-C1"),
    ],
)
def test_the_nearest_point_offers_the_handover(
    session: Session, world: World, handover: Handover, spot: str, code: str
) -> None:
    place = world.spots[spot]
    assert queries.nearest_point(session, handover, place.latitude, place.longitude).code == code


def test_a_point_too_far_to_walk_to_is_none(session: Session, world: World) -> None:
    place = world.spots["wuhan"]
    with pytest.raises(InvalidInputError, match="no open locker"):
        queries.nearest_point(session, Handover.LOCKER, place.latitude, place.longitude)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("武侯", "510107"),
        ("成都武侯", "510107"),
        ("湖北 洪山区", "420111"),
        ("4401", "440106"),
        ("西湖", "330106"),
    ],
)
def test_districts_are_found_by_parts_of_their_names(session: Session, text: str, first: str) -> None:
    assert queries.search_districts(session, text, 5)[0].adcode == first


def test_wild_cards_are_letters_in_a_search(session: Session) -> None:
    assert queries.search_districts(session, "%", 5) == []
    assert queries.search_districts(session, "  ", 5) == []


def test_a_shipper_knows_the_places_where_parcels_change_hands_only(
    session: Session, world: World, tenant: Logins
) -> None:
    shipper = tenant.actor("shipper")
    assert queries.load_facility(session, shipper, world.facilities["CTU-S1"]).code == "CTU-S1"
    with pytest.raises(NotFoundError):
        queries.load_facility(session, shipper, world.facilities["WUH-HUB"])
    assert queries.load_facility(session, tenant.actor("hub"), world.facilities["WUH-HUB"]).code == "WUH-HUB"


def test_another_tenants_network_is_another(
    new_tenant: Callable[[], Logins], database: Database, world: World
) -> None:
    other = new_tenant()
    with database.unit_of_work(other.tenant_id) as session:
        assert queries.routing_network(session).facilities == ()
        with pytest.raises(NotFoundError):
            queries.load_facility(session, other.actor("admin"), world.facilities["WUH-HUB"])
        spot = world.spots["chengdu"]
        with pytest.raises(InvalidInputError):
            queries.serving_outlet(
                session,
                district_adcode=spot.district_adcode,
                latitude=spot.latitude,
                longitude=spot.longitude,
            )


def test_districts_are_replaced_when_loaded_again(session: Session) -> None:
    row = service.DistrictRow(
        adcode="510107",
        name="武侯区",
        city_name="成都市",
        province_name="四川省",
        latitude=30.6,
        longitude=104.0,
    )
    count = session.scalar(sa.select(sa.func.count()).select_from(District))
    assert service.load_districts(session, [row]) == 1
    session.expire_all()
    assert queries.district(session, "510107").latitude == 30.6
    assert session.scalar(sa.select(sa.func.count()).select_from(District)) == count
