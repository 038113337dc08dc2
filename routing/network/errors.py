"""What can go wrong in the hub network.

NetworkError
|-- InvalidNetworkError      a facility, lane, departure or document that cannot be (also a ValueError)
|   `-- TopologyTooLargeError   a complete graph too large to be built; count it instead
|-- UnknownFacilityError     a facility id or code that the network does not hold (also a LookupError)
`-- NoRoute                  no way to carry this parcel; says why in ``reason``
"""

from enum import StrEnum


class NetworkError(Exception):
    """Any error of `routing.network`."""


class InvalidNetworkError(NetworkError, ValueError):
    """A value of the network is impossible; the message names the facility, lane or field."""


class TopologyTooLargeError(InvalidNetworkError):
    """The topology has more lanes than it is sensible to build as objects."""


class UnknownFacilityError(NetworkError, LookupError):
    """No facility of this network has the given id or code."""

    def __init__(self, facility: int | str) -> None:
        super().__init__(f"no facility {facility!r} in this network")
        self.facility = facility


class NoRouteReason(StrEnum):
    """Why a parcel has no itinerary."""

    ORIGIN_CLOSED = "origin_closed"
    DESTINATION_CLOSED = "destination_closed"
    NOT_CONNECTED = "not_connected"
    CLOSURES = "closures"
    TOO_HEAVY = "too_heavy"
    NO_DEPARTURE = "no_departure"
    FULL = "full"
    TOO_LATE = "too_late"


class NoRoute(NetworkError):  # noqa: N818 - "no route" is the field's word for this answer
    """No itinerary exists for the parcel.

    Attributes:
        reason: what stands in the way, for programs.
    """

    def __init__(self, reason: NoRouteReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
