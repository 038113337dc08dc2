"""What a shipper asks for: both ends, the goods, the hand-overs; checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.errors import InvalidInputError
from app.shipments.models import Service
from routing.network import Handover

WEIGHT_G_MAX = 1_000_000
PIECES_MAX = 999
VOLUME_CM3_MAX = 20_000_000
AMOUNT_MINOR_MAX = 100_000_000
MERGE_SHIPMENTS_MAX, MERGE_REFERENCE_LENGTH_MAX = 200, 100


@dataclass(frozen=True, slots=True)
class Place:
    """Who is at an end of the way, and where."""

    name: str
    phone: str
    district_adcode: str
    address: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Merge:
    """What a parcel is merged with: `shipments` of one reference, at a facility or at its last outlet.

    Raises:
        InvalidInputError: there is no reference, or too few or too many shipments.
    """

    reference: str
    shipments: int
    facility_id: int | None = None

    def __post_init__(self) -> None:
        wrong = []
        if not self.reference.strip() or len(self.reference) > MERGE_REFERENCE_LENGTH_MAX:
            wrong.append({"detail": "must not be empty or too long", "pointer": "/merge/reference"})
        if not 1 <= self.shipments <= MERGE_SHIPMENTS_MAX:
            detail = f"must be between 1 and {MERGE_SHIPMENTS_MAX}"
            wrong.append({"detail": detail, "pointer": "/merge/shipments"})
        if wrong:
            raise InvalidInputError("the merge is not complete", wrong)


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What a shipper asks for.

    Args:
        sender: where the parcel comes from.
        consignee: where it goes to.
        goods: what is inside, in the shipper's words.
        pieces: how many; all under one waybill number.
        weight_g: all pieces together.
        volume_cm3: all pieces together; 0 where it was not measured.
        service: how fast.
        pickup_handover: how the shipper gives it away.
        delivery_handover: how the consignee gets it.
        declared_value_minor: what compensation may go up to, for a fee; 0 for none.
        cod_minor: to be collected from the consignee; 0 for none.
        currency: of both amounts.
        reference: the shipper's own number for it.
        offset_minutes: of the local time that cut-offs are told in.
        merge: what it waits for on its way; None where it goes alone.

    Raises:
        InvalidInputError: fields are out of range; names each with its pointer.
    """

    sender: Place
    consignee: Place
    goods: str
    pieces: int
    weight_g: int
    volume_cm3: int
    service: Service
    pickup_handover: Handover
    delivery_handover: Handover
    declared_value_minor: int = 0
    cod_minor: int = 0
    currency: str = "CNY"
    reference: str | None = None
    offset_minutes: int = field(default=480)
    merge: Merge | None = None

    def __post_init__(self) -> None:
        wrong = [
            {"detail": f"must be between {least} and {most}", "pointer": f"/{name}"}
            for name, value, least, most in (
                ("pieces", self.pieces, 1, PIECES_MAX),
                ("weight_g", self.weight_g, 1, WEIGHT_G_MAX),
                ("volume_cm3", self.volume_cm3, 0, VOLUME_CM3_MAX),
                ("declared_value_minor", self.declared_value_minor, 0, AMOUNT_MINOR_MAX),
                ("cod_minor", self.cod_minor, 0, AMOUNT_MINOR_MAX),
            )
            if not least <= value <= most
        ]
        for end, place in (("sender", self.sender), ("consignee", self.consignee)):
            wrong += [
                {"detail": "must not be empty", "pointer": f"/{end}/{name}"}
                for name in ("name", "phone", "address")
                if not getattr(place, name).strip()
            ]
        if not self.goods.strip():
            wrong.append({"detail": "must not be empty", "pointer": "/goods"})
        if wrong:
            raise InvalidInputError("the booking is not complete", wrong)
