"""The same demand on five topologies, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.network.comparison.demand import Flows, Places
from routing.network.comparison.failure import Failure, busiest_closes
from routing.network.comparison.hubs import choose_hubs
from routing.network.comparison.hybrid import hybrid
from routing.network.comparison.measure import Measured, measure
from routing.network.comparison.operation import Operation
from routing.network.comparison.shapes import (
    ALLOCATIONS,
    Shape,
    multiple_allocation,
    point_to_point,
    single_allocation,
)


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """A topology, how the demand fares on it, and what fails when its busiest hub closes."""

    shape: Shape
    measured: Measured
    failure: Failure


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Topologies for the same places and the same demand.

    Attributes:
        hubs: positions of the hubs of the topologies that have several.
        options: point-to-point, one hub, several hubs with single and with multiple allocation, and hubs with
            direct lines where the volume pays.
    """

    places: Places
    flows: Flows
    hubs: tuple[int, ...]
    options: tuple[Option, ...]


def compare(
    places: Places,
    flows: Flows,
    *,
    hubs: int | Sequence[int],
    operation: Operation,
    allocations: int = ALLOCATIONS,
) -> Comparison:
    """Run the same demand over five topologies.

    Args:
        places: that send and receive.
        flows: what they send on a day.
        hubs: how many, to be chosen by `choose_hubs`, or positions of places.
        operation: how lines are run; its discount counts for the choice of hubs and ways, too.
        allocations: to how many hubs a place is joined in multiple allocation.

    Raises:
        InvalidNetworkError: there are not so many places, or a hub is none of them.
    """
    discount = operation.discount_per_mille / 1000
    chosen = choose_hubs(places, flows, hubs, discount=discount) if isinstance(hubs, int) else tuple(hubs)
    single = single_allocation(places, flows, chosen)
    shapes = [point_to_point(places, flows)]
    if len(chosen) > 1:
        shapes.append(single_allocation(places, flows, choose_hubs(places, flows, 1, discount=discount)))
    shapes.append(single)
    if len(chosen) > 1:
        shapes.append(multiple_allocation(places, flows, chosen, allocations=allocations, discount=discount))
    shapes.append(hybrid(places, flows, single, operation))
    return Comparison(
        places,
        flows,
        chosen,
        tuple(
            Option(
                shape,
                measure(places, flows, shape, operation),
                busiest_closes(places, flows, shape, operation, allocations=allocations),
            )
            for shape in shapes
        ),
    )
