"""Files of benchmark sets: read, planned, and written in the set's own convention."""

import json
from pathlib import Path

import pytest

from routing.pickup import Options, ProblemError, check, solve
from routing.pickup.__main__ import main
from routing.pickup.formats import (
    Convention,
    Objective,
    best_known_units,
    convention_of,
    objective_units,
    read,
    read_cost,
    read_li_lim,
    read_rounds,
    read_solomon,
    read_vrplib,
    solution_text,
)
from routing.pickup.instance import build

SETS = Path(__file__).parent / "sets"

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
    assert solution_text(problem, plan, Convention.TENTHS).endswith("\nCost 18.8\n")


def test_vrplib_rounds_distances_where_there_are_no_windows() -> None:
    problem = read_vrplib(VRPLIB)
    assert convention_of(VRPLIB) is Convention.ROUNDED
    assert len(problem.vehicles) == 5  # twice the two that are needed at least, and one
    plan = solve(problem, Options(steps=100))
    assert not plan.unserved
    assert plan.distance_m == 10  # twice 1 + 1 + 3
    assert read_cost(solution_text(problem, plan, Convention.ROUNDED)) == 10


def test_vehicles_start_at_their_own_depots() -> None:
    problem = read_vrplib(TWO_DEPOTS)
    assert [stop.stop_id for stop in problem.stops] == ["2", "3"]
    assert problem.vehicles[0].start != problem.vehicles[1].start
    plan = solve(problem, Options(steps=100))
    assert plan.distance_m == 4000  # out and back twice, one unit each, in the set's thousandths
    tenths = read_vrplib(TWO_DEPOTS, Convention.TENTHS)
    assert solve(tenths, Options(steps=100)).distance_m == 40


def test_places_that_coincide_share_a_row_of_the_table() -> None:
    problem = read_vrplib(VRPLIB.replace("3 2 2\n", "3 1 1\n"))
    assert solve(problem, Options(steps=100)).distance_m == 7  # 1 + 0 + 1 and 1 + 1 + 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "only files with places"),
        (VRPLIB.replace("EUC_2D", "EXPLICIT"), "only files with places"),
        (VRPLIB.replace("CAPACITY : 2\n", ""), "CAPACITY is missing"),
        (VRPLIB.replace("DEMAND_SECTION", "TURNS_SECTION"), "cannot read TURNS"),
        (VRPLIB.replace("TYPE : CVRP", "MUTUALLY_EXCLUSIVE : 3"), "cannot read MUTUALLY_EXCLUSIVE"),
        (VRPLIB.replace("TYPE : CVRP", "TYPE : VRPB"), "cannot read TYPE VRPB"),
        (VRPLIB.replace("TYPE : CVRP", "what is this"), "what is this"),
        (VRPLIB.replace("CAPACITY : 2", "CAPACITY : many"), "CAPACITY must be a number, not 'many'"),
        (VRPLIB.replace("2 1\n3 1", "2 1 7\n3 1"), "DEMAND_SECTION: a row must have 2 numbers"),
        (VRPLIB.replace("5 1\n", "5 1.5\n"), "DEMAND: 1.5 is no whole number"),
        (VRPLIB.replace(" 1\n -1", " 9\n -1"), "DEPOT_SECTION: there is no place 9"),
        (VRPLIB.replace("DEPOT_SECTION", "VEHICLES_DEPOT_SECTION\n1 8\nDEPOT_SECTION"), "no place 8"),
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
    pairs = SETS / "lrc101.txt"
    assert main(["solve", str(pairs), "--format", "lilim", "--steps", "1"]) == 0
    assert 1703.209 <= read_cost(capsys.readouterr().out) < 3000
    vroom = ["--format", "solomon", "--objective", "vroom", "--steps", "50"]
    assert main(["solve", str(tmp_path / "solomon.txt"), *vroom]) == 0
    assert capsys.readouterr().out.endswith("Cost 18.828\n")
    with pytest.raises(SystemExit):
        main(["solve", str(file), "--objective", "distance"])
    assert main(["solve", str(file), "--workers", "0", "--format", "vrplib"]) == 2


