"""Plain tours on all workers at once: parts soon make what is large good; what is small is searched whole."""

from routing.pickup import decompose, portfolio
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy, pyvrp
from routing.pickup.engines.pyvrp_kinds import holds_rules
from routing.pickup.instance import Instance, Sequences
from routing.pickup.workers import Crew

_PARTS_SHARE = 0.4  # of the time, where parts come first and the whole after them


def can_plan(instance: Instance) -> bool:
    """Tell whether `search` can plan the instance: as a whole, or, where it is large, its parts."""
    large = len(instance.stops) > portfolio.WHOLE_MAX
    return holds_rules(instance) if large else pyvrp.can_plan(instance)


def search(
    instance: Instance, start: Sequences | None, effort: Effort, members: Crew
) -> tuple[Sequences, str]:
    """Search until the effort is over.

    Args:
        instance: a problem that it `can_plan`.
        start: rounds that keep all rules; None: they are made from nothing.
        effort: the clock.
        members: workers on this instance.

    Returns:
        Rounds that keep all rules, and which engines made them.
    """
    stops = len(instance.stops)
    if start is not None:
        sequences = start
    elif stops > portfolio.PARTS_FIRST:
        sequences = decompose.construct(instance, effort, members)
        if stops <= portfolio.WHOLE_MAX and not pyvrp.serves_all(instance, sequences):
            sequences = pyvrp.better(instance, greedy.construct(instance, effort), sequences)
        pyvrp.report(instance, sequences, effort)
    else:
        sequences = greedy.construct(instance, effort)
        pyvrp.report(instance, sequences, effort)
    if effort.over() or not any(sequences):
        return sequences, "greedy"
    divisible = sum(1 for one in sequences if one) >= decompose.ROUNDS_MIN
    if divisible and stops > portfolio.WHOLE_MAX:
        return decompose.improve(instance, sequences, effort, members), "parts"
    if divisible and stops > portfolio.PARTS_FIRST:
        first = effort.first(_PARTS_SHARE)
        sequences = decompose.improve(instance, sequences, first, members, to_the_end=True)
        effort.stopped = first.stopped
    return portfolio.improve(instance, sequences, effort, members), "portfolio"
