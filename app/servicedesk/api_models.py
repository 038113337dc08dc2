"""What goes in and out of the service desk's machine door."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.servicedesk.events import TEXT_LENGTH_MAX
from app.servicedesk.queries import Show
from app.servicedesk.timeline import EntryKind
from app.servicedesk.values import (
    CaseCategory,
    CaseChannel,
    CaseEventKind,
    CaseStatus,
    ClaimStatus,
    ClockKind,
)
from settlement.compensation import LossKind

_AMOUNT_MAX_MINOR = 10**12
_VERSION = Field(default=None, description="The case's version that was read; answers 409 when it is older")


class CaseIn(ApiInput):
    """A complaint or question."""

    waybill_number: str | None = Field(default=None, max_length=60, description="The shipment it is about")
    customer_id: int | None = Field(
        default=None, description="Who complains; a shipper's token speaks for himself, else the sender"
    )
    category: CaseCategory
    subject: str = Field(default="", max_length=200, description="One line; else the first words of the body")
    body: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)


class CasesQuery(PageQuery):
    """Which cases."""

    show: Show = Show.UNRESOLVED
    status: CaseStatus | None = None
    category: CaseCategory | None = None
    q: str | None = Field(default=None, max_length=200, description="Number, subject, name or waybill")


class MessageIn(ApiInput):
    """Words on a case: the customer's from a shipper's token, else the desk's."""

    body: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)
    internal: bool = Field(default=False, description="A note that the customer does not see")
    version: int | None = _VERSION


class StepIn(ApiInput):
    """A step on a case."""

    version: int | None = _VERSION


class OwnerIn(StepIn):
    """To whom a case is given."""

    owner_id: int | None = Field(
        default=None, description="A login of the desk; the asker where it is missing"
    )


class ResolutionIn(StepIn):
    """The outcome, in the words that the customer reads."""

    resolution: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)


class ReasonIn(ApiInput):
    """Why an award is refused."""

    reason: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)


class ClaimIn(StepIn):
    """A loss that was shown, in minor units of the shipment's currency."""

    kind: LossKind | None = Field(
        default=None, description="What happened to the parcel; by the case's category where it is missing"
    )
    claimed_minor: int = Field(gt=0, le=_AMOUNT_MAX_MINOR)
    total_value_minor: int | None = Field(
        default=None,
        ge=0,
        le=_AMOUNT_MAX_MINOR,
        description="Value of all the goods; else the declared value",
    )


class LinkCaseIn(ApiInput):
    """A complaint of whoever holds a shipment's link."""

    category: CaseCategory
    body: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)
    phone: str | None = Field(default=None, max_length=40, description="Where to call back")


class LinkMessageIn(ApiInput):
    """Words of whoever holds a shipment's link."""

    body: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)


class TimelineQuery(PageQuery):
    """Which part of the line of time."""

    kind: EntryKind | None = None


class CaseOut(ApiOutput):
    """A case in a list."""

    number: str
    status: CaseStatus
    category: CaseCategory
    channel: CaseChannel
    subject: str
    customer_id: int
    waybill_number: str | None
    opened_at: AwareDatetime
    due_at: AwareDatetime
    due_clock: ClockKind
    owner_name: str | None
    version: int


class CasePage(ApiOutput):
    """A page of cases."""

    items: list[CaseOut]
    next_cursor: str | None


class EventOut(ApiOutput):
    """One thing that happened to a case."""

    sequence: int
    kind: CaseEventKind
    at: AwareDatetime
    by: str | None
    body: str


class ClaimOut(ApiOutput):
    """An award and what it rests on; the bearer and the scans are told to staff only."""

    id: int
    kind: LossKind
    status: ClaimStatus
    currency: str
    claimed_minor: int
    award_minor: int
    instrument: str
    article: str
    formula: dict[str, Any]
    bearer_party_id: int | None
    evidence: list[str]


class CaseDetail(CaseOut):
    """A case with everything the asker may see of it."""

    resolution: str | None
    events: list[EventOut]
    claims: list[ClaimOut]


class EntryOut(ApiOutput):
    """One entry of the customer's line of time."""

    at: AwareDatetime
    what: str
    kind: EntryKind
    number: str
    text: str
    amount_minor: int | None
    currency: str | None
    place: str | None


class TimelinePage(ApiOutput):
    """A page of the line of time."""

    items: list[EntryOut]
    next_cursor: str | None
