"""What the machine's door to the containers takes and gives."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from app.actor import Actor
from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.containers.values import ROWS_MAX, Deed, RowStatus
from tracking.container_states import ContainerStatus
from tracking.containers import ContainerKind
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1
_Id = Annotated[int | None, Field(default=None, ge=1, le=_ID_MAX)]
_Number = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ContainerQuery(PageQuery):
    """Which containers."""

    kind: ContainerKind | None = None
    status: ContainerStatus | None = None
    facility_id: _Id = Field(description="From here, to here, or received here")
    number: str | None = Field(default=None, max_length=60, pattern=_TEXT, description="Exact")


class DeedIn(ApiInput):
    """By which device, when and where; what is left out is the asker, now, and where the container is."""

    device_id: str | None = Field(default=None, min_length=1, max_length=200, pattern=_TEXT)
    client_event_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=_TEXT,
        description="The device's own; recognises what is sent again",
    )
    occurred_at: AwareDatetime | None = Field(default=None, description="The device's time")
    offset_minutes: int = Field(default=480, ge=OFFSET_MINUTES_MIN, le=OFFSET_MINUTES_MAX)
    facility_id: _Id

    def deed(self, actor: Actor, now: datetime) -> Deed:
        """The same as the services take it."""
        return Deed(
            self.device_id or f"api:{actor.user_id}",
            self.client_event_id or uuid.uuid4().hex,
            self.occurred_at or now,
            self.offset_minutes,
            self.facility_id,
        )


class OpenIn(DeedIn):
    """A new container; `facility_id` is where it is opened."""

    kind: ContainerKind
    to_facility_id: _Id = Field(description="None where it roams, or where the lane says it")
    lane_id: _Id = Field(description="Of a trip: the line-haul that it is")
    departs_at: AwareDatetime | None = None
    vehicle: str | None = Field(default=None, max_length=60, pattern=_TEXT)


class SealIn(DeedIn):
    """Closed with this seal."""

    seal_number: str | None = Field(default=None, max_length=60, pattern=_TEXT)


class DispatchIn(DeedIn):
    """It leaves."""

    vehicle: str | None = Field(default=None, max_length=60, pattern=_TEXT)


class ThingsIn(DeedIn):
    """Pieces and containers by what their labels say."""

    device_id: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    client_event_id: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    numbers: list[_Number] = Field(max_length=ROWS_MAX)


class PackIn(ThingsIn):
    """What goes in."""

    move: bool = Field(default=False, description="Take out of another container what is recorded there")


class CheckIn(ThingsIn):
    """What the dock has scanned."""

    complete: bool = Field(
        default=False, description="This was all: what has not been seen is missing from now on"
    )


class ContainerOut(ApiOutput):
    """A container with its figures."""

    number: str
    kind: ContainerKind
    status: ContainerStatus
    from_facility_id: int
    to_facility_id: int | None
    lane_id: int | None
    departs_at: AwareDatetime | None
    vehicle: str | None
    seal_number: str | None
    opened_at: AwareDatetime
    sealed_at: AwareDatetime | None
    dispatched_at: AwareDatetime | None
    received_at: AwareDatetime | None
    received_facility_id: int | None
    counted_at: AwareDatetime | None
    broken_at: AwareDatetime | None
    expected: int = Field(description="Pieces and containers directly inside")
    matched: int = Field(description="Of these, seen at the dock")
    missing: int
    surplus: int


class ContainerPage(ApiOutput):
    """Containers, the latest opened first."""

    items: list[ContainerOut]
    next_cursor: str | None


class ContainerMovedOut(ApiOutput):
    """A container after an act, and the pieces inside that the act moved."""

    container: ContainerOut
    moved: int


class RowOut(ApiOutput):
    """What became of one thing."""

    number: str
    status: RowStatus
    container: str | None = Field(description="The other container that has to do with it")


class RowsOut(ApiOutput):
    """One result a thing, in the order sent, and the container after it."""

    items: list[RowOut]
    container: ContainerOut


class ComparisonOut(ApiOutput):
    """Expected against scanned, every missing and surplus thing by what its label says."""

    expected: int
    matched: int
    missing: list[str]
    surplus: list[str]


class CheckedOut(RowsOut):
    """The same with the comparison, where it was complete."""

    comparison: ComparisonOut | None


class CountedOut(ApiOutput):
    """What is missing: pieces, those in missing containers included."""

    container: ContainerOut
    missing_pieces: int
    comparison: ComparisonOut


class ItemOut(ApiOutput):
    """One thing on a container's list."""

    number: str
    is_container: bool
    packed_at: AwareDatetime
    checked_at: AwareDatetime | None
    released_at: AwareDatetime | None
    surplus: bool
    missing: bool


class ItemPage(ApiOutput):
    """A container's list: what has not been seen first, then surplus, then the rest as packed."""

    items: list[ItemOut]
    next_cursor: str | None
