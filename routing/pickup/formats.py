"""Files of the academic benchmark sets, read as problems.

Three forms are read: Solomon's text (also of Gehring & Homberger), VRPLIB (of the CVRPLIB and PyVRP's
collection), and CVRPLIB's solutions. Places lie on a plane; distance is Euclidean, and each set has its own
way to make it whole:

- `Convention.TENTHS`: truncated to one decimal (12th DIMACS challenge; sets with time windows). Times, too,
  are in tenths.
- `Convention.ROUNDED`: rounded to the nearest whole number (CVRPLIB).
- `Convention.THOUSANDTHS`: to three decimals (multi-depot sets).

A metre and a second of the problem are one unit of the convention, a metre costs one minor unit and nothing
else does, so a plan's cost and distance are the set's objective, times the convention's factor.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil

import numpy as np
import numpy.typing as npt

from routing.pickup.errors import ProblemError
from routing.pickup.matrix import Point, Table
from routing.pickup.plan import Plan
from routing.pickup.problem import HORIZON_S, Problem, Stop, Vehicle

_DEGREES = 0.5  # the furthest place from the origin: near enough to the equator for a plane
_UNLIMITED = 10**9
_EPSILON = 1e-9  # 12.3 is a little less than 123 tenths in binary


class Convention(Enum):
    """How distances are made whole."""

    ROUNDED = 1
    TENTHS = 10
    THOUSANDTHS = 1000

    def whole(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Distances or times in units of the convention."""
        scaled = values * float(self.value)
        if self is Convention.TENTHS:
            return np.floor(scaled + _EPSILON).astype(np.int64)
        return np.rint(scaled).astype(np.int64)

    def written(self, units: int) -> str:
        """A sum of distances as the set's own tables write it."""
        return f"{units / self.value:.{len(str(self.value)) - 1}f}"


@dataclass(frozen=True, slots=True)
class _Customer:
    """A line of a file; the values as they are written."""

    name: str
    x: float
    y: float
    demand: int = 0
    opens: float = 0.0
    closes: float | None = None
    service: float = 0.0


def read_solomon(text: str, convention: Convention = Convention.TENTHS) -> Problem:
    """Read Solomon's text form: a name, vehicles and capacity, then the depot and its customers.

    Raises:
        ProblemError: it is not of that form.
    """
    rows = [row for row in (_numbers(line) for line in text.splitlines()) if row]
    fleet = next((row for row in rows if len(row) == 2), None)
    customers = [row for row in rows if len(row) == 7]
    if fleet is None or len(customers) < 1:
        raise ProblemError("solomon: no line with vehicles and capacity, or none with seven numbers")
    read = [
        _Customer(f"{row[0]:.0f}", row[1], row[2], int(row[3]), row[4], row[5], row[6]) for row in customers
    ]
    return _problem(read, [0], [0] * int(fleet[0]), int(fleet[1]), convention)


def read_vrplib(text: str, convention: Convention | None = None) -> Problem:
    """Read a VRPLIB file with places on a plane.

    Args:
        text: the file.
        convention: None: that of `convention_of`.

    Raises:
        ProblemError: it has no places, or asks for what a problem cannot hold.
    """
    fields, sections = _vrplib_parts(text)
    unknown = set(sections) - {
        "NODE_COORD",
        "DEMAND",
        "TIME_WINDOW",
        "SERVICE_TIME",
        "DEPOT",
        "VEHICLES_DEPOT",
    }
    unknown |= set(fields) & {"VEHICLES_MAX_DURATION", "VEHICLES_MAX_DISTANCE"}
    if unknown:
        raise ProblemError(f"vrplib: cannot read {', '.join(sorted(unknown))}")
    if "NODE_COORD" not in sections or fields.get("EDGE_WEIGHT_TYPE", "EUC_2D") != "EUC_2D":
        raise ProblemError("vrplib: only files with places on a plane (EUC_2D) can be read")
    if "CAPACITY" not in fields:
        raise ProblemError("vrplib: CAPACITY is missing")
    windows = {row[0]: row[1:] for row in sections.get("TIME_WINDOW", [])}
    demand = {row[0]: int(row[1]) for row in sections.get("DEMAND", [])}
    service = {row[0]: row[1] for row in sections.get("SERVICE_TIME", [])}
    depots = [row[0] for row in sections.get("DEPOT", [[1.0]]) if row[0] > 0]
    everywhere = float(fields.get("SERVICE_TIME", 0))
    read = [
        _Customer(
            f"{node - len(depots):.0f}",
            x,
            y,
            demand.get(node, 0),
            windows[node][0] if node in windows else 0.0,
            windows[node][1] if node in windows else None,
            0.0 if node in depots else service.get(node, everywhere),
        )
        for node, x, y in (row[:3] for row in sections["NODE_COORD"])
    ]
    number = {row[0]: position for position, row in enumerate(sections["NODE_COORD"])}
    capacity = int(fields["CAPACITY"])
    if "VEHICLES_DEPOT" in sections:
        starts = [number[row[1]] for row in sections["VEHICLES_DEPOT"]]
    else:
        # Two rounds that fit into one vehicle are one round: more than twice the least number never helps.
        enough = 2 * ceil(sum(customer.demand for customer in read) / max(1, capacity)) + 1
        starts = [number[depots[0]]] * int(fields.get("VEHICLES", enough))
    at = [number[depot] for depot in depots]
    return _problem(read, at, starts, capacity, convention or convention_of(text))


