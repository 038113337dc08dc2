"""All ways of a problem, as tables."""

from itertools import chain

import numpy as np

from routing.pickup.matrix import IntArray, StraightLine, at_speed
from routing.pickup.problem import Problem


def tables(
    problem: Problem, points: list[tuple[float, float]], kinds: list[tuple[str | None, float]]
) -> tuple[IntArray, IntArray]:
    """Seconds and metres of each (profile, speed factor), with a last place that is no way from anywhere."""
    profiles = list(dict.fromkeys(profile for profile, _ in kinds))
    models = [problem.travel if name is None else problem.profiles[name] for name in profiles]
    # A place given twice makes room for the one that is nowhere, without copying them.
    nowhere = points[:1] or [(0.0, 0.0)]
    by_profile = [
        model.matrix([*points, *nowhere]) if points else StraightLine().matrix(nowhere) for model in models
    ]
    for table in chain.from_iterable(by_profile):
        table[len(points) :, :] = table[:, len(points) :] = 0
    by_kind = [at_speed(by_profile[profiles.index(profile)][0], factor) for profile, factor in kinds]
    seconds = by_kind[0][None] if len(by_kind) == 1 else np.stack(by_kind)
    if len(by_profile) == 1:
        return seconds, np.broadcast_to(by_profile[0][1], seconds.shape)
    return seconds, np.stack([by_profile[profiles.index(profile)][1] for profile, _ in kinds])
