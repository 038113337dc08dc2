from datetime import UTC, datetime

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.network import (
    Facility,
    FacilityKind,
    InvalidNetworkError,
    Network,
    Option,
    Topology,
    TopologyTooLargeError,
    UnknownFacilityError,
    compare_parcel,
    distance_m,
    graph,
    hub_lines,
    one_hub,
    point_to_point,
    point_to_point_lines,
    several_hubs,
    soundness,
)

READY = datetime(2026, 11, 2, 2, tzinfo=UTC)


def cities(count: int) -> list[Facility]:
    """Gateways on a grid a degree wide."""
    return [
        Facility(i + 1, f"G{i}", "", FacilityKind.GATEWAY, 25.0 + i % 6, 105.0 + i // 6 % 70, 3600, "own")
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("facilities", "lines"),
    [(2, 2), (3, 6), (4, 12), (5, 20), (31, 930), (332, 109_892), (2853, 8_136_756)],
)
def test_lines_point_to_point(facilities: int, lines: int) -> None:
    assert point_to_point_lines(facilities) == lines


def test_lines_with_hubs() -> None:
    assert hub_lines(31, 1) == 60
    assert hub_lines(2852, 30) == 30 * 29 + 2 * 2822
    assert hub_lines(31, 31) == point_to_point_lines(31)
    for facilities, hubs in ((31, 0), (31, 32), (-1, 1)):
        with pytest.raises(InvalidNetworkError):
            hub_lines(facilities, hubs)


@given(count=st.integers(2, 20), data=st.data())
def test_builders_make_what_is_counted(count: int, data: st.DataObject) -> None:
    facilities = cities(count)
    hubs = data.draw(st.lists(st.integers(1, count), min_size=1, unique=True))
    direct, hubbed = point_to_point(facilities), several_hubs(facilities, hubs)
    assert len(direct.lanes) == graph(direct).number_of_edges() == point_to_point_lines(count)
    assert len(hubbed.lanes) == graph(hubbed).number_of_edges() == hub_lines(count, len(hubs))
    assert nx.is_strongly_connected(graph(hubbed))
    # Any two spokes are at most spoke, hub, hub, spoke apart.
    assert nx.diameter(graph(hubbed)) <= 3


def test_spokes_go_to_the_nearest_hub_or_where_they_are_told() -> None:
    facilities = cities(12)
    near = several_hubs(facilities, [1, 12])
    by_id = {facility.facility_id: facility for facility in facilities}
    for spoke in facilities:
        if spoke.facility_id not in near.hub_ids:
            [hub] = graph(near).successors(spoke.facility_id)
            assert distance_m(spoke, by_id[hub]) == min(distance_m(spoke, by_id[h]) for h in near.hub_ids)
    told = several_hubs(facilities, [1, 12], allocation={2: 12})
    assert list(graph(told).successors(2)) == [12]


def test_builders_refuse_what_cannot_be() -> None:
    facilities = cities(6)
    with pytest.raises(UnknownFacilityError):
        one_hub(facilities, 7)
    with pytest.raises(InvalidNetworkError):
        several_hubs(facilities, [])
    with pytest.raises(InvalidNetworkError):
        several_hubs(facilities, [1, 1])
    with pytest.raises(InvalidNetworkError, match="no hub"):
        several_hubs(facilities, [1], allocation={2: 3})
    with pytest.raises(TopologyTooLargeError, match="8136756"):
        point_to_point(cities(2853))


def test_soundness_names_what_hangs_on_one_facility() -> None:
    facilities = cities(8)
    assert soundness(one_hub(facilities, 3)).cut_ids == (3,)
    assert soundness(point_to_point(facilities)).cut_ids == ()
    whole = one_hub(facilities, 3)
    cut = Topology("cut", whole.facilities, tuple(x for x in whole.lanes if x.to_facility_id != 8))
    assert soundness(cut).unreachable_ids == (8,)
    assert not soundness(cut).strongly_connected


def options() -> list[Option]:
    facilities = tuple(cities(31))
    hubs = several_hubs(facilities, [8, 22])
    return [
        Option("point-to-point", Network(facilities, ()), direct=True),
        Option("1 hub", Network(facilities, one_hub(facilities, 15).lanes)),
        Option("2 hubs", Network(facilities, hubs.lanes)),
    ]


def test_the_same_parcel_on_several_topologies() -> None:
    rows = compare_parcel(options(), 1, 31, READY, weight_g=1500)
    assert [row.lines for row in rows] == [930, 60, hub_lines(31, 2)]
    assert [row.itinerary.handlings for row in rows] == [1, 2, 3]
    assert rows[0].itinerary.distance_m < min(row.itinerary.distance_m for row in rows[1:])
