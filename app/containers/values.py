"""What is done with a container: by which device, when and where; and what became of each thing named."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import msgspec

from app.shipments.values import scan_key
from tracking.containers import Piece

ROWS_MAX = 10_000
"""Things that are named in one request."""

Item: TypeAlias = Piece | int
"""A piece of a shipment, or a container by its id."""


@dataclass(frozen=True, slots=True)
class Deed:
    """By which device, when and where something is done.

    Args:
        device_id: with `client_event_id` it recognises what is sent again.
        client_event_id: the device's own.
        occurred_at: the device's time, aware.
        offset_minutes: of the device's clock from UTC.
        facility_id: where; None for the login's own place, else where the container is known to be.
    """

    device_id: str
    client_event_id: str
    occurred_at: datetime
    offset_minutes: int = 480
    facility_id: int | None = None

    def at(self, now: datetime) -> datetime:
        """When it counts as done, in UTC: at the device's time, but never later than it was heard.

        A clock that runs ahead must not put a piece into a bag after the bag has left.
        """
        return min(self.occurred_at, now).astimezone(UTC)

    def key(self, tenant_id: int) -> str:
        """What recognises it when it is sent again."""
        return scan_key(tenant_id, self.device_id, self.client_event_id)


class RowStatus(enum.StrEnum):
    """What became of one thing that was named."""

    PACKED = "packed"
    UNPACKED = "unpacked"
    MATCHED = "matched"
    SURPLUS = "surplus"
    INSIDE = "inside"
    ALREADY = "already"
    IN_ANOTHER = "in_another"
    NOT_INSIDE = "not_inside"
    UNKNOWN = "unknown"
    UNKNOWN_PIECE = "unknown_piece"
    WHICH_PIECE = "which_piece"
    ITSELF = "itself"
    CANNOT_HOLD = "cannot_hold"
    BROKEN = "broken"
    NOT_NOW = "not_now"
    REFUSED_BEFORE = "refused_before"


class RowResult(msgspec.Struct, frozen=True):
    """What became of one thing; `container` is the other container that has to do with it."""

    number: str
    status: RowStatus
    container: str | None = None


class Counts(msgspec.Struct, frozen=True):
    """A container in figures: what should be inside, and what of it the dock has seen."""

    expected: int = 0
    matched: int = 0
    surplus: int = 0

    @property
    def missing(self) -> int:
        """Expected and not seen."""
        return self.expected - self.matched
