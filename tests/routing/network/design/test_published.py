"""Published optima of the CAB and AP data sets, found and proven."""

import os
import re
from pathlib import Path

import pytest

from routing.network.design import Allocation, design, read_ap, read_cab

ROOT = Path(__file__).resolve().parents[4]
HUBS = Path(os.environ.get("WHEELHOUSE_DATA", ROOT / "../shared/data")) / "hubs"


def text(name: str) -> str:
    path = HUBS / name
    if not path.exists():
        pytest.skip(f"no hub instances at {path}; set WHEELHOUSE_DATA")
    return path.read_text(encoding="utf-8")


def published(file: str, n: int, p: int) -> str:
    """What a solution file says after the heading of an instance."""
    _, found, rest = text(f"AP/{file}").partition(f"Solution for n={n}, p={p} :")
    assert found
    return rest.partition("Solution")[0]


@pytest.mark.parametrize(
    ("p", "alpha", "objective", "hubs"),
    [
        (2, 0.2, 1000.91, ["12", "20"]),
        (3, 0.2, 767.35, ["4", "12", "17"]),
        (3, 0.6, 1033.56, ["2", "4", "12"]),
        (4, 0.2, 629.63, ["4", "12", "17", "24"]),
    ],
)
def test_cab_single(p: int, alpha: float, objective: float, hubs: list[str]) -> None:
    instance = read_cab(text("CAB.txt"), alpha)
    found = design(instance, p)
    assert found.proven
    assert found.objective == pytest.approx(objective, abs=0.005)
    assert [instance.names[hub] for hub in found.hubs] == hubs


def test_cab_multiple() -> None:
    found = design(read_cab(text("CAB.txt"), 0.2), 4, allocation=Allocation.MULTIPLE)
    assert found.proven
    assert found.objective == pytest.approx(618.48, abs=0.005)


@pytest.mark.parametrize("p", [2, 3, 4, 5])
@pytest.mark.parametrize("n", [10, 20, 25])
def test_ap_single(n: int, p: int) -> None:
    answer = published("Solutions-USApHMP.txt", n, p)
    found = design(read_ap(text("AP/10.2" if n == 10 else f"AP/{n}.3")), p)
    assert found.proven
    assert found.objective == pytest.approx(float(re.findall(r"[\d.]+", answer)[0]), abs=0.006)
    numbers = [int(number) - 1 for number in re.findall(r"\d+", answer.partition("Allocation")[2])]
    assert [used[0] for used in found.allocation] == numbers


@pytest.mark.parametrize("p", [2, 3, 4, 5])
@pytest.mark.parametrize("n", [10, 20, 25])
def test_ap_multiple(n: int, p: int) -> None:
    answer = published("Solutions-UMApHMP.txt", n, p)
    found = design(read_ap(text("AP/10.2" if n == 10 else f"AP/{n}.3")), p, allocation=Allocation.MULTIPLE)
    assert found.proven
    assert found.objective == pytest.approx(float(re.findall(r"[\d.]+", answer)[0]), abs=0.006)
    hubs = sorted(int(number) - 1 for number in re.findall(r"\d+", answer.partition("Hubs")[2]))
    assert list(found.hubs) == hubs
