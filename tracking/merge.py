"""Merge in transit: pieces for one consignee wait at a place until the last of them is there.

The verdict is made of where every piece stands, never of the order in which that was heard: scans that come
late, twice or are voided before the last piece arrives lead to the same verdict as if they had come in order.
What has been released is not held again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tracking.shipment import Milestone, ScanCode
from tracking.state import ShipmentState
from tracking.transitions import TERMINAL


class Presence(StrEnum):
    """Where a piece is, seen from the place of the merge."""

    COMING = "coming"
    HERE = "here"
    HELD = "held"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is due: which pieces, by their place in the sequence, are held, and whether all go on."""

    hold: tuple[int, ...] = ()
    release: bool = False


# At rest in the carrier's hands, so that it can be set aside.
_AT_REST = frozenset({Milestone.ACCEPTED, Milestone.IN_TRANSIT})


def presence(state: ShipmentState, place_id: int) -> Presence:
    """Return where a piece is, seen from `place_id`.

    A piece that is there and stopped for a reason of its own (damaged, intercepted) is neither held nor does
    it let the others go: a person sees to it first. One that will never come holds up nobody.
    """
    if state.milestone in TERMINAL or state.milestone is Milestone.RETURNING:
        return Presence.GONE
    if state.facility_id != place_id or state.code is ScanCode.DEPARTED:
        return Presence.COMING
    if state.code is ScanCode.HELD:
        return Presence.HELD
    return Presence.HERE if state.milestone in _AT_REST else Presence.STOPPED


def verdict(presences: Sequence[Presence], missing: int = 0) -> Verdict:
    """Return what is due while nothing has been released yet.

    Args:
        presences: of every piece that is known.
        missing: pieces that are announced and not booked yet.
    """
    waiting = missing > 0 or any(one in (Presence.COMING, Presence.STOPPED) for one in presences)
    if waiting:
        return Verdict(hold=tuple(i for i, one in enumerate(presences) if one is Presence.HERE))
    return Verdict(release=any(one in (Presence.HERE, Presence.HELD) for one in presences))
