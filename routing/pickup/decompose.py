"""Large problems in parts, on all workers at once.

The first plan comes from blocks: the stops are halved, and halved again, along the line between two that
are far apart, every block gets its share of the vehicles and is planned by itself. Then whole rounds that lie
side by side are searched together, one part for each worker and no round in two parts, and put back when that
is cheaper. Parts grow around stops that have been searched the least, so that the seams between them move.
"""

import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from routing.pickup.costs import to_minor
from routing.pickup.effort import Effort
from routing.pickup.engines import greedy, pyvrp
from routing.pickup.instance import Instance, Sequences
from routing.pickup.tasks import Part
from routing.pickup.workers import Crew

ROUNDS_MIN = 8
"""A plan of fewer rounds does not fall into parts."""

_BLOCK_STOPS, _BLOCK_STOPS_MIN = 320, 80
_BLOCK_PAIRS = (
    600_000  # stops of a block times stops of all: where there are many, blocks are small and soon done
)
_FIRST_PLAN_S = 0.8  # is there by then, where the travel times are
_BLOCKS_S_MIN = 0.5
_BLOCKS_SHARE = 0.25  # of the whole time, at most
_DESCENT_S = 0.2  # of the largest block, before its search begins
_BLOCK_S_MIN, _BLOCK_S_MAX = 0.01, 1.0

_PART_ROUNDS = 10
_PART_STOPS = (130, 260)  # in the beginning and in the end: small parts soon become good, large ones better
_PART_STOPS_MAX = (220, 420)  # where rounds are long
_PART_SHARE, _PART_SHARE_MAX = 0.45, 0.6  # of all stops, at most: so that all workers have something to do
_UNSERVED_MAX = 40  # that many may join a part
_SPARE_VEHICLES = 2
_TRIES = 12
_COVERS = 6  # a run has time for each stop to be searched about this often
_SLICE_S_MIN, _SLICE_S_MAX = 0.25, 4.0
_ENDS_BEFORE_S = 0.1


