import json
import subprocess
import sys
from pathlib import Path

import pytest

from routing.network import InvalidNetworkError, Network
from routing.network.__main__ import main
from routing.network.document import read_network, write_network


@pytest.fixture
def document(small_network: Network, tmp_path: Path) -> Path:
    path = tmp_path / "network.json"
    path.write_bytes(write_network(small_network))
    return path


def test_a_document_comes_back_equal(small_network: Network) -> None:
    assert read_network(write_network(small_network)) == small_network


@pytest.mark.parametrize(
    "wrong", [b"{", b"{}", b'{"facilities": [], "lanes": [{}]}', b'{"facilities": [], "lanes": [], "x": 1}']
)
def test_bad_documents(wrong: bytes) -> None:
    with pytest.raises(InvalidNetworkError):
        read_network(wrong)


def test_an_impossible_value_is_named(small_network: Network) -> None:
    text = write_network(small_network).replace(b'"duration_s":7200', b'"duration_s":0')
    with pytest.raises(InvalidNetworkError, match=r"duration_s 0.*lanes"):
        read_network(text)


def test_count_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "routing.network", "count", "31", "--hubs", "1"],
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout) == {
        "facilities": 31,
        "point_to_point_lines": 930,
        "hubs": 1,
        "hub_lines": 60,
    }


def test_itinerary_with_its_comparisons(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["itinerary", str(document), "outlet-1", "outlet-2", "--at", "2026-11-02T10:00+08:00"]
    assert main([*arguments, "--alternatives", "1", "--direct"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [leg["lane_id"] for leg in answer["itinerary"]["legs"]] == [31, 32, 33, 34]
    assert len(answer["alternatives"]) == 1
    assert len(answer["point_to_point"]["legs"]) == 1
    assert main([*arguments, "--close", "hub-5"]) == 0
    assert [leg["lane_id"] for leg in json.loads(capsys.readouterr().out)["itinerary"]["legs"]][1] == 35


def test_check_names_what_everything_hangs_on(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(document)]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["facilities"], answer["strongly_connected"]) == (7, False)
    assert answer["cut_ids"] == [2, 3, 4]


def test_errors_go_to_stderr(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["--at", "2026-11-02T10:00+08:00"]
    assert main(["itinerary", str(document), "outlet-2", "outlet-1", *at]) == 1
    assert main(["itinerary", str(document), "nowhere", "outlet-1", *at]) == 1
    assert main(["check", str(document.with_name("missing.json"))]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no lanes lead from" in err
    assert "nowhere" in err
