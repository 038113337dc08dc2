"""What happens in the dispatch room, by its matters: stops, couriers, plans, plans changed by hand."""

from app.dispatch.appointments import appoint, follow_redirection
from app.dispatch.areas import ClosedHours, change_area, create_area, delete_area, set_territory
from app.dispatch.breaks import CourierBreak
from app.dispatch.compare import Comparison, Shifted, Summary, compare, newest_beside, plans_of_day
from app.dispatch.corrections import Corrected, correct_place, set_skills
from app.dispatch.couriers import change_courier, create_courier
from app.dispatch.edits import Moved, move_stop, set_lock, set_round_lock
from app.dispatch.offers import Gap, Offers, Place, gaps_of, offers
from app.dispatch.pickups import Asked, ask_pickup, cancel_pickup, finish_pickup
from app.dispatch.planning import SECONDS_MAX, cancel_plan, keep_best, publish, request_plan
from app.dispatch.recurring import begin_recurring, end_recurring
from app.dispatch.stops import follow_shipments, postpone, request_pickups
from app.dispatch.undo import redo, undo
from app.dispatch.wanted import Wanted
from app.dispatch.windows import Choice, windows

__all__ = [
    "SECONDS_MAX",
    "Asked",
    "Choice",
    "ClosedHours",
    "Comparison",
    "Corrected",
    "CourierBreak",
    "Gap",
    "Moved",
    "Offers",
    "Place",
    "Shifted",
    "Summary",
    "Wanted",
    "appoint",
    "ask_pickup",
    "begin_recurring",
    "cancel_pickup",
    "cancel_plan",
    "change_area",
    "change_courier",
    "compare",
    "correct_place",
    "create_area",
    "create_courier",
    "delete_area",
    "end_recurring",
    "finish_pickup",
    "follow_redirection",
    "follow_shipments",
    "gaps_of",
    "keep_best",
    "move_stop",
    "newest_beside",
    "offers",
    "plans_of_day",
    "postpone",
    "publish",
    "redo",
    "request_pickups",
    "request_plan",
    "set_lock",
    "set_round_lock",
    "set_skills",
    "set_territory",
    "undo",
    "windows",
]
