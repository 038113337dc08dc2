"""A VROOM document in, VROOM's answer out: solved, or judged in plan mode."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from routing.pickup.solve import Options
from routing.pickup.vroom import read
from routing.pickup.vroom_answer import solved
from routing.pickup.vroom_check import checked


def answered(whole: Mapping[str, Any], options: Options, *, check: bool) -> bytes:
    """Solve a document, or judge its rounds where the caller or its own `options` ask for plan mode.

    Raises:
        ProblemError: the document is not valid.
    """
    translation = read(whole)
    asked = translation.document.options
    if check or asked.c:
        return checked(translation)
    if asked.l is not None:
        options = replace(options, seconds=min(options.seconds, asked.l))
    return solved(translation, options)
