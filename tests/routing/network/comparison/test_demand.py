"""Places and demand: values, the gravity model, CSV files."""

from pathlib import Path

import numpy as np
import pytest

from routing.network import InvalidNetworkError
from routing.network.comparison import Flows, Operation, Places, gravity_flows
from routing.network.comparison.tables import read_flows, read_places

PLACES = "id,name,lat,lon,weight\na,Aba,30,110,5\nb,Bela,31.5,111,3\nc,Cinta,40,120,0\n"
DEMAND = "origin,destination,parcels\na,b,3\nb,a,4\na,b,2\nc,c,9\n"


def three() -> Places:
    return Places(
        ("a", "b", "c"), ("", "", ""), np.array([30.0, 31, 40]), np.array([110.0, 111, 120]), np.ones(3)
    )


def test_rows_are_summed_up_and_local_parcels_set_aside() -> None:
    flows = Flows.of(three(), [0, 1, 0, 2], [1, 0, 1, 2], [3, 4, 2, 9], [30, 40, 20, 90])
    rows = zip(flows.origin, flows.destination, flows.parcels, flows.grams, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [(0, 1, 5, 50), (1, 0, 4, 40)]
    assert (flows.local_parcels, flows.total_parcels) == (9, 9)
    assert Flows.of(three(), [0], [1], [2]).grams.tolist() == [3000]


@pytest.mark.parametrize(
    "columns",
    [
        ([0], [3], [1]),
        ([-1], [1], [1]),
        ([0], [1], [0]),
        ([0], [0], [1]),
        ([], [], []),
        ([0, 1], [1], [1]),
        ([0], [1], [1], [-1]),
    ],
)
def test_impossible_demand(columns: tuple[list[int], ...]) -> None:
    with pytest.raises(InvalidNetworkError):
        Flows.of(three(), *columns)


def test_impossible_places_and_operations() -> None:
    good = three()
    for wrong in (np.array([30.0, np.nan, 40]), np.array([91.0, 0, 0]), np.array([1.0])):
        with pytest.raises(InvalidNetworkError, match="latitude"):
            Places(good.ids, good.names, wrong, good.longitude, good.weight)
    with pytest.raises(InvalidNetworkError, match="distinct"):
        Places(("a", "a", "b"), good.names, good.latitude, good.longitude, good.weight)
    for values in (
        {"vehicles": ()},
        {"discount_per_mille": 1001},
        {"ready_minute": 1440},
        {"hub_sort_s": -1},
        {"minutes": ((1,), (2,), ())},
    ):
        with pytest.raises(InvalidNetworkError):
            Operation(**values)  # type: ignore[arg-type]


def test_gravity_spreads_all_parcels_by_weight_and_nearness() -> None:
    places = Places(
        ("a", "b", "c", "d"),
        ("",) * 4,
        np.array([30.0, 30.5, 30.0, 45.0]),
        np.array([110.0, 110.0, 111.0, 125.0]),
        np.array([10.0, 10, 0, 10]),
    )
    flows = gravity_flows(places, 100_000)
    assert flows.total_parcels == 100_000
    sent = {
        (int(start), int(end)): int(count)
        for start, end, count in zip(flows.origin, flows.destination, flows.parcels, strict=True)
    }
    assert not any(2 in pair for pair in sent)
    assert sent[0, 1] > sent[0, 3] > 0
    assert sent[0, 1] == pytest.approx(sent[1, 0], abs=1)
    again = gravity_flows(places, 100_000)
    assert again.parcels.tolist() == flows.parcels.tolist()
    assert gravity_flows(places, 1).total_parcels == 1
    with pytest.raises(InvalidNetworkError):
        gravity_flows(places, 0)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    places, demand = tmp_path / "places.csv", tmp_path / "demand.csv"
    places.write_text(PLACES, encoding="utf-8")
    demand.write_text(DEMAND, encoding="utf-8")
    return places, demand


def test_files_are_read(files: tuple[Path, Path]) -> None:
    places = read_places(files[0])
    assert (places.ids, places.names) == (("a", "b", "c"), ("Aba", "Bela", "Cinta"))
    assert places.latitude.tolist() == [30, 31.5, 40]
    flows = read_flows(files[1], places, parcel_g=10)
    assert (flows.parcels.tolist(), flows.grams.tolist(), flows.local_parcels) == ([5, 4], [50, 40], 9)


def test_a_spreadsheet_may_add_columns_a_mark_and_empty_lines(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    rows = 'Weight,ID,note,lon,lat,Name\r\n5,a,x,110,30,"Aba, south"\r\n\r\n,,,,,\r\n3,b,,111,31,Bela\r\n'
    path.write_text("\ufeff" + rows, encoding="utf-8")
    assert read_places(path).names == ("Aba, south", "Bela")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no column id, name, lat, lon, weight"),
        ("id,name,lat,lon\n", "line 1: no column weight"),
        (PLACES + "d,Dole,x,1,1\n", "line 5: lat 'x'"),
        (PLACES + "d,Dole,nan,1,1\n", "line 5: lat 'nan'"),
        (PLACES + "d,Dole,1,181,1\n", "line 5: lon '181'"),
        (PLACES + "d,Dole,1,1,-1\n", "line 5: weight '-1'"),
        (PLACES + "a,Again,1,1,1\n", "line 5: place 'a' stands in line 2 already"),
        (PLACES + ",None,1,1,1\n", "line 5: the place has no id"),
        (PLACES + "d,Dole,1,1\n", "line 5: 4 fields where the header has 5"),
        ("id,name,lat,lon,weight\na,A,1,1,1\n", "two places"),
        (PLACES + 'd,"Dole,1,1,1\n', "line 5"),
    ],
)
def test_bad_places_are_named_by_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "places.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidNetworkError, match=message) as caught:
        read_places(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("origin,destination\n", "line 1: no column parcels"),
        (DEMAND + "a,x,1\n", "line 6: there is no place 'x'"),
        (DEMAND + "a,b,0\n", "line 6: parcels '0'"),
        (DEMAND + "a,b,1.5\n", "line 6: parcels '1.5'"),
        (DEMAND + "a,b,-2\n", "line 6: parcels '-2'"),
        ("origin,destination,parcels\na,a,1\n", "nothing is sent"),
    ],
)
def test_bad_demand_is_named_by_file_and_line(files: tuple[Path, Path], text: str, message: str) -> None:
    places = read_places(files[0])
    files[1].write_text(text, encoding="utf-8")
    with pytest.raises(InvalidNetworkError, match=message) as caught:
        read_flows(files[1], places)
    assert str(files[1]) in str(caught.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_bytes(b"id,name,lat,lon,weight\na,\xff\xfe,1,1,1\n")
    with pytest.raises(InvalidNetworkError, match=r"places\.csv"):
        read_places(path)
