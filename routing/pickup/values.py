"""What all values of a problem share: their limits, and the checks they make when they are built."""

from collections.abc import Iterable
from typing import TypeAlias

from routing.pickup.errors import ProblemError
from routing.pickup.matrix import Point, Travel

HORIZON_S = 10_000_000
"""No shift and no window ends later (115 days): far below the seconds that stand for "no way"."""

AMOUNT_MAX = 1_000_000_000_000
COST_MAX = 1_000_000_000

MEASURES = ("weight_g", "volume_cm3", "pieces")
"""The dimensions every load has, in the order used wherever a load is a row of numbers. A problem may name
more (`Problem.more_measures`), which follow these."""

Windows: TypeAlias = tuple[tuple[int, int], ...]
Load: TypeAlias = tuple[int, ...]


def require(condition: bool, message: str) -> None:
    """Raise a `ProblemError` with the message unless the condition holds."""
    if not condition:
        raise ProblemError(message)


def check_range(subject: str, name: str, value: int, largest: int) -> None:
    """Refuse what is no whole number from 0 to the largest."""
    require(
        isinstance(value, int) and 0 <= value <= largest,
        f"{subject}: {name} must be a whole number from 0 to {largest}, not {value!r}",
    )


def check_limit(subject: str, name: str, value: int | None) -> None:
    """Refuse a limit that is neither None (no limit) nor a whole number from 0."""
    require(
        value is None or (isinstance(value, int) and value >= 0),
        f"{subject}: {name} must not be negative, but is {value}",
    )


def check_point(subject: str, point: Point) -> None:
    """Refuse what is no latitude and longitude."""
    latitude, longitude = point
    # written so that NaN fails too
    require(-90 <= latitude <= 90, f"{subject}: latitude {latitude} is not between -90 and 90")
    require(-180 <= longitude <= 180, f"{subject}: longitude {longitude} is not between -180 and 180")


def check_windows(subject: str, windows: Windows) -> None:
    """Refuse windows that end before they start, or are not in order and apart."""
    last = -1
    for earliest, latest in windows:
        check_range(subject, "a window's end", latest, HORIZON_S)
        require(0 <= earliest <= latest, f"{subject}: window {earliest} to {latest} ends before it starts")
        require(earliest > last, f"{subject}: windows must be in order and apart")
        last = latest


def check_unique(subject: str, ids: Iterable[str]) -> None:
    """Refuse an id that stands twice."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise ProblemError(f"{subject} {name!r} stands twice in the problem")
        seen.add(name)


def check_covered(travel: Travel, kind: str, name: str, point: Point) -> None:
    """Refuse a place which the travel model does not know."""
    if not travel.covers(point):
        raise ProblemError(f"{kind} {name!r}: the travel table does not hold its place {point}")
