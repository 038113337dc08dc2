"""Files, the gravity model and the command."""

import json
from pathlib import Path

import numpy as np
import pytest

from routing.network import distance_m
from routing.network.__main__ import main
from routing.network.design import (
    InvalidInstanceError,
    design,
    distances_km,
    gravity,
    read_ap,
    read_cab,
    read_own,
)

CAB = "Some heading of four\n 1 1 0. 0.\n 1 2 30. 5.5\n 2 1 10. 5.5\n 2 2 0. 0.;\n"
AP = "2\n0 0\n3000 4000\n1 2\n3 4\n1\n3.0\n0.75\n2.0\n"
FACILITIES = (
    "id,name,lat,lon,weight\nA,Wuhan,30.59,114.31,9\nB,Xiaogan,30.92,113.92,4\nC,Beijing,39.9,116.4,20\n"
)
DEMAND = "origin,destination,parcels\nA,B,5\nB,A,2\nA,C,10\nC,A,12\nA,C,1\n"


def test_cab_flows_are_scaled_to_one() -> None:
    instance = read_cab(CAB, 0.4)
    assert instance.flow.tolist() == [[0, 0.75], [0.25, 0]]
    assert instance.distance[0, 1] == 5.5
    assert (instance.collection, instance.transfer, instance.distribution) == (1, 0.4, 1)


def test_ap_objectives_are_in_thousands() -> None:
    """Hub at the first place: 2 + 3 thousandths travel 5,000 each way, 4 thousandths both ways."""
    instance = read_ap(AP)
    assert (instance.collection, instance.transfer, instance.distribution) == (3, 0.75, 2)
    from_first = 0.002 * 2 + 0.003 * 3 + 0.004 * 5
    assert design(instance, 1).objective == pytest.approx(
        5000 * min(from_first, 0.002 * 3 + 0.003 * 2 + 0.001 * 5)
    )
    assert read_ap(AP, 0.5).transfer == 0.5


@pytest.mark.parametrize("wrong", ["", "no numbers at all", "1 1 0 0\n1 2 3 4\n", "1 1 0 0\n"])
def test_wrong_cab(wrong: str) -> None:
    with pytest.raises(InvalidInstanceError, match="CAB"):
        read_cab(wrong, 0.5)


@pytest.mark.parametrize("wrong", ["", "x", "2 1 2", AP + "1", AP.replace("3000", "far"), "0 1 1 1 1"])
def test_wrong_ap(wrong: str) -> None:
    with pytest.raises(InvalidInstanceError, match="AP"):
        read_ap(wrong)


def test_own_places() -> None:
    instance = read_own(FACILITIES, DEMAND, 0.6)
    assert instance.names == ("A", "B", "C")
    assert instance.flow[0].tolist() == [0, 5, 11]
    assert not instance.capacitated
    limited = read_own(
        "id,name,lat,lon,fixed_cost,capacity\nA,,0,0,100,inf\nB,,0,1,50,3\n",
        "origin,destination,parcels\nA,B,4\n",
        1,
    )
    assert limited.fixed_cost.tolist() == [100, 50]
    assert design(limited, 1).hubs == (0,)


@pytest.mark.parametrize(
    ("facilities", "demand", "message"),
    [
        (FACILITIES.replace("lat", "y"), DEMAND, "no column lat"),
        (FACILITIES.replace("30.59", "north"), DEMAND, "lat 'north' is not a number"),
        (FACILITIES.replace("30.59", "95"), DEMAND, "latitude"),
        (FACILITIES + "A,again,1,1,1\n", DEMAND, "distinct"),
        (FACILITIES.splitlines()[0], DEMAND, "distinct"),
        (FACILITIES, DEMAND + "A,D,1\n", "unknown facility 'D'"),
        (FACILITIES, DEMAND + "A,B,-9\n", "negative"),
        (FACILITIES, DEMAND + "A,B,many\n", "parcels 'many'"),
    ],
)
def test_wrong_own_places(facilities: str, demand: str, message: str) -> None:
    with pytest.raises(InvalidInstanceError, match=message):
        read_own(facilities, demand, 0.6)


def test_distances_are_those_of_the_network() -> None:
    class Place:
        def __init__(self, latitude: float, longitude: float) -> None:
            self.latitude, self.longitude = latitude, longitude

    places = [(30.59, 114.31), (39.9, 116.4), (-33.9, 151.2)]
    metres = [[distance_m(Place(*a), Place(*b)) for b in places] for a in places]
    assert distances_km(places) * 1000 == pytest.approx(np.array(metres), abs=1)


def test_gravity_grows_with_weight_and_falls_with_distance() -> None:
    places = [(30.0, 114.0), (30.5, 114.0), (40.0, 116.0)]
    flow = gravity(places, [2, 1, 1], parcels=1000)
    assert flow.sum() == pytest.approx(1000)
    assert np.array_equal(flow, flow.T)
    assert flow.diagonal().tolist() == [0, 0, 0]
    assert flow[0, 1] > flow[0, 2] > flow[1, 2] > 0
    even = gravity(places, [2, 1, 1], exponent=0)
    assert even[0, 1] == pytest.approx(even[0, 2])
    assert even[0, 1] == pytest.approx(2 * even[1, 2])


@pytest.mark.parametrize("weights", [[1, 1], [1, 1, -1], [1, 0, 0], [1, 1, float("nan")]])
def test_gravity_needs_weights(weights: list[float]) -> None:
    with pytest.raises(InvalidInstanceError):
        gravity([(0, 0), (1, 1), (2, 2)], weights)


def test_the_command_designs_own_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facilities, demand = tmp_path / "facilities.csv", tmp_path / "demand.csv"
    facilities.write_text(FACILITIES, encoding="utf-8-sig")
    demand.write_text(DEMAND)
    assert main(["design", str(facilities), str(demand), "--hubs", "2", "--seconds", "5", "--json"]) == 0
    single = json.loads(capsys.readouterr().out)
    assert single["hubs"] == ["A", "C"]
    assert single["allocation"] == {"A": "A", "B": "A", "C": "C"}
    assert single["proven"]
    assert single["lower_bound"] == single["objective"]
    assert main(["design", str(facilities), str(demand), "--hubs", "2", "--allocation", "multiple"]) == 0
    multiple = json.loads(capsys.readouterr().out)
    assert multiple["objective"] <= single["objective"]
    assert multiple["allocation"]["B"] == ["A"]


def test_the_command_reads_cab_and_ap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in (("cab", CAB), ("ap", AP)):
        path = tmp_path / name
        path.write_text(content)
        assert main(["design", str(path), "--format", name, "--hubs", "1", "--alpha", "0.2"]) == 0
        assert json.loads(capsys.readouterr().out)["proven"]
        assert main(["design", str(path), str(path), "--format", name, "--hubs", "1"]) == 1
        assert "hold their own demand" in capsys.readouterr().err


def test_without_demand_the_command_takes_gravity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "facilities.csv"
    path.write_text(FACILITIES)
    assert main(["design", str(path), "--hubs", "1"]) == 0
    places = [(30.59, 114.31), (30.92, 113.92), (39.9, 116.4)]
    flow, distance = gravity(places, [9, 4, 20]), distances_km(places)
    over = [float((flow.sum(axis=1) + flow.sum(axis=0)) @ distance[:, hub]) for hub in range(3)]
    assert json.loads(capsys.readouterr().out)["objective"] == pytest.approx(min(over))
    path.write_text(FACILITIES.replace("weight", "size"))
    assert main(["design", str(path), "--hubs", "1"]) == 1
    assert "no column weight" in capsys.readouterr().err
