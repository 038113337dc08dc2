"""What the machine's door to pickup points takes and gives."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.deliveries.api_doors import PaidIn
from app.deliveries.batches import BATCH_MAX
from app.deliveries.codes import Try
from app.deliveries.point_models import DisputeKind
from tracking.pickup import SIDE_MM_MAX

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1


class SizeIn(ApiInput):
    """Three sides in millimetres, in any order."""

    length_mm: int = Field(ge=1, le=SIDE_MM_MAX)
    width_mm: int = Field(ge=1, le=SIDE_MM_MAX)
    height_mm: int = Field(ge=1, le=SIDE_MM_MAX)


class CompartmentIn(SizeIn):
    """A door of a locker and how much lies behind it."""

    code: str = Field(min_length=1, max_length=20, pattern=_TEXT)


class CompartmentOut(ApiOutput):
    """A door of a locker."""

    code: str
    length_mm: int
    width_mm: int
    height_mm: int


class Compartments(ApiOutput):
    """The doors of a locker that are in use."""

    items: list[CompartmentOut]


class DepositIn(ApiInput):
    """A parcel that is left at a point; without a compartment the smallest free one that it fits into."""

    number: str = Field(min_length=1, max_length=60, pattern=_TEXT)
    facility_id: int = Field(ge=1, le=_ID_MAX)
    compartment: str | None = Field(default=None, min_length=1, max_length=20, pattern=_TEXT)
    size: SizeIn | None = None


class DepositsIn(ApiInput):
    """Parcels that are left in one go."""

    items: list[DepositIn] = Field(min_length=1, max_length=BATCH_MAX)


class DepositOut(ApiOutput):
    """A parcel that waits to be fetched, or was."""

    deposit_id: int
    waybill_number: str
    facility_id: int
    compartment: str | None
    deposited_at: AwareDatetime
    fetch_until: AwareDatetime
    overdue_at: AwareDatetime | None
    taken_at: AwareDatetime | None
    taken_back_at: AwareDatetime | None


class DepositResult(ApiOutput):
    """What became of one parcel of a batch: the deposit, or why it was not left."""

    number: str
    deposit: DepositOut | None
    why: str | None


class DepositResults(ApiOutput):
    """One result a parcel, in the order given."""

    items: list[DepositResult]


class DepositQuery(PageQuery):
    """Which deposits of a point."""

    overdue: bool = False


class DepositPage(ApiOutput):
    """A page of deposits."""

    items: list[DepositOut]
    next_cursor: str | None


class FetchIn(ApiInput):
    """Somebody who has the code: of a parcel by its number, or of a compartment by its own code."""

    number: str = Field(min_length=1, max_length=60, pattern=_TEXT)
    facility_id: int = Field(ge=1, le=_ID_MAX)
    code: str = Field(min_length=1, max_length=20, pattern=_TEXT)
    paid: PaidIn | None = None


class FetchOut(ApiOutput):
    """Whether the code opened it."""

    outcome: Try
    deposit: DepositOut


class DisputeIn(ApiInput):
    """What is wrong with a parcel that was to be fetched."""

    kind: DisputeKind
    body: str = Field(min_length=1, max_length=4000, pattern=_TEXT)
    phone: str | None = Field(default=None, max_length=30, pattern=_TEXT)


class DisputeOut(ApiOutput):
    """The case that was opened."""

    case_number: str
