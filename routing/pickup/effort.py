"""How long an engine may work: a moment on the clock, or a number of steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

_BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Attributes:
        seconds: since the start.
        cost_minor: of the best plan so far.
        unserved: stops it leaves out.
    """

    seconds: float
    cost_minor: int
    unserved: int


@dataclass(slots=True)
class Effort:
    """What is left of the limit of one run.

    Under a step limit the clock is never asked, so that the same input gives the same plan on any machine.

    Attributes:
        seconds: limit of the run, counted from `started`.
        steps: solutions the search may visit; None: only the clock counts.
        seed: of everything drawn at random.
        progress: told of better plans, and every second; answers False to end with the best plan.
        stopped: set once `progress` has answered False.
        reported_s: when `progress` was told last, counted from the start.
    """

    seconds: float
    steps: int | None
    seed: int
    progress: Callable[[Progress], bool] | None
    started: float
    stopped: bool = False
    reported_s: float = 0.0

    def elapsed(self) -> float:
        """Seconds since the start of the run."""
        return time.perf_counter() - self.started

    def left(self) -> float:
        """Seconds that remain; without end under a step limit; none after a stop."""
        if self.stopped:
            return 0.0
        return float("inf") if self.steps is not None else self.seconds - self.elapsed()

    def over(self) -> bool:
        """Tell whether the run is to end now."""
        return self.left() <= 0 or self.steps == 0

    def first(self, share: float) -> "Effort":
        """The first part of what is left, as an effort of its own."""
        seconds = self.elapsed() + share * self.left()
        return Effort(
            seconds, self.steps, self.seed, self.progress, self.started, self.stopped, self.reported_s
        )

    def report(self, cost_minor: int, unserved: int) -> None:
        """Tell the caller of a better plan, and take the answer."""
        if self.progress is not None and not self.stopped:
            self.reported_s = self.elapsed()
            self.stopped = not self.progress(Progress(self.reported_s, cost_minor, unserved))

    def beat(self, cost_minor: int, unserved: int) -> None:
        """Tell a caller who has heard nothing for a second that all is as it was: he may want to stop."""
        if self.elapsed() - self.reported_s >= _BEAT_S:
            self.report(cost_minor, unserved)
