"""The same demand on several topologies, by arrays: thousands of places and many more flows in seconds."""

from routing.network.comparison.demand import Flows, Places, gravity_flows
from routing.network.comparison.failure import Failure
from routing.network.comparison.hubs import choose_hubs
from routing.network.comparison.hybrid import hybrid
from routing.network.comparison.measure import Measured, measure
from routing.network.comparison.operation import Operation
from routing.network.comparison.shapes import (
    Shape,
    multiple_allocation,
    point_to_point,
    single_allocation,
)
from routing.network.comparison.sidebyside import Comparison, compare

__all__ = [
    "Comparison",
    "Failure",
    "Flows",
    "Measured",
    "Operation",
    "Places",
    "Shape",
    "choose_hubs",
    "compare",
    "gravity_flows",
    "hybrid",
    "measure",
    "multiple_allocation",
    "point_to_point",
    "single_allocation",
]
