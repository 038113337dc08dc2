"""What fails when the busiest hub closes, and what is left when the others take over."""

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np

from routing.network.comparison.demand import Flows, Places
from routing.network.comparison.measure import Measured, hub_loads, measure
from routing.network.comparison.operation import Operation
from routing.network.comparison.shapes import Shape, multiple_allocation, single_allocation, with_direct


@dataclass(frozen=True, slots=True)
class Failure:
    """The closing of the busiest hub; of the busiest place where there are no hubs.

    Attributes:
        place: position of what closes.
        parcels_through: of a day that start, end or are sorted there.
        places_cut_off: other places from which the lines that are left do not lead to most others.
        parcels_stranded: that the lines which are left cannot carry, those from and to the closed place
            included.
        after: the same demand, but for that of the closed place, once each place is on its nearest remaining
            hubs; None where no hub remains, and where nothing needs to change.
    """

    place: int
    parcels_through: int
    places_cut_off: int
    parcels_stranded: int
    after: Measured | None


def busiest_closes(
    places: Places, flows: Flows, shape: Shape, operation: Operation, *, allocations: int
) -> Failure:
    """Close the busiest hub of a topology.

    Args:
        places: that are joined.
        flows: of a day.
        shape: the topology.
        operation: how lines are run.
        allocations: to how many hubs a place is joined, if it is `hubs_multiple`.
    """
    if not shape.hubs:
        return _without_hubs(places, flows)
    busiest = max(hub_loads(flows, shape), key=lambda load: (load.parcels, -load.hub))
    hub = busiest.hub
    lines = shape.graph(flows)
    lines.remove_node(hub)
    core = max(nx.connected_components(lines), key=lambda part: (len(part), -min(part)))
    ends = (flows.origin == hub) | (flows.destination == hub)
    # Over hubs a flow still goes where both of its ends are joined to another one.
    left = (shape.allocation != hub).any(axis=1)
    lost = ends | (~shape.direct & ~(left[flows.origin] & left[flows.destination]))
    return Failure(
        place=hub,
        parcels_through=busiest.parcels,
        places_cut_off=places.size - 1 - len(core) if len(shape.hubs) > 1 else places.size - 1,
        parcels_stranded=int(flows.parcels[lost].sum()),
        after=_after(places, flows, shape, operation, hub, allocations),
    )


def _without_hubs(places: Places, flows: Flows) -> Failure:
    """Where every two places have a line, a closed place takes along its own parcels only."""
    volume = np.zeros(places.size, dtype=np.int64)
    np.add.at(volume, flows.origin, flows.parcels)
    np.add.at(volume, flows.destination, flows.parcels)
    busiest = int(np.argmax(volume))
    return Failure(busiest, int(volume[busiest]), 0, int(volume[busiest]), None)


def _after(
    places: Places, flows: Flows, shape: Shape, operation: Operation, closed: int, allocations: int
) -> Measured | None:
    hubs = [hub for hub in shape.hubs if hub != closed]
    kept = (flows.origin != closed) & (flows.destination != closed)
    if not hubs or not kept.any():
        return None
    rest = replace(
        flows,
        origin=flows.origin[kept],
        destination=flows.destination[kept],
        parcels=flows.parcels[kept],
        grams=flows.grams[kept],
    )
    if shape.name == "hubs_multiple":
        discount = operation.discount_per_mille / 1000
        again = multiple_allocation(places, rest, hubs, allocations=allocations, discount=discount)
    else:
        again = single_allocation(places, rest, hubs)
    if shape.direct.any():
        again = with_direct(again, shape.direct[kept], name=shape.name)
    return measure(places, rest, replace(again, name=shape.name), operation)
