"""What the machine's door to the orders room takes and gives."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.orders.models import OrderStatus, PaymentChannel, TermsStatus
from app.orders.tariff import ChargeKind
from app.shipments.models import Service
from routing.network import Handover, Mode
from settlement.terms import Role

_ADCODE = r"^[0-9]{6}$"
_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1


class EndInput(ApiInput):
    """Where an end of the way is; without coordinates, at the seat of its district."""

    district_adcode: str = Field(pattern=_ADCODE, description="County-level division code")
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)


class PlaceInput(EndInput):
    """Who is at an end of the way, and where."""

    name: str = Field(min_length=1, max_length=100, pattern=_TEXT)
    phone: str = Field(min_length=5, max_length=30, pattern=_TEXT)
    address: str = Field(min_length=1, max_length=200, pattern=_TEXT)


class ParcelInput(ApiInput):
    """What the price depends on beside the ends."""

    pieces: int = Field(default=1, ge=1, le=999)
    weight_g: int = Field(ge=1, le=1_000_000, description="All pieces together")
    volume_cm3: int = Field(
        default=0, ge=0, le=20_000_000, description="All pieces together; 0: not measured"
    )
    service: Service = Service.STANDARD
    pickup_handover: Handover = Handover.DOOR
    delivery_handover: Handover = Handover.DOOR
    declared_value_minor: int = Field(default=0, ge=0, le=100_000_000)
    cod_minor: int = Field(default=0, ge=0, le=100_000_000, description="Collected from the consignee")
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")


class QuoteInput(ParcelInput):
    """A parcel to be priced."""

    sender: EndInput
    consignee: EndInput


class MergeInput(ApiInput):
    """What the parcel waits for on its way; without a facility it is merged at the last outlet."""

    reference: str = Field(min_length=1, max_length=100, pattern=_TEXT)
    shipments: int = Field(ge=1, le=200, description="How many belong together, this one included")
    facility_id: int | None = Field(default=None, ge=1, le=_ID_MAX, description="On the parcel's way")


class BookingInput(ParcelInput):
    """A parcel to be booked. A shipper pays himself; staff name the customer by id or by phone."""

    sender: PlaceInput
    consignee: PlaceInput
    goods: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    reference: str | None = Field(default=None, max_length=100, pattern=_TEXT)
    channel: PaymentChannel = PaymentChannel.PREPAID
    customer_id: int | None = Field(default=None, ge=1, le=_ID_MAX)
    customer_phone: str | None = Field(default=None, max_length=30, pattern=_TEXT)
    customer_name: str | None = Field(default=None, max_length=100, pattern=_TEXT)
    merge: MergeInput | None = None


class OrderQuery(PageQuery):
    """Which orders."""

    status: OrderStatus | None = None
    channel: PaymentChannel | None = None
    customer_id: int | None = Field(default=None, ge=1, le=_ID_MAX)
    unpaid: bool = False
    from_day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1))
    to_day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1))
    offset_minutes: int = Field(default=480, ge=-840, le=840, description="Of the local days")


class LegOut(ApiOutput):
    """One planned line-haul."""

    sequence: int
    from_facility_id: int
    to_facility_id: int
    mode: Mode
    departure_at: AwareDatetime
    arrival_at: AwareDatetime
    distance_m: int


class ChargeOut(ApiOutput):
    """A line of the price, with the figures it was made from."""

    kind: ChargeKind
    amount_minor: int
    details: dict[str, int | str]


class QuoteOut(ApiOutput):
    """Price and promised time."""

    total_minor: int
    currency: str
    charges: list[ChargeOut]
    chargeable_weight_g: int
    distance_m: int
    promised_from: AwareDatetime
    promised_to: AwareDatetime
    legs: list[LegOut]


class BookingOut(ApiOutput):
    """What was booked."""

    waybill_number: str
    order_number: str
    total_minor: int
    currency: str
    promised_from: AwareDatetime
    promised_to: AwareDatetime
    label_url: str
    tracking_url: str
    legs: list[LegOut]


class OrderOut(ApiOutput):
    """An order in a list."""

    number: str
    waybill_number: str
    customer_id: int
    status: OrderStatus
    channel: PaymentChannel
    total_minor: int
    currency: str
    placed_at: AwareDatetime
    paid_at: AwareDatetime | None
    released_at: AwareDatetime | None


class OrderPage(ApiOutput):
    """A page of orders."""

    items: list[OrderOut]
    next_cursor: str | None


class ShareOut(ApiOutput):
    """What one party earns of an order, and why."""

    party_id: int
    role: Role | None
    amount_minor: int
    reasons: list[dict[str, Any]]


class OrderDetail(OrderOut):
    """An order; `shares` and `entries` only for those who may read the ledger."""

    charges: list[ChargeOut]
    shares: list[ShareOut] | None = None
    entries: list[int] | None = None


class ReasonInput(ApiInput):
    """Why an order is taken back."""

    reason: str = Field(min_length=1, max_length=300, pattern=_TEXT)


class ChannelSettlement(ApiInput):
    """What a payment channel handed to the custody account."""

    amount_minor: int = Field(gt=0, le=10**15)
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    reference: str = Field(
        min_length=1,
        max_length=100,
        pattern=_TEXT,
        description="The bank's or the channel's own; recorded once",
    )


class ChannelSettlementOut(ApiOutput):
    """What was recorded, and what the channel has confirmed and not handed over yet."""

    amount_minor: int
    currency: str
    reference: str
    waiting_minor: int


class TrialInput(ApiInput):
    """Terms to be tried out."""

    body: dict[str, Any] = Field(description="`settlement.terms` as JSON, without name, number and dates")


class TermsInput(TrialInput):
    """The next version of the terms."""

    effective_from: AwareDatetime


class TermsOut(ApiOutput):
    """A version in the list."""

    id: int
    name: str
    version: int
    status: TermsStatus
    effective_from: AwareDatetime
    created_by_id: int
    created_at: AwareDatetime
    approved_by_id: int | None
    approved_at: AwareDatetime | None


class TermsList(ApiOutput):
    """Every version, newest first."""

    items: list[TermsOut]


class TermsLine(ApiOutput):
    """A line of the terms in words: a key of the catalog and what it is filled with."""

    key: str
    params: dict[str, Any]


class TermsDetail(TermsOut):
    """A version as written and as read."""

    body: dict[str, Any]
    lines: list[TermsLine]


class DifferenceOut(ApiOutput):
    """What a party would have earned by other terms."""

    party_id: int
    before_minor: int
    after_minor: int
    difference_minor: int


class RefusedOut(ApiOutput):
    """An order that the terms cannot split."""

    order_number: str
    detail: str


class TrialOut(ApiOutput):
    """The last orders, split anew."""

    orders: int
    currency: str
    differences: list[DifferenceOut]
    refused: list[RefusedOut]
