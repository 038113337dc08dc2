"""Five topologies side by side, what fails when the busiest hub closes, and the shell command."""

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from routing.network import InvalidNetworkError
from routing.network.__main__ import main
from routing.network.comparison import (
    Comparison,
    Flows,
    Operation,
    Places,
    compare,
    gravity_flows,
    multiple_allocation,
    single_allocation,
)
from routing.network.comparison.failure import busiest_closes


@pytest.fixture(scope="module")
def places() -> Places:
    random = np.random.default_rng(4)
    ids = tuple(f"P{i}" for i in range(40))
    return Places(ids, ids, random.uniform(22, 45, 40), random.uniform(85, 125, 40), random.uniform(1, 9, 40))


@pytest.fixture(scope="module")
def flows(places: Places) -> Flows:
    return gravity_flows(places, 60_000)


@pytest.fixture(scope="module")
def compared(places: Places, flows: Flows) -> Comparison:
    return compare(places, flows, hubs=5, operation=Operation(discount_per_mille=600))


def test_five_topologies_carry_the_same_demand(compared: Comparison) -> None:
    found = {option.measured.name: option.measured for option in compared.options}
    assert list(found) == ["point_to_point", "one_hub", "hubs_single", "hubs_multiple", "hybrid"]
    lines = [measured.lines for measured in found.values()]
    assert lines[:4] == [40 * 39, 2 * 39, 5 * 4 + 2 * 35, 5 * 4 + 4 * 35]
    # So little on each line: hubs save most of the vehicles' ways, and cost handlings and hours.
    assert found["one_hub"].vehicle_m < found["point_to_point"].vehicle_m / 3
    assert found["point_to_point"].handlings_per_parcel == 1
    assert 1 < found["one_hub"].handlings_per_parcel < 2 < found["hubs_single"].handlings_per_parcel < 3
    assert found["point_to_point"].transit_s_mean < found["one_hub"].transit_s_mean
    assert found["hybrid"].cost_minor <= found["hubs_single"].cost_minor
    for measured in found.values():
        assert measured.lines_used <= measured.lines
        assert measured.transit_s_mean <= 2 * measured.transit_s_p90


def test_every_parcel_over_hubs_is_sorted_at_one_or_two(compared: Comparison, flows: Flows) -> None:
    for option in compared.options[1:]:
        direct = option.shape.direct
        assert direct.any() == (option.shape.name == "hybrid")
        two = (option.shape.first != option.shape.last) & ~direct
        expected = flows.parcels[~direct].sum() + flows.parcels[two].sum()
        assert sum(load.parcels for load in option.measured.hub_loads) == expected


def reachable(lines: "nx.Graph[int]", start: int, end: int) -> bool:
    return start in lines and end in lines and nx.has_path(lines, start, end)


@pytest.mark.parametrize("allocations", [1, 2, 3])
def test_what_is_stranded_is_what_the_graph_no_longer_joins(
    places: Places, flows: Flows, allocations: int
) -> None:
    hubs = [3, 12, 20, 33]
    shape = (
        single_allocation(places, flows, hubs)
        if allocations == 1
        else multiple_allocation(places, flows, hubs, allocations=allocations)
    )
    failure = busiest_closes(places, flows, shape, Operation(), allocations=allocations)
    lines = shape.graph(flows)
    lines.remove_node(failure.place)
    stranded = sum(
        int(count)
        for start, end, count in zip(
            flows.origin.tolist(), flows.destination.tolist(), flows.parcels.tolist(), strict=True
        )
        if not reachable(lines, start, end)
    )
    assert failure.parcels_stranded == stranded
    assert failure.places_cut_off == sum(1 for part in nx.connected_components(lines) if len(part) == 1)
    assert failure.after is not None
    assert len(failure.after.hub_loads) == 3
    if allocations > 1:
        assert failure.places_cut_off == 0
    else:
        assert failure.parcels_stranded == failure.parcels_through


def test_with_one_hub_everything_fails_and_without_any_only_the_place_itself(compared: Comparison) -> None:
    direct, one = compared.options[0].failure, compared.options[1].failure
    total = compared.flows.total_parcels
    assert (one.places_cut_off, one.parcels_stranded, one.after) == (39, total, None)
    assert direct.parcels_stranded == direct.parcels_through < total / 5
    assert direct.places_cut_off == 0


def test_hubs_may_be_given(places: Places, flows: Flows) -> None:
    given = compare(places, flows, hubs=[7], operation=Operation())
    assert [option.shape.name for option in given.options] == ["point_to_point", "one_hub", "hybrid"]
    for wrong in ([7, 7], [40], [-1], []):
        with pytest.raises(InvalidNetworkError):
            compare(places, flows, hubs=wrong, operation=Operation())


@pytest.fixture
def files(tmp_path: Path, places: Places, flows: Flows) -> list[str]:
    rows = zip(places.ids, places.latitude, places.longitude, places.weight, strict=True)
    facilities = ["id,name,lat,lon,weight", *(f"{i},Place {i},{a},{b},{w}" for i, a, b, w in rows)]
    sent = zip(flows.origin, flows.destination, flows.parcels, strict=True)
    demand = ["origin,destination,parcels", *(f"P{start},P{end},{count}" for start, end, count in sent)]
    paths = [tmp_path / "facilities.csv", tmp_path / "demand.csv"]
    for path, lines in zip(paths, (facilities, demand), strict=True):
        path.write_text("\n".join(lines), encoding="utf-8")
    return [str(path) for path in paths]


def test_the_command_prints_what_the_engine_measures(
    files: list[str], compared: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--hubs", "5", "--discount", "0.6", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [hub["id"] for hub in answer["hubs"]] == [f"P{hub}" for hub in compared.hubs]
    assert answer["parcels"] == 60_000
    for told, option in zip(answer["topologies"], compared.options, strict=True):
        assert told["name"] == option.measured.name
        assert told["cost_minor"] == option.measured.cost_minor
        assert told["busiest_closes"]["parcels_stranded"] == option.failure.parcels_stranded
        assert len(told["hub_loads"]) == len(option.shape.hubs)


def test_the_command_prints_a_table_for_people(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", files[0], "--parcels", "5000", "--at", "P3", "--at", "P9"]) == 0
    out = capsys.readouterr().out
    assert "hubs: Place P3, Place P9" in out
    assert "1,560" in out
    widths = {len(line) for line in out.splitlines()[2:8]}
    assert len(widths) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "either a file of demand or --parcels"),
        (["--parcels", "10", "--at", "nowhere"], "nowhere"),
        (["--parcels", "10", "--hubs", "41"], "41 hubs among 40 places"),
        (["--parcels", "10", "--allocations", "0"], "0 hubs"),
        (["--parcels", "0"], "0 parcels"),
    ],
)
def test_the_command_says_what_is_wrong(
    files: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", files[0], *more]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize("discount", ["1.1", "-0.1", "x", "0.12345", "nan"])
def test_a_discount_is_a_share(files: list[str], discount: str) -> None:
    with pytest.raises(SystemExit):
        main(["compare", *files, f"--discount={discount}"])
