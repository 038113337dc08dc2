"""Problems are checked when built, travel is the same whichever way it is asked, documents come back."""

import json
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.pickup import Options, Problem, ProblemError, Stop, StraightLine, Table, UnknownNameError, solve
from routing.pickup.__main__ import main
from routing.pickup.documents import plan_from_json, plan_to_json, problem_from_json, problem_to_json
from routing.pickup.matrix import UNREACHABLE
from routing.pickup.schedule import forward, lateness, timetable
from tests.routing.pickup.strategies import problems
from tests.routing.pickup.towns import town

VEHICLE = town(0, 1).vehicles[0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stop_id": ""}, "empty stop_id"),
        ({"latitude": 91.0}, "stop 'a': latitude 91.0"),
        ({"longitude": float("nan")}, "stop 'a': longitude nan"),
        ({"service_s": -1}, "stop 'a': service_s"),
        ({"weight_g": 1.5}, "stop 'a': weight_g must be a whole number"),
        ({"priority": 101}, "stop 'a': priority"),
        ({"windows": ((5, 4),)}, "stop 'a': window 5 to 4 ends before it starts"),
        ({"windows": ((5, 9), (9, 12))}, "stop 'a': windows must be in order and apart"),
    ],
)
def test_a_false_stop_is_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        Stop(**({"stop_id": "a", "latitude": 0.0, "longitude": 0.0} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vehicle_id": ""}, "empty vehicle_id"),
        ({"end": (0.0, 181.0)}, "vehicle 'vehicle 0': longitude 181.0"),
        ({"shift": (10, 9)}, "vehicle 'vehicle 0': shift"),
        ({"capacity_g": -1}, "vehicle 'vehicle 0': capacity in weight_g"),
        ({"speed_factor": 0.0}, "vehicle 'vehicle 0': speed_factor"),
        ({"cost_per_km": -1}, "vehicle 'vehicle 0': cost_per_km"),
        ({"stops_max": -1}, "vehicle 'vehicle 0': stops_max"),
    ],
)
def test_a_false_vehicle_is_named(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        replace(VEHICLE, **fields)  # type: ignore[arg-type]


def test_a_false_problem_is_named() -> None:
    problem = town(2, 1)
    with pytest.raises(ProblemError, match="stop 'stop 0' stands twice"):
        replace(problem, stops=(*problem.stops, problem.stops[0]))
    with pytest.raises(ProblemError, match="vehicle 'vehicle 0' stands twice"):
        replace(problem, vehicles=problem.vehicles * 2)
    with pytest.raises(ProblemError, match="stop 'stop 1': locked to unknown vehicle 'ghost'"):
        problem.with_stop(replace(problem.stops[1], locked_to="ghost"))
    with pytest.raises(ProblemError, match="stop 'stop 0': the travel table does not hold its place"):
        replace(problem, travel=Table((), np.empty((0, 0), np.int32), np.empty((0, 0), np.int32)))
    with pytest.raises(UnknownNameError, match="no stop 'ghost'"):
        problem.without_stop("ghost")


def test_false_travel_is_refused() -> None:
    places = ((0.0, 0.0), (0.0, 1.0))
    right = np.zeros((2, 2), np.int32)
    for seconds, message in (
        (np.zeros((2, 3), np.int32), "2 x 2"),
        (right * 0.5, "whole numbers"),
        (right + 2**30, "most"),
    ):
        with pytest.raises(ProblemError, match=message):
            Table(places, seconds, right)
    with pytest.raises(ProblemError, match="a place stands twice"):
        Table((places[0], places[0]), right, right)
    with pytest.raises(ProblemError, match="detour_factor"):
        StraightLine(detour_factor=0.5)
    with pytest.raises(ProblemError, match="speed_m_per_h"):
        StraightLine(speed_m_per_h=0)


coordinates = st.tuples(st.floats(20, 50), st.floats(100, 130))


@given(st.lists(coordinates, min_size=1, max_size=6))
def test_a_leg_is_the_same_alone_and_in_the_matrix(points: list[tuple[float, float]]) -> None:
    line = StraightLine()
    seconds, metres = line.matrix(points)
    for row, origin in enumerate(points):
        for column, destination in enumerate(points):
            leg_s, leg_m = line.legs([origin], [destination])
            assert (leg_s[0], leg_m[0]) == (seconds[row, column], metres[row, column])
    assert (metres == metres.T).all()
    assert not metres.diagonal().any()


@given(coordinates, coordinates)
def test_a_straight_line_is_the_great_circle(one: tuple[float, float], other: tuple[float, float]) -> None:
    (phi, theta), (phi_2, theta_2) = ((radians(place[0]), radians(place[1])) for place in (one, other))
    haversine = sin((phi_2 - phi) / 2) ** 2 + cos(phi) * cos(phi_2) * sin((theta_2 - theta) / 2) ** 2
    expected_m = 2 * 6_371_008.8 * asin(sqrt(haversine))
    metres = int(StraightLine(detour_factor=1).legs([one], [other])[1][0])
    assert metres == pytest.approx(expected_m, abs=1 + expected_m * 1e-5)


def test_a_table_without_a_way_says_so() -> None:
    places = ((0.0, 0.0), (0.0, 1.0))
    table = Table(places, np.array([[0, -1], [7, 0]], np.int32), np.array([[0, 5], [9, 0]], np.int32))
    seconds, metres = table.legs([places[0], places[1]], [places[1], places[0]])
    assert seconds.tolist() == [UNREACHABLE, 7]
    assert metres.tolist() == [UNREACHABLE, 9]


@st.composite
def rounds(draw: st.DrawFn) -> tuple[list[int], list[int], list[tuple[tuple[int, int], ...]], int]:
    count = draw(st.integers(1, 4))
    travel_s = draw(st.lists(st.integers(0, 9), min_size=count + 1, max_size=count + 1))
    service_s = draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))
    marks = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted)
    windows = [
        tuple(zip(found[: len(found) // 2 * 2 : 2], found[1::2], strict=True))
        for found in (draw(marks) for _ in range(count))
    ]
    return travel_s, service_s, windows, draw(st.integers(0, 80))


@given(rounds())
def test_a_timetable_is_the_shortest_of_all_departures(given_round: tuple) -> None:
    travel_s, service_s, windows, end_s = given_round
    runs = [forward(travel_s, service_s, windows, leave_s, end_s) for leave_s in range(end_s + 1)]
    possible = [run for run in runs if run is not None]
    best = min(possible, key=lambda run: (run.duration_s, run.start_s), default=None)
    assert timetable(travel_s, service_s, windows, (0, end_s), end_s) == best
    assert (lateness(travel_s, service_s, windows, 0, end_s) is None) == (runs[0] is not None)


@settings(max_examples=40)
@given(problems())
def test_documents_come_back(problem: Problem) -> None:
    document = problem_to_json(problem)
    assert problem_to_json(problem_from_json(document)) == document
    again = problem_from_json(document)
    assert (again.stops, again.vehicles) == (problem.stops, problem.vehicles)
    assert [table.tolist() for table in again.travel.matrix([stop.point for stop in problem.stops])] == [
        table.tolist() for table in problem.travel.matrix([stop.point for stop in problem.stops])
    ]


def test_plans_come_back() -> None:
    plan = solve(town(12, 1, capacity_pieces=6), Options(steps=10))
    assert plan.unserved
    assert plan_from_json(plan_to_json(plan)) == plan


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "document: "),
        ("[]", "document: "),
        ('{"stops": [], "vehicles": [], "drivers": []}', "problem: unknown field drivers"),
        ('{"vehicles": []}', "stops: "),
        (
            '{"stops": [{"stop_id": "a", "latitude": 0, "longitude": 0, "weight": 1}], "vehicles": []}',
            "unknown field weight",
        ),
        ('{"stops": [{"stop_id": "a", "latitude": 99, "longitude": 0}], "vehicles": []}', "latitude 99.0"),
        (
            '{"stops": [{"stop_id": "a", "latitude": "x", "longitude": 0}], "vehicles": []}',
            r"stops\[0\] \('a'\)",
        ),
        ('{"stops": [], "vehicles": [], "travel": {"kind": "teleport"}}', "kind must be"),
        (
            '{"stops": [], "vehicles": [],'
            ' "travel": {"kind": "table", "places": [], "seconds": [[1]], "metres": []}}',
            "0 x 0",
        ),
    ],
)
def test_false_documents_are_refused(document: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        problem_from_json(document)


def test_the_shell_plans_and_explains(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "problem.json"
    path.write_bytes(problem_to_json(town(5, 1)))
    assert main(["solve", str(path), "--steps", "10", "--seed", "1", "--progress"]) == 0
    printed = capfdbinary.readouterr()
    assert len(plan_from_json(printed.out).routes[0].visits) == 5
    assert b"cost" in printed.err
    path.write_text(json.dumps({"stops": [], "vehicles": [{}]}))
    assert main(["solve", str(path)]) == 2
    assert b"vehicles[0]" in capfdbinary.readouterr().err
