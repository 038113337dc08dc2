"""The fields and sections of a VRPLIB file, before they mean anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from routing.pickup.errors import ProblemError
from routing.pickup.formats.text import numbers


@dataclass(frozen=True, slots=True)
class Parts:
    """A VRPLIB file.

    Attributes:
        fields: by name, as they are written.
        sections: rows of numbers, by name without `_SECTION`.
    """

    fields: dict[str, str]
    sections: dict[str, list[list[float]]]

    def given(self, name: str) -> bool:
        """Tell whether there is such a field or section."""
        return name in self.fields or name in self.sections

    def number(self, name: str, default: float | None = None) -> float:
        """A field's number.

        Raises:
            ProblemError: it is missing and has no default, or is no number.
        """
        if name not in self.fields:
            if default is None:
                raise ProblemError(f"vrplib: {name} is missing")
            return default
        found = numbers(self.fields[name])
        if not found:
            raise ProblemError(f"vrplib: {name} must be a number, not {self.fields[name]!r}")
        return found[0]

    def rows(self, name: str, width: int) -> list[list[float]]:
        """The rows of a section, none if it is missing.

        Raises:
            ProblemError: a row has another number of values.
        """
        rows = self.sections.get(name, [])
        for row in rows:
            if len(row) != width:
                raise ProblemError(f"vrplib: {name}_SECTION: a row must have {width} numbers, not {row}")
        return rows

    def by_node(self, name: str) -> dict[int, float]:
        """The value of each place in a section of pairs of numbers."""
        return {int(row[0]): row[1] for row in self.rows(name, 2)}

    def by_vehicle(self, name: str, default: float | None = None) -> Callable[[int], float | None]:
        """The value of each vehicle: of a section, or of a field for all of them."""
        section = self.by_node(name)
        everywhere = self.number(name) if name in self.fields else default
        return lambda vehicle: section.get(vehicle, everywhere)

    @staticmethod
    def whole(value: float, name: str) -> int:
        """An amount, which is whole.

        Raises:
            ProblemError: it is not.
        """
        if value != int(value):
            raise ProblemError(f"vrplib: {name}: {value} is no whole number")
        return int(value)


def parts_of(text: str) -> Parts:
    """Take a file apart.

    Raises:
        ProblemError: a line is neither a field nor a row of numbers.
    """
    fields: dict[str, str] = {}
    sections: dict[str, list[list[float]]] = {}
    rows: list[list[float]] | None = None
    for line in _lines(text):
        name = line.upper().rstrip(":").strip()
        if name.endswith("_SECTION"):
            rows = sections.setdefault(name.removesuffix("_SECTION"), [])
        elif (found := numbers(line)) is not None and rows is not None:
            rows.append(found)
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name.strip().upper()] = value.strip()
        else:
            raise ProblemError(f"vrplib: cannot read the line {line!r}")
    return Parts(fields, sections)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip().upper() == "EOF":
            return
        if line.strip():
            yield line.strip()
