"""What the machine's door to the board takes and gives."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.exceptions.actions import AT_ONCE_MAX
from app.exceptions.queries import Show, Whose
from tracking.finding import FindingKind
from tracking.shipment import Milestone

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


class CountsQuery(ApiInput):
    """Which findings, whatever their kind."""

    facility_id: _Id | None = Field(default=None, description="Where the parcel was seen last")
    customer_id: _Id | None = Field(default=None, description="Who sends it")
    older_than_hours: int | None = Field(default=None, ge=0, le=24 * 365)
    whose: Whose = Whose.ANYBODY
    show: Show = Field(default=Show.DUE, description="Whether what was put aside is shown")


class ExceptionsQuery(CountsQuery, PageQuery):
    """Which findings."""

    kind: FindingKind | None = None


class FindingOut(ApiOutput):
    """A finding; `details` hold the facts that `sentence` tells."""

    id: int
    kind: FindingKind
    sentence: str
    waybill_number: str
    milestone: Milestone
    facility_id: int
    customer_id: int
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    assignee_id: int | None
    acknowledged_at: AwareDatetime | None
    snoozed_until: AwareDatetime | None
    details: dict[str, Any]


class ExceptionsPage(ApiOutput):
    """A page of findings, the longest open first."""

    items: list[FindingOut]
    next_cursor: str | None


class CountOut(ApiOutput):
    """How many findings of a kind stand."""

    kind: FindingKind
    count: int


class CountsOut(ApiOutput):
    """By kind, most first."""

    items: list[CountOut]


class NoteOut(ApiOutput):
    """What somebody wrote down."""

    body: str
    user_id: int
    at: AwareDatetime


class FindingDetail(FindingOut):
    """A finding with its notes, latest first."""

    notes: list[NoteOut]


class ActionIn(ApiInput):
    """What to do with some findings, and what that needs: each action uses its own fields."""

    action: Literal["assign", "note", "acknowledge", "snooze", "replan", "open_case", "found", "lost"]
    finding_ids: list[_Id] = Field(min_length=1, max_length=AT_ONCE_MAX)
    assignee_id: _Id | None = Field(default=None, description="assign: to whom; else to nobody")
    body: str = Field(
        default="",
        max_length=4000,
        pattern=_TEXT,
        description="note, open_case: the words; replan: the reason",
    )
    until: AwareDatetime | None = Field(
        default=None, description="snooze: until when; taken up again where it is left out"
    )
    facility_id: _Id | None = Field(default=None, description="found: where")


class RowResultOut(ApiOutput):
    """What became of one finding; `reference` is the case or scan that was made."""

    finding_id: int
    done: bool
    outcome: str
    waybill_number: str | None
    reference: str | None


class ActionResults(ApiOutput):
    """One result a finding, in the order asked for."""

    items: list[RowResultOut]
