"""Places and demand from CSV files: `id,name,lat,lon,weight` and `origin,destination,parcels`."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from routing.network.comparison.demand import PARCEL_G, Flows, Places
from routing.network.errors import InvalidNetworkError

PLACE_COLUMNS = ("id", "name", "lat", "lon", "weight")
DEMAND_COLUMNS = ("origin", "destination", "parcels")
_PARCELS_MAX = 10**12


def read_places(path: Path) -> Places:
    """Read places; columns may stand in any order, and there may be others.

    Raises:
        InvalidNetworkError: a column is missing or a row impossible; the message names file and line.
        OSError: the file cannot be read.
    """
    lines: dict[str, int] = {}
    names: list[str] = []
    numbers: list[tuple[float, float, float]] = []
    for line, (place_id, name, *figures) in _rows(path, PLACE_COLUMNS):
        if not place_id:
            raise InvalidNetworkError(f"{path}, line {line}: the place has no id")
        if place_id in lines:
            raise InvalidNetworkError(
                f"{path}, line {line}: place {place_id!r} stands in line {lines[place_id]} already"
            )
        lines[place_id] = line
        names.append(name)
        latitude = _number(path, line, "lat", figures[0], -90, 90)
        longitude = _number(path, line, "lon", figures[1], -180, 180)
        numbers.append((latitude, longitude, _number(path, line, "weight", figures[2], 0, 1e15)))
    if len(lines) < 2:
        raise InvalidNetworkError(f"{path}: a comparison needs two places at least")
    latitude_of, longitude_of, weight_of = np.array(numbers).T
    return Places(tuple(lines), tuple(names), latitude_of, longitude_of, weight_of)


def read_flows(path: Path, places: Places, *, parcel_g: int = PARCEL_G) -> Flows:
    """Read the demand of a day between places; rows for the same two places are summed up.

    Raises:
        InvalidNetworkError: a column is missing, a row impossible, or a place unknown; the message names file
            and line.
        OSError: the file cannot be read.
    """
    position = {place_id: index for index, place_id in enumerate(places.ids)}
    origins, destinations, counts = [], [], []
    for line, (origin, destination, parcels) in _rows(path, DEMAND_COLUMNS):
        for place_id in (origin, destination):
            if place_id not in position:
                raise InvalidNetworkError(f"{path}, line {line}: there is no place {place_id!r}")
        origins.append(position[origin])
        destinations.append(position[destination])
        counts.append(_count(path, line, parcels))
    try:
        return Flows.of(places, origins, destinations, counts, [count * parcel_g for count in counts])
    except InvalidNetworkError as error:
        raise InvalidNetworkError(f"{path}: {error}") from error


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and the wanted fields of each row that is not empty."""
    # A spreadsheet may have put a byte order mark in front.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip().lower() for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise InvalidNetworkError(
                    f"{path}, line 1: no column {', '.join(missing)}; expected {','.join(columns)}"
                )
            wanted = [header.index(name) for name in columns]
            for row in reader:
                if not any(row):
                    continue
                if len(row) != len(header):
                    fields = f"{len(row)} fields where the header has {len(header)}"
                    raise InvalidNetworkError(f"{path}, line {reader.line_num}: {fields}")
                yield reader.line_num, [row[index].strip() for index in wanted]
        except (csv.Error, UnicodeDecodeError) as error:
            raise InvalidNetworkError(f"{path}, after line {reader.line_num}: {error}") from error


def _number(path: Path, line: int, column: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InvalidNetworkError(
            f"{path}, line {line}: {column} {text!r} is not a number from {least:g} to {most:g}"
        )
    return value


def _count(path: Path, line: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _PARCELS_MAX):
        raise InvalidNetworkError(f"{path}, line {line}: parcels {text!r} is not a whole number above 0")
    return int(text)