def construct(instance: Instance, effort: Effort, crew: Crew) -> Sequences:
    """A first plan, from blocks.

    Returns:
        Rounds that keep all rules. Stops may be missing: those that fit nowhere, or whose turn had not come
        when the time was over.
    """
    count = len(instance.stops)
    most = min(_BLOCK_STOPS, -(-count // 2), max(_BLOCK_STOPS_MIN, _BLOCK_PAIRS // max(1, count)))
    waiting = deque(blocks(instance, most, effort.seed))
    rounds_of_tasks = -(-len(waiting) // crew.size)
    total_s = max(_BLOCKS_S_MIN, _FIRST_PLAN_S - effort.elapsed())
    total_s = min(total_s, _BLOCKS_SHARE * effort.seconds)
    descent_s = _DESCENT_S * (most / _BLOCK_STOPS) ** 1.5
    seconds = min(_BLOCK_S_MAX, max(_BLOCK_S_MIN, total_s / max(1, rounds_of_tasks) - descent_s))
    sequences: Sequences = [[] for _ in instance.vehicles]
    at_work: dict[int, Part] = {}
    idle = list(range(crew.size))
    while (waiting or at_work) and not effort.over():
        while idle and waiting:
            worker, part = idle.pop(), waiting.popleft()
            at_work[worker] = Part(part.stops, part.vehicles, None, seconds)
            crew.give(worker, at_work[worker])
        for word in crew.hear(effort.left()):
            if not word.ended:
                continue
            part = at_work.pop(word.worker)
            idle.append(word.worker)
            if word.outcome is None or word.outcome.sequences is None:
                waiting.append(part)  # whoever did it has died
                continue
            for vehicle, stops in zip(part.vehicles, word.outcome.sequences, strict=True):
                sequences[vehicle] = [part.stops[stop] for stop in stops]
    if not pyvrp.serves_all(instance, sequences):
        sequences = greedy.complete(instance, sequences, effort)
    return greedy.without_unprofitable(instance, sequences)


def improve(
    instance: Instance, sequences: Sequences, effort: Effort, crew: Crew, *, to_the_end: bool = False
) -> Sequences:
    """Search parts until the effort is over.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: the clock.
        crew: workers on this instance.
        to_the_end: wait for the parts that are being worked on then, as whoever goes on with the crew must.

    Returns:
        Rounds that are no dearer than those given.
    """
    master = _Master(instance, [list(stops) for stops in sequences], effort, crew.size)
    ends_at = time.perf_counter() + effort.left()
    while not effort.over():
        for worker in range(crew.size):
            part = None if worker in master.at_work else master.next_part(worker)
            if part is not None:
                crew.give(worker, part)
        if not master.at_work:
            break
        for word in crew.hear(min(1.0, ends_at - time.perf_counter())):
            if word.ended:
                master.take(word.worker, None if word.outcome is None else word.outcome.sequences)
        effort.beat(*master.figures())
    while to_the_end and master.at_work and not effort.stopped:
        for word in crew.hear(_ENDS_BEFORE_S):
            if word.ended:
                master.take(word.worker, None if word.outcome is None else word.outcome.sequences)
    return master.sequences


@dataclass(slots=True)
class _Master:
    """Holds the plan, and knows which rounds are being worked on."""

    instance: Instance
    sequences: Sequences
    effort: Effort
    workers: int
    at_work: dict[int, Part] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.effort.seed)
        self._searched = np.zeros(len(self.instance.stops), dtype=np.int64)
        self._round_of = np.full(len(self.instance.stops), -1, dtype=np.intp)
        for vehicle, stops in enumerate(self.sequences):
            self._round_of[stops] = vehicle
        self._servable = np.asarray(self.instance.eligible.any(axis=1), dtype=np.bool_)
        self._locked = np.zeros(len(self.instance.vehicles), dtype=np.bool_)
        self._busy = np.zeros(len(self.instance.stops), dtype=np.bool_)
        self._cost = [self._round_cost(vehicle, stops) for vehicle, stops in enumerate(self.sequences)]
        self._whole_s = max(self.effort.left(), _ENDS_BEFORE_S)

    _random: np.random.Generator = field(init=False)
    _searched: npt.NDArray[np.int64] = field(init=False)
    _round_of: npt.NDArray[np.intp] = field(init=False)
    _servable: npt.NDArray[np.bool_] = field(init=False)
    _locked: npt.NDArray[np.bool_] = field(init=False)
    _busy: npt.NDArray[np.bool_] = field(init=False)
    _cost: list[int] = field(init=False)
    _whole_s: float = field(init=False)

    def next_part(self, worker: int) -> Part | None:
        """Rounds for a worker; None: no time is left, or all rounds are being worked on."""
        left = self.effort.left() - _ENDS_BEFORE_S
        if left <= 0:
            return None
        vehicles, stops = self._choose(1 - left / self._whole_s)
        if not stops or not vehicles:
            return None
        self._locked[vehicles] = True
        self._busy[stops] = True
        self._searched[stops] += 1
        number = {stop: position for position, stop in enumerate(stops)}
        start = [[number[stop] for stop in self.sequences[vehicle]] for vehicle in vehicles]
        parts = max(1.0, len(self._searched) / len(stops))
        slice_s = min(_SLICE_S_MAX, max(_SLICE_S_MIN, self.workers * self._whole_s / (_COVERS * parts)))
        seconds = left if left < 1.5 * slice_s else slice_s
        self.at_work[worker] = Part(stops, vehicles, start, seconds)
        return self.at_work[worker]

    def take(self, worker: int, found: Sequences | None) -> None:
        """Put a part back: as it was found, where that is cheaper."""
        part = self.at_work.pop(worker)
        self._locked[part.vehicles] = False
        self._busy[part.stops] = False
        if found is None:
            return
        rounds = [[part.stops[stop] for stop in stops] for stops in found]
        costs = [
            self._round_cost(vehicle, stops) for vehicle, stops in zip(part.vehicles, rounds, strict=True)
        ]
        before = sum(self._cost[vehicle] for vehicle in part.vehicles)
        penalties = self.instance.penalties
        gone = set(part.stops) - {stop for stops in rounds for stop in stops}
        left_out = {stop for stop in part.stops if self._round_of[stop] < 0}
        after = sum(costs) + sum(penalties[stop] for stop in gone)
        if after >= before + sum(penalties[stop] for stop in left_out):
            return
        self._round_of[part.stops] = -1
        for vehicle, stops, cost in zip(part.vehicles, rounds, costs, strict=True):
            self.sequences[vehicle], self._cost[vehicle] = stops, cost
            self._round_of[stops] = vehicle
        self.effort.report(*self.figures())

    def figures(self) -> tuple[int, int]:
        """Cost in minor units, and the number of stops left out."""
        return sum(map(to_minor, self._cost)), int((self._round_of < 0).sum())

    def _round_cost(self, vehicle: int, stops: list[int]) -> int:
        cost = self.instance.route_cost(vehicle, stops) if stops else 0
        assert cost is not None, "the engines hold all rules"
        return cost

    def _choose(self, progress: float) -> tuple[list[int], list[int]]:
        """Vehicles and stops of the next part, when that share of the time is over."""
        count = len(self._searched)
        usual = min(_between(_PART_STOPS, progress), _PART_SHARE * count)
        most = min(_between(_PART_STOPS_MAX, progress), _PART_SHARE_MAX * count)
        served = self._round_of >= 0
        free = served & ~self._locked[self._round_of]
        missing = ~served & ~self._busy & self._servable
        candidates = np.flatnonzero(free)
        if not len(candidates):
            candidates = np.flatnonzero(missing)
            if not len(candidates):
                return [], []
        tries = self._random.choice(candidates, _TRIES)
        seed = int(tries[self._searched[tries].argmin()])
        nearest = np.argsort(_apart(self.instance, seed), kind="stable")
        nearest = nearest[(free | missing)[nearest]]
        vehicles: list[int] = []
        stops: list[int] = []
        joined: set[int] = set()
        unserved: set[int] = set()
        for stop in nearest.tolist():
            vehicle = int(self._round_of[stop])
            if vehicle < 0:
                if len(unserved) < _UNSERVED_MAX and stop not in unserved:
                    unit = self.instance.units[self.instance.unit_of[stop]]  # a pair stays together
                    unserved.update(unit)
                    stops.extend(unit)
            elif vehicle not in joined:
                joined.add(vehicle)
                vehicles.append(vehicle)
                stops.extend(self.sequences[vehicle])
            if len(stops) >= (usual if len(vehicles) >= _PART_ROUNDS else most):
                break
        return [*vehicles, *self._spare(seed)], stops

    def _spare(self, seed: int) -> list[int]:
        """Unused vehicles that start near."""
        spare = [v for v, stops in enumerate(self.sequences) if not stops and not self._locked[v]]
        if not spare:
            return []
        mixed = self._random.permutation(spare)
        starts = np.array(self.instance.start_node, dtype=np.intp)[mixed]
        order = np.argsort(self.instance.metres[starts, seed], kind="stable")[:_SPARE_VEHICLES]
        return [int(vehicle) for vehicle in mixed[order]]


def _between(ends: tuple[int, int], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * min(1.0, max(0.0, share))


def _apart(instance: Instance, stop: int) -> npt.NDArray[np.int64]:
    """How far all stops are from one, there and back; in metres and seconds, whichever cost something."""
    count = len(instance.stops)
    total = instance.metres[stop, :count].astype(np.int64) + instance.metres[:count, stop]
    return total + instance.seconds[0, stop, :count] + instance.seconds[0, :count, stop]


def blocks(instance: Instance, most: int, seed: int) -> list[Part]:
    """Stops that lie together, at most so many, with a share of the vehicles each; pairs are not parted."""
    random = np.random.default_rng(seed)
    first_of = np.array([unit[0] for unit in instance.units], dtype=np.intp)
    last_of = np.array([unit[-1] for unit in instance.units], dtype=np.intp)
    size = np.array([len(unit) for unit in instance.units], dtype=np.int64)

    def apart(unit: int) -> npt.NDArray[np.int64]:
        """How far all units are from one, at both of their ends."""
        from_first = _apart(instance, int(first_of[unit]))[first_of]
        return from_first + _apart(instance, int(last_of[unit]))[last_of]

    servable = np.flatnonzero(instance.eligible[first_of].any(axis=1))
    halved, whole = [], deque([servable] if len(servable) else [])
    while whole:
        block = whole.popleft()
        if int(size[block].sum()) <= most or len(block) == 1:
            halved.append(block)
            continue
        first = block[apart(int(random.choice(block)))[block].argmax()]
        from_first = apart(int(first))[block]
        from_second = apart(int(block[from_first.argmax()]))[block]
        order = np.argsort(from_first - from_second, kind="stable")
        whole.extend((block[order[: len(block) // 2]], block[order[len(block) // 2 :]]))
    left = random.permutation(len(instance.vehicles))
    starts = np.array(instance.start_node, dtype=np.intp)
    parts = []
    for number, block in enumerate(halved):
        remaining = sum(len(other) for other in halved[number:])
        share = min(len(block), max(1, round(len(left) * len(block) / max(1, remaining))))
        near = instance.metres[starts[left], first_of[block[len(block) // 2]]]
        order = np.argsort(near, kind="stable")
        stops = [stop for unit in block.tolist() for stop in instance.units[unit]]
        parts.append(Part(stops, sorted(left[order[:share]].tolist()), None, 0.0))
        left = left[np.sort(order[share:])]
    return [part for part in parts if part.vehicles]
