"""What the terms are applied to: a shipment's way as parties by role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.network.models import Facility
from app.orders.models import Order
from app.shipments.models import Shipment, ShipmentLeg
from settlement.money import Money
from settlement.split import Facts, PartyRole
from settlement.terms import Role

_OWNERS = "orders.owners_of_facilities"


@dataclass(frozen=True, slots=True)
class Priced:
    """What the order adds to the shipment: its number, price, and the figures behind it."""

    number: str
    total: Money
    chargeable_weight_g: int
    distance_m: int


def priced(order: Order) -> Priced:
    """What the split needs of an order."""
    total = Money(order.total_minor, order.currency)
    return Priced(order.number, total, order.chargeable_weight_g, order.distance_m)


def facility_ids(shipment: Shipment) -> set[int]:
    """Every facility on the planned way."""
    ends = {shipment.origin_facility_id, shipment.destination_facility_id}
    return ends | {leg.to_facility_id for leg in shipment.legs}


def owners(session: Session, wanted: Iterable[int]) -> dict[int, int]:
    """The party that each facility belongs to; asked once a session, since a facility keeps its owner."""
    known: dict[int, int] = session.info.setdefault(_OWNERS, {})
    missing = set(wanted) - known.keys()
    if missing:
        rows = session.execute(sa.select(Facility.id, Facility.party_id).where(Facility.id.in_(missing)))
        known.update({row.id: row.party_id for row in rows})
    return known


def facts(priced: Priced, shipment: Shipment, owner_of: Mapping[int, int], platform_party_id: int) -> Facts:
    """The facts of an order.

    A transfer between two lanes counts once for the party of the facility it happens at, a lane by its
    metres for its carrier. Couriers' roles are not known when an order is booked: outlets pay their couriers.
    """
    legs: Sequence[ShipmentLeg] = shipment.legs
    roles = {
        Role.PLATFORM: (PartyRole(platform_party_id),),
        Role.ORIGIN_OUTLET: (PartyRole(owner_of[shipment.origin_facility_id]),),
        Role.DELIVERY_OUTLET: (PartyRole(owner_of[shipment.destination_facility_id]),),
        Role.HUB: _weighted((owner_of[leg.to_facility_id], 1) for leg in legs[:-1]),
        # A lane of no length still is a lane: its carrier keeps the least weight there is.
        Role.LINEHAUL_CARRIER: _weighted((leg.carrier_party_id, max(1, leg.distance_m)) for leg in legs),
    }
    return Facts(
        order_id=priced.number,
        total=priced.total,
        weight_g=priced.chargeable_weight_g,
        pieces=shipment.pieces,
        service=shipment.service.value,
        distance_m=priced.distance_m,
        roles=roles,
        pickup_handover=shipment.pickup_handover.value,
        delivery_handover=shipment.delivery_handover.value,
    )


def _weighted(pairs: Iterable[tuple[int, int]]) -> tuple[PartyRole, ...]:
    weights: dict[int, int] = {}
    for party_id, weight in pairs:
        weights[party_id] = weights.get(party_id, 0) + weight
    return tuple(PartyRole(party_id, weight) for party_id, weight in weights.items())
