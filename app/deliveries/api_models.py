"""What the machine's door to the last door takes and gives."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.deliveries.models import Access, ConsentChannel, ConsentSource, PriceBearer
from app.deliveries.values import ADDRESS_LENGTH_MAX, NOTE_LENGTH_MAX, Window, Wish
from routing.network import Handover
from tracking.instructions import Asker, InstructionKind, InstructionRefusal, Standing

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1


class WishIn(ApiInput):
    """What is wanted; a redelivery needs a day, a redirection a facility or a district with an address."""

    kind: InstructionKind
    day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1))
    window: Window | None = None
    facility_id: int | None = Field(default=None, ge=1, le=_ID_MAX)
    district_adcode: str | None = Field(default=None, min_length=1, max_length=12, pattern=_TEXT)
    address: str | None = Field(default=None, min_length=1, max_length=ADDRESS_LENGTH_MAX, pattern=_TEXT)
    note: str = Field(default="", max_length=NOTE_LENGTH_MAX, pattern=_TEXT)

    def wish(self) -> Wish:
        """As the service takes it.

        Raises:
            InvalidInputError: what the kind needs is missing, or there is more than it takes.
        """
        return Wish(**self.model_dump())


class DecisionIn(ApiInput):
    """Whether the company bears what a redirection costs more."""

    accepted: bool


class ConsentIn(ApiInput):
    """The consignee's word on one way of handing over."""

    channel: ConsentChannel
    granted: bool


class InstructionQuery(PageQuery):
    """Which instructions; without a standing those that are open."""

    standing: Standing | None = None
    kind: InstructionKind | None = None


class InstructionOut(ApiOutput):
    """What was asked about a parcel on its way, and what became of it."""

    instruction_id: int
    waybill_number: str
    kind: InstructionKind
    standing: Standing
    refusal: InstructionRefusal | None
    asker: Asker
    access: Access
    asked_at: AwareDatetime
    decided_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    day: date | None
    window_from_s: int | None
    window_to_s: int | None
    handover: Handover | None
    facility_id: int | None
    district_adcode: str | None
    price_difference_minor: int
    price_borne_by: PriceBearer | None
    currency: str
    note: str


class InstructionPage(ApiOutput):
    """A page of instructions."""

    items: list[InstructionOut]
    next_cursor: str | None


class ConsentOut(ApiOutput):
    """What holds for one way of handing over; no time where the consignee never spoke of it."""

    channel: ConsentChannel
    granted: bool
    source: ConsentSource | None
    recorded_at: AwareDatetime | None


class DeliveryOut(ApiOutput):
    """What may be asked where a parcel stands, what was asked, and what its consignee consents to."""

    possible: list[InstructionKind]
    redelivery_days: list[date]
    instructions: list[InstructionOut]
    consents: list[ConsentOut]
