"""Any benchmark file by the name of its form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from routing.pickup.errors import ProblemError
from routing.pickup.formats.convention import Convention, Objective
from routing.pickup.formats.text import read_li_lim, read_solomon
from routing.pickup.formats.vrplib import convention_of, read_vrplib
from routing.pickup.problem import Problem


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A file's problem, and how its set counts distances."""

    problem: Problem
    convention: Convention


_Reader = Callable[[str, Convention], Problem]
_READERS: Mapping[str, tuple[_Reader, Callable[[str], Convention]]] = {
    "solomon": (read_solomon, lambda _: Convention.TENTHS),
    "lilim": (read_li_lim, lambda _: Convention.THOUSANDTHS),
    "vrplib": (read_vrplib, convention_of),
    "cvrplib": (read_vrplib, convention_of),
}
FORMATS = tuple(_READERS)
"""Names of the forms of files."""


def read(text: str, form: str, objective: Objective = Objective.DISTANCE) -> Benchmark:
    """Read a benchmark file.

    Args:
        text: the file.
        form: one of `FORMATS`.
        objective: what it is to be planned for.

    Raises:
        ProblemError: the file is not of that form, or asks for what a problem cannot hold.
    """
    if form not in _READERS:
        raise ProblemError(f"unknown form {form!r}: it must be one of {', '.join(FORMATS)}")
    reader, own = _READERS[form]
    convention = own(text)
    if objective is Objective.VROOM and convention is not Convention.ROUNDED:
        convention = Convention.THOUSANDTHS
    return Benchmark(reader(text, convention), convention)
