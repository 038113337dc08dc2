"""What happens in the dispatch room, by its matters: stops, couriers, plans, plans changed by hand."""

from app.dispatch.appointments import appoint, follow_redirection
from app.dispatch.couriers import change_courier, create_courier
from app.dispatch.edits import Moved, Offers, Place, move_stop, offers, set_lock
from app.dispatch.planning import SECONDS_MAX, cancel_plan, publish, request_plan
from app.dispatch.stops import follow_shipments, postpone, request_pickups

__all__ = [
    "SECONDS_MAX",
    "Moved",
    "Offers",
    "Place",
    "appoint",
    "cancel_plan",
    "change_courier",
    "create_courier",
    "follow_redirection",
    "follow_shipments",
    "move_stop",
    "offers",
    "postpone",
    "publish",
    "request_pickups",
    "request_plan",
    "set_lock",
]
