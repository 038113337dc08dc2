"""What the machine's door to the shipments room takes and gives."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from app.api_schema import ApiInput, ApiOutput, PageQuery
from app.shipments.models import ProofKind, Service
from app.shipments.scan_values import Refused
from routing.network import Handover, Mode
from tracking.shipment import Milestone, ScanCode

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1


class ShipmentQuery(PageQuery):
    """Which shipments."""

    milestone: Milestone | None = None
    problems: bool = Field(default=False, description="Only those at which somebody has to do something")
    text: str | None = Field(
        default=None, max_length=60, pattern=_TEXT, description="A number, reference or phone, exact"
    )
    from_day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1))
    to_day: date | None = Field(default=None, ge=date(2000, 1, 1), le=date(2200, 1, 1))
    offset_minutes: int = Field(default=480, ge=-720, le=840, description="Of the local days")
    facility_id: int | None = Field(default=None, ge=1, le=_ID_MAX)


class TrackQuery(ApiInput):
    """What opens the details."""

    phone_last4: str | None = Field(
        default=None,
        pattern=r"^[0-9]{4}$",
        description="Of either end's phone; five wrong tries close the details for an hour",
    )


class TrackManyQuery(TrackQuery):
    """Several numbers at once."""

    numbers: str = Field(max_length=1200, pattern=_TEXT, description="Up to 40, separated by commas")


class ShipmentOut(ApiOutput):
    """A shipment in a list."""

    waybill_number: str
    reference: str | None
    milestone: Milestone
    code: ScanCode
    since: AwareDatetime
    facility_id: int | None
    service: Service
    pieces: int
    weight_g: int
    cod_minor: int
    door_charge_minor: int
    declared_value_minor: int
    currency: str
    pickup_handover: Handover
    delivery_handover: Handover
    booked_at: AwareDatetime
    promised_from: AwareDatetime
    promised_to: AwareDatetime
    delivered_at: AwareDatetime | None
    receipt_confirmed_at: AwareDatetime | None


class ShipmentPage(ApiOutput):
    """A page of shipments."""

    items: list[ShipmentOut]
    next_cursor: str | None


class EndOut(ApiOutput):
    """Who is at an end of the way, masked."""

    name: str
    phone: str
    district_adcode: str
    address: str


class LegOut(ApiOutput):
    """One planned line-haul."""

    sequence: int
    from_facility_id: int
    to_facility_id: int
    mode: Mode
    distance_m: int
    planned_departure_at: AwareDatetime
    planned_arrival_at: AwareDatetime


class ScanOut(ApiOutput):
    """One scan; `corrected` when a later one declared it an error."""

    scan_key: str
    code: ScanCode
    occurred_at: AwareDatetime
    offset_minutes: int
    facility_id: int | None
    courier_id: int | None
    reason: str | None
    piece_no: int | None
    corrects: str | None
    corrected: bool


class ProofOut(ApiOutput):
    """That a delivery is proved, and how; without the picture."""

    scan_key: str
    kind: ProofKind
    received_by: str
    content_type: str | None
    at: AwareDatetime


class CourierComesOut(ApiOutput):
    """When a courier comes; `stops_away` is null while there are too many stops before to say."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    stops_away: int | None = Field(description="0: it is the next one")


class ShipmentDetail(ShipmentOut):
    """A shipment with its way and everything that was scanned."""

    goods: str
    sender: EndOut
    consignee: EndOut
    expected_from: AwareDatetime | None
    expected_to: AwareDatetime | None
    expected_without_news: bool = Field(
        description="Nothing was heard for longer than is usual, and what is expected allows for that"
    )
    round: CourierComesOut | None = Field(
        description="A courier is on his way to collect or deliver it; null while none is"
    )
    legs: list[LegOut]
    scans: list[ScanOut]
    proofs: list[ProofOut]


class ScanResultOut(ApiOutput):
    """What became of one scan: recorded, duplicate, conflict, unmatched or rejected."""

    client_scan_id: str
    number: str
    status: str
    scan_key: str | None
    milestone: str | None
    reason: Refused | None
    detail: str | None
    moved: int | None


class ScanResults(ApiOutput):
    """One result a scan, in the order sent."""

    items: list[ScanResultOut]


class TrackEventOut(ApiOutput):
    """What happened, or is planned, and in which city; the place only with the details."""

    code: ScanCode
    at: AwareDatetime
    offset_minutes: int
    city: str | None
    place: str | None
    planned: bool


class FetchAtOut(ApiOutput):
    """Where a parcel waits for its consignee.

    `open_until`: when the place closes, null while it is closed; `opens_at`: when it next opens, null where
    that is not within a week.
    """

    name: str
    open_until: AwareDatetime | None
    opens_at: AwareDatetime | None


class ForwardingOut(ApiOutput):
    """Which carrier takes it further under which number; `tracking_url` is the carrier's own page."""

    number: str
    carrier: str
    carrier_name: str
    tracking_url: str | None
    forwarded_at: AwareDatetime


class TrackDetailsOut(ApiOutput):
    """What only those may know who know the phone."""

    sender: EndOut
    consignee: EndOut
    goods: str
    pieces: int
    weight_g: int
    cod_minor: int
    door_charge_minor: int
    currency: str
    proofs: list[ProofOut]
    fetch_at: FetchAtOut | None
    forwardings: list[ForwardingOut]


class TrackOut(ApiOutput):
    """What everybody may know of a number, and the details where they are open.

    `details_access`: `not_asked`, `open`, `wrong` or `locked`. `vocabularies` say the state in the words of
    other systems: (status, detail) of each. `offset_minutes`: of the local time in which it was booked.
    """

    waybill_number: str
    milestone: Milestone
    code: ScanCode
    sentence: str
    offset_minutes: int
    promised_from: AwareDatetime
    promised_to: AwareDatetime
    expected_from: AwareDatetime | None
    expected_to: AwareDatetime | None
    expected_without_news: bool = Field(
        description="Nothing was heard for longer than is usual, and what is expected allows for that"
    )
    round: CourierComesOut | None = Field(
        description="A courier is on his way to collect or deliver it; null while none is"
    )
    events: list[TrackEventOut]
    vocabularies: dict[str, list[str]]
    details_access: str
    details: TrackDetailsOut | None


class TrackMany(ApiOutput):
    """What is known of several numbers; those that are not found, or not registered yet, by themselves."""

    items: list[TrackOut]
    not_found: list[str]
