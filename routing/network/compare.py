"""The same parcel on several topologies, side by side; for a whole demand see `comparison`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.network.network import Network
from routing.network.paths import DIRECT_LOAD_G, Itinerary, direct_itinerary, itinerary
from routing.network.terms import DIRECT_TERMS, LaneTerms
from routing.network.topology import point_to_point_lines


@dataclass(frozen=True)
class Option:
    """One way to run the network.

    Attributes:
        name: shown beside its figures.
        network: the facilities, and the lanes unless `direct`.
        direct: every two facilities have a line of their own, synthesised from `menu`; the network's
            lanes play no part.
        load_g: what a direct departure carries when a single parcel is priced.
    """

    name: str
    network: Network
    direct: bool = False
    menu: Sequence[LaneTerms] = DIRECT_TERMS
    load_g: int = DIRECT_LOAD_G

    @property
    def lines(self) -> int:
        """Directed pairs of facilities that are connected."""
        if self.direct:
            return point_to_point_lines(len(self.network.facilities))
        return len({(lane.from_facility_id, lane.to_facility_id) for lane in self.network.lanes})

    def plan(self, origin_id: int, destination_id: int, ready_at: datetime, weight_g: int) -> Itinerary:
        """The itinerary of a parcel on this option; errors as for `paths.itinerary`."""
        if not self.direct:
            return itinerary(self.network, origin_id, destination_id, ready_at, weight_g=weight_g)
        return direct_itinerary(
            self.network,
            origin_id,
            destination_id,
            ready_at,
            weight_g=weight_g,
            menu=self.menu,
            load_g=self.load_g,
        )


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """How one parcel fares on an option."""

    name: str
    lines: int
    itinerary: Itinerary


def compare_parcel(
    options: Sequence[Option], origin_id: int, destination_id: int, ready_at: datetime, *, weight_g: int
) -> tuple[ParcelRow, ...]:
    """Plan the same parcel on every option; errors as for `paths.itinerary`."""
    return tuple(
        ParcelRow(option.name, option.lines, option.plan(origin_id, destination_id, ready_at, weight_g))
        for option in options
    )
