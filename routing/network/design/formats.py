"""Instances from files: CAB and AP as the literature hands them on, and own places and demand."""

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np

from routing.network.design.errors import InvalidInstanceError
from routing.network.design.gravity import distances_km, gravity
from routing.network.design.instance import Floats, HubInstance

# The published objectives of the AP data set are those of its numbers divided by this.
_AP_SCALE = 1000.0


def read_cab(text: str, alpha: float) -> HubInstance:
    """The CAB data set (O'Kelly 1987): rows "i j flow cost" after a heading, places numbered from 1.

    Flows are scaled to sum 1, as all published objectives are; collection and distribution cost 1.

    Args:
        text: the content of the file.
        alpha: the transfer discount.

    Raises:
        InvalidInstanceError: rows are missing or are not numbers.
    """
    rows: list[tuple[int, int, float, float]] = []
    for line in text.splitlines():
        words = line.replace(";", " ").split()
        if len(words) != 4:
            continue
        try:
            rows.append((int(words[0]), int(words[1]), float(words[2]), float(words[3])))
        except ValueError:  # a line of the heading that happens to have four words
            continue
    n = max((max(row[:2]) for row in rows), default=0)
    if n < 1 or {row[:2] for row in rows} != {(i, j) for i in range(1, n + 1) for j in range(1, n + 1)}:
        raise InvalidInstanceError("a CAB file has one row of i, j, flow, cost for every pair of cities")
    flow, distance = np.zeros((n, n)), np.zeros((n, n))
    for i, j, units, cost in rows:
        flow[i - 1, j - 1], distance[i - 1, j - 1] = units, cost
    total = flow.sum()
    if not total > 0:
        raise InvalidInstanceError("a CAB file needs some flow")
    return HubInstance(_numbers(n), flow / total, distance, transfer=alpha)


def read_ap(text: str, alpha: float | None = None) -> HubInstance:
    """The AP (Australia Post) data set (Ernst & Krishnamoorthy 1996), one file of the OR-Library.

    The file is n, coordinates, flows, p and the factors of collection, transfer and distribution. Its p is
    left out here, since the same places are asked about with any number of hubs.

    Args:
        text: the content of the file.
        alpha: replaces the file's transfer factor.

    Raises:
        InvalidInstanceError: numbers are missing, or there are words among them.
    """
    words = text.split()
    try:
        n = int(words[0])
        values = np.array(words[1:], dtype=np.float64)
    except (IndexError, ValueError) as error:
        raise InvalidInstanceError("an AP file starts with the number of places, numbers follow") from error
    if n < 1 or values.size != 2 * n + n * n + 4:
        raise InvalidInstanceError(
            f"an AP file of {n} places has {2 * n + n * n + 4} numbers after the first, not {values.size}"
        )
    place = values[: 2 * n].reshape(n, 2)
    flow = values[2 * n : -4].reshape(n, n) / _AP_SCALE
    apart = place[:, None, :] - place[None, :, :]
    _, collection, transfer, distribution = values[-4:].tolist()
    return HubInstance(
        _numbers(n),
        flow,
        np.hypot(apart[..., 0], apart[..., 1]),
        collection,
        transfer if alpha is None else alpha,
        distribution,
        metric=True,
    )


def read_own(facilities: str, demand: str | None, alpha: float) -> HubInstance:
    """Own places and parcels; distances are great circles in kilometres, collection and distribution cost 1.

    Args:
        facilities: CSV with the columns id, name, lat, lon; fixed_cost and capacity may follow.
        demand: CSV with the columns origin, destination, parcels; the first two are ids. None takes the
            gravity model on the further column weight of the facilities, as shares of one parcel.
        alpha: the transfer discount.

    Raises:
        InvalidInstanceError: a column is missing, a value is not a number, or an id is unknown or doubled.
    """
    weight = ("weight",) if demand is None else ()
    places = list(_table("facilities", facilities, ("id", "name", "lat", "lon", *weight)))
    index = {row["id"]: position for position, row in enumerate(places)}
    if len(index) != len(places) or not places:
        raise InvalidInstanceError("facilities need distinct ids, at least one")
    coordinates = [(_number("facilities", row, "lat"), _number("facilities", row, "lon")) for row in places]
    if demand is None:
        flow = gravity(coordinates, [_number("facilities", row, "weight") for row in places])
    else:
        flow = _flow(demand, index)
    fixed_cost, capacity = (
        np.array([_number("facilities", row, name) for row in places if name in row])
        for name in ("fixed_cost", "capacity")
    )
    distance = distances_km(coordinates)
    return HubInstance(tuple(index), flow, distance, 1.0, alpha, 1.0, fixed_cost, capacity, metric=True)


def _flow(demand: str, index: dict[str, int]) -> Floats:
    flow = np.zeros((len(index), len(index)))
    for row in _table("demand", demand, ("origin", "destination", "parcels")):
        try:
            pair = index[row["origin"]], index[row["destination"]]
        except KeyError as error:
            raise InvalidInstanceError(f"demand names the unknown facility {error.args[0]!r}") from error
        flow[pair] += _number("demand", row, "parcels")
    return flow


def _numbers(n: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, n + 1))


def _table(name: str, text: str, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text), restval="")
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise InvalidInstanceError(f"{name}: no column {', '.join(sorted(missing))}")
    yield from reader


def _number(name: str, row: dict[str, str], column: str) -> float:
    try:
        return float(row[column])
    except ValueError as error:
        raise InvalidInstanceError(f"{name}: {column} {row[column]!r} is not a number") from error
