"""Problems with more features than tours: which engine works how long."""

from routing.pickup.effort import Effort
from routing.pickup.engines import ruin
from routing.pickup.instance import Instance, Sequences


def improve(instance: Instance, sequences: Sequences, effort: Effort) -> Sequences:
    """Search for cheaper rounds.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: clock, or steps of the run.

    Returns:
        Rounds that are no dearer than those given.
    """
    return ruin.improve(instance, sequences, effort, effort.left(), effort.steps)
