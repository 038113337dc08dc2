"""Files of benchmark sets: read, planned, and written in the set's own convention."""

import json
from pathlib import Path

import pytest

from routing.pickup import Options, ProblemError, check, solve
from routing.pickup.__main__ import main
from routing.pickup.formats import (
    Convention,
    convention_of,
    read_cost,
    read_solomon,
    read_vrplib,
    solution_text,
)

SOLOMON = """
MADE UP

VEHICLE
NUMBER     CAPACITY
  3         10

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0       100          0
    1      1         1          4          0        50         10
    2      3         4          4         20        60         10
    3     -3         4          4          0        90         10
"""

VRPLIB = """NAME : made up
COMMENT : five places
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 2
NODE_COORD_SECTION
1 0 0
2 1 1
3 2 2
4 -1 1
5 -2 2
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
DEPOT_SECTION
 1
 -1
EOF
"""

TWO_DEPOTS = """NAME: made up
TYPE: MDVRPTW
EDGE_WEIGHT_TYPE: EUC_2D
DIMENSION: 4
VEHICLES: 2
CAPACITY: 5
NODE_COORD_SECTION
1 0 0
2 10 0
3 1 0
4 9 0
DEMAND_SECTION
1 0
2 0
3 1
4 1
TIME_WINDOW_SECTION
1 0 50
2 0 50
3 0 40
4 0 40
SERVICE_TIME_SECTION
1 0
2 0
3 2
4 2
VEHICLES_DEPOT_SECTION
1 1
2 2
DEPOT_SECTION
1
2
-1
EOF
"""


def test_solomons_text_with_distances_truncated_to_tenths() -> None:
    problem = read_solomon(SOLOMON)
    assert [stop.stop_id for stop in problem.stops] == ["1", "2", "3"]
    assert problem.stop("2").windows == ((200, 600),)
    assert problem.stop("2").service_s == 100
    assert len(problem.vehicles) == 3
    assert problem.vehicles[0].shift == (0, 1000)
    seconds, metres = problem.travel.legs(
        [problem.vehicles[0].start] * 2, [s.point for s in problem.stops[:2]]
    )
    assert metres.tolist() == [14, 50]  # 1.414... and 5
    assert seconds.tolist() == metres.tolist()
    plan = solve(problem, Options(steps=100))
    assert check(problem, plan) == ()
    # 0-1-0 and 0-2-3-0: 1.4 + 1.4 and 5 + 6 + 5
    assert plan.distance_m == plan.cost_minor == 188
    assert solution_text(plan, Convention.TENTHS).endswith("\nCost 18.8\n")


def test_vrplib_rounds_distances_where_there_are_no_windows() -> None:
    problem = read_vrplib(VRPLIB)
    assert convention_of(VRPLIB) is Convention.ROUNDED
    assert len(problem.vehicles) == 5  # twice the two that are needed at least, and one
    plan = solve(problem, Options(steps=100))
    assert not plan.unserved
    assert plan.distance_m == 10  # twice 1 + 1 + 3
    assert read_cost(solution_text(plan, Convention.ROUNDED)) == 10


def test_vehicles_start_at_their_own_depots() -> None:
    problem = read_vrplib(TWO_DEPOTS)
    assert [stop.stop_id for stop in problem.stops] == ["1", "2"]
    assert problem.vehicles[0].start != problem.vehicles[1].start
    plan = solve(problem, Options(steps=100))
    assert plan.distance_m == 40  # out and back twice, one unit each
    thousandths = read_vrplib(TWO_DEPOTS, Convention.THOUSANDTHS)
    assert solve(thousandths, Options(steps=100)).distance_m == 4000


def test_places_that_coincide_share_a_row_of_the_table() -> None:
    problem = read_vrplib(VRPLIB.replace("3 2 2\n", "3 1 1\n"))
    assert solve(problem, Options(steps=100)).distance_m == 7  # 1 + 0 + 1 and 1 + 1 + 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "only files with places"),
        (VRPLIB.replace("EUC_2D", "EXPLICIT"), "only files with places"),
        (VRPLIB.replace("CAPACITY : 2\n", ""), "CAPACITY is missing"),
        (VRPLIB.replace("DEMAND_SECTION", "PRIZE_SECTION"), "cannot read PRIZE"),
        (VRPLIB.replace("TYPE : CVRP", "VEHICLES_MAX_DURATION : 3"), "cannot read VEHICLES_MAX_DURATION"),
        (VRPLIB.replace("TYPE : CVRP", "what is this"), "what is this"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        read_vrplib(text)


def test_solomon_without_its_numbers_is_refused() -> None:
    with pytest.raises(ProblemError, match="solomon"):
        read_solomon("CUSTOMER\n1 2 3")
    with pytest.raises(ProblemError, match="no line with its cost"):
        read_cost("Route #1: 1 2")


def test_the_shell_plans_a_benchmark_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "made-up.vrp"
    file.write_text(VRPLIB)
    given = ["solve", str(file), "--format", "cvrplib", "--objective", "distance", "--steps", "50"]
    assert main(given) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line.partition(":")[2].split() for line in lines[:-1]) in (
        [["1", "2"], ["3", "4"]],
        [["2", "1"], ["4", "3"]],
        [["1", "2"], ["4", "3"]],
        [["2", "1"], ["3", "4"]],
    )
    assert lines[-1] == "Cost 10"
    (tmp_path / "solomon.txt").write_text(SOLOMON)
    assert main(["solve", str(tmp_path / "solomon.txt"), "--format", "solomon", "--steps", "50"]) == 0
    assert capsys.readouterr().out.endswith("Cost 18.8\n")
    with pytest.raises(SystemExit):
        main(["solve", str(file), "--objective", "distance"])
    assert main(["solve", str(file), "--workers", "0", "--format", "vrplib"]) == 2


def test_the_shell_still_plans_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps({"stops": [], "vehicles": []}))
    assert main(["solve", str(file), "--steps", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["routes"] == []
