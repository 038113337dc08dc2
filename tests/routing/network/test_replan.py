"""New ways round what closed, from where each parcel is."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.network import (
    Closure,
    InvalidNetworkError,
    Itinerary,
    Network,
    NoRoute,
    NoRouteReason,
    PlannedHop,
    Underway,
    itinerary,
    replan,
    reroute,
)

MONDAY_TEN = datetime(2026, 11, 2, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
HUB = Closure(facility_ids=frozenset({5}))


@pytest.fixture
def parcel(small_network: Network) -> Underway:
    """From outlet 1 over gateway 3, hub 5 and gateway 4 to outlet 2; it lies at its origin."""
    way = itinerary(small_network, 1, 2, MONDAY_TEN, weight_g=500)
    legs = tuple(
        PlannedHop(leg.lane_id, leg.from_facility_id, leg.to_facility_id, leg.arrival_at) for leg in way.legs
    )
    return Underway(legs, 2, 500, 1, MONDAY_TEN)


def lanes(
    network: Network, parcel: Underway, closure: Closure, now: datetime
) -> tuple[int, list[int]] | None:
    [found] = replan(network, [parcel], closure, now=now)
    if found is None:
        return None
    assert isinstance(found.way, Itinerary)
    assert all(leg.departure_at >= now for leg in found.way.legs)
    return found.kept, [leg.lane_id for leg in found.way.legs]


def test_from_where_it_waits(small_network: Network, parcel: Underway) -> None:
    assert lanes(small_network, parcel, HUB, MONDAY_TEN) == (0, [31, 35, 36, 34])
    at_gateway = replace(parcel, place_id=3, since=MONDAY_TEN + timedelta(hours=4))
    assert lanes(small_network, at_gateway, HUB, MONDAY_TEN + timedelta(hours=5)) == (1, [35, 36, 34])


def test_from_where_its_vehicle_goes(small_network: Network, parcel: Underway) -> None:
    left = replace(parcel, since=MONDAY_TEN + timedelta(hours=2), departed=True)
    assert lanes(small_network, left, HUB, MONDAY_TEN + timedelta(hours=3)) == (1, [35, 36, 34])
    # Late: it has not arrived though it should have, so it is planned from now on.
    [late] = replan(small_network, [left], HUB, now=MONDAY_TEN + timedelta(hours=20))
    assert late is not None
    assert isinstance(late.way, Itinerary)
    assert late.way.ready_at == MONDAY_TEN + timedelta(hours=20)


def test_what_is_behind_it_does_not_matter(small_network: Network, parcel: Underway) -> None:
    beyond = replace(parcel, place_id=4, since=MONDAY_TEN + timedelta(hours=20))
    assert lanes(small_network, beyond, HUB, MONDAY_TEN + timedelta(hours=20)) is None
    there = replace(parcel, place_id=2, since=MONDAY_TEN + timedelta(hours=24))
    assert lanes(small_network, there, Closure(frozenset({2})), there.since) is None
    on_it = replace(parcel, place_id=3, departed=True, since=MONDAY_TEN + timedelta(hours=11))
    assert lanes(small_network, on_it, Closure(lane_ids=frozenset({32})), on_it.since) is None


def test_a_closed_lane_may_be_in_the_network_or_not(small_network: Network, parcel: Underway) -> None:
    closed = Closure(lane_ids=frozenset({33}))
    without = Network(
        small_network.facilities, tuple(lane for lane in small_network.lanes if lane.lane_id != 33)
    )
    for network in (small_network, without):
        assert lanes(network, parcel, closed, MONDAY_TEN) == (0, [31, 35, 36, 34])


@pytest.mark.parametrize(
    ("place", "departed", "closed", "reason"),
    [
        (5, False, 5, NoRouteReason.ORIGIN_CLOSED),
        (3, True, 5, NoRouteReason.ORIGIN_CLOSED),
        (1, False, 2, NoRouteReason.DESTINATION_CLOSED),
        (4, True, 2, NoRouteReason.DESTINATION_CLOSED),
    ],
)
def test_what_cannot_go_on(
    small_network: Network, parcel: Underway, place: int, departed: bool, closed: int, reason: NoRouteReason
) -> None:
    moved = replace(parcel, place_id=place, departed=departed)
    [found] = replan(small_network, [moved], Closure(frozenset({closed})), now=MONDAY_TEN)
    assert found is not None
    assert isinstance(found.way, NoRoute)
    assert found.way.reason is reason


def test_off_its_plan_it_starts_from_where_it_lies(small_network: Network, parcel: Underway) -> None:
    astray = replace(parcel, place_id=6, since=MONDAY_TEN)
    assert lanes(small_network, astray, HUB, MONDAY_TEN) == (0, [36, 34])
    assert lanes(small_network, astray, Closure(lane_ids=frozenset({38})), MONDAY_TEN) is None
    assert replan(small_network, [replace(astray, departed=True)], HUB, now=MONDAY_TEN) == [None]


def test_what_is_sorted_departs_at_once(small_network: Network, parcel: Underway) -> None:
    at_gateway = replace(parcel, place_id=3, since=MONDAY_TEN.replace(hour=20, minute=50))
    now = MONDAY_TEN.replace(hour=20, minute=55)
    unsorted, ready = (
        replan(small_network, [replace(at_gateway, handled=handled)], HUB, now=now)[0]
        for handled in (False, True)
    )
    assert unsorted is not None
    assert ready is not None
    assert isinstance(unsorted.way, Itinerary)
    assert isinstance(ready.way, Itinerary)
    assert ready.way.legs[0].departure_at == MONDAY_TEN.replace(hour=21)
    assert unsorted.way.legs[0].departure_at == MONDAY_TEN.replace(hour=21) + timedelta(days=1)


def test_what_opened_again_may_be_used(small_network: Network, parcel: Underway) -> None:
    now = MONDAY_TEN + timedelta(days=3)
    [found] = replan(small_network, [parcel], HUB, now=now, reopened=True)
    assert found is not None
    assert isinstance(found.way, Itinerary)
    assert [leg.lane_id for leg in found.way.legs] == [31, 32, 33, 34]
    assert found.way.legs[0].departure_at >= now


def test_now_needs_an_offset(small_network: Network, parcel: Underway) -> None:
    with pytest.raises(InvalidNetworkError, match="now"):
        replan(small_network, [parcel], HUB, now=datetime(2026, 11, 2))  # noqa: DTZ001 - naive on purpose


def test_elsewhere_from_where_it_is(small_network: Network, parcel: Underway) -> None:
    """To another hub from its gateway, from the lorry that is on its way there; back there is no lane."""
    now = MONDAY_TEN + timedelta(hours=5)
    at_gateway = replace(parcel, place_id=3, since=MONDAY_TEN + timedelta(hours=4), destination_id=6)
    found = reroute(small_network, at_gateway, now=now)
    assert isinstance(found.way, Itinerary)
    assert found.kept == 1
    assert [leg.lane_id for leg in found.way.legs] == [35]
    assert found.way.legs[0].departure_at >= now
    left = replace(parcel, since=MONDAY_TEN + timedelta(hours=2), departed=True, destination_id=6)
    on_the_lorry = reroute(small_network, left, now=MONDAY_TEN + timedelta(hours=3))
    assert isinstance(on_the_lorry.way, Itinerary)
    assert (on_the_lorry.kept, on_the_lorry.way.legs[0].from_facility_id) == (1, 3)
    there = reroute(small_network, replace(parcel, destination_id=1), now=MONDAY_TEN)
    assert isinstance(there.way, Itinerary)
    assert (there.kept, there.way.legs) == (0, ())
    back = reroute(small_network, replace(at_gateway, destination_id=1), now=now)
    assert isinstance(back.way, NoRoute)


def test_rerouting_needs_an_offset(small_network: Network, parcel: Underway) -> None:
    with pytest.raises(InvalidNetworkError, match="now"):
        reroute(small_network, parcel, now=datetime(2026, 11, 2))  # noqa: DTZ001 - naive on purpose
