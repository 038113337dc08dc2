"""Stops: where couriers collect and hand over, when, how much, and who may."""

from dataclasses import dataclass
from enum import StrEnum

from routing.pickup.matrix import Point
from routing.pickup.values import (
    AMOUNT_MAX,
    COST_MAX,
    HORIZON_S,
    MEASURES,
    Load,
    Windows,
    check_limit,
    check_point,
    check_range,
    check_windows,
    require,
)


class StopKind(StrEnum):
    """Which way the goods go at a stop."""

    PICKUP = "pickup"
    """Taken aboard here and kept until the end of the round, or until the other stop of its pair."""
    DELIVERY = "delivery"
    """Aboard from the start of the round (or from the other stop of its pair) until here."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where a courier collects or hands over.

    Attributes:
        stop_id: unique in the problem.
        latitude, longitude: degrees (WGS 84).
        service_s: time at the door, not counting the wait for the window.
        windows: when service may start: (earliest, latest) pairs, both inclusive, in order and apart.
            Empty: any time.
        weight_g, volume_cm3, pieces: the load.
        priority: 0 to 100. Where not all can be served, the sum of (1 + priority) of the served is made as
            large as possible. In a problem with `prize_per_priority_minor` it is the stop's prize instead.
        skills: what the vehicle (or its courier) must have.
        kind: pickup or delivery.
        allowed_vehicles: only these may serve it; None: any.
        locked_to: the dispatcher's lock: only this vehicle may serve it.
        release_s: when the goods are ready. A pickup does not start before it; what is delivered from the
            start of the round (no pair) is loaded no earlier, so that the round leaves no earlier.
        requested_s: the moment the customer wishes service to start by; lateness counts from here. None:
            from the end of the last window.
        late_cost_per_hour: minor units for an hour that service starts late; zero: lateness costs nothing,
            and the windows are hard.
        late_s_max: so much later than its last window a stop with a late cost may still be served.
        setup_s: spent before service where the vehicle comes from another place (finding the entrance, for
            example): several stops at one door spend it once.
        area: the restricted area it lies in (`problem.Restriction`).
        district: where couriers are at home or are not (`Vehicle.territory`); None: all are.
        more_amounts: load in the problem's further measures.
        collects: what is taken aboard at a delivery in exchange, in all measures (weight, volume, pieces,
            further ones); empty: nothing.
        prize_minor: what serving it is worth: a stop that costs more than its prize is left out, and its
            priority does not count. None: as `Problem.prize_per_priority_minor` says.
    """

    stop_id: str
    latitude: float
    longitude: float
    service_s: int = 0
    windows: Windows = ()
    weight_g: int = 0
    volume_cm3: int = 0
    pieces: int = 0
    priority: int = 0
    skills: frozenset[str] = frozenset()
    kind: StopKind = StopKind.PICKUP
    allowed_vehicles: frozenset[str] | None = None
    locked_to: str | None = None
    release_s: int = 0
    requested_s: int | None = None
    late_cost_per_hour: int = 0
    late_s_max: int = 0
    setup_s: int = 0
    area: str | None = None
    more_amounts: Load = ()
    collects: Load = ()
    prize_minor: int | None = None
    district: str | None = None

    def __post_init__(self) -> None:
        subject = f"stop {self.stop_id!r}"
        require(bool(self.stop_id), "a stop has an empty stop_id")
        require(isinstance(self.kind, StopKind), f"{subject}: kind must be a StopKind, not {self.kind!r}")
        check_point(subject, self.point)
        for name in ("service_s", "setup_s", "release_s", "late_s_max"):
            check_range(subject, name, getattr(self, name), HORIZON_S)
        for name, amount in zip(MEASURES, self.load, strict=False):
            check_range(subject, name, amount, AMOUNT_MAX)
        for amount in (*self.more_amounts, *self.collects):
            check_range(subject, "an amount", amount, AMOUNT_MAX)
        check_range(subject, "priority", self.priority, 100)
        check_range(subject, "late_cost_per_hour", self.late_cost_per_hour, COST_MAX)
        check_limit(subject, "requested_s", self.requested_s)
        if self.prize_minor is not None:
            check_range(subject, "prize_minor", self.prize_minor, COST_MAX)
        check_windows(subject, self.windows)
        require(
            not self.collects or self.kind is StopKind.DELIVERY,
            f"{subject}: only a delivery collects something in exchange",
        )
        require(
            bool(self.late_cost_per_hour) or not self.late_s_max,
            f"{subject}: late_s_max needs a late_cost_per_hour",
        )
        require(
            not self.late_cost_per_hour or bool(self.windows) or self.requested_s is not None,
            f"{subject}: late_cost_per_hour needs a window or a requested_s to be late for",
        )

    @property
    def point(self) -> Point:
        """Latitude and longitude."""
        return (self.latitude, self.longitude)

    @property
    def load(self) -> Load:
        """Weight, volume, pieces, and the further measures."""
        return (self.weight_g, self.volume_cm3, self.pieces, *self.more_amounts)

    @property
    def open_windows(self) -> Windows:
        """When service may start at all, late starts included; the whole horizon where nothing limits it.

        Empty where the goods are ready only after the last window.
        """
        if not (self.windows or self.release_s):
            return ((0, HORIZON_S),)
        ready_s = self.release_s if self.kind is StopKind.PICKUP else 0
        windows = list(self.windows) or [(0, HORIZON_S)]
        windows[-1] = (windows[-1][0], min(windows[-1][1] + self.late_s_max, HORIZON_S))
        return tuple((max(opens, ready_s), closes) for opens, closes in windows if closes >= ready_s)

    @property
    def due_s(self) -> int:
        """The moment from which on service is late; the horizon where lateness costs nothing."""
        if not self.late_cost_per_hour:
            return HORIZON_S
        return self.windows[-1][1] if self.requested_s is None else self.requested_s