def test_the_shell_still_plans_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps({"stops": [], "vehicles": []}))
    assert main(["solve", str(file), "--steps", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["routes"] == []


@pytest.mark.parametrize("name", ["RC101", "X-n106-k14", "PR17B", "R1_10_1"])
def test_published_solutions_cost_what_they_say(name: str) -> None:
    """Windows, capacities, depots, limits of time and prizes as their sets count them."""
    found = read((SETS / f"{name}.vrp").read_text(), "vrplib")
    solution = (SETS / f"{name}.sol").read_text()
    instance = build(found.problem)
    number = {stop.stop_id: position for position, stop in enumerate(instance.stops)}
    rounds = [[number[stop_id] for stop_id in stops] for stops in read_rounds(solution)]
    rounds += [[] for _ in range(len(instance.vehicles) - len(rounds))]
    cost = instance.cost(rounds)
    assert cost is not None, "the published rounds keep all rules"
    assert cost / 18_000 == best_known_units(solution, found.convention)


LI_LIM = """2\t10\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t5\t0\t50\t2\t0\t2
2\t3\t0\t-5\t0\t50\t2\t1\t0
"""


def test_pairs_of_li_and_lim() -> None:
    problem = read_li_lim(LI_LIM)
    assert [(pair.pickup_id, pair.delivery_id) for pair in problem.pairs] == [("1", "2")]
    assert problem.stop("2").weight_g == 5
    assert problem.stop("1").windows == ((0, 50_000),)
    assert len(problem.vehicles) == 2
    plan = solve(problem, Options(steps=20))
    assert plan.routes[0].stop_ids == ("1", "2")
    assert objective_units(problem, plan) == 12_000
    real = read((SETS / "lrc101.txt").read_text(), "lilim")
    assert len(real.problem.pairs) == 53
    assert real.convention is Convention.THOUSANDTHS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line"),
        ("2 10 1\n", "no depot"),
        (LI_LIM.replace("\t0\t2\n", "\t0\n"), "line 3 must hold nine numbers"),
        (LI_LIM.replace("\t0\t2\n", "\t0\t0\n"), "task 1 must have either a pickup or a delivery"),
        (LI_LIM.replace("\t1\t0\n", "\t7\t0\n"), "task 2 comes from 7"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(text: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        read_li_lim(text)


MANY = """NAME: made up
TYPE: VRPTW
DIMENSION: 4
VEHICLES: 2
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: LOWER_ROW
SERVICE_TIME: 1
VEHICLES_MAX_DISTANCE: 40
VEHICLES_MAX_RELOADS: 2
CAPACITY_SECTION
1 4
2 6
EDGE_WEIGHT_SECTION
3
4 5
6
7 8
DEMAND_SECTION
1 0
2 3
3 3
4 3
RELEASE_TIME_SECTION
1 0
2 2
3 0
4 0
BACKHAUL_SECTION
1 0
2 0
3 2
4 0
VEHICLES_FIXED_COST_SECTION
1 7
2 0
VEHICLES_UNIT_DISTANCE_COST_SECTION
1 1
2 3
VEHICLES_ALLOWED_CLIENTS_SECTION
1 2 3 4
2 3
VEHICLES_RELOAD_DEPOT_SECTION
1 1
VEHICLES_DEPOT_SECTION
1 1
2 1
DEPOT_SECTION
1
-1
EOF
"""


def test_every_other_section_becomes_part_of_the_problem() -> None:
    problem = read_vrplib(MANY)
    one, two = problem.vehicles
    assert (one.capacity_g, two.capacity_g) == (4, 6)
    assert (one.cost_fixed, one.cost_per_km, two.cost_per_km) == (7, 1000, 3000)
    assert (one.distance_m_max, one.duration_s_max) == (40, None)
    assert (one.reload_at, one.reloads_max, two.reloads_max) == ((one.start,), 2, 0)
    stop = problem.stop("2")
    assert (stop.service_s, stop.collects[0], stop.allowed_vehicles) == (1, 2, {"1", "2"})
    assert problem.stop("1").release_s == 2
    points = [one.start, *(stop.point for stop in problem.stops)]
    assert problem.travel.legs(points[:-1], points[1:])[1].tolist() == [3, 5, 8]
    plan = solve(problem, Options(steps=20))
    assert check(problem, plan) == ()
    assert not plan.unserved
    # one vehicle serves them all on three trips: 2 x (3 + 4 + 6) and 7; two would pay 3 for each unit
    assert objective_units(problem, plan) == 33
    assert len(plan.routes[0].reloads) == 2


def test_pairs_in_vrplib() -> None:
    text = VRPLIB.replace(
        "DEMAND_SECTION\n1 0\n2 1\n3 1\n4 1\n5 1\n",
        "PICKUP_AND_DELIVERY_SECTION\n1 0 0 100 0 0 0\n2 1 0 100 1 0 3\n3 -1 0 100 1 2 0\n"
        "4 1 0 100 1 0 5\n5 -1 0 100 1 4 0\n",
    )
    problem = read_vrplib(text)
    assert [(pair.pickup_id, pair.delivery_id) for pair in problem.pairs] == [("1", "2"), ("3", "4")]
    assert convention_of(text) is Convention.THOUSANDTHS


def test_a_limit_of_a_rounds_length_counts_the_service() -> None:
    """As in the sets of Christofides, Mingozzi and Toth, and of Golden et al."""
    text = VRPLIB.replace("CAPACITY : 2", "CAPACITY : 9\nDISTANCE : 12\nSERVICE_TIME : 3")
    problem = read_vrplib(text)
    assert problem.vehicles[0].duration_s_max == 12_000
    plan = solve(problem, Options(steps=100))
    assert check(problem, plan) == ()
    assert not plan.unserved
    # a near one (1.414 away) and the far one behind it, twice: 5.656 on the way and two services of 3
    assert [route.duration_s for route in plan.routes] == [11_656, 11_656]


def test_vrooms_benchmarks_count_thousandths() -> None:
    assert read(SOLOMON, "solomon").convention is Convention.TENTHS
    assert read(SOLOMON, "solomon", Objective.VROOM).convention is Convention.THOUSANDTHS
    assert read(VRPLIB, "vrplib", Objective.VROOM).convention is Convention.ROUNDED
    with pytest.raises(ProblemError, match="unknown form 'tsplib'"):
        read(VRPLIB, "tsplib")
