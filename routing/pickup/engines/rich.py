"""Problems with more features than tours: which engine works how long."""

from routing.pickup.effort import Effort
from routing.pickup.engines import exhaustive, ruin
from routing.pickup.instance import Instance, Sequences

_SECONDS_A_SQUARE_STOP = 0.02
_RESERVE_SHARE = 0.03
_RESERVE_S_A_STOP = 0.000_5


def improve(instance: Instance, sequences: Sequences, solver: str, effort: Effort) -> tuple[Sequences, str]:
    """Search for cheaper rounds.

    Args:
        instance: the problem.
        sequences: rounds that keep all rules.
        solver: which engines made them.
        effort: clock, or steps of the run.

    Returns:
        Rounds that are no dearer than those given, and which engines made them.
    """
    stops = len(instance.stops)
    seconds = effort.left() * (1 - _RESERVE_SHARE) - _RESERVE_S_A_STOP * stops
    if effort.over() or seconds <= 0 or not instance.vehicles or not stops:
        return sequences, solver
    if stops <= exhaustive.STOPS_MAX:
        return exhaustive.improve(instance, sequences, effort), f"{solver}+every order"
    seconds = min(seconds, _SECONDS_A_SQUARE_STOP * stops**2)
    found = ruin.improve(instance, sequences, effort, seconds, effort.steps)
    return found, f"{solver}+ruin and recreate"
