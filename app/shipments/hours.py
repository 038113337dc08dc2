"""When the places of a shipment work: the cut-off where it starts, the rounds and counters where it ends."""

from __future__ import annotations

from datetime import datetime

from routing.network import Handover, Network, WorkingHours
from routing.network.cutoff import ready_at
from tracking.promise import LastMile


def hours_of(network: Network, facility_id: int) -> WorkingHours:
    """When a facility of a stored network works."""
    hours = network.facility(facility_id).hours
    assert hours is not None, "every stored facility has hours"
    return hours


def ready(
    network: Network, booked_at: datetime, handover: Handover, origin_id: int, point_id: int | None
) -> datetime:
    """When a parcel that is booked at a moment lies at its origin outlet.

    Args:
        network: with the hours of the places.
        booked_at: aware.
        handover: how the shipper gives it away.
        origin_id: the outlet.
        point_id: the store, locker or collective point where it is given away, if it is one.
    """
    point = None if point_id is None else hours_of(network, point_id)
    return ready_at(booked_at, handover, hours_of(network, origin_id), point)


def last_mile(network: Network, handover: Handover, destination_id: int, point_id: int | None) -> LastMile:
    """The rule by which what arrives at an outlet is handed over, as promises take it.

    Args:
        network: with the hours of the places.
        handover: how the consignee gets it.
        destination_id: the outlet.
        point_id: the store, locker or collective point that it goes to, if it is one.
    """
    point = None if point_id is None else hours_of(network, point_id)
    return LastMile(handover, hours_of(network, destination_id), point)
