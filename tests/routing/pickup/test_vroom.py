"""VROOM's documents in and out: its documented examples, its fields, and what it would refuse."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from routing.pickup import Options, ProblemError
from routing.pickup.__main__ import main
from routing.pickup.vroom import is_vroom, read
from routing.pickup.vroom_door import answered

# The second documented example of VROOM's API description, with the cost of the solution printed there.
EXAMPLE_2: dict[str, Any] = {
    "vehicles": [{"id": 0, "start_index": 0, "end_index": 3}],
    "jobs": [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}],
    "matrices": {
        "car": {
            "durations": [
                [0, 2104, 197, 1299],
                [2103, 0, 2255, 3152],
                [197, 2256, 0, 1102],
                [1299, 3153, 1102, 0],
            ]
        }
    },
}
EXAMPLE_2_COST = 5461

DEPOT = [2.35044, 48.71764]


def example_3() -> dict[str, Any]:
    """The third one: rounds given in steps, for plan mode.

    The ways between their places are those of the printed solution; what it does not tell has none.
    """
    day = 1600416000
    windows = [[day, day + 7200]]
    no_way = 2**32 - 1
    durations = [[0 if row == column else no_way for column in range(7)] for row in range(7)]
    for row, column, seconds in (
        (0, 1, 2328),
        (1, 2, 890),
        (2, 5, 1595),
        (5, 0, 1752),
        (0, 6, 2941),
        (6, 4, 3816),
        (4, 3, 1909),
        (3, 0, 3480),
    ):
        durations[row][column] = seconds
    steps = [[{"type": "job", "id": number} for number in numbers] for numbers in ((1, 2, 5), (6, 4, 3))]
    vehicles: list[dict[str, Any]] = [
        {
            "id": number,
            "start": DEPOT,
            "start_index": 0,
            "end": DEPOT,
            "end_index": 0,
            "capacity": [4],
            "time_window": [day, day + 10800],
            "steps": [{"type": "start"}, *steps[number - 1], {"type": "end"}],
        }
        for number in (1, 2)
    ]
    vehicles[1]["steps"][0]["service_after"] = day - 800
    deliveries = {1: 2, 2: 2, 3: 1, 4: 1, 5: 3, 6: 1}
    jobs = [
        {"id": number, "service": 300, "delivery": [amount], "location_index": number}
        | ({"time_windows": windows} if number in (3, 4, 6) else {})
        for number, amount in deliveries.items()
    ]
    return {"vehicles": vehicles, "jobs": jobs, "matrices": {"car": {"durations": durations}}}


def answer(document: dict[str, Any], **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answered(document, Options(**({"steps": 50} | options)), check=False))
    return found


def test_the_second_example_costs_what_the_printed_solution_costs() -> None:
    found = answer(EXAMPLE_2)
    assert found["code"] == 0
    assert found["unassigned"] == []
    assert found["summary"]["cost"] <= EXAMPLE_2_COST
    steps = found["routes"][0]["steps"]
    assert [(step["type"], step.get("id"), step["arrival"]) for step in steps] == [
        ("start", None, 0),
        ("job", 1414, 2104),
        ("job", 1515, 4359),
        ("end", None, 5461),
    ]
    assert "distance" not in found["summary"]
    assert "delivery" not in found["summary"]


def test_plan_mode_reports_what_the_third_example_violates() -> None:
    found = json.loads(answered({**example_3(), "options": {"c": True}}, Options(), check=False))
    summary = {violation["cause"]: violation.get("duration") for violation in found["summary"]["violations"]}
    assert summary == {"lead_time": 800, "delay": 2712, "load": None}
    assert found["summary"]["cost"] == 18711
    first, second = found["routes"]
    assert [step["load"] for step in first["steps"]] == [[7], [5], [3], [0], [0]]
    assert [step["violations"] for step in first["steps"]] == [[{"cause": "load"}]] * 2 + [[]] * 3
    assert [step["arrival"] - 1600416000 for step in second["steps"]] == [-800, 2141, 6257, 8466, 12246]
    assert second["steps"][3]["violations"] == [{"cause": "delay", "duration": 1266}]
    assert second["steps"][4]["violations"] == [{"cause": "delay", "duration": 1446}]


def test_the_third_example_solved_breaks_no_rule_and_costs_no_more() -> None:
    found = answer(example_3())
    assert found["summary"]["violations"] == []
    assert found["summary"]["cost"] <= 18711
    assert all(max(step["load"]) <= 4 for route in found["routes"] for step in route["steps"])
    served = {step["id"] for route in found["routes"] for step in route["steps"] if step["type"] == "job"}
    assert served | {task["id"] for task in found["unassigned"]} == {1, 2, 3, 4, 5, 6}
    assert all(task["type"] == "job" and task["reason"] for task in found["unassigned"])


def test_shipments_breaks_skills_setup_and_moments_of_the_calendar() -> None:
    day = 1600416000
    document = {
        "vehicles": [
            {
                "id": 7,
                "description": "Anna",
                "start": DEPOT,
                "capacity": [1, 10],
                "skills": [2],
                "time_window": [day, day + 14400],
                "costs": {"fixed": 100, "per_hour": 3600, "per_km": 10},
                "breaks": [{"id": 3, "service": 600, "time_windows": [[day + 3600, day + 3700]]}],
            }
        ],
        "jobs": [{"id": 1, "location": [2.36, 48.72], "setup": 60, "service": 120, "pickup": [0, 4]}],
        "shipments": [
            {
                "amount": [1, 1],
                "skills": [2],
                "priority": 5,
                "pickup": {"id": 1, "location": [2.37, 48.73], "service": 100},
                "delivery": {"id": 1, "location": [2.40, 48.75], "time_windows": [[day + 5000, day + 6000]]},
            }
        ],
    }
    found = answer(document)
    route = found["routes"][0]
    types = [step["type"] for step in route["steps"]]
    assert found["unassigned"] == []
    assert types[0] == "start"
    assert "end" not in types
    assert types.index("pickup") < types.index("delivery")
    rest = next(step for step in route["steps"] if step["type"] == "break")
    assert day + 3600 <= rest["arrival"] + rest["waiting_time"] <= day + 3700
    assert rest["service"] == 600
    assert route["setup"] == 60
    assert route["service"] == 120 + 100 + 600
    assert route["priority"] == 10
    assert (route["delivery"], route["pickup"]) == ([1, 1], [1, 5])
    assert route["cost"] == round(100 + route["duration"] + route["distance"] / 100)
    last = route["steps"][-1]
    assert last["load"] == [0, 4]
    assert last["duration"] == route["duration"]
    for before, after in zip(route["steps"], route["steps"][1:], strict=False):
        begun = before["arrival"] + before["waiting_time"] + before["setup"] + before["service"]
        assert after["arrival"] == begun + after["duration"] - before["duration"]


def test_profiles_have_their_own_matrix_and_speed() -> None:
    ways = [[0, 100], [100, 0]]
    document = {
        "vehicles": [
            {"id": 1, "profile": "car", "start_index": 0},
            {"id": 2, "profile": "bike", "start_index": 0, "speed_factor": 2.0},
        ],
        "jobs": [{"id": 1, "location_index": 1}],
        "matrices": {
            "car": {"durations": ways, "distances": ways},
            "bike": {"durations": [[0, 150], [150, 0]], "distances": ways},
        },
    }
    found = answer(document)
    assert [(route["vehicle"], route["duration"], route["distance"]) for route in found["routes"]] == [
        (2, 75, 100)
    ]


def test_given_steps_are_where_the_search_begins() -> None:
    document = {**EXAMPLE_2, "vehicles": [{**EXAMPLE_2["vehicles"][0]}]}
    document["vehicles"][0]["steps"] = [{"type": "job", "id": 1515}, {"type": "job", "id": 1414}]
    assert answer(document, steps=0)["routes"][0]["duration"] == 197 + 2256 + 3152
    assert answer(document)["summary"]["cost"] <= EXAMPLE_2_COST


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vehicle": []}, "vehicle"),
        ({"jobs": [{"id": 1}]}, "job 1"),
        ({"jobs": [{"id": 1, "location_index": 9}]}, "location_index 9"),
        ({"jobs": [{"id": 1, "location_index": 1, "colour": "red"}]}, "colour"),
        ({"matrices": {"car": {"durations": [[0, 1]]}}}, "1 x 1"),
        ({"matrices": {"car": {"durations": [[0]], "costs": [[0]]}}}, "costs"),
        ({"vehicles": [{"id": 1, "profile": "boat", "start_index": 0}]}, "boat"),
        ({"vehicles": [{"id": 1}]}, "start"),
        ({"vehicles": [{"id": 1, "start_index": 0, "steps": [{"type": "job", "id": 5}]}]}, "job 5"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProblemError, match=said):
        answer({**EXAMPLE_2, **change})


def test_the_shell_knows_a_vroom_document_by_its_fields(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_vroom(EXAMPLE_2)
    assert not is_vroom({"stops": [], "vehicles": []})
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(EXAMPLE_2))
    assert main(["solve", str(path), "--seconds", "1"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["summary"]["cost"] <= EXAMPLE_2_COST
    path.write_text(json.dumps(example_3()))
    assert main(["solve", str(path), "-c"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["summary"]["violations"]
    broken = io.TextIOWrapper(io.BytesIO(b'{"vehicles": [{}], "jobs": []}'))
    monkeypatch.setattr(sys, "stdin", broken)
    assert main(["solve", "-", "--format", "vroom"]) == 2
    assert json.loads(capfdbinary.readouterr().out)["code"] == 2


def test_amounts_keep_their_number_of_dimensions() -> None:
    document = {
        "vehicles": [{"id": 1, "start": DEPOT, "capacity": [1, 2]}],
        "jobs": [{"id": 1, "location": DEPOT, "delivery": [1]}],
    }
    with pytest.raises(ProblemError, match="2 numbers"):
        read(document)
