"""What can go wrong in hub network design; both are errors of `routing.network`.

InvalidNetworkError
|-- InvalidInstanceError     an instance, file or question that cannot be
`-- NoDesignError            no hubs that keep the capacities, or none found in time
"""

from routing.network.errors import InvalidNetworkError


class InvalidInstanceError(InvalidNetworkError):
    """A hub location instance or a question about it is impossible; the message names what is wrong."""


class NoDesignError(InvalidNetworkError):
    """No set of hubs of the asked size holds the flow within the hub capacities, or time ran out before
    one."""
