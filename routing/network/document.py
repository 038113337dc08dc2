"""A network as a JSON document: ``{"facilities": [...], "lanes": [...]}`` with the fields of the values."""

import msgspec

from routing.network.errors import InvalidNetworkError
from routing.network.facility import Facility
from routing.network.network import Network
from routing.network.timetable import Lane


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    facilities: tuple[Facility, ...]
    lanes: tuple[Lane, ...]


def read_network(document: bytes) -> Network:
    """Read a network from its JSON document.

    Raises:
        InvalidNetworkError: the document is not JSON, lacks a field or holds an impossible value; the
            message names the place.
    """
    try:
        read = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise InvalidNetworkError(str(error)) from error
    return Network(read.facilities, read.lanes)


def write_network(network: Network) -> bytes:
    """The JSON document of a network."""
    return msgspec.json.encode(_Document(network.facilities, network.lanes))
