"""Bags, manifests and trips: what a scan of the outside means for what is inside.

A container holds pieces and other containers: a trip holds manifests and bags, a bag holds pieces. What was
put in and taken out is recorded as packing events; what was inside at a moment follows from them.
"""

import uuid
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from tracking.errors import ScanError
from tracking.shipment import Scan, ScanCode, require_utc

Item = TypeVar("Item", bound=Hashable)

# What is true of everything inside when it is said of the outside.
CARRIED_INSIDE = frozenset(
    {
        ScanCode.ARRIVED,
        ScanCode.SORTED,
        ScanCode.DEPARTED,
        ScanCode.MISSORTED,
        ScanCode.DELAYED,
        ScanCode.HELD,
        ScanCode.RELEASED,
        ScanCode.LOST,
        ScanCode.VOIDED,
    }
)
# What can be said of the outside, and tells nothing about what is inside until it is opened.
OUTSIDE_ONLY = frozenset({ScanCode.DAMAGED})

# Namespace of the ids of propagated scans; any fixed value does.
_NAMESPACE = uuid.UUID("6f0f5c52-7d0e-5d8c-9b0e-0f1d5e6c2a47")


class ContainerKind(StrEnum):
    """What holds the pieces: a sealed bag, a list handed over with them, or a vehicle's journey."""

    BAG = "bag"
    MANIFEST = "manifest"
    TRIP = "trip"


@dataclass(frozen=True, slots=True)
class Container:
    """A bag, manifest or trip. `label` is what its barcode says; `to_facility_id` is None if it roams."""

    container_id: int
    kind: ContainerKind
    label: str
    from_facility_id: int
    to_facility_id: int | None


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """One piece of one shipment; pieces count from 1."""

    shipment_id: int
    piece_no: int = 1

    def __post_init__(self) -> None:
        if self.piece_no < 1:
            raise ScanError(f"piece_no counts from 1, not {self.piece_no}")


class PackingAction(StrEnum):
    """Put in, taken out, or seen at the dock when it was opened, which changes nothing of what is inside."""

    PACKED = "packed"
    UNPACKED = "unpacked"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class PackingEvent:
    """Pieces and containers that went into a container, came out or were seen, at one moment (UTC)."""

    event_id: str
    container_id: int
    action: PackingAction
    occurred_at: datetime
    offset_minutes: int
    facility_id: int
    pieces: tuple[Piece, ...] = ()
    containers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require_utc(self.occurred_at, "occurred_at")
        if not self.event_id:
            raise ScanError("event_id must not be empty")
        if not (self.pieces or self.containers):
            raise ScanError(f"packing event {self.event_id} packs nothing")
        if self.container_id in self.containers:
            raise ScanError(f"container {self.container_id} cannot be packed into itself")


@dataclass(frozen=True, slots=True)
class Contents:
    """What is directly inside a container."""

    pieces: tuple[Piece, ...] = ()
    containers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation(Generic[Item]):
    """Expected against scanned, each item once: `missing` and `matched` as expected, `surplus` as scanned."""

    missing: tuple[Item, ...]
    surplus: tuple[Item, ...]
    matched: tuple[Item, ...]

    @property
    def complete(self) -> bool:
        """Everything expected was there, and nothing else."""
        return not self.missing and not self.surplus


def expected_against_scanned(expected: Iterable[Item], scanned: Iterable[Item]) -> Reconciliation[Item]:
    """Compare what a container should hold with what was scanned out of it.

    Repetitions on either side count once; the order of each side is kept.
    """
    should, there = dict.fromkeys(expected), dict.fromkeys(scanned)
    return Reconciliation(
        missing=tuple(item for item in should if item not in there),
        surplus=tuple(item for item in there if item not in should),
        matched=tuple(item for item in should if item in there),
    )


def contents_at(events: Iterable[PackingEvent], moment: datetime) -> dict[int, Contents]:
    """Return what was directly inside each container at `moment`, packing at that very moment included.

    Events are taken in the order of (time, packed before unpacked, id), whatever the order of arrival.
    """
    inside: dict[int, dict[Piece | int, None]] = {}
    in_order = sorted(events, key=lambda event: (event.occurred_at, event.action.value, event.event_id))
    for event in in_order:
        if event.occurred_at > moment:
            break
        held = inside.setdefault(event.container_id, {})
        items: tuple[Piece | int, ...] = (*event.pieces, *event.containers)
        for item in items:
            if event.action is PackingAction.PACKED:
                held[item] = None
            elif event.action is PackingAction.UNPACKED:
                held.pop(item, None)
    return {
        container_id: Contents(
            tuple(item for item in held if isinstance(item, Piece)),
            tuple(item for item in held if isinstance(item, int)),
        )
        for container_id, held in inside.items()
    }


def pieces_inside(container_id: int, contents: Mapping[int, Contents]) -> tuple[Piece, ...]:
    """Return all pieces inside a container, however deep, each once, in the order of packing.

    Args:
        container_id: the outermost container; one without known contents holds nothing.
        contents: what is directly inside each container, as `contents_at` gives it.

    Raises:
        ScanError: a container is inside itself.
    """
    found: dict[Piece, None] = {}
    done: set[int] = set()
    # Iterative, so that a chain of any length stays within the stack; `None` marks the end of a container.
    open_ids: list[int] = []
    todo: list[int | None] = [container_id]
    while todo:
        current = todo.pop()
        if current is None:
            done.add(open_ids.pop())
            continue
        if current in open_ids:
            raise ScanError(f"container {current} is inside itself")
        if current in done:
            continue
        held = contents.get(current, Contents())
        found.update(dict.fromkeys(held.pieces))
        open_ids.append(current)
        todo.append(None)
        todo.extend(reversed(held.containers))
    return tuple(found)


def scans_for_inside(container_scan: Scan, pieces: Sequence[Piece]) -> tuple[tuple[Piece, Scan], ...]:
    """Return what a scan of the outside means for each piece inside.

    The ids of the new scans follow from the outer scan's id and the piece, so that the same outer scan, sent
    again, gives the same inner scans; an outer scan that corrects another corrects its inner scans too.

    Args:
        container_scan: the scan of the bag, manifest or trip.
        pieces: what was inside at its time, each piece once.

    Returns:
        (piece, scan) pairs; none for a code of `OUTSIDE_ONLY`.

    Raises:
        ScanError: the scan names no container, or its code cannot be said of one (a bag is not delivered).
    """
    if container_scan.container_id is None:
        raise ScanError(f"scan {container_scan.scan_id} names no container")
    if container_scan.code in OUTSIDE_ONLY:
        return ()
    if container_scan.code not in CARRIED_INSIDE:
        raise ScanError(f"{container_scan.code.value} cannot be said of a container")
    outer = container_scan
    return tuple(
        (
            piece,
            Scan(
                inner_scan_id(outer.scan_id, piece),
                outer.code,
                outer.occurred_at,
                outer.offset_minutes,
                outer.received_at,
                outer.device_id,
                f"{outer.client_scan_id}/{piece.shipment_id}.{piece.piece_no}",
                outer.facility_id,
                outer.courier_id,
                outer.container_id,
                outer.reason,
                None if outer.corrects is None else inner_scan_id(outer.corrects, piece),
                piece.piece_no,
            ),
        )
        for piece in pieces
    )


def inner_scan_id(outer_scan_id: str, piece: Piece) -> str:
    """Return the id (a UUID, version 5) of the scan that an outer scan means for a piece inside."""
    return str(uuid.uuid5(_NAMESPACE, f"{outer_scan_id}/{piece.shipment_id}.{piece.piece_no}"))
