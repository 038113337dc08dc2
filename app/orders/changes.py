"""What another destination would change about the price of an order that is on its way."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.network.models import Facility
from app.orders import queries, tariffs
from app.orders.tariff import Parcel, price
from app.shipments.models import Shipment
from routing.network import road_distance_m
from settlement.money import Money, total_of


def price_difference(session: Session, shipment: Shipment, destination: Facility) -> Money:
    """What the shipment would cost more (or, negative, less) if it went to another outlet.

    Both prices are by the tariff that held when it was booked; its order stays as it is. Without an order
    nothing was priced, and nothing differs.

    Raises:
        InvalidInputError: the tariff does not offer the service that far.
    """
    order = queries.order_of_shipment(session, shipment.id)
    if order is None:
        return Money(0, shipment.currency)
    tariff = tariffs.tariff_in_force(session, order.currency, order.placed_at)
    origin = session.get_one(Facility, shipment.origin_facility_id)

    def total(distance_m: int) -> Money:
        parcel = Parcel(
            service=shipment.service,
            distance_m=distance_m,
            weight_g=shipment.weight_g,
            volume_cm3=shipment.volume_cm3,
            declared_value_minor=shipment.declared_value_minor,
            cod_minor=shipment.cod_minor,
        )
        return total_of((charge.amount for charge in price(tariff, parcel)), order.currency)

    return total(road_distance_m(origin, destination)) - total(order.distance_m)