def convention_of(text: str) -> Convention:
    """How a VRPLIB file's set counts: tenths where there are time windows, rounded otherwise."""
    return Convention.TENTHS if "TIME_WINDOW_SECTION" in text.upper() else Convention.ROUNDED


def solution_text(plan: Plan, convention: Convention) -> str:
    """A plan in the form of CVRPLIB's solution files: routes by number, and the cost."""
    routes = [
        f"Route #{number}: {' '.join(route.stop_ids)}" for number, route in enumerate(plan.routes, start=1)
    ]
    return "\n".join([*routes, f"Cost {convention.written(plan.distance_m)}", ""])


def read_cost(text: str) -> float:
    """The objective that a CVRPLIB solution file states.

    Raises:
        ProblemError: it states none.
    """
    found = re.search(r"^\s*Cost\s*:?\s*([\d.]+)", text, re.MULTILINE)
    if found is None:
        raise ProblemError("solution: no line with its cost")
    return float(found[1])


def _problem(
    read: Sequence[_Customer],
    depots: Sequence[int],
    starts: Sequence[int],
    capacity: int,
    convention: Convention,
) -> Problem:
    """The problem of customers and depots, whose vehicles begin at the given ones."""
    plane = np.array([(customer.x, customer.y) for customer in read], dtype=np.float64)
    points = _points(plane)
    places = tuple(dict.fromkeys(points))
    first = [points.index(place) for place in places]
    apart = np.sqrt(((plane[first][:, None, :] - plane[first][None, :, :]) ** 2).sum(axis=2))
    metres = convention.whole(apart)
    timed = any(customer.closes is not None for customer in read)
    seconds = metres if timed else np.zeros_like(metres)
    table = Table(places, seconds.astype(np.int32), metres.astype(np.int32))
    stops = tuple(
        Stop(
            stop_id=customer.name,
            latitude=points[number][0],
            longitude=points[number][1],
            service_s=_whole(convention, customer.service),
            windows=_window(convention, customer),
            weight_g=customer.demand,
        )
        for number, customer in enumerate(read)
        if number not in depots
    )
    vehicles = tuple(
        Vehicle(
            vehicle_id=f"{number}",
            start=points[start],
            end=points[start],
            shift=next(iter(_window(convention, read[start])), (0, HORIZON_S)),
            capacity_g=capacity,
            capacity_cm3=_UNLIMITED,
            capacity_pieces=_UNLIMITED,
            cost_per_km=1000,
        )
        for number, start in enumerate(starts, start=1)
    )
    return Problem(stops, vehicles, table)


def _points(plane: npt.NDArray[np.float64]) -> list[Point]:
    """Places on the plane as degrees, in the same proportions."""
    scale = _DEGREES / max(1.0, float(np.abs(plane).max(initial=0.0)))
    return [(y, x) for x, y in (plane * scale).tolist()]


def _window(convention: Convention, customer: _Customer) -> tuple[tuple[int, int], ...]:
    if customer.closes is None:
        return ()
    return ((_whole(convention, customer.opens), min(HORIZON_S, _whole(convention, customer.closes))),)


def _whole(convention: Convention, value: float) -> int:
    return int(convention.whole(np.array([value]))[0])


def _numbers(line: str) -> list[float] | None:
    try:
        return [float(word) for word in line.split()]
    except ValueError:
        return None


def _vrplib_parts(text: str) -> tuple[dict[str, str], dict[str, list[list[float]]]]:
    """The fields with their values, and the sections with their rows of numbers."""
    fields: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    rows: list[list[float]] | None = None
    for line in _lines(text):
        if line.upper().endswith("_SECTION"):
            rows = sections.setdefault(line.upper().removesuffix("_SECTION"), [])
        elif (numbers := _numbers(line)) is not None and rows is not None:
            rows.append(numbers)
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name.strip().upper()] = value.strip()
        else:
            raise ProblemError(f"vrplib: cannot read the line {line!r}")
    return fields, sections


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip().upper() == "EOF":
            return
        if line.strip():
            yield line.strip()
