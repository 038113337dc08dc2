"""Problems with more features than tours: which engine works how long.

Few stops are tried in every order. Otherwise the problem is planned with its clock made simple (`easing`):
where nothing but the clock is special by all that plans plain tours, on all workers, else by OR-Tools. The
rounds are repaired by all rules, and ruin and recreate improves them as they are.
"""

from routing.pickup import tours
from routing.pickup.crews import Hire
from routing.pickup.effort import Effort, Progress
from routing.pickup.engines import exhaustive, greedy, ortools, pyvrp, ruin
from routing.pickup.engines.easing import eased
from routing.pickup.features import TOURS, Feature
from routing.pickup.instance import Instance, Sequences

_SECONDS_A_SQUARE_STOP = 0.02
_RESERVE_SHARE = 0.03
_RESERVE_S_A_STOP = 0.002
_TOURS_SHARE = 0.5
_NEAR_TOURS_SHARE = 0.85  # where tours hardly need repair
_NEAR_TOURS = TOURS | {Feature.BREAKS, Feature.DURATION_LIMIT}


def construct(instance: Instance, effort: Effort) -> Sequences:
    """First rounds that keep all rules, from nothing."""
    if instance.features <= TOURS:
        return greedy.construct(instance, effort)
    return greedy.repaired(instance, greedy.construct(eased(instance), effort), effort)


def improve(instance: Instance, sequences: Sequences, effort: Effort, hire: Hire) -> tuple[Sequences, str]:
    """Search for cheaper rounds.

    Args:
        instance: the problem.
        sequences: rounds that keep all rules.
        effort: clock, or steps of the run.
        hire: makes a crew that searches plain tours.

    Returns:
        Rounds that are no dearer than those given, and which engines made them.
    """
    stops = len(instance.stops)
    seconds = effort.left() * (1 - _RESERVE_SHARE) - _RESERVE_S_A_STOP * stops
    if effort.over() or seconds <= 0 or not instance.vehicles or not stops:
        return sequences, "greedy"
    if stops <= exhaustive.STOPS_MAX:
        return exhaustive.improve(instance, sequences, effort), "greedy+every order"
    seconds = min(seconds, _SECONDS_A_SQUARE_STOP * stops**2)
    begun = effort.elapsed()
    share = _NEAR_TOURS_SHARE if instance.features <= _NEAR_TOURS else _TOURS_SHARE
    planned, engine = _by_tours(instance, sequences, effort, seconds * share, hire)
    left_s = seconds - (effort.elapsed() - begun) if effort.steps is None else seconds
    found = ruin.improve(instance, planned, effort, left_s, effort.steps)
    return found, f"{engine}+ruin and recreate"


def _by_tours(
    instance: Instance, sequences: Sequences, effort: Effort, seconds: float, hire: Hire
) -> tuple[Sequences, str]:
    """Rounds of engines for tours, repaired; those given if they are no better."""
    figures = pyvrp.figures(instance, sequences)

    def goes_on(_: Progress) -> bool:
        effort.beat(*figures)  # what is found on the way is not yet a plan
        return not effort.stopped

    quiet = Effort(effort.elapsed() + seconds, effort.steps, effort.seed, goes_on, effort.started)
    plain = eased(instance)
    if effort.steps is None and tours.can_plan(plain):
        with hire(plain) as members:
            found, engine = tours.search(plain, greedy.repaired(plain, sequences, quiet), quiet, members)
    else:
        simple = eased(instance, with_breaks=True)
        start = greedy.repaired(simple, sequences, quiet)
        found, engine = start, "greedy"
        if any(start):
            found, engine = ortools.improve(simple, start, quiet, seconds, effort.steps), "ortools"
    found = greedy.repaired(instance, found, effort)
    before, after = instance.cost(sequences), instance.cost(found)
    assert before is not None, "rounds that keep the rules"
    assert after is not None, "repaired rounds keep the rules"
    return (found, engine) if after < before else (sequences, "greedy")
