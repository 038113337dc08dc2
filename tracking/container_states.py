"""The life of a container: one table of states and acts, from open to broken.

    open -> sealed -> dispatched -> received -> broken

A bag that travelled in a trip is received without having been dispatched by itself, and any container can be
broken before it is received: its contents are then on their own again.

A scan of the outside is evidence of the same: what departed has been closed and sent, whether or not somebody
sealed it, and what arrived where it goes has been received. `after_scan` is that second table.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from tracking.containers import ContainerKind
from tracking.errors import ScanError
from tracking.shipment import ScanCode


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


_ON_THIS_SIDE = frozenset({_S.OPEN, _S.SEALED})
_BEFORE_ITS_END = _ON_THIS_SIDE | {_S.DISPATCHED}


def after_scan(status: ContainerStatus, code: ScanCode, *, at_its_end: bool) -> ContainerStatus:
    """Return where a container stands after a scan of its outside.

    A scan never takes a container back: a departure that is heard after the arrival changes nothing, and an
    arrival at a place on the way is none at its end.

    Args:
        status: where it stood.
        code: what was scanned.
        at_its_end: whether it was scanned where it goes.
    """
    if code is ScanCode.DEPARTED and status in _ON_THIS_SIDE:
        return _S.DISPATCHED
    if code is ScanCode.ARRIVED and at_its_end and status in _BEFORE_ITS_END:
        return _S.RECEIVED
    return status
