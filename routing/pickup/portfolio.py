"""Problems of up to some hundred stops: all workers search the whole, and share what they find.

Every worker goes on from its own rounds as long as they become better, and takes over the best of all when
they do not; when even these stay as they are, it begins anew. On small problems all rounds that were
met are pooled, and the best plan that can be put together from them is looked for every few seconds.
"""

import time
from dataclasses import dataclass, field

from routing.pickup.effort import Effort
from routing.pickup.engines import pyvrp
from routing.pickup.instance import Instance, Sequences
from routing.pickup.tasks import Outcome, Recombine, Task, Whole
from routing.pickup.workers import Crew, Word

PARTS_FIRST = 250
"""Problems of more stops are searched in parts first."""
WHOLE_MAX = 420
"""Problems of up to this many stops are searched as a whole."""

_POOL_STOPS_MAX = 260
_POOL_COLUMNS_MAX = 60_000
_SLICES = 5  # a run has time for about this many slices
_SLICE_S_MIN, _SLICE_S_MAX = 0.3, 3.0
_RECOMBINE_S_MAX = 2.0
_PATIENCE_MAX = 4.0
_FRESH_AFTER = 3  # slices without a better plan


@dataclass(slots=True)
class _Master:
    instance: Instance
    best: Sequences
    effort: Effort
    cost: int = 0
    own_cost: dict[int, int] = field(default_factory=dict)
    stale: dict[int, int] = field(default_factory=dict)  # slices of a worker that brought nothing
    news: int = 0  # columns since the last recombination
    recombined_at: float = 0.0
    recombining: int | None = None
    patience: float = 1.0  # grows while recombining brings nothing
    columns: dict[tuple[int, tuple[int, ...]], pyvrp.Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cost = self.instance.cost(self.best)
        assert cost is not None, "rounds that keep the rules"
        self.cost = cost
        self.recombined_at = self.effort.elapsed()

    @property
    def pools(self) -> bool:
        """Whether rounds are pooled: on problems small enough, where every stop has its round."""
        return (
            len(self.instance.stops) <= _POOL_STOPS_MAX
            and not self.instance.has_prizes
            and pyvrp.can_plan(self.instance)
            and pyvrp.serves_all(self.instance, self.best)
        )

    def take(self, worker: int, outcome: Outcome) -> None:
        """Keep what was found."""
        for column in outcome.columns:
            self.columns[column.kind, column.stops] = column
        self.news += len(outcome.columns)
        while len(self.columns) > _POOL_COLUMNS_MAX:
            del self.columns[next(iter(self.columns))]  # the oldest
        if outcome.sequences is None:
            return
        cost = self.instance.cost(outcome.sequences)
        assert cost is not None, "the engines hold all rules"
        if cost < self.own_cost.get(worker, cost + 1):
            self.own_cost[worker] = cost
            self.stale[worker] = -1
        if cost < self.cost:
            self.best, self.cost = outcome.sequences, cost
            pyvrp.report(self.instance, self.best, self.effort)

    def next_task(self, worker: int) -> Task:
        """What a worker is to do now."""
        left = self.effort.left()
        slice_s = min(_SLICE_S_MAX, max(_SLICE_S_MIN, self.effort.seconds / _SLICES))
        due = self.effort.elapsed() - self.recombined_at >= 0.8 * slice_s * self.patience
        if self.pools and due and self.news and self.recombining is None and left > _SLICE_S_MIN:
            self.recombining, self.news = worker, 0
            seconds = min(_RECOMBINE_S_MAX, slice_s, left / 2)
            return Recombine(list(self.columns.values()), self.best, seconds)
        # what is left for less than half a slice is added to the last one
        seconds = left if left < 1.5 * slice_s else slice_s
        stale = self.stale.get(worker, 0)
        fresh = stale >= _FRESH_AFTER and left > 2 * slice_s
        if fresh:
            self.stale[worker] = 0
        return Whole(self.best, seconds, adopt=stale > 0, fresh=fresh, collect=self.pools)

    def heard(self, word: Word) -> None:
        """Take in what a worker said."""
        if word.outcome is not None:
            self.take(word.worker, word.outcome)
        if word.ended:
            if self.recombining == word.worker:
                found = word.outcome is not None and word.outcome.sequences is not None
                self.patience = 1.0 if found else min(_PATIENCE_MAX, 2 * self.patience)
                self.recombining, self.recombined_at = None, self.effort.elapsed()
                self.stale[word.worker] = 1
            else:
                self.stale[word.worker] = self.stale.get(word.worker, 0) + 1


def improve(instance: Instance, sequences: Sequences, effort: Effort, crew: Crew) -> Sequences:
    """Search until the effort is over.

    Args:
        instance: the problem, with at least one vehicle.
        sequences: rounds that keep all rules.
        effort: the clock.
        crew: workers on this instance.

    Returns:
        Rounds that are no dearer than those given.
    """
    master = _Master(instance, sequences, effort)
    for worker in range(crew.size):
        crew.give(worker, master.next_task(worker))
    ends_at = time.perf_counter() + effort.left()
    while not effort.over():
        for word in crew.hear(min(1.0, ends_at - time.perf_counter())):
            master.heard(word)
            if word.ended and not effort.over():
                crew.give(word.worker, master.next_task(word.worker))
        effort.beat(*pyvrp.figures(instance, master.best))
    return master.best
