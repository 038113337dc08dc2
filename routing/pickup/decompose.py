"""Large problems in parts: neighbouring rounds are searched together, one group after the other.

A group holds whole rounds that lie side by side, the unserved stops among them, and an unused vehicle or
two. It is solved like a problem of its own and put back if that is cheaper. Groups grow around rounds that
have been searched the least, so that the seams between them move.
"""

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import to_minor
from routing.pickup.effort import Effort
from routing.pickup.engines import ortools
from routing.pickup.instance import Instance, Sequences

WHOLE_MAX = 400
"""Problems of up to this many stops are searched as a whole."""

_GROUP_STOPS = 250
_UNSERVED_MAX = 40  # that many may join a group
_SPARE_VEHICLES = 2
_COVERS = 2  # a run has time for each round to be searched about this often
_SLICE_S_MIN = 0.5
_SLICE_S_MAX = 8.0


def improve(instance: Instance, sequences: Sequences, effort: Effort, crew) -> Sequences:
    """Search groups of rounds until the effort is over.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: clock, or steps of the whole run (shared out evenly among the groups of one cover).

    Returns:
        Rounds that are no dearer than those given.
    """
    random = np.random.default_rng(effort.seed)
    groups = max(1, -(-len(instance.stops) // _GROUP_STOPS))
    slice_s = min(_SLICE_S_MAX, max(_SLICE_S_MIN, effort.seconds / (groups * _COVERS)))
    steps = None if effort.steps is None else max(1, effort.steps // groups)
    turns = groups if steps is not None else None
    searched = np.zeros(len(sequences), dtype=np.int64)
    sequences = [list(stops) for stops in sequences]
    while turns != 0 and effort.left() > 0:
        vehicles, stops = _group(instance, sequences, searched, random)
        if not stops:
            break
        searched[vehicles] += 1
        seconds = min(slice_s, effort.left())
        if _improve_group(instance, sequences, vehicles, stops, effort, seconds, steps):
            _report(instance, sequences, effort)
        turns = None if turns is None else turns - 1
    return sequences


def _improve_group(
    instance: Instance,
    sequences: Sequences,
    vehicles: list[int],
    stops: list[int],
    effort: Effort,
    seconds: float,
    steps: int | None,
) -> bool:
    """Search one group and put the result into `sequences`; tell whether anything changed."""
    number = {stop: position for position, stop in enumerate(stops)}
    before = [[number[stop] for stop in sequences[vehicle]] for vehicle in vehicles]
    quiet = Effort(effort.seconds, effort.steps, effort.seed, None, effort.started)
    after = ortools.improve(instance.part(stops, vehicles), before, quiet, seconds, steps)
    for vehicle, found in zip(vehicles, after, strict=True):
        sequences[vehicle] = [stops[position] for position in found]
    return after != before


def _group(
    instance: Instance,
    sequences: Sequences,
    searched: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> tuple[list[int], list[int]]:
    """Vehicles and stops of the next group."""
    used = np.array([vehicle for vehicle, stops in enumerate(sequences) if stops], dtype=np.intp)
    unserved = np.array(_unserved(instance, sequences), dtype=np.intp)
    spare = [vehicle for vehicle, stops in enumerate(sequences) if not stops]
    spare = random.permutation(spare)[:_SPARE_VEHICLES].tolist() if spare else []
    if not len(used):
        return spare, unserved[:_GROUP_STOPS].tolist()
    places = _plane(instance)
    middles = np.array([places[sequences[vehicle]].mean(axis=0) for vehicle in used])
    rarest = np.flatnonzero(searched[used] == searched[used].min())
    seed = middles[random.choice(rarest)]
    vehicles: list[int] = []
    stops: list[int] = []
    for position in np.argsort(((middles - seed) ** 2).sum(axis=1), kind="stable"):
        vehicle = int(used[position])
        if vehicles and len(stops) + len(sequences[vehicle]) > _GROUP_STOPS:
            break
        vehicles.append(vehicle)
        stops.extend(sequences[vehicle])
    if len(unserved):
        nearest = np.argsort(((places[unserved] - seed) ** 2).sum(axis=1), kind="stable")[:_UNSERVED_MAX]
        stops.extend(unserved[nearest].tolist())
    return [*vehicles, *spare], stops


def _unserved(instance: Instance, sequences: Sequences) -> list[int]:
    served = {stop for stops in sequences for stop in stops}
    return [
        stop for stop in range(len(instance.stops)) if stop not in served and instance.eligible[stop].any()
    ]


def _plane(instance: Instance) -> npt.NDArray[np.float64]:
    """Stops on a plane, in degrees of latitude: good enough to tell who is near."""
    places = np.array([stop.point for stop in instance.stops])
    places[:, 1] *= np.cos(np.radians(places[:, 0].mean()))
    return places


def _report(instance: Instance, sequences: Sequences, effort: Effort) -> None:
    if effort.progress is None:
        return
    costs = [instance.route_cost(vehicle, stops) for vehicle, stops in enumerate(sequences) if stops]
    unserved = len(instance.stops) - sum(len(stops) for stops in sequences)
    effort.report(sum(to_minor(cost) for cost in costs if cost is not None), unserved)
