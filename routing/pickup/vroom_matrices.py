"""The `matrices` of a VROOM document as travel tables."""

import numpy as np

from routing.pickup.errors import ProblemError
from routing.pickup.matrix import Point, Table
from routing.pickup.problem import HORIZON_S
from routing.pickup.vroom_form import FormDocument, FormMatrix

FOR_EVER = 2**32 - 1
"""What VROOM writes for "no end": the largest of its unsigned integers."""


def places_of(document: FormDocument) -> list[Point]:
    """A place on the map for each row of the matrices, near each other where the ways are short.

    Rows have no coordinates of their own. These are drawn from the ways to the first place and to the one
    furthest from it, so that what sorts stops by direction finds neighbours together.
    """
    form = next(iter(document.matrices.values()))
    size = len(form.durations)
    if not size:
        return []
    seconds = np.array([row[0] if row else 0 for row in form.durations], dtype=np.float64)
    furthest = int(seconds.argmax())
    across = np.array(
        [row[furthest] if len(row) > furthest else 0 for row in form.durations], dtype=np.float64
    )
    scale = 1.0 / max(seconds.max(), across.max(), 1.0)
    # the number of the row keeps places apart whose ways are alike
    return [
        (float(seconds[row] * scale), float(across[row] * scale + (row + 1) * 1e-6)) for row in range(size)
    ]


def table_of(name: str, form: FormMatrix, places: tuple[Point, ...]) -> Table:
    """The ways of one profile.

    Raises:
        ProblemError: they are not square, negative, or of a kind that is not supported.
    """
    if form.costs is not None:
        raise ProblemError(f"matrices.{name}: costs are not supported")
    size = len(places)
    tables = []
    for field_name, rows in (("durations", form.durations), ("distances", form.distances)):
        rows = rows if rows is not None else [[0] * size for _ in range(size)]
        if len(rows) != size or any(len(row) != size for row in rows):
            raise ProblemError(f"matrices.{name}: {field_name} must be {size} x {size}")
        table = np.array(rows, dtype=np.int64).reshape(size, size)
        if size and (table.min() < 0 or table.max() > FOR_EVER):
            raise ProblemError(f"matrices.{name}: {field_name} must be from 0 to {FOR_EVER}")
        tables.append(np.where(table > HORIZON_S * 10, -1, table).astype(np.int64))
    return Table(places, tables[0], tables[1])  # type: ignore[arg-type]
