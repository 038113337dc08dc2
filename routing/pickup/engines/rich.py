"""Problems with more features than tours: which engine works how long.

Few stops are tried in every order. Otherwise an engine for tours plans the problem with its clock made simple
(`easing`), the rounds are repaired by all rules, and ruin and recreate improves them as they are.
"""

from routing.pickup.effort import Effort
from routing.pickup.engines import exhaustive, greedy, ortools, ruin
from routing.pickup.engines.easing import eased
from routing.pickup.features import TOURS
from routing.pickup.instance import Instance, Sequences

_SECONDS_A_SQUARE_STOP = 0.02
_RESERVE_SHARE = 0.03
_RESERVE_S_A_STOP = 0.002
_TOURS_SHARE = 0.5
_TOURS_ONLY_SHARE = 0.8  # where the clock is simple, repair has nothing to do


def construct(instance: Instance, effort: Effort) -> Sequences:
    """First rounds that keep all rules, from nothing."""
    if instance.features <= TOURS:
        return greedy.construct(instance, effort)
    return greedy.repaired(instance, greedy.construct(eased(instance), effort), effort)


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
    begun = effort.elapsed()
    share = _TOURS_ONLY_SHARE if instance.features <= TOURS else _TOURS_SHARE
    sequences = _by_tours(instance, sequences, effort, seconds * share)
    left_s = seconds - (effort.elapsed() - begun) if effort.steps is None else seconds
    found = ruin.improve(instance, sequences, effort, left_s, effort.steps)
    return found, f"{solver}+ortools+ruin and recreate"


def _by_tours(instance: Instance, sequences: Sequences, effort: Effort, seconds: float) -> Sequences:
    """Rounds of an engine for tours, repaired; those given if they are no better."""
    simple = eased(instance, with_breaks=True)
    quiet = Effort(effort.seconds, effort.steps, effort.seed, None, effort.started)
    start = greedy.repaired(simple, sequences, quiet)
    if not any(start):
        return sequences
    tours = ortools.improve(simple, start, quiet, seconds, effort.steps)
    found = greedy.repaired(instance, tours, effort)
    before, after = instance.cost(sequences), instance.cost(found)
    assert before is not None, "rounds that keep the rules"
    assert after is not None, "repaired rounds keep the rules"
    return found if after < before else sequences
