"""The life of a container: one table of states and acts, from open to broken.

    open -> sealed -> dispatched -> received -> broken

A bag that travelled in a trip is received without having been dispatched by itself, and any container can be
broken before it is received: its contents are then on their own again.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from tracking.containers import ContainerKind
from tracking.errors import ScanError


class ContainerStatus(StrEnum):
    """Where in its life a container stands."""

    OPEN = "open"
    SEALED = "sealed"
    DISPATCHED = "dispatched"
    RECEIVED = "received"
    BROKEN = "broken"


class ContainerAct(StrEnum):
    """What can be done with a container."""

    PACK = "pack"
    UNPACK = "unpack"
    SEAL = "seal"
    DISPATCH = "dispatch"
    RECEIVE = "receive"
    CHECK = "check"
    BREAK = "break"


_S, _A = ContainerStatus, ContainerAct

TRANSITIONS: Mapping[tuple[ContainerStatus, ContainerAct], ContainerStatus] = MappingProxyType(
    {
        (_S.OPEN, _A.PACK): _S.OPEN,
        (_S.OPEN, _A.UNPACK): _S.OPEN,
        (_S.OPEN, _A.SEAL): _S.SEALED,
        (_S.OPEN, _A.BREAK): _S.BROKEN,
        (_S.SEALED, _A.DISPATCH): _S.DISPATCHED,
        (_S.SEALED, _A.RECEIVE): _S.RECEIVED,
        (_S.SEALED, _A.BREAK): _S.BROKEN,
        (_S.DISPATCHED, _A.RECEIVE): _S.RECEIVED,
        (_S.DISPATCHED, _A.BREAK): _S.BROKEN,
        (_S.RECEIVED, _A.CHECK): _S.RECEIVED,
        (_S.RECEIVED, _A.UNPACK): _S.RECEIVED,
        (_S.RECEIVED, _A.BREAK): _S.BROKEN,
    }
)
"""What each act makes of each state; what is not listed cannot be done."""

HOLDS: Mapping[ContainerKind, frozenset[ContainerKind]] = MappingProxyType(
    {
        ContainerKind.BAG: frozenset({ContainerKind.BAG}),
        ContainerKind.MANIFEST: frozenset({ContainerKind.BAG}),
        ContainerKind.TRIP: frozenset({ContainerKind.BAG, ContainerKind.MANIFEST}),
    }
)
"""Which containers each kind may hold, beside pieces."""


def next_status(status: ContainerStatus, act: ContainerAct) -> ContainerStatus:
    """Return where a container stands after an act.

    Raises:
        ScanError: the act cannot be done in this state.
    """
    found = TRANSITIONS.get((status, act))
    if found is None:
        raise ScanError(f"a container that is {status} cannot be taken to {act}")
    return found
