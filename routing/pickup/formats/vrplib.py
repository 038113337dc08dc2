"""VRPLIB: the files of CVRPLIB, and of PyVRP's collection.

What a file may hold is in `_FIELDS` and `_SECTIONS`; everything else is refused by name, since it would make
another problem of it. Stops are named by their number less one, as in CVRPLIB's solutions.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import TypeAlias

import numpy as np

from routing.pickup.errors import ProblemError
from routing.pickup.formats.convention import Convention
from routing.pickup.formats.plane import Customer, Plane, Truck, Weights, problem_of
from routing.pickup.formats.vrplib_parts import Parts, parts_of
from routing.pickup.problem import Problem
from routing.pickup.stops import StopKind
from routing.pickup.vehicles import RELOADS_MAX

_REMARKS = {
    "NAME",
    "COMMENT",
    "TYPE",
    "DIMENSION",
    "BEST_KNOWN",
    "DISPLAY_DATA_TYPE",
    "NODE_COORD_TYPE",
    "EDGE_WEIGHT_TYPE",
    "EDGE_WEIGHT_FORMAT",
}
_FIELDS = _REMARKS | {
    "CAPACITY",
    "DISTANCE",
    "RELEASE_TIME",
    "SERVICE_TIME",
    "VEHICLES",
    "VEHICLES_DEPOT",
    "VEHICLES_FIXED_COST",
    "VEHICLES_MAX_DISTANCE",
    "VEHICLES_MAX_DURATION",
    "VEHICLES_MAX_RELOADS",
    "VEHICLES_UNIT_DISTANCE_COST",
}
_SECTIONS = {
    "BACKHAUL",
    "CAPACITY",
    "DEMAND",
    "DEPOT",
    "DISPLAY_DATA",
    "EDGE_WEIGHT",
    "LINEHAUL",
    "NODE_COORD",
    "PICKUP_AND_DELIVERY",
    "PRIZE",
    "RELEASE_TIME",
    "SERVICE_TIME",
    "TIME_WINDOW",
    "VEHICLES_ALLOWED_CLIENTS",
    "VEHICLES_DEPOT",
    "VEHICLES_FIXED_COST",
    "VEHICLES_MAX_DISTANCE",
    "VEHICLES_MAX_DURATION",
    "VEHICLES_MAX_RELOADS",
    "VEHICLES_RELOAD_DEPOT",
    "VEHICLES_UNIT_DISTANCE_COST",
}
_TYPES_REFUSED = {"SDVRP", "VRPB", "OVRP", "1-PDTSP", "M-PDTSP", "TRP", "BWTSP"}
"""Split deliveries, deliveries before pickups, open rounds, and tours with rules of their own."""

_Node: TypeAlias = int


def read_vrplib(text: str, convention: Convention | None = None) -> Problem:
    """Read a VRPLIB file: places on a plane, or distances as a table.

    Args:
        text: the file.
        convention: None: that of `convention_of`.

    Raises:
        ProblemError: it is not of that form, or asks for what a problem cannot hold.
    """
    parts = parts_of(text)
    unknown = (parts.fields.keys() - _FIELDS) | (parts.sections.keys() - _SECTIONS)
    if unknown:
        raise ProblemError(f"vrplib: cannot read {', '.join(sorted(unknown))}")
    kind = parts.fields.get("TYPE", "").upper()
    if kind in _TYPES_REFUSED:
        raise ProblemError(f"vrplib: cannot read TYPE {kind}")
    nodes, weights = _places(parts)
    if not parts.given("CAPACITY"):
        raise ProblemError("vrplib: CAPACITY is missing")
    convention = convention or convention_of(text)
    depots = [int(row[0]) for row in parts.sections.get("DEPOT", [[1.0]]) if row[0] > 0]
    position = {node: number for number, (node, _, _) in enumerate(nodes)}
    missing = next((node for node in depots if node not in position), None)
    if missing is not None or not depots:
        raise ProblemError(f"vrplib: DEPOT_SECTION: there is no place {missing}")
    read = _customers(parts, nodes, depots)
    return problem_of(
        Plane(
            customers=read,
            depots=[position[depot] for depot in depots],
            trucks=_trucks(parts, read, position, depots),
            pairs=_pairs(parts, position),
            weights=weights,
        ),
        convention,
    )


def convention_of(text: str) -> Convention:
    """How a VRPLIB file's set counts.

    Thousandths where rounds have a limit of length, where there are several kinds of depots, or pairs;
    otherwise tenths where there are time windows, and rounded where there are none.
    """
    upper = text.upper()
    exact = ("VEHICLES_MAX_DURATION", "PICKUP_AND_DELIVERY_SECTION", "MDVRPTW", "\nDISTANCE")
    if any(name in upper for name in exact):
        return Convention.THOUSANDTHS
    return Convention.TENTHS if "TIME_WINDOW_SECTION" in upper else Convention.ROUNDED


def _places(parts: Parts) -> tuple[list[tuple[_Node, float, float]], Weights | None]:
    """Number and spot of each place, and the distances if they are a table."""
    kind = parts.fields.get("EDGE_WEIGHT_TYPE", "EUC_2D").upper()
    if kind == "EXPLICIT" and "EDGE_WEIGHT" in parts.sections:
        count = int(parts.number("DIMENSION"))
        form = parts.fields.get("EDGE_WEIGHT_FORMAT", "FULL_MATRIX").upper()
        values = [value for row in parts.sections["EDGE_WEIGHT"] for value in row]
        return [(number + 1, 0.0, 0.0) for number in range(count)], _square(values, count, form)
    if "NODE_COORD" not in parts.sections or kind not in _BY_TYPE:
        raise ProblemError(
            "vrplib: only files with places on a plane (EUC_2D) or EXPLICIT weights can be read"
        )
    nodes = [(int(row[0]), row[1], row[2]) for row in parts.rows("NODE_COORD", 3)]
    spots = np.array([(x, y) for _, x, y in nodes], dtype=np.float64)
    made_whole = _BY_TYPE[kind]
    if made_whole is None:
        return nodes, None
    return nodes, made_whole(np.sqrt(((spots[:, None, :] - spots[None, :, :]) ** 2).sum(axis=2)))


_BY_TYPE: Mapping[str, Callable[[Weights], Weights] | None] = {
    "EUC_2D": None,
    "EXACT_2D": None,
    "FLOOR_2D": np.floor,
    "CEIL_2D": np.ceil,
}


def _square(values: Sequence[float], count: int, form: str) -> Weights:
    """A table of distances from one of the forms in which halves of it are written."""
    table = np.zeros((count, count))
    everywhere = np.ones((count, count), dtype=np.bool_)
    written = {
        "FULL_MATRIX": everywhere,
        "LOWER_ROW": np.tril(everywhere, -1),
        "LOWER_DIAG_ROW": np.tril(everywhere),
        "UPPER_ROW": np.triu(everywhere, 1),
        "UPPER_DIAG_ROW": np.triu(everywhere),
    }
    if form not in written:
        raise ProblemError(f"vrplib: cannot read EDGE_WEIGHT_FORMAT {form}")
    one, other = np.nonzero(written[form])  # row by row, as the file is
    if len(values) != len(one):
        raise ProblemError(f"vrplib: EDGE_WEIGHT_SECTION must hold {len(one)} numbers, not {len(values)}")
    table[one, other] = values
    if form != "FULL_MATRIX":
        table[other, one] = values
    return table


def _customers(
    parts: Parts, nodes: Sequence[tuple[_Node, float, float]], depots: list[_Node]
) -> list[Customer]:
    demand = parts.by_node("LINEHAUL") if "LINEHAUL" in parts.sections else parts.by_node("DEMAND")
    returned, prize = parts.by_node("BACKHAUL"), parts.by_node("PRIZE")
    windows = {int(row[0]): (row[1], row[2]) for row in parts.rows("TIME_WINDOW", 3)}
    service, released = parts.by_node("SERVICE_TIME"), parts.by_node("RELEASE_TIME")
    everywhere, ready = parts.number("SERVICE_TIME", 0), parts.number("RELEASE_TIME", 0)
    delivered = any(name in parts.sections for name in ("LINEHAUL", "BACKHAUL", "RELEASE_TIME")) or ready > 0
    allowed = _allowed(parts)
    tasks = {int(row[0]): row for row in parts.rows("PICKUP_AND_DELIVERY", 7)}
    read = []
    for node, x, y in nodes:
        is_depot = node in depots
        opens, closes = windows.get(node, (0.0, None))
        customer = Customer(
            name=f"{node - 1}",
            x=x,
            y=y,
            demand=parts.whole(demand.get(node, 0.0), "DEMAND"),
            opens=opens,
            closes=closes,
            service=0.0 if is_depot else service.get(node, everywhere),
            kind=StopKind.DELIVERY if delivered else StopKind.PICKUP,
            returned=parts.whole(returned.get(node, 0.0), "BACKHAUL"),
            released=0.0 if is_depot else released.get(node, ready),
            prize=None if "PRIZE" not in parts.sections or is_depot else prize.get(node, 0.0),
            vehicles=None if allowed is None else frozenset(allowed.get(node, ())),
        )
        read.append(_task(customer, tasks[node], is_depot=is_depot) if node in tasks else customer)
    return read


def _task(customer: Customer, row: Sequence[float], *, is_depot: bool) -> Customer:
    """A customer with what the section of pairs says of it."""
    _, demand, opens, closes, service, comes_from, _ = row
    return Customer(
        name=customer.name,
        x=customer.x,
        y=customer.y,
        demand=abs(Parts.whole(demand, "PICKUP_AND_DELIVERY")),
        opens=opens,
        closes=closes,
        service=0.0 if is_depot else service,
        kind=StopKind.DELIVERY if comes_from else StopKind.PICKUP,
        vehicles=customer.vehicles,
    )


def _pairs(parts: Parts, position: Mapping[_Node, int]) -> list[tuple[str, str]]:
    pairs = []
    for row in parts.rows("PICKUP_AND_DELIVERY", 7):
        node, target = int(row[0]), int(row[6])
        if target and target not in position:
            raise ProblemError(f"vrplib: PICKUP_AND_DELIVERY_SECTION: {node} goes to unknown {target}")
        if target:
            pairs.append((f"{node - 1}", f"{target - 1}"))
    return pairs


def _allowed(parts: Parts) -> dict[_Node, list[str]] | None:
    """The vehicles of each customer, if the file lists them."""
    if "VEHICLES_ALLOWED_CLIENTS" not in parts.sections:
        return None
    allowed: dict[_Node, list[str]] = {}
    for row in parts.sections["VEHICLES_ALLOWED_CLIENTS"]:
        for node in row[1:]:
            allowed.setdefault(int(node), []).append(f"{row[0]:.0f}")
    return allowed


def _trucks(
    parts: Parts, read: Sequence[Customer], position: Mapping[_Node, int], depots: list[_Node]
) -> list[Truck]:
    capacity = parts.by_vehicle("CAPACITY")
    if "VEHICLES" in parts.fields:
        count = int(parts.number("VEHICLES"))
    elif "VEHICLES_DEPOT" in parts.sections:
        count = len(parts.sections["VEHICLES_DEPOT"])
    else:
        # Two rounds that fit into one vehicle are one round: more than twice the least number never helps.
        load = sum(customer.demand for customer in read)
        count = 2 * ceil(load / max(1.0, capacity(1) or 1.0)) + 1
        limited = (
            parts.given("DISTANCE") or parts.given("VEHICLES_MAX_DURATION") or "TIME_WINDOW" in parts.sections
        )
        count = len(read) if limited else count
    home = parts.by_vehicle("VEHICLES_DEPOT", float(depots[0]))
    duration = parts.by_vehicle("VEHICLES_MAX_DURATION")
    length = parts.by_vehicle("VEHICLES_MAX_DISTANCE")
    fixed, per_unit = (
        parts.by_vehicle("VEHICLES_FIXED_COST", 0.0),
        parts.by_vehicle("VEHICLES_UNIT_DISTANCE_COST", 1.0),
    )
    outlets = {
        int(row[0]): [int(node) for node in row[1:]]
        for row in parts.sections.get("VEHICLES_RELOAD_DEPOT", [])
    }
    reloads = parts.by_vehicle("VEHICLES_MAX_RELOADS", float(RELOADS_MAX))
    trucks = []
    for number in range(1, count + 1):
        start = int(home(number) or depots[0])
        at = outlets.get(number, [])
        unknown = next((node for node in (start, *at) if node not in position), None)
        if unknown is not None:
            raise ProblemError(f"vrplib: vehicle {number}: there is no place {unknown}")
        trucks.append(
            Truck(
                depot=position[start],
                capacity=parts.whole(capacity(number) or 0.0, "CAPACITY"),
                # CVRPLIB's DISTANCE counts the service too: it is a limit of time at speed one.
                duration=parts.number("DISTANCE") if parts.given("DISTANCE") else duration(number),
                distance=length(number),
                fixed=fixed(number) or 0.0,
                per_unit=per_unit(number) or 0.0,
                reload_at=tuple(position[node] for node in at),
                reloads=min(RELOADS_MAX, int(reloads(number) or 0)) if at else 0,
            )
        )
    return trucks
