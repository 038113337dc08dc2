"""Hub network design: which places become hubs, and who uses which (p-hub median, with a proven bound)."""

from routing.network.design.design import Allocation, HubDesign, design
from routing.network.design.errors import InvalidInstanceError, NoDesignError
from routing.network.design.formats import read_ap, read_cab, read_own
from routing.network.design.gravity import distances_km, gravity
from routing.network.design.instance import HubInstance

__all__ = [
    "Allocation",
    "HubDesign",
    "HubInstance",
    "InvalidInstanceError",
    "NoDesignError",
    "design",
    "distances_km",
    "gravity",
    "read_ap",
    "read_cab",
    "read_own",
]
