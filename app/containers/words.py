"""What containers, their states and the answers of the dock are called on pages and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

from app.containers.values import RowStatus
from tracking.container_states import ContainerAct, ContainerStatus
from tracking.containers import ContainerKind

_R, _S, _A = RowStatus, ContainerStatus, ContainerAct

KINDS: Mapping[ContainerKind, Any] = {
    ContainerKind.BAG: _l("Bag"),
    ContainerKind.MANIFEST: _l("Manifest"),
    ContainerKind.TRIP: _l("Trip"),
}
STATUSES: Mapping[ContainerStatus, tuple[Any, str]] = {
    _S.OPEN: (_l("Being packed"), "info"),
    _S.SEALED: (_l("Sealed"), "neutral"),
    _S.DISPATCHED: (_l("Left"), "progress"),
    _S.RECEIVED: (_l("At the dock"), "warn"),
    _S.BROKEN: (_l("Emptied"), "ok"),
}
"""Each state's word and tone."""

MODES: Mapping[ContainerAct, tuple[Any, Any]] = {
    _A.PACK: (_l("Put in"), _l("Scan what goes in.")),
    _A.UNPACK: (_l("Take out"), _l("Scan what is taken out.")),
    _A.CHECK: (_l("Compare"), _l("Scan what comes out: what is not expected is told at once.")),
}
"""What the big field does with a scan: its name, and what to do."""

ROWS: Mapping[RowStatus, tuple[Any, str]] = {
    _R.PACKED: (_l("Packed"), "ok"),
    _R.UNPACKED: (_l("Taken out"), "ok"),
    _R.MATCHED: (_l("Expected"), "ok"),
    _R.SURPLUS: (_l("Surplus"), "bad"),
    _R.INSIDE: (_l("In a bag inside"), "warn"),
    _R.ALREADY: (_l("Scanned before"), "warn"),
    _R.IN_ANOTHER: (_l("In another container"), "bad"),
    _R.NOT_INSIDE: (_l("Not inside"), "bad"),
    _R.UNKNOWN: (_l("Unknown number"), "bad"),
    _R.UNKNOWN_PIECE: (_l("No such piece"), "bad"),
    _R.WHICH_PIECE: (_l("Which piece?"), "bad"),
    _R.ITSELF: (_l("Goes round in a circle"), "bad"),
    _R.CANNOT_HOLD: (_l("Does not go in here"), "bad"),
    _R.BROKEN: (_l("Emptied already"), "bad"),
    _R.NOT_NOW: (_l("Closed for that"), "bad"),
    _R.REFUSED_BEFORE: (_l("Refused before"), "bad"),
}
"""What becomes of a thing that is scanned: its word and tone."""

ADVICE: Mapping[RowStatus, Any] = {
    _R.SURPLUS: _l("Nobody packed it in here. It is written down; sort it by its label."),
    _R.UNKNOWN: _l("Nobody booked this number. Keep it and scan it at the scan station."),
    _R.UNKNOWN_PIECE: _l("The shipment has fewer pieces."),
    _R.WHICH_PIECE: _l("The shipment has several pieces: scan the label of this one."),
    _R.ITSELF: _l("It cannot be put into itself, nor into what is inside it."),
    _R.CANNOT_HOLD: _l("A bag holds pieces and bags, a trip manifests too."),
    _R.NOT_INSIDE: _l("It is not recorded in here."),
    _R.NOT_NOW: _l("It is sealed, or emptied already."),
    _R.REFUSED_BEFORE: _l("This scan was sent before and refused then."),
}
"""What to do about it, where the word alone does not say."""
