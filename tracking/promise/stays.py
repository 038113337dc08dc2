"""How stays at facilities go: collections, dwells before a departure, hand-overs to the consignee."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tracking.lateness import Seconds, scenarios
from tracking.promise.levels import LANE_BAND_H, Key, hour_of_week
from tracking.promise.observed import StayObservation
from tracking.promise.shape import Shape, Values, shrunk

STAY_PSEUDO_WEIGHT: Final = 20.0
CACHE_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class StayHistory:
    """Deviations of one kind of stay, in seconds; build it with `StayHistory.of`.

    Attributes:
        shapes: everywhere under (), of a facility under (id,), and of its hours under (id, band of the day).
    """

    shapes: Mapping[Key, Shape]
    _scenarios: dict[tuple[int, int, int], Seconds] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, stays: Iterable[StayObservation], offset_minutes: int) -> "StayHistory":
        """Sort observations by facility and local hour of the day."""
        grouped: defaultdict[Key, list[tuple[float, float]]] = defaultdict(list)
        for stay in stays:
            observed = float(stay.deviation_s), stay.weight
            grouped[()].append(observed)
            grouped[(stay.facility_id,)].append(observed)
            if stay.at is not None:
                grouped[stay.facility_id, _band(hour_of_week(stay.at, offset_minutes))].append(observed)
        shapes = {key: Shape.of(*zip(*observed, strict=True)) for key, observed in grouped.items()}
        return cls(MappingProxyType(shapes))

    def deviation(
        self, facility_id: int, hour: int, planned_s: int, prior: Callable[[int], Values]
    ) -> Seconds:
        """Return the sorted scenarios of the deviation at a facility in an hour of the week.

        Args:
            facility_id: where.
            hour: of the week, by local clocks.
            planned_s: what the prior depends on; the answer is kept under it.
            prior: gives the quantiles that stand where nothing was ever observed.
        """
        key = facility_id, _band(hour), planned_s
        known = self._scenarios.get(key)
        if known is None:
            knots = prior(planned_s)
            for group in ((), (facility_id,), key[:2]):
                knots = shrunk(self.shapes.get(group), knots, STAY_PSEUDO_WEIGHT)
            known = scenarios(knots)
            if len(self._scenarios) >= CACHE_MAX:
                self._scenarios.clear()
            self._scenarios[key] = known
        return known


def _band(hour: int) -> int:
    return hour % 24 // LANE_BAND_H
