"""Many problems at once: the depots of a whole country, planned overnight.

Every problem is one task for one process: with more problems than cores nothing is gained by sharing one. The
tasks are done by processes of this machine, or by the workers of a Dask cluster (`Cluster`). A process that
dies costs one problem the time that it had. A cluster that is lost is looked for again for a minute; when it
stays away, processes of this machine go on.
"""

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite

import msgspec

from routing.pickup import vroom, vroom_door
from routing.pickup.documents import parsed, plan_to_json, problem_from_json
from routing.pickup.errors import PickupError, ProblemError
from routing.pickup.solve import Options, solve

TRIES_MAX = 3
"""A problem whose process died so often has failed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A problem to be planned.

    Attributes:
        name: told with its answer; unlike those of all others.
        document: of ours (`documents`) or of VROOM's, in JSON.
    """

    name: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Search:
    """How every problem is searched.

    Attributes:
        seconds: limit for each.
        seed: of everything drawn at random.
    """

    seconds: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.seconds) and self.seconds >= 0):
            raise ProblemError(f"options: seconds must not be negative, but is {self.seconds}")
        if self.seed < 0:
            raise ProblemError(f"options: seed must not be negative, but is {self.seed}")


@dataclass(frozen=True, slots=True)
class Made:
    """What came out for one problem.

    Attributes:
        plan: the plan document, in the form of the problem's; None: it failed.
        failure: why.
        cost_minor, unserved: figures of the plan; the cost of a VROOM document is in VROOM's units.
        seconds: spent on it.
    """

    plan: bytes | None
    failure: str = ""
    cost_minor: int = 0
    unserved: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An order and what came out."""

    order: Order
    made: Made


class Orders:
    """Orders to be handed out, some of them once more."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._coming = iter(orders)
        self._returned: deque[Order] = deque()

    def take(self) -> Order | None:
        """The next one; None: all are handed out."""
        return self._returned.popleft() if self._returned else next(self._coming, None)

    def put_back(self, orders: Iterable[Order]) -> None:
        """They were not planned after all."""
        self._returned.extend(orders)


class _Summary(msgspec.Struct):
    cost: int
    unassigned: int
    computing_times: dict[str, int]


class _VroomAnswer(msgspec.Struct):
    summary: _Summary


def plan_document(document: bytes, search: Search, wanted: Callable[[], bool]) -> Made:
    """Plan one problem, with this process alone.

    Args:
        document: the problem.
        search: how.
        wanted: asked about every second; False ends the search.

    Returns:
        The plan, or why there is none: a document that is not valid, or what the planner stumbled over.
    """
    options = Options(search.seconds, search.seed, workers=1, progress=lambda _: wanted())
    try:
        whole = parsed(document)
        if vroom.is_vroom(whole):
            answer = vroom_door.answered(whole, options, check=False)
            summary = msgspec.json.decode(answer, type=_VroomAnswer).summary
            spent_s = summary.computing_times["solving"] / 1000
            return Made(answer, "", summary.cost, summary.unassigned, spent_s)
        plan = solve(problem_from_json(document), options)
    except PickupError as error:
        return Made(None, str(error))
    except Exception as error:
        # One problem must not end the others: it is told in its place.
        log.exception("a problem could not be planned")
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Made(None, f"the planner failed: {error!r} ({where.filename}:{where.lineno})")
    return Made(plan_to_json(plan), "", plan.cost_minor, len(plan.unserved), plan.seconds)
