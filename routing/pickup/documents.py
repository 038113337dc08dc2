"""Problems and plans as JSON.

A problem document has the fields of `Problem`, `Stop` and `Vehicle` under their own names and in their own
units; what has a default may be left out, what is unknown is refused:

```json
{
  "stops": [{"stop_id": "a", "latitude": 31.23, "longitude": 121.47, "service_s": 180,
             "windows": [[32400, 39600]], "weight_g": 2500, "pieces": 1}],
  "vehicles": [{"vehicle_id": "van", "start": [31.2, 121.4], "end": null, "shift": [28800, 64800],
                "capacity_g": 400000, "capacity_cm3": 3000000, "capacity_pieces": 200,
                "cost_fixed": 5000, "cost_per_hour": 3000, "cost_per_km": 80}],
  "travel": {"kind": "straight_line", "detour_factor": 1.35, "speed_m_per_h": 25000},
  "prize_per_priority_minor": null
}
```

A vehicle's `breaks` are `[{"break_id": "lunch", "windows": [[39600, 46800]], "duration_s": 1800, "paid":
false}]`. Beside these the document may have `pairs` (`[{"pickup_id": "a", "delivery_id": "b", "ride_s_max":
3600}]`), `restrictions`, `speed_by_hour`, `more_measures`, and `profiles` (travel models by name).

`travel` may also be `{"kind": "table", "places": [[lat, lon], ...], "seconds": [[...]], "metres":
[[...]]}`, where null or a negative number means that there is no way. A plan document has the fields of
`Plan`.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import msgspec
import numpy as np

from routing.pickup.errors import ProblemError
from routing.pickup.matrix import IntArray, Point, StraightLine, Table, Travel
from routing.pickup.plan import Plan
from routing.pickup.problem import Pair, Problem, Restriction, Stop, Vehicle

_Value = TypeVar("_Value")
_MORE: Mapping[str, Any] = {
    "pairs": tuple[Pair, ...],
    "restrictions": tuple[Restriction, ...],
    "speed_by_hour": tuple[float, ...],
    "more_measures": tuple[str, ...],
}


class _TableDocument(msgspec.Struct, forbid_unknown_fields=True):
    places: tuple[Point, ...]
    seconds: list[list[int | None]]
    metres: list[list[int | None]]


def problem_from_json(document: bytes | str) -> Problem:
    """Read a problem document.

    Raises:
        ProblemError: it is no JSON, has an unknown or missing field, or describes no valid problem.
    """
    whole = parsed(document)
    _refuse_unknown(whole, {field.name for field in fields(Problem)}, "problem")
    parts: dict[str, Any] = {
        "stops": tuple(_each(whole, "stops", Stop, "stop_id")),
        "vehicles": tuple(_each(whole, "vehicles", Vehicle, "vehicle_id")),
        "prize_per_priority_minor": _converted(
            whole.get("prize_per_priority_minor"), int | None, "prize_per_priority_minor"
        ),
    }
    for name, kind in _MORE.items():
        if name in whole:
            parts[name] = _converted(whole[name], kind, name)
    if "travel" in whole:
        parts["travel"] = _travel(whole["travel"])
    if "profiles" in whole:
        models = _converted(whole["profiles"], dict[str, Any], "profiles")
        parts["profiles"] = {name: _travel(model) for name, model in models.items()}
    return Problem(**parts)


def problem_to_json(problem: Problem) -> bytes:
    """Write a problem document.

    Raises:
        ProblemError: its travel model is neither a straight line nor a table.
    """
    return msgspec.json.encode(
        {
            "stops": problem.stops,
            "vehicles": problem.vehicles,
            "travel": _travel_document(problem.travel),
            "prize_per_priority_minor": problem.prize_per_priority_minor,
            **{name: getattr(problem, name) for name in _MORE},
            "profiles": {name: _travel_document(model) for name, model in problem.profiles.items()},
        },
        order="sorted",  # sets have no order of their own
    )


def plan_from_json(document: bytes | str) -> Plan:
    """Read a plan document.

    Raises:
        ProblemError: it is no JSON or no plan.
    """
    plan: Plan = _converted(parsed(document), Plan, "plan")
    return plan


def plan_to_json(plan: Plan) -> bytes:
    """Write a plan document."""
    return msgspec.json.encode(plan)


def parsed(document: bytes | str) -> dict[str, Any]:
    """Read JSON.

    Raises:
        ProblemError: it is no JSON object.
    """
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ProblemError(f"document: {error}") from error


def _each(whole: dict[str, Any], name: str, kind: type[_Value], id_field: str) -> list[_Value]:
    entries = _converted(whole.get(name), list[dict[str, Any]], name)
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    values = []
    for position, entry in enumerate(entries):
        subject = f"{name}[{position}] ({entry.get(id_field)!r})"
        _refuse_unknown(entry, known, subject)
        values.append(_converted(entry, kind, subject))
    return values


def _travel(document: Any) -> Travel:
    entry = dict(_converted(document, dict[str, Any], "travel"))
    kind = entry.pop("kind", None)
    if kind == "straight_line":
        _refuse_unknown(entry, {field.name for field in fields(StraightLine)}, "travel")
        line: StraightLine = _converted(entry, StraightLine, "travel")
        return line
    if kind == "table":
        table = _converted(entry, _TableDocument, "travel")
        seconds, metres = (_square(rows, len(table.places)) for rows in (table.seconds, table.metres))
        return Table(table.places, seconds, metres)
    raise ProblemError(f"travel: kind must be straight_line or table, not {kind!r}")


def _square(rows: list[list[int | None]], size: int) -> IntArray:
    if len(rows) != size or any(len(row) != size for row in rows):
        raise ProblemError(f"travel: tables must be {size} x {size}")
    filled = [[-1 if value is None else value for value in row] for row in rows]
    try:
        return np.array(filled, dtype=np.int32).reshape(size, size)
    except OverflowError as error:
        raise ProblemError(f"travel: {error}") from error


def _travel_document(travel: Travel) -> dict[str, Any]:
    if isinstance(travel, StraightLine):
        return {"kind": "straight_line", **msgspec.to_builtins(travel)}
    if isinstance(travel, Table):
        tables = {"seconds": travel.seconds, "metres": travel.metres}
        rows = {name: np.where(travel.no_way, -1, values).tolist() for name, values in tables.items()}
        return {"kind": "table", "places": travel.places, **rows}
    raise ProblemError(f"travel: {type(travel).__name__} cannot be written as a document")


def _refuse_unknown(entry: dict[str, Any], known: set[str], subject: str) -> None:
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise ProblemError(f"{subject}: unknown field {', '.join(unknown)}")


def _converted(value: Any, kind: Any, subject: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ProblemError(f"{subject}: {error}") from error
